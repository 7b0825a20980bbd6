# The driver functions, one by one: what they answer to a driver, and what its owner sees.
# tests/drivers/probe_drv.c says what the letters mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
for name <- ['probe_drv', 'probe_ack_drv'] do
  :ok = :erl_ddll.load_driver(String.to_charlist(drivers), name)
end

open = fn argument, options -> Port.open({:spawn_driver, "probe_drv " <> argument}, options) end
ask = fn p, operation, argument -> List.to_string(:erlang.port_control(p, operation, argument)) end

# Starting.
for how <- ["general", "badarg", "errno 13", "errno 0", "errno 9999"] do
  Scenario.tell("start fails: " <> how, 0, fn -> open.(how, []) end)
end
Scenario.exact("output in start is a list", 0, fn ->
  p = open.("output", [:binary, line: 3])
  is_port(p)
end)
Scenario.exact("no flags in start", 0, fn ->
  p = open.("flags", [:binary, :line])
  ask.(p, ?F, "")
end)
Scenario.exact("a timer from start", 1, fn -> is_port(open.("timer", [:binary])) end)
Scenario.tell("flags of a list port", 0, fn -> ask.(open.("", []), ?F, "") end)
Scenario.tell("flags of a binary port", 0, fn -> ask.(open.("", [:binary]), ?F, "") end)

# Output.
for options <- [[], [:binary], [:binary, line: 3], [line: 3]] do
  Scenario.exact("output: " <> inspect(options), 0, fn ->
    p = open.("", options)
    {ask.(p, ?o, "abcd\r\nef\n"), ask.(p, ?o, ""), ask.(p, ?o, "g\n")}
  end)
  Scenario.exact("output2: " <> inspect(options), 0, fn ->
    p = open.("", options)
    {ask.(p, ?2, "ab\ncd\n"), ask.(p, ?2, ""), ask.(p, ?n, "")}
  end)
  Scenario.exact("output_binary: " <> inspect(options), 0, fn ->
    p = open.("", options)
    {ask.(p, ?b, "80"), ask.(p, ?b, "5"), ask.(p, ?b, "0")}
  end)
end
Scenario.tell("what output counts", 0, fn ->
  p = open.("", [])
  ask.(p, ?o, "four")
  ask.(p, ?2, "four")
  ask.(p, ?b, "70")
  ask.(p, ?t, "0")
  Port.info(p, :input)
end)

# Vectors.
long = String.duplicate("B", 100)
commands = [
  {"nothing", ""},
  {"an empty list", []},
  {"text", "text"},
  {"a list", 'list'},
  {"small parts", ["small", ?x, ["and" | "more"]]},
  {"a long binary", long},
  {"long and short", ["short", long, ?y, "z"]},
  {"a part of a long one", binary_part(long, 5, 80)}
]
for {name, data} <- commands do
  Scenario.exact("vector of " <> name, 1, fn ->
    Port.command(open.("", [:binary]), data)
  end)
  for {how, mode} <- [{"echoed", "e"}, {"with a header", "h"}, {"without two", "k"}], options <- [[], [:binary], [:line]] do
    Scenario.exact("vector of #{name}, #{how}, #{inspect(options)}", 0, fn ->
      p = open.("", options)
      ask.(p, ?V, mode)
      Port.command(p, data)
    end)
  end
end
Scenario.exact("a crowded vector", 0, fn ->
  Port.command(open.("", [:binary]), for(_ <- 1..20, do: ["x", String.duplicate("y", 200)]))
end)
Scenario.exact("a vector in a buffer", 0, fn ->
  p = open.("", [:binary])
  ask.(p, ?V, "w")
  Port.command(p, ["0123456", long])
end)

# The queue.
for script <- [
      "s;k;v;d0;d1",
      "eabc;p01;k;d3;s;k",
      "eabc;v;d4;s;d3;s;k",
      "bxyz;k;s;d1;k;e;p;s",
      "eone;etwo;pzero;v;k;d5;k;s"
    ] do
  Scenario.tell("queue: " <> script, 0, fn ->
    p = open.("", [])
    answer = ask.(p, ?q, script)
    # Nobody empties this queue.
    Process.exit(p, :kill)
    answer
  end)
end
Scenario.tell("a queued vector", 0, fn ->
  p = open.("", [])
  ask.(p, ?V, "q")
  Port.command(p, ["ab", long])
  answer = {ask.(p, ?q, "s;v;d101;k"), Port.info(p, :queue_size)}
  Process.exit(p, :kill)
  answer
end)

# Terms.
for number <- 0..33 do
  Scenario.exact("term program #{number}", 0, fn -> ask.(open.("", []), ?t, Integer.to_string(number)) end)
end
for number <- [0, 2, 20, 21, 23, 26] do
  Scenario.exact("term program #{number} to the dead", 0, fn ->
    p = open.("", [])
    teller = self()
    spawn(fn ->
      ask.(p, ?m, "")
      send(teller, :watched)
    end)
    receive do
      :watched -> Process.sleep(50)
    end
    {ask.(p, ?T, Integer.to_string(number)), ask.(p, ?M, "")}
  end)
end

# Answers to control.
for how <- ["0", "1", "2", "3", "4", "a", "b", "c", "d", "f"] do
  Scenario.tell("answer " <> how, 0, fn -> :erlang.port_control(open.("", []), ?B, how) end)
end

# Ends.
for how <- ["aboom", "akill", "anormal", "a", "p2", "p0", "p9999", "n3", "n-7", "n0", "e", "x0", "x5"] do
  Scenario.exact("failure " <> how, 0, fn ->
    p = open.("", [])
    ref = Port.monitor(p)
    answer = ask.(p, ?f, how)
    {answer, Port.info(p), is_reference(ref)}
  end)
  Scenario.exact("failure with data queued " <> how, 0, fn ->
    p = open.("", [])
    ask.(p, ?s, "")
    ask.(p, ?q, "eabc")
    ask.(p, ?f, how)
    Port.info(p)
  end)
end
Scenario.exact("end of file with eof", 0, fn ->
  p = open.("", [:eof, :line])
  ask.(p, ?o, "rest")
  :erlang.port_control(p, ?E, "")
  is_list(Port.info(p))
end)
Scenario.exact("end of file without eof", 0, fn ->
  p = open.("", [:line])
  ask.(p, ?o, "rest")
  :erlang.port_control(p, ?E, "")
  Port.info(p)
end)
Scenario.exact("stop speaks after the exit", 0, fn ->
  p = open.("", [])
  ask.(p, ?s, "")
  Port.close(p)
end)
Scenario.exact("stop speaks before closed", 3, fn ->
  p = open.("", [])
  ask.(p, ?s, "")
  send(p, {self(), :close})
  :sent
end)
Scenario.exact("closing with a queue is silent", 2, fn ->
  p = open.("", [])
  ask.(p, ?s, "")
  ask.(p, ?u, "50")
  ask.(p, ?q, "eabc")
  send(p, {self(), :close})
  Process.sleep(10)
  {is_list(Port.info(p)), Port.info(p, :links), Port.info(p, :queue_size), ask.(p, ?q, "s"), ask.(p, ?o, "x"), ask.(p, ?t, "0")}
end)
Scenario.exact("a control that empties the queue ends the port", 2, fn ->
  p = open.("", [])
  ask.(p, ?q, "eabc")
  send(p, {self(), :close})
  Process.sleep(10)
  {ask.(p, ?q, "d3"), Port.info(p)}
end)
Scenario.exact("failing while closing", 2, fn ->
  p = open.("", [])
  ask.(p, ?q, "eabc")
  send(p, {self(), :close})
  Process.sleep(10)
  :erlang.port_control(p, ?f, "aboom")
  Port.info(p)
end)
Scenario.exact("killed with data queued", 2, fn ->
  p = open.("", [])
  ask.(p, ?s, "")
  ask.(p, ?q, "eabc")
  Process.exit(p, :kill)
end)
Scenario.tell("a reported exit", 0, fn -> ask.(open.("", []), ?r, "5") end)

# Timers, monitors, jobs, locks.
Scenario.exact("timers", 0, fn -> ask.(open.("", []), ?., "0") end)
Scenario.tell("monitors", 0, fn -> ask.(open.("", []), ?m, "") end)
Scenario.exact("a monitored process ends", 1, fn ->
  p = open.("", [])
  spawn(fn -> ask.(p, ?m, "k") end)
  :started
end)
Scenario.exact("a job", 2, fn -> ask.(open.("", []), ?a, "") end)
Scenario.exact("a job of a port that ends", 1, fn ->
  p = open.("", [])
  answer = ask.(p, ?a, "")
  Port.close(p)
  answer
end)
Scenario.tell("port data lock", 0, fn ->
  p = open.("", [])
  {ask.(p, ?p, ""), ask.(p, ?p, "")}
end)
Scenario.tell("threads and locks", 0, fn -> ask.(open.("", []), ?h, "") end)
Scenario.tell("facts", 0, fn -> ask.(open.("", []), ?i, "") end)
Scenario.tell("no such port", 0, fn -> ask.(open.("", []), ?d, "") end)
Scenario.tell("caller", 0, fn ->
  p = open.("", [])
  mine = ask.(p, ?c, "")
  teller = self()
  spawn(fn -> send(teller, {:theirs, ask.(p, ?c, "")}) end)
  receive do
    {:theirs, theirs} -> {mine, theirs}
  end
end)
Scenario.tell("time slices", 0, fn ->
  p = open.("", [])
  {ask.(p, ?S, ""), ask.(p, ?S, "")}
end)
Scenario.tell("limits of waiting commands", 0, fn ->
  p = open.("", [])
  for numbers <- ["0 0", "100 50", "0 0", "20000 0", "0 10", "9 0", "0 0", "5 6"], do: ask.(p, ?l, numbers)
end)
Scenario.tell("limits from the open", 0, fn ->
  ask.(open.("", [{:busy_limits_msgq, {10, 20}}]), ?l, "0 0")
end)
Scenario.tell("a process id", 0, fn ->
  p = open.("", [])
  ask.(p, ?P, "1234")
  Port.info(p, :os_pid)
end)
Scenario.tell("busy", 0, fn ->
  p = open.("", [])
  ask.(p, ?y, "1")
  busy = :erlang.port_command(p, "x", [:nosuspend])
  force = try do :erlang.port_command(p, "x", [:force]) catch :error, reason -> reason end
  ask.(p, ?y, "0")
  {busy, force, :erlang.port_command(p, "x", [:nosuspend])}
end)

# Acknowledged opens.
for how <- ["o", "g", "e", "b", "f"] do
  Scenario.exact("acknowledged: " <> how, 0, fn ->
    p = Port.open({:spawn_driver, "probe_ack_drv ack " <> how}, [])
    is_port(p)
  end)
end

# The locked driver stays.
Scenario.tell("locked", 0, fn ->
  p = open.("", [])
  ref = :erl_ddll.monitor(:driver, {'probe_drv', :unloaded})
  answer = ask.(p, ?L, "")
  message = receive do
    {:UP, ^ref, :driver, name, what} -> {name, what}
  after
    20_000 -> :nothing
  end
  {answer, message, :erl_ddll.info('probe_drv', :permanent), :erl_ddll.try_unload('probe_drv', []), :erl_ddll.try_load(String.to_charlist(drivers), 'probe_drv', [])}
end)
