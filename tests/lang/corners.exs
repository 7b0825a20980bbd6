# more exotic things
defmodule T do
  def a(<<x::8, _::binary>>), do: x
  def b("x" <> _ = s), do: s
  def c([{:k, v} | _]), do: v
  def d(%{"k" => %{n: n}}), do: n
  def e(x) when x in 1..5, do: :low
  def e(x) when x in [6, 7], do: :mid
  def e(x) when not is_number(x), do: :nan
  def e(_), do: :high
  def f({a, b} = t) when tuple_size(t) == 2 and a < b, do: t
  def f(_), do: nil
  def g(x, y) do
    with true <- is_integer(x) || {:error, :x},
         {:ok, z} <- if(y > 0, do: {:ok, y}, else: :neg) do
      x + z
    else
      {:error, w} -> w
      :neg -> :negative
    end
  end
  def h(list) do
    Enum.reduce(list, %{}, fn
      {k, v}, acc when is_list(v) -> Map.put(acc, k, length(v))
      {k, v}, acc -> Map.update(acc, k, v, &(&1 + v))
    end)
  end
  def i do
    receive do
      {:a, x} when x > 1 -> {:big, x}
      {:a, x} -> {:small, x}
      other -> {:other, other}
    after 0 -> :none
    end
  end
  def j(x), do: (case x do
    %{a: a, b: b} when a == b -> :same
    %{a: _} -> :has_a
    %{} -> :map
    [] -> :empty
    [_] -> :one
    [_, _ | _] -> :many
    nil -> nil
    _ when is_float(x) -> :float
    _ -> :else
  end)
  def k(n) do
    try do
      if n > 0, do: throw({:found, n}), else: :none
    catch
      {:found, x} -> x
    end
  end
  def l(f \\ &String.upcase/1, s), do: f.(s)
  def m(opts) do
    name = Keyword.get(opts, :name, "anon")
    [first | _] = opts[:list] || [0]
    "#{name}-#{first}"
  end
  def n, do: for(x <- 1..3, y <- x..3, x + y == 4, into: MapSet.new(), do: {x, y})
  def o(s), do: s |> String.split() |> Enum.map(&String.capitalize/1) |> Enum.join(" ")
  def p, do: ~s"""
  multi #{1 + 1}
    line
  """
  def q(bin), do: for(<<b <- bin>>, into: "", do: <<(b + 1)>>)
  def r(x) do
    cond do
      x < 0 -> "neg"
      x == 0 -> "zero"
      true -> "pos"
    end
  end
  def s(a, b), do: a <> "-" <> b
  def t(x), do: x.y.z[:w]
  def u(x), do: %{x | y: %{x.y | z: 2}}
  def v(list), do: Enum.map(list, fn %{id: id} = m -> {id, Map.delete(m, :id)} end)
  def w(0), do: []
  def w(n), do: [n | w(n - 1)]
  def x!(v), do: v || raise("nothing")
  def y?(v), do: !!v
  def z(a), do: a = a + 1
end
IO.inspect [T.a("abc"), T.b("xyz"), T.c(k: 1), T.d(%{"k" => %{n: 3}})]
IO.inspect Enum.map([1, 6, :a, 9], &T.e/1)
IO.inspect [T.f({1, 2}), T.f({2, 1}), T.f(1)]
IO.inspect [T.g(1, 2), T.g(:a, 2), T.g(1, -1)]
IO.inspect T.h(a: 1, a: 2, b: [1, 2])
send(self(), {:a, 5}); send(self(), {:a, 0}); send(self(), :z)
IO.inspect [T.i, T.i, T.i, T.i]
IO.inspect Enum.map([%{a: 1, b: 1}, %{a: 1}, %{}, [], [1], [1, 2, 3], nil, 1.5, "s"], &T.j/1)
IO.inspect [T.k(1), T.k(0)]
IO.inspect [T.l("a"), T.l(&String.length/1, "abc")]
IO.inspect [T.m([]), T.m(name: "n", list: [7])]
IO.inspect MapSet.to_list(T.n)
IO.inspect [T.o("the quick fox"), T.p, T.q("HAL"), T.r(-1), T.r(0), T.r(1), T.s("a", "b")]
IO.inspect T.t(%{y: %{z: [w: 1]}})
IO.inspect T.u(%{y: %{z: 1}})
IO.inspect T.v([%{id: 1, a: 2}])
IO.inspect [T.w(3), T.y?(nil), T.y?(0), T.z(1)]
IO.inspect (try do T.x!(nil) rescue e -> e.message end)
IO.inspect Enum.sort([3, 1, 2], &(&1 >= &2))
IO.inspect Enum.sort([3, 1, 2], :desc)
IO.inspect Enum.max_by(["a", "bbb"], &byte_size/1)
fun = &T.s/2
IO.inspect fun.("x", "y")
IO.inspect is_function(fun, 2)
IO.inspect Function.info(fun, :arity)
{a, b} = if true, do: {1, 2}, else: {3, 4}
IO.inspect a + b
IO.inspect [1, 2, 3] |> tl |> hd
x = [a: 1, b: 2]
[{k, _} | _] = x
IO.inspect k
IO.inspect put_in(%{a: %{b: 1}}, [:a, :b], 2)
IO.inspect get_in(%{a: %{b: 1}}, [:a, :b])
IO.inspect update_in(%{a: 1}, [:a], &(&1 + 1))
m = %{a: %{b: 1}}
IO.inspect put_in(m.a.b, 5)
IO.inspect update_in(m[:a][:b], &(&1 * 10))
IO.inspect tap(5, fn v -> IO.puts("tap #{v}") end)
IO.inspect then(5, & &1 + 1)
IO.inspect to_string([?a, "b"])
IO.inspect Enum.at([1, 2], -1)
IO.inspect for {k, v} <- [a: 1], into: [], do: {v, k}
IO.inspect String.to_atom("hello")
IO.inspect :"hello world"
IO.inspect inspect("a\nb")
IO.inspect [1.0, 1.0e10, 1.0e-10, 123456789.123, 1.0e22, 0.1 + 0.2, -0.0]
IO.inspect 'hello' == [104, 101, 108, 108, 111]
IO.inspect {:ok, "x"} |> elem(1)
IO.inspect Integer.to_string(255, 16)
IO.inspect String.to_integer("42") + 1
IO.inspect div(10, 3) * 3 + rem(10, 3)
IO.inspect max(1, 2) + min(3, 4) + abs(-5) + round(2.5) + trunc(2.9)
IO.inspect(Enum.map_reduce([1, 2], 0, fn x, acc -> {x * 2, acc + x} end))
IO.inspect "abc" |> String.to_charlist |> Enum.reverse |> List.to_string
if x[:a] == 1 and (x[:c] || true), do: IO.puts("yes")
IO.puts(if(nil, do: 1) || "default")
defmodule Deep.Nested.Name do
  alias __MODULE__, as: Me
  def go, do: Me.here()
  def here, do: __MODULE__
end
IO.inspect Deep.Nested.Name.go()
alias Deep.Nested.{Name}
IO.inspect Name.here
IO.inspect binding() |> Keyword.keys() |> Enum.member?(:x)
