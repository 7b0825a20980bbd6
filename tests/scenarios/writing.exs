# What a process writes to a port: what is data and what is not, in every mode and in every way.

ways = [
  {"call", fn p, data -> Port.command(p, data) end},
  {"message", fn p, data -> send(p, {self(), {:command, data}}); :sent end}
]

Scenario.together(fn ->

# What is data. Packets show what went out as one command.
for {name, data} <- [
  {"a binary", "ab"}, {"an empty binary", ""}, {"an empty list", []}, {"bytes", [0, 97, 255]}, {"a charlist", 'ab'},
  {"lists in lists", ["a", [[?b], [], "c"], 'd']}, {"a binary as tail", ["a" | "b"]}, {"tails in tails", [[97 | "b"], "c" | "d"]},
  {"an empty binary as tail", [97 | ""]}, {"nothing, at length", [[], "", [[[]]] | ""]}, {"a zero", [0]}, {"the largest byte", [[255] | <<255>>]}
], {way, write} <- ways do
  Scenario.exact("data by #{way}: #{name}", 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, packet: 4])
    write.(p, data)
  end)
end

for {name, data} <- [
  {"100,000 lists deep", fn -> Enum.reduce(1..100_000, "x", fn _, inner -> [inner] end) end},
  {"100,000 lists deep, a byte before each", fn -> Enum.reduce(1..100_000, "x", fn _, inner -> [?a, inner] end) end},
  {"100,000 lists deep, a byte after each", fn -> Enum.reduce(1..100_000, [], fn _, inner -> [inner, ?b] end) end},
  {"100,000 lists deep, a binary as each tail", fn -> Enum.reduce(1..100_000, [], fn _, inner -> [inner | "c"] end) end},
  {"100,000 bytes in a row", fn -> Enum.map(1..100_000, fn n -> rem(n, 256) end) end},
  {"10,000 binaries", fn -> Enum.map(1..10_000, fn n -> "n#{n}" end) end},
  {"a million bytes and one", fn -> [String.duplicate("y", 1_000_000), ?z] end}
], {way, write} <- ways do
  Scenario.exact("data by #{way}: #{name}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, packet: 4])
    said = write.(p, data.())
    receive do
      {^p, {:data, back}} -> {said, byte_size(back), back == IO.iodata_to_binary(data.())}
    end
  end)
end

# What is none: a call fails, a message is punished, and the port goes on.
deep_inside = Enum.reduce(1..100_000, :atom, fn bad, inner -> if rem(bad, 2) == 0, do: [inner], else: ["", inner] end)
no_data = [
  {"256", 256}, {"-1", -1}, {"a byte", 97}, {"an atom", :atom}, {"nil", nil}, {"a float", 1.5}, {"a tuple", {"a"}}, {"a map", %{}},
  {"a pid", self()}, {"a list with 256", [256]}, {"a list with -1", [-1]}, {"a list with a float", [1.0]}, {"a list with an atom", ["a", :b]},
  {"a list with a tuple", [{"a"}]}, {"a list with a large number", [100_000_000_000_000_000_000]}, {"a byte as tail", ["a" | 98]},
  {"an atom as tail", ["a" | :b]}, {"a letter that is no byte", [?a, 0x400]}, {"at the end of much", ["a", [["b"], [["c" | :d]]]]},
  {"100,000 lists deep", deep_inside}, {"bits after bytes", <<"ab", 1::3>>}
]
for {name, data} <- no_data do
  Scenario.tell("no data by call: " <> name, 1, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    result = try do
      Port.command(p, data)
    rescue
      error -> error.__struct__
    end
    Port.command(p, "goes on")
    {result, Port.info(p, :output)}
  end)
  Scenario.tell("no data by message: " <> name, 2, fn ->
    p = Port.open({:spawn, "cat"}, [:binary])
    send(p, {self(), {:command, data}})
    Port.command(p, "goes on")
    Port.info(p, :output)
  end)
end
Scenario.tell("no data by message, unlinked", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  Process.unlink(p)
  send(p, {self(), {:command, :not_iodata}})
  Port.command(p, "goes on")
end)
Scenario.untrapped("no data by message, not trapping", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), {:command, :not_iodata}})
  Scenario.flush(1)
end)
Scenario.tell("no data by message, with packets", 2, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 2])
  send(p, {self(), {:command, [256]}})
  Port.command(p, "goes on")
end)
Scenario.tell("no data to an in-only port", 1, fn ->
  p = Port.open({:spawn, "sleep 5"}, [:in])
  result = try do
    Port.command(p, :not_iodata)
  rescue
    error -> error.__struct__
  end
  send(p, {self(), {:command, :not_iodata}})
  result
end)

# Nothing, in every mode.
for mode <- [[], [:line], [line: 5], [packet: 1], [packet: 2], [packet: 4]], {name, data} <- [{"binary", ""}, {"list", []}, {"nested", [[], ""]}],
    {way, write} <- ways do
  Scenario.exact("an empty #{name} by #{way}: #{inspect(mode)}", 0, fn ->
    p = Port.open({:spawn, "cat"}, mode)
    said = [write.(p, data), write.(p, "x\n")]
    {said, Scenario.pieces(if(Keyword.has_key?(mode, :packet), do: 2, else: 1)), Port.info(p, :output), Port.info(p, :input)}
  end)
end
Scenario.exact("what packets look like to the program", 0, fn ->
  for {length, sent} <- [{1, ""}, {1, "a"}, {2, ""}, {2, "ab"}, {4, ""}, {4, ["a", ?b, "c"]}] do
    p = Scenario.sh("head -c #{length + IO.iodata_length(sent)} > head_#{length}", packet: length)
    Port.command(p, sent)
    receive do
      {:EXIT, ^p, reason} -> {length, reason}
    end
    wanted = <<IO.iodata_length(sent)::size(length)-unit(8), IO.iodata_to_binary(sent)::binary>>
    {length, File.read("head_#{length}") == {:ok, wanted}}
  end
end)

# The longest packets, and longer ones.
for {length, bytes} <- [{1, 254}, {1, 255}, {2, 255}, {2, 256}, {2, 65534}, {2, 65535}, {4, 255}, {4, 65535}, {4, 65536}, {4, 3_000_000}], {way, write} <- ways do
  Scenario.exact("#{bytes} bytes in packets of #{length} by #{way}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, packet: length])
    data = String.duplicate("x", bytes - 1) <> "y"
    said = write.(p, data)
    receive do
      {^p, {:data, back}} -> {said, byte_size(back), back == data, Port.info(p, :output)}
    end
  end)
end
for {length, bytes} <- [{1, 256}, {1, 65536}, {2, 65536}, {2, 200_000}], {way, write} <- ways do
  Scenario.exact("#{bytes} bytes in packets of #{length} by #{way}", 2, fn ->
    p = Port.open({:spawn, "cat"}, packet: length)
    Port.monitor(p)
    write.(p, String.duplicate("x", bytes))
  end)
end
Scenario.untrapped("too long a packet, not trapping", 0, fn ->
  p = Port.open({:spawn, "cat"}, packet: 1)
  Port.command(p, String.duplicate("x", 256))
  Scenario.flush(1)
end)
Scenario.tell("nothing is written of what is too long", 1, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("cat > too_long; : > too_long_read; read x < #{gate}", packet: 1)
  Port.command(p, "before")
  Port.command(p, String.duplicate("x", 256))
  read = Scenario.eventually(fn -> File.exists?("too_long_read") end)
  Scenario.pass(gate)
  {read, File.read!("too_long")}
end)
Scenario.tell("too long a packet drops what is queued", 1, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("read x < #{gate}; cat > queue_lost; : > queue_lost_read", packet: 2, busy_limits_port: :disabled)
  Port.command(p, String.duplicate("x", 65_000))
  Port.command(p, String.duplicate("x", 20_000))
  Port.command(p, String.duplicate("x", 65_536))
  gone = Port.info(p)
  Scenario.pass(gate)
  read = Scenario.eventually(fn -> File.exists?("queue_lost_read") end)
  {gone, read, File.stat!("queue_lost").size <= 65_536}
end)
Scenario.tell("a closed port after too long a packet", 1, fn ->
  p = Port.open({:spawn, "cat"}, packet: 1)
  Port.command(p, String.duplicate("x", 256))
  Port.command(p, "x")
end)

# What is counted.
for mode <- [[], [line: 3], [packet: 1], [packet: 2], [packet: 4]] do
  Scenario.tell("counts: " <> inspect(mode), 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary | mode])
    counts = for data <- ["abc\n", "", ["d", 'ef']] do
      Port.command(p, data)
      Port.info(p, :output)
    end
    came = Scenario.eventually(fn -> Port.info(p, :input) == {:input, 7} end)
    {counts, came}
  end)
end
Scenario.tell("what waits is counted as written", 1, fn ->
  p = Scenario.sh("sleep 5", [:out])
  Port.command(p, String.duplicate("x", 200_000))
  {{:queue_size, waits}, written} = {Port.info(p, :queue_size), Port.info(p, :output)}
  Process.exit(p, :kill)
  {waits > 130_000, written}
end)

Scenario.tell("calls and messages in turn arrive in order", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  me = self()
  for n <- 1..9 do
    if rem(n, 2) == 0, do: Port.command(p, "#{n}"), else: send(p, {me, {:command, "#{n}"}})
  end
  :sent
end)
Scenario.exact("order among packets", 9, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 1])
  me = self()
  for n <- 1..9 do
    if rem(n, 2) == 1, do: Port.command(p, "#{n}"), else: send(p, {me, {:command, "#{n}"}})
  end
  :sent
end)

# Nobody to write to.
for {way, write} <- ways do
  for {name, script} <- [{"closed its input", "exec <&-; echo ready; read x < "}, {"left its input to nobody", "exec </dev/null; echo ready; read x < "}] do
    Scenario.tell("a program that #{name}, by #{way}", 0, fn ->
      gate = Scenario.gate()
      p = Scenario.sh(script <> gate <> "; exit 5", [:exit_status])
      ready = Scenario.flush(1)
      said = [write.(p, ""), Scenario.flush(0), is_list(Port.info(p)), write.(p, "x"), Scenario.flush(1)]
      later = try do
        Port.command(p, "later")
      rescue
        error -> error.__struct__
      end
      Scenario.pass(gate)
      # The status is never told.
      {ready, said, later, Scenario.flush(0)}
    end)
  end
  for options <- [[:eof], [:eof, :exit_status], [:out], [:out, :exit_status]] do
    Scenario.tell("a program that has ended, by #{way}: " <> inspect(options), 0, fn ->
      p = Scenario.sh("exit 5", options)
      {:os_pid, pid} = Port.info(p, :os_pid)
      told = Scenario.flush(if :out in options, do: 0, else: length(options))
      gone = Scenario.eventually(fn -> not File.exists?("/proc/#{pid}") end)
      {told, gone, write.(p, ""), Scenario.flush(0), write.(p, "x"), Scenario.flush(1), Port.info(p)}
    end)
  end
  for mode <- [[], [:line], [packet: 1], [packet: 4], [:exit_status], [:eof]], data <- ["x", ""] do
    Scenario.tell("an in-only port, by #{way}: #{inspect(data)} #{inspect(mode)}", 0, fn ->
      p = Port.open({:spawn, "sleep 5"}, [:in | mode])
      {write.(p, data), Scenario.flush(1), Port.info(p)}
    end)
  end
end
Scenario.untrapped("a program that closed its input, not trapping", 0, fn ->
  p = Scenario.sh("exec <&-; echo ready; sleep 5", [])
  Scenario.flush(1)
  Port.command(p, "x")
  Scenario.flush(1)
end)
Scenario.untrapped("an in-only port, not trapping", 0, fn ->
  p = Port.open({:spawn, "sleep 5"}, [:in])
  Port.command(p, "")
  Scenario.flush(1)
end)

end)
