# The attributes of ports, at their edges. tests/drivers/script_drv.c says what the steps mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
for name <- ['script_drv', 'script_soft_drv'], do: :ok = :erl_ddll.load_driver(String.to_charlist(drivers), name)
open_as = fn name, steps, options -> Port.open({:spawn_driver, "#{name} 0 #{steps}"}, options) end
open = fn steps, options -> open_as.("script_drv", steps, options) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end
max = 9_223_372_036_854_775_807

# Numbers in and numbers out.
for steps <- [
      "flags;@- flags",
      "slice 0;slice -5;slice 1;slice 100;slice 1;@- slice 5",
      "slice 50;slice 49;slice 1",
      "slice 2147483647;slice -2147483648",
      "limits 0 0;limits 1 0;limits 0 1;limits 0 0",
      "limits 100 50;limits 0 0;limits 20000 0;limits 0 10",
      "limits #{max} #{max};limits 0 0",
      "limits -2 -2;limits 0 0",
      "limits 5 -1;limits 0 0;limits 7 9",
      "limits -1 5;limits 0 0",
      "limits 1 1;limits_null x;limits_null l;limits_null h",
      "@- limits 0 0;@- limits 5 6;@- limits_null l",
      "lock;@- lock",
      "busy 1;busy 1;busy 0;busy 0;busy 77;busy 0;@- busy 1",
      "os_pid 0;os_pid -1;@- os_pid 5",
      "ack 0;ack -1;ack -2;@- ack 0",
      "control_flags -1;control_flags 0;@- control_flags 1",
      "@- caller;@- connected;@- mk_port",
      "atom over;flags;slice 1;limits 0 0;lock;busy 1;os_pid 1;control_flags 1;ack 0;create c2x"
    ] do
  Scenario.exact("port: " <> steps, 0, fn -> ask.(open.("", []), ?!, steps) end)
end
for options <- [[], [:binary], [:line], [{:line, 1}], [:binary, :line], [:stream], [{:packet, 2}], [:eof], [:in], [:out], [:hide]] do
  Scenario.exact("flags of #{inspect(options)}", 0, fn -> ask.(open.("flags", options), ?!, "flags") end)
end
for number <- ["0", "1", "-1", "4294967295", "4294967296", "#{max}", "-9223372036854775808"] do
  Scenario.exact("os_pid " <> number, 0, fn ->
    p = open.("", [])
    before = Port.info(p, :os_pid)
    ask.(p, ?!, "os_pid " <> number)
    {before, Port.info(p, :os_pid), Port.info(p)[:os_pid]}
  end)
end
Scenario.exact("os_pid in start", 0, fn -> Port.info(open.("os_pid 77", []), :os_pid) end)
for flags <- ["0", "1", "2", "3", "-1", "4"] do
  Scenario.exact("control flags " <> flags, 0, fn ->
    p = open.("", [])
    # In binary mode an empty answer of the driver's own would be taken for a binary; so: what comes of none.
    ask.(p, ?=, "output control_flags " <> flags)
    Port.command(p, "x")
    Port.info(p, :name)
  end)
end
Scenario.exact("limits of a driver that has none", 0, fn ->
  p = open_as.("script_soft_drv", "limits 0 0", [])
  {ask.(p, ?!, "limits 0 0;limits 5 6;limits_null l"), ask.(p, ??, "")}
end)
Scenario.exact("limits from the open, in start", 0, fn ->
  p = open.("limits 0 0;limits 30 0", [{:busy_limits_msgq, {10, 20}}])
  {ask.(p, ??, ""), ask.(p, ?!, "limits 0 0")}
end)

# Busy.
for name <- ["script_drv", "script_soft_drv"] do
  Scenario.exact("busy " <> name, 0, fn ->
    p = open_as.(name, "", [])
    try_command = fn options -> try do :erlang.port_command(p, "say x", options) catch :error, reason -> reason end end
    free = {try_command.([:nosuspend]), try_command.([:force])}
    ask.(p, ?!, "busy 1")
    busy = {try_command.([:nosuspend]), try_command.([:force]), ask.(p, ?!, "caller")}
    ask.(p, ?!, "busy 0")
    {free, busy, try_command.([:nosuspend]), ask.(p, ??, "")}
  end)
  Scenario.exact("busy in start, and a writer that waits " <> name, 0, fn ->
    p = open_as.(name, "busy 1", [])
    Scenario.suspended(:writer, fn -> Port.command(p, "say written") end)
    before = ask.(p, ??, "")
    ask.(p, ?!, "busy 0")
    receive do
      {:worked, :writer, what} -> {before, what, ask.(p, ??, "")}
    end
  end)
  for way <- ["atom over", "exit 0", "fail 0"] do
    Scenario.exact("busy until it ends, #{way} #{name}", 0, fn ->
      p = open_as.(name, "busy 1", [])
      Scenario.suspended(:writer, fn -> Port.command(p, "say written") end)
      ask.(p, ?!, way)
      receive do
        {:worked, :writer, what} -> what
      end
    end)
  end
end
Scenario.exact("busy in output", 0, fn ->
  p = open.("", [])
  {Port.command(p, "busy 1"), :erlang.port_command(p, "x", [:nosuspend]), ask.(p, ?!, "busy 0"), :erlang.port_command(p, "say x", [:nosuspend])}
end)
Scenario.exact("busy and closed", 0, fn ->
  p = open.("busy 1", [])
  {Port.close(p), Port.info(p)}
end)

# erl_drv_port_control, which asks another port and does not wait.
second = fn -> Port.open({:spawn_driver, "script_drv 1"}, []) end
for {name, steps} <- [
      {"another", "port_control 1 ! output asked"},
      {"another, twice, in order", "port_control 1 ! output first;port_control 1 ! output second"},
      {"itself", "port_control 0 ! output asked;output before"},
      {"with nothing", "port_control 1 ! ;port_control 1 ! output then"},
      {"with what nobody knows", "port_control 1 z odd;port_control 1 ! output then"}
    ] do
  Scenario.exact("asking #{name}", 0, fn ->
    p = open.("", [])
    q = second.()
    {ask.(p, ?!, steps), Scenario.flush(if(String.contains?(steps, "second") or String.contains?(steps, "before"), do: 2, else: 1)), is_list(Port.info(q))}
  end)
end
# In `timeout` OTP 25 waits for ever.
for {callback, cause} <- [{"output", :output}, {"ready_async", "async"}, {"stop", :close}] do
  Scenario.exact("asking in #{callback}", 0, fn ->
    p = open.("", [])
    q = second.()
    ask.(p, ?=, "#{callback} port_control 1 ! output asked")
    case cause do
      :output -> Port.command(p, "x")
      :close ->
        Process.unlink(p)
        Port.close(p)
      _ -> ask.(p, ?!, cause)
    end
    {Scenario.flush(1), is_list(Port.info(q))}
  end)
end
Scenario.exact("asking one that ends it", 0, fn ->
  p = open.("", [])
  q = second.()
  Port.monitor(q)
  Process.unlink(q)
  answer = ask.(p, ?!, "port_control 1 ! atom over")
  {answer, Scenario.flush(1), ask.(p, ?!, "mk_port")}
end)
Scenario.exact("asking nobody, and one that is closed", 0, fn ->
  p = open.("", [])
  q = second.()
  Process.unlink(q)
  Port.close(q)
  ask.(p, ?!, "port_control - ! output x;port_control 1 ! output x;mk_port")
end)
