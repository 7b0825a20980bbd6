# What control and call answer, in each of the ways there are. tests/drivers/reply_drv.c says which.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
for name <- ['reply_drv', 'script_bare_drv'], do: :ok = :erl_ddll.load_driver(String.to_charlist(drivers), name)
open = fn -> Port.open({:spawn_driver, "reply_drv"}, []) end
binary = fn ->
  p = open.()
  :erlang.port_control(p, 0, "binary")
  p
end

# control, answered with a list.
for {length, way} <- [
      {0, "given"}, {1, "given"}, {64, "given"}, {0, "own"}, {1, "own"}, {64, "own"}, {65, "own"}, {5000, "own"},
      {1, "less"}, {2_147_483_647, "less"}, {0, "less"}, {0, "less_own"}, {0, "null"}, {7, "null"}, {0, "null_less"},
      {4_294_967_295, "null"}, {4_294_967_295, "given"}, {4_294_967_295, "args"}, {0, "args"}, {0, "args 67890"}, {0, ""}, {0, "what"}
    ] do
  Scenario.exact("control #{length} #{way}", 0, fn -> :erlang.port_control(open.(), length, way) end)
end

# The same in binary mode, and with driver binaries.
for {length, way} <- [
      {0, "given"}, {1, "given"}, {64, "given"}, {0, "bin"}, {7, "bin"}, {100, "bin"}, {200, "bin"}, {0, "empty_bin"},
      {5, "empty_bin"}, {1, "less"}, {0, "null"}, {7, "null"}, {0, "null_less"}, {4_294_967_295, "bin"}, {0, "args"}, {0, ""}
    ] do
  Scenario.exact("control #{length} #{way}, in binary mode", 0, fn -> :erlang.port_control(binary.(), length, way) end)
end
Scenario.exact("the mode is that at the return", 0, fn ->
  p = open.()
  for way <- ["args", "binary", "args", "list", "args"], do: :erlang.port_control(p, 0, way)
end)
Scenario.exact("a binary of which the driver keeps a reference", 0, fn ->
  p = binary.()
  first = :erlang.port_control(p, 0, "keep")
  held = :erlang.port_control(p, 0, "kept")
  {byte_size(first), held, :erlang.port_control(p, 0, "release"), first}
end)
Scenario.exact("a binary outlives its port", 0, fn ->
  p = binary.()
  first = :erlang.port_control(p, 0, "bin")
  Port.close(p)
  {first, Port.info(p)}
end)
for way <- ["over", "over_less", "over_binary"], monitored <- [false, true] do
  Scenario.exact("control: #{way}, #{monitored}", if(monitored, do: 2, else: 1), fn ->
    p = open.()
    if monitored, do: Port.monitor(p)
    answer = try do :erlang.port_control(p, 0, way) catch :error, reason -> reason end
    {answer, Port.info(p), try do :erlang.port_control(p, 0, "args") catch :error, reason -> reason end}
  end)
end
Scenario.exact("control says and answers", 1, fn -> :erlang.port_control(open.(), 0, "said") end)
Scenario.exact("control that says to somebody else", 1, fn ->
  p = open.()
  teller = self()
  spawn(fn -> send(teller, {:answer, :erlang.port_control(p, 0, "said")}) end)
  receive do
    {:answer, answer} -> answer
  end
end)

# What may be given.
for {name, data} <- [
      {"a list", 'args'}, {"iodata", ["ar", [?g | "s"]]}, {"an empty list", []}, {"an atom", :args}, {"a number", 7},
      {"an improper list", ["args" | 7]}, {"a large byte", [256]}, {"a negative byte", [-1]}, {"a large binary", "args " <> String.duplicate("x", 100_000)}
    ] do
  Scenario.exact("control of #{name}", 0, fn -> :erlang.port_control(open.(), 3, data) end)
end
for operation <- [-1, 4_294_967_296, 4_294_967_295, 1.0, :zero, 100_000_000_000_000_000_000] do
  Scenario.exact("control #{inspect(operation)}", 0, fn -> :erlang.port_control(open.(), operation, "args") end)
  Scenario.exact("call #{inspect(operation)}", 0, fn -> :erlang.port_call(open.(), operation, {:args, 1}) end)
end
for {name, port} <- [{"no port", 7}, {"a name of nobody", :nobody_at_all}, {"a process", self()}] do
  Scenario.exact("control of #{name}", 0, fn -> :erlang.port_control(port, 0, "args") end)
  Scenario.exact("call of #{name}", 0, fn -> :erlang.port_call(port, 0, {:args, 1}) end)
end
Scenario.exact("a name", 0, fn ->
  Process.register(open.(), :replying)
  {:erlang.port_control(:replying, 1, "args"), :erlang.port_call(:replying, 2, {:args, 1})}
end)
Scenario.exact("a closed port", 0, fn ->
  p = open.()
  Port.close(p)
  for ask <- [fn -> :erlang.port_control(p, 0, "args") end, fn -> :erlang.port_call(p, 0, {:args, 1}) end] do
    try do ask.() catch :error, reason -> reason end
  end
end)
Scenario.exact("a driver that has no call", 0, fn -> :erlang.port_call(Port.open({:spawn_driver, "script_bare_drv 0 "}, []), 0, :x) end)
Scenario.exact("a driver without control or call, a program", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  for ask <- [fn -> :erlang.port_control(p, 0, "args") end, fn -> :erlang.port_call(p, 0, {:args, 1}) end] do
    try do ask.() catch :error, reason -> reason end
  end
end)

# call.
for way <- [:args, :plain, :own, :own_long, :standing, :standing_less, :own_less, :own_bad, :less, :nothing, :one, :short,
            :unversioned, :truncated, :unknown, :kept_flag, :odd_flags, :trailing, :full, :echo, :argument] do
  Scenario.exact("call #{way}", 0, fn -> :erlang.port_call(open.(), 4_294_967_295, {way, 1}) end)
end
Scenario.exact("call with two arguments", 0, fn -> :erlang.port_call(open.(), {:args, 1}) end)
Scenario.exact("a standing buffer, again and again", 0, fn ->
  p = open.()
  for _ <- 1..20, do: byte_size(:erlang.port_call(p, 0, {:standing, 1}))
end)
for {name, term} <- [
      {"a list", [:echo, [1, 2 | 3]]}, {"a map", %{echo: 1}}, {"a float", {:echo, 1.5}}, {"a large number", {:echo, 1_267_650_600_228_229_401_496_703_205_376}},
      {"a binary", {:echo, String.duplicate("x", 3000)}}, {"bits", {:echo, <<5::3>>}}, {"an atom beyond Latin-1", {:echo, :"ж"}},
      {"nothing much", {:echo, nil, [], {}, ""}}
    ] do
  Scenario.exact("call echoes #{name}", 0, fn ->
    given = term
    {:erlang.port_call(open.(), 0, given) === given, given}
  end)
end
Scenario.exact("call echoes ids", 0, fn ->
  p = open.()
  given = {:echo, self(), p, make_ref()}
  :erlang.port_call(p, 0, given) === given
end)
for way <- [:over, :over_less] do
  Scenario.exact("call: #{way}", 2, fn ->
    p = open.()
    Port.monitor(p)
    answer = try do :erlang.port_call(p, 0, {way, 1}) catch :error, reason -> reason end
    {answer, Port.info(p), try do :erlang.port_call(p, 0, {:args, 1}) catch :error, reason -> reason end}
  end)
end
Scenario.exact("call says and answers", 1, fn -> :erlang.port_call(open.(), 0, {:said, 1}) end)
