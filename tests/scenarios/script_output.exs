# Output to the owner, at its edges. tests/drivers/script_drv.c says what the steps mean.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'script_drv')
open = fn steps, options -> Port.open({:spawn_driver, "script_drv 0 " <> steps}, options) end
ask = fn p, operation, text -> List.to_string(:erlang.port_control(p, operation, text)) end

shapes = [[], [:binary], [{:line, 4}], [:binary, {:line, 4}]]

# Lines: whole, cut, joined, with and without a carriage return; with a header on each.
for options <- shapes, text <- ["", "ab", "abcd", "abcde", "ab\ncd\n", "ab\r\ncd", "abc\r\n", "abcd\r\n", "\n", "\r\n", "\r", "a\rb\n", "abcdefghi\n"] do
  Scenario.exact("output #{inspect(text)} #{inspect(options)}", 0, fn ->
    p = open.("", options)
    {ask.(p, ?!, "output " <> text), ask.(p, ?!, "output x\n")}
  end)
end
for options <- shapes, words <- ["HD ", "HD abc", "HD ab\ncd\n", "HD", "HD abcdefg\n"] do
  Scenario.exact("output2 #{inspect(words)} #{inspect(options)}", 0, fn ->
    p = open.("", options)
    {ask.(p, ?!, "output2 " <> words), ask.(p, ?!, "output2 H y\n")}
  end)
end
for options <- [[], [:binary], [:binary, :line]] do
  Scenario.exact("output of nothing at NULL #{inspect(options)}", 0, fn ->
    p = open.("", options)
    ask.(p, ?!, "output_null 0")
  end)
end

# Binaries: small and large ones, at offsets, none of it, all of it, more than there is.
for options <- [[], [:binary], [:line]], words <- ["0 0 100", "2 0 100", "0 36 64", "0 35 65", "2 36 64", "2 35 65", "0 100 0", "3 0 0", "0 0 0"] do
  Scenario.exact("output_binary #{words} #{inspect(options)}", 0, fn ->
    ask.(open.("", options), ?!, "output_binary " <> words)
  end)
end

# Vectors: header, bytes to skip, shape.
for options <- [[], [:binary]],
    words <- [
      "0 0 5",
      "2 0 5",
      "0 0 e,5",
      "0 0 e,5,n,6",
      "2 0 e,5,b70,6",
      "0 0 b64",
      "0 0 b65",
      "0 3 5,6",
      "0 5 5,6",
      "0 7 5,6",
      "0 11 5,6",
      "2 11 5,6",
      "0 12 5,6",
      "2 12 5,6",
      "0 6 b70,b5",
      "0 0 e",
      "2 0 e",
      "0 0 n",
      "0 0 5,e",
      "0 0 5,e,6,e",
      "1 0 e,e,e,1",
      "0 0 e,e,5",
      "0 5 5,e,6",
      "0 5 5,6,e",
      "0 3 e,e,5,e,6",
      "0 3 5,e,e,6",
      "0 2 n,5",
      "0 0 n,5"
    ] do
  Scenario.exact("outputv #{words} #{inspect(options)}", 0, fn ->
    ask.(open.("", options), ?!, "outputv " <> words)
  end)
end
Scenario.exact("vectors are no lines", 0, fn -> ask.(open.("", [:binary, {:line, 4}]), ?!, "outputv 2 0 e,26,b70") end)
for words <- ["0 5", "3 5", "5 5", "9 5", "9 5,e,n,5", "7 3,b5", "0 e"] do
  Scenario.tell("vec_to_buf " <> words, 0, fn -> ask.(open.("", []), ?!, "vec_to_buf " <> words) end)
end

# In each callback.
for {callback, cause} <- [
      {"start", "start"},
      {"output", "output"},
      {"timeout", "timer 0"},
      {"ready_input", "pipe 0 1;write 1 x;select 0 ru 1"},
      {"ready_output", "pipe 0 1;select 1 wu 1"},
      {"ready_async", "async"},
      {"flush", "flush"},
      {"stop", "stop"}
    ] do
  Scenario.exact("output in " <> callback, 0, fn ->
    steps = "output one;output2 H two;output_binary 0 0 5;outputv 1 0 e,3;term atom:done"
    tidy = if String.starts_with?(callback, "ready_i") or String.starts_with?(callback, "ready_o"), do: ";select . u 0", else: ""
    p = open.(if(callback == "start", do: steps, else: ""), [:binary])
    ask.(p, ?=, callback <> " " <> steps <> tidy)
    q = Port.open({:spawn_driver, "script_drv 1"}, [])
    case cause do
      "start" -> :opened
      "output" -> Port.command(p, "x")
      "flush" ->
        ask.(p, ?!, "enq abc")
        Port.close(p)
        ask.(q, ?!, "@0 drain")
      "stop" -> Port.close(p)
      _ -> ask.(p, ?!, cause)
    end
    Scenario.eventually(fn -> String.contains?(ask.(q, ?!, "sleep 1"), "0") end)
    Process.sleep(100)
    send(self(), {:log, ask.(q, ?=, "")  <> ask.(q, ??, "")})
    :erlang.unlink(q)
    Port.close(q)
    :told
  end)
end

# A port that is none.
for steps <- ["output x", "output_null 0", "output2 H x", "output2 H", "output_binary 1 0 5", "outputv 1 0 e,5", "outputv 0 9 5"] do
  Scenario.tell("no port: " <> steps, 0, fn -> ask.(open.("", []), ?!, "@- " <> steps) end)
end
# One whose callback has ended it.
Scenario.exact("an ended port", 0, fn ->
  p = open.("", [])
  ask.(p, ?!, "atom enough;output x;output2 H x;output_binary 1 0 5;outputv 1 0 e,5;term nil;old_term nil;send_term nil nil")
end)
# One that waits for its queue.
Scenario.exact("a closing port", 0, fn ->
  p = open.("", [])
  ask.(p, ?!, "remember;enq abc")
  send(p, {self(), :close})
  Process.sleep(20)
  answer = ask.(p, ?!, "output x;output2 H x;output_binary 1 0 80;outputv 1 0 e,b80;term nil;old_term nil;send_term me nil;old_send_term me nil;report 3")
  {answer, ask.(p, ?!, "drain")}
end)
Scenario.exact("large output", 0, fn ->
  p = open.("", [:binary])
  ask.(p, ?=, "output output_binary 0 0 100;outputv 0 0 b99,b99,b99,b99,b99,b99,b99,b99")
  for _ <- 1..3, do: Port.command(p, "x")
  Port.info(p, :input)
end)
Scenario.tell("what output counts", 0, fn ->
  p = open.("", [])
  for steps <- ["output abc", "output2 HD abc", "output2 HD", "output_binary 2 0 70", "outputv 2 0 e,5,b70", "outputv 2 3 5", "term string:abc", "report 1", "output"] do
    ask.(p, ?!, steps)
    Port.info(p, :input)
  end
end)
