# Who has to wait at a busy port, who has not, and what ends the wait.

load = fn name -> :ok = :erl_ddll.load_driver(String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS")), name) end
load.('busy_drv')
load.('probe_drv')

full = String.duplicate("x", 300_000)
# A busy program's port, unlinked, and its gate.
busy = fn script, options ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, script, options)
  Process.unlink(p)
  true = Port.command(p, full)
  {p, gate}
end
done = fn p, gate ->
  Process.exit(p, :kill)
  Scenario.open_gate(gate)
end
worked = fn name ->
  receive do
    {:worked, ^name, result} -> result
  after
    20_000 -> :still_waiting
  end
end

# A name for each port, since one that ends gives its name back when it likes.
named = fn p -> :"scenario_#{:erlang.port_to_list(p)}" end

# What waits. Each is seen suspended; then the program reads, and it goes on.
waits = [
  {"port_command/2", fn p, _ -> :erlang.port_command(p, "y") end},
  {"port_command/3", fn p, _ -> :erlang.port_command(p, "y", []) end},
  {"Port.command/2", fn p, _ -> Port.command(p, "y") end},
  {"port_command by name", fn p, _ -> Port.command(named.(p), "y") end},
  {"send", fn p, owner -> send(p, {owner, {:command, "y"}}) == {owner, {:command, "y"}} end},
  {":erlang.send/2", fn p, owner -> :erlang.send(p, {owner, {:command, "y"}}) == {owner, {:command, "y"}} end},
  {":erlang.send/3", fn p, owner -> :erlang.send(p, {owner, {:command, "y"}}, []) end},
  {":erlang.send/3 noconnect", fn p, owner -> :erlang.send(p, {owner, {:command, "y"}}, [:noconnect]) end},
  {"Process.send/3", fn p, owner -> Process.send(p, {owner, {:command, "y"}}, []) end},
  {"send to a name", fn p, owner -> send(named.(p), {owner, {:command, "y"}}) == {owner, {:command, "y"}} end},
  {"send to a name and node", fn p, owner -> send({named.(p), Node.self()}, {owner, {:command, "y"}}) == {owner, {:command, "y"}} end}
]
Scenario.together(fn ->
  for {name, work} <- waits do
    Scenario.tell("waits: " <> name, 0, fn ->
      {p, gate} = busy.("cat >&2; exit", [])
      Process.register(p, named.(p))
      owner = self()
      q = Scenario.suspended(:one, fn -> work.(p, owner) end)
      Scenario.open_gate(gate)
      answer = {is_pid(q), worked.(:one), Port.info(p, :output)}
      Process.exit(p, :kill)
      answer
    end)
  end
end)

# What ends the wait.
ends = [
  {"port_close", fn p, _ -> Port.close(p) end},
  {"a close by message", fn p, owner -> send(p, {owner, :close}) == {owner, :close} end},
  {"kill", fn p, _ -> Process.exit(p, :kill) end},
  {"an exit signal", fn p, _ -> Process.exit(p, :boom) end},
  {"a normal exit signal", fn p, _ -> Process.exit(p, :normal) end}
]
Scenario.together(fn ->
  for {what, finish} <- ends, how <- [:command, :message, :nosuspend_later] do
    closed = if what == "a close by message", do: 1, else: 0
    Scenario.tell("#{how}, ended by #{what}", 0, fn ->
      {p, gate} = busy.("cat >&2; exit", [])
      owner = self()
      q = Scenario.suspended(:one, fn ->
        if how == :message, do: send(p, {owner, {:command, "y"}}) && :returned, else: Port.command(p, "y")
      end)
      ended = finish.(p, owner)
      result = worked.(:one)
      after_it = try do Port.command(p, "z", [:nosuspend]) catch :error, reason -> {:raises, reason} end
      done.(p, gate)
      {is_pid(q), ended, result, after_it, length(Scenario.flush(closed))}
    end)
  end
end)
for how <- [:command, :message] do
  Scenario.tell("#{how}, ended by the program", 0, fn ->
    {p, gate} = busy.("exit", [])
    owner = self()
    q = Scenario.suspended(:one, fn ->
      if how == :message, do: send(p, {owner, {:command, "y"}}) && :returned, else: Port.command(p, "y")
    end)
    Scenario.open_gate(gate)
    {is_pid(q), worked.(:one), Scenario.eventually(fn -> Port.info(p) == nil end)}
  end)
  Scenario.tell("#{how}, ended by the end of the program's input", 0, fn ->
    {p, gate} = busy.("exec <&-; while [ -e #{System.tmp_dir!()} ] && [ $n -lt 700 ]; do sleep 0.05; n=$((n+1)); done", [])
    owner = self()
    r = Port.monitor(p)
    q = Scenario.suspended(:one, fn ->
      if how == :message, do: send(p, {owner, {:command, "y"}}) && :returned, else: Port.command(p, "y")
    end)
    {:os_pid, pid} = Port.info(p, :os_pid)
    Scenario.open_gate(gate)
    result = worked.(:one)
    Scenario.kill(pid)
    receive do
      {:DOWN, ^r, :port, _, reason} -> {is_pid(q), result, reason}
    end
  end)
  Scenario.tell("#{how}, ended by the owner's end", 0, fn ->
    teller = self()
    owner = spawn(fn ->
      gate = Scenario.new_gate()
      p = Scenario.gated(gate, "cat >&2; exit", [])
      Port.command(p, full)
      send(teller, {:port, p, gate})
      receive do
        {:stop, reason} -> exit(reason)
      end
    end)
    receive do
      {:port, p, gate} ->
        q = Scenario.suspended(:one, fn ->
          if how == :message, do: send(p, {owner, {:command, "y"}}) && :returned, else: Port.command(p, "y")
        end)
        send(owner, {:stop, :boom})
        result = worked.(:one)
        done.(p, gate)
        {is_pid(q), result}
    end
  end)
end

Scenario.tell("a port that is closing is not killed", 1, fn ->
  {p, gate} = busy.("cat >&2; exit", [])
  send(p, {self(), :close})
  closing = {is_list(Port.info(p)), Scenario.flush(0)}
  Process.exit(p, :kill)
  Process.exit(p, :boom)
  still = {is_list(Port.info(p)), p in Port.list(), Scenario.flush(0)}
  Scenario.open_gate(gate)
  {closing, still}
end)

Scenario.tell("a driver's port that is closing is not killed", 0, fn ->
  p = Port.open({:spawn_driver, "probe_drv"}, [])
  :erlang.port_control(p, ?q, "eabc")
  send(p, {self(), :close})
  closing = {is_list(Port.info(p)), Scenario.flush(1)}
  Process.exit(p, :kill)
  still = {is_list(Port.info(p)), p in Port.list(), Scenario.flush(0)}
  :erlang.port_control(p, ?q, "d3")
  {closing, still, Port.info(p), Scenario.flush(1)}
end)

# Several wait. All of them go on.
for count <- [2, 3, 5] do
  Scenario.tell("#{count} wait at a program", 0, fn ->
    {p, gate} = busy.("cat >&2; exit", [])
    all = for n <- 1..count, do: is_pid(Scenario.suspended(n, fn -> Port.command(p, "y") end))
    Scenario.open_gate(gate)
    results = for n <- 1..count, do: worked.(n)
    output = Port.info(p, :output)
    Process.exit(p, :kill)
    {all, results, output}
  end)
  Scenario.tell("#{count} wait at a driver", 0, fn ->
    p = Port.open({:spawn_driver, "busy_drv"}, [:binary])
    Process.unlink(p)
    :erlang.port_control(p, ?b, "")
    all = for n <- 1..count, do: is_pid(Scenario.suspended(n, fn -> Port.command(p, Integer.to_string(n)) end))
    :erlang.port_control(p, ?f, "")
    results = for n <- 1..count, do: worked.(n)
    texts = for _ <- 1..count do
      receive do
        {^p, {:data, text}} -> text
      end
    end
    {all, results, Enum.sort(texts)}
  end)
  Scenario.tell("#{count} wait, and the port goes", 0, fn ->
    {p, gate} = busy.("cat >&2; exit", [])
    all = for n <- 1..count, do: is_pid(Scenario.suspended(n, fn -> Port.command(p, "y") end))
    done.(p, gate)
    {all, for(n <- 1..count, do: worked.(n))}
  end)
end
Scenario.tell("one of two that wait is killed", 0, fn ->
  {p, gate} = busy.("cat >&2; exit", [])
  first = Scenario.suspended(1, fn -> Port.command(p, "first") end)
  second = Scenario.suspended(2, fn -> Port.command(p, "second") end)
  Process.exit(first, :kill)
  gone = Scenario.eventually(fn -> not Process.alive?(first) end)
  Scenario.open_gate(gate)
  result = worked.(2)
  output = Port.info(p, :output)
  Process.exit(p, :kill)
  {is_pid(second), gone, result, output}
end)
for reason <- [:kill, :boom, :normal] do
  Scenario.tell("one that waits gets an exit signal of #{reason}", 0, fn ->
    {p, gate} = busy.("cat >&2; exit", [])
    q = Scenario.suspended(1, fn -> Port.command(p, "y") end)
    r = Process.monitor(q)
    Process.exit(q, reason)
    ended = fn -> not Process.alive?(q) end
    seen = if reason == :normal, do: Process.info(q, :status), else: {Scenario.eventually(ended), Scenario.flush(1)}
    Process.demonitor(r)
    done.(p, gate)
    {seen, if(reason == :normal, do: worked.(1))}
  end)
  Scenario.tell("one that waits and traps exits gets #{reason}", 0, fn ->
    {p, gate} = busy.("cat >&2; exit", [])
    q = Scenario.suspended(1, fn ->
      Process.flag(:trap_exit, true)
      Port.command(p, "y")
      Scenario.flush(1) |> Enum.map(fn {:EXIT, _, reason} -> reason end)
    end)
    Process.exit(q, reason)
    ended = fn -> not Process.alive?(q) end
    seen = if reason == :kill, do: Scenario.eventually(ended), else: Process.info(q, :status)
    Scenario.open_gate(gate)
    result = if(reason != :kill, do: worked.(1))
    Process.exit(p, :kill)
    {seen, result}
  end)
end

# What does not wait at a busy port.
free = [
  {"port_info/1", fn p, _ -> is_list(Port.info(p)) end},
  {"port_info/2", fn p, _ -> Port.info(p, :os_pid) |> elem(0) end},
  {"port_connect", fn p, owner -> Port.connect(p, owner) end},
  {"port_set_data", fn p, _ -> :erlang.port_set_data(p, 1) end},
  {"port_control", fn p, _ -> :erlang.port_control(p, 1, "") end},
  {"port_call", fn p, _ -> :erlang.port_call(p, 1, "") end},
  {"port_close", fn p, _ -> Port.close(p) end},
  {"link", fn p, _ -> Process.link(p) end},
  {"unlink", fn p, _ -> Process.unlink(p) end},
  {"monitor", fn p, _ -> is_reference(Port.monitor(p)) end},
  {"an exit signal", fn p, _ -> Process.exit(p, :boom) end},
  {"a connect by message", fn p, owner -> send(p, {owner, {:connect, owner}}) |> is_tuple() end},
  {"a close by message", fn p, owner -> send(p, {owner, :close}) |> is_tuple() end},
  {"junk", fn p, _ -> send(p, :junk) end},
  {"junk in the owner's name", fn p, owner -> send(p, {owner, :junk}) |> is_tuple() end},
  {"a stranger's close", fn p, _ -> send(p, {self(), :close}) |> is_tuple() end},
  {"no data", fn p, owner -> send(p, {owner, {:command, :no_data}}) |> is_tuple() end},
  {"a call with no data", fn p, _ -> Port.command(p, :no_data) end},
  {"an empty command", fn p, owner -> send(p, {owner, {:command, ""}}) |> is_tuple() end},
  {"a stranger's command", fn p, _ -> send(p, {self(), {:command, "x"}}) |> is_tuple() end},
  {"a stranger's command of no data", fn p, _ -> send(p, {self(), {:command, :no_data}}) |> is_tuple() end},
  {"a command of nobody", fn p, _ -> send(p, {:nobody, {:command, "x"}}) |> is_tuple() end},
  {"a command of a port", fn p, _ -> send(p, {p, {:command, "x"}}) |> is_tuple() end},
  {"a command of three", fn p, owner -> send(p, {owner, {:command, "x", "y"}}) |> is_tuple() end},
  {"a connect to nobody", fn p, owner -> send(p, {owner, {:connect, :nobody}}) |> is_tuple() end},
  {"a call with force", fn p, _ -> Port.command(p, "x", [:force]) end},
  {"a call with force and no data", fn p, _ -> Port.command(p, :no_data, [:force]) end},
  {"a call with no flags", fn p, _ -> Port.command(p, "x", [:what]) end}
]
Scenario.together(fn ->
  for {name, work} <- free do
    Scenario.tell("waits or not: " <> name, 0, fn ->
      {p, gate} = busy.("cat >&2; exit", [])
      owner = self()
      teller = self()
      q = spawn(fn ->
        result = try do work.(p, owner) catch :error, reason -> {:raises, reason} end
        send(teller, {:worked, :one, result})
      end)
      waits = Scenario.eventually(fn -> not Process.alive?(q) or Process.info(q, :status) == {:status, :suspended} end) and Process.alive?(q)
      done.(p, gate)
      closed = if name == "a close by message", do: 1, else: 0
      {waits && :waits, worked.(:one), Scenario.flush(closed) |> Enum.map(fn message -> message |> Tuple.to_list() |> List.last() end)}
    end)
  end
end)

# What was wrong with it shows when the port is free again.
late = [
  {"no data", 1, fn p, owner -> send(p, {owner, {:command, :no_data}}) |> is_tuple() end},
  {"a call with no data", 0, fn p, _ -> Port.command(p, :no_data) end},
  {"a stranger's command", 1, fn p, _ -> send(p, {self(), {:command, "x"}}) |> is_tuple() end}
]
for {name, count, work} <- late do
  Scenario.tell("free again after " <> name, 0, fn ->
    {p, gate} = busy.("cat >&2; exit", [])
    owner = self()
    q = Scenario.suspended(:one, fn -> work.(p, owner) end)
    Scenario.open_gate(gate)
    result = worked.(:one)
    messages = Scenario.flush(count) |> Enum.map(fn message -> message |> Tuple.to_list() |> List.last() end)
    answer = {is_pid(q), result, messages, Port.info(p, :output)}
    Process.exit(p, :kill)
    answer
  end)
  Scenario.tell("free again after #{name}, with another owner by then", 0, fn ->
    {p, gate} = busy.("cat >&2; exit", [])
    owner = self()
    q = Scenario.suspended(:one, fn -> work.(p, owner) end)
    other = Scenario.bystander()
    r = Process.monitor(other)
    Port.connect(p, other)
    Scenario.open_gate(gate)
    result = worked.(:one)
    messages = Scenario.flush(count) |> Enum.map(fn message -> message |> Tuple.to_list() |> List.last() end)
    Process.exit(p, :kill)
    {is_pid(q), result, messages, is_reference(r)}
  end)
end

# With nosuspend nobody waits.
asks = [
  {"port_command", fn p, _ -> Port.command(p, "y", [:nosuspend]) end},
  {"port_command no data", fn p, _ -> Port.command(p, :no_data, [:nosuspend]) end},
  {":erlang.send/3", fn p, owner -> :erlang.send(p, {owner, {:command, "y"}}, [:nosuspend]) end},
  {":erlang.send/3, both options", fn p, owner -> :erlang.send(p, {owner, {:command, "y"}}, [:noconnect, :nosuspend]) end},
  {"Process.send/3", fn p, owner -> Process.send(p, {owner, {:command, "y"}}, [:nosuspend]) end},
  {"send_nosuspend/2", fn p, owner -> :erlang.send_nosuspend(p, {owner, {:command, "y"}}) end},
  {"send_nosuspend/3", fn p, owner -> :erlang.send_nosuspend(p, {owner, {:command, "y"}}, []) end},
  {"send_nosuspend/3 noconnect", fn p, owner -> :erlang.send_nosuspend(p, {owner, {:command, "y"}}, [:noconnect]) end},
  {"to a name", fn p, owner -> :erlang.send(named.(p), {owner, {:command, "y"}}, [:nosuspend]) end},
  {"to a name and node", fn p, owner -> :erlang.send({named.(p), Node.self()}, {owner, {:command, "y"}}, [:nosuspend]) end},
  {"send_nosuspend to a name", fn p, owner -> :erlang.send_nosuspend(named.(p), {owner, {:command, "y"}}) end},
  {"junk", fn p, _ -> :erlang.send(p, :junk, [:nosuspend]) end},
  {"junk in the owner's name", fn p, owner -> :erlang.send(p, {owner, :junk}, [:nosuspend]) end},
  {"no data", fn p, owner -> :erlang.send(p, {owner, {:command, :no_data}}, [:nosuspend]) end},
  {"a stranger's command", fn p, _ -> :erlang.send(p, {spawn(fn -> :ok end), {:command, "x"}}, [:nosuspend]) end},
  {"a connect", fn p, owner -> :erlang.send(p, {owner, {:connect, owner}}, [:nosuspend]) end},
  {"a close", fn p, owner -> :erlang.send(p, {owner, :close}, [:nosuspend]) end}
]
told = %{"junk" => 1, "junk in the owner's name" => 1, "a connect" => 1}
Scenario.together(fn ->
  for {name, ask} <- asks do
    Scenario.tell("nosuspend at a busy port: " <> name, 0, fn ->
      {p, gate} = busy.("cat >&2; exit", [])
      Process.register(p, named.(p))
      answer = try do ask.(p, self()) catch :error, reason -> {:raises, reason} end
      messages = Scenario.flush(Map.get(told, name, 0)) |> Enum.map(fn message -> message |> Tuple.to_list() |> List.last() end)
      done.(p, gate)
      {answer, messages, if(name == "a close", do: length(Scenario.flush(1)))}
    end)
    Scenario.tell("nosuspend at a free port: " <> name, 0, fn ->
      p = Port.open({:spawn_driver, "probe_drv"}, [:binary])
      Process.register(p, named.(p))
      answer = try do ask.(p, self()) catch :error, reason -> {:raises, reason} end
      Port.info(p)
      {answer, Scenario.flush(0) |> Enum.map(fn message -> message |> Tuple.to_list() |> List.last() end)}
    end)
    Scenario.answer("nosuspend at a closed port: " <> name, fn ->
      p = Port.open({:spawn, "cat"}, [:binary])
      Process.unlink(p)
      Port.close(p)
      ask.(p, self())
    end)
  end
end)
for options <- [[:suspend], :nosuspend, [:nosuspend | :noconnect], [{:nosuspend, true}], nil, ["nosuspend"]] do
  Scenario.answer("no options of send: " <> inspect(options), fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    :erlang.send(p, {self(), {:command, "x"}}, options)
  end)
  Scenario.answer("no options of send_nosuspend: " <> inspect(options), fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    :erlang.send_nosuspend(p, {self(), {:command, "x"}}, options)
  end)
end
for to <- [:scenario_nobody, {:scenario_nobody, :nonode@nohost}, 17, "x"] do
  Scenario.answer("nosuspend to " <> inspect(to), fn -> :erlang.send(to, :hello, [:nosuspend]) end)
  Scenario.answer("send_nosuspend to " <> inspect(to), fn -> :erlang.send_nosuspend(to, :hello) end)
end
