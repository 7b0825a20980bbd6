# What a process may do with a port that is another's, and to whom the answer goes.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")

# What is loaded goes with the process that loaded it, so this one loads for all.
for name <- ["counter_drv", "call_drv", "echo_drv"] do
  :ok = :erl_ddll.load_driver(String.to_charlist(drivers), String.to_charlist(name))
end

# What `work` gives in a process that has nothing to do with the port, and what that one hears.
by_a_stranger = fn work ->
  teller = self()

  pid =
    spawn(fn ->
      Process.flag(:trap_exit, true)

      result =
        try do
          work.()
        catch
          :error, reason -> {:raises, reason}
        end

      send(teller, {:stranger, self(), {result, Scenario.flush(0)}})
    end)

  receive do
    {:stranger, ^pid, result} -> result
  after
    20_000 -> :no_answer
  end
end

Scenario.tell("control", 0, fn ->
  p = Port.open({:spawn_driver, "counter_drv"}, [:binary])
  Port.command(p, "3")
  {by_a_stranger.(fn -> :erlang.port_control(p, ?g, "") end), :erlang.port_control(p, ?g, "")}
end)

Scenario.tell("control by name", 0, fn ->
  p = Port.open({:spawn_driver, "counter_drv"}, [])
  Process.register(p, :strangers_counter)
  Port.command(p, "4")
  {by_a_stranger.(fn -> :erlang.port_control(:strangers_counter, ?g, []) end), :erlang.port_control(:strangers_counter, ?g, [])}
end)

Scenario.tell("a control that the driver refuses", 0, fn ->
  p = Port.open({:spawn_driver, "counter_drv"}, [])
  {by_a_stranger.(fn -> :erlang.port_control(p, 17, []) end), is_list(Port.info(p))}
end)

Scenario.tell("call", 0, fn ->
  p = Port.open({:spawn_driver, "call_drv"}, [])
  by_a_stranger.(fn -> :erlang.port_call(p, 7, {:some, "term"}) end)
end)

Scenario.tell("call by name", 0, fn ->
  p = Port.open({:spawn_driver, "call_drv"}, [])
  Process.register(p, :strangers_call)
  {by_a_stranger.(fn -> :erlang.port_call(:strangers_call, 7, [1]) end), by_a_stranger.(fn -> :erlang.port_call(:strangers_call, {}) end)}
end)

Scenario.tell("command: the answer goes to the owner", 1, fn ->
  p = Port.open({:spawn_driver, "echo_drv"}, [:binary])
  by_a_stranger.(fn -> Port.command(p, "x") end)
end)

Scenario.tell("command of a program: the answer goes to the owner", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  by_a_stranger.(fn -> Port.command(p, "x") end)
end)

Scenario.tell("command of no data: the owner hears nothing", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  {by_a_stranger.(fn -> Port.command(p, :no_data) end), is_list(Port.info(p))}
end)

Scenario.tell("facts and data", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  owner = self()
  :erlang.port_set_data(p, :mine)

  by_a_stranger.(fn ->
    {Port.info(p, :connected) == {:connected, owner}, :erlang.port_get_data(p), :erlang.port_set_data(p, :yours),
     p in Port.list()}
  end)
end)

Scenario.tell("a name", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  {by_a_stranger.(fn -> Process.register(p, :strangers_name) end), Process.whereis(:strangers_name) == p,
   by_a_stranger.(fn -> Process.unregister(:strangers_name) end), Port.info(p, :registered_name)}
end)

Scenario.tell("a link, and its end", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  {by_a_stranger.(fn -> Process.link(p) end), Scenario.eventually(fn -> Port.info(p, :links) == {:links, [self()]} end)}
end)

Scenario.tell("an unlink takes nothing of the owner's", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  {by_a_stranger.(fn -> Process.unlink(p) end), Port.info(p, :links) == {:links, [self()]}}
end)

Scenario.tell("connect to itself, and then it ends", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  by_a_stranger.(fn -> Port.connect(p, self()) end)
end)

Scenario.tell("connect to a third", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  third = Scenario.bystander()
  told = by_a_stranger.(fn -> Port.connect(p, third) end)
  owned = Port.info(p, :connected) == {:connected, third}
  send(third, {:stop, :normal})
  {told, owned}
end)

Scenario.tell("close: the stranger hears nothing", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  by_a_stranger.(fn -> Port.close(p) end)
end)

Scenario.tell("an exit signal", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  by_a_stranger.(fn -> Process.exit(p, :enough) end)
end)
