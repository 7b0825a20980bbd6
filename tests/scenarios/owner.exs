# Who owns a port, who may speak for its owner, and what strangers can do.

Scenario.tell("anybody may speak in the owner's name", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  spawn(fn -> send(p, {me, {:command, "from other"}}) end)
end)
Scenario.tell("nobody may speak in another name", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> send(p, {self(), {:command, "x"}}) end)
end)
Scenario.tell("anybody may call", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> Port.command(p, "bif from other") end)
end)

for junk <- [:garbage, {:a, :b}, "text", [1], {self(), :stop}, 17] do
  Scenario.tell("junk: " <> inspect(is_tuple(junk) and elem(junk, 0) == self() && :own_pid_of_another || junk), 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    send(p, junk)
    Scenario.flush(1) ++ [is_list(Port.info(p))]
  end)
end

Scenario.tell("an unknown command", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), :reopen})
  Scenario.flush(1) ++ [is_list(Port.info(p))]
end)
Scenario.untrapped("junk kills an owner that does not trap", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, :garbage)
  Scenario.flush(1)
end)
Scenario.tell("junk reaches an unlinked owner", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.unlink(p)
  send(p, :garbage)
  Scenario.flush(1) ++ [is_list(Port.info(p))]
end)
Scenario.tell("junk to a closed port", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
  send(p, :garbage)
end)

Scenario.tell("connect by message answers", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), {:connect, self()}})
end)
Scenario.tell("connect by message to what is no process", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), {:connect, :nobody}})
  :sent
end)
Scenario.tell("connect by message does not link", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  q = Scenario.bystander()
  send(p, {self(), {:connect, q}})
  connected = Scenario.flush(1)
  m = Process.monitor(q)
  send(q, {:stop, :normal})
  receive do
    {:DOWN, ^m, _, _, _} -> connected ++ [is_list(Port.info(p)), Port.info(p, :links) == {:links, [self()]}]
  end
end)
Scenario.tell("Port.connect links", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  q = Scenario.bystander()
  true = Port.connect(p, q)
  {:links, links} = Port.info(p, :links)
  {self() in links, q in links, Port.info(p, :connected) == {:connected, q}}
end)
Scenario.tell("the end of a new owner closes", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  q = Scenario.bystander()
  Port.connect(p, q)
  send(q, {:stop, :normal})
  :stopped
end)
Scenario.tell("connect to oneself", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  {Port.connect(p, self()), Port.info(p, :connected) == {:connected, self()}}
end)
Scenario.tell("connect to the dead", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  q = spawn(fn -> :ok end)
  Scenario.eventually(fn -> not Process.alive?(q) end)
  Port.connect(p, q)
end)
Scenario.tell("connect to what is no process", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.connect(p, :nobody)
end)
Scenario.tell("data follows the owner", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  q = spawn(fn ->
    receive do
      message -> send(me, {:other_got, message})
    end
  end)
  Port.connect(p, q)
  Process.unlink(p)
  Port.command(p, "x")
end)
Scenario.tell("the old owner has no say", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  q = spawn(fn ->
    Process.flag(:trap_exit, true)
    send(me, :ready)
    receive do
      message -> send(me, {:other_got, message})
    end
  end)
  receive do
    :ready -> :ok
  end
  Port.connect(p, q)
  Process.unlink(p)
  send(p, {self(), {:command, "x"}})
  :sent
end)
Scenario.tell("a port without its owner lives on when unlinked", 1, fn ->
  me = self()
  spawn(fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Process.unlink(p)
    send(me, {:port, p, self()})
  end)
  receive do
    {:port, p, q} ->
      Scenario.eventually(fn -> not Process.alive?(q) end)
      alive = is_list(Port.info(p))
      Port.connect(p, self())
      Port.command(p, "adopted")
      alive
  end
end)
Scenario.tell("a port ends with its owner", 1, fn ->
  me = self()
  q = spawn(fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    send(me, {:port, p})
    receive do
      {:stop, reason} -> exit(reason)
    end
  end)
  receive do
    {:port, p} ->
      Port.monitor(p)
      send(q, {:stop, :bored})
      :told
  end
end)
Scenario.tell("the status goes to the new owner", 2, fn ->
  me = self()
  spawn(fn ->
    p = Scenario.sh("read line; exit 4", [:exit_status])
    Port.connect(p, me)
    Process.unlink(p)
    Port.command(p, "go\n")
  end)
  :waiting
end)
