# Names of ports.

open = fn -> Port.open({:spawn, "cat"}, [:binary]) end
words = fn question ->
  try do
    question.()
  rescue
    error -> {error.__struct__, Exception.message(error)}
  end
end

Scenario.answer("register, whereis, registered, info", fn ->
  p = open.()
  {:erlang.register(:scenario_r1, p), Process.whereis(:scenario_r1) == p, :scenario_r1 in Process.registered(), Port.info(p, :registered_name), hd(Port.info(p))}
end)
Scenario.answer("Process.register is true", fn -> Process.register(open.(), :scenario_r2) end)
no_names = [nil, true, false, :undefined, "text", 17, 'name', {:a}]
for name <- no_names do
  Scenario.answer("whereis #{inspect(name)}", fn -> words.(fn -> :erlang.whereis(name) end) end)
end
for name <- no_names do
  Scenario.answer("Process.register as #{inspect(name)}", fn -> words.(fn -> Process.register(self(), name) end) |> is_tuple() end)
  Scenario.answer(":erlang.register as #{inspect(name)}", fn -> words.(fn -> :erlang.register(name, open.()) end) end)
end
for what <- [17, "text", :atom, 'list', nil] do
  Scenario.answer("register what is no port: #{inspect(what)}", fn -> words.(fn -> :erlang.register(:scenario_r3, what) end) end)
  Scenario.answer("Process.register what is no port: #{inspect(what)}", fn -> words.(fn -> Process.register(what, :scenario_r3) end) end)
end
# Each gets names of its own, for those of the story before may not be free yet.
refused = [
  {"a closed port", fn n -> p = open.(); Port.close(p); {n.(4), p} end},
  {"a name twice", fn n -> p = open.(); :erlang.register(n.(5), p); {n.(5), p} end},
  {"a second name", fn n -> p = open.(); :erlang.register(n.(6), p); {n.(7), p} end},
  {"another port's name", fn n -> :erlang.register(n.(8), open.()); {n.(8), open.()} end},
  {"a process's name", fn n -> :erlang.register(n.(9), self()); {n.(9), open.()} end},
  {"another port's name as a second name", fn n -> p = open.(); :erlang.register(n.(10), p); :erlang.register(n.(11), open.()); {n.(11), p} end},
  {"a process with a name under a port's name", fn n -> :erlang.register(n.(13), open.()); :erlang.register(n.(14), self()); {n.(13), self()} end},
  {"a dead process under a port's name", fn n -> :erlang.register(n.(15), open.()); q = spawn(fn -> :ok end); Scenario.eventually(fn -> not Process.alive?(q) end); {n.(15), q} end},
  {"a dead process", fn n -> q = spawn(fn -> :ok end); Scenario.eventually(fn -> not Process.alive?(q) end); {n.(16), q} end},
  {"a process under a port's name", fn n -> :erlang.register(n.(12), open.()); {n.(12), self()} end}
]
for {what, make} <- refused do
  Scenario.tell("refused: " <> what, if(what == "a closed port", do: 1, else: 0), fn ->
    {name, p} = make.(fn number -> :"scenario_a#{number}" end)
    words.(fn -> :erlang.register(name, p) end)
  end)
  Scenario.tell("refused by Process: " <> what, if(what == "a closed port", do: 1, else: 0), fn ->
    {name, p} = make.(fn number -> :"scenario_b#{number}" end)
    {class, text} = words.(fn -> Process.register(p, name) end)
    # The text says which port.
    {class, String.replace(text, inspect(p), "it")}
  end)
end
Scenario.tell("closing frees the name", 1, fn ->
  p = open.()
  Process.register(p, :scenario_free)
  closed = Port.close(:scenario_free)
  q = open.()
  {closed, Process.whereis(:scenario_free), Process.register(q, :scenario_free), Process.whereis(:scenario_free) == q, :scenario_free in Process.registered()}
end)
Scenario.tell("a closing port has no name", 1, fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "cat >&2; exit")
  Process.register(p, :scenario_closing)
  Port.command(p, String.duplicate("x", 300_000))
  Port.close(p)
  state = {is_list(Port.info(p)), Port.info(p, :registered_name), :erlang.port_info(p, :registered_name), Process.whereis(:scenario_closing), words.(fn -> :erlang.register(:scenario_closing2, p) end), Process.register(self(), :scenario_closing)}
  Scenario.open_gate(gate)
  state
end)
Scenario.answer("unregister, and another name", fn ->
  p = open.()
  Process.register(p, :scenario_old)
  {Process.unregister(:scenario_old), Port.info(p, :registered_name), Process.register(p, :scenario_new), Port.info(p, :registered_name), words.(fn -> Process.unregister(:scenario_old) end)}
end)
for name <- [:scenario_nobody, "text", 17, nil, :undefined] do
  Scenario.answer("unregister #{inspect(name)}", fn -> words.(fn -> :erlang.unregister(name) end) end)
end

# Everything by name.
calls = [
  {"Port.command", fn name -> Port.command(name, "x") end, 1},
  {"Port.command/3", fn name -> Port.command(name, "x", [:nosuspend]) end, 1},
  {"port_command with force", fn name -> words.(fn -> Port.command(name, "x", [:force]) end) end, 0},
  {"send", fn name -> send(name, {self(), {:command, "x"}}) == {self(), {:command, "x"}} end, 1},
  {"send to name and node", fn name -> send({name, Node.self()}, {self(), {:command, "x"}}) == {self(), {:command, "x"}} end, 1},
  {"send to name and another node", fn name -> send({name, :"no@where"}, {self(), {:command, "x"}}) == {self(), {:command, "x"}} end, 0},
  {"connect by message", fn name -> send(name, {self(), {:connect, self()}}) |> is_tuple() end, 1},
  {"junk", fn name -> send(name, :junk) end, 1},
  {"Port.connect", fn name -> Port.connect(name, self()) end, 0},
  {"Port.close", fn name -> Port.close(name) end, 1},
  {"close by message", fn name -> send(name, {self(), :close}) |> is_tuple() end, 2},
  {"Port.info/1", fn name -> Port.info(name) |> Keyword.keys() end, 0},
  {"Port.info/2", fn name -> Port.info(name, :registered_name) end, 0},
  {"port_info, no item", fn name -> words.(fn -> :erlang.port_info(name, :nothing) end) end, 0},
  {"port_control", fn name -> words.(fn -> :erlang.port_control(name, 1, "") end) end, 0},
  {"port_call", fn name -> words.(fn -> :erlang.port_call(name, 1, "") end) end, 0},
  {"port_set_data", fn name -> {:erlang.port_set_data(name, {:a, 1}), :erlang.port_get_data(name)} end, 0},
  {"Port.monitor", fn name -> {is_reference(Port.monitor(name)), Port.close(name)} end, 2},
  {"Port.monitor name and node", fn name -> {is_reference(Port.monitor({name, Node.self()})), Port.close(name)} end, 2},
  {"Process.link", fn name -> words.(fn -> Process.link(name) end) end, 0},
  {"Process.unlink", fn name -> words.(fn -> Process.unlink(name) end) end, 0},
  {"Process.exit", fn name -> words.(fn -> Process.exit(name, :boom) end) end, 0},
  {"Process.monitor", fn name -> is_reference(Process.monitor(name)) end, 1},
  {"port_to_list", fn name -> words.(fn -> :erlang.port_to_list(name) end) end, 0}
]
for {what, call, messages} <- calls do
  Scenario.tell("by name: " <> what, messages, fn ->
    name = :"scenario_#{what}"
    Process.register(open.(), name)
    call.(name)
  end)
end
for {what, to, say} <- [{"a name", :scenario_nobody, :hello}, {"a name and node", {:scenario_nobody, :nonode@nohost}, :hello}, {"a name and another node", {:scenario_nobody, :"no@where"}, :hello}] do
  Scenario.answer("nobody: send to " <> what, fn -> words.(fn -> send(to, say) end) end)
end
Scenario.tell("the name of a port that ended by itself is free", 1, fn ->
  p = Scenario.sh("read line")
  Process.register(p, :scenario_ended)
  Port.command(p, "go\n")
  {Scenario.eventually(fn -> Port.info(p) == nil end), Process.whereis(:scenario_ended)}
end)
