# What is easy to get wrong: the surprises of the specification's list, by their numbers.

load = fn name -> :ok = :erl_ddll.load_driver(String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS")), name) end
load.('busy_drv')
load.('probe_drv')
cat = fn -> Port.open({:spawn, "cat"}, [:binary]) end

Scenario.tell("01 closed comes after the exit, by message alone", 3, fn ->
  p = cat.()
  q = cat.()
  send(p, {self(), :close})
  first = Scenario.flush(2)
  {first, Port.close(q), Enum.each(1..2, fn n -> send(self(), n) end)}
end)
Scenario.tell("01 closed comes after the flush", 0, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "cat >/dev/null; exit", [])
  Port.command(p, String.duplicate("x", 300_000))
  send(p, {self(), :close})
  before = Scenario.flush(1)
  Scenario.open_gate(gate)
  {before, Scenario.flush(1)}
end)
Scenario.exact("02 the status precedes the unfinished line, and both eof", 4, fn -> Scenario.sh("printf 'a\nb'; exit 3", [:line, :exit_status, :eof]) end)
Scenario.tell("03 the port ends with the output, not with the program", 1, fn ->
  gate = Scenario.new_gate()
  known = Scenario.new_gate()
  # It is asked for its process id while it is sure to be there.
  p = Scenario.sh("while [ ! -e #{known} ]; do sleep 0.05; done; exec >&- 2>&-; while [ ! -e #{gate} ]; do sleep 0.05; done")
  {:os_pid, pid} = Port.info(p, :os_pid)
  Scenario.open_gate(known)
  gone = Scenario.eventually(fn -> Port.info(p) == nil end)
  runs = File.exists?("/proc/#{pid}")
  Scenario.open_gate(gate)
  {gone, runs}
end)
Scenario.tell("03 a grandchild delays the status", 2, fn ->
  gate = Scenario.new_gate()
  p = Scenario.sh("(while [ ! -e #{gate} ]; do sleep 0.05; done) 2>&- & exit 2", [:exit_status])
  {:os_pid, pid} = Port.info(p, :os_pid)
  # What ended is reaped, or waits for that.
  ended = Scenario.eventually(fn -> not File.exists?("/proc/#{pid}") or File.read!("/proc/#{pid}/stat") =~ ") Z " end)
  before = {Scenario.flush(0), is_list(Port.info(p))}
  Scenario.open_gate(gate)
  {ended, before}
end)
Scenario.tell("04 with eof a port stays, after the status, too", 1, fn ->
  p = Scenario.sh("exit 1", [:eof, :exit_status])
  messages = Scenario.flush(2)
  {messages, is_list(Port.info(p)), Port.close(p)}
end)
Scenario.tell("05 an out-only port hears of no end", 1, fn ->
  p = Scenario.sh("exit 3", [:out, :exit_status, :eof])
  {:os_pid, pid} = Port.info(p, :os_pid)
  gone = Scenario.eventually(fn -> not File.exists?("/proc/#{pid}") end)
  {gone, Scenario.flush(0), Port.command(p, ""), is_list(Port.info(p)), Port.command(p, "x")}
end)
Scenario.tell("06 spawn of what is missing", 2, fn -> Port.open({:spawn, "missing_program 2>/dev/null"}, [:exit_status]) end)
Scenario.tell("06 spawn_executable of what is missing", 0, fn -> Port.open({:spawn_executable, "missing_program"}, [:exit_status]) end)
Scenario.tell("06 and 07 a folder", 2, fn -> Port.open({:spawn_executable, "/"}, [:exit_status]) end)
Scenario.tell("07 a missing folder of cd", 2, fn -> Port.open({:spawn_executable, "/bin/true"}, [:exit_status, cd: "/no/such"]) end)
Scenario.tell("08 spawn of two commands", 2, fn -> Port.open({:spawn, "echo a; echo b"}, [:binary]) end)
Scenario.untrapped("09 a failing program harms nobody", 0, fn ->
  p = Scenario.sh("exit 9")
  Scenario.eventually(fn -> Port.info(p) == nil end)
end)
Scenario.tell("10 a packet that is too long", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 2])
  Port.command(p, String.duplicate("x", 65_536))
end)
Scenario.tell("11 junk strikes an unlinked owner, not its sender", 1, fn ->
  p = cat.()
  Process.unlink(p)
  teller = self()
  spawn(fn ->
    Process.flag(:trap_exit, true)
    send(p, :junk)
    Port.info(p)
    send(teller, {:heard, Scenario.flush(0)})
  end)
  receive do
    {:heard, heard} -> heard
  end
end)
Scenario.tell("12 the name counts, not the sender; calls look at neither", 0, fn ->
  p = cat.()
  me = self()
  spawn(fn ->
    send(p, {me, {:command, "a"}})
    Port.command(p, "b")
    send(p, {self(), {:command, "c"}})
  end)
  Scenario.flush(2) |> Enum.sort()
end)
Scenario.tell("13 a stranger's normal exit signal", 1, fn ->
  p = cat.()
  spawn(fn -> Process.exit(p, :normal) end)
  :told
end)
Scenario.tell("13 a linked stranger's normal end", 0, fn ->
  p = cat.()
  spawn_monitor(fn -> Process.link(p) end)
  down = Scenario.flush(1) |> Enum.map(fn message -> elem(message, 4) end)
  {down, is_list(Port.info(p))}
end)
Scenario.tell("14 force, even when idle", 0, fn -> Port.command(cat.(), "x", [:force]) end)
Scenario.tell("15 connect by message does not link, by call it does", 1, fn ->
  p = cat.()
  q = Scenario.bystander()
  send(p, {self(), {:connect, q}})
  first = elem(Port.info(p, :links), 1) == [self()]
  Port.connect(p, q)
  {first, self() in elem(Port.info(p, :links), 1), q in elem(Port.info(p, :links), 1)}
end)
Scenario.tell("16 a zero in a binary", 2, fn -> Port.open({:spawn, "echo a\0b"}, [:binary]) end)
Scenario.tell("16 a zero in a charlist", 0, fn -> Port.open({:spawn, 'echo a\0b'}, [:binary]) end)
Scenario.tell("17 env takes no binaries", 0, fn -> Port.open({:spawn, "true"}, env: [{'A', "b"}]) end)
Scenario.tell("17 an empty value unsets", 2, fn -> Port.open({:spawn, "echo ${A-unset}"}, [:binary, env: [{'A', 'x'}, {'A', ''}]]) end)
Scenario.exact("18 CR LF", 3, fn -> Scenario.sh("printf 'ab\r\nabc\r\n'", line: 3) end)
Scenario.exact("18 exactly L", 2, fn -> Scenario.sh("printf 'abc\n'", line: 3) end)
Scenario.exact("18 a last CR", 3, fn -> Scenario.sh("printf 'abc\r'", line: 3) end)
Scenario.tell("19 a write, even an empty one, to an in-only port", 1, fn ->
  p = Port.open({:spawn, "sleep 1 2>/dev/null"}, [:in])
  Port.command(p, [])
end)
Scenario.tell("20 a closing port", 1, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "cat >/dev/null; exit", [])
  Port.command(p, String.duplicate("x", 300_000))
  Port.close(p)
  state = {p in Port.list(), is_list(Port.info(p))}
  Scenario.open_gate(gate)
  {state, Scenario.eventually(fn -> Port.info(p) == nil end), p in Port.list()}
end)
Scenario.tell("20 kill skips the flush", 1, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "exit", [])
  Port.command(p, String.duplicate("x", 300_000))
  Process.exit(p, :kill)
  gone = {Scenario.eventually(fn -> Port.info(p) == nil end), p in Port.list()}
  Scenario.open_gate(gate)
  gone
end)
Scenario.tell("21 the program lives on", 1, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "exit", [])
  {:os_pid, pid} = Port.info(p, :os_pid)
  Port.close(p)
  {:ok, stat} = File.read("/proc/#{pid}/stat")
  [_, group, session | _] = stat |> String.split(") ") |> List.last() |> String.split(" ") |> Enum.drop(1)
  Scenario.open_gate(gate)
  {group == "#{pid}", session == "#{pid}"}
end)
Scenario.tell("22 epipe discards the status", 1, fn ->
  p = Scenario.sh("exec <&- 2>&-; sleep 20", [:exit_status])
  {:os_pid, pid} = Port.info(p, :os_pid)
  closed = Scenario.eventually(fn -> not File.exists?("/proc/#{pid}/fd/2") end)
  answer = {closed, Port.command(p, "x")}
  Scenario.kill(pid)
  answer
end)
Scenario.tell("23 a message suspends its sender", 0, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "exit", [])
  Process.unlink(p)
  Port.command(p, String.duplicate("x", 300_000))
  me = self()
  q = Scenario.suspended(:it, fn -> send(p, {me, {:command, "y"}}) end)
  Process.exit(p, :kill)
  Scenario.open_gate(gate)
  {is_pid(q), Scenario.flush(1) |> length()}
end)
Scenario.tell("24 a relative executable is looked for here", 0, fn -> Port.open({:spawn_executable, "true"}, [:exit_status, cd: "/bin"]) end)
Scenario.tell("24 and executed there", 2, fn ->
  File.write!("here_only", "#!/bin/sh\n")
  File.chmod!("here_only", 0o755)
  Port.open({:spawn_executable, "here_only"}, [:exit_status, cd: "/"])
end)
Scenario.tell("25 a driver hijacks spawn", 1, fn ->
  p = Port.open({:spawn, "probe_drv of course"}, [:binary])
  Port.command(p, "x")
  {Port.info(p, :os_pid), Port.info(p, :name)}
end)
Scenario.tell("25 a space in front dodges it", 2, fn -> Port.open({:spawn, " probe_drv 2>/dev/null"}, [:exit_status]) end)
Scenario.tell("26 bogus items", 1, fn ->
  p = cat.()
  open = try do :erlang.port_info(p, :bogus) catch :error, reason -> reason end
  name = :erlang.port_info(p, :registered_name)
  Port.close(p)
  {open, name, :erlang.port_info(p, :bogus)}
end)
Scenario.tell("27 a descriptor that is not open", 1, fn ->
  p = Port.open({:fd, 77, 76}, [:out])
  {is_port(p), Port.command(p, "x")}
end)
Scenario.tell("28 a control's answer is what the driver says", 0, fn ->
  p = Port.open({:spawn_driver, "probe_drv"}, [:binary])
  q = Port.open({:spawn_driver, "probe_drv"}, [])
  {:erlang.port_control(p, ?B, "0"), :erlang.port_control(q, ?B, "a"), :erlang.port_control(q, ?B, "b"), :erlang.port_control(q, ?B, "c")}
end)
Scenario.tell("30 a link to a dead port, trapping", 2, fn ->
  p = cat.()
  Port.close(p)
  Process.link(p)
end)
Scenario.untrapped("30 a link to a dead port, not trapping", 0, fn ->
  p = cat.()
  Port.close(p)
  Process.link(p)
end)
