# driver_create_port in each callback and at its edges, and what the ports that it makes can do.
# tests/drivers/script_drv.c says what the steps mean. The driver has a lock for each port: with one for
# the driver the function does not come back in Erlang.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'script_port_drv')
open = fn steps -> Port.open({:spawn_driver, "script_port_drv 0 " <> steps}, []) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end
attempt = fn work -> try do work.() catch :error, reason -> {:raises, reason} end end
named = fn name -> Enum.find(Port.list(), fn p -> Port.info(p, :name) == {:name, name} end) end
facts = fn p -> p && (Port.info(p) |> Keyword.delete(:id) |> Enum.sort()) end
# Waits until the ports have said all of this; gives all that they have said.
said = fn p, wanted ->
  Process.put(:said, "")
  Scenario.eventually(fn ->
    Process.put(:said, Process.get(:said) <> " " <> ask.(p, ??, ""))
    Enum.all?(List.wrap(wanted), &String.contains?(Process.get(:said), &1))
  end)
  Process.get(:said) |> String.split() |> Enum.join(" ")
end

# In each callback: made, used at once, and used afterwards.
use_it = "create c1made;@1 mk_port;@1 connected;@1 flags;@1 output early;@1 enq abc;@1 sizeq;@1 deq 3;mk_port;caller"
later = String.replace(use_it, ";", "+")
asked_later = fn p ->
  new = named.('made')
  {facts.(new), ask.(new, ?!, "mk_port;connected;caller;flags;output late"), Port.command(new, "say heard"),
   ask.(new, ??, ""), Port.close(new), ask.(p, ?!, "@1 mk_port;@1 output no")}
end
Scenario.exact("made in start", 2, fn ->
  p = open.(use_it)
  {ask.(p, ??, ""), asked_later.(p)}
end)
Scenario.exact("made in control", 2, fn ->
  p = open.("")
  {ask.(p, ?!, use_it), asked_later.(p)}
end)
Scenario.exact("made in output", 2, fn ->
  p = open.("")
  {Port.command(p, use_it), ask.(p, ??, ""), asked_later.(p)}
end)
for {callback, first} <- [
      {"timeout", "timer 0"}, {"ready_async", "async"}, {"ready_input", "pipe 0 1;write 1 x;select 0 ru 1"},
      {"ready_output", "pipe 0 1;select 1 wu 1"}
    ] do
  leave = case callback do
    "ready_input" -> "select 0 ru 0+"
    "ready_output" -> "select 1 wu 0+"
    _ -> ""
  end
  Scenario.exact("made in #{callback}", 2, fn ->
    p = open.("")
    ask.(p, ?!, "steps #{callback} #{leave}#{later}")
    ask.(p, ?!, first)
    {said.(p, "[#{callback} "), asked_later.(p)}
  end)
end
Scenario.exact("made in process_exit", 2, fn ->
  p = open.("")
  teller = self()
  pid = spawn(fn ->
    ask.(p, ?!, "remember;monitor")
    send(teller, :watched)
    receive do
      :stop -> :ok
    end
  end)
  receive do
    :watched -> :ok
  end
  ask.(p, ?!, "steps process_exit #{later}")
  send(pid, :stop)
  {said.(p, "[process_exit "), asked_later.(p)}
end)

# While its maker ends: in flush and in stop.
for callback <- ["flush", "stop"] do
  Scenario.exact("made in #{callback}", 0, fn ->
    p = open.("")
    watcher = Port.open({:spawn_driver, "script_port_drv 2"}, [])
    ask.(p, ?!, "steps flush drain")
    ask.(p, ?!, "steps #{callback} create c1made+drain;enq abc")
    result = Port.close(p)
    new = named.('made')
    {result, new != nil, ask.(watcher, ??, "")}
  end)
end

# Who owns it.
Scenario.exact("for the caller, who is not the owner", 0, fn ->
  p = open.("")
  teller = self()
  pid = spawn(fn ->
    answer = ask.(p, ?!, "remember;create m1made;@1 connected;@1 output x")
    new = named.('made')
    message = receive do
      {^new, what} -> what
    end
    send(teller, {:owned, answer, Port.info(new, :connected) == {:connected, self()}, Port.info(new, :links) == {:links, [self()]}, message})
  end)
  answer = receive do
    {:owned, _, _, _, _} = answer -> answer
  end
  # It leaves with its owner.
  Scenario.eventually(fn -> not Process.alive?(pid) and named.('made') == nil end)
  {answer, named.('made'), said.(p, "[stop]"), ask.(p, ?!, "@1 mk_port")}
end)
Scenario.exact("for nobody, and for one who is gone", 0, fn ->
  p = open.("")
  pid = spawn(fn -> ask.(p, ?!, "remember") end)
  Scenario.eventually(fn -> not Process.alive?(pid) end)
  {ask.(p, ?!, "create n1made;create m1made"), named.('made')}
end)
Scenario.exact("for a process that does not trap exits, and is killed", 0, fn ->
  p = open.("")
  teller = self()
  pid = spawn(fn ->
    ask.(p, ?!, "remember;create m1made")
    send(teller, :made)
    receive do
      :never -> :ok
    end
  end)
  receive do
    :made -> :ok
  end
  ask.(named.('made'), ?=, "stop say going")
  Process.exit(pid, :kill)
  {said.(p, "going"), Scenario.eventually(fn -> named.('made') == nil end)}
end)

# Its name.
for {shown, name} <- [{"empty", ""}, {"with blanks", " a  b "}, {"long", String.duplicate("n", 500)}, {"not ASCII", "näж"}] do
  Scenario.exact("a name that is #{shown}", 0, fn ->
    p = open.("")
    before = Port.list()
    answer = ask.(p, ?!, "create c1" <> name)
    [new] = Port.list() -- before
    {answer, Port.info(new, :name), Port.close(new)}
  end)
end
Scenario.exact("two of one name, and both are there", 0, fn ->
  p = open.("")
  before = Port.list()
  answer = ask.(p, ?!, "create c1made;create c2made;@1 mk_port;@2 mk_port")
  new = Port.list() -- before
  {answer, length(new), Enum.map(new, fn q -> ask.(q, ?!, "mk_port") end), Enum.map(new, &Port.close/1)}
end)

# Who may not make one.
Scenario.exact("by a port that is none, a stale one, and a thread", 0, fn ->
  p = open.("")
  q = Port.open({:spawn_driver, "script_port_drv 1"}, [])
  Port.close(q)
  {ask.(p, ?!, "@- create c2made;@1 create c2made;thread create c2made"), named.('made')}
end)
Scenario.exact("by one that has ended in the same callback", 1, fn ->
  p = open.("")
  {attempt.(fn -> ask.(p, ?!, "remember;atom over;create m1made") end), named.('made')}
end)

# It makes others itself, and none of them hangs on its maker.
Scenario.exact("a line of them", 0, fn ->
  p = open.("")
  answer = ask.(p, ?!, "create c1one;@1 create c2two;@2 create c3three;@3 mk_port")
  ports = Enum.map(['one', 'two', 'three'], named)
  {answer, Enum.map(ports, fn q -> ask.(q, ?!, "mk_port") end), Port.close(hd(ports)), Enum.map(tl(ports), fn q -> ask.(q, ?!, "mk_port") end),
   Enum.map(tl(ports), &Port.close/1)}
end)
Scenario.exact("its maker is closed", 1, fn ->
  p = open.("create c1made")
  new = named.('made')
  {Port.close(p), ask.(new, ?!, "mk_port;output still"), Port.close(new)}
end)

# It ends where it was made.
for {way, messages} <- [{"atom over", 1}, {"exit 0", 0}, {"exit 5", 0}, {"fail 7", 1}, {"posix 13", 1}, {"eof", 1}] do
  Scenario.exact("ended where it was made: #{way}", messages, fn ->
    p = open.("")
    answer = ask.(p, ?!, "create c1made;@1 #{way};@1 mk_port;@1 output no;mk_port")
    {answer, named.('made'), ask.(p, ??, "")}
  end)
end
Scenario.exact("its maker ends where it was made", 2, fn ->
  p = open.("")
  answer = attempt.(fn -> ask.(p, ?!, "create c1made;atom over;@1 mk_port;@1 output on") end)
  new = named.('made')
  {answer, ask.(new, ?!, "mk_port"), Port.close(new)}
end)
Scenario.exact("the open that made it fails", 0, fn ->
  answer = attempt.(fn -> open.("create c1made;start_fails -3") end)
  new = named.('made')
  {answer, new && ask.(new, ?!, "mk_port"), new && Port.close(new)}
end)

# It has callbacks, timers, files and jobs of its own.
Scenario.exact("what is begun where it was made goes on", 0, fn ->
  p = open.("")
  ask.(p, ?!, "create c1made;@1 timer 0;@1 async;pipe 0 1;write 1 x;@1 select 0 ru 1")
  came = said.(p, ["[timeout]", "[ready_async]", "[ready_input]"]) |> String.split() |> Enum.sort()
  new = named.('made')
  {came, ask.(new, ?!, "select 0 ru 0"), ask.(p, ??, ""), Port.close(new), ask.(p, ??, "")}
end)
Scenario.exact("busy from the start", 0, fn ->
  p = open.("")
  ask.(p, ?!, "create c1made;@1 busy 1")
  new = named.('made')
  {attempt.(fn -> :erlang.port_command(new, "x", [:nosuspend]) end), ask.(new, ?!, "busy 0"), :erlang.port_command(new, "say on", [:nosuspend]), ask.(p, ??, "")}
end)

# Its driver counts it.
Scenario.exact("it keeps its driver", 0, fn ->
  # The ports of the stories before.
  Scenario.eventually(fn -> :erl_ddll.info('script_port_drv', :port_count) == 0 end)
  p = open.("create c1made")
  counted = :erl_ddll.info(:script_port_drv, :port_count)
  Port.close(p)
  left = :erl_ddll.info('script_port_drv', :port_count)
  Port.close(named.('made'))
  {counted, left, :erl_ddll.info('script_port_drv', :port_count)}
end)
