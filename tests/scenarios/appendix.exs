# The observed cases of the specification's appendix, each named by its number and expression.
# Where an expression slept there, the story waits for what it slept for.

# Waits until the program behind `p` has ended.
ended = fn p ->
  {:os_pid, pid} = Port.info(p, :os_pid)
  Scenario.eventually(fn -> not File.exists?("/proc/#{pid}") end)
end

Scenario.exact(~S/01 p = Port.open({:spawn, "cat"}, [:binary, packet: 2]); Port.command(p, "hi"); Port.command(p, ["a", ?b, ["c" | "d"]])/, 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 2])
  Port.command(p, "hi")
  Port.command(p, ["a", ?b, ["c" | "d"]])
end)
Scenario.exact(~S|02 p = Port.open({:spawn, "cat"}, packet: 4); Port.command(p, "")|, 1, fn ->
  p = Port.open({:spawn, "cat"}, packet: 4)
  Port.command(p, "")
end)
Scenario.exact(~S|03 p = Port.open({:spawn, "cat"}, []); send(p, {self(), {:command, "hello"}})|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  send(p, {self(), {:command, "hello"}})
end)
Scenario.exact(~S|04 Port.open({:spawn, "echo hello"}, [:binary])|, 2, fn -> Port.open({:spawn, "echo hello"}, [:binary]) end)
Scenario.exact(~S|05 Port.open({:spawn, "echo hello"}, [:binary, :exit_status])|, 3, fn -> Port.open({:spawn, "echo hello"}, [:binary, :exit_status]) end)
Scenario.exact(~S|06 Port.open({:spawn, "echo hello"}, [:binary, :eof])|, 2, fn -> Port.open({:spawn, "echo hello"}, [:binary, :eof]) end)
Scenario.exact(~S|07 Port.open({:spawn, "echo hello"}, [:binary, :eof, :exit_status])|, 3, fn -> Port.open({:spawn, "echo hello"}, [:binary, :eof, :exit_status]) end)
Scenario.tell(~S|08 Port.open({:spawn, "no_such_program"}, [:binary, :exit_status, :stderr_to_stdout])|, 3, fn ->
  Port.open({:spawn, "no_such_program"}, [:binary, :exit_status, :stderr_to_stdout])
end)
Scenario.exact(~S|09 Port.open({:spawn, "no_such_program"}, [])|, 1, fn -> Port.open({:spawn, "no_such_program"}, []) end)
Scenario.exact(~S|10 Port.open({:spawn_executable, "/no/such"}, [])|, 0, fn -> Port.open({:spawn_executable, "/no/such"}, []) end)
Scenario.exact(~S|11 Port.open({:spawn_executable, "/tmp"}, [:exit_status])|, 2, fn -> Port.open({:spawn_executable, "/tmp"}, [:exit_status]) end)
Scenario.exact(~S|12 Port.open({:spawn_executable, "/etc/passwd"}, [])|, 0, fn -> Port.open({:spawn_executable, "/etc/passwd"}, []) end)
Scenario.exact(~S|13 Port.open({:spawn_executable, "/etc/passwd/x"}, [])|, 0, fn -> Port.open({:spawn_executable, "/etc/passwd/x"}, []) end)
Scenario.exact(~S|14 Port.open({:spawn, "pwd"}, [:exit_status, cd: "/no/such/dir"])|, 2, fn -> Port.open({:spawn, "pwd"}, [:exit_status, cd: "/no/such/dir"]) end)
Scenario.exact(~S|15 sh("kill -9 $$", [:exit_status])|, 2, fn -> Scenario.sh("kill -9 $$", [:exit_status]) end)
Scenario.exact(~S|16 sh("exit 3", [:exit_status])|, 2, fn -> Scenario.sh("exit 3", [:exit_status]) end)
Scenario.exact(~S|17 sh("exit 3")|, 1, fn -> Scenario.sh("exit 3") end)
Scenario.exact(~S|18 sh("echo out; exec >&-; sleep 0.3; exit 4", [:exit_status])|, 3, fn -> Scenario.sh("echo out; exec >&-; sleep 0.3; exit 4", [:exit_status]) end)
Scenario.exact(~S|19 sh("echo out; exec >&-; sleep 0.3; exit 4")|, 2, fn -> Scenario.sh("echo out; exec >&-; sleep 0.3; exit 4") end)
Scenario.exact(~S|20 sh("echo early; (sleep 0.3; echo late) & exit 2", [:exit_status])|, 4, fn ->
  Scenario.sh("echo early; (sleep 0.3; echo late) & exit 2", [:exit_status])
end)
Scenario.exact(~S|21 sh("printf 'ab\ncd'", [:line, :exit_status, :eof])|, 4, fn -> Scenario.sh("printf 'ab\ncd'", [:line, :exit_status, :eof]) end)
Scenario.exact(~S|22 sh("printf 'abcdefg\nhi\r\n\n'", [line: 5])|, 5, fn -> Scenario.sh("printf 'abcdefg\nhi\r\n\n'", line: 5) end)
Scenario.exact(~S|23 sh("printf 'abcde\n'", [line: 5])|, 2, fn -> Scenario.sh("printf 'abcde\n'", line: 5) end)
Scenario.exact(~S|24 sh("printf '\\000\\002ok\\000\\005abc'", [:exit_status, packet: 2])|, 3, fn ->
  Scenario.sh("printf '\\000\\002ok\\000\\005abc'", [:exit_status, packet: 2])
end)
Scenario.exact(~S|25 p = Port.open({:spawn, "cat"}, [:binary]); Port.close(p)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
end)
Scenario.exact(~S|26 p = Port.open({:spawn, "cat"}, [:binary]); send(p, {self(), :close})|, 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), :close})
end)
Scenario.exact(~S|27 p = Port.open({:spawn, "cat"}, [:binary]); Process.unlink(p); send(p, {self(), :close})|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.unlink(p)
  send(p, {self(), :close})
end)
Scenario.exact(~S|28 p = Port.open({:spawn, "cat"}, [:binary]); Port.monitor(p); send(p, {self(), :close})|, 3, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.monitor(p)
  send(p, {self(), :close})
end)
Scenario.exact(~S|29 p = Port.open({:spawn, "cat"}, [:binary]); Port.close(p); Port.command(p, "x")|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
  Port.command(p, "x")
end)
Scenario.exact(~S|30 p = Port.open({:spawn, "cat"}, [:binary]); Port.close(p); send(p, {self(), {:command, "x"}}); Port.info(p)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
  send(p, {self(), {:command, "x"}})
  Port.info(p)
end)
Scenario.exact(~S|31 p = Port.open({:spawn, "cat"}, [:binary]); send(p, :garbage); flush(100) ++ [is_list(Port.info(p))]|, 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, :garbage)
  Scenario.flush(1) ++ [is_list(Port.info(p))]
end)
Scenario.untrapped(~S|32 p = Port.open({:spawn, "cat"}, [:binary]); send(p, :garbage) (owner does not trap exits)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, :garbage)
end)
Scenario.exact(~S|33 p = Port.open({:spawn, "cat"}, [:binary]); Port.command(p, :not_iodata)|, 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.command(p, :not_iodata)
end)
Scenario.exact(~S|34 p = Port.open({:spawn, "cat"}, [:binary, packet: 1]); Port.command(p, String.duplicate("x", 256))|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 1])
  Port.command(p, String.duplicate("x", 256))
end)
Scenario.exact(~S|35 p = Port.open({:spawn, "cat"}, [:binary]); Process.exit(p, :kill)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.exit(p, :kill)
end)
Scenario.exact(~S|36 p = Port.open({:spawn, "cat"}, [:binary]); Process.exit(p, :normal)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.exit(p, :normal)
end)
Scenario.untrapped(~S|37 p = Port.open({:spawn, "cat"}, [:binary]); Process.exit(p, :boom) (owner does not trap exits)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.exit(p, :boom)
end)
Scenario.exact(~S|38 p = Port.open({:spawn, "cat"}, [:binary]); me = self(); spawn(fn -> send(p, {me, {:command, "from other"}}) end)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  spawn(fn -> send(p, {me, {:command, "from other"}}) end)
end)
Scenario.exact(~S|39 p = Port.open({:spawn, "cat"}, [:binary]); spawn(fn -> send(p, {self(), {:command, "x"}}) end)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> send(p, {self(), {:command, "x"}}) end)
end)
Scenario.exact(~S|40 p = Port.open({:spawn, "cat"}, [:binary]); spawn(fn -> Port.command(p, "bif from other") end)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> Port.command(p, "bif from other") end)
end)
Scenario.exact(~S|41 p = Port.open({:spawn, "cat"}, [:binary]); spawn(fn -> Port.close(p) end)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> Port.close(p) end)
end)
Scenario.exact(~S|42 p = Port.open({:spawn, "cat"}, [:binary]); send(p, {self(), {:connect, self()}})|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), {:connect, self()}})
end)
Scenario.exact(~S|43 p = Port.open({:spawn, "cat"}, [:binary]); q = spawn(fn -> Process.sleep(100) end); Port.connect(p, q)|, 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  q = Scenario.bystander()
  connected = Port.connect(p, q)
  send(q, {:stop, :normal})
  connected
end)
Scenario.exact(~S|44 p = Port.open({:spawn, "cat"}, [:binary]); q = spawn(fn -> Process.sleep(100) end); send(p, {self(), {:connect, q}}); flush(200) ++ [is_list(Port.info(p))]|, 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  q = Scenario.bystander()
  send(p, {self(), {:connect, q}})
  connected = Scenario.flush(1)
  send(q, {:stop, :normal})
  Scenario.eventually(fn -> not Process.alive?(q) end)
  connected ++ [is_list(Port.info(p))]
end)
Scenario.tell(~S|45 p = Port.open({:spawn, "cat"}, [:binary]); Process.register(p, :my_port); Port.command(:my_port, "named"); send(:my_port, {self(), {:command, "!"}}); flush(100) ++ [Port.info(p, :registered_name)]|, 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.register(p, :my_port)
  Port.command(:my_port, "named")
  send(:my_port, {self(), {:command, "!"}})
  gather = fn
    _, "named!" -> [{p, {:data, "named!"}}]
    gather, text ->
      receive do
        {^p, {:data, more}} -> gather.(gather, text <> more)
      end
  end
  gather.(gather, "") ++ [Port.info(p, :registered_name)]
end)
Scenario.exact(~S|46 p = Port.open({:spawn, "cat"}, [:in, :binary]); flush(100)|, 0, fn ->
  Port.open({:spawn, "cat"}, [:in, :binary])
  Scenario.flush(1)
end)
Scenario.exact(~S|47 p = Port.open({:spawn, "sleep 1"}, [:in, :binary]); Port.command(p, "x")|, 1, fn ->
  p = Port.open({:spawn, "sleep 1"}, [:in, :binary])
  Port.command(p, "x")
end)
Scenario.exact(~S|48 p = sh("exec <&-; sleep 1", [:exit_status]); Process.sleep(100); Port.command(p, "x")|, 1, fn ->
  p = Scenario.sh("exec <&-; exec 2>&-; sleep 20", [:exit_status])
  {:os_pid, pid} = Port.info(p, :os_pid)
  # The shell closes its standard error after its input.
  closed = Scenario.eventually(fn -> not File.exists?("/proc/#{pid}/fd/2") end)
  answer = closed and Port.command(p, "x")
  Scenario.kill(pid)
  answer
end)
Scenario.exact(~S|49 p = sh("exit 0", [:out, :exit_status]); flush(200) ++ [is_list(Port.info(p)), Port.command(p, "x")]|, 1, fn ->
  p = Scenario.sh("exit 0", [:out, :exit_status])
  ended.(p)
  Scenario.flush(0) ++ [is_list(Port.info(p)), Port.command(p, "x")]
end)
Scenario.exact(~S/50 p = Port.open({:spawn, "cat"}, [:binary, :eof]); Port.info(p) |> Keyword.keys()/, 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, :eof])
  Port.info(p) |> Keyword.keys()
end)
Scenario.exact(~S|51 p = Port.open({:spawn, "sort"}, [:binary]); Port.command(p, "b\na\n"); send(p, {self(), :close})|, 2, fn ->
  p = Port.open({:spawn, "sort 2>/dev/null"}, [:binary])
  Port.command(p, "b\na\n")
  send(p, {self(), :close})
end)
Scenario.exact(~S|52 Port.open({:spawn, "cat"}, [{:packet, 2}, :line])|, 0, fn -> Port.open({:spawn, "cat"}, [{:packet, 2}, :line]) end)
Scenario.exact(~S|53 Port.open({:spawn, "cat"}, [args: ["-n"]])|, 0, fn -> Port.open({:spawn, "cat"}, args: ["-n"]) end)
Scenario.exact(~S|54 Port.open({:spawn, "cat"}, [env: [{"A", "b"}]])|, 0, fn -> Port.open({:spawn, "cat"}, env: [{"A", "b"}]) end)
Scenario.exact(~S|55 Port.open({:spawn_executable, "/bin/sh"}, [:binary, arg0: "zero", args: ["-c", "echo $0 $1", "x", "y z"]])|, 2, fn ->
  Port.open({:spawn_executable, "/bin/sh"}, [:binary, arg0: "zero", args: ["-c", "echo $0 $1", "x", "y z"]])
end)
Scenario.exact(~S|56 Port.open({:spawn, "echo $AA-$HOME"}, [:binary, env: [{'AA', '1'}, {'HOME', false}]])|, 2, fn ->
  Port.open({:spawn, "echo $AA-$HOME"}, [:binary, env: [{'AA', '1'}, {'HOME', false}]])
end)
Scenario.exact(~S|57 p = Port.open({:spawn, "echo $$"}, [:binary, :line]); {_, pid} = Port.info(p, :os_pid); receive do {^p, {:data, {:eol, s}}} -> s == "#{pid}" end|, 1, fn ->
  # It reads before it ends, so that the port is still there to be asked.
  p = Port.open({:spawn, "sh -c 'read go; echo $$'"}, [:binary, :line])
  {_, pid} = Port.info(p, :os_pid)
  Port.command(p, "go\n")
  receive do
    {^p, {:data, {:eol, s}}} -> s == "#{pid}"
  end
end)
Scenario.exact(~S|58 Port.open({:spawn, "cat; echo never_exec_but_after"}, [:binary, :in])|, 1, fn ->
  Port.open({:spawn, "cat; echo never_exec_but_after"}, [:binary, :in])
end)
Scenario.exact(~S|59 Port.open({:spawn_driver, "no_such_driver"}, [])|, 0, fn -> Port.open({:spawn_driver, "no_such_driver"}, []) end)
Scenario.exact(~S|60 p = Port.open({:spawn, "cat"}, []); :erlang.port_control(p, 0, [])|, 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  :erlang.port_control(p, 0, [])
end)
Scenario.exact(~S|61 Port.monitor(:not_registered)|, 1, fn -> Port.monitor(:not_registered) end)
Scenario.exact(~S|62 p = Port.open({:spawn, "cat >/dev/null"}, [:exit_status]); Process.sleep(100); send(p, {self(), :close})|, 2, fn ->
  p = Port.open({:spawn, "cat >/dev/null"}, [:exit_status])
  {:os_pid, pid} = Port.info(p, :os_pid)
  Scenario.eventually(fn -> File.read_link("/proc/#{pid}/fd/1") == {:ok, "/dev/null"} end)
  send(p, {self(), :close})
end)
Scenario.exact(~S|63 Port.open({:spawn, "cat >/dev/null"}, [])|, 1, fn -> Port.open({:spawn, "cat >/dev/null"}, []) end)
Scenario.exact(~S|64 Port.open({:spawn, "(echo sub)"}, [:exit_status])|, 2, fn -> Port.open({:spawn, "(echo sub)"}, [:exit_status]) end)
Scenario.exact(~S|65 Port.open({:spawn, "   "}, [:exit_status])|, 2, fn -> Port.open({:spawn, "   "}, [:exit_status]) end)
Scenario.exact(~S|66 p = Port.open({:spawn, "cat"}, []); Process.register(p, :nm); Keyword.keys(Port.info(p))|, 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Process.register(p, :nm)
  Keyword.keys(Port.info(p))
end)
Scenario.exact(~S|67 Port.open({:spawn_executable, "/bin/ec" <> "ho\0zzz"}, [:binary, args: ["x"]])|, 2, fn ->
  Port.open({:spawn_executable, "/bin/ec" <> "ho\0zzz"}, [:binary, args: ["x"]])
end)
Scenario.exact(~S|68 p = sh("cat <&3 >&4", [:nouse_stdio]); Port.command(p, "34")|, 1, fn ->
  p = Scenario.sh("cat <&3 >&4", [:nouse_stdio])
  Port.command(p, "34")
end)
Scenario.exact(~S|69 p = Port.open({:spawn, "sleep 2"}, []); Port.command(p, String.duplicate("x", 300_000)); {Port.command(p, "y", [:nosuspend]), :erlang.send(p, {self(), {:command, "z"}}, [:nosuspend]), Process.exit(p, :kill)}|, 1, fn ->
  p = Port.open({:spawn, "sleep 20 2>/dev/null"}, [])
  Port.command(p, String.duplicate("x", 300_000))
  {Port.command(p, "y", [:nosuspend]), :erlang.send(p, {self(), {:command, "z"}}, [:nosuspend]), Process.exit(p, :kill)}
end)
Scenario.exact(~S|70 p = Port.open({:spawn, "cat"}, []); Port.close(p); Process.link(p)|, 2, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  Process.link(p)
end)
Scenario.untrapped(~S|71 p = Port.open({:spawn, "cat"}, []); Port.close(p); Process.link(p) (owner does not trap exits)|, 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  Process.link(p)
end)
