# The scanner of Erlang's megaco application and its twin with a lock for each port, from a script.
defmodule Scan do
  def open(name), do: Port.open({:spawn, name}, [:binary])

  # The tokens of a message: the driver sends them to whoever asked, as a message of its own.
  def scan(port, text) do
    case :erlang.port_control(port, ?s, text) do
      [] ->
        receive do
          {:tokens, tokens, last} -> {:ok, tokens, last}
        end

      problem ->
        {:error, problem}
    end
  end

  # From whitespace to small words, and back to one line.
  def messages() do
    [
      "",
      "MEGACO/1",
      "!/1 [10.0.0.1]:2944 T=7{C=${A=${}}}",
      ~s(MEGACO/1 <gate.example>:55555 ; a comment\n) <>
        "Transaction = 12 {\r\n\tContext = - {\n ServiceChange = ROOT { Services {\n" <>
        "Method = Restart, ServiceChangeAddress = 44444, Profile = Ship/2, Version = 1,\n" <>
        ~s(Reason = "901 Cold Boot" } } } }),
      "MEGACO/2 [10.0.0.2] Reply = 5 { Context = 3 { Modify = line/1 , Add = rtp/2 { Media {\n" <>
        "Stream = 1 { LocalControl { Mode = SendReceive, nt/jit = 40 },\n" <>
        "Local {\nv=0\nc=IN IP4 10.0.0.2\nm=audio 1111 RTP/AVP 4\na=ptime:30\n},\n" <>
        "Remote {\nv=0\r\nm=audio 2222 RTP/AVP 4\r\n} } } } } }",
      "MEGACO/1 [10.0.0.3] Transaction = 1 { Context = 2 { Modify = a/1 {\n" <>
        ~s(Events = 2222 { al/of {strict=exact}, dd/ce {DigitMap = plan1 {T:4, \(0| 00|[1-7]xxx|9011x.\)}} },\n) <>
        ~s(Signals { cg/dt {Duration = 20, NotifyCompletion = {TimeOut, IRREGULAR}}, x/"y z" } } } }),
      "MEGACO/1 [10.0.0.4] Error = 442 { \"Syntax \\\" quote\" }",
      "MEGACO/1 [10.0.0.5] Transaction = 9 { \"never closed",
      "MEGACO/1 [10.0.0.6] Local { never closed",
      "\x00\xff\xfe"
    ]
  end

  def long(count) do
    requests = for number <- 1..count, do: "Context = #{number} { Subtract = term/#{number} },\n"
    "MEGACO/1 [10.0.0.7] Transaction = 1 {\n" <> Enum.join(requests) <> "Context = * { AuditValue = * {} } }"
  end
end

folder = String.to_charlist(System.fetch_env!("DRIVER"))

for name <- ['megaco_flex_scanner_drv', 'megaco_flex_scanner_drv_mt'] do
  IO.inspect(:erl_ddll.load_driver(folder, name))
  port = Scan.open(name)
  for message <- Scan.messages(), do: IO.inspect(Scan.scan(port, message), limit: :infinity, width: 110)

  # What was asked for grows by itself, and shrinks.
  {:ok, tokens, last} = Scan.scan(port, Scan.long(3000))
  IO.inspect({length(tokens), last, List.last(tokens), Enum.slice(tokens, 15000, 8)})
  IO.inspect(length(elem(Scan.scan(port, "MEGACO/1"), 1)))

  # The answer goes to who asks, not to the owner.
  me = self()
  spawn(fn -> send(me, {:stranger, Scan.scan(port, "T=1{}")}) end)

  receive do
    {:stranger, answer} -> IO.inspect(answer)
  end

  # A command is no way to ask.
  Process.flag(:trap_exit, true)
  true = Port.command(port, "T=2{}")

  receive do
    {:EXIT, ^port, reason} -> IO.inspect(reason)
  end

  # The twin serves several ports at once; the other one takes the last that was opened for all of them.
  count = if name == 'megaco_flex_scanner_drv_mt', do: 8, else: 1

  tasks =
    for number <- 1..count do
      Task.async(fn ->
        own = Scan.open(name)
        answers = for _ <- 1..20, do: Scan.scan(own, Scan.long(number * 10))
        Port.close(own)
        {length(elem(hd(answers), 1)), length(Enum.uniq(answers))}
      end)
    end

  IO.inspect(for task <- tasks, do: Task.await(task, 60_000))
  IO.inspect(:erl_ddll.unload_driver(name))
end
