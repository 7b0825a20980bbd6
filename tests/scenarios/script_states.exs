# Each driver function that takes a port, in each state that a port can be in: in its callbacks, while it
# closes, in its last callback, after its end, and for no port at all. tests/drivers/script_drv.c says what
# the steps mean. A port that is long gone is not asked about: Erlang looks into memory that is no longer its.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'script_port_drv')
open = fn number, steps -> Port.open({:spawn_driver, "script_port_drv #{number} #{steps}"}, []) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end
# Waits until the ports have said that; gives all that they have said.
said = fn p, wanted ->
  Process.put(:said, "")
  Scenario.eventually(fn ->
    Process.put(:said, Process.get(:said) <> " " <> ask.(p, ??, ""))
    String.contains?(Process.get(:said), wanted)
  end)
  Process.get(:said) |> String.split() |> Enum.join(" ")
end

groups = [
  {"output", "output x;output2 H x;output_binary 1 0 5;outputv 1 0 e,5;report 3"},
  {"terms", "term nil;old_term nil;send_term me nil;old_send_term me nil"},
  {"the queue", "enq x;pushq y;enq_bin 0 5;pushq_bin 0 5;enqv 0 3;sizeq;deq 2;peekq;peekqv;deq 14;drain"},
  {"attributes", "limits 0 0;limits 5 9;control_flags 1;control_flags 0;flags;slice 5;os_pid 5;ack 0;lock;connected;mk_port"},
  {"busy", "busy 1;busy 0"},
  {"timers", "timer 60000;left 1 60000;cancel;left 0 0"},
  {"selections", "pipe 8 9;select 8 r 1;select 8 w 1;select 8 rw 0;select 8 u 0;close 9"},
  {"locks", "pdl;locked sizeq"},
  {"jobs", "async"},
  {"monitors", "monitor"},
  {"another port", "create m2made;@2 mk_port;@2 atom made_over"}
]
# Begins what leads to the callback, and lets it come.
causes = [
  {"start", nil},
  {"output", :output},
  {"timeout", "timer 0"},
  {"ready_input", "pipe 0 1;write 1 x;select 0 ru 1"},
  {"ready_output", "pipe 0 1;select 1 wu 1"},
  {"ready_async", "async"},
  {"process_exit", :exit}
]
# Nobody has such a lock, and nobody may use it.
for {group, steps} <- groups, group != "locks" do
  Scenario.exact("#{group}: no port", 0, fn ->
    p = open.(0, "")
    ask.(p, ?!, "remember;" <> (steps |> String.split(";") |> Enum.map(&("@- " <> String.replace(&1, "@2 ", ""))) |> Enum.join(";")))
  end)
end
for {group, steps} <- groups, group != "locks" do
  Scenario.exact("#{group}: in the callback that has ended it", 0, fn ->
    p = open.(0, "")
    ask.(p, ?!, "remember;atom over;" <> String.replace(steps, "@2 ", "@- "))
  end)
end
# A job begun in ready_async would begin another one, and so on. A port that was made in process_exit must
# not be ended there: Erlang aborts.
for {group, given} <- groups, {callback, cause} <- causes, {group, callback} != {"jobs", "ready_async"} do
  steps = if callback == "process_exit", do: String.replace(given, ";@2 atom made_over", ""), else: given
  messages = case group do
    "output" -> 5
    "terms" -> 4
    "another port" -> 1 + length(String.split(steps, "made_over")) - 1
    _ -> 1
  end
  Scenario.exact("#{group}: in #{callback}", messages, fn ->
    # Whom monitors and terms are about.
    q = open.(1, "")
    ask.(q, ?!, "remember")
    p = open.(0, if(cause == nil, do: steps, else: ""))
    tidy = case callback do
      "ready_input" -> ";select 0 u 0"
      "ready_output" -> ";select 1 u 0"
      _ -> ""
    end
    ask.(p, ?=, "#{callback} #{steps}#{tidy}")
    # Whatever else comes, the job's end comes last.
    last = if group == "jobs", do: "[ready_async]", else: "[#{callback} "
    log = case cause do
      nil -> said.(p, if(group == "jobs", do: last, else: "[start "))
      :output ->
        Port.command(p, "x")
        said.(p, last)
      :exit ->
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
        ask.(q, ?!, "remember")
        send(pid, :stop)
        said.(p, last)
      _ ->
        ask.(p, ?!, cause)
        said.(p, last)
    end
    {log, Port.close(p), ask.(q, ??, "")}
  end)
end
for {group, steps} <- groups, group != "jobs", state <- ["flush", "stop"] do
  Scenario.exact("#{group}: in #{state}", 1, fn ->
    p = open.(0, "")
    q = open.(1, "")
    ask.(q, ?!, "remember")
    ask.(p, ?=, "flush drain")
    ask.(p, ?=, "#{state} #{steps};drain")
    ask.(p, ?!, "enq abc")
    {Port.close(p), ask.(q, ??, "")}
  end)
  Scenario.exact("#{group}: closing, before #{state}", if(state == "stop", do: 2, else: 1), fn ->
    p = open.(0, "")
    q = open.(1, "")
    ask.(q, ?!, "remember")
    ask.(p, ?!, "enq abc")
    # By its owner, or by a signal.
    if state == "stop", do: send(p, {self(), :close}), else: Process.exit(p, :over)
    Scenario.eventually(fn -> ask.(q, ?!, "say waits") == "waits 0" end)
    {ask.(p, ?!, steps), ask.(p, ?!, "drain"), ask.(q, ??, "")}
  end)
end
for way <- ["eof", "atom over", "posix 13", "fail 7", "exit 5"], state <- ["flush", "stop"] do
  Scenario.exact("#{way}: in #{state}", 1, fn ->
    p = open.(0, "")
    q = open.(1, "")
    ask.(p, ?=, "#{state} #{way};mk_port;#{way}")
    if state == "flush", do: ask.(p, ?!, "enq abc")
    {Port.close(p), ask.(q, ??, "")}
  end)
end
