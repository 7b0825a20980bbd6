# How much a port takes before it is busy.

load = fn name -> :ok = :erl_ddll.load_driver(String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS")), name) end
load.('busy_drv')
load.('probe_drv')

# Commands until one is refused: how many were taken, and what is queued then.
fill = fn p, data, most ->
  taken = Enum.find(0..most, fn _ -> not Port.command(p, data, [:nosuspend]) end)
  {taken, elem(Port.info(p, :queue_size), 1), elem(Port.info(p, :output), 1)}
end
# The same for a program that does not read.
filled = fn data, most, options ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "exit", options)
  filled = fill.(p, data, most)
  Process.unlink(p)
  Process.exit(p, :kill)
  Scenario.open_gate(gate)
  filled
end
text = fn size -> String.duplicate("x", size) end

for size <- [100, 1000, 4096, 8191, 8192, 8193, 65_536, 65_537, 100_000, 1_000_000] do
  Scenario.answer("commands of #{size} bytes", fn -> filled.(text.(size), 2000, []) end)
end
for {data, name} <- [{["ab", ?c, 'de', text.(995)], "a list"}, {[text.(500) | text.(500)], "an improper list"}, {List.duplicate(?x, 1000), "bytes"}] do
  Scenario.answer("commands as " <> name, fn -> filled.(data, 2000, []) end)
end
for {header, size} <- [{1, 255}, {2, 1000}, {4, 1000}, {4, 100_000}] do
  Scenario.answer("packets of #{size} bytes with a header of #{header}", fn -> filled.(text.(size), 2000, [packet: header]) end)
end

limits = [
  {1, 1}, {1, 2}, {2, 1}, {1, 1000}, {5000, 10}, {10_000, 20_000}, {50_000, 100_000}, {100_000, 50_000},
  {1, 18_446_744_073_709_551_614}, {18_446_744_073_709_551_614, 18_446_744_073_709_551_614}, :disabled
]
for limit <- limits do
  Scenario.answer("busy_limits_port: " <> inspect(limit), fn -> filled.(text.(1000), 1000, [busy_limits_port: limit]) end)
end
for limit <- [{1, 1}, {1, 2}, {100, 10}, {1, 18_446_744_073_709_551_614}, :disabled] do
  Scenario.answer("busy_limits_msgq: " <> inspect(limit), fn -> filled.(text.(1000), 1000, [busy_limits_msgq: limit]) end)
  Scenario.tell("busy_limits_msgq #{inspect(limit)}, and messages", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, {:busy_limits_msgq, limit}])
    me = self()
    for n <- 1..300, do: send(p, {me, {:command, Integer.to_string(rem(n, 10))}})
    gather = fn gather, size ->
      if size == 300 do
        size
      else
        receive do
          {^p, {:data, more}} -> gather.(gather, size + byte_size(more))
        end
      end
    end
    gather.(gather, 0)
  end)
end
Scenario.answer("both limits twice: the last wins", fn -> filled.(text.(1000), 1000, [busy_limits_port: {10, 20}, busy_limits_port: {10_000, 20_000}, busy_limits_msgq: {1, 1}, busy_limits_msgq: :disabled]) end)
bad = [0, {0, 1}, {1, 0}, {-1, 1}, {1, 18_446_744_073_709_551_615}, {1, 1_000_000_000_000_000_000_000}, {1.0, 2}, {1}, {1, 2, 3}, :enabled, nil, [1, 2]]
for name <- [:busy_limits_port, :busy_limits_msgq], limit <- bad do
  Scenario.answer("refused: #{name} #{inspect(limit)}", fn -> Port.open({:spawn, "cat"}, [{name, limit}]) end)
end

Scenario.tell("one command of any size", 1, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "exit", [])
  taken = Port.command(p, text.(1_000_000))
  size = Port.info(p, :queue_size)
  Process.exit(p, :kill)
  Scenario.open_gate(gate)
  {taken, size}
end)
Scenario.tell("an empty command at a busy port", 1, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "exit", [])
  Port.command(p, text.(300_000))
  answers = {Port.command(p, "", [:nosuspend]), Port.command(p, [], [:nosuspend]), :erlang.send(p, {self(), {:command, ""}}, [:nosuspend])}
  Process.exit(p, :kill)
  Scenario.open_gate(gate)
  answers
end)
Scenario.tell("drained, it is not busy", 0, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "exec wc -c", [])
  Port.command(p, text.(300_000))
  busy = not Port.command(p, "y", [:nosuspend])
  Scenario.open_gate(gate)
  drained = Scenario.eventually(fn -> Port.info(p, :queue_size) == {:queue_size, 0} end)
  again = {busy, drained, Port.command(p, "y", [:nosuspend])}
  Process.exit(p, :normal)
  Tuple.append(again, Scenario.flush(1))
end)
Scenario.tell("a descriptor's port is busy, too", 0, fn ->
  out = Port.open({:fd, 77, 8}, [:out])
  taken = Port.command(out, text.(300_000))
  busy = {Port.command(out, "y", [:nosuspend]), :erlang.send(out, {self(), {:command, "z"}}, [:nosuspend])}
  p = Port.open({:fd, 8, 77}, [:binary, :in])
  gather = fn gather, size ->
    if size == 300_000 do
      size
    else
      receive do
        {^p, {:data, more}} -> gather.(gather, size + byte_size(more))
      end
    end
  end
  size = gather.(gather, 0)
  free = Scenario.eventually(fn -> Port.info(out, :queue_size) == {:queue_size, 0} end)
  again = Port.command(out, "last", [:nosuspend])
  last = Scenario.flush(1)
  Port.close(out)
  Port.close(p)
  {taken, busy, size, free, again, length(last), length(Scenario.flush(2))}
end)

# Drivers have no limits of this kind, unless they set them; they say themselves when they are busy.
Scenario.tell("the queue of a driver makes nobody wait", 0, fn ->
  p = Port.open({:spawn_driver, "probe_drv"}, busy_limits_port: {1, 1})
  :erlang.port_control(p, ?V, "q")
  taken = for _ <- 1..3, do: Port.command(p, text.(10_000), [:nosuspend])
  size = Port.info(p, :queue_size)
  Process.exit(p, :kill)
  {taken, size}
end)
for options <- [[], [:nosuspend], [:force], [:force, :nosuspend], [:nosuspend, :force], [:force, :force], [:nosuspend, :nosuspend]] do
  unless options == [] do
    Scenario.exact("soft busy, busy, #{inspect(options)}", 0, fn ->
      p = Port.open({:spawn_driver, "busy_drv"}, [:binary])
      :erlang.port_control(p, ?b, "")
      Port.command(p, "x", options)
    end)
    Scenario.tell("not soft busy, busy, #{inspect(options)}", 0, fn ->
      p = Port.open({:spawn_driver, "probe_drv"}, [:binary])
      :erlang.port_control(p, ?y, "1")
      Port.command(p, "x", options)
    end)
    Scenario.tell("a busy program, #{inspect(options)}", 0, fn ->
      gate = Scenario.new_gate()
      p = Scenario.gated(gate, "exit", [])
      Port.command(p, text.(300_000))
      Process.unlink(p)
      answer = try do Port.command(p, "x", options) catch :error, reason -> {:raises, reason} end
      Process.exit(p, :kill)
      Scenario.open_gate(gate)
      answer
    end)
  end
  Scenario.exact("soft busy, free, #{inspect(options)}", 1, fn ->
    p = Port.open({:spawn_driver, "busy_drv"}, [:binary])
    Port.command(p, "x", options)
  end)
  answers = if :force in options, do: 0, else: 1
  Scenario.exact("not soft busy, free, #{inspect(options)}", answers, fn ->
    p = Port.open({:spawn_driver, "probe_drv"}, [:binary])
    Port.command(p, "x", options)
  end)
  Scenario.tell("a free program, #{inspect(options)}", answers, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.command(p, "x", options)
  end)
  Scenario.tell("a free descriptor, #{inspect(options)}", answers, fn ->
    p = Port.open({:fd, 8, 8}, [:binary])
    answer = try do Port.command(p, "x", options) catch :error, reason -> {:raises, reason} end
    unless :force in options do
      receive do
        {^p, {:data, "x"}} -> :ok
      end
    end
    Port.close(p)
    answer
  end)
end
for options <- [:nosuspend, [:nosuspend | :force], [:what], [:nosuspend, :what], [{:nosuspend, true}], ["force"], [1], %{}, "force", nil, [[]]] do
  for {name, open} <- [{"a program", fn -> Port.open({:spawn, "cat"}, []) end}, {"a driver", fn -> Port.open({:spawn_driver, "busy_drv"}, []) end}] do
    Scenario.answer("no flags for #{name}: #{inspect(options)}", fn -> Port.command(open.(), "x", options) end)
  end
end
