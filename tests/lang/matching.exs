{a, [b | c], %{k: d}} = {1, [2, 3, 4], %{k: 5, z: 6}}
IO.inspect [a, b, c, d]
^a = 1
{x, x} = {7, 7}
IO.inspect x
IO.inspect (try do
  {y, y} = {1, 2}
  y
rescue
  e -> e
end)
"pre" <> rest = "prefix"
IO.inspect rest
[h | _] = 'abc'
IO.inspect h
[1, 2 | tail] = [1, 2, 3]
IO.inspect tail
%{"s" => s} = %{"s" => 1}
IO.inspect s
key = :dyn
%{^key => v} = %{dyn: 9}
IO.inspect v
{:ok, z} = w = {:ok, 3}
IO.inspect {z, w}
%{} = %{a: 1}
IO.inspect match?({:ok, _}, {:ok, 1})
IO.inspect match?({:ok, n} when n > 5, {:ok, 1})
IO.inspect (case {1, 2, 3} do
  {1, x, 3} when x > 5 -> :no
  {1, x, 3} when is_integer(x) and x in [2, 4] -> {:yes, x}
  _ -> :other
end)
IO.inspect (case 5 do
  n when n < 3 when n > 4 -> :outer
  _ -> :inner
end)
IO.inspect (case "x" do
  y -> y
end)
x = 1
IO.inspect (case 2 do
  ^x -> :same
  x -> {:new, x}
end)
IO.inspect x
f = fn
  0 -> :zero
  n when n < 0 -> :neg
  _ -> :pos
end
IO.inspect [f.(0), f.(-1), f.(1)]
[a: p, b: q] = [a: 1, b: 2]
IO.inspect {p, q}
%{a: %{b: deep}} = %{a: %{b: :found}}
IO.inspect deep
first..last = 3..8
IO.inspect {first, last}
-1 = 1 - 2
[l1, l2] ++ lrest = [1, 2, 3, 4]
IO.inspect {l1, l2, lrest}
IO.inspect (with {:ok, a} <- {:ok, 1}, b = a + 1, {:ok, c} when c > 1 <- {:ok, b} do
  {a, b, c}
end)
IO.inspect (with {:ok, a} <- {:error, :no} do a end)
IO.inspect (with {:ok, a} <- {:error, :no} do a else {:error, r} -> {:failed, r} end)
IO.inspect (cond do
  1 > 2 -> :a
  nil -> :b
  true -> :c
end)
IO.inspect (if false do 1 end)
IO.inspect (unless false do 1 else 2 end)
y = if true do
  inner = 5
  inner + 1
end
IO.inspect y
(fn {:a, n} -> IO.inspect n end).({:a, 4})
