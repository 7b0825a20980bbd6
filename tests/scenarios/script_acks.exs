# Opens that wait for erl_drv_init_ack, at its edges. tests/drivers/script_drv.c says what the steps mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
for name <- ['script_drv', 'script_ack_drv'], do: :ok = :erl_ddll.load_driver(String.to_charlist(drivers), name)
open = fn steps -> Port.open({:spawn_driver, "script_ack_drv 0 " <> steps}, []) end
# A second port of the same driver, which can be asked about the first.
second = fn -> Port.open({:spawn_driver, "script_ack_drv 1 steps timeout ack 0;timer 0"}, []) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end
attempt = fn work -> try do work.() catch :error, reason -> {:raises, reason} end end
port_named = fn steps ->
  name = String.to_charlist("script_ack_drv 0 " <> steps)
  Enum.find(Port.list(), fn p -> Port.info(p, :name) == {:name, name} end)
end
# A process that opens, tells what came of it, and then what it has been sent, when asked.
opener = fn steps ->
  teller = self()
  pid = spawn(fn ->
    Process.flag(:trap_exit, true)
    outcome = attempt.(fn -> open.(steps) end)
    send(teller, {:outcome, outcome})
    receive do
      :tell -> send(teller, {:mail, Scenario.flush(0)})
    end
    # Its port stays until the story has been told.
    receive do
      :never -> :ok
    end
  end)
  true = Scenario.eventually(fn -> port_named.(steps) != nil end)
  pid
end
outcome = fn ->
  receive do
    {:outcome, outcome} -> outcome
  end
end
mail = fn pid ->
  send(pid, :tell)
  receive do
    {:mail, mail} -> mail
  end
end

# By a timer, and so when the opener waits.
for steps <- ["ack 0", "ack -1", "ack -2", "ack -3", "ack 0;ack 0", "ack 0;ack -1", "output early;ack 0;output late", "output early;ack -1",
              "atom over", "exit 0", "fail 0", "posix 5", "eof", "enq abc;ack -1", "enq abc;atom over", "busy 1;ack 0"] do
  Scenario.exact("by a timer: " <> steps, 0, fn ->
    opened = attempt.(fn -> open.("steps timeout #{String.replace(steps, ";", "+")};timer 5") end)
    q = second.()
    {opened, is_port(opened) && Port.info(opened, :connected), ask.(q, ??, "")}
  end)
end

# By another port of the driver, and by a control of the port itself.
for {number, at} <- [{"0", 1}, {"-1", 2}, {"-2", 3}, {"-3", 4}], by <- [:other, :itself] do
  Scenario.exact("by #{by}: #{number}", 0, fn ->
    # What tells its port from those of the other stories.
    steps = "os_pid #{at}#{if by == :other, do: 1, else: 2}"
    pid = opener.(steps)
    p = port_named.(steps)
    q = second.()
    before = {Port.info(p, :connected) == {:connected, pid}, Port.info(p, :links) == {:links, [pid]}}
    said = attempt.(fn -> if by == :other, do: ask.(q, ?!, "@0 ack " <> number), else: ask.(p, ?!, "ack " <> number) end)
    {before, said, outcome.(), Port.info(p) == nil, mail.(pid), ask.(q, ??, "")}
  end)
end

# What others can do to a port whose opener waits.
for {name, steps, act} <- [
      {"a command and an ack", "flags", fn p, _ -> Port.command(p, "ack 0") end}
    ] do
  Scenario.exact("while it waits: " <> name, 0, fn ->
    pid = opener.(steps)
    p = port_named.(steps)
    q = second.()
    act.(p, pid)
    {outcome.(), mail.(pid), Port.info(p) == nil, ask.(q, ??, "")}
  end)
end
Scenario.exact("nobody acknowledges, and the opener is killed", 0, fn ->
  pid = opener.("lock")
  p = port_named.("lock")
  q = second.()
  Port.monitor(p)
  Process.exit(pid, :kill)
  gone = receive do
    {:DOWN, _, :port, _, reason} -> reason
  end
  {gone, Port.info(p), ask.(q, ?!, "@0 mk_port"), ask.(q, ??, "")}
end)
Scenario.exact("the opener traps exits, and is told to leave", 0, fn ->
  pid = opener.("slice 1")
  q = second.()
  Process.exit(pid, :leave)
  ask.(q, ?!, "@0 ack 0")
  opened = outcome.()
  {is_port(opened), mail.(pid), ask.(q, ??, "")}
end)
# Nobody asked for it: the flag is not set.
Scenario.exact("a driver whose opens wait for nothing", 0, fn ->
  p = Port.open({:spawn_driver, "script_drv 0 ack 0"}, [])
  {ask.(p, ?!, "ack 0;mk_port"), ask.(p, ??, "")}
end)
