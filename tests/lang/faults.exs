check = fn f ->
  try do
    f.()
  rescue
    e -> IO.puts "#{inspect(e.__struct__)}: #{Exception.message(e)}"
  catch
    kind, value -> IO.inspect {kind, value}
  end
end
id = fn x -> x end
check.(fn -> id.(nil).foo end)
check.(fn -> id.(true).foo end)
check.(fn -> id.(:abc).foo end)
check.(fn -> id.(5).foo end)
check.(fn -> id.([1]).foo end)
check.(fn -> id.("x").foo() end)
check.(fn -> id.(nil).foo() end)
check.(fn -> id.(nil).foo(1) end)
check.(fn -> id.(5).foo(1) end)
check.(fn -> id.(%{a: 1}).foo() end)
check.(fn -> id.(%{a: 1}).foo(1) end)
check.(fn -> id.(%{a: 1}).a() end)
check.(fn -> a = id.(5); %{a | b: 1} end)
check.(fn -> a = id.(5); a[:x] end)
check.(fn -> a = id.(:x); a <> "s" end)
check.(fn -> a = id.(:x); <<a::binary>> end)
check.(fn -> a = id.(:x); <<a>> end)
check.(fn -> a = id.("s"); -a end)
check.(fn -> not id.(1) end)
check.(fn -> id.(1) or 2 end)
check.(fn -> id.(1) in id.(2) end)
check.(fn -> id.(1)..id.(:a) end)
check.(fn -> id.(1)..id.(5)//id.(0) end)
check.(fn -> apply(id.(5), :foo, []) end)
check.(fn -> apply(:foo, :bar, [1]) end)
check.(fn -> apply(id, [1, 2]) end)
check.(fn -> raise id.(5) end)
check.(fn -> raise Foo end)
check.(fn -> raise ArgumentError, message: "kw" end)
check.(fn -> raise RuntimeError end)
check.(fn -> spawn(5) end)
check.(fn -> for {a, 1} <- id.([{1, 2}, 3, {4, 1}]), do: a end)
check.(fn -> for x <- id.([1, 2]), into: id.(5), do: x end)
check.(fn -> for x <- [1, 2], into: %{}, do: x end)
check.(fn -> if id.(nil), do: 1 end) |> IO.inspect
