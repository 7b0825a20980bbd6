# Closing from our side: by each means, what is said to whom, and what is left of the program.

alive = fn pid -> File.exists?("/proc/#{pid}") end

# Another process that is linked, monitors, and tells us what it hears.
listener = fn p, linked ->
  me = self()
  q = spawn(fn ->
    Process.flag(:trap_exit, true)
    if linked, do: Process.link(p)
    Port.monitor(p)
    send(me, :listening)
    heard = Scenario.flush(if(linked, do: 2, else: 1))
    send(me, {:heard, Enum.map(heard, fn message -> {elem(message, 0), elem(message, tuple_size(message) - 1)} end)})
  end)
  receive do
    :listening -> q
  end
end
heard = fn ->
  receive do
    {:heard, messages} -> messages
  end
end

Scenario.together(fn ->

# How many messages the owner gets beside exits: an answer to a message.
means = [
  {"a call", 0, fn p -> Port.close(p) end},
  {"another's call", 0, fn p -> spawn(fn -> Port.close(p) end); :told end},
  {"a call by name", 0, fn p -> Process.register(p, :"closed_#{:erlang.unique_integer([:positive])}"); Port.close(elem(Port.info(p, :registered_name), 1)) end},
  {"a message", 1, fn p -> send(p, {self(), :close}); :sent end},
  {"another's message", 1, fn p -> me = self(); spawn(fn -> send(p, {me, :close}) end); :told end},
  {"a message to its name", 1, fn p ->
    name = :"closed_#{:erlang.unique_integer([:positive])}"
    Process.register(p, name)
    send(name, {self(), :close})
    :sent
  end}
]

for {name, answers, close} <- means do
  Scenario.tell("#{name}: linked, monitored", 2 + answers, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.monitor(p)
    close.(p)
  end)
  Scenario.tell("#{name}: unlinked", 1 + answers, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Process.unlink(p)
    Port.monitor(p)
    close.(p)
  end)
  Scenario.untrapped("#{name}: not trapping", 1 + answers, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.monitor(p)
    close.(p)
  end)
  for linked <- [true, false] do
    Scenario.tell("#{name}: another who monitors, linked: #{linked}", 1 + answers, fn ->
      p = Port.open({:spawn, "cat"}, [:binary])
      listener.(p, linked)
      close.(p)
      heard.()
    end)
  end
  for options <- [[:exit_status], [:eof], [:in], [:out], [:out, :exit_status, :eof]] do
    Scenario.tell("#{name}: #{inspect(options)}", 1 + answers, fn ->
      p = Port.open({:spawn, "sleep 3"}, options)
      close.(p)
    end)
  end
end
for linked <- [true, false] do
  Scenario.tell("a message in a stranger's name, linked: #{linked}", 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    if not linked, do: Process.unlink(p)
    me = self()
    spawn(fn -> send(p, {self(), :close}); send(me, :sent) end)
    receive do
      :sent -> is_list(Port.info(p))
    end
  end)
end
Scenario.untrapped("a message in a stranger's name, not trapping", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> send(p, {self(), :close}) end)
  Scenario.flush(1)
end)

Scenario.tell("on return the port is gone", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.register(p, :closing_named)
  {Port.close(p), Port.info(p), Port.info(p, :name), p in Port.list(), Process.whereis(:closing_named), :closing_named in Process.registered(),
   elem(Process.info(self(), :links), 1)}
end)
Scenario.tell("a message closes in its turn", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), :close})
  {Port.info(p), p in Port.list()}
end)
Scenario.tell("the name is free again", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.register(p, :closing_again)
  Port.close(p)
  q = Port.open({:spawn, "cat"}, [:binary])
  {Process.register(q, :closing_again), Process.whereis(:closing_again) == q}
end)

for {name, port} <- [{"an unknown name", :closing_nobody}, {"a process", self()}, {"a process's name", :init}, {"a number", 1}, {"a binary", "p"}, {"a reference", make_ref()}, {"nil", nil}, {"a tuple", {:closing_nobody, node()}}] do
  Scenario.tell("close what is no port: " <> name, 0, fn -> Port.close(port) end)
end
for {name, answers, close} <- means do
  Scenario.tell("a second time, after #{name}", 1 + answers, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    ended = Port.monitor(p)
    close.(p)
    receive do
      {:DOWN, ^ended, _, _, _} -> :ok
    end
    Port.close(p)
  end)
end
Scenario.tell("two messages, one answer", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), :close})
  send(p, {self(), :close})
  :sent
end)
for options <- [[], [:exit_status]] do
  Scenario.tell("a message after the end of the program: " <> inspect(options), 0, fn ->
    p = Port.open({:spawn, "true"}, options)
    ended = Scenario.flush(1 + length(options))
    send(p, {self(), :close})
    {ended, Scenario.flush(0)}
  end)
end
for options <- [[:eof], [:eof, :exit_status]], {name, answers, close} <- [Enum.at(means, 0), Enum.at(means, 3)] do
  Scenario.tell("after #{inspect(options)}, by #{name}", 1 + answers, fn ->
    p = Port.open({:spawn, "true"}, options)
    {Scenario.flush(length(options)), close.(p)}
  end)
end

# What is pending when we close.
Scenario.tell("half a line is dropped", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, :line])
  Port.command(p, "half")
  there = Scenario.eventually(fn -> Port.info(p, :input) == {:input, 4} end)
  send(p, {self(), :close})
  there
end)
Scenario.tell("half a packet is dropped", 2, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("printf '\\000\\002ab\\000\\002c'; read x < #{gate}", packet: 2)
  came = Scenario.flush(1)
  send(p, {self(), :close})
  Scenario.pass(gate)
  came
end)
Scenario.tell("what a program says later is dropped", 1, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("read x < #{gate}; echo late; : > said_late", [:exit_status])
  Port.close(p)
  Scenario.pass(gate)
  Scenario.eventually(fn -> File.exists?("said_late") end)
end)

# The program is never signalled.
Scenario.tell("a program that neither reads nor writes lives on", 1, fn ->
  p = Port.open({:spawn, "sleep 20"}, [])
  {:os_pid, pid} = Port.info(p, :os_pid)
  Port.close(p)
  {alive.(pid), Scenario.kill(pid), Scenario.eventually(fn -> not alive.(pid) end)}
end)
Scenario.tell("a program that reads ends, and is waited for", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  {:os_pid, pid} = Port.info(p, :os_pid)
  Port.close(p)
  Scenario.eventually(fn -> not alive.(pid) end)
end)
Scenario.tell("its input ends", 1, fn ->
  p = Scenario.sh("cat > input_ended; : > input_ended_read")
  Port.command(p, "all of it")
  Port.close(p)
  {Scenario.eventually(fn -> File.exists?("input_ended_read") end), File.read!("input_ended")}
end)
Scenario.tell("its writes fail", 1, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("read x < #{gate}; (echo x) 2>/dev/null; echo $? > write_failed.part; mv write_failed.part write_failed")
  Port.close(p)
  Scenario.pass(gate)
  {Scenario.eventually(fn -> File.exists?("write_failed") end), File.read!("write_failed") == "0\n"}
end)
Scenario.tell("there is no half-close", 1, fn ->
  p = Scenario.sh("sort 2>/dev/null; echo $? > sorted.part; mv sorted.part sorted")
  Port.command(p, "b\na\n")
  Port.close(p)
  {Scenario.eventually(fn -> File.exists?("sorted") end), File.read!("sorted")}
end)
for options <- [[], [:exit_status], [:eof, :exit_status]] do
  Scenario.tell("no status after a close, and no zombie: " <> inspect(options), 1, fn ->
    p = Scenario.sh("cat >/dev/null; exit 3", options)
    {:os_pid, pid} = Port.info(p, :os_pid)
    Port.close(p)
    Scenario.eventually(fn -> not alive.(pid) end)
  end)
end
end)
