defmodule Shape do
  @moduledoc "Shapes"
  @pi 3
  @names ~w(circle square)a
  @table Enum.map(1..3, fn n -> {n, n * n} end)

  @doc "The area."
  @spec area(term) :: number
  def area({:circle, r}), do: @pi * r * r
  def area({:square, s}) when s > 0, do: s * s
  def area(_), do: helper(:unknown)

  def names, do: @names
  def table(), do: @table
  defp helper(what), do: {:error, what}

  def greet(name, greeting \\ "Hello", mark \\ "!") do
    "#{greeting} #{name}#{mark}"
  end

  def module, do: __MODULE__
  def rec(0, acc), do: acc
  def rec(n, acc), do: rec(n - 1, acc + n)

  def safe(f) do
    f.()
  rescue
    e in ArgumentError -> {:arg, e.message}
    _ -> :other
  catch
    :exit, r -> {:exit, r}
    thrown -> {:thrown, thrown}
  else
    :ok -> :fine
    other -> {:else, other}
  after
    IO.puts "after"
  end

  defguard is_even(n) when rem(n, 2) == 0
  def even?(n) when is_even(n), do: true
  def even?(_), do: false
  def q?, do: :question
  def b!, do: :bang
end

IO.inspect Shape.area({:circle, 2})
IO.inspect Shape.area({:square, 2})
IO.inspect Shape.area(:x)
IO.inspect Shape.names
IO.inspect Shape.table()
IO.puts Shape.greet("Bob")
IO.puts Shape.greet("Bob", "Hi")
IO.puts Shape.greet("Bob", "Hi", "?")
IO.inspect Shape.module()
IO.inspect Shape.rec(100_000, 0)
IO.inspect Shape.safe(fn -> :ok end)
IO.inspect Shape.safe(fn -> 5 end)
IO.inspect Shape.safe(fn -> raise ArgumentError, "bad" end)
IO.inspect Shape.safe(fn -> 1 + nil end)
IO.inspect Shape.safe(fn -> throw(:ball) end)
IO.inspect Shape.safe(fn -> exit(:bye) end)
IO.inspect [Shape.even?(2), Shape.even?(3)]
IO.inspect {Shape.q?(), Shape.b!}

defmodule Outer do
  defmodule Inner do
    def hi, do: :inner
    def outer, do: Outer.call()
  end

  def call, do: Inner.hi()
  def fun, do: &Inner.hi/0
  def local, do: &priv/1
  defp priv(x), do: x * 2
end

IO.inspect Outer.call()
IO.inspect Outer.Inner.outer()
IO.inspect Outer.fun().()
IO.inspect Outer.local().(21)
alias Outer.Inner
IO.inspect Inner.hi()
alias Outer.Inner, as: I
IO.inspect I.hi
defmodule Importer do
  import Shape, only: [greet: 1]
  def hello, do: greet("import")
end
IO.puts Importer.hello()
mod = Shape
IO.inspect mod.area({:square, 3})
IO.inspect apply(Shape, :area, [{:square, 4}])
IO.inspect apply(fn a, b -> a + b end, [1, 2])
IO.inspect Enum.map([{:square, 1}, {:circle, 1}], &Shape.area/1)

defmodule User do
  defstruct [:name, age: 18]
  def older(%User{age: a} = u), do: %{u | age: a + 1}
  def new(name), do: %__MODULE__{name: name}
end

u = User.new("Ann")
IO.inspect u
IO.inspect User.older(u).age
%mod2{} = u
IO.inspect mod2

defmodule UseUser do
  def run(u) do
    IO.inspect %User{u | name: "Bea"}
    %User{name: name} = u
    IO.inspect name
    IO.inspect match?(%User{}, %{})
    IO.inspect %User{name: 1, age: 2}
  end
end

UseUser.run(u)

defmodule MyError do
  defexception message: "default", code: 0
end

IO.inspect (try do
  raise MyError
rescue
  e in MyError -> {e.message, e.code}
end)

IO.inspect (try do
  raise MyError, message: "custom", code: 3
rescue
  e in [MyError, KeyError] -> {Exception.message(e), e.code}
end)
