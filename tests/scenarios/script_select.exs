# driver_select, at its edges. tests/drivers/script_drv.c says what the steps mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
for name <- ['script_drv', 'script_bare_drv'], do: :ok = :erl_ddll.load_driver(String.to_charlist(drivers), name)
open = fn steps -> Port.open({:spawn_driver, "script_drv 0 " <> steps}, []) end
second = fn -> Port.open({:spawn_driver, "script_drv 1"}, []) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end

# What is answered, and when stop_select comes: each combination of modes, on and off.
for mode <- ["r", "w", "rw", "u", "ru", "wu", "rwu", "n", "rn", "rwn", "-"] do
  Scenario.exact("select #{mode} and off", 0, fn ->
    p = open.("")
    # The end that is read has nothing to read, so that no callback comes between.
    said = ask.(p, ?!, "pair 0 1;select 0 #{String.replace(mode, "w", "")} 1;select 0 #{mode} 0;select 0 u 0")
    {said, ask.(p, ??, "")}
  end)
  Scenario.exact("#{mode} off, never on", 0, fn ->
    p = open.("")
    said = ask.(p, ?!, "pipe 0 1;select 0 #{mode} 0;close 0;close 1")
    {said, ask.(p, ??, "")}
  end)
  Scenario.exact("#{mode} off, after ru on", 0, fn ->
    p = open.("")
    said = ask.(p, ?!, "pipe 0 1;select 0 ru 1;select 0 #{mode} 0;say then;select 0 u 0;select 0 u 0")
    {said, ask.(p, ??, "")}
  end)
end
for steps <- ["select =-1 r 1", "select =-1 u 0", "select =99999999 r 1", "select =99999999 u 0", "@- select =0 r 1", "@- select =0 u 0", "atom over;select =0 r 1", "pipe 0 1;atom over;select 0 u 0;close 0;close 1"] do
  Scenario.exact("refused: " <> steps, 0, fn -> ask.(open.(""), ?!, steps) end)
end

# A callback, and what it does about its selection. Each sends `done` in the end.
for {name, script, steps} <- [
      {"input, read and left", "read .;select . u 0;term atom:done", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"input, again until it is read", "steps ready_input read .+select . u 0+term atom:done", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"input at the end", "read .;select . u 0;term atom:done", "pipe 0 1;close 1;select 0 ru 1"},
      {"input of a file", "read . 4;select . r 0;term atom:done", "open 0 /proc/self/exe;select 0 ru 1"},
      {"input of a file, again", "steps ready_input select . r 0+term atom:done", "open 0 /proc/self/exe;select 0 ru 1"},
      {"input, with the other direction off", "read .;select . w 0;select . u 0;term atom:done", "pair 0 1;write 1 abc;select 0 ru 1"},
      {"input, released without a word", "read .;select . rwn 0;close .;term atom:done", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"input, off and on", "read . 1;select . r 0;select . r 1;steps ready_input read . 2+select . u 0+term atom:done", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"input, released and selected anew", "read . 1;select . rn 0;select . ru 1;steps ready_input read . 2+select . u 0+term atom:done", "pipe 0 1;write 1 abc;select 0 ru 1"}
    ] do
  Scenario.exact(name, 0, fn ->
    p = open.("")
    ask.(p, ?=, "ready_input " <> script)
    said = ask.(p, ?!, steps)
    receive do
      :done -> :ok
    end
    Process.sleep(20)
    {said, ask.(p, ??, "")}
  end)
end
for {name, input, output, steps} <- [
      {"output", "", "write . x;select . u 0;term atom:done", "pipe 0 1;select 1 wu 1"},
      {"output, again", "", "steps ready_output select . u 0+term atom:done", "pipe 0 1;select 1 wu 1"},
      {"output, off by itself", "", "select . w 0;term atom:done", "pipe 0 1;select 1 wu 1"},
      {"output to nobody", "", "write . x;select . u 0;term atom:done", "pair 0 1;close 0;select 1 wu 1"},
      {"both, input takes output away", "read .;select . rwu 0;term atom:done", "say never", "pair 0 1;write 1 abc;select 0 rwu 1"},
      {"both, input takes only output away", "read .;select . w 0;select . ru 0;term atom:done", "say never", "pair 0 1;write 1 abc;select 0 rwu 1"},
      {"both, output takes input away", "say never", "select . rwu 0;term atom:done", "pair 0 1;write 1 abc;select 0 rwu 1"},
      {"both, output takes only input away", "say never", "select . r 0;select . wu 0;term atom:done", "pair 0 1;write 1 abc;select 0 rwu 1"},
      {"input selects output", "read .;select . r 0;select . w 1", "select . u 0;term atom:done", "pair 0 1;write 1 abc;select 0 ru 1"},
      {"output selects input", "read .;select . u 0;term atom:done", "select . w 0;select . r 1", "pair 0 1;write 1 abc;select 0 wu 1"},
      {"input ends the port", "term atom:done;atom over", "", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"input ends the port, output was selected", "term atom:done;atom over", "say never", "pair 0 1;write 1 abc;select 0 rwu 1"},
      {"output ends the port", "", "term atom:done;exit 0", "pipe 0 1;select 1 wu 1"}
    ] do
  Scenario.exact(name, 0, fn ->
    p = open.("")
    q = second.()
    ask.(p, ?=, "ready_input " <> input)
    ask.(p, ?=, "ready_output " <> output)
    ask.(p, ?=, "stop @0 select 0 u 0;@0 select 1 u 0")
    said = ask.(p, ?!, steps)
    receive do
      :done -> :ok
    end
    Process.sleep(20)
    {said, ask.(q, ??, "")}
  end)
end

# A selection that comes and goes while nothing happens brings no callback.
Scenario.exact("deselected in time", 0, fn ->
  p = open.("")
  ask.(p, ?=, "ready_input say never")
  said = ask.(p, ?!, "pipe 0 1;write 1 abc;select 0 ru 1;sleep 30;select 0 r 0")
  Process.sleep(50)
  {said, ask.(p, ?!, "read 0;select 0 u 0"), ask.(p, ??, "")}
end)
Scenario.exact("selected later", 0, fn ->
  p = open.("")
  ask.(p, ?=, "ready_input read .;select . u 0;term atom:done")
  ask.(p, ?!, "pipe 0 1;select 0 ru 1")
  Process.sleep(20)
  ask.(p, ?!, "write 1 abc")
  receive do
    :done -> :ok
  end
  ask.(p, ??, "")
end)

# Two ports and one descriptor: the last to select has it.
Scenario.exact("stolen", 0, fn ->
  p = open.("")
  q = second.()
  ask.(p, ?=, "ready_input say never")
  ask.(q, ?=, "ready_input read .;select . r 0;term atom:done")
  said = {ask.(p, ?!, "pipe 0 1;select 0 ru 1"), ask.(q, ?!, "select 0 ru 1;@0 mk_port;write 1 abc")}
  receive do
    :done -> :ok
  end
  Process.sleep(20)
  {said, ask.(q, ?!, "select 0 u 0"), ask.(q, ??, "")}
end)
Scenario.exact("one reads, the other writes", 0, fn ->
  p = open.("")
  q = second.()
  ask.(p, ?=, "ready_input read .;select . r 0;term atom:read")
  ask.(q, ?=, "ready_output select . w 0;term atom:wrote")
  said = {ask.(p, ?!, "pair 0 1;select 0 r 1"), ask.(q, ?!, "select 0 w 1")}
  receive do
    :wrote -> :ok
  end
  ask.(p, ?!, "write 1 abc")
  receive do
    :read -> :ok
  end
  Process.sleep(20)
  {said, ask.(q, ?!, "select 0 u 0"), ask.(q, ??, "")}
end)
Scenario.exact("stolen from one that has ended", 0, fn ->
  p = open.("")
  q = second.()
  ask.(q, ?=, "ready_input read .;select . u 0;term atom:done")
  ask.(p, ?!, "pipe 0 1;select 0 ru 1")
  Port.close(p)
  Process.sleep(20)
  said = ask.(q, ?!, "select 0 ru 1;write 1 abc")
  receive do
    :done -> :ok
  end
  {said, ask.(q, ??, "")}
end)

# Taken by the other port while a callback of the one that had it runs, for this descriptor or for another one.
for {name, input, output, other_input, other_output, steps} <- [
      {"in its input", "@1 select . ru 1", "", "read .;select . u 0;term atom:done", "", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"in its input, which has read", "read .;@1 select . ru 1;write 1 more", "", "read .;select . u 0;term atom:done", "", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"in its input, which deselects it first", "select . r 0;@1 select . ru 1", "", "read .;select . u 0;term atom:done", "", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"in its input, which has it back", "@1 select . ru 1;select . ru 1;read .;select . u 0;term atom:done", "", "say never", "", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"in its input, and the other one ends", "@1 select . ru 1;@1 select . u 0;@1 atom over;term atom:done", "", "say never", "", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"in its input, and it ends", "@1 select . ru 1;atom over", "", "read .;select . u 0;term atom:done", "", "pipe 0 1;write 1 abc;select 0 ru 1"},
      {"in its output", "", "@1 select . wu 1", "", "select . u 0;term atom:done", "pipe 0 1;select 1 wu 1"},
      {"in its output, and it ends", "", "@1 select . wu 1;exit 0", "", "select . u 0;term atom:done", "pipe 0 1;select 1 wu 1"},
      {"its input in its output", "say never", "select . w 0;@1 select . r 1;write 1 x", "read .;select . u 0;term atom:done", "", "pair 0 1;select 0 rwu 1"},
      {"its output in its input", "read .;select . r 0;@1 select . w 1", "select . w 0", "", "select . u 0;term atom:done", "pair 0 1;select 0 ru 1;write 1 x"},
      {"another one in its input", "read .;select . u 0;@1 select 2 ru 1;write 3 x", "say never", "read .;select . u 0;term atom:done", "", "pair 0 1;pair 2 3;select 2 r 1;select 0 ru 1;write 1 x"}
    ] do
  Scenario.exact("taken #{name}", 0, fn ->
    p = open.("")
    q = second.()
    r = Port.open({:spawn_driver, "script_drv 2"}, [])
    ask.(p, ?=, "ready_input " <> input)
    ask.(p, ?=, "ready_output " <> output)
    ask.(q, ?=, "ready_input " <> other_input)
    ask.(q, ?=, "ready_output " <> other_output)
    said = ask.(p, ?!, steps)
    receive do
      :done -> :ok
    end
    Process.sleep(20)
    {said, ask.(r, ??, "")}
  end)
end
for way <- [:close, :over] do
  Scenario.exact("taken in its stop, by #{way}", 0, fn ->
    p = open.("")
    q = second.()
    ask.(p, ?=, "ready_input say never")
    ask.(p, ?=, "stop @1 select 0 ru 1")
    ask.(q, ?=, "ready_input read .;select . u 0;term atom:done")
    ask.(p, ?!, "pipe 0 1;select 0 ru 1")
    if way == :close, do: Port.close(p), else: ask.(p, ?!, "atom over")
    ask.(q, ?!, "write 1 abc")
    receive do
      :done -> :ok
    end
    ask.(q, ??, "")
  end)
end

# Ports that end while they have something selected.
for {name, stop} <- [{"with stop", "select 0 ru 0"}, {"without a word", "say stop"}, {"in two steps", "select 0 r 0;select 0 u 0"}], way <- [:close, :over] do
  Scenario.exact("ended while selected, #{name}, by #{way}", 0, fn ->
    p = open.("")
    q = second.()
    ask.(p, ?=, "ready_input say never")
    ask.(p, ?=, "stop " <> stop)
    ask.(p, ?!, "pipe 0 1;select 0 ru 1")
    if way == :close, do: Port.close(p), else: ask.(p, ?!, "atom over")
    Process.sleep(20)
    ask.(q, ?!, "write 1 abc")
    Process.sleep(50)
    ask.(q, ??, "")
  end)
end
Scenario.exact("in start that fails", 0, fn ->
  p = open.("")
  opened = try do Port.open({:spawn_driver, "script_drv 1 pipe 0 1;select 0 ru 1;select 0 u 0;start_fails -3"}, []) catch :error, reason -> reason end
  {opened, ask.(p, ??, "")}
end)
# stop_select has no port.
Scenario.exact("in stop_select", 0, fn ->
  p = open.("")
  ask.(p, ?=, "stop_select mk_port;caller;output x;sizeq")
  said = ask.(p, ?!, "pipe 0 1;select 0 ru 1;select 0 u 0")
  {said, ask.(p, ??, "")}
end)
# A driver without the callbacks.
for {name, steps} <- [{"input", "pipe 0 1;write 1 x;select 0 ru 1"}, {"output", "pipe 0 1;select 1 wu 1"}, {"release", "pipe 0 1;select 0 ru 1;select 0 u 0"}] do
  Scenario.exact("no callback for " <> name, 0, fn ->
    p = Port.open({:spawn_driver, "script_bare_drv 0"}, [])
    said = ask.(p, ?!, steps)
    Process.sleep(50)
    {said, ask.(p, ?!, "mk_port;select 0 rn 0;close 0;close 1")}
  end)
end
Scenario.exact("a closed descriptor", 0, fn ->
  p = open.("")
  ask.(p, ?=, "ready_input say never")
  said = ask.(p, ?!, "pipe 0 1;forget 0;select 0 r 1")
  Process.sleep(50)
  {said, ask.(p, ?!, "mk_port"), ask.(p, ??, "")}
end)
