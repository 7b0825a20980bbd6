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
