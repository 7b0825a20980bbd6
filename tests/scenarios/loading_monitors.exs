# Monitors of drivers: what is said, to whom, in which order, and when no more.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
folder = String.to_charlist(drivers)

# A process that does what it is asked to, until it is told to end.
defmodule Loader do
  def new(), do: spawn(fn -> loop() end)

  defp loop() do
    receive do
      {:do, asker, work} ->
        send(asker, {:did, self(), work.()})
        loop()

      {:end, reason} ->
        exit(reason)
    end
  end

  def ask(pid, work) do
    send(pid, {:do, self(), work})

    receive do
      {:did, ^pid, answer} -> answer
    after
      20_000 -> :no_answer
    end
  end

  # Ends it, and waits until it is gone.
  def end_of(pid, reason \\ :normal) do
    ref = Process.monitor(pid)
    send(pid, {:end, reason})

    receive do
      {:DOWN, ^ref, :process, ^pid, _} -> :ended
    end
  end
end

# What the driver noted, and then forgets.
log = fn name ->
  text =
    case File.read("#{name}.log") do
      {:ok, text} -> text
      {:error, _} -> "nothing"
    end

  File.rm("#{name}.log")
  String.trim(text)
end

# Waits until no such driver is left.
gone = fn name ->
  ref = :erl_ddll.monitor(:driver, {name, :unloaded_only})

  receive do
    {:DOWN, ^ref, :driver, _, :unloaded} -> :gone
  after
    20_000 -> :stays
  end
end

load = fn options -> :erl_ddll.try_load(folder, 'load_a', options) end
unload = fn options -> :erl_ddll.try_unload('load_a', options) end

info = fn ->
  try do
    :erl_ddll.info('load_a')
  catch
    :error, reason -> reason
  end
end

# The message with this reference, within some time.
told = fn
  {:ok, _, ref} ->
    receive do
      {way, ^ref, :driver, name, what} -> {way, name, what}
    after
      20_000 -> :nothing
    end

  ref when is_reference(ref) ->
    receive do
      {way, ^ref, :driver, name, what} -> {way, name, what}
    after
      20_000 -> :nothing
    end

  other ->
    {:no_reference, other}
end

# What a load or an unload said, without its reference.
short = fn
  {:ok, word, ref} when is_reference(ref) -> {:ok, word, :ref}
  other -> other
end

open = fn -> Port.open({:spawn_driver, 'load_a x'}, []) end

open_or_not = fn ->
  try do
    is_port(Port.open({:spawn_driver, 'load_a x'}, []))
  catch
    :error, reason -> reason
  end
end

ask = fn p, what -> :erlang.port_control(p, what, "") end

# Waits for the end of a port.
ended = fn p ->
  receive do
    {:EXIT, ^p, reason} -> reason
  after
    20_000 -> :lives
  end
end

# Each story ends with nothing loaded.
story = fn name, work ->
  Scenario.answer(name, fn ->
    value = work.()
    {value, gone.('load_a')}
  end)
end

events = [:loaded, :unloaded, :unloaded_only]
monitor = fn event -> :erl_ddll.monitor(:driver, {'load_a', event}) end
waiting = fn -> {:erl_ddll.info('load_a', :awaiting_load), :erl_ddll.info('load_a', :awaiting_unload)} end

# Messages about any driver that have come, by the names of their references.
heard = fn names, count ->
  for _ <- 1..count//1 do
    receive do
      {way, ref, :driver, name, what} -> {Keyword.keys(Enum.filter(names, fn {_, named} -> named == ref end)), way, name, what}
    after
      20_000 -> :nothing
    end
  end
end

for event <- events do
  story.("#{event}, not loaded", fn -> {told.(monitor.(event)), told.(:erl_ddll.monitor(:driver, {:load_a, event})), told.(:erl_ddll.monitor(:driver, {"load_a", event}))} end)

  story.("#{event}, loaded", fn ->
    load.([])
    ref = monitor.(event)
    if event == :loaded do
      {told.(ref), waiting.(), unload.([])}
    else
      before = waiting.()
      {before, unload.([]), told.(ref)}
    end
  end)

  story.("#{event}, about to be unloaded", fn ->
    load.([])
    p = open.()
    unload.([])
    ref = monitor.(event)
    before = waiting.()
    Port.close(p)
    ended.(p)
    {before, told.(ref)}
  end)

  story.("#{event}, about to be unloaded, which is called off", fn ->
    load.([])
    p = open.()
    unload.([])
    ref = monitor.(event)
    again = load.([])
    before = waiting.()
    unload.([])
    Port.close(p)
    ended.(p)
    {before, again, told.(ref)}
  end)

  story.("#{event}, about to be loaded anew", fn ->
    load.([])
    p = open.()
    load.([reload: :pending_driver])
    ref = monitor.(event)
    before = waiting.()
    Port.close(p)
    ended.(p)
    {before, told.(ref), (receive do message -> message after 0 -> :no_more end), unload.([])}
  end)

  story.("#{event}, ended before", fn ->
    load.([])
    p = open.()
    unload.([])
    ref = monitor.(event)
    ended = {:erl_ddll.demonitor(ref), waiting.(), :erl_ddll.demonitor(ref)}
    Port.close(p)
    {ended, gone.('load_a'), (receive do {_, ^ref, _, _, _} = message -> message after 0 -> :nothing end)}
  end)

  story.("#{event}, ended too late", fn ->
    ref = monitor.(event)
    {:erl_ddll.demonitor(ref), told.(ref)}
  end)
end

story.("several, in which order", fn ->
  load.([])
  p = open.()
  one = unload.([monitor: :pending])
  refs = [first: elem(one, 2), second: monitor.(:unloaded), third: monitor.(:unloaded_only), fourth: monitor.(:unloaded)]
  before = waiting.()
  Port.close(p)
  ended.(p)
  {before, heard.(refs, 4)}
end)

story.("several, called off", fn ->
  load.([])
  p = open.()
  one = unload.([monitor: :pending])
  refs = [first: elem(one, 2), second: monitor.(:unloaded), third: monitor.(:unloaded_only), fourth: monitor.(:unloaded)]
  load.([])
  called_off = heard.(refs, 3)
  before = waiting.()
  unload.([])
  Port.close(p)
  ended.(p)
  {called_off, before, heard.(refs, 1)}
end)

story.("several, loaded anew", fn ->
  load.([])
  p = open.()
  one = load.([reload: :pending_driver, monitor: :pending_driver])
  refs = [first: elem(one, 2), second: monitor.(:unloaded), third: monitor.(:loaded), fourth: monitor.(:unloaded_only), fifth: elem(load.([]), 2)]
  before = waiting.()
  Port.close(p)
  ended.(p)
  told = heard.(refs, 5)
  unload.([])
  {before, told, unload.([])}
end)

story.("several, loaded anew, which fails", fn ->
  load.([])
  p = open.()
  one = load.([reload: :pending_driver, monitor: :pending_driver])
  refs = [first: elem(one, 2), second: monitor.(:unloaded), third: monitor.(:loaded), fourth: monitor.(:unloaded_only), fifth: elem(load.([]), 2)]
  File.write!("load_a.fail", "")
  Port.close(p)
  ended.(p)
  told = heard.(refs, 5)
  File.rm!("load_a.fail")
  {told, unload.([])}
end)

story.("several processes, and one of them dies", fn ->
  load.([])
  p = open.()
  {one, two} = {Loader.new(), Loader.new()}
  for loader <- [one, two], event <- events, do: Loader.ask(loader, fn -> monitor.(event) end)
  load.([reload: :pending_driver])
  for loader <- [one, two, one], do: Loader.ask(loader, fn -> monitor.(:loaded) end)
  before = waiting.()
  Loader.end_of(one)
  Scenario.eventually(fn -> waiting.() |> elem(0) |> length() == 1 end)
  left = waiting.()
  Port.close(p)
  ended.(p)
  told = for _ <- 1..4, do: Loader.ask(two, fn -> receive do {way, _, :driver, name, what} -> {way, name, what} after 20_000 -> :nothing end end)
  {before, left, told, unload.([])}
end)

story.("ended by another", fn ->
  load.([])
  ref = monitor.(:unloaded)
  other = Loader.new()
  answer =
    Loader.ask(other, fn ->
      try do
        :erl_ddll.demonitor(ref)
      catch
        :error, reason -> reason
      end
    end)
  {answer, waiting.(), unload.([]), told.(ref)}
end)

story.("unload_driver hears nothing of others", fn ->
  load.([])
  ref = monitor.(:unloaded)
  {:erl_ddll.unload_driver('load_a'), told.(ref), (receive do message -> message after 0 -> :nothing end)}
end)

story.("load_driver while it is to be unloaded", fn ->
  load.([driver_options: [:kill_ports]])
  unload.([])
  {:erl_ddll.load_driver(folder, 'load_a'), (receive do message -> message after 0 -> :nothing end), unload.([])}
end)

story.("who waits is called off by a load, and waits on", fn ->
  other = Loader.new()
  load.([])
  p = open.()
  send(other, {:do, self(), fn -> :erl_ddll.load(folder, 'load_a') end})
  loaded = receive do {:did, ^other, answer} -> answer after 20_000 -> :nothing end
  unload.([])
  # Its load is the last: who unloads by force is called off by nobody.
  send(other, {:do, self(), fn -> :erl_ddll.unload_driver('load_a') end})
  reason = ended.(p)
  unloaded = receive do {:did, ^other, answer} -> answer after 20_000 -> :nothing end
  {loaded, reason, unloaded}
end)
