# Who ends with a port and whom it ends with: exit signals, links, junk and monitors, row by row.

reasons = [:normal, :boom, :shutdown, :kill, :killed, :badsig]
terms = [{:a, 1}, [], ["list"], "text", 17, 1.5, 100_000_000_000_000_000_000, %{a: 1}, nil]
# A process that opens a port, tells us, and ends as it is told.
owner = fn linked, options ->
  me = self()
  q = spawn(fn ->
    p = Port.open({:spawn, "cat"}, [:binary | options])
    if not linked, do: Process.unlink(p)
    send(me, {:port, p})
    receive do
      {:stop, reason} -> exit(reason)
    end
  end)
  receive do
    {:port, p} -> {q, p}
  end
end
stop = fn q, reason -> if reason == :kill, do: Process.exit(q, :kill), else: send(q, {:stop, reason}) end
# A process that does `work`, and then waits.
other = fn work ->
  me = self()
  q = spawn(fn ->
    work.()
    send(me, :worked)
    receive do
      {:stop, reason} -> exit(reason)
    end
  end)
  receive do
    :worked -> q
  end
end
attempt = fn f ->
  try do
    f.()
  catch
    :error, reason -> {:raises, reason}
  end
end

Scenario.together(fn ->

# The owner ends.
for reason <- reasons ++ [{:a, 1}], linked <- [true, false] do
  Scenario.tell("the owner ends with #{inspect(reason)}, linked: #{linked}", 0, fn ->
    {q, p} = owner.(linked, [])
    Port.monitor(p)
    Process.link(p)
    stop.(q, reason)
    dead = Scenario.eventually(fn -> not Process.alive?(q) end)
    told = Scenario.flush(if(linked, do: 2, else: 0)) |> Enum.map(fn message -> {elem(message, 0), elem(message, tuple_size(message) - 1)} end)
    {dead, told, is_list(Port.info(p))}
  end)
  Scenario.tell("another who is linked ends with #{inspect(reason)}, unlinked before: #{not linked}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.monitor(p)
    q = other.(fn ->
      Process.link(p)
      if not linked, do: Process.unlink(p)
    end)
    stop.(q, reason)
    Scenario.eventually(fn -> not Process.alive?(q) end)
    told = Scenario.flush(if(linked and reason != :normal, do: 2, else: 0)) |> Enum.map(fn message -> {elem(message, 0), elem(message, tuple_size(message) - 1)} end)
    {told, is_list(Port.info(p)), Port.info(p, :links) == {:links, [self()]}}
  end)
end
Scenario.tell("an unlinked port without its owner", 0, fn ->
  {q, p} = owner.(false, [])
  send(q, {:stop, :boom})
  Scenario.eventually(fn -> not Process.alive?(q) end)
  alone = {Port.info(p, :connected) == {:connected, q}, Port.info(p, :links), Port.command(p, "lost")}
  lost = Scenario.eventually(fn -> Port.info(p, :input) == {:input, 4} end)
  send(p, {self(), {:command, "not mine"}})
  send(p, {self(), :close})
  send(p, :junk)
  survives = is_list(Port.info(p))
  send(p, {q, {:command, "in its name"}})
  heard = Scenario.eventually(fn -> Port.info(p, :input) == {:input, 15} end)
  adopted = {Port.connect(p, self()), Port.info(p, :connected) == {:connected, self()}, Port.info(p, :links) == {:links, [self()]}}
  Port.command(p, "mine")
  {alone, lost, survives, heard, adopted, Scenario.flush(1)}
end)
Scenario.tell("a dead owner may still close", 0, fn ->
  {q, p} = owner.(false, [])
  send(q, {:stop, :boom})
  Scenario.eventually(fn -> not Process.alive?(q) end)
  send(p, {q, :close})
  {Port.info(p), Scenario.flush(0)}
end)

# Exit signals.
for reason <- reasons ++ terms do
  Scenario.tell("exit by the owner: #{inspect(reason)}", 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    {Process.exit(p, reason), Port.info(p)}
  end)
  Scenario.tell("exit by a stranger: #{inspect(reason)}", 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    other.(fn -> Process.exit(p, reason) end)
    Port.info(p)
  end)
  Scenario.untrapped("exit, the owner does not trap: #{inspect(reason)}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Process.exit(p, reason)
    Scenario.flush(if(reason == :normal, do: 0, else: 1))
  end)
  Scenario.tell("exit of a closed port: #{inspect(reason)}", 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.close(p)
    Process.exit(p, reason)
  end)
end
for target <- [:no_such_name, "text", 17] do
  Scenario.tell("exit of what is no port: #{inspect(target)}", 0, fn -> attempt.(fn -> :erlang.exit(target, :boom) end) end)
end

# Links.
for {name, do_it} <- [{"link", &Process.link/1}, {"unlink", &Process.unlink/1}] do
  for target <- [:relations_nobody, "text", 17, nil, {:a, :b}] do
    Scenario.tell("#{name} #{inspect(target)}", 0, fn -> attempt.(fn -> do_it.(target) end) end)
  end
  Scenario.tell("#{name} by name", 0, fn ->
    p = Port.open({:spawn, "cat"}, [])
    Process.register(p, :"relations_#{name}")
    attempt.(fn -> do_it.(:"relations_#{name}") end)
  end)
  Scenario.tell("#{name} twice", 1, fn ->
    p = Port.open({:spawn, "cat"}, [])
    {do_it.(p), do_it.(p), Port.info(p, :links) |> elem(1) |> length(), p in elem(Process.info(self(), :links), 1), Port.monitor(p) |> is_reference(), Port.close(p)}
  end)
  Scenario.untrapped("#{name} of a closed port, not trapping", 0, fn ->
    p = Port.open({:spawn, "cat"}, [])
    Port.close(p)
    attempt.(fn -> do_it.(p) end)
  end)
  Scenario.tell("#{name} of a closed port", if(name == "link", do: 2, else: 1), fn ->
    p = Port.open({:spawn, "cat"}, [])
    Port.close(p)
    attempt.(fn -> do_it.(p) end)
  end)
end
Scenario.tell("links of several", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  q = other.(fn -> Process.link(p) end)
  links = elem(Port.info(p, :links), 1)
  seen = elem(Process.info(q, :links), 1)
  Port.close(p)
  {length(links), q in links, self() in links, seen == [p], Scenario.eventually(fn -> Process.info(q, :links) == {:links, []} end)}
end)

# Junk.
me = :me
junk = [:garbage, "text", 17, 1.5, [], [:close], {}, {:close}, {me}, {me, :close, 1}, {:close, me}, {me, :reopen}, {me, nil}, {me, {:command}}, {me, {:command, "x", 1}},
  {me, {:command, :bad}}, {me, {:command, [256]}}, {me, {:connect}}, {me, {:connect, :nobody}}, {me, {:connect, nil}}, {me, {:connect, 17}}, {me, {:connect, me, 1}},
  {me, {:close}}, {me, "close"}, {:nobody, :close}, {nil, {:command, "x"}}, {make_ref(), :close}, %{}, {me, {:nonsense, 1}}]
# The placeholder stands for the owner wherever it is.
fill = fn
  _again, :me -> self()
  again, tuple when is_tuple(tuple) -> tuple |> Tuple.to_list() |> Enum.map(fn part -> again.(again, part) end) |> List.to_tuple()
  _again, other -> other
end
for sent <- junk do
  Scenario.tell("junk #{inspect(sent)}", 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    message = fill.(fill, sent)
    {send(p, message) == message, is_list(Port.info(p))}
  end)
  Scenario.tell("junk #{inspect(sent)}, unlinked", 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Process.unlink(p)
    send(p, fill.(fill, sent))
    is_list(Port.info(p))
  end)
  Scenario.untrapped("junk #{inspect(sent)}, not trapping", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    send(p, fill.(fill, sent))
    Scenario.flush(1)
  end)
  Scenario.tell("junk #{inspect(sent)} to a closed port", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.close(p)
    message = fill.(fill, sent)
    {send(p, message) == message, Scenario.flush(1)}
  end)
end
for linked <- [true, false] do
  Scenario.tell("a stranger's junk kills the owner, linked: #{linked}", 0, fn ->
    {q, p} = owner.(linked, [])
    m = Process.monitor(q)
    Port.monitor(p)
    send(p, :junk)
    reason = receive do
      {:DOWN, ^m, _, _, reason} -> reason
    end
    told = Scenario.flush(if(linked, do: 1, else: 0)) |> Enum.map(fn message -> elem(message, 4) end)
    {reason, told, is_list(Port.info(p))}
  end)
end
Scenario.tell("what a name says that is no longer", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.register(p, :relations_gone)
  Port.close(p)
  {attempt.(fn -> send(:relations_gone, :junk) end), attempt.(fn -> send(:relations_gone, {self(), :close}) end),
   attempt.(fn -> send({:relations_gone, node()}, :junk) end)}
end)
Scenario.tell("a name with its node", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.register(p, :relations_node)
  send({:relations_node, node()}, {self(), {:command, "by name and node"}})
  send({:relations_node, node()}, :junk) == :junk
end)

# Monitors.
downs = fn messages -> for {:DOWN, _, kind, object, reason} <- messages, do: {kind, is_port(object) || object, reason} end
for {name, ends, options, reason} <- [
  {"a close", fn p -> Port.close(p) end, [], 1}, {"a message", fn p -> send(p, {self(), :close}) end, [], 2},
  {"the program's end", fn p -> Port.command(p, "\n") end, [], 1}, {"the program's end, with status", fn p -> Port.command(p, "\n") end, [:exit_status], 2},
  {"too long a packet", fn p -> Port.command(p, String.duplicate("x", 256)) end, [packet: 1], 1},
  {"a write that nobody may make", fn p -> Port.command(p, "x") end, [:in], 1},
  {"kill", fn p -> Process.exit(p, :kill) end, [], 1}, {"boom", fn p -> Process.exit(p, :boom) end, [], 1}] do
  Scenario.tell("monitors and #{name}", reason + 2, fn ->
    p = Scenario.sh(if(:in in options, do: "sleep 5", else: "read x; exit 3"), options)
    [a, b] = [Port.monitor(p), Port.monitor(p)]
    ends.(p)
    a != b
  end)
end
for how <- [:id, :name, :name_and_node] do
  Scenario.tell("a monitor by #{how}", 2, fn ->
    p = Port.open({:spawn, "cat"}, [])
    Process.register(p, :"monitored_by_#{how}")
    Port.monitor(case how do
      :id -> p
      :name -> :monitored_by_name
      :name_and_node -> {:monitored_by_name_and_node, node()}
    end)
    {Port.info(p, :monitored_by) == {:monitored_by, [self()]}, elem(Process.info(self(), :monitors), 1) |> length(), Port.close(p)}
  end)
end
for {name, target} <- [{"an unknown name", :monitored_nobody}, {"an unknown name here", {:monitored_nobody, node()}}, {"a process's name", :init}, {"a process's name here", {:init, node()}}] do
  Scenario.tell("a monitor of #{name}", 1, fn -> is_reference(Port.monitor(target)) end)
end
for target <- [17, "text", nil, [], {:a, :b, :c}, {"a", node()}] do
  Scenario.tell("a monitor of #{inspect(target)}", 0, fn -> attempt.(fn -> is_reference(:erlang.monitor(:port, target)) end) end)
end
Scenario.tell("a monitor of a process as a port", 0, fn -> attempt.(fn -> :erlang.monitor(:port, self()) end) end)
Scenario.tell("a monitor of a port as a process", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  attempt.(fn -> :erlang.monitor(:process, p) end)
end)
for options <- [[], [:flush], [:info], [:flush, :info]], ended <- [false, true] do
  Scenario.tell("a monitor taken back with #{inspect(options)}, after the end: #{ended}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [])
    Process.unlink(p)
    r = Port.monitor(p)
    if ended, do: Port.close(p)
    first = Port.demonitor(r, options)
    second = Port.demonitor(r, options)
    if not ended, do: Port.close(p)
    {first, second, length(Scenario.flush(0))}
  end)
end
Scenario.tell("another's monitor is not to be taken back", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Process.unlink(p)
  r = Port.monitor(p)
  q = other.(fn -> Port.demonitor(r) end)
  {is_pid(q), Port.info(p, :monitored_by) == {:monitored_by, [self()]}, Port.close(p)}
end)
for linked <- [true, false] do
  Scenario.tell("monitors of several, linked: #{linked}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [])
    if not linked, do: Process.unlink(p)
    teller = self()
    for n <- 1..3 do
      other.(fn ->
        Port.monitor(p)
        send(teller, {:watching, n})
      end)
    end
    for n <- 1..3, do: Port.monitor(p) && n
    count = Port.info(p, :monitored_by) |> elem(1) |> length()
    Port.close(p)
    {count, downs.(Scenario.flush(if(linked, do: 7, else: 6))) |> length()}
  end)
end
for options <- [[:eof], [:eof, :exit_status]] do
  Scenario.tell("eof is no end: #{inspect(options)}", 0, fn ->
    p = Scenario.sh("exit 0", options)
    Port.monitor(p)
    before = Scenario.flush(length(options))
    Port.close(p)
    {before, Scenario.flush(2)}
  end)
end
end)
