# The driver of Erlang's runtime_tools that sends trace messages by TCP, from a script. A shell is the
# client: it writes what it reads from the connection to its port.
Process.flag(:trap_exit, true)
:ok = :erl_ddll.load(String.to_charlist(System.fetch_env!("DRIVER")), 'trace_ip_drv')

open = fn arguments ->
  try do
    Port.open({:spawn_driver, "trace_ip_drv" <> arguments}, [])
  rescue
    error -> error
  end
end

number = fn port ->
  <<0, number::16>> = :erlang.port_control(port, ?p, "")
  number
end

client = fn number ->
  script = "exec 3<>/dev/tcp/127.0.0.1/#{number} && exec cat <&3"
  Port.open({:spawn_executable, "/bin/bash"}, [{:args, ["-c", script]}, :binary, :exit_status])
end

defmodule Read do
  # So many bytes from a client.
  def bytes(_port, 0, text), do: text

  def bytes(port, count, text) do
    receive do
      {^port, {:data, data}} -> bytes(port, count - byte_size(data), text <> data)
    end
  end

  # What is left, and the client's exit status.
  def rest(port, text) do
    receive do
      {^port, {:data, data}} -> rest(port, text <> data)
      {^port, {:exit_status, status}} -> {text, status}
    end
  end

  # The records in a text: {operation, what}.
  def records(<<operation, size::32, what::binary-size(size), rest::binary>>) when operation == 0,
    do: [{operation, what} | records(rest)]

  def records(<<operation, size::32, rest::binary>>), do: [{operation, size} | records(rest)]
  def records(""), do: []
end

# What came before the client is kept.
port = open.(" 0 20 2")
early = for count <- 1..3, do: "early #{count}"
for text <- early, do: true = Port.command(port, text)
reader = client.(number.(port))
size = Enum.sum(for text <- early, do: 5 + byte_size(text))
IO.inspect(Read.records(Read.bytes(reader, size, "")))

# Then each at once, as terms too.
trace = :erlang.term_to_binary({:trace, :who, :call, {:lists, :seq, [1, 2]}})
true = Port.command(port, trace)
[{0, sent}] = Read.records(Read.bytes(reader, 5 + byte_size(trace), ""))
IO.inspect(:erlang.binary_to_term(sent))
big = String.duplicate("x", 200_000)
true = Port.command(port, big)
IO.inspect(Read.records(Read.bytes(reader, 200_005, "")) == [{0, big}])

# There is one question.
IO.inspect(
  try do
    :erlang.port_control(port, ?x, "")
  rescue
    error -> error
  end
)

# The end of the port is the end of the connection.
IO.inspect(Port.close(port))
IO.inspect(Read.rest(reader, ""))

receive do
  {:EXIT, ^port, reason} -> IO.inspect(reason)
end

# Of what the queue has no room for, the number is told.
port = open.(" 0 4 2")
for count <- 1..10, do: true = Port.command(port, "message #{count}")
reader = client.(number.(port))
sent = Read.bytes(reader, 4 * (5 + byte_size("message 1")) + 5, "")
IO.inspect(Read.records(sent))
true = Port.command(port, "later")
IO.inspect(Read.records(Read.bytes(reader, 10, "")))
IO.inspect(Port.close(port))
IO.inspect(Read.rest(reader, ""))

# A number that is taken, and nonsense.
port = open.(" 0 4 2")
IO.inspect(open.(" #{number.(port)} 4 2"))
for arguments <- ["", " ", " x", " 0", " 0 4"], do: IO.inspect({arguments, open.(arguments)})
IO.inspect(Port.close(port))
IO.inspect(:erl_ddll.unload('trace_ip_drv'))
