# The driver queue, at its edges. tests/drivers/script_drv.c says what the steps mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'script_drv')
open = fn steps -> Port.open({:spawn_driver, "script_drv 0 " <> steps}, []) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end

# What driver_pushqv has put there is not looked at: OTP 25 shows something else.
# Each leaves its queue empty, so that the port can end.
for steps <- [
      "peekq;peekqv;sizeq;deq 0;deq 1;deq -1",
      "enq ;pushq ;enq_bin 0 0;pushq_bin 0 0;enqv 0 e;enqv 0 n;pushqv 0 e;sizeq;peekq",
      "enq abc;deq 4;deq -1;sizeq;deq 3",
      "enq abc;deq 0;deq 1;peekq;deq 1;deq 1;deq 1;sizeq",
      "enq abc;enq def;pushq XY;peekq;peekqv;deq 4;peekq;deq 4;peekqv",
      "pushq a;pushq b;enq c;pushq d;peekq;deq 2;peekq;drain",
      "enq_bin 0 100;peekqv;sizeq;deq 50;peekqv;drain",
      "enq_bin 5 3;enq_bin 0 2;pushq_bin 10 4;peekqv;deq 5;peekqv;drain",
      "pushq_bin 99 1;pushq_bin 0 1;peekqv;drain",
      "enq_bin 100 0;sizeq",
      "enqv 0 3;peekqv;drain",
      "enqv 0 e,3,n,b4,2;peekqv;drain",
      "enqv 2 e,3,b4,2;peekqv;drain",
      "enqv 3 e,3,b4,2;peekqv;drain",
      "enqv 5 e,3,b4,2;peekqv;drain",
      "enqv 8 e,3,b4,2;peekqv;drain",
      "enqv 9 e,3,b4,2;sizeq",
      "enqv 10 e,3,b4,2;sizeq",
      "enqv 0 b64,b65,b5;peekqv;deq 70;peekqv;drain",
      "enq abc;pushqv 0 e,2,b3,n,1;sizeq;deq 3;sizeq;deq 3;sizeq;drain",
      "enq abc;pushqv 4 e,2,b3,1;sizeq;deq 2;sizeq;drain",
      "pushqv 6 e,2,b3,1;sizeq",
      "enq abc;enqv 1 b3;pushq_bin 2 2;enq_bin 3 3;pushqv 1 4,b2;sizeq;deq 7;peekq;drain",
      "@- enq x;@- enq ;@- pushq x;@- pushq ;@- enq_bin 0 1;@- enq_bin 0 0;@- pushq_bin 0 1;@- enqv 0 3;@- enqv 3 3;@- pushqv 0 3;@- pushqv 0 e",
      "@- deq 0;@- deq 5;@- sizeq;@- peekq;@- peekqv",
      "enq abc;atom over;enq x;pushq x;enq_bin 0 1;pushq_bin 0 1;enqv 0 3;pushqv 0 3;deq 0;sizeq;peekq;peekqv",
      "pdl;locked enq abc;locked sizeq;locked deq 3",
      "pdl;thread locked enq abc;thread locked enq_bin 0 5;thread locked pushqv 0 2,b3;thread locked sizeq;thread locked deq 20;thread locked deq 6;thread locked sizeq;drain"
    ] do
  Scenario.exact("queue: " <> steps, 0, fn -> ask.(open.(""), ?!, steps) end)
end

# In each callback.
for {callback, cause} <- [{"start", :start}, {"output", :output}, {"timeout", "timer 0"}, {"ready_input", "pipe 0 1;write 1 x;select 0 ru 1"}, {"ready_output", "pipe 0 1;select 1 wu 1"}, {"ready_async", "async"}] do
  Scenario.exact("queue in " <> callback, 0, fn ->
    steps = "enq abc;pushq_bin 0 2;peekqv;deq 9;deq 4"
    tidy = if String.starts_with?(callback, "ready_i") or String.starts_with?(callback, "ready_o"), do: ";select . u 0", else: ""
    p = open.(if(cause == :start, do: steps, else: ""))
    ask.(p, ?=, callback <> " " <> steps <> tidy <> ";term atom:done")
    case cause do
      :start -> send(self(), :done)
      :output -> Port.command(p, "x")
      _ -> ask.(p, ?!, cause)
    end
    receive do
      :done -> :ok
    end
    {ask.(p, ??, ""), Port.info(p, :queue_size), ask.(p, ?!, "drain")}
  end)
end

# Closing with something queued: each callback may be the one that empties it.
for {name, cause, steps} <- [
      {"flush", "", "drain"},
      {"flush with a timer", "timeout drain", "timer 5"},
      {"flush with a selection", "ready_output drain;select . u 0", "pipe 0 1;select 1 wu 1"},
      {"flush with a job", "ready_async drain", "async"},
      {"flush that ends it", "", "atom over"},
      {"flush that enqueues more", "timeout peekq;drain", "enq more;timer 5"},
      {"flush bit by bit", "timeout deq 1;timer 1", "timer 1"}
    ], way <- [:close, :message, :exit] do
  Scenario.exact("#{name}, by #{way}", 0, fn ->
    p = open.("")
    q = Port.open({:spawn_driver, "script_drv 1"}, [])
    :erlang.unlink(q)
    Port.monitor(p)
    ask.(p, ?=, "stop sizeq;output never;connected;caller;term atom:never")
    ask.(p, ?=, cause)
    ask.(p, ?=, "flush sizeq;" <> steps <> ";output never;caller")
    ask.(p, ?!, "enq abc")
    ask.(p, ??, "")
    case way do
      :close -> Port.close(p)
      :message -> send(p, {self(), :close})
      :exit -> Process.exit(p, :over)
    end
    ended = Scenario.eventually(fn -> Port.info(p) == nil end)
    log = ask.(q, ??, "")
    Port.close(q)
    {ended, log}
  end)
end
Scenario.exact("nothing queued, nothing flushed", 0, fn ->
  p = open.("")
  q = Port.open({:spawn_driver, "script_drv 1"}, [])
  ask.(p, ??, "")
  Port.close(p)
  ask.(q, ??, "")
end)
# A closing port may be asked, and may end by that.
Scenario.exact("a closing port, asked", 0, fn ->
  p = open.("")
  q = Port.open({:spawn_driver, "script_drv 1"}, [])
  ask.(p, ?!, "enq abc")
  Port.close(p)
  first = ask.(p, ?!, "mk_port;connected;caller;sizeq;flags;left 0 0;timer 60000;left 1 60000;cancel;pipe 0 1;select 0 ru 1;select 0 u 0;slice 1")
  command = try do Port.command(p, "x") catch :error, reason -> reason end
  close = try do Port.close(p) catch :error, reason -> reason end
  {first, command, close, ask.(p, ?!, "drain;sizeq;mk_port"), Port.info(p), ask.(q, ??, "")}
end)
Scenario.exact("one more reason for a closing port", 0, fn ->
  p = open.("")
  Port.monitor(p)
  ask.(p, ?!, "enq abc")
  Port.close(p)
  {ask.(p, ?!, "eof;sizeq;mk_port"), Port.info(p)}
end)
for way <- ["posix 5", "fail 0", "fail 3", "exit 0", "exit 5", "atom x"] do
  Scenario.exact("a closing port, ended by " <> way, 0, fn ->
    p = open.("")
    q = Port.open({:spawn_driver, "script_drv 1"}, [])
    Port.monitor(p)
    ask.(p, ?=, "stop sizeq;output never")
    ask.(p, ?!, "enq abc")
    send(p, {self(), :close})
    Process.sleep(20)
    {ask.(p, ?!, way <> ";sizeq;mk_port"), Port.info(p), ask.(q, ??, "")}
  end)
end
