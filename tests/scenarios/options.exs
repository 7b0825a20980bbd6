# What the options of an open accept and do.

bad = [
  {:packet, 0}, {:packet, 3}, {:packet, 8}, {:packet, -1}, {:packet, 4.0}, {:packet, "4"},
  {:line, 0}, {:line, -5}, {:line, 1.0}, {:binary, true}, {:exit_status, true}, {:in, true}, :unknown,
  {:cd, 1}, {:cd, 'a\0b'}, {:env, :none}, {:env, [{"A", "b"}]}, {:env, [{:a, 'b'}]}, {:env, [{'A', :yes}]}, {:env, [{'A', 1}]},
  {:env, [{'A'}]}, {:env, [{'A', 'b', 'c'}]}, {:env, [{'A=B', 'c'}]}, {:env, [{'A\0', 'c'}]}, {:env, [{'A', 'b'} | :tail]},
  {:args, ["-n"]}, {:args, []}, {:arg0, "x"}, {:parallelism, 1}, {:busy_limits_port, {0, 5}}, {:busy_limits_port, {-1, 5}},
  {:busy_limits_port, 5}, {:busy_limits_msgq, {1, 0}}, 17, "binary", {:packet}, {:packet, 2, 3}
]

for option <- bad do
  Scenario.tell("refused for a command: " <> inspect(option), 0, fn -> Port.open({:spawn, "cat"}, [option]) end)
end

Scenario.tell("refused: no list", 0, fn -> Port.open({:spawn, "cat"}, :binary) end)
Scenario.tell("refused: an improper list", 0, fn -> Port.open({:spawn, "cat"}, [:binary | :in]) end)
Scenario.tell("refused: args that are no list of texts", 0, fn -> Port.open({:spawn_executable, "/bin/echo"}, args: "ab") end)
Scenario.tell("refused: args as a charlist", 0, fn -> Port.open({:spawn_executable, "/bin/echo"}, args: 'ab') end)
Scenario.tell("refused: line and packet", 0, fn -> Port.open({:spawn, "cat"}, [{:packet, 2}, :line]) end)
Scenario.tell("refused: stderr without stdio", 0, fn -> Port.open({:spawn, "cat"}, [:nouse_stdio, :stderr_to_stdout]) end)
Scenario.tell("refused: exit_status for descriptors", 0, fn -> Port.open({:fd, 0, 1}, [:exit_status]) end)

good = [:stream, :hide, :overlapped_io, {:parallelism, true}, {:busy_limits_port, :disabled}, {:busy_limits_port, {5, 1}},
  {:busy_limits_msgq, {1, 2}}, {:cd, []}, {:line, 1_000_000_000}, :use_stdio, :eof, :exit_status]

for option <- good do
  Scenario.tell("accepted for a command: " <> inspect(option), 0, fn ->
    p = Port.open({:spawn, "cat"}, [option])
    is_port(p)
  end)
end

Scenario.exact("stream takes a packet back", 1, fn ->
  p = Port.open({:spawn, "cat"}, [{:packet, 2}, {:line, 5}, :stream])
  Port.command(p, "ab\n")
end)
Scenario.exact("the last packet wins", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, {:packet, 4}, {:packet, 1}])
  Port.command(p, "ab")
  {Port.info(p, :output)} |> elem(0)
end)
Scenario.tell("use_stdio takes nouse_stdio back", 2, fn -> Port.open({:spawn, "echo x"}, [:binary, :nouse_stdio, :stderr_to_stdout, :use_stdio]) end)

Scenario.tell("cd", 2, fn -> Port.open({:spawn, "pwd"}, [:binary, cd: "/usr"]) end)
Scenario.tell("the last cd wins", 2, fn -> Port.open({:spawn, "pwd"}, [:binary, cd: "/usr", cd: '/tmp']) end)
Scenario.tell("cd to nowhere", 2, fn -> Port.open({:spawn, "pwd"}, [:exit_status, cd: "/no/such/dir"]) end)
Scenario.tell("cd to a file", 2, fn -> Port.open({:spawn, "pwd"}, [:exit_status, cd: "/etc/passwd"]) end)
Scenario.tell("a relative executable is looked for here and run there", 0, fn -> Port.open({:spawn_executable, "echo"}, cd: "/bin") end)

Scenario.tell("env sets and unsets", 2, fn -> Port.open({:spawn, "echo $AA-$HOME"}, [:binary, env: [{'AA', '1'}, {'HOME', false}]]) end)
Scenario.tell("an empty value unsets", 2, fn -> Port.open({:spawn, "echo ${HOME-unset}"}, [:binary, env: [{'HOME', ''}]]) end)
Scenario.tell("the last value of a name wins", 2, fn -> Port.open({:spawn, "echo $AA"}, [:binary, env: [{'AA', '1'}, {'AA', '2'}]]) end)
Scenario.tell("the last env replaces the others", 2, fn -> Port.open({:spawn, "echo $AA$BB"}, [:binary, env: [{'AA', '1'}], env: [{'BB', '2'}]]) end)
Scenario.tell("an equals sign in a value", 2, fn -> Port.open({:spawn, "echo $AA"}, [:binary, env: [{'AA', 'b=c'}]]) end)
Scenario.tell("the host's environment, as it is now", 2, fn ->
  System.put_env("WHARF_SCENARIO", "now")
  Port.open({:spawn, "echo $WHARF_SCENARIO"}, [:binary])
end)
Scenario.tell("the path that counts is the program's", 3, fn ->
  Port.open({:spawn, "echo x"}, [:binary, :exit_status, :stderr_to_stdout, env: [{'PATH', '/no/such'}]])
end)

Scenario.tell("in only: no input", 1, fn -> Port.open({:spawn, "cat"}, [:in, :binary]) end)
Scenario.tell("in and out are both", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:in, :out, :binary])
  Port.command(p, "x")
end)
Scenario.tell("a command to an in-only port", 1, fn ->
  p = Port.open({:spawn, "sleep 1"}, [:in, :binary])
  Port.command(p, "x")
end)
Scenario.tell("an empty command to an in-only port", 1, fn ->
  p = Port.open({:spawn, "sleep 1"}, [:in, :binary])
  Port.command(p, "")
end)
Scenario.tell("out only: the end is not noticed until a write", 1, fn ->
  p = Scenario.sh("exit 0", [:out, :exit_status])
  {:os_pid, pid} = Port.info(p, :os_pid)
  gone = Scenario.eventually(fn -> not File.exists?("/proc/#{pid}") end)
  [gone, is_list(Port.info(p)), Port.command(p, "x")]
end)
Scenario.tell("stderr to stdout", 2, fn -> Scenario.sh("echo out; echo err >&2", [:stderr_to_stdout]) end)
Scenario.tell("descriptors 3 and 4", 1, fn ->
  p = Scenario.sh("cat <&3 >&4", [:nouse_stdio])
  Port.command(p, "34")
end)
