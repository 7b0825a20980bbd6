# Ports on descriptors. Number 8 is a named pipe, open for reading and writing: what is written comes back.

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
