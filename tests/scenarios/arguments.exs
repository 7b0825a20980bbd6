# Every port function, with every kind of first argument that is no open port, and with wrong
# arguments behind an open one: what is raised, and the words of the message.

drivers = String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS"))
for name <- ['call_drv', 'counter_drv'], do: :ok = :erl_ddll.load_driver(drivers, name)

words = fn question ->
  try do
    question.()
  rescue
    error -> {error.__struct__, Exception.message(error)}
  end
end
ends = fn ->
  receive do
    {:EXIT, _, reason} -> reason
  end
end
closed = fn ->
  p = Port.open({:spawn, "cat"}, [])
  Port.close(p)
  ends.()
  p
end
# One that has ended for those who ask, and waits for its queue behind the scenes.
closing = fn ->
  p = Port.open({:spawn_driver, "probe_drv"}, [])
  :erlang.port_control(p, ?q, "eabc")
  Port.close(p)
  ends.()
  p
end
:ok = :erl_ddll.load_driver(drivers, 'probe_drv')
named_process = fn ->
  Process.register(self(), :scenario_a_process)
  :scenario_a_process
end

firsts = [
  {"a pid", fn -> self() end},
  {"a reference", fn -> make_ref() end},
  {"an integer", fn -> 17 end},
  {"a float", fn -> 1.5 end},
  {"a string", fn -> "cat" end},
  {"a charlist", fn -> 'cat' end},
  {"an empty list", fn -> [] end},
  {"a tuple", fn -> {:scenario, Node.self()} end},
  {"a map", fn -> %{} end},
  {"a function", fn -> &is_port/1 end},
  {"an unknown name", fn -> :scenario_unknown end},
  {"undefined", fn -> :undefined end},
  {"nil", fn -> nil end},
  {"the name of a process", named_process},
  {"a closed port", closed},
  {"a closing port", closing}
]

# A closing port of a driver lives on until its queue is empty.
done = fn first ->
  try do
    :erlang.port_control(first, ?q, "d3")
  catch
    :error, :badarg -> :done
  end
end

functions = [
  {"port_command/2", fn p -> :erlang.port_command(p, "x") end},
  {"port_command/3", fn p -> :erlang.port_command(p, "x", [:nosuspend]) end},
  {"port_command/3 with force", fn p -> :erlang.port_command(p, "x", [:force]) end},
  {"port_close", fn p -> :erlang.port_close(p) end},
  {"port_connect", fn p -> :erlang.port_connect(p, self()) end},
  {"port_control", fn p -> :erlang.port_control(p, ?k, "") end},
  {"port_call/2", fn p -> :erlang.port_call(p, :term) end},
  {"port_call/3", fn p -> :erlang.port_call(p, 1, :term) end},
  {"port_set_data", fn p -> :erlang.port_set_data(p, 1) end},
  {"port_get_data", fn p -> :erlang.port_get_data(p) end},
  {"port_info/1", fn p -> is_list(:erlang.port_info(p)) or :erlang.port_info(p) end},
  {"port_info/2", fn p -> :erlang.port_info(p, :queue_size) end},
  {"port_info/2, no item", fn p -> :erlang.port_info(p, :nothing) end},
  {"Port.command", fn p -> Port.command(p, "x") end},
  {"Port.close", fn p -> Port.close(p) end},
  {"Port.connect", fn p -> Port.connect(p, self()) end},
  {"Port.info/1", fn p -> is_list(Port.info(p)) or Port.info(p) end},
  {"Port.info/2", fn p -> Port.info(p, :queue_size) end},
  {"Port.info/2, registered_name", fn p -> Port.info(p, :registered_name) end},
  {"port_to_list", fn p -> is_list(:erlang.port_to_list(p)) end},
  {"is_port", fn p -> is_port(p) end}
]

# Erlang never comes back from asking a closing port for an item that does not exist.
hangs = {"port_info/2, no item", "a closing port"}
for {function, call} <- functions, {what, make} <- firsts, {function, what} != hangs do
  Scenario.answer(function <> " of " <> what, fn ->
    first = make.()
    answer = words.(fn -> call.(first) end)
    done.(first)
    answer
  end)
end

# Signals name their port in the same ways. What is no port may still be a process.
nobodies = Enum.reject(firsts, fn {what, _} -> what in ["a pid", "the name of a process", "a closing port"] end)
signals = [
  {"send", fn to -> send(to, :hello) == :hello end},
  {"link", fn to -> Process.link(to) end},
  {"unlink", fn to -> Process.unlink(to) end},
  {"exit", fn to -> Process.exit(to, :boom) end}
]
for {function, call} <- signals, {what, make} <- nobodies do
  messages = if function == "link" and what == "a closed port", do: 1, else: 0
  Scenario.tell(function <> " to " <> what, messages, fn ->
    to = make.()
    words.(fn -> call.(to) end)
  end)
end
monitors = Enum.reject(firsts, fn {what, _} -> what in ["an unknown name", "undefined", "nil", "the name of a process", "a closed port", "a closing port"] end)
for {what, make} <- monitors do
  Scenario.answer("monitor a port that is " <> what, fn ->
    to = make.()
    words.(fn -> Port.monitor(to) end)
  end)
end
for {what, make} <- firsts, what in ["an unknown name", "undefined", "nil", "the name of a process", "a closed port"] do
  Scenario.tell("monitor a port that is " <> what, 1, fn -> is_reference(Port.monitor(make.())) end)
end
Scenario.tell("monitor a closing port", 1, fn ->
  p = closing.()
  {is_reference(Port.monitor(p)), done.(p)}
end)

# An open port, and what comes behind it.
open = fn -> Port.open({:spawn, "cat"}, [:binary]) end
seconds = [
  {"port_command an atom", open, fn p -> :erlang.port_command(p, :atom) end},
  {"port_command 256", open, fn p -> :erlang.port_command(p, [256]) end},
  {"port_command -1", open, fn p -> :erlang.port_command(p, [-1]) end},
  {"port_command a float", open, fn p -> :erlang.port_command(p, 1.5) end},
  {"port_command a number", open, fn p -> :erlang.port_command(p, 7) end},
  {"port_command a bad tail", open, fn p -> :erlang.port_command(p, ["a" | 98]) end},
  {"port_command a tuple", open, fn p -> :erlang.port_command(p, {"a"}) end},
  {"port_command a map", open, fn p -> :erlang.port_command(p, %{}) end},
  {"port_command code points", open, fn p -> :erlang.port_command(p, [8364]) end},
  {"port_command an atom, no flag", open, fn p -> :erlang.port_command(p, :atom, [:what]) end},
  {"port_command an atom, with force", open, fn p -> :erlang.port_command(p, :atom, [:force]) end},
  {"port_command to nobody, no flag", fn -> :scenario_unknown end, fn p -> :erlang.port_command(p, "x", [:what]) end},
  {"port_command to nobody an atom, no flag", fn -> 17 end, fn p -> :erlang.port_command(p, :atom, :what) end},
  {"port_command an atom, closed", closed, fn p -> :erlang.port_command(p, :atom) end},
  {"port_command an atom with force, closed", closed, fn p -> :erlang.port_command(p, :atom, [:force]) end},
  {"port_command an atom, closing", closing, fn p -> {words.(fn -> :erlang.port_command(p, :atom) end), done.(p)} end},
  {"port_command an atom with force, closing", closing, fn p -> {words.(fn -> :erlang.port_command(p, :atom, [:force]) end), done.(p)} end},
  {"port_connect an atom, closing", closing, fn p -> {words.(fn -> :erlang.port_connect(p, :atom) end), done.(p)} end},
  {"port_connect an atom", open, fn p -> :erlang.port_connect(p, :atom) end},
  {"port_connect a port", open, fn p -> :erlang.port_connect(p, p) end},
  {"port_connect the name of a process", open, fn p -> :erlang.port_connect(p, named_process.()) end},
  {"port_connect nobody an atom", fn -> :scenario_unknown end, fn p -> :erlang.port_connect(p, :atom) end},
  {"port_connect a number an atom", fn -> 17 end, fn p -> :erlang.port_connect(p, :atom) end},
  {"port_info a string", open, fn p -> :erlang.port_info(p, "name") end},
  {"port_info a list", open, fn p -> :erlang.port_info(p, [:name]) end},
  {"port_info an empty list", open, fn p -> :erlang.port_info(p, []) end},
  {"port_info a tuple", open, fn p -> :erlang.port_info(p, {:name}) end},
  {"Port.info an unknown item", open, fn p -> Port.info(p, :nothing) end},
  {"Port.info a string", open, fn p -> Port.info(p, "name") end},
  {"a string by Port.info", fn -> "cat" end, fn p -> Port.info(p, "name") end},
  {"a string, no item of a string", fn -> "cat" end, fn p -> :erlang.port_info(p, 17) end}
]
for {name, make, call} <- seconds do
  Scenario.answer(name, fn ->
    first = make.()
    words.(fn -> call.(first) end)
  end)
end

# Operation numbers and data, for a program, for a driver without the function, and for one with it.
ports = [
  {"a program", open, [:control, :call]},
  {"call_drv", fn -> Port.open({:spawn_driver, "call_drv"}, []) end, [:control, :call]},
  {"counter_drv", fn -> Port.open({:spawn_driver, "counter_drv"}, []) end, [:control, :call]},
  {"nobody", fn -> :scenario_unknown end, [:control, :call]},
  {"a number", fn -> 17 end, [:control, :call]}
]
operations = [-1, 0, 4_294_967_295, 4_294_967_296, 18_446_744_073_709_551_616, -18_446_744_073_709_551_616, 1.0, :atom, "1", [1], nil]
for {whom, make, _} <- ports, operation <- operations do
  Scenario.answer("control #{inspect(operation)} of " <> whom, fn ->
    p = make.()
    words.(fn -> :erlang.port_control(p, operation, "") end)
  end)
  Scenario.answer("call #{inspect(operation)} of " <> whom, fn ->
    p = make.()
    words.(fn -> :erlang.port_call(p, operation, {:a, "term"}) end)
  end)
end
for {whom, make, _} <- ports, data <- [:atom, 7, [256], ["a" | 98], {"a"}, %{}, 1.5] do
  Scenario.answer("control with #{inspect(data)} of " <> whom, fn ->
    p = make.()
    words.(fn -> :erlang.port_control(p, ?g, data) end)
  end)
end
Scenario.answer("control with a bad operation and bad data", fn -> words.(fn -> :erlang.port_control(open.(), -1, :atom) end) end)
Scenario.answer("control of a number with everything bad", fn -> words.(fn -> :erlang.port_control(17, :atom, :atom) end) end)
Scenario.answer("call of a number with everything bad", fn -> words.(fn -> :erlang.port_call(17, :atom, :atom) end) end)
for data <- ["", [], "5", '5', ["5", []], [?5 | "0"]] do
  Scenario.answer("control with #{inspect(data)}", fn ->
    p = Port.open({:spawn_driver, "counter_drv"}, [])
    words.(fn -> {:erlang.port_control(p, ?g, data), :erlang.port_call(Port.open({:spawn_driver, "call_drv"}, []), 3, data)} end)
  end)
end
Scenario.answer("port_call/2 is operation 0", fn ->
  p = Port.open({:spawn_driver, "call_drv"}, [])
  {:erlang.port_call(p, [1]), :erlang.port_call(p, 0, [1])}
end)
