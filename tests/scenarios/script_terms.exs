# Terms, by all four functions, at their edges. tests/drivers/script_terms.h says what the words mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'script_drv')
open = fn steps, options -> Port.open({:spawn_driver, "script_drv 0 " <> steps}, options) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end
pairs = fn n, key -> Enum.map_join(1..n, " ", fn at -> "int:#{key.(at)} nil" end) <> " map:#{n}" end

words = [
  "nil", "atom:abc", "atom:", "atom:" <> String.duplicate("a", 255), "atom:" <> String.duplicate("a", 256),
  "int:0", "int:-9223372036854775808", "int:9223372036854775807", "uint:0", "uint:18446744073709551615",
  "int64:-9223372036854775808", "int64:9223372036854775807", "uint64:18446744073709551615", "uint64:0",
  "float:1.5", "float:-0.0", "float:1e308", "float:nan", "float:inf", "float:-inf",
  "port", "pid", "4 59", "10 59", "2 59", "4 0", "10 0", "2 0", "2 -1", "4 -1", "10 -1",
  "string:abc", "string:", "6 0 0", "6 0 3", "9 0 0", "nil 9 0 0", "nil cons:", "nil cons:cd cons:ab",
  "int:1 cons:ab", "string:cd cons:ab", "cons:ab",
  "buf:abc", "buf:", "14 0 0", "14 0 3", "binary:0:0", "binary:64:0", "binary:65:0", "binary:65:35", "binary:66:35",
  "binary:100:0", "binary:101:0", "binary:0:100", "binary:0:101", "5 0 0 0", "5 0 1 0",
  "tuple:0", "int:1 tuple:1", "int:1 int:2 tuple:2", "int:1 tuple:2", "tuple:1", "tuple:-1", "nil tuple:-1",
  "nil list:1", "int:7 list:1", "int:1 int:2 list:2", "int:1 int:2 nil list:3", "list:0", "nil list:0", "list:1", "nil list:-1", "nil nil list:3",
  "map:0", "int:1 nil map:1", "nil map:1", "int:1 nil int:1 nil map:2", "int:1 nil float:1.0 nil map:2", "nil nil map:-1",
  pairs.(32, fn at -> at end), pairs.(33, fn at -> rem(at, 32) end),
  "ext:8361ff", "ext:83", "ext:61ff", "ext:8361ffaabb", "ext:836b000161", "ext:836b00026161", "12 0 0", "12 0 3", "ext:", "ext:836803610161026a",
  "ext:83680361016102",
  "0", "18", "19", "-1", "4294967297", "1 1", "1 n:0", "1 n:-1", "1 1 n:1", "1 1 n:2", "int:1 n:1", "2", "3", "5", "5 0", "6", "6 0", "7", "8", "9", "11", "12", "13", "14", "15", "16", "17",
  "atom:reply port pid tuple:2 int:1 string:ab buf:cd nil list:3 tuple:3"
]

# The largest part is the same for all; the functions differ in whom they ask for the port and the receiver.
for word <- words do
  Scenario.exact("term #{word}", 0, fn ->
    p = open.("", [])
    ask.(p, ?!, "remember;term " <> word)
  end)
end
Scenario.tell("a map of many keys", 0, fn ->
  p = open.("", [])
  said = ask.(p, ?!, "term " <> pairs.(33, fn at -> at end))
  receive do
    map -> {said, map_size(map), Enum.sort(Map.keys(map)) == Enum.to_list(1..33)}
  end
end)
for word <- ["nil", "atom:abc tuple:1", "0", "1 n:0", "float:nan", "string:abc", "binary:65:0", "nil map:1"], function <- ["send_term me", "old_send_term me", "old_term"] do
  Scenario.exact("#{function} #{word}", 0, fn ->
    p = open.("", [])
    ask.(p, ?!, "remember;#{function} #{word}")
  end)
end

# Receivers: none, the port itself, one that is dead; good programs, bad ones, and ones found bad only when they are built.
for word <- ["nil", "18", "float:nan", "ext:83", "int:1 nil int:1 nil map:2", "binary:65:0"] do
  Scenario.exact("#{word} to nobody", 0, fn ->
    p = open.("", [])
    ask.(p, ?!, "send_term nil #{word};send_term port #{word};old_send_term nil #{word};old_send_term port #{word}")
  end)
  Scenario.exact("#{word} to the dead", 0, fn ->
    p = open.("", [])
    teller = self()
    {q, _} = spawn_monitor(fn -> ask.(p, ?!, "remember"); send(teller, :asked) end)
    receive do :asked -> :ok end
    receive do {:DOWN, _, _, ^q, _} -> :ok end
    ask.(p, ?!, "send_term dead #{word};old_send_term dead #{word}")
  end)
  Scenario.exact("#{word} for no port", 0, fn ->
    p = open.("", [])
    ask.(p, ?!, "remember;@- term #{word};@- send_term me #{word};@- old_term #{word};@- old_send_term me #{word}")
  end)
  Scenario.exact("#{word} for an ended port", 0, fn ->
    p = open.("", [])
    ask.(p, ?!, "remember;atom over;term #{word};send_term me #{word};old_term #{word};old_send_term me #{word}")
  end)
  Scenario.exact("#{word} for a closing port", 0, fn ->
    p = open.("", [])
    ask.(p, ?!, "remember;enq a")
    Port.close(p)
    ask.(p, ?!, "term #{word};send_term me #{word};old_term #{word};old_send_term me #{word};drain")
  end)
end
Scenario.exact("terms to another process", 0, fn ->
  p = open.("", [])
  teller = self()
  q = spawn(fn ->
    answer = ask.(p, ?!, "remember;send_term me atom:mine;caller;connected")
    receive do
      what -> send(teller, {:got, what, answer})
    end
  end)
  receive do
    {:got, what, answer} -> {is_pid(q), what, answer}
  end
end)

# From another thread.
for steps <- ["thread term atom:threaded", "remember;thread send_term me atom:threaded", "thread term 18"] do
  Scenario.exact("by a thread: " <> steps, 0, fn -> ask.(open.("", []), ?!, steps) end)
end

# Whose port, whose owner, who asks: in each callback.
for {callback, cause} <- [{"start", :start}, {"output", "output"}, {"timeout", "timer 0"}, {"ready_input", "pipe 0 1;write 1 x;select 0 ru 1"}, {"ready_output", "pipe 0 1;select 1 wu 1"}, {"ready_async", "async"}] do
  Scenario.exact("who, in " <> callback, 0, fn ->
    steps = "mk_port;connected;caller;term atom:here"
    tidy = if String.starts_with?(callback, "ready_i") or String.starts_with?(callback, "ready_o"), do: ";select . u 0", else: ""
    p = open.(if(cause == :start, do: steps, else: ""), [])
    ask.(p, ?=, callback <> " " <> steps <> tidy)
    case cause do
      :start -> :ok
      "output" -> Port.command(p, "x")
      _ -> ask.(p, ?!, cause)
    end
    receive do
      :here -> :ok
    end
    ask.(p, ??, "")
  end)
end
for steps <- ["@- mk_port", "@- connected", "@- caller", "mk_port;connected;caller", "atom over;mk_port;connected;caller", "thread connected"] do
  Scenario.tell("who: " <> steps, 0, fn -> ask.(open.("", []), ?!, steps) end)
end
Scenario.tell("who, after the owner has changed", 0, fn ->
  p = open.("", [])
  q = Scenario.bystander()
  Port.connect(p, q)
  answer = ask.(p, ?!, "connected;caller")
  send(q, {:stop, :normal})
  answer
end)
