# Closed while output waits: what goes out, what is dropped, and what the port still is meanwhile.

size = fn file ->
  case File.stat(file) do
    {:ok, stat} -> stat.size
    _ -> 0
  end
end
# More than a pipe takes, so that some of it waits.
much = String.duplicate("x", 400_000)

# A port whose program waits at `gate`, then does `script`; with output waiting for it.
full = fn gate, script, options ->
  p = Scenario.sh("read x < #{gate}; #{script}", [{:busy_limits_port, :disabled} | options])
  Port.command(p, much)
  p
end

# A port of a driver that writes to a pipe, whose reader waits at `gate`.
drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'queue_drv')
full_driver = fn gate ->
  pipe = Scenario.gate()
  reader = Scenario.sh("exec 3<>#{pipe}; echo ready; read x < #{gate}; head -c 400000 <&3 >/dev/null")
  receive do
    {^reader, {:data, "ready\n"}} -> Process.unlink(reader)
  end
  p = Port.open({:spawn_driver, "queue_drv " <> pipe}, [])
  Port.command(p, much)
  p
end

# What the port is and does while it is being flushed. Driver and descriptor ports follow below.
attempt = fn f ->
  try do
    f.()
  rescue
    error -> error.__struct__
  end
end
meanwhile = [
  {"info", fn p -> for {key, _} <- Port.info(p), do: key end},
  {"every item", fn p ->
    for item <- [:registered_name, :links, :monitors, :monitored_by, :os_pid, :input, :parallelism, :locking, :name, :connected, :queue_size, :id, :output] do
      case Port.info(p, item) do
        {item, value} when item in [:os_pid, :queue_size, :id, :output] -> {item, is_integer(value) and value > 0}
        {:name, name} -> {:name, length(name) > 3}
        {:connected, pid} -> {:connected, pid == self()}
        other -> other
      end
    end
  end},
  {"the list of ports", fn p -> p in Port.list() end},
  {"a command", fn p -> attempt.(fn -> Port.command(p, "y") end) end},
  {"an empty command", fn p -> attempt.(fn -> Port.command(p, "") end) end},
  {"no data", fn p -> attempt.(fn -> Port.command(p, :nodata) end) end},
  {"a command that will not wait", fn p -> attempt.(fn -> Port.command(p, "y", [:nosuspend]) end) end},
  {"a command by force", fn p -> attempt.(fn -> Port.command(p, "y", [:force]) end) end},
  {"a message with a command", fn p -> send(p, {self(), {:command, "y"}}); Port.info(p, :output) == Port.info(p, :output) end},
  {"a message with no data", fn p -> send(p, {self(), {:command, :nodata}}); is_list(Port.info(p)) end},
  {"junk", fn p -> send(p, :junk); send(p, {self(), :nonsense}); is_list(Port.info(p)) end},
  {"a message that will not wait", fn p -> :erlang.send(p, {self(), {:command, "y"}}, [:nosuspend]) end},
  {"a second close", fn p -> attempt.(fn -> Port.close(p) end) end},
  {"a message to close", fn p -> send(p, {self(), :close}); is_list(Port.info(p)) end},
  {"connect", fn p -> attempt.(fn -> Port.connect(p, self()) end) end},
  {"a message to connect", fn p -> send(p, {self(), {:connect, self()}}); is_list(Port.info(p)) end},
  {"control", fn p -> attempt.(fn -> :erlang.port_control(p, ?q, "") |> is_list() end) end},
  {"a control that nobody knows", fn p -> attempt.(fn -> :erlang.port_control(p, ?z, "") end) end},
  {"call", fn p -> attempt.(fn -> :erlang.port_call(p, 1, :term) end) end},
  {"data of its own", fn p -> {attempt.(fn -> :erlang.port_set_data(p, :mine) end), attempt.(fn -> :erlang.port_get_data(p) end)} end},
  {"a link", fn p -> {attempt.(fn -> Process.link(p) end), Scenario.flush(1), Port.info(p, :links)} end},
  {"an unlink", fn p -> Process.unlink(p) end},
  {"a monitor", fn p -> Port.monitor(p); {Scenario.flush(1), Port.info(p, :monitored_by)} end},
  {"a name", fn p -> attempt.(fn -> Process.register(p, :flushing_named) end) end},
  {"its former name", fn p -> {Process.whereis(:"former_#{elem(Port.info(p, :id), 1)}"), Port.info(p, :registered_name)} end},
  {"an exit signal", fn p -> {Process.exit(p, :boom), is_list(Port.info(p)), Scenario.flush(0)} end},
  {"an exit signal of normal", fn p -> {Process.exit(p, :normal), is_list(Port.info(p))} end},
  {"an exit signal of kill", fn p -> {Process.exit(p, :kill), is_list(Port.info(p)), p in Port.list(), Scenario.flush(0)} end}
]

Scenario.together(fn ->

# Those who end their output before they read, and those who keep it.
readers = [{"a program that ends its output", "exec >/dev/null"}, {"a program that keeps its output", ":"}]
for {name, script} <- readers, options <- [[], [:exit_status], [:out], [:eof], [:eof, :exit_status], [:out, :exit_status], [:line, :exit_status], [packet: 4]] do
  Scenario.tell("#{name}: #{inspect(options)}", 1, fn ->
    [gate, second] = [Scenario.gate(), Scenario.gate()]
    file = "read_" <> gate
    p = full.(gate, "#{script}; read x < #{second}; cat > #{file}; : > #{file}_all", options)
    Port.close(p)
    waits = is_list(Port.info(p))
    Scenario.pass(gate)
    dropped = script != ":" and :out not in options and :exit_status not in options
    gone = dropped and Scenario.eventually(fn -> Port.info(p) == nil end)
    Scenario.pass(second)
    ended = Scenario.eventually(fn -> File.exists?(file <> "_all") end)
    {waits, gone, ended, if(size.(file) < 100_000, do: :a_pipe_full, else: size.(file)), Port.info(p)}
  end)
end

# By every means of ending.
means = [
  {"a call", fn p -> Port.close(p) end}, {"a message", fn p -> send(p, {self(), :close}) end},
  {"an exit signal", fn p -> Process.exit(p, :boom) end}, {"an exit signal of normal", fn p -> Process.exit(p, :normal) end},
  {"an exit signal of killed", fn p -> Process.exit(p, :killed) end}, {"an exit signal of kill", fn p -> Process.exit(p, :kill) end},
  {"a stranger's exit signal", fn p -> spawn(fn -> Process.exit(p, :boom) end) end},
  {"a stranger's kill", fn p -> spawn(fn -> Process.exit(p, :kill) end) end},
  {"a linked stranger's failure", fn p -> spawn(fn -> Process.link(p); exit(:boom) end) end},
]
for {name, ends} <- means do
  Scenario.tell("ended by #{name}", 0, fn ->
    gate = Scenario.gate()
    file = "read_" <> gate
    p = full.(gate, "cat > #{file}; : > #{file}_all", [:exit_status])
    Port.monitor(p)
    ends.(p)
    told = Scenario.flush(2)
    waits = is_list(Port.info(p))
    Scenario.pass(gate)
    ended = Scenario.eventually(fn -> File.exists?(file <> "_all") end)
    last = Scenario.flush(if(name == "a message", do: 1, else: 0))
    {told, waits, ended, if(size.(file) < 100_000, do: :a_pipe_full, else: size.(file)), last}
  end)
end
for reason <- [:normal, :boom, :kill], linked <- [true, false] do
  Scenario.tell("ended by its owner's end: #{inspect(reason)}, linked: #{linked}", 0, fn ->
    gate = Scenario.gate()
    file = "read_" <> gate
    me = self()
    owner = spawn(fn ->
      p = full.(gate, "cat > #{file}; : > #{file}_all", [:exit_status])
      if not linked, do: Process.unlink(p)
      send(me, {:port, p})
      receive do
        :stop -> exit(reason)
      end
    end)
    p = receive do
      {:port, p} -> p
    end
    Port.monitor(p)
    if reason == :kill, do: Process.exit(owner, :kill), else: send(owner, :stop)
    told = Scenario.flush(if(linked, do: 1, else: 0))
    waits = is_list(Port.info(p))
    Scenario.pass(gate)
    if not linked do
      Scenario.eventually(fn -> size.(file) == 400_000 end)
      Port.close(p)
    end
    ended = Scenario.eventually(fn -> File.exists?(file <> "_all") end)
    {told, waits, ended, if(size.(file) < 100_000, do: :a_pipe_full, else: size.(file))}
  end)
end

kinds = [
  {"program with status", fn gate -> full.(gate, "cat >/dev/null", [:exit_status]) end},
  {"program, out only", fn gate -> full.(gate, "cat >/dev/null", [:out]) end},
  {"driver", full_driver}
]
for {name, act} <- meanwhile, {kind, filled} <- kinds do
  Scenario.tell("closing #{kind}: #{name}", 0, fn ->
    gate = Scenario.gate()
    p = filled.(gate)
    Process.register(p, :"former_#{elem(Port.info(p, :id), 1)}")
    Port.close(p)
    ended = Scenario.flush(1)
    done = act.(p)
    Scenario.pass(gate)
    {ended, done, Scenario.eventually(fn -> Port.info(p) == nil end), Scenario.flush(0)}
  end)
  Scenario.tell("closing #{kind} by message: #{name}", 0, fn ->
    gate = Scenario.gate()
    p = filled.(gate)
    Process.register(p, :"former_#{elem(Port.info(p, :id), 1)}")
    send(p, {self(), :close})
    ended = Scenario.flush(1)
    done = act.(p)
    Scenario.pass(gate)
    {ended, done, Scenario.eventually(fn -> Port.info(p) == nil end), Scenario.flush(1)}
  end)
end
Scenario.untrapped("while closing: a link, not trapping", 0, fn ->
  gate = Scenario.gate()
  p = full.(gate, "cat >/dev/null", [:out])
  Port.close(p)
  raised = try do
    Process.link(p)
  catch
    :error, reason -> reason
  end
  Scenario.pass(gate)
  raised
end)

Scenario.tell("the queue gets shorter", 1, fn ->
  [gate, second] = [Scenario.gate(), Scenario.gate()]
  p = full.(gate, "head -c 200000 >/dev/null; read x < #{second}; cat >/dev/null", [:exit_status])
  Port.close(p)
  {:queue_size, before} = Port.info(p, :queue_size)
  Scenario.pass(gate)
  shorter = Scenario.eventually(fn ->
    {:queue_size, now} = Port.info(p, :queue_size)
    now > 0 and now <= before - 150_000
  end)
  Scenario.pass(second)
  {before > 300_000, shorter, Scenario.eventually(fn -> Port.info(p) == nil end)}
end)
Scenario.tell("what the program says meanwhile is dropped", 1, fn ->
  gate = Scenario.gate()
  p = full.(gate, "echo late; cat >/dev/null", [:exit_status])
  Port.close(p)
  Scenario.pass(gate)
  Scenario.eventually(fn -> Port.info(p) == nil end)
end)
Scenario.tell("much that the program says meanwhile does not hold it up", 1, fn ->
  gate = Scenario.gate()
  p = full.(gate, "head -c 300000 /dev/zero; cat >/dev/null", [])
  Port.close(p)
  Scenario.pass(gate)
  Scenario.eventually(fn -> Port.info(p) == nil end)
end)
for {name, script} <- [{"closes its input", "exec <&-; read x < "}, {"ends", "exit 0; : "}], options <- [[], [:exit_status], [:eof], [:out]],
    # Whether Erlang still tells the status of a program that ends is a matter of luck.
    name != "ends" or options != [:exit_status] do
  Scenario.tell("a program that #{name} meanwhile: #{inspect(options)}", 1, fn ->
    [gate, second] = [Scenario.gate(), Scenario.gate()]
    p = full.(gate, script <> second, options)
    {:os_pid, pid} = Port.info(p, :os_pid)
    Port.close(p)
    Scenario.pass(gate)
    gone = Scenario.eventually(fn -> Port.info(p) == nil end)
    if name == "closes its input", do: Scenario.pass(second)
    {gone, Scenario.eventually(fn -> not File.exists?("/proc/#{pid}") end)}
  end)
end
Scenario.tell("closed comes after all is written", 0, fn ->
  gate = Scenario.gate()
  p = full.(gate, "cat >/dev/null", [:out])
  Port.monitor(p)
  send(p, {self(), :close})
  before = Scenario.flush(2)
  send(self(), :the_gate_opens)
  Scenario.pass(gate)
  {before, Scenario.flush(2)}
end)
Scenario.tell("a waiting command fails at once", 0, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("read x < #{gate}; cat >/dev/null", [:exit_status])
  Process.unlink(p)
  Port.command(p, much)
  me = self()
  q = spawn(fn -> send(me, {:result, attempt.(fn -> Port.command(p, "y") end)}) end)
  waiting = Scenario.eventually(fn -> Process.info(q, :status) == {:status, :suspended} end)
  Port.close(p)
  result = Scenario.flush(1)
  still = is_list(Port.info(p))
  Scenario.pass(gate)
  {waiting, result, still}
end)
end)

# A port on a descriptor: its number is there once, so one after the other.
for {name, act} <- meanwhile, close <- [:call, :message], close == :call or name in ["control", "a second close", "a message to close", "an exit signal of kill"] do
  Scenario.tell("closing descriptor by #{close}: #{name}", 0, fn ->
    p = Port.open({:fd, 8, 8}, [:out, {:busy_limits_port, :disabled}])
    Process.register(p, :"former_#{elem(Port.info(p, :id), 1)}")
    Port.command(p, much)
    if close == :call, do: Port.close(p), else: send(p, {self(), :close})
    ended = Scenario.flush(1)
    done = act.(p)
    reader = Port.open({:fd, 8, 8}, [:in, :binary])
    Process.unlink(reader)
    came = Scenario.eventually(fn -> Port.info(reader, :input) == {:input, 400_000} end)
    gone = Scenario.eventually(fn -> Port.info(p) == nil end)
    Port.close(reader)
    others = Enum.reject(Scenario.flush(if(close == :message, do: 2, else: 1)), fn message -> elem(message, 0) == reader end)
    {ended, done, came, gone, others}
  end)
end
