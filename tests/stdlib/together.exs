# Functions used together, with programs, timers and streams. Recorded from Elixir 1.14 by the script `record`.
System.put_env("WX", "one")
get = fn p -> receive do {^p, {:data, d}} -> d after 2000 -> :none end end
IO.inspect get.(Port.open({:spawn, "echo $WX $WY"}, [:binary]))
IO.inspect get.(Port.open({:spawn, "echo $WX $WY"}, [:binary, env: [{'WY', 'two'}]]))
IO.inspect get.(Port.open({:spawn, "echo $WX $WY"}, [:binary, env: [{'WX', false}, {'WY', 'two'}]]))
System.delete_env("WX")
IO.inspect get.(Port.open({:spawn, "echo x$WX"}, [:binary]))
System.put_env("PATH", "/nonexistent:" <> System.get_env("PATH"))
IO.inspect System.find_executable("cat") |> Path.basename()
IO.inspect System.cmd("sh", ["-c", "echo $WX; pwd; exit 3"], env: [{"WX", "z"}], cd: "/")
{:ok, pid} = {:ok, spawn(fn -> receive do x -> x end end)}
IO.inspect Process.alive?(pid)
Process.monitor(pid)
Process.exit(pid, :boom)
receive do {:DOWN, _, :process, ^pid, r} -> IO.inspect(r) after 1000 -> IO.puts("none") end
IO.inspect Process.send_after(self(), :later, 5) |> is_reference()
receive do m -> IO.inspect(m) after 1000 -> IO.puts("none") end
:erlang.start_timer(5, self(), :hi)
receive do {:timeout, _, m} -> IO.inspect(m) after 1000 -> IO.puts("none") end
IO.inspect(Enum.map(%{a: 1, b: 2}, fn {k, v} -> {v, k} end))
IO.inspect(for {k, v} <- %{a: 1}, into: %{}, do: {v, k})
IO.inspect("a,b" |> String.split(",") |> Enum.map(&String.upcase/1) |> Enum.join("-"))
IO.inspect(Enum.reduce([1,2,3], &+/2))
IO.inspect(Enum.sort([3,1,2], &(&1 >= &2)))
IO.inspect(Enum.sort_by(["bb", "a"], &String.length/1, &>=/2))
IO.inspect(Enum.into(1..3, MapSet.new()))
IO.inspect 1 in 1..3
IO.inspect %{a: 1}[:a]
IO.inspect [a: 1][:b]
IO.inspect get_in(%{"a" => [%{b: 1}]}, ["a", Access.all(), :b])
IO.inspect Stream.cycle([1,2]) |> Stream.map(& &1 * 2) |> Enum.take(5)
IO.inspect Stream.unfold(5, fn 0 -> nil; n -> {n, n-1} end) |> Enum.to_list()
IO.inspect Stream.repeatedly(fn -> 1 end) |> Stream.with_index() |> Stream.reject(fn {_, i} -> rem(i,2) == 0 end) |> Enum.take(2)
IO.inspect Stream.flat_map([1,2], &[&1,&1]) |> Stream.take(3) |> Enum.to_list
IO.inspect Stream.chunk_every(1..5, 2) |> Enum.to_list
IO.inspect Stream.take_while(1..10, & &1 < 3) |> Enum.to_list
IO.inspect Stream.drop(1..5, 3) |> Enum.to_list
IO.inspect Stream.concat([1..2, [5]]) |> Enum.to_list
IO.inspect Stream.zip(1..3, [:a, :b]) |> Enum.to_list
IO.inspect Enum.zip(Stream.iterate(1, & &1 * 3), [:a, :b])
IO.inspect :erlang.binary_to_term(:erlang.term_to_binary(%{a: [1.5, "x", {:y}]}))
:io.format("~s ~p ~w~n", ["x", "y", 'z'])
IO.inspect Integer.parse("0x1F")
IO.inspect Enum.with_index(["a"], fn x, i -> {i, x} end)
IO.inspect Enum.min_max([3,1,2])
IO.inspect Enum.chunk_by([1,1,2], & &1)
IO.inspect Enum.group_by([a: 1, b: 2, a: 3], &elem(&1, 0), &elem(&1, 1))
IO.inspect Enum.flat_map_reduce(1..5, 0, fn x, a -> if a < 3, do: {[x], a + x}, else: {:halt, a} end)
IO.inspect Enum.count([1,2,3], & &1 > 1)
IO.inspect Enum.random(1..1)
IO.inspect Keyword.get([a: 1], :a)
IO.inspect Enum.find_value([1,2], fn x -> x > 1 && "y" end)
