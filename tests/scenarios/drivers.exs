# Drivers: loading, opening, what they send, how they fail. WHARF_SCENARIO_DRIVERS names the folder.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
load = fn name -> :erl_ddll.load_driver(String.to_charlist(drivers), String.to_charlist(name)) end

Scenario.tell("a driver that is not loaded", 0, fn -> Port.open({:spawn_driver, "no_such_driver"}, []) end)
Scenario.tell("a file that is not there", 0, fn -> elem(:erl_ddll.load_driver('/no/such', 'echo_drv'), 0) end)
Scenario.tell("load", 0, fn -> load.("echo_drv") end)

for name <- ["counter_drv", "call_drv", "reader_drv", "queue_drv", "worker_drv", "term_drv", "busy_drv", "monitor_drv"] do
  Scenario.tell("load " <> name, 0, fn -> load.(name) end)
end

# What is loaded goes with the process that loaded it, so this one loads for all.
for name <- ["echo_drv", "counter_drv", "call_drv", "reader_drv", "queue_drv", "worker_drv", "term_drv", "busy_drv", "monitor_drv"] do
  load.(name)
end

Scenario.exact("an echo", 1, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary])
  Port.command(p, "hello")
end)
Scenario.exact("an echo as a list", 1, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [])
  send(p, {self(), {:command, ["he", 'llo']}})
  :sent
end)
Scenario.exact("an echo of nothing", 1, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary])
  Port.command(p, "")
end)
Scenario.exact("a driver by spawn", 1, fn ->
  p = Port.open({:spawn, "echo_drv and more"}, [:binary])
  Port.command(p, "x")
  Port.info(p, :name)
end)
Scenario.exact("a driver's lines", 2, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary, line: 5])
  Port.command(p, "one\ntwo")
  Port.command(p, "and\n")
end)
Scenario.exact("packets are the driver's business", 1, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary, packet: 2])
  Port.command(p, "x")
end)
for option <- [:exit_status, {:args, ["x"]}, {:arg0, "x"}] do
  Scenario.tell("refused for a driver: " <> inspect(option), 0, fn -> Port.open({:spawn_driver, "echo_drv"}, [option]) end)
end
Scenario.tell("facts of a driver's port", 0, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary])
  Port.command(p, "four")
  {Port.info(p, :name), Port.info(p, :os_pid), Port.info(p, :output), Port.info(p, :input), Port.info(p, :locking)}
end)
Scenario.tell("close a driver's port", 1, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary])
  Port.close(p)
end)
Scenario.tell("close a driver's port by message", 2, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary])
  send(p, {self(), :close})
  :sent
end)
Scenario.tell("kill a driver's port", 1, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary])
  Process.exit(p, :kill)
end)

Scenario.exact("a counter", 2, fn ->
  p = Port.open({:spawn_driver, "counter_drv"}, [:binary])
  Port.command(p, "5")
  Port.command(p, "-2")
  {:erlang.port_control(p, ?g, ""), :erlang.port_control(p, ?r, []), :erlang.port_control(p, ?g, "")}
end)
Scenario.tell("a control that the driver does not know", 0, fn ->
  p = Port.open({:spawn_driver, "counter_drv"}, [:binary])
  :erlang.port_control(p, 0, "")
end)
for {operation, data} <- [{-1, ""}, {4_294_967_296, ""}, {:g, ""}, {?g, :atom}] do
  Scenario.tell("no control: " <> inspect({operation, data}), 0, fn ->
    p = Port.open({:spawn_driver, "counter_drv"}, [:binary])
    :erlang.port_control(p, operation, data)
  end)
end
Scenario.tell("a command that the driver rejects", 1, fn ->
  p = Port.open({:spawn_driver, "counter_drv"}, [:binary])
  Port.monitor(p)
  Process.unlink(p)
  Port.command(p, "not a number")
end)
Scenario.exact("ticks", 2, fn ->
  p = Port.open({:spawn_driver, "counter_drv"}, [:binary])
  :erlang.port_control(p, ?t, "20")
  ticks = for _ <- 1..2 do
    receive do
      {^p, {:data, tick}} -> tick
    end
  end
  :erlang.port_control(p, ?t, "0")
  Port.close(p)
  send(self(), {:ticks, ticks})
  :ticked
end)

Scenario.tell("a call", 0, fn ->
  p = Port.open({:spawn_driver, "call_drv"}, [])
  {:erlang.port_call(p, 7, {:some, "term", [1, 2.5]}), :erlang.port_call(p, :term)}
end)
Scenario.tell("a large call", 0, fn ->
  p = Port.open({:spawn_driver, "call_drv"}, [])
  {1, text} = :erlang.port_call(p, 1, String.duplicate("x", 100_000))
  byte_size(text)
end)
Scenario.tell("a call that the driver rejects", 0, fn ->
  p = Port.open({:spawn_driver, "call_drv"}, [])
  :erlang.port_call(p, 4_000_000_000, :term)
end)
Scenario.tell("no command without output", 1, fn ->
  p = Port.open({:spawn_driver, "call_drv"}, [])
  {Port.command(p, "ignored"), Port.close(p)}
end)

for word <- ["nil", "atom", "int", "negative", "uint", "int64", "uint64", "float", "string", "string_cons", "binary", "shared",
             "tuple", "list", "improper", "map", "pid", "port", "ext", "reply", "what?"] do
  Scenario.exact("a term: " <> word, 1, fn ->
    p = Port.open({:spawn_driver, "term_drv"}, [:binary])
    Port.command(p, word)
  end)
end

Scenario.tell("start refuses its arguments", 0, fn -> Port.open({:spawn_driver, "reader_drv"}, []) end)
Scenario.tell("start fails with an error number", 0, fn -> Port.open({:spawn_driver, "reader_drv /no/such"}, []) end)
Scenario.tell("a reader", 0, fn ->
  file = Path.join(System.tmp_dir!(), "wharf_scenario_read_#{System.pid()}_#{:erlang.unique_integer([:positive])}")
  make = Scenario.sh("mkfifo " <> file, [:exit_status])
  receive do
    {^make, {:exit_status, 0}} -> :ok
  end
  # There is a writer before the reader comes: Erlang may call a driver for what the descriptor of that number
  # had to tell before, and without a writer a pipe is at its end.
  writer = Scenario.sh("exec 3<>" <> file <> "; echo ready; read go; echo through a pipe >&3")
  receive do
    {^writer, {:data, "ready\n"}} -> :ok
  end
  p = Port.open({:spawn_driver, "reader_drv " <> file}, [:binary, :eof])
  Port.command(writer, "go\n")
  receive do
    {^p, {:data, text}} -> send(self(), {:text, text})
  end
  receive do
    {^p, :eof} -> :ok
  end
  File.rm!(file)
  Port.close(p)
  # The text, and the ends of three ports: mkfifo, echo and the reader.
  Scenario.flush(4) |> Enum.filter(fn message -> elem(message, 0) == :text end)
end)
Scenario.tell("a writer's queue is written before it closes", 1, fn ->
  file = Path.join(System.tmp_dir!(), "wharf_scenario_write_#{System.pid()}_#{:erlang.unique_integer([:positive])}")
  p = Port.open({:spawn_driver, "queue_drv " <> file}, [])
  for n <- 1..50, do: Port.command(p, ["line ", Integer.to_string(n), "\n"])
  Port.close(p)
  wanted = Enum.map_join(1..50, fn n -> "line " <> Integer.to_string(n) <> "\n" end)
  written = Scenario.eventually(fn -> File.read!(file) == wanted end)
  File.rm!(file)
  written
end)
Scenario.exact("work on another thread, in order", 3, fn ->
  p = Port.open({:spawn_driver, "worker_drv"}, [:binary])
  Port.command(p, "100000")
  Port.command(p, "10")
  Port.command(p, "100")
end)
Scenario.tell("close with work under way", 1, fn ->
  p = Port.open({:spawn_driver, "worker_drv"}, [:binary])
  Port.command(p, "1000000")
  Port.close(p)
end)

Scenario.tell("a busy driver", 0, fn ->
  p = Port.open({:spawn_driver, "busy_drv"}, [:binary])
  :erlang.port_control(p, ?b, "")
  refused = Port.command(p, "a", [:nosuspend])
  forced = Port.command(p, "b", [:force])
  :erlang.port_control(p, ?f, "")
  {refused, forced, Port.command(p, "c", [:nosuspend]), Scenario.flush(1)}
end)
Scenario.exact("a pause", 4, fn ->
  p = Port.open({:spawn_driver, "busy_drv 2 50"}, [:binary])
  for text <- ["a", "b", "c", "d"], do: Port.command(p, text)
end)

Scenario.tell("a driver that watches", 1, fn ->
  p = Port.open({:spawn_driver, "monitor_drv"}, [:binary])
  q = spawn(fn ->
    Port.command(p, "watch me")
    receive do
      {^p, :watching} -> :ok
    end
  end)
  is_pid(q)
  p
end)
Scenario.tell("monitors of a driver", 1, fn ->
  p = Port.open({:spawn_driver, "monitor_drv"}, [:binary])
  Port.command(p, "watch me")
  Port.info(p, :monitors) == {:monitors, [{:process, self()}]}
end)

Scenario.tell("loaded drivers", 0, fn ->
  {:ok, names} = :erl_ddll.loaded_drivers()
  Enum.all?(['echo_drv', 'counter_drv'], fn name -> name in names end)
end)
Scenario.tell("a driver loaded twice", 0, fn ->
  {load.("echo_drv"), :erl_ddll.info('echo_drv', :driver_options), :erl_ddll.unload_driver('echo_drv')}
end)
Scenario.tell("unload what is not loaded", 0, fn -> :erl_ddll.unload_driver('no_such_driver') end)
Scenario.tell("port count", 0, fn ->
  before = :erl_ddll.info('echo_drv', :port_count)
  p = Port.open({:spawn_driver, "echo_drv"}, [])
  during = :erl_ddll.info('echo_drv', :port_count)
  Port.close(p)
  {before, during, :erl_ddll.info('echo_drv', :port_count)}
end)
