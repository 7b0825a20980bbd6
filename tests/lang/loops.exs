IO.inspect for x <- [1, 2, 3], do: x * x
IO.inspect for x <- 1..3, y <- [:a, :b], do: {x, y}
IO.inspect for x <- 1..10, rem(x, 3) == 0, do: x
IO.inspect for {:ok, v} <- [ok: 1, error: 2, ok: 3], do: v
IO.inspect for {k, v} <- %{a: 1, b: 2}, into: %{}, do: {v, k}
IO.inspect for x <- [1, 1, 2], uniq: true, do: x
sum = for x <- 1..5, reduce: 0 do
  acc -> acc + x
end
IO.inspect sum
IO.inspect for x <- [1, 2], y = x * 10, y > 10, do: y
IO.inspect for x when x > 1 <- [1, 2, 3], do: x
IO.inspect (for x <- 1..2 do
  z = x + 1
  z * 2
end)
IO.inspect for _ <- 1..3, do: :ok
IO.inspect for x <- 5..1//-2, do: x
IO.inspect for x <- 1..0//1, do: x
defmodule Loop do
  def count(n, n), do: n
  def count(i, n), do: count(i + 1, n)
  def deep(0), do: 0
  def deep(n), do: 1 + deep(n - 1)
  def even(0), do: true
  def even(n), do: odd(n - 1)
  def odd(0), do: false
  def odd(n), do: even(n - 1)
end
IO.inspect Loop.count(0, 1_000_000)
IO.inspect Loop.deep(100_000)
IO.inspect Loop.even(200_001)
f = fn f, n -> if n == 0, do: :done, else: f.(f, n - 1) end
IO.inspect f.(f, 300_000)
a = 1
g = fn -> a end
a = 2
IO.inspect {g.(), a}
add = fn x -> fn y -> x + y end end
IO.inspect add.(3).(4)
IO.inspect Enum.reduce(1..100, 0, fn x, acc -> x + acc end)
IO.inspect (&{&1, &2}).(1, 2)
IO.inspect Enum.map([1, 2], &[&1, &1])
IO.inspect Enum.map([1, 2], &"#{&1}!")
IO.inspect Enum.map(["a"], &String.upcase/1)
