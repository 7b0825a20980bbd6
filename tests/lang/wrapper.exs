defmodule Wrapper do
  @timeout 1_000
  @moduledoc """
  A port in front of `cat`.
  """
  @type t :: %{port: port, buffer: binary}
  @spec open(binary) :: {:ok, t} | {:error, term}
  def open(cmd) do
    port = Port.open({:spawn, cmd}, [:binary, :exit_status, {:packet, 2}])
    {:ok, %{port: port, buffer: ""}}
  rescue
    e in ErlangError -> {:error, e.original}
  end

  def call(%{port: port} = state, data) when is_binary(data) do
    true = Port.command(port, data)
    receive do
      {^port, {:data, answer}} -> {:ok, answer, %{state | buffer: state.buffer <> answer}}
      {^port, {:exit_status, s}} -> {:exit, s}
    after
      @timeout -> {:error, :timeout}
    end
  end

  def close(%{port: port}) do
    Port.close(port)
    :ok
  end
end

{:ok, w} = Wrapper.open("cat")
{:ok, a, w} = Wrapper.call(w, "hello")
IO.puts "got #{a}"
{:ok, b, w} = Wrapper.call(w, "world")
IO.inspect {b, w.buffer}
IO.inspect Wrapper.close(w)
IO.inspect Wrapper.open("")
lines = for n <- 1..3, do: "line #{n}"
port = Port.open({:spawn_executable, System.find_executable("cat")}, [:binary, {:line, 100}, :use_stdio, args: ["-"]])
send port, {self(), {:command, Enum.join(lines, "\n") <> "\n"}}
collect = fn collect, acc ->
  receive do
    {^port, {:data, {:eol, line}}} -> collect.(collect, [line | acc])
  after
    200 -> Enum.reverse(acc)
  end
end
IO.inspect collect.(collect, [])
{:name, path} = Port.info(port, :name)
IO.inspect Path.basename(path)
send port, {self(), :close}
receive do {^port, :closed} -> IO.puts "closed" end
IO.inspect Port.info(port)
Process.flag(:trap_exit, true)
p2 = Port.open({:spawn, "sh -c 'exit 3'"}, [:exit_status])
receive do {^p2, {:exit_status, s}} -> IO.inspect s end
receive do {:EXIT, ^p2, r} -> IO.inspect r after 500 -> IO.puts "no exit" end
result =
  try do
    Port.command(p2, "x")
  rescue
    ArgumentError -> :closed
  end
IO.inspect result
counter = spawn(fn ->
  loop = fn loop, n ->
    receive do
      :inc -> loop.(loop, n + 1)
      {:get, from} -> send(from, {:count, n})
    end
  end
  loop.(loop, 0)
end)
Enum.each(1..10_000, fn _ -> send(counter, :inc) end)
send(counter, {:get, self()})
receive do {:count, n} -> IO.inspect n end
tasks = Enum.map(1..5, fn i -> Task.async(fn -> i * i end) end)
IO.inspect Enum.map(tasks, &Task.await/1)
IO.inspect Task.await_many(Enum.map(1..3, fn i -> Task.async(fn -> i end) end))
<<a::32, rest::binary>> = :erlang.term_to_binary({:a, 1}) <> <<0, 0>>
IO.inspect {a, byte_size(rest)}
IO.inspect Enum.map_join(1..3, ",", &Integer.to_string/1)
IO.inspect %{w | buffer: ""} |> Map.keys()
IO.inspect Enum.reduce_while(1..100, 0, fn x, acc -> if acc > 20, do: {:halt, acc}, else: {:cont, acc + x} end)
IO.inspect Enum.with_index(~w(a b)) |> Enum.into(%{})
IO.inspect String.split("a,b,,c", ",", trim: true)
IO.inspect Keyword.get([a: 1], :a)
IO.inspect Enum.group_by(1..6, &rem(&1, 3))
IO.inspect Enum.sort_by([{1, :b}, {2, :a}], &elem(&1, 1))
IO.inspect Enum.chunk_every(1..5, 2)
IO.inspect Enum.zip([1, 2], [:a, :b])
IO.inspect Stream.map(1..3, & &1 * 2) |> Enum.to_list()
IO.inspect List.flatten([1, [2, [3]]])
IO.puts inspect(%{a: [1, 2]}, pretty: true)
IO.inspect String.pad_leading("7", 3, "0")
