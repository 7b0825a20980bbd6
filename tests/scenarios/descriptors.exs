# Ports on descriptors. Number 8 is a named pipe, open for reading and writing: what is written comes back.
# Number 9 is one that is at its end.

Scenario.tell("there and back", 1, fn ->
  p = Port.open({:fd, 8, 8}, [:binary])
  Port.command(p, "hello")
end)
Scenario.tell("closing leaves the descriptor open", 2, fn ->
  p = Port.open({:fd, 8, 8}, [:binary])
  Port.close(p)
  q = Port.open({:fd, 8, 8}, [:binary])
  Port.command(q, "again")
end)
Scenario.exact("packets", 2, fn ->
  p = Port.open({:fd, 8, 8}, [:binary, packet: 2])
  Port.command(p, "one")
  Port.command(p, "two")
end)
Scenario.exact("lines", 2, fn ->
  p = Port.open({:fd, 8, 8}, [:binary, line: 5])
  Port.command(p, "longer\n")
end)
Scenario.tell("in only", 1, fn ->
  p = Port.open({:fd, 8, 77}, [:binary, :in])
  Port.command(p, "x")
end)
Scenario.tell("out only", 1, fn ->
  out = Port.open({:fd, 77, 8}, [:binary, :out])
  Port.command(out, "one way")
  Port.close(out)
  p = Port.open({:fd, 8, 77}, [:binary, :in])
  receive do
    {^p, {:data, text}} -> text
  end
end)
Scenario.tell("facts", 0, fn ->
  p = Port.open({:fd, 8, 8}, [:binary])
  {Port.info(p, :name), Port.info(p, :os_pid), Port.info(p, :locking), Port.close(p), Scenario.flush(1) |> length()}
end)
Scenario.tell("no control", 1, fn ->
  p = Port.open({:fd, 8, 8}, [])
  result = try do
    :erlang.port_control(p, 1, "")
  catch
    :error, reason -> reason
  end
  Port.close(p)
  result
end)

for name <- [{:fd, -1, 8}, {:fd, 8, -1}, {:fd, 100_000_000, 8}, {:fd, 8}, {:fd, 8.0, 8}, {:fd, :in, :out}, {:fd, 8, 8, 8}] do
  Scenario.tell("the name " <> inspect(name), 0, fn -> Port.open(name, []) end)
end
Scenario.tell("a negative number in a direction that is not used", 0, fn -> is_port(Port.open({:fd, 8, -1}, [:in])) end)

for option <- [:exit_status, {:args, []}, {:arg0, "x"}] do
  Scenario.tell("refused: " <> inspect(option), 0, fn -> Port.open({:fd, 8, 8}, [option]) end)
end

# Numbers, at their edges.
for name <- [{:fd, 1_152_921_504_606_846_976, 8}, {:fd, 8, -1_152_921_504_606_846_977}, {:fd, 576_460_752_303_423_487, 8}, {:fd, 576_460_752_303_423_488, 8},
      {:fd, -576_460_752_303_423_488, 8}, {:fd, 8, 576_460_752_303_423_487}, {:fd, 8, 4_294_967_304}, {:fd, 4_294_967_304, 8}, {:fd, "8", 8}, {:fd, '8', 8}, {:fd, 8, nil}] do
  for options <- [[], [:in], [:out]] do
    Scenario.to_end("the numbers of " <> inspect({name, options}), fn ->
      p = Port.open(name, options)
      Process.unlink(p)
      Port.close(p)
    end)
  end
end
Scenario.tell("a number that is not open", 1, fn ->
  p = Port.open({:fd, 77, 77}, [:binary])
  {Port.info(p, :name), Port.command(p, "x")}
end)
Scenario.tell("a number that is not open, nothing written", 0, fn ->
  p = Port.open({:fd, 77, 77}, [:binary])
  {is_list(Port.info(p)), Port.close(p)}
end)
Scenario.tell("a number that is not open, out only", 1, fn ->
  p = Port.open({:fd, 0, 77}, [:out])
  Port.command(p, "x")
end)
for options <- [[:in], [:in, :binary], [:in, packet: 2]] do
  Scenario.tell("an empty command to " <> inspect(options), 1, fn -> Port.command(Port.open({:fd, 8, 8}, options), "") end)
end
Scenario.tell("no call", 0, fn ->
  p = Port.open({:fd, 8, 8}, [])
  result = try do
    :erlang.port_call(p, 1, [])
  catch
    :error, reason -> reason
  end
  Process.unlink(p)
  {result, Port.close(p)}
end)
Scenario.tell("killed, the descriptor stays open", 0, fn ->
  p = Port.open({:fd, 8, 8}, [:binary])
  Process.exit(p, :kill)
  killed = Scenario.flush(1)
  q = Port.open({:fd, 8, 8}, [:binary])
  Port.command(q, "again")
  {length(killed), Scenario.flush(1) == [{q, {:data, "again"}}]}
end)
Scenario.tell("eof changes nothing while there is no end", 1, fn ->
  p = Port.open({:fd, 8, 8}, [:binary, :eof])
  Port.command(p, "more")
end)

# At the end of the input.
for options <- [[], [:in], [:eof], [:eof, :in], [packet: 2], [line: 5], [:eof, packet: 4], [:eof, line: 5], [:stream, :eof]] do
  Scenario.tell("at the end of its input: " <> inspect(options), 1, fn -> is_port(Port.open({:fd, 9, 8}, [:binary | options])) end)
end
Scenario.tell("out only, the end of an input is not seen", 0, fn ->
  p = Port.open({:fd, 9, 8}, [:out])
  {is_list(Port.info(p)), Port.close(p), Scenario.flush(1)}
end)
Scenario.tell("told of the end, it stays and takes commands", 0, fn ->
  p = Port.open({:fd, 9, 8}, [:binary, :eof])
  told = Scenario.flush(1) == [{p, :eof}]
  Port.command(p, "still here")
  q = Port.open({:fd, 8, 77}, [:binary, :in])
  heard = receive do
    {^q, {:data, text}} -> text
  end
  {told, heard, is_list(Port.info(p)), Port.close(q), Port.close(p), length(Scenario.flush(2))}
end)
Scenario.tell("the end is there for the next port, too", 0, fn ->
  p = Port.open({:fd, 9, 8}, [:eof])
  first = Scenario.flush(1) == [{p, :eof}]
  Port.close(p)
  Scenario.flush(1)
  q = Port.open({:fd, 9, 8}, [])
  {first, Scenario.flush(1) == [{:EXIT, q, :normal}], Port.info(p), Port.info(q)}
end)

# Two ports on one descriptor: the second takes it away from the first.
for {which, options} <- [both: [], in: [:in]] do
  Scenario.tell("two ports on one descriptor, #{which}: who hears", 0, fn ->
    p = Port.open({:fd, 8, 8}, [:binary | options])
    q = Port.open({:fd, 8, 8}, [:binary | options])
    writer = if which == :both, do: p, else: Port.open({:fd, 77, 8}, [:out])
    Port.command(writer, "a")
    heard = Scenario.flush(1) == [{q, {:data, "a"}}]
    {heard, is_list(Port.info(p)), is_list(Port.info(q))}
  end)
  Scenario.tell("two ports on one descriptor, #{which}: the second is closed", 0, fn ->
    p = Port.open({:fd, 8, 8}, [:binary | options])
    q = Port.open({:fd, 8, 8}, [:binary | options])
    closed = {Port.close(q), Scenario.flush(1) == [{:EXIT, q, :normal}], is_list(Port.info(p))}
    again = {Port.close(p), Scenario.flush(1) == [{:EXIT, p, :normal}]}
    r = Port.open({:fd, 8, 8}, [:binary])
    Port.command(r, "b")
    {closed, again, Scenario.flush(1) == [{r, {:data, "b"}}]}
  end)
end
Scenario.tell("two ports that write to one descriptor", 0, fn ->
  p = Port.open({:fd, 77, 8}, [:out])
  q = Port.open({:fd, 77, 8}, [:out])
  r = Port.open({:fd, 8, 77}, [:binary, :in])
  Port.command(p, "one ")
  [{^r, {:data, one}}] = Scenario.flush(1)
  Port.command(q, "two")
  [{^r, {:data, two}}] = Scenario.flush(1)
  {one <> two, Port.close(p), Port.close(q), length(Scenario.flush(2))}
end)
