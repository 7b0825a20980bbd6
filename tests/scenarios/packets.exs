# Packets: however they arrive, they come out whole; and what is not whole never comes.

# One byte at a time, each by a write of its own.
bytes = fn data -> for(<<byte <- data>>, do: "printf '\\#{Integer.to_string(byte, 8) |> String.pad_leading(3, "0")}'") |> Enum.join("; ") end
frame = fn length, data -> <<byte_size(data)::size(length)-unit(8), data::binary>> end

Scenario.together(fn ->

for length <- [1, 2, 4] do
  stream = frame.(length, "ok") <> frame.(length, "") <> frame.(length, "abc") <> frame.(length, <<0, 255>>)
  Scenario.exact("packets of #{length} byte by byte", 6, fn -> Scenario.sh(bytes.(stream), [:exit_status, packet: length]) end)
  Scenario.exact("packets of #{length} byte by byte, as lists", 6, fn ->
    Port.open({:spawn_executable, "/bin/sh"}, [:exit_status, packet: length, args: ["-c", bytes.(stream)]])
  end)
  # In two pieces, with other things to do for the program in between.
  Scenario.exact("packets of #{length} in two pieces, cut at every place", 0, fn ->
    for at <- 1..byte_size(stream) - 1 do
      gate = Scenario.gate()
      {first, second} = {binary_part(stream, 0, at), binary_part(stream, at, byte_size(stream) - at)}
      p = Scenario.sh(bytes.(first) <> "; read x < #{gate}; " <> bytes.(second), packet: length)
      Scenario.pass(gate)
      receive do
        {:EXIT, ^p, :normal} -> :ok
      end
      for {^p, {:data, data}} <- Scenario.pieces(4), do: data
    end |> Enum.uniq()
  end)
  for {name, rest} <- [{"nothing", ""}, {"half a header", binary_part(frame.(length, "abc"), 0, div(length, 2))}, {"a header", <<5::size(length)-unit(8)>>},
      {"a header and half of what it says", <<5::size(length)-unit(8), "ab">>}, {"all but the last byte", <<5::size(length)-unit(8), "abcd">>}],
      options <- [[], [:exit_status], [:eof], [:eof, :exit_status]] do
    Scenario.exact("packets of #{length} and #{name}: #{inspect(options)}", if(:eof in options, do: length(options) + 1, else: length(options) + 2), fn ->
      Scenario.sh(bytes.(frame.(length, "ok") <> rest), [{:packet, length} | options])
    end)
  end
  Scenario.exact("packets of #{length}: nothing but an end", 2, fn -> Scenario.sh("exit 0", [:exit_status, packet: length]) end)
  Scenario.exact("packets of #{length}: a thousand in a row", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, packet: length])
    for n <- 1..300, do: Port.command(p, "#{n}")
    back = for {^p, {:data, data}} <- Scenario.pieces(300), do: data
    {length(back), back == Enum.map(1..300, fn n -> "#{n}" end), Port.info(p, :input), Port.info(p, :output)}
  end)
  Scenario.exact("packets of #{length}: more than a pipe holds", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary, packet: length])
    data = String.duplicate("x", 250)
    for _ <- 1..400, do: Port.command(p, data)
    back = for {^p, {:data, data}} <- Scenario.pieces(400), do: data
    {length(back), Enum.uniq(back) == [data]}
  end)
end

for {length, claimed} <- [{2, 65_535}, {4, 65_536}, {4, 0x00ff_ffff}], options <- [[:exit_status], [:eof]] do
  Scenario.exact("a claim of #{claimed}, and the end: #{inspect(options)}", length(options -- [:eof]) + 1, fn ->
    Scenario.sh(bytes.(<<claimed::size(length)-unit(8), "abc">>), [{:packet, length} | options])
  end)
end
for claimed <- [0x00ff_ffff, 0x0fff_ffff] do
  Scenario.exact("a claim of #{claimed} waits for more", 2, fn ->
    gate = Scenario.gate()
    p = Scenario.sh(bytes.(<<claimed::32, "abc">>) <> "; read x < #{gate}", [packet: 4])
    waits = {Scenario.pieces(0), is_list(Port.info(p))}
    send(p, {self(), :close})
    Scenario.pass(gate)
    waits
  end)
end

# Streams: pieces as they are read.
for options <- [[:binary], []] do
  Scenario.exact("each piece that is waited for is a message: #{inspect(options)}", 0, fn ->
    p = Port.open({:spawn, "cat"}, options)
    for piece <- ["a", "bc", <<0>>, <<255, 10>>, "the last"] do
      Port.command(p, piece)
      receive do
        {^p, {:data, back}} -> back
      end
    end
  end)
  Scenario.exact("no more than 65536 bytes in a message: #{inspect(options)}", 0, fn ->
    gate = Scenario.gate()
    p = Port.open({:spawn_executable, "/bin/sh"}, [{:args, ["-c", "head -c 200000 /dev/zero; read x < #{gate}"]} | options])
    Scenario.eventually(fn -> Port.info(p, :input) == {:input, 200_000} end)
    sizes = for {^p, {:data, data}} <- Scenario.pieces(1), do: IO.iodata_length(data)
    Scenario.pass(gate)
    {Enum.sum(sizes), Enum.max(sizes) <= 65_536}
  end)
end

# Who gets it.
for mode <- [[], [:line], [packet: 2]] do
  Scenario.exact("what comes goes to who owns the port then: #{inspect(mode)}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary | mode])
    Port.command(p, "one\n")
    mine = Scenario.pieces(1)
    me = self()
    q = spawn(fn ->
      receive do
        {^p, what} -> send(me, {:other_got, what})
      end
      receive do
        :give_back -> Port.connect(p, me)
      end
      send(me, :given_back)
      receive do
        :stop -> :ok
      end
    end)
    Port.connect(p, q)
    Process.unlink(q)
    Port.command(p, "two\n")
    theirs = Scenario.pieces(1)
    send(q, :give_back)
    back = Scenario.pieces(1)
    Port.command(p, "three\n")
    {mine, theirs, back, Scenario.pieces(1)}
  end)
  Scenario.exact("nobody gets what comes when the owner is dead: #{inspect(mode)}", 0, fn ->
    me = self()
    q = spawn(fn ->
      p = Port.open({:spawn, "cat"}, [:binary | mode])
      Process.unlink(p)
      send(me, {:port, p})
    end)
    p = receive do
      {:port, p} -> p
    end
    Scenario.eventually(fn -> not Process.alive?(q) end)
    Port.command(p, "lost\n")
    lost = Scenario.eventually(fn -> Port.info(p, :input) == {:input, 5} end)
    owner = Port.info(p, :connected) == {:connected, q}
    Port.connect(p, self())
    Port.command(p, "found\n")
    {lost, owner, Scenario.pieces(1)}
  end)
end
Scenario.exact("half a packet goes to the next owner with its end", 0, fn ->
  [gate, second] = [Scenario.gate(), Scenario.gate()]
  p = Scenario.sh("printf '\\000\\004ha'; read x < #{gate}; printf lf; read x < #{second}", packet: 2)
  me = self()
  q = spawn(fn ->
    receive do
      {^p, what} -> send(me, {:other_got, what})
    end
    receive do
      :stop -> :ok
    end
  end)
  Port.connect(p, q)
  Scenario.pass(gate)
  got = Scenario.pieces(1)
  Process.unlink(p)
  Port.close(p)
  Scenario.pass(second)
  got
end)
for options <- [[:exit_status], [:eof], [:eof, :exit_status, :line]] do
  Scenario.exact("the end goes to who owns the port then: #{inspect(options)}", 0, fn ->
    gate = Scenario.gate()
    p = Scenario.sh("printf 'a\\nrest'; read x < #{gate}; exit 2", options)
    Scenario.eventually(fn -> Port.info(p, :input) == {:input, 6} end)
    mine = Scenario.pieces(1) |> length() |> min(1)
    me = self()
    q = spawn(fn ->
      Process.flag(:trap_exit, true)
      send(me, :ready)
      send(me, {:other_got, Scenario.pieces(if(:line in options, do: 3, else: 2 - length(options -- [:exit_status])))})
    end)
    receive do
      :ready -> :ok
    end
    Port.connect(p, q)
    Scenario.pass(gate)
    heard = receive do
      {:other_got, messages} -> messages
    end
    {mine, heard, Enum.filter(Scenario.pieces(0), fn message -> elem(message, 0) == :EXIT and elem(message, 1) == p and :eof not in options end)}
  end)
end
end)
