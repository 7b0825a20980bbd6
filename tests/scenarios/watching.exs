# Process monitors of drivers. tests/drivers/watch_drv.c says what the questions are.

folder = String.to_charlist(System.fetch_env!("WHARF_SCENARIO_DRIVERS"))
:ok = :erl_ddll.load_driver(folder, 'watch_drv')

defmodule Watch do
  def open(argument \\ ""), do: Port.open({:spawn_driver, "watch_drv " <> argument}, [])
  def ask(p, question), do: List.to_string(:erlang.port_control(p, 0, question))
  def asks(p, questions), do: Enum.map(questions, &ask(p, &1))

  # A process that the driver knows by this letter.
  def process(p, letter) do
    teller = self()
    pid = spawn(fn ->
      ask(p, "me " <> letter)
      send(teller, {:known, letter})
      receive do
        :stop -> :ok
      end
    end)
    receive do
      {:known, ^letter} -> pid
    end
  end

  # Ends it, and comes back when everybody else has been told.
  def stop(pid) do
    monitor = Process.monitor(pid)
    send(pid, :stop)
    receive do
      {:DOWN, ^monitor, _, _, _} -> :ok
    end
  end

  def exits(p, expected), do: Scenario.eventually(fn -> ask(p, "exits") == expected end) or ask(p, "exits")
end

for question <- ["odd", "no_port", "with_lock", "no_process port", "no_process nil", "no_process atom"] do
  Scenario.tell(question, 0, fn -> Watch.ask(Watch.open(), question) end)
end
Scenario.exact("one that ends", 1, fn ->
  p = Watch.open()
  pid = Watch.process(p, "a")
  answers = Watch.asks(p, ["speak", "watch a0", "watched 0"])
  Watch.stop(pid)
  {answers, Watch.exits(p, "1 late 0"), Watch.asks(p, ["watched 0", "unwatch 0", "watch a1", "watched 1", "unwatch 1"])}
end)
Scenario.exact("two monitors of one process", 2, fn ->
  p = Watch.open()
  pid = Watch.process(p, "a")
  answers = Watch.asks(p, ["speak", "watch a0", "watch a1", "watch a2", "unwatch 1"])
  Watch.stop(pid)
  {answers, Watch.exits(p, "2 late 0")}
end)
Scenario.exact("two processes", 1, fn ->
  p = Watch.open()
  one = Watch.process(p, "a")
  two = Watch.process(p, "b")
  answers = Watch.asks(p, ["speak", "watch a0", "watch b1", "watched 0", "watched 1"])
  Watch.stop(two)
  seen = Watch.exits(p, "1 late 0")
  after_ = Watch.asks(p, ["watched 0", "watched 1"])
  Watch.asks(p, ["unwatch 0"])
  Watch.stop(one)
  {answers, seen, after_, Watch.ask(p, "exits")}
end)
Scenario.exact("many", 0, fn ->
  p = Watch.open()
  pid = Watch.process(p, "a")
  answers = Watch.asks(p, ["many a1000", "unwatch_many 1000"])
  Watch.stop(pid)
  {answers, Watch.exits(p, "500 late 0")}
end)
Scenario.exact("its own owner", 0, fn ->
  p = Watch.open()
  answers = Watch.asks(p, ["me a", "watch a0", "watched 0", "unwatch 0"])
  {answers, Watch.ask(p, "exits")}
end)
Scenario.exact("the owner ends", 0, fn ->
  teller = self()
  {pid, monitor} = spawn_monitor(fn ->
    p = Watch.open("opener")
    send(teller, {:port, p, Watch.asks(p, ["me a", "watch a0"])})
    receive do
      :stop -> :ok
    end
  end)
  {p, answers} = receive do
    {:port, p, answers} -> {p, answers}
  end
  ref = Port.monitor(p)
  send(pid, :stop)
  receive do
    {:DOWN, ^monitor, _, _, _} -> :ok
  end
  receive do
    {:DOWN, ^ref, _, _, _} -> :ok
  end
  {answers, Watch.ask(Watch.open(), "exits")}
end)
Scenario.exact("the opener is another process by now, and ends", 0, fn ->
  me = self()
  {pid, monitor} = spawn_monitor(fn ->
    p = Watch.open("opener")
    Port.connect(p, me)
    Process.unlink(p)
    send(me, {:port, p})
  end)
  p = receive do
    {:port, p} -> p
  end
  receive do
    {:DOWN, ^monitor, _, _, _} -> :ok
  end
  {is_pid(pid), Watch.exits(p, "1 late 0")}
end)
Scenario.exact("another port's monitor", 0, fn ->
  p = Watch.open()
  q = Watch.open()
  pid = Watch.process(p, "a")
  answers = [Watch.ask(p, "watch a0"), Watch.ask(q, "unwatch 0"), Watch.ask(q, "watched 0"), Watch.ask(p, "watched 0")]
  Watch.stop(pid)
  {answers, Watch.exits(p, "1 late 0"), Watch.ask(q, "exits")}
end)
Scenario.exact("a port that has closed hears of nobody", 1, fn ->
  p = Watch.open()
  pid = Watch.process(p, "a")
  answers = Watch.asks(p, ["many a10"])
  Port.close(p)
  Watch.stop(pid)
  {answers, Watch.ask(Watch.open(), "exits")}
end)
Scenario.exact("one takes the other away", 0, fn ->
  p = Watch.open()
  pid = Watch.process(p, "a")
  other = Watch.process(p, "b")
  answers = Watch.asks(p, ["on_exit d", "watch a0", "watch a1", "watch b2"])
  Watch.stop(pid)
  one = Watch.exits(p, "1 late 0")
  Watch.stop(other)
  {answers, one, Watch.exits(p, "2 late 0")}
end)
Scenario.exact("while it is closing", 1, fn ->
  p = Watch.open()
  one = Watch.process(p, "a")
  two = Watch.process(p, "b")
  q = Watch.open()
  answers = Watch.asks(p, ["queue abc", "watch a0"])
  send(p, {self(), :close})
  receive do
    {:EXIT, ^p, :normal} -> :ok
  end
  more = Watch.asks(p, ["watch b1", "watched 0", "watched 1", "unwatch 1", "watch b2"]) ++ Watch.asks(q, ["watch a3", "watch b4"])
  Watch.stop(one)
  Watch.stop(two)
  # Another port of the driver has heard of them.
  {answers, more, Watch.exits(q, "2 late 0"), Watch.ask(p, "exits"), Watch.ask(p, "empty"), Port.info(p)}
end)
