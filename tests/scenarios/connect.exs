# A new owner: by a call and by a message, who may, what it links, and who has a say afterwards.

open = fn -> Port.open({:spawn, "cat"}, [:binary]) end
# A process that passes on what it gets, and traps exits if it is to.
listener = fn trap ->
  teller = self()
  q = spawn(fn ->
    Process.flag(:trap_exit, trap)
    send(teller, :listening)
    listen = fn listen ->
      receive do
        {:stop, reason} -> exit(reason)
        message ->
          send(teller, {:heard, message})
          listen.(listen)
      end
    end
    listen.(listen)
  end)
  receive do
    :listening -> q
  end
end
dead = fn ->
  q = spawn(fn -> :ok end)
  true = Scenario.eventually(fn -> not Process.alive?(q) end)
  q
end
call = fn p, q -> Port.connect(p, q) end
message = fn p, q ->
  {:connected, owner} = Port.info(p, :connected)
  send(p, {owner, {:connect, q}})
  :sent
end
state = fn p, q -> {Port.info(p, :connected) == {:connected, q}, Enum.sort(elem(Port.info(p, :links), 1)) == Enum.sort([self(), q]), Port.info(p, :links) == {:links, [self()]}} end
ways = [{"call", call, 0}, {"message", message, 1}]

for {way, connect, answers} <- ways do
  Scenario.tell("by #{way}: owner, links and answer", answers, fn ->
    p = open.()
    q = listener.(true)
    answer = connect.(p, q)
    {answer, state.(p, q)}
  end)
  Scenario.tell("by #{way}: to oneself", answers, fn ->
    p = open.()
    {connect.(p, self()), Port.info(p, :links) == {:links, [self()]}}
  end)
  Scenario.tell("by #{way}: to oneself, unlinked", answers, fn ->
    p = open.()
    Process.unlink(p)
    {connect.(p, self()), Port.info(p, :links) == {:links, [self()]}}
  end)
  Scenario.tell("by #{way}: to the owner there is", answers, fn ->
    p = open.()
    q = listener.(true)
    Port.connect(p, q)
    {connect.(p, q), Port.info(p, :connected) == {:connected, q}}
  end)
  Scenario.tell("by #{way}: to the dead", answers, fn ->
    p = open.()
    q = dead.()
    answer = try do connect.(p, q) catch :error, reason -> {:raises, reason} end
    {answer, Port.info(p, :connected) == {:connected, q}, is_list(Port.info(p))}
  end)
  for {what, make} <- [{"an atom", fn _ -> :nobody end}, {"a port", fn p -> p end}, {"a number", fn _ -> 17 end}, {"a name", fn _ -> Process.register(self(), :scenario_me) && :scenario_me end}] do
    Scenario.tell("by #{way}: to #{what}", answers, fn ->
      p = open.()
      answer = try do connect.(p, make.(p)) catch :error, reason -> {:raises, reason} end
      {answer, Port.info(p, :connected) == {:connected, self()}}
    end)
  end
  Scenario.tell("by #{way}: by a stranger", answers, fn ->
    p = open.()
    me = self()
    q = listener.(true)
    answer = if way == "call" do
      spawn(fn -> send(me, {:answer, Port.connect(p, q)}) end)
      receive do
        {:answer, answer} -> answer
      end
    else
      spawn(fn -> send(p, {me, {:connect, q}}) end)
      [{_, answer}] = Scenario.flush(1)
      send(me, :counted)
      answer
    end
    {answer, state.(p, q)}
  end)
  Scenario.tell("by #{way}: data, status and end go to the new owner", 3, fn ->
    p = Scenario.sh("read line; echo $line; exit 4", [:exit_status])
    q = listener.(true)
    connect.(p, q)
    Process.unlink(p)
    linked = q in elem(Port.info(p, :links), 1)
    Scenario.flush(answers)
    Port.command(p, "go\n")
    heard = Scenario.flush(2 + if(linked, do: 1, else: 0))
    send(self(), 1)
    send(self(), 2)
    send(self(), 3)
    {linked, heard}
  end)
  Scenario.tell("by #{way}: closed goes to the new owner", 0, fn ->
    p = open.()
    q = listener.(true)
    connect.(p, q)
    Process.unlink(p)
    Scenario.flush(answers)
    send(p, {q, :close})
    Scenario.flush(if(way == "call", do: 2, else: 1))
  end)
  Scenario.tell("by #{way}: eof goes to the new owner", 0, fn ->
    p = Scenario.sh("read line", [:eof])
    q = listener.(true)
    connect.(p, q)
    Process.unlink(p)
    Scenario.flush(answers)
    Port.command(p, "go\n")
    heard = Scenario.flush(1)
    {heard, is_list(Port.info(p))}
  end)
  for {what, order} <- [{"command", {:command, "x"}}, {"close", :close}, {"connect", {:connect, self()}}] do
    Scenario.tell("by #{way}: the old owner's #{what}", 0, fn ->
      p = open.()
      q = listener.(true)
      connect.(p, q)
      Process.unlink(p)
      Scenario.flush(answers)
      send(p, {self(), order})
      heard = Scenario.flush(1)
      {heard, is_list(Port.info(p)), Port.info(p, :connected) == {:connected, q}}
    end)
  end
  Scenario.tell("by #{way}: the old owner's calls", 0, fn ->
    p = open.()
    q = listener.(true)
    connect.(p, q)
    Process.unlink(p)
    Scenario.flush(answers)
    {Port.command(p, "x"), Scenario.flush(1), Port.connect(p, self()), Port.close(p)}
  end)
  for reason <- [:normal, :boom, :kill] do
    Scenario.tell("by #{way}: the new owner ends with #{reason}", 0, fn ->
      p = open.()
      r = Port.monitor(p)
      q = listener.(false)
      connect.(p, q)
      Scenario.flush(answers)
      if reason == :kill, do: Process.exit(q, :kill), else: send(q, {:stop, reason})
      Scenario.eventually(fn -> not Process.alive?(q) end)
      if way == "call" do
        Scenario.flush(2)
      else
        # Nobody hears of it: the port lives, and what comes is lost.
        {Port.command(p, "lost"), is_list(Port.info(p)), Port.info(p, :connected) == {:connected, q}, Port.demonitor(r)}
      end
    end)
    Scenario.tell("by #{way}: the old owner ends with #{reason}", 0, fn ->
      teller = self()
      q = listener.(true)
      old = spawn(fn ->
        p = open.()
        connect.(p, q)
        send(teller, {:port, p})
        receive do
          {:stop, reason} -> exit(reason)
        end
      end)
      receive do
        {:port, p} ->
          if reason == :kill, do: Process.exit(old, :kill), else: send(old, {:stop, reason})
          Scenario.eventually(fn -> not Process.alive?(old) end)
          if reason == :normal do
            {is_list(Port.info(p)), q in elem(Port.info(p, :links), 1), old in elem(Port.info(p, :links), 1)}
          else
            # The linked new owner hears it; the one that is not linked does not.
            {Scenario.eventually(fn -> Port.info(p) == nil end), Scenario.flush(if(way == "call", do: 1, else: 0))}
          end
      end
    end)
  end
  Scenario.tell("by #{way}: junk strikes the new owner", 0, fn ->
    p = open.()
    q = listener.(true)
    connect.(p, q)
    Scenario.flush(answers)
    send(p, :junk)
    Scenario.flush(1)
  end)
end
for {what, order} <- [{"a stranger's name", fn q -> {q, {:connect, q}} end}, {"a dead name", fn _ -> {dead.(), {:connect, self()}} end}, {"no name", fn q -> {:connect, q} end},
    {"three", fn q -> {self(), {:connect, q, q}} end}, {"no one", fn _ -> {self(), {:connect}} end}] do
  Scenario.tell("a connect in " <> what, 1, fn ->
    p = open.()
    send(p, order.(listener.(true)))
    {:sent, Port.info(p, :connected) == {:connected, self()}}
  end)
end
Scenario.tell("a closed port has no owner to change", 1, fn ->
  p = open.()
  Port.close(p)
  send(p, {self(), {:connect, self()}})
  Port.connect(p, self())
end)
Scenario.tell("a port whose owner has ended is adopted", 2, fn ->
  teller = self()
  q = spawn(fn ->
    p = open.()
    Process.unlink(p)
    send(teller, {:port, p})
  end)
  receive do
    {:port, p} ->
      Scenario.eventually(fn -> not Process.alive?(q) end)
      before = {Port.info(p, :connected) == {:connected, q}, Port.info(p, :links)}
      adopted = Port.connect(p, self())
      Port.command(p, "hello")
      {:data, text} = receive do
        {^p, data} -> data
      end
      {before, adopted, text, Port.info(p, :links) == {:links, [self()]}, send(p, {self(), :close}) |> elem(1)}
  end
end)
