# The vectors that outputv gets, and what a driver can do with them. tests/drivers/vector_drv.c says what
# the modes are.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'vector_drv')
open = fn mode, numbers ->
  p = Port.open({:spawn_driver, "vector_drv"}, [:binary])
  :erlang.port_control(p, mode, numbers)
  p
end
long = String.duplicate("0123456789", 30)
bytes = fn number -> String.duplicate("y", number) end
# One that has grown, and has room to grow further.
grown = Enum.reduce(1..100, "", fn n, before -> <<before::binary, n, n, n, n, n>> end)

data = [
  {"nothing", ""},
  {"an empty list", []},
  {"many times nothing", ["", [], [[""] | ""], [[[]]]]},
  {"nothing of a long one", binary_part(long, 150, 0)},
  {"nothing between", ["a", "", long, "", binary_part(long, 3, 0), "b"]},
  {"one byte", [?x]},
  {"a tail", ["abc" | "tail"]},
  {"a long tail", [?a | long]},
  {"long and a long tail", [long | long]},
  {"tails in tails", [["a" | "b"], [[?c | long] | "d"] | long]},
  {"deep", Enum.reduce(1..5000, ["in"], fn _, inner -> [inner] end)},
  {"deep to the right", Enum.reduce(1..5000, "in", fn _, inner -> [?x | [inner]] end)},
  {"a part of a long one", binary_part(long, 7, 200)},
  {"a short part of a long one", binary_part(long, 7, 5)},
  {"short parts of a long one", for(at <- 0..20, do: binary_part(long, at, 3))},
  {"the same long one thrice", [long, long, long]},
  {"a grown one", grown},
  {"parts of a grown one", [binary_part(grown, 0, 100), "x", binary_part(grown, 200, 300)]},
  {"a list of a thousand bytes", :lists.duplicate(1000, ?z)},
  {"a list of a thousand bytes in two", [:lists.duplicate(500, ?z), long, :lists.duplicate(500, ?w)]},
  {"a megabyte", bytes.(1_000_000)},
  {"a list of a hundred thousand bytes", :lists.duplicate(100_000, ?z)},
  {"three megabytes", [bytes.(1_000_000), "x", bytes.(1_000_000), "y" | bytes.(1_000_000)]}
]
sizes = for size <- [1, 2, 8, 63, 64, 65, 66, 127, 128, 255, 256, 257, 512, 513, 4096], do: {"#{size} bytes", bytes.(size)}
pairs = for size <- [64, 65, 256, 257], do: {"#{size} bytes and a few", ["few", bytes.(size), "few"]}
crowds = for number <- [15, 16, 17, 18, 19, 1500], {what, one} <- [{"short", "ab"}, {"long", long}], do: {"#{number} #{what}", for(_ <- 1..number, do: one)}
mixed = for number <- [8, 9, 16, 700], do: {"#{number} of short and long", for(_ <- 1..number, do: ["ab", long])}
all = data ++ sizes ++ pairs ++ crowds ++ mixed

tell = fn name, mode, numbers, given ->
  Scenario.exact(name, 1, fn -> Port.command(open.(mode, numbers), given) end)
end
Scenario.together(fn ->
  for {name, given} <- all, do: tell.("shape of #{name}", ?d, "", given)
  for {name, given} <- data, do: tell.("scribbled on: #{name}", ?s, "", given)
end)

# The answers are longer than what is told about them.
digest = fn {_, {:data, bytes}} ->
  if :erlang.iolist_size(bytes) > 100, do: {is_list(bytes), :erlang.iolist_size(bytes), :erlang.adler32(bytes)}, else: bytes
end
next = fn ->
  receive do
    message -> message
  end
end
Scenario.together(fn ->
  for {name, given} <- all, numbers <- ["0 0", "6 0", "3 5", "1 299"] do
    Scenario.exact("#{name} given back, #{numbers}", 0, fn ->
      p = open.(?o, numbers)
      Port.command(p, given)
      first = next.()
      # Nothing to give back is no message.
      if match?({_, {:data, said}} when said in ["0", "-1"], first), do: digest.(first), else: {digest.(first), digest.(next.())}
    end)
  end
end)
Scenario.together(fn ->
  for {name, given} <- all, skip <- ["0", "64"], do: tell.("#{name} queued, without #{skip}", ?q, skip, given)
  for {name, given} <- all, room <- ["0", "64", "1000"], do: tell.("#{name} in a buffer of #{room}", ?b, room, given)
end)
# What is pushed shows other bytes in Erlang, so the sums of one long piece only.
Scenario.together(fn ->
  for {name, given} <- [{"nothing", ""}, {"a few bytes", "few"}, {"a list", 'list'}], skip <- ["0", "1"], do: tell.("#{name} pushed, without #{skip}", ?Q, skip, given)
end)

# Binaries outlive the callback, whoever else has them.
Scenario.together(fn ->
  for {name, given} <- all do
    Scenario.exact("#{name} kept", 0, fn ->
      p = open.(?k, "")
      true = Port.command(p, given)
      {_, {:data, "kept"}} = next.()
      :erlang.garbage_collect()
      List.to_string(:erlang.port_control(p, ?r, ""))
    end)
  end
end)
Scenario.exact("kept, and the port is closed", 1, fn ->
  p = open.(?k, "")
  Port.command(p, [long, "short", long])
  {_, {:data, "kept"}} = next.()
  Port.close(p)
end)
for {name, given} <- [{"nothing", ""}, {"a few bytes", "few"}, {"long ones", [long, "x", long]}, {"a list", 'list'}] do
  Scenario.exact("the port ends in the callback: #{name}", 1, fn -> Port.command(open.(?e, ""), given) end)
end
