# Loads and unloads by several processes: who counts, who may, in which order, and what is said.

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
    {value, gone.('load_a'), log.('load_a')}
  end)
end

# Counts.

story.("loaded three times by one", fn ->
  loads = for _ <- 1..3, do: load.([])
  facts = info.()
  unloads = for _ <- 1..2, do: {unload.([]), :erl_ddll.info('load_a', :processes)}
  {loads, facts, unloads, unload.([])}
end)

story.("loaded by two", fn ->
  other = Loader.new()
  loads = {load.([]), Loader.ask(other, fn -> load.([]) end), Loader.ask(other, fn -> load.([]) end)}
  facts = info.()
  one = {unload.([]), :erl_ddll.info('load_a', :processes), unload.([]), :erl_ddll.unload('load_a'), :erl_ddll.unload_driver('load_a')}
  two = Loader.ask(other, fn -> {unload.([]), unload.([]), unload.([])} end)
  Loader.end_of(other)
  {loads, facts, one, two |> Tuple.to_list() |> Enum.take(2)}
end)

for {name, reason} <- [normal: :normal, killed: :kill, failed: {:failed, 1}] do
  story.("a loader dies: #{name}", fn ->
    other = Loader.new()
    before = Loader.ask(other, fn -> {load.([]), load.([])} end)
    ref = :erl_ddll.monitor(:driver, {'load_a', :unloaded})
    Loader.end_of(other, reason)
    {before, told.(ref), info.()}
  end)

  story.("one of two loaders dies: #{name}", fn ->
    other = Loader.new()
    load.([])
    Loader.ask(other, fn -> {load.([]), load.([])} end)
    Loader.end_of(other, reason)
    left = Scenario.eventually(fn -> length(:erl_ddll.info('load_a', :processes)) == 1 end)
    {left, info.(), load.([]), unload.([]), unload.([])}
  end)
end

story.("a process that loaded nothing dies", fn ->
  load.([])
  other = Loader.new()
  Loader.ask(other, fn -> :erl_ddll.monitor(:driver, {'load_a', :unloaded}) end)
  awaited = info.()
  Loader.end_of(other)
  {awaited, Scenario.eventually(fn -> :erl_ddll.info('load_a', :awaiting_unload) == [] end), unload.([])}
end)

# Whose it is.

for options <- [[], [:kill_ports], [monitor: :pending], [monitor: :pending_driver]] do
  story.("unload another's, with #{inspect(options)}", fn ->
    other = Loader.new()
    first = Loader.ask(other, fn -> load.([]) end)
    answer = {unload.(options), :erl_ddll.unload('load_a'), :erl_ddll.unload_driver('load_a')}
    {first, answer, Loader.ask(other, fn -> unload.([]) end)}
  end)

  story.("unload what another still has, with #{inspect(options)}", fn ->
    other = Loader.new()
    Loader.ask(other, fn -> load.([]) end)
    load.([])
    answer = unload.(options)
    last = Loader.ask(other, fn -> unload.([]) end)
    message = if tuple_size(answer) == 3, do: told.(answer)
    {short.(answer), last, message}
  end)

  story.("unload twice, the last one kept by a port, with #{inspect(options)}", fn ->
    other = Loader.new()
    load.([])
    p = open.()
    one = unload.([])
    # Nobody has loaded it any more, so anybody may say so again.
    two = unload.(options)
    three = Loader.ask(other, fn -> short.(unload.(options)) end)
    if not Enum.member?(options, :kill_ports), do: Port.close(p)
    reason = ended.(p)
    {one, short.(two), if(Enum.member?(options, :kill_ports), do: nil, else: three), reason, if(tuple_size(two) == 3, do: told.(two))}
  end)
end

story.("unload_driver while another has it", fn ->
  other = Loader.new()
  Loader.ask(other, fn -> load.([]) end)
  load.([])
  one = {:erl_ddll.unload_driver('load_a'), info.()}
  {one, Loader.ask(other, fn -> :erl_ddll.unload_driver('load_a') end), info.()}
end)

# Inconsistent.

File.mkdir_p!("elsewhere")
File.cp!(Path.join(drivers, "load_a.so"), "elsewhere/load_a.so")

for {how, options} <- [plain: [], killing: [driver_options: [:kill_ports]]], {other, others} <- [plain: [], killing: [driver_options: [:kill_ports]]] do
  story.("loaded #{how}, then #{other}", fn ->
    {load.(options), load.(others), :erl_ddll.load(folder, 'load_a'), :erl_ddll.load_driver(folder, 'load_a'),
     short.(load.([{:reload, :pending_driver} | others])), if(how != other, do: short.(load.([{:reload, :pending} | others]))),
     for(_ <- 1..6, do: unload.([])) |> Enum.take(1)}
  end)
end

story.("loaded from elsewhere", fn ->
  {load.([]), :erl_ddll.try_load('elsewhere', 'load_a', []), :erl_ddll.load('elsewhere', 'load_a'), :erl_ddll.load_driver('elsewhere', 'load_a'), unload.([])}
end)

for function <- [:reload, :reload_driver] do
  story.("#{function} from elsewhere", fn ->
    first = if function == :reload, do: load.([]), else: load.([driver_options: [:kill_ports]])
    answer = apply(:erl_ddll, function, ['elsewhere', 'load_a'])
    facts = info.()
    {first, answer, facts, :erl_ddll.try_load('elsewhere', 'load_a', Enum.take([driver_options: facts[:driver_options]], 1)), load.([]),
     unload.([]), unload.([]), unload.([])}
  end)
end

# Reload.

for function <- [:reload, :reload_driver], options <- [[], [driver_options: [:kill_ports]]] do
  story.("#{function} what was loaded with #{inspect(options)}", fn ->
    {load.(options), apply(:erl_ddll, function, [folder, 'load_a']), info.(), log.('load_a'), unload.([])}
  end)

  story.("#{function} what was loaded twice with #{inspect(options)}", fn ->
    load.(options)
    {load.(options), apply(:erl_ddll, function, [folder, 'load_a']), info.(), log.('load_a'), unload.([]), unload.([])}
  end)

  story.("#{function} what another loaded with #{inspect(options)}", fn ->
    other = Loader.new()
    Loader.ask(other, fn -> load.(options) end)
    answer = apply(:erl_ddll, function, [folder, 'load_a'])
    Loader.end_of(other)
    answer
  end)

  story.("#{function} what another has too with #{inspect(options)}", fn ->
    other = Loader.new()
    Loader.ask(other, fn -> load.(options) end)
    load.(options)
    answer = apply(:erl_ddll, function, [folder, 'load_a'])
    facts = info.()
    Loader.end_of(other)
    {answer, facts, unload.([])}
  end)
end

for reload <- [:pending_driver, :pending], monitor <- [[], [monitor: :pending_driver], [monitor: :pending]] do
  story.("reload #{reload} #{inspect(monitor)}", fn ->
    load.([])
    answer = load.([{:reload, reload} | monitor])
    message = if tuple_size(answer) == 3, do: told.(answer), else: Scenario.eventually(fn -> File.read!("load_a.log") == "driver_init init finish driver_init init " end)
    {short.(answer), message, info.(), unload.([])}
  end)
end

story.("reload, the other user dies", fn ->
  other = Loader.new()
  load.([])
  Loader.ask(other, fn -> load.([]) end)
  answer = load.(reload: :pending, monitor: :pending)
  Loader.end_of(other)
  message = told.(answer)
  {short.(answer), message, info.(), log.('load_a'), unload.([])}
end)

story.("reload, and the one who asked dies", fn ->
  other = Loader.new()
  load.([])
  answer = Loader.ask(other, fn ->
    load.([])
    short.(load.(reload: :pending, monitor: :pending))
  end)
  Scenario.eventually(fn -> File.read!("load_a.log") == "driver_init init finish driver_init init " end)
  ref = :erl_ddll.monitor(:driver, {'load_a', :unloaded_only})
  Loader.end_of(other)
  facts = info.()
  last = unload.([])
  {answer, Keyword.take(facts, [:driver_options, :port_count]), last, told.(ref)}
end)

story.("reload what will not start again", fn ->
  load.([])
  File.write!("load_a.fail", "")
  answer = load.(reload: :pending_driver, monitor: :pending_driver)
  message = told.(answer)
  File.rm!("load_a.fail")
  {short.(answer), message, info.(), unload.([])}
end)

for function <- [:reload, :reload_driver] do
  story.("#{function} what will not start again", fn ->
    load.(if function == :reload, do: [], else: [driver_options: [:kill_ports]])
    File.write!("load_a.fail", "")
    answer = apply(:erl_ddll, function, [folder, 'load_a'])
    File.rm!("load_a.fail")
    {answer, info.()}
  end)
end

story.("loaded by load, unloaded by each", fn ->
  for unloading <- [:unload, :unload_driver], loading <- [:load, :load_driver] do
    one = apply(:erl_ddll, loading, [folder, 'load_a'])
    options = info.()[:driver_options]
    two = apply(:erl_ddll, unloading, ['load_a'])
    {one, options, two, gone.('load_a')}
  end
end)
