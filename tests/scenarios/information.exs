# port_info, item by item, for each kind of port, and while it closes.

drivers = String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS"))
for name <- ['echo_drv', 'probe_drv', 'monitor_drv'], do: :ok = :erl_ddll.load_driver(drivers, name)

items = [:registered_name, :name, :links, :id, :connected, :input, :output, :os_pid, :monitors, :monitored_by, :parallelism, :queue_size, :memory, :locking]
# What is the same in every run.
plain = fn p, {item, value} ->
  case item do
    :links -> {item, value == [self()] || value}
    :id -> {item, p |> :erlang.port_to_list() |> List.to_string() == "#Port<0.#{div(value, 8)}>"}
    :connected -> {item, value == self()}
    :os_pid when is_integer(value) -> {item, :a_number}
    :memory -> {item, value > 0}
    :monitored_by -> {item, Enum.map(value, fn by -> by == self() end)}
    :monitors -> {item, Enum.map(value, fn {kind, by} -> {kind, by == self()} end)}
    _ -> {item, value}
  end
end
ports = [
  {"a command", fn -> Port.open({:spawn, "cat -u | cat"}, [:binary]) end},
  {"a file", fn -> Port.open({:spawn_executable, "/bin/cat"}, [:binary, args: ["-u"], parallelism: true]) end},
  {"a file as a charlist, arg0", fn -> Port.open({:spawn_executable, '/bin/cat'}, arg0: "dog") end},
  {"an atom", fn -> Port.open({:spawn, :cat}, parallelism: false) end},
  {"out only", fn -> Port.open({:spawn, "cat >/dev/null"}, [:out]) end},
  {"descriptors", fn -> Port.open({:fd, 8, 8}, [:binary]) end},
  {"one descriptor", fn -> Port.open({:fd, 77, 8}, [:out]) end},
  {"a driver", fn -> Port.open({:spawn_driver, "echo_drv and words"}, [:binary]) end},
  {"a driver by spawn", fn -> Port.open({:spawn, "probe_drv "}, [:binary]) end}
]
for {what, open} <- ports, item <- items do
  Scenario.answer("#{item} of #{what}", fn ->
    p = open.()
    answer = :erlang.port_info(p, item)
    if is_tuple(answer), do: plain.(p, answer), else: answer
  end)
end
for {what, open} <- ports do
  Scenario.answer("all of " <> what, fn ->
    p = open.()
    all = Port.info(p)
    {Keyword.keys(all), all == Enum.map(Keyword.keys(all), fn item -> Port.info(p, item) end), all == :erlang.port_info(p)}
  end)
end
Scenario.tell("links are told once, both sides", 0, fn ->
  p = Port.open({:spawn, "cat"}, [])
  q = Scenario.bystander()
  Process.link(p)
  Process.link(p)
  Port.connect(p, q)
  Port.connect(p, q)
  {length(elem(Port.info(p, :links), 1)), p in elem(Process.info(q, :links), 1)}
end)
Scenario.answer("a monitor for each call, by several", fn ->
  p = Port.open({:spawn, "cat"}, [])
  [one, _two] = for _ <- 1..2, do: Port.monitor(p)
  teller = self()
  spawn(fn ->
    Port.monitor(p)
    send(teller, :monitoring)
    Process.sleep(:infinity)
  end)
  receive do
    :monitoring -> :ok
  end
  three = length(elem(Port.info(p, :monitored_by), 1))
  Port.demonitor(one)
  {three, length(elem(Port.info(p, :monitored_by), 1))}
end)
Scenario.tell("a driver's monitors", 1, fn ->
  p = Port.open({:spawn_driver, "monitor_drv"}, [:binary])
  Port.command(p, "watch me")
  Port.info(p, :monitors) == {:monitors, [{:process, self()}]}
end)

# Bytes, without headers and line ends' loss.
counts = [
  {"a stream", [:binary], ["abc", "de"], 1},
  {"packets of 1", [:binary, packet: 1], ["abc", "de", ""], 3},
  {"packets of 2", [:binary, packet: 2], ["abc", "de", ""], 3},
  {"packets of 4", [:binary, packet: 4], ["abc", "de", ""], 3},
  {"lines", [:binary, line: 2], ["abc\r\n", "de\n"], 3},
  {"lists", [], ['abc', ["d", ?e]], 1}
]
for {what, options, commands, _} <- counts do
  Scenario.answer("counted of " <> what, fn ->
    p = Port.open({:spawn, "cat"}, options)
    for data <- commands, do: Port.command(p, data)
    wanted = if what == "lines", do: 8, else: 5
    back = Scenario.eventually(fn -> elem(Port.info(p, :input), 1) >= wanted end)
    {back, Port.info(p, :input), Port.info(p, :output)}
  end)
  Scenario.answer("counted of #{what} on a descriptor", fn ->
    p = Port.open({:fd, 8, 8}, options)
    for data <- commands, do: Port.command(p, data)
    wanted = if what == "lines", do: 8, else: 5
    back = Scenario.eventually(fn -> elem(Port.info(p, :input), 1) >= wanted end)
    answer = {back, Port.info(p, :input), Port.info(p, :output)}
    # Nothing may be left in the pipe for the next one.
    heard = fn heard, count ->
      if count < length(Enum.reject(commands, fn data -> data == "" and what == "lines" end)) and what =~ "packets" do
        receive do
          {^p, {:data, _}} -> heard.(heard, count + 1)
        end
      end
    end
    heard.(heard, 0)
    Process.unlink(p)
    Port.close(p)
    answer
  end)
  Scenario.answer("counted of #{what} of a driver", fn ->
    p = Port.open({:spawn_driver, "echo_drv"}, options)
    for data <- commands, do: Port.command(p, data)
    {Port.info(p, :input), Port.info(p, :output)}
  end)
end
Scenario.answer("what comes by message counts, what is refused does not", fn ->
  p = Port.open({:spawn, "cat"}, [:binary])
  send(p, {self(), {:command, "four"}})
  send(p, {self(), {:command, :no_data}})
  try do Port.command(p, :no_data) catch :error, :badarg -> :ok end
  Port.info(p, :output)
end)
Scenario.tell("a packet that is too long counts or not", 1, fn ->
  p = Port.open({:spawn, "cat"}, [:binary, packet: 1])
  Port.command(p, String.duplicate("x", 256))
end)

# What a closing port says of its memory is nobody's business.
for item <- items -- [:memory] do
  Scenario.answer("while closing: #{item}", fn ->
    gate = Scenario.new_gate()
    p = Scenario.gated(gate, "exec 1>&-; cat >&2; exit", [:out])
    {:id, id} = Port.info(p, :id)
    Port.monitor(p)
    Process.register(p, :"scenario_closing_#{item}")
    Port.command(p, String.duplicate("x", 300_000))
    Process.unlink(p)
    Port.close(p)
    answer = :erlang.port_info(p, item)
    Scenario.open_gate(gate)
    case answer do
      {:id, later} -> later == id
      {:links, links} -> {:links, links}
      {:os_pid, pid} -> is_integer(pid)
      {:connected, by} -> by == self()
      other -> other
    end
  end)
end
Scenario.answer("while closing: data of the port", fn ->
  gate = Scenario.new_gate()
  p = Scenario.gated(gate, "cat >/dev/null; exit", [:out])
  :erlang.port_set_data(p, :kept)
  Port.command(p, String.duplicate("x", 300_000))
  Port.close(p)
  answers = for ask <- [fn -> :erlang.port_get_data(p) end, fn -> :erlang.port_set_data(p, 1) end] do
    try do ask.() catch :error, reason -> {:raises, reason} end
  end
  Scenario.open_gate(gate)
  {answers, p in Port.list(), p in :erlang.ports()}
end)

names = [
  {"bytes beyond ASCII", {:spawn, "cat # " <> <<195, 182>>}},
  {"no UTF-8", {:spawn, "cat # " <> <<255, 254>>}},
  {"code points", {:spawn, [?c, ?a, ?t, ?\s, ?#, ?\s, 246, 8364, 128_512]}},
  {"an atom beyond ASCII", {:spawn, :"cat # ö"}},
  {"a zero", {:spawn, "cat\0dog"}},
  {"a tab", {:spawn, "cat\t-u"}},
  {"nested", {:spawn, ["ca" |> String.to_charlist(), [?t]]}}
]
for {what, name} <- names do
  Scenario.answer("the name has " <> what, fn ->
    p = Port.open(name, [:binary])
    {Port.info(p, :name) |> elem(1) |> :erlang.list_to_binary(), Port.command(p, "x")}
  end)
end
for data <- [1, :atom, {:a, [1]}, "text", self(), %{a: 1}, 1.5, [], 123_456_789_012_345_678_901_234_567_890, &is_port/1] do
  Scenario.answer("data of a port: " <> inspect(data), fn ->
    p = Port.open({:spawn, "cat"}, [])
    {:erlang.port_get_data(p), :erlang.port_set_data(p, data), :erlang.port_get_data(p) == data, :erlang.port_set_data(p, :other), :erlang.port_get_data(p)}
  end)
end
Scenario.answer("the identity is one term", fn ->
  p = Port.open({:spawn, "cat"}, [])
  text = :erlang.port_to_list(p)
  {:erlang.list_to_port(text) == p, is_port(p), inspect(p) == List.to_string(text), p == p, is_pid(p) or is_reference(p)}
end)
