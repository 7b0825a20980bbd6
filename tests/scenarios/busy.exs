# Ports that can take no more.

Scenario.tell("not more than fits", 1, fn ->
  p = Port.open({:spawn, "sleep 2"}, [])
  Port.command(p, String.duplicate("x", 300_000))
  {Port.command(p, "y", [:nosuspend]), :erlang.send(p, {self(), {:command, "z"}}, [:nosuspend]), Process.exit(p, :kill)}
end)
Scenario.tell("not busy: nosuspend is true", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.command(p, "x", [:nosuspend])
end)
for flags <- [[:force], [:force, :nosuspend], [:nosuspend, :force], [:unknown], [{:nosuspend, true}], :nosuspend, [:nosuspend | :force]] do
  Scenario.tell("flags " <> inspect(flags), 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.command(p, "x", flags)
  end)
end
Scenario.tell("flags twice", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.command(p, "x", [:nosuspend, :nosuspend])
end)
Scenario.tell("a limit of one's own", 1, fn ->
  p = Port.open({:spawn, "sleep 2"}, busy_limits_port: {50_000, 100_000})
  fill = fn fill, count ->
    if Port.command(p, String.duplicate("x", 1000), [:nosuspend]), do: fill.(fill, count + 1), else: count
  end
  fill.(fill, 0)
  {:queue_size, size} = Port.info(p, :queue_size)
  Process.exit(p, :kill)
  size
end)
Scenario.tell("no limit", 1, fn ->
  p = Port.open({:spawn, "sleep 2"}, busy_limits_port: :disabled)
  all = Enum.map(1..20, fn _ -> Port.command(p, String.duplicate("x", 100_000), [:nosuspend]) end)
  Process.exit(p, :kill)
  Enum.all?(all)
end)
Scenario.tell("the usual limit", 1, fn ->
  p = Port.open({:spawn, "sleep 2"}, [])
  fill = fn fill, count ->
    if Port.command(p, String.duplicate("x", 1000), [:nosuspend]), do: fill.(fill, count + 1), else: count
  end
  count = fill.(fill, 0)
  {:queue_size, size} = Port.info(p, :queue_size)
  Process.exit(p, :kill)
  {count > 60, size}
end)
Scenario.tell("a waiting command goes on when there is room", 2, fn ->
  p = Scenario.sh("sleep 0.2; head -c 300001 | wc -c", [:line])
  Port.command(p, String.duplicate("x", 300_000))
  Port.command(p, "y")
end)
Scenario.tell("a waiting command fails when the port goes", 1, fn ->
  p = Port.open({:spawn, "sleep 5"}, [])
  Process.unlink(p)
  Port.command(p, String.duplicate("x", 300_000))
  me = self()
  q = spawn(fn ->
    result = try do
      Port.command(p, "y")
    catch
      :error, reason -> {:raises, reason}
    end
    send(me, {:result, result})
  end)
  suspended = Scenario.eventually(fn -> Process.info(q, :status) == {:status, :suspended} end)
  Process.exit(p, :kill)
  suspended
end)
Scenario.tell("a waiting message just returns when the port goes", 1, fn ->
  p = Port.open({:spawn, "sleep 5"}, [])
  Process.unlink(p)
  Port.command(p, String.duplicate("x", 300_000))
  me = self()
  q = spawn(fn ->
    send(p, {me, {:command, "y"}})
    send(me, :returned)
  end)
  suspended = Scenario.eventually(fn -> Process.info(q, :status) == {:status, :suspended} end)
  Process.exit(p, :kill)
  suspended
end)
Scenario.tell("a waiting process can be killed", 1, fn ->
  p = Port.open({:spawn, "sleep 5"}, [])
  Process.unlink(p)
  Port.command(p, String.duplicate("x", 300_000))
  {q, _} = spawn_monitor(fn -> Port.command(p, "y") end)
  Scenario.eventually(fn -> Process.info(q, :status) == {:status, :suspended} end)
  Process.exit(q, :kill)
  Scenario.flush(1) |> Enum.map(fn message -> elem(message, 4) end) |> then(fn reasons -> send(self(), {:reasons, reasons}) end)
  Process.exit(p, :kill)
end)
Scenario.tell("in whose name a command is, is seen when the port is ready", 1, fn ->
  p = Port.open({:spawn, "sleep 5"}, [])
  Port.command(p, String.duplicate("x", 300_000))
  q = spawn(fn -> send(p, {self(), {:command, "y"}}) end)
  suspended = Scenario.eventually(fn -> Process.info(q, :status) == {:status, :suspended} end)
  told = :erlang.send(p, {q, {:command, "y"}}, [:nosuspend])
  Process.exit(p, :kill)
  {suspended, told}
end)
Scenario.tell("what a command holds is seen when the port is ready", 1, fn ->
  p = Port.open({:spawn, "sleep 5"}, [])
  Port.command(p, String.duplicate("x", 300_000))
  by_message = :erlang.send(p, {self(), {:command, :no_iodata}}, [:nosuspend])
  by_function = Port.command(p, :no_iodata, [:nosuspend])
  forced = try do Port.command(p, :no_iodata, [:force]) rescue error -> error end
  Process.exit(p, :kill)
  {by_message, by_function, forced}
end)
