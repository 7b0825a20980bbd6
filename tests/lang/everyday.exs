# comment first
x = 5 # trailing
if y = x do y end
IO.inspect y
IO.inspect [ # in list
  1, # one
  2
]
r = [1, 2, 3]
    |> Enum.map(fn n -> n * 2 end) # pipe comment
    # full line comment
    |> Enum.filter(&(&1 > 2))
IO.inspect r
IO.inspect (5 |> case do
  5 -> :five
  _ -> :other
end)
IO.inspect (5 |> (fn n -> n + 1 end).())
f = fn
  () -> :none
end
IO.inspect f.()
g = fn (a, b) when a > b -> :gt
       _, _ -> :le
    end
IO.inspect {g.(2, 1), g.(1, 2)}
IO.inspect (with {:ok, a} <- {:error, 1}, do: a, else: ({:error, e} -> {:err, e}))
z = case x, do: (5 -> :yes; _ -> :no)
IO.inspect z
a = b = c = 3
IO.inspect {a, b, c}
defmodule M do
  @list [1]
  @list [2 | @list]
  def list, do: @list
  @doc false
  def multi(a,
            b \\ 2,
            c) do
    # inside
    {a, b, c}
  end
  def kw(opts \\ []) do
    opts[:a] || Keyword.get(opts, :b, :none)
  end
  def guardy(x) when is_integer(x) and x > 0 or x == :zero, do: true
  def guardy(x) when is_list(x)
                when is_map(x), do: :coll
  def guardy(_), do: false
  def pat(%{a: [h | _] = l} = m, {x, _}), do: {h, l, map_size(m), x}
  def with_default_fn(f \\ fn x -> x end), do: f.(1)
  def nested do
    helper = fn n ->
      inner = fn m -> n + m end
      inner.(n)
    end
    helper.(4)
  end
  def ret_if(x) do
    if x, do: :t
  end
  def unless_(x), do: (unless x, do: :f, else: :t)
  def str(x), do: "a#{x}b#{if x > 1, do: "big", else: "small"}c"
  def pipe_in(x), do: x |> to_string() |> String.length()
  def op(a, b), do: a + b
  def long(a), do: a
    |> op(1)
    |> op(2)
  def unpack([a, b | rest]), do: {a, b, rest}
  def cap, do: Enum.map([1, 2, 3], &op(&1, 10))
  def block() do
  end
end
IO.inspect M.list
IO.inspect M.multi(1, 3)
IO.inspect M.kw(a: 1)
IO.inspect M.kw b: 2
IO.inspect M.kw
IO.inspect Enum.map([1, 0, :zero, [], %{}, "s"], &M.guardy/1)
IO.inspect M.pat(%{a: [1, 2]}, {3, 4})
IO.inspect M.with_default_fn()
IO.inspect M.nested
IO.inspect {M.ret_if(true), M.ret_if(nil), M.unless_(1), M.unless_(nil)}
IO.puts M.str(2)
IO.inspect M.pipe_in(12345)
IO.inspect M.long(1)
IO.inspect M.unpack([1, 2, 3, 4])
IO.inspect M.cap
IO.inspect M.block()
IO.inspect %{"a b": 1, c: 2}."a b"
m = %{k: %{n: [10, 20]}}
IO.inspect m.k.n
IO.inspect m[:k][:n]
IO.inspect m[:nope][:n]
IO.inspect hd(m.k.n) + 1
IO.inspect length [1, 2, 3]
IO.inspect(not true == false)
IO.inspect !x == false
IO.inspect x == 5 && "five" || "other"
IO.inspect if(x > 1, do: "a") <> "b"
send self(), {:msg, 1}
receive do
  {:msg, n} when n > 5 -> IO.puts "big"
  {:msg, n} -> IO.inspect n
after
  1000 -> IO.puts "none"
end
try do
  raise "oops"
rescue
  RuntimeError -> IO.puts "rescued"
end
try do
  :erlang.error(:badarg)
rescue
  e in [ArgumentError, KeyError] -> IO.inspect e
end
IO.inspect (quote_me = :ok)
IO.inspect quote_me
IO.inspect Enum.map(1..3, fn
  1 -> :one
  n when rem(n, 2) == 0 -> :even
  _ -> :odd
end)
IO.inspect for(i <- 1..2, j <- 1..2, i != j, do: {i, j})
:ok = IO.puts("done")
_ = 1
IO.inspect [1,2,3] |> Enum.sum |> Kernel.*(2)
IO.inspect {__MODULE__, __DIR__ |> is_binary}
IO.inspect [a: 1] ++ [b: 2]
IO.inspect "a" <> "b" <> "c" == "abc"
x = if true, do: 1, else: 2
IO.inspect x
IO.inspect ~s{a "b" #{x}}
IO.inspect ~s|a|
IO.inspect ~w[a b]
IO.inspect 'a' ++ 'b'
IO.inspect "é" |> String.length
IO.inspect ?A + 1
IO.inspect 0x1F
