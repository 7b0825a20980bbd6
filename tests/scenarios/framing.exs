# Streams, lines and packets.

Scenario.tell("a stream in pieces is one text", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Port.command(p, "he")
  Port.command(p, ["l", ?l, [["o"]]])
end)
Scenario.tell("bytes as lists", 1, fn ->
  p = Port.open({:spawn, "cat"}, [])
  send(p, {self(), {:command, "hello"}})
end)
Scenario.tell("nothing is nothing", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  {Port.command(p, ""), Port.command(p, []), Port.info(p, :output)}
end)
Scenario.tell("a large stream", 1, fn ->
  p = Port.open({:spawn, "head -c 200000 /dev/zero"}, [:binary, :exit_status])
  count = fn count, size ->
    receive do
      {^p, {:data, data}} when byte_size(data) <= 65536 -> count.(count, size + byte_size(data))
      {^p, {:exit_status, 0}} -> size
    end
  end
  count.(count, 0)
end)

for data <- [:atom, 1.5, 256, -1, [256], [-1], ["a" | 98], {"a"}, %{}, ["a", :b]] do
  Scenario.tell("not bytes: " <> inspect(data), 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    Port.command(p, data)
  end)
end

Scenario.tell("not bytes in a message", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), {:command, :not_iodata}})
  :sent
end)

Scenario.exact("two byte packets", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 2])
  Port.command(p, "hi")
  Port.command(p, ["a", ?b, ["c" | "d"]])
end)
Scenario.exact("an empty packet", 1, fn ->
  p = Port.open({:spawn, "cat"}, packet: 4)
  Port.command(p, "")
end)
Scenario.exact("an empty binary packet", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 1])
  Port.command(p, "")
end)
Scenario.exact("the longest packet of one byte", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 1])
  Port.command(p, String.duplicate("x", 255))
end)
Scenario.exact("too long for one byte", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 1])
  Port.command(p, String.duplicate("x", 256))
end)
Scenario.exact("too long for two bytes", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 2])
  Port.command(p, String.duplicate("x", 65536))
end)
Scenario.exact("an incomplete packet is dropped", 3, fn -> Scenario.sh("printf '\\000\\002ok\\000\\005abc'", [:exit_status, packet: 2]) end)
Scenario.exact("an incomplete header is dropped", 3, fn -> Scenario.sh("printf '\\000\\002ok\\000'", [:exit_status, packet: 2]) end)
Scenario.exact("a header byte by byte", 2, fn -> Scenario.sh("printf '\\000'; sleep 0.05; printf '\\000\\000'; sleep 0.05; printf '\\002o'; sleep 0.05; printf k", packet: 4) end)
Scenario.exact("headers are not counted", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 4])
  Port.command(p, "abc")
  receive do
    {^p, {:data, data}} -> {data, Port.info(p, :output), Port.info(p, :input), send(self(), :done)}
  end
end)

lines = [
  {"a line", "ab\\n", 5}, {"an empty line", "\\n", 5}, {"exactly as long as allowed", "abcde\\n", 5},
  {"one longer than allowed", "abcdef\\n", 5}, {"twice as long", "abcdefghij\\n", 5}, {"ends with CR LF", "ab\\r\\n", 5},
  {"as long as allowed, with CR LF", "abcde\\r\\n", 5}, {"a CR that is none of an end", "abcde\\rX\\n", 5},
  {"a CR as the last byte allowed", "abc\\rZ\\n", 4}, {"lone CRs are kept", "a\\rb\\r\\rc\\n", 50}, {"no end", "cd", 5},
  {"a CR at the very end", "ab\\r", 5}, {"a CR at the very end of a full line", "abcde\\r", 5}, {"full and no end", "abcde", 5},
  {"several lines", "abcdefg\\nhi\\r\\n\\n", 5}, {"length one", "ab\\n", 1}
]

for {name, text, length} <- lines do
  Scenario.exact("line: " <> name, 1, fn ->
    p = Scenario.sh("printf '" <> text <> "'", [:eof, line: length])
    # All has come when this has; back to the end of the line with it.
    receive do
      {^p, :eof} = last -> send(self(), last)
    end
    :read
  end)
end

Scenario.exact("line: 512 when no length is given", 2, fn ->
  Scenario.sh("head -c 513 /dev/zero | tr '\\0' x", [:line])
  receive do
    {_, {:data, {:noeol, text}}} -> byte_size(text)
  end
end)
Scenario.exact("line: a pause before the end", 2, fn -> Scenario.sh("printf abcde; sleep 0.1; echo", line: 5) end)
Scenario.exact("line: a CR held back", 2, fn -> Scenario.sh("printf 'cd\\r'; sleep 0.1; printf 'x\\n'", line: 5) end)
Scenario.exact("line: what is left comes after the status", 4, fn -> Scenario.sh("printf 'ab\ncd'", [:line, :exit_status, :eof]) end)
Scenario.exact("line: what is left when we close is dropped", 2, fn ->
  p = Scenario.sh("printf 'ab\ncd'; cat", line: 5)
  receive do
    {^p, {:data, {:eol, "ab"}}} -> :ok
  end
  send(p, {self(), :close})
  :closing
end)
Scenario.exact("line: nothing is added on the way out", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, line: 20])
  Port.command(p, "no newline, ")
  Port.command(p, "here\n")
end)
