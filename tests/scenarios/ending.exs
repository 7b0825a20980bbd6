# How a port ends, from either side.

Scenario.tell("the end with a status", 3, fn -> Port.open({:spawn, "echo hello"}, [:binary, :exit_status]) end)
Scenario.tell("the end of output with eof", 2, fn -> Port.open({:spawn, "echo hello"}, [:binary, :eof]) end)
Scenario.tell("eof and status", 3, fn -> Port.open({:spawn, "echo hello"}, [:binary, :eof, :exit_status]) end)
Scenario.tell("a port with eof stays", 1, fn ->
  p = Port.open({:spawn, "true"}, [:eof])
  messages = Scenario.flush(1)
  {messages, is_list(Port.info(p)), Port.close(p)}
end)
Scenario.tell("a status", 2, fn -> Scenario.sh("exit 3", [:exit_status]) end)
Scenario.tell("no status", 1, fn -> Scenario.sh("exit 3") end)
Scenario.tell("the largest status", 2, fn -> Scenario.sh("exit 255", [:exit_status]) end)

for signal <- [1, 6, 9, 11, 15] do
  Scenario.tell("killed by signal #{signal}", 2, fn -> Scenario.sh("ulimit -c 0; kill -#{signal} $$", [:exit_status]) end)
end

Scenario.tell("output ends first, status later", 3, fn -> Scenario.sh("echo out; exec >&-; sleep 0.3; exit 4", [:exit_status]) end)
Scenario.tell("output ends first, without status", 2, fn -> Scenario.sh("echo out; exec >&-; sleep 0.3; exit 4") end)
Scenario.tell("a child keeps the output open", 4, fn ->
  p = Scenario.sh("echo early; (sleep 0.3; echo late) & exit 2", [:exit_status, :line])
  p
end)
Scenario.tell("output into nothing ends the port at once", 1, fn -> Port.open({:spawn, "cat >/dev/null"}, []) end)
Scenario.tell("output into nothing, with a status", 2, fn ->
  p = Port.open({:spawn, "cat >/dev/null"}, [:exit_status])
  Process.sleep(100)
  send(p, {self(), :close})
end)
Scenario.tell("a program that closed its input", 1, fn ->
  p = Scenario.sh("exec <&-; echo closed; sleep 1", [:exit_status])
  receive do
    {^p, {:data, "closed\n"}} -> Port.command(p, "x")
  end
end)
Scenario.tell("a write after eof", 0, fn ->
  p = Port.open({:spawn, "true"}, [:eof])
  messages = Scenario.flush(1)
  {messages, Port.command(p, "x"), Scenario.flush(1)}
end)

Scenario.tell("close", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
end)
Scenario.tell("close twice", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
  Port.close(p)
end)
Scenario.tell("close by message", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), :close})
end)
Scenario.tell("close by message, unlinked", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.unlink(p)
  send(p, {self(), :close})
end)
Scenario.untrapped("close by message, not trapping", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), :close})
end)
Scenario.tell("close by message, monitored", 3, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.monitor(p)
  send(p, {self(), :close})
end)
Scenario.tell("close in the owner's name by another", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  spawn(fn -> send(p, {me, :close}) end)
end)
Scenario.tell("close by a stranger's call", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> Port.close(p) end)
end)
Scenario.tell("close by a stranger's message", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> send(p, {self(), :close}) end)
end)
Scenario.tell("a command after close", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
  Port.command(p, "x")
end)
Scenario.tell("a message after close", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
  send(p, {self(), {:command, "x"}})
  Port.info(p)
end)
Scenario.tell("no half-close", 2, fn ->
  p = Port.open({:spawn, "sort"}, [:binary])
  Port.command(p, "b\na\n")
  send(p, {self(), :close})
end)
Scenario.tell("closing writes what is queued", 1, fn ->
  file = Path.join(System.tmp_dir!(), "wharf_scenario_flush_#{System.pid()}_#{:erlang.unique_integer([:positive])}")
  p = Scenario.sh("sleep 0.1; exec cat > #{file}", [:exit_status, :out])
  Port.command(p, String.duplicate("x", 400_000))
  Port.close(p)
  written = Scenario.eventually(fn ->
    case File.read(file) do
      {:ok, text} -> byte_size(text) == 400_000
      _ -> false
    end
  end)
  File.rm!(file)
  written
end)
Scenario.tell("while closing", 1, fn ->
  p = Scenario.sh("sleep 1; exec cat >/dev/null", [:out])
  Port.command(p, String.duplicate("x", 300_000))
  Port.close(p)
  {is_list(Port.info(p)), p in Port.list(), Port.info(p, :links)}
end)
Scenario.tell("a command while closing", 1, fn ->
  p = Scenario.sh("sleep 1; exec cat >/dev/null", [:out])
  Port.command(p, String.duplicate("x", 300_000))
  Port.close(p)
  Port.command(p, "y")
end)
Scenario.tell("killing drops what is queued", 1, fn ->
  p = Scenario.sh("sleep 1; exec cat >/dev/null", [:out])
  Port.command(p, String.duplicate("x", 300_000))
  Process.exit(p, :kill)
  {Port.info(p), p in Port.list()}
end)
Scenario.tell("the program is not killed", 1, fn ->
  p = Port.open({:spawn, "sleep 5"}, [])
  {:os_pid, pid} = Port.info(p, :os_pid)
  Port.close(p)
  Scenario.kill(pid)
end)
