# Memory, binaries, time, libraries and facts, as drivers get them, and at their edges.
# tests/drivers/memory_drv.c says what the questions are.

folder = System.fetch_env!("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(folder), 'memory_drv')
open = fn -> Port.open({:spawn_driver, "memory_drv"}, [:binary]) end
ask = fn p, question -> List.to_string(:erlang.port_control(p, 0, question)) end

for question <- ["memory", "binaries", "null_binaries", "queued", "clock", "now", "errors", "null_func"] do
  Scenario.tell(question, 0, fn -> ask.(open.(), question) end)
end

# Binaries.
Scenario.tell("a binary with a message, a queue and a driver", 0, fn ->
  p = open.()
  asked = [ask.(p, "keep 100"), ask.(p, "enqueue")]
  teller = self()
  {pid, monitor} = spawn_monitor(fn ->
    answer = ask.(p, "send 80 10")
    receive do
      bytes -> send(teller, {:has, answer, byte_size(bytes), ask.(p, "refc")})
    end
    receive do
      :go -> :ok
    end
  end)
  has = receive do
    {:has, _, _, _} = has -> has
  end
  send(pid, :go)
  receive do
    {:DOWN, ^monitor, _, _, _} -> :ok
  end
  dropped = Scenario.eventually(fn -> ask.(p, "refc") == "2" end)
  {asked, has, dropped, ask.(p, "dequeue 99"), ask.(p, "dequeue 1"), ask.(p, "release")}
end)
for {size, cut, offset} <- [{65, 100, 0}, {64, 100, 0}, {0, 100, 100}, {1, 100, 100}, {50, 50, 0}, {51, 50, 0}, {0, 0, 0}, {1, 0, 0}] do
  Scenario.tell("#{size} bytes from #{offset} of #{cut}", 0, fn ->
    p = open.()
    ask.(p, "keep 100")
    ask.(p, "cut #{cut}")
    sent = ask.(p, "send #{size} #{offset}")
    count = ask.(p, "refc")
    ask.(p, "cut 100")
    {sent, count}
  end)
end
for size <- [0, 10, 64, 65, 100_000] do
  Scenario.tell("an answer of #{size} bytes that the driver keeps", 0, fn ->
    p = open.()
    ask.(p, "keep #{size}")
    answer = :erlang.port_control(p, 1, "")
    count = ask.(p, "refc")
    {byte_size(answer), answer == String.duplicate("k", size), count}
  end)
end
Scenario.tell("a command that the driver keeps", 0, fn ->
  p = open.()
  spawn_link(fn -> Port.command(p, String.duplicate("c", 1000)) end)
  receive do
    {:EXIT, pid, _} when is_pid(pid) -> :ok
  end
  :erlang.garbage_collect()
  {ask.(p, "look c"), ask.(p, "release")}
end)

# Time.
for value <- [0, 1, -1, 999, 1000, 1500, -999, -1000, -1001, -1999, 1_000_000_000, -1_500_000_001, 9_223_372_036_854_775_807, -9_223_372_036_854_775_807] do
  Scenario.tell("convert #{value}", 0, fn -> ask.(open.(), "convert #{value}") end)
end

# Facts.
for size <- [32, 33, 39, 40, 47, 48, 51, 52, 53, 56, 100] do
  Scenario.tell("facts in #{size} bytes", 0, fn -> ask.(open.(), "facts #{size}") end)
end

# Libraries.
for file <- [folder <> "/memory_drv", folder <> "/memory_drv.so", "/no/such/library", ""] do
  Scenario.tell("library " <> Path.basename(file), 0, fn -> ask.(open.(), "library " <> file) end)
end
Scenario.tell("a library that is none", 0, fn ->
  File.write!("text.so", "no library")
  ask.(open.(), "library " <> Path.expand("text"))
end)

# It stays.
Scenario.tell("locked", 0, fn ->
  p = open.()
  {ask.(p, "lock"), :erl_ddll.info('memory_drv', :permanent), :erl_ddll.try_unload('memory_drv', []),
   :erl_ddll.try_unload('memory_drv', [:kill_ports]), :erl_ddll.try_load(String.to_charlist(folder), 'memory_drv', []),
   :erl_ddll.info('memory_drv', :port_count), :erl_ddll.info('memory_drv', :processes)}
end)
