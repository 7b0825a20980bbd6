# The port's timer, at its edges. tests/drivers/script_drv.c says what the steps mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
for name <- ['script_drv', 'script_bare_drv'], do: :ok = :erl_ddll.load_driver(String.to_charlist(drivers), name)
open = fn steps -> Port.open({:spawn_driver, "script_drv 0 " <> steps}, []) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end

for steps <- [
      "left 0 0;cancel;cancel;left 0 0",
      "timer 60000;left 59000 60000;timer 30000;left 29000 30000;cancel;left 0 0",
      "timer 0;left 0 1;cancel;left 0 0",
      "timer 4294967295;left 4294900000 4294967295;cancel",
      "timer 315360000000;left 315359990000 315360000000;cancel",
      "@- timer 0;@- cancel;@- left 0 0",
      "timer 60000;atom over;timer 5;cancel;left 0 0"
    ] do
  Scenario.exact("timer: " <> steps, 0, fn -> ask.(open.(""), ?!, steps) end)
end

# Each waits for the atom that the last timeout sends, and then whether another comes.
for {name, script, steps} <- [
      {"at once", "left 0 0;term atom:done", "timer 0"},
      {"at once, never inside the call", "term atom:done", "timer 0;sleep 20;say still"},
      {"soon", "left 0 0;caller;term atom:done", "timer 10"},
      {"armed again", "steps timeout left 0 0+term atom:done;timer 5;left 1 5", "timer 1"},
      {"armed again at once", "steps timeout term atom:done;timer 0", "timer 0"},
      {"cancelled in its callback", "cancel;left 0 0;term atom:done", "timer 1"},
      {"armed and cancelled in its callback", "timer 1;cancel;term atom:done", "timer 1"},
      {"set twice", "term atom:done", "timer 1;timer 20;timer 5"},
      {"set again when it has run out", "term atom:done", "timer 1;sleep 30;timer 10"}
    ] do
  Scenario.exact("timer " <> name, 0, fn ->
    p = open.("")
    ask.(p, ?=, "timeout " <> script)
    said = ask.(p, ?!, steps)
    receive do
      :done -> :ok
    end
    Process.sleep(50)
    {said, ask.(p, ??, "")}
  end)
end
for {name, steps} <- [{"cancelled", "timer 10;cancel"}, {"cancelled when it has run out", "timer 1;sleep 30;cancel"}, {"far away", "timer 60000"}] do
  Scenario.exact("timer " <> name, 0, fn ->
    p = open.("")
    ask.(p, ?=, "timeout term atom:fired")
    said = ask.(p, ?!, steps)
    Process.sleep(60)
    {said, ask.(p, ??, "")}
  end)
end
Scenario.exact("timer from start", 0, fn ->
  p = open.("timer 1")
  Process.sleep(60)
  ask.(p, ??, "")
end)
Scenario.exact("timer of a start that fails", 0, fn ->
  q = open.("")
  opened = try do Port.open({:spawn_driver, "script_drv 1 timer 1;start_fails -2"}, []) catch :error, reason -> reason end
  Process.sleep(60)
  {opened, ask.(q, ??, "")}
end)
for way <- ["close", "atom over", "timer"] do
  Scenario.exact("timer of a port that ends by " <> way, 0, fn ->
    q = open.("")
    p = Port.open({:spawn_driver, "script_drv 1"}, [])
    ask.(p, ?=, "stop left 1 20;timer 5;left 1 5;cancel;timer 5")
    if way == "timer", do: ask.(p, ?=, "timeout timer 5;atom over;timer 5")
    ask.(p, ?!, "timer 20")
    case way do
      "close" -> Port.close(p)
      "timer" -> Process.sleep(60)
      _ -> ask.(p, ?!, way)
    end
    Process.sleep(60)
    ask.(q, ??, "")
  end)
end
Scenario.exact("timer without a callback", 0, fn ->
  p = Port.open({:spawn_driver, "script_bare_drv 0"}, [])
  said = ask.(p, ?!, "timer 5;left 1 5")
  Process.sleep(40)
  {said, ask.(p, ?!, "left 0 0")}
end)
Scenario.exact("timers of two ports", 0, fn ->
  p = open.("")
  q = Port.open({:spawn_driver, "script_drv 1"}, [])
  ask.(p, ?=, "timeout @1 left 1 60000;@1 cancel;@1 left 0 0;term atom:done")
  said = {ask.(q, ?!, "timer 30000"), ask.(q, ?!, "@0 timer 5;@0 left 1 5")}
  receive do
    :done -> :ok
  end
  {said, ask.(p, ??, "")}
end)
