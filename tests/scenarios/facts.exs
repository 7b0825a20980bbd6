# Names, port_info, lists and data.

Scenario.tell("the items of Port.info", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, :eof])
  Port.info(p) |> Keyword.keys()
end)
Scenario.tell("the items of Port.info with a name", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Process.register(p, :scenario_named)
  Keyword.keys(Port.info(p))
end)

for item <- [:registered_name, :name, :input, :output, :monitors, :monitored_by, :parallelism, :queue_size, :locking] do
  Scenario.tell("item " <> inspect(item), 0, fn ->
    p = Port.open({:spawn, "cat -u"}, [])
    Port.info(p, item)
  end)
end

Scenario.tell("items that are ids and numbers", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  {:id, id} = Port.info(p, :id)
  {:os_pid, pid} = Port.info(p, :os_pid)
  {:memory, memory} = Port.info(p, :memory)
  {is_integer(id), is_integer(pid), is_integer(memory), Port.info(p, :connected) == {:connected, self()}}
end)
Scenario.tell("the name of an executable", 0, fn ->
  p = Port.open({:spawn_executable, "/bin/sh"}, args: ["-c", "cat"])
  Port.info(p, :name)
end)
Scenario.tell("the name holds bytes", 0, fn ->
  p = Port.open({:spawn, "cat # \u00f6"}, [])
  {:name, name} = Port.info(p, :name)
  :erlang.list_to_binary(name)
end)
for item <- [:nothing, [:name, :id], "name", 17] do
  Scenario.tell("no item: " <> inspect(item), 0, fn ->
    p = Port.open({:spawn, "cat"}, [])
    Port.info(p, item)
  end)
end
Scenario.tell("a closed port tells nothing", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  {Port.info(p), Port.info(p, :name), :erlang.port_info(p), :erlang.port_info(p, :nothing)}
end)
Scenario.tell("an unknown name tells nothing", 0, fn -> {:erlang.port_info(:not_registered), :erlang.port_info(:not_registered, :name)} end)
for what <- [17, "text", {1}] do
  Scenario.tell("no port: " <> inspect(what), 0, fn -> :erlang.port_info(what) end)
end

Scenario.tell("a port by its name", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.register(p, :my_port)
  Port.command(:my_port, "named")
  send(:my_port, {self(), {:command, "!"}})
  receive_all = fn receive_all, text ->
    if text == "named!" do
      text
    else
      receive do
        {^p, {:data, more}} -> receive_all.(receive_all, text <> more)
      end
    end
  end
  {receive_all.(receive_all, ""), Port.info(p, :registered_name), Process.whereis(:my_port) == p, Port.close(:my_port), Process.whereis(:my_port)}
end)
Scenario.tell("a name that is taken", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Process.register(self(), :scenario_taken)
  :erlang.register(:scenario_taken, p)
end)
Scenario.tell("a second name", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Process.register(p, :scenario_first)
  :erlang.register(:scenario_second, p)
end)
Scenario.tell("a name for a closed port", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  :erlang.register(:scenario_closed, p)
end)
Scenario.tell("a name that nobody has", 0, fn -> Port.command(:not_registered, "x") end)
Scenario.tell("a message to a name that nobody has", 0, fn -> send(:not_registered, :hello) end)

Scenario.tell("the list of ports", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  before = p in Port.list()
  Port.close(p)
  {before, p in Port.list()}
end)
Scenario.tell("data of a port", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  first = :erlang.port_get_data(p)
  set = :erlang.port_set_data(p, {:any, "term"})
  second = :erlang.port_get_data(p)
  Port.close(p)
  {first, set, second}
end)
Scenario.tell("data of a closed port", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  :erlang.port_get_data(p)
end)
Scenario.tell("ports are terms of their own", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  text = :erlang.list_to_binary(:erlang.port_to_list(p))
  {is_port(p), is_pid(p), text == inspect(p)}
end)
Scenario.tell("no control for programs", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  :erlang.port_control(p, 0, [])
end)
Scenario.tell("no call for programs", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  :erlang.port_call(p, 0, :term)
end)
