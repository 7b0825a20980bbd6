# Lines: the table of what is one, and that it never shows where the text was cut on its way.

# A program that passes on so many pieces, and then ends. Each is there before the next is sent,
# so what comes at each step is known.
steps = fn pieces, options ->
  p = Port.open({:spawn, "dd bs=64k status=none count=#{length(pieces)}"}, [:binary, :exit_status | options])
  Enum.reduce(pieces, 0, fn piece, sent ->
    Port.command(p, piece)
    true = Scenario.eventually(fn -> Port.info(p, :input) in [nil, {:input, sent + byte_size(piece)}] end)
    sent + byte_size(piece)
  end)
  receive do
    {^p, {:exit_status, 0}} = last -> send(self(), last)
  end
  for {^p, {:data, line}} <- Scenario.pieces(1), do: line
end
lines = fn count -> for {_, {:data, line}} <- Scenario.pieces(count), do: line end

Scenario.together(fn ->

table = [
  {5, "ab\n"}, {5, "\n"}, {5, "abcde\n"}, {5, "abcdef\n"}, {5, "ab\r\n"}, {5, "abcde\r\n"}, {5, "abcde\rX\n"}, {4, "abc\rZ\n"}, {50, "a\rb\r\rc\n"},
  {5, "cd"}, {5, "ab\r"}, {5, "abcde\r"}, {5, "abcde"}, {5, ""},
  {5, "\r\n"}, {5, "\r"}, {5, "\r\r"}, {5, "\r\r\n"}, {5, "\r\r\r\n"}, {5, "\n\n"}, {5, "\n\r"}, {5, "\n\r\n"}, {5, "\r\n\r\n"}, {5, "a\n\rb\n"},
  {5, "abcd\r\n"}, {5, "abcd\r\r\n"}, {5, "abcde\r\r\n"}, {5, "abcdef\r\n"}, {5, "abcdefghij\r\n"}, {5, "abcdefghi\r\n"}, {5, "abcdefghi\r"}, {5, "abcdefghij\r"},
  {5, "\rabcd\n"}, {5, "\rabcde\n"}, {5, "abc\r\rf\n"}, {5, "abcd\r\rf\n"}, {5, "abcde\r\rf\n"}, {5, "\r\r\r\r\r\r\n"}, {5, "\r\r\r\r\r\r\r"},
  {1, "a\n"}, {1, "ab\n"}, {1, "\n"}, {1, "\r\n"}, {1, "a\r\n"}, {1, "\r\r\n"}, {1, "a\rb\n"}, {1, "\r"}, {1, "a\r"}, {1, "\r\r"}, {1, "abc"},
  {2, "a\r\nb\r\nc"}, {2, "ab\r\ncd\r\nef\r"}, {3, "a\0b\n\0\n"}, {3, "äö\nü"}
]
for {limit, text} <- table do
  Scenario.exact("#{inspect(text)} by #{limit}", 0, fn ->
    whole = if text == "", do: steps.([], line: limit), else: steps.([text], line: limit)
    bytes = for <<byte <- text>>, do: <<byte>>
    {whole, (text == "" or steps.(bytes, line: limit) == whole)}
  end)
end

# Two pieces, at every place: what is certain comes at once, the rest when it is.
for {limit, text} <- [{5, "ab\r\ncd\n"}, {5, "abcde\r\nf"}, {5, "abcdef\r\r\n"}, {4, "abc\rZ\r\n"}, {2, "\r\r\n\n\r"}, {1, "a\r\nb\r"}], at <- 1..byte_size(text)-1 do
  {first, second} = {binary_part(text, 0, at), binary_part(text, at, byte_size(text) - at)}
  Scenario.exact("#{inspect(first)}, then #{inspect(second)} by #{limit}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, line: limit])
    Port.command(p, first)
    Scenario.eventually(fn -> Port.info(p, :input) == {:input, at} end)
    early = lines.(0)
    Port.command(p, second)
    Scenario.eventually(fn -> Port.info(p, :input) == {:input, byte_size(text)} end)
    {early, lines.(0)}
  end)
end
Scenario.exact("nothing comes of a full line until it is known how it goes on", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, line: 5])
  Port.command(p, "abcde")
  Scenario.eventually(fn -> Port.info(p, :input) == {:input, 5} end)
  early = Scenario.pieces(0)
  Port.command(p, "\n")
  {early, Scenario.pieces(1)}
end)
Scenario.exact("a return is held back", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, line: 5])
  Port.command(p, "cd\r")
  Scenario.eventually(fn -> Port.info(p, :input) == {:input, 3} end)
  early = Scenario.pieces(0)
  Port.command(p, "x\n")
  {early, Scenario.pieces(1)}
end)

for {name, option, length} <- [{"no number", :line, 512}, {"512", {:line, 512}, 512}, {"a large number", {:line, 1_000_000_000}, 200_000}, {"as much as one read", {:line, 65_536}, 65_536}, {"one more", {:line, 65_537}, 65_537}],
    more <- [0, 1] do
  Scenario.exact("lines of #{length} and #{more}, by #{name}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, option])
    Port.command(p, [String.duplicate("x", length + more), "\n"])
    count = if more == 1 and length != 200_000, do: 2, else: 1
    for {^p, {:data, {kind, text}}} <- Scenario.pieces(count), do: {kind, byte_size(text)}
  end)
end
Scenario.exact("many lines in one read", 0, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, :line])
  Port.command(p, Enum.map(1..500, fn n -> "line #{n}\r\n" end))
  lines = for {^p, {:data, {:eol, line}}} <- Scenario.pieces(500), do: line
  {length(lines), lines == Enum.map(1..500, fn n -> "line #{n}" end)}
end)
Scenario.exact("as lists", 0, fn ->
  p = Port.open({:spawn, "cat"}, line: 3)
  Port.command(p, "ab\n\ncdef\n")
  Scenario.pieces(4)
end)

# How a line that has no end ends.
for options <- [[], [:exit_status], [:eof], [:eof, :exit_status]], text <- ["ab\ncd", "ab\ncd\r", "ab\n", ""] do
  Scenario.exact("at the end #{inspect(text)} #{inspect(options)}", 0, fn ->
    p = Scenario.sh("printf '#{text |> String.replace("\n", "\\n") |> String.replace("\r", "\\r")}'; exit 3", [{:line, 10} | options])
    ends = max(length(options), if(:eof in options, do: 1, else: 1 + length(options)))
    Scenario.pieces(ends + length(String.split(text, "\n", trim: true))) ++ [is_list(Port.info(p))]
  end)
end
for {name, ends} <- [{"a call", fn p -> Port.close(p) end}, {"a message", fn p -> send(p, {self(), :close}) end}, {"a signal", fn p -> Process.exit(p, :boom) end}, {"a failed write", fn p -> Port.command(p, "x") end}] do
  Scenario.exact("half a line is dropped by #{name}", 0, fn ->
    p = Scenario.sh("exec <&-; printf 'ab\ncd'; sleep 5", line: 5)
    Scenario.eventually(fn -> Port.info(p, :input) == {:input, 5} end)
    ends.(p)
    Scenario.pieces(if(name == "a message", do: 3, else: 2))
  end)
end
Scenario.exact("half a line goes to the next owner with its end", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, :line])
  Port.command(p, "whole\nhalf ")
  Scenario.eventually(fn -> Port.info(p, :input) == {:input, 11} end)
  me = self()
  q = spawn(fn ->
    receive do
      message -> send(me, {:other_got, message})
    end
  end)
  Port.connect(p, q)
  Process.unlink(p)
  Port.command(p, "and half\n")
  :sent
end)
end)
