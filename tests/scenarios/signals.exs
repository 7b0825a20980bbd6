# Links, monitors and exit signals.

for reason <- [:normal, :boom, :shutdown, {:a, 1}] do
  Scenario.tell("an exit signal of " <> inspect(reason), 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Process.exit(p, reason)
  end)
end

Scenario.tell("an exit signal of kill", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.exit(p, :kill)
end)
Scenario.untrapped("the reason kills an owner that does not trap", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.exit(p, :boom)
  Scenario.flush(1)
end)
Scenario.untrapped("normal does not kill an owner", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.exit(p, :normal)
  Scenario.eventually(fn -> Port.info(p) == nil end)
end)
Scenario.tell("normal from a stranger closes", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  spawn(fn -> Process.exit(p, :normal) end)
  :told
end)
Scenario.tell("an exit signal to a closed port", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.close(p)
  Process.exit(p, :boom)
end)
Scenario.tell("a linked stranger that ends normally", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  spawn(fn -> Process.link(p); send(me, :linked) end)
  messages = Scenario.flush(1)
  {messages, is_list(Port.info(p)), Port.close(p)}
end)
Scenario.tell("a linked stranger that fails", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  spawn(fn -> Process.link(p); send(me, :linked); exit(:boom) end)
  :told
end)
Scenario.tell("a link to a closed port", 2, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  Process.link(p)
end)
Scenario.untrapped("a link to a closed port, not trapping", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  Process.link(p)
end)
Scenario.tell("an unlinked port ends unseen", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  {Process.unlink(p), Process.unlink(p), Port.close(p)}
end)
Scenario.tell("links show on both sides", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  {:links, links} = Process.info(self(), :links)
  {p in links, Port.info(p, :links) == {:links, [self()]}}
end)

Scenario.tell("a monitor", 2, fn ->
  p = Port.open({:spawn, "cat"}, [])
  r = Port.monitor(p)
  Port.close(p)
  is_reference(r)
end)
for reason <- [:normal, :boom, :kill] do
  Scenario.tell("a monitor and an exit signal of " <> inspect(reason), 2, fn ->
    p = Port.open({:spawn, "cat"}, [])
    Port.monitor(p)
    Process.exit(p, reason)
  end)
end
Scenario.tell("a monitor by name", 2, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Process.register(p, :scenario_monitored)
  Port.monitor(:scenario_monitored)
  Port.close(p)
end)
Scenario.tell("a monitor of an unknown name", 1, fn -> is_reference(Port.monitor(:not_registered)) end)
Scenario.tell("a monitor of a closed port", 2, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  is_reference(Port.monitor(p))
end)
Scenario.tell("a port is no process to monitor", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Process.monitor(p)
end)
Scenario.tell("a process is no port to monitor", 0, fn -> Port.monitor(self()) end)
Scenario.tell("two monitors", 3, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.monitor(p)
  Port.monitor(p)
  {:monitored_by, by} = Port.info(p, :monitored_by)
  {Port.close(p), by == [self(), self()]}
end)
Scenario.tell("a monitor taken back", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  r = Port.monitor(p)
  {Port.demonitor(r), Port.demonitor(r), Port.close(p)}
end)
Scenario.tell("a monitor taken back with its message", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  r = Port.monitor(p)
  Port.close(p)
  {Port.demonitor(r, [:flush, :info]), Port.demonitor(r, [:info])}
end)
Scenario.tell("a monitor and the end of a program", 2, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.monitor(p)
  {:os_pid, pid} = Port.info(p, :os_pid)
  Scenario.kill(pid)
end)
Scenario.tell("a monitor and eof", 1, fn ->
  p = Port.open({:spawn, "true"}, [:eof])
  Port.monitor(p)
  :waiting
end)
