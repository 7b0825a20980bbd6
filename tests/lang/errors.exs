check = fn f ->
  try do
    f.()
  rescue
    e -> IO.puts "#{inspect(e.__struct__)}: #{Exception.message(e)}"
  catch
    kind, value -> IO.inspect {kind, value}
  end
end

check.(fn -> 1 + :a end)
check.(fn -> 1 / 0 end)
check.(fn -> raise "boom" end)
check.(fn -> raise ArgumentError end)
check.(fn -> raise ArgumentError, "mine" end)
check.(fn -> raise %RuntimeError{message: "struct"} end)
check.(fn -> {:ok, _} = {:error, 1} end)
check.(fn -> case 1 do 2 -> 3 end end)
check.(fn -> cond do false -> 1 end end)
check.(fn -> with {:ok, _} <- 1 do 2 else 3 -> 4 end end)
check.(fn -> (fn 1 -> 2 end).(1, 2) end)
check.(fn -> x = 5; x.(1) end)
check.(fn -> %{a: 1}.b end)
check.(fn -> m = %{a: 1}; %{m | c: 2} end)
check.(fn -> Nope.fun(1) end)
check.(fn -> nil.foo end)
check.(fn -> nil && true end)
check.(fn -> 1 and true end)
check.(fn -> :erlang.error(:custom) end)
check.(fn -> :erlang.error({:badmatch, 3}) end)
check.(fn -> throw :ball end)
check.(fn -> exit {:shutdown, 1} end)
check.(fn -> hd([]) end)
check.(fn -> [1, 2] ++ 3 end)
check.(fn -> :a ++ [1] end)
check.(fn -> b = :b; "a" <> b end)
check.(fn -> for x <- 5, do: x end)
check.(fn -> try do raise "a" after IO.puts "cleanup" end end)
check.(fn -> try do 1 else 2 -> 3 end end)
IO.inspect (try do throw(1) catch x -> x + 1 end)
IO.inspect (try do exit(:r) catch :exit, r -> r end)
IO.inspect (try do :erlang.error(:e) catch :error, r -> r end)
IO.inspect (try do raise "x" catch :error, %RuntimeError{message: m} -> m end)
IO.inspect (try do 1 + :a catch :error, r -> r end)
IO.inspect (try do 10 rescue _ -> 0 else n when n > 5 -> :big end)
r = try do
  raise "first"
rescue
  e ->
    try do
      reraise e, __STACKTRACE__
    rescue
      e2 -> {:again, e2.message}
    end
end
IO.inspect r
IO.inspect (try do List.first(1) rescue FunctionClauseError -> :fce end)
x = try do
  try do
    throw :inner
  after
    IO.puts "inner after"
  end
catch
  v -> v
end
IO.inspect x
defmodule E do
  def f(1), do: 1
  def g(n) when n > 0, do: n
end
check.(fn -> E.f(2) end)
check.(fn -> E.g(0) end)
check.(fn -> E.h(0) end)
check.(fn -> raise KeyError, key: :a, term: [] end)
check.(fn -> raise ErlangError, original: :foo end)
IO.inspect %ArgumentError{}
IO.inspect %KeyError{key: :a}
IO.inspect is_exception(%ArgumentError{})
