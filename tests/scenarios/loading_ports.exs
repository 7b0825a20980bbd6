# Drivers that are unloaded or loaded anew while ports of them are open, in each state.

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

facts = fn ->
  case info.() do
    :badarg -> :badarg
    items -> Keyword.take(items, [:processes, :driver_options, :port_count, :awaiting_load, :awaiting_unload])
  end
end

# Unloading waits for ports.

story.("a port keeps it", fn ->
  load.([])
  {p, q} = {open.(), open.()}
  one = unload.([monitor: :pending_driver])
  uses = ask.(p, ?u)
  r = open.()
  during = facts.()
  ends = for port <- [p, q], do: {Port.close(port), ended.(port), log.('load_a')}
  Port.close(r)
  ended.(r)
  {short.(one), uses, during, ends, told.(one), open_or_not.()}
end)

story.("a port keeps it, and it is loaded again", fn ->
  load.([])
  p = open.()
  one = unload.([monitor: :pending_driver])
  only = :erl_ddll.monitor(:driver, {'load_a', :unloaded_only})
  again = {load.([driver_options: [:kill_ports]]), :erl_ddll.try_load('elsewhere', 'load_a', []), short.(load.([reload: :pending])), short.(load.([reload: :pending_driver])), load.([monitor: :pending])}
  heard = told.(one)
  uses = ask.(p, ?u)
  Port.close(p)
  ended.(p)
  {again, heard, uses, facts.(), unload.([]), told.(only)}
end)

story.("another process takes it over", fn ->
  other = Loader.new()
  load.([])
  p = open.()
  one = unload.([monitor: :pending])
  two = Loader.ask(other, fn -> load.([]) end)
  heard = told.(one)
  three = unload.([])
  Port.close(p)
  ended.(p)
  four = Loader.ask(other, fn -> unload.([]) end)
  {short.(one), two, heard, three, four}
end)

for options <- [[], [driver_options: [:kill_ports]]] do
  story.("its only loader dies, loaded with #{inspect(options)}", fn ->
    other = Loader.new()
    Loader.ask(other, fn -> load.(options) end)
    p = open.()
    ref = :erl_ddll.monitor(:driver, {'load_a', :unloaded})
    Loader.end_of(other)
    if options == [] do
      {Scenario.eventually(fn -> :erl_ddll.info('load_a', :processes) == [] end), facts.(), ask.(p, ?u), open_or_not.(), Port.close(p), ended.(p), Scenario.eventually(fn -> :erl_ddll.info('load_a', :port_count) == 1 end),
       Enum.map(elem(Process.info(self(), :links), 1), fn q -> if is_port(q), do: Port.close(q) end) |> length(), told.(ref)}
    else
      {ended.(p), told.(ref)}
    end
  end)

  story.("one of two loaders dies, loaded with #{inspect(options)}", fn ->
    other = Loader.new()
    Loader.ask(other, fn -> load.(options) end)
    load.(options)
    p = open.()
    Loader.end_of(other)
    Scenario.eventually(fn -> length(:erl_ddll.info('load_a', :processes)) == 1 end)
    uses = ask.(p, ?u)
    last = unload.([])
    if options == [], do: Port.close(p)
    {uses, last, ended.(p)}
  end)
end

# Killing.

for {how, loading, unloading} <- [{"load", [driver_options: [:kill_ports]], []}, {"unload", [], [:kill_ports]}, {"both", [driver_options: [:kill_ports]], [:kill_ports]}] do
  story.("killed by #{how}", fn ->
    load.(loading)
    {p, q} = {open.(), open.()}
    one = unload.([{:monitor, :pending_driver} | unloading])
    {short.(one), ended.(p), ended.(q), told.(one), open_or_not.()}
  end)

  story.("killed by #{how}, in the middle of a queue", fn ->
    load.(loading)
    p = open.()
    ask.(p, ?q)
    one = unload.([{:monitor, :pending_driver} | unloading])
    {short.(one), ended.(p), told.(one)}
  end)

  story.("killed by #{how}, while it is flushing", fn ->
    load.(loading)
    p = open.()
    q = open.()
    ask.(p, ?q)
    Port.close(p)
    closed = ended.(p)
    count = :erl_ddll.info('load_a', :port_count)
    one = unload.([{:monitor, :pending_driver} | unloading])
    {closed, count, short.(one), ended.(q), told.(one)}
  end)

  story.("killed by #{how}, with a job under way", fn ->
    load.(loading)
    p = open.()
    q = open.()
    ask.(p, ?j)
    # The job goes on because the port that could say so goes last.
    ask.(q, ?g)
    one = unload.([{:monitor, :pending_driver} | unloading])
    {short.(one), ended.(p), ended.(q), told.(one), Enum.member?(String.split(File.read!("load_a.log")), "passed"), File.rm("load_a.log")}
  end)

  story.("killed by #{how}, with a thread", fn ->
    load.(loading)
    p = open.()
    ask.(p, ?w)
    one = unload.([{:monitor, :pending_driver} | unloading])
    {short.(one), ended.(p), told.(one)}
  end)

  story.("killed by #{how}, with a selected descriptor", fn ->
    load.(loading)
    p = open.()
    ask.(p, ?s)
    one = unload.([{:monitor, :pending_driver} | unloading])
    {short.(one), ended.(p), told.(one)}
  end)

  story.("killed by #{how}, without ports", fn ->
    load.(loading)
    one = unload.([{:monitor, :pending_driver} | unloading])
    {short.(one), told.(one)}
  end)
end

story.("flushing keeps it", fn ->
  load.([])
  {p, q} = {open.(), open.()}
  ask.(p, ?q)
  Port.close(p)
  closed = ended.(p)
  one = unload.([monitor: :pending_driver])
  during = facts.()
  Port.close(q)
  ended.(q)
  again = {:erl_ddll.info('load_a', :port_count), log.('load_a')}
  killed = unload.([:kill_ports])
  {closed, during, again, killed, told.(one)}
end)

story.("a job keeps it, and gets its data back", fn ->
  load.([])
  {p, q} = {open.(), open.()}
  started = ask.(p, ?j)
  Port.close(p)
  ended.(p)
  one = unload.([monitor: :pending_driver])
  during = log.('load_a')
  ask.(q, ?g)
  freed = Scenario.eventually(fn -> File.exists?("load_a.log") and File.read!("load_a.log") =~ "passed freed" end)
  Port.close(q)
  ended.(q)
  {started, during, freed, told.(one)}
end)

story.("ports of another process are killed, too", fn ->
  other = Loader.new()
  load.([])
  opened = Loader.ask(other, fn ->
    Process.flag(:trap_exit, true)
    open_or_not.()
  end)
  one = unload.([:kill_ports, monitor: :pending_driver])
  heard = told.(one)
  {opened, short.(one), heard, Loader.ask(other, fn -> receive do {:EXIT, _, reason} -> reason after 1000 -> :nothing end end)}
end)

story.("unload_driver waits for its ports", fn ->
  load.([])
  p = open.()
  {:erl_ddll.unload_driver('load_a'), log.('load_a'), ended.(p)}
end)

story.("unload does not wait", fn ->
  load.([])
  p = open.()
  {:erl_ddll.unload('load_a'), log.('load_a'), Port.close(p), ended.(p)}
end)

# While a job keeps the driver whose ports were killed.

for {name, options, work} <- [
      {"left alone", [], fn _ -> :nothing end},
      {"loaded", [], fn load -> load.([]) end},
      {"loaded, to be killed", [], fn load -> load.([driver_options: [:kill_ports]]) end},
      {"loaded with a monitor", [driver_options: [:kill_ports]], fn load -> load.([monitor: :pending, driver_options: [:kill_ports]]) end},
      {"reloaded", [], fn load -> {load.([reload: :pending]), load.([reload: :pending_driver])} end}
    ] do
  story.("killed ports and a job: #{name}", fn ->
    gate = Scenario.gate()
    load.(options)
    p = open.()
    :erlang.port_control(p, ?J, gate)
    one = unload.([:kill_ports, monitor: :pending_driver])
    reason = ended.(p)
    Scenario.eventually(fn -> :erl_ddll.info('load_a', :port_count) == 0 end)
    pending = {facts.(), open_or_not.()}
    done = work.(load)
    later = {facts.(), open_or_not.()}
    refs = for event <- [:loaded, :unloaded, :unloaded_only], do: :erl_ddll.monitor(:driver, {'load_a', event})
    Scenario.pass(gate)
    Scenario.eventually(fn -> File.read!("load_a.log") =~ "passed" end)
    for q <- elem(Process.info(self(), :links), 1), is_port(q), do: Port.close(q)
    heard = [told.(one), (if match?({_, _, _}, done), do: told.(done)), told.(hd(refs))]
    last = unload.([])
    {short.(one), reason, pending, (if match?({_, _, _}, done), do: short.(done), else: done), later, heard, last, Enum.map(tl(refs), told)}
  end)
end

story.("a job and no ports, killed or not", fn ->
  gate = Scenario.gate()
  load.([driver_options: [:kill_ports]])
  p = open.()
  :erlang.port_control(p, ?J, gate)
  Port.close(p)
  ended.(p)
  one = unload.([:kill_ports, monitor: :pending_driver])
  # There was no port to kill, so there may be one again, which a second unload kills.
  q = open.()
  two = unload.([monitor: :pending])
  three = {ended.(q), Scenario.eventually(fn -> :erl_ddll.info('load_a', :port_count) == 0 end), open_or_not.()}
  # And once more there is none.
  four = short.(unload.([:kill_ports]))
  r = open.()
  Port.close(r)
  ended.(r)
  Scenario.pass(gate)
  {short.(one), short.(two), three, four, told.(one), told.(two)}
end)

# Loading anew.

for reload <- [:pending_driver, :pending], monitor <- [[], [monitor: :pending_driver], [monitor: :pending]] do
  story.("reload #{reload} #{inspect(monitor)} with a port", fn ->
    load.([])
    p = open.()
    uses = ask.(p, ?u)
    one = load.([{:reload, reload} | monitor])
    during = facts.()
    refused = {short.(load.([reload: :pending])), short.(load.([reload: :pending_driver])), load.([driver_options: [:kill_ports]]), :erl_ddll.try_load('elsewhere', 'load_a', [])}
    again = open.()
    more = {ask.(again, ?u), ask.(p, ?u)}
    Port.close(p)
    ended.(p)
    Port.close(again)
    ended.(again)
    heard = if tuple_size(one) == 3, do: told.(one), else: Scenario.eventually(fn -> File.read!("load_a.log") =~ "finish driver_init init" end)
    fresh = open.()
    used = ask.(fresh, ?u)
    Port.close(fresh)
    ended.(fresh)
    {uses, short.(one), during, refused, more, heard, used, unload.([])}
  end)

  story.("reload #{reload} #{inspect(monitor)} with a port and another user", fn ->
    other = Loader.new()
    load.([])
    load.([])
    Loader.ask(other, fn -> load.([]) end)
    p = open.()
    before = facts.()
    one = load.([{:reload, reload} | monitor])
    during = facts.()
    theirs = Loader.ask(other, fn -> {short.(load.([{:reload, reload} | monitor])), short.(load.([]))} end)
    later = facts.()
    left = Loader.ask(other, fn -> {short.(unload.([])), short.(unload.([])), short.(unload.([]))} end)
    Port.close(p)
    ended.(p)
    heard = if tuple_size(one) == 3, do: told.(one), else: reload == :pending_driver or Scenario.eventually(fn -> File.read!("load_a.log") =~ "finish driver_init init" end)
    {before, short.(one), during, theirs, later, left, heard, facts.(), unload.([]), unload.([])}
  end)

  story.("reload #{reload} #{inspect(monitor)}, killing", fn ->
    load.([driver_options: [:kill_ports]])
    p = open.()
    one = load.([{:reload, reload}, {:driver_options, [:kill_ports]} | monitor])
    reason = ended.(p)
    heard = if tuple_size(one) == 3, do: told.(one), else: Scenario.eventually(fn -> File.read!("load_a.log") =~ "finish driver_init init" end)
    {short.(one), reason, heard, facts.(), open_or_not.(), unload.([])}
  end)
end

story.("reload, and unload while it is pending", fn ->
  load.([])
  p = open.()
  one = load.([reload: :pending_driver, monitor: :pending_driver])
  awaited = {:erl_ddll.monitor(:driver, {'load_a', :loaded}), :erl_ddll.monitor(:driver, {'load_a', :unloaded}), :erl_ddll.monitor(:driver, {'load_a', :unloaded_only})}
  during = facts.()
  two = unload.([monitor: :pending_driver])
  heard = {told.(one), told.(elem(awaited, 0))}
  later = facts.()
  Port.close(p)
  ended.(p)
  {during, short.(two), heard, later, told.(two), told.(elem(awaited, 1)), told.(elem(awaited, 2))}
end)

story.("reload, then unload, then load while it is pending", fn ->
  load.([])
  p = open.()
  one = load.([reload: :pending_driver, monitor: :pending_driver])
  two = unload.([monitor: :pending_driver])
  three = load.([])
  heard = {told.(one), told.(two)}
  Port.close(p)
  ended.(p)
  {short.(one), short.(two), short.(three), heard, ask.(open.(), ?u), unload.([:kill_ports])}
end)

story.("load while it is to be loaded anew", fn ->
  other = Loader.new()
  load.([])
  p = open.()
  one = load.([reload: :pending_driver, monitor: :pending_driver])
  mine = for options <- [[], [monitor: :pending_driver], [monitor: :pending]], do: load.(options)
  theirs = Loader.ask(other, fn -> for options <- [[], [monitor: :pending_driver], [monitor: :pending]], do: short.(load.(options)) end)
  during = facts.()
  Port.close(p)
  ended.(p)
  heard = for answer <- [one | mine], do: told.(answer)
  later = facts.()
  Loader.end_of(other)
  unloads = for _ <- 1..5, do: unload.([])
  {Enum.map(mine, short), theirs, during, heard, later, length(unloads)}
end)

story.("load/2 while it is to be loaded anew", fn ->
  other = Loader.new()
  load.([])
  p = open.()
  load.([reload: :pending_driver])
  me = self()
  send(other, {:do, self(), fn -> :erl_ddll.load(folder, 'load_a') end})
  waits = Scenario.eventually(fn -> length(:erl_ddll.info('load_a', :awaiting_load)) == 1 end)
  Port.close(p)
  ended.(p)
  answer =
    receive do
      {:did, ^other, answer} -> answer
    after
      20_000 -> :nothing
    end
  later = facts.()
  Loader.end_of(other)
  unload.([])
  {is_pid(me), waits, answer, later}
end)

for {how, fails} <- [works: false, fails: true] do
  story.("the loader dies while it is to be loaded anew, which #{how}", fn ->
    other = Loader.new()
    one = Loader.ask(other, fn ->
      load.([])
    end)
    p = open.()
    two = Loader.ask(other, fn -> short.(load.([reload: :pending_driver, monitor: :pending_driver])) end)
    refs = for event <- [:loaded, :unloaded, :unloaded_only], do: :erl_ddll.monitor(:driver, {'load_a', event})
    Loader.end_of(other)
    emptied = Scenario.eventually(fn -> :erl_ddll.info('load_a', :processes) == [] end)
    if fails, do: File.write!("load_a.fail", "")
    Port.close(p)
    ended.(p)
    heard = for ref <- refs, do: told.(ref)
    File.rm("load_a.fail")
    {one, two, emptied, heard, facts.()}
  end)
end

story.("a reload that fails after the ports are gone", fn ->
  load.([])
  p = open.()
  one = load.([reload: :pending_driver, monitor: :pending_driver])
  refs = for event <- [:loaded, :unloaded, :unloaded_only], do: :erl_ddll.monitor(:driver, {'load_a', event})
  File.write!("load_a.fail", "")
  Port.close(p)
  ended.(p)
  heard = for ref <- [one | refs], do: told.(ref)
  File.rm!("load_a.fail")
  {heard, facts.(), load.([]), unload.([])}
end)

# Locked in.

Scenario.answer("locked", fn ->
  name = 'load_locked'
  loaded = :erl_ddll.try_load(folder, name, [])
  refs = for event <- [:loaded, :unloaded, :unloaded_only], do: :erl_ddll.monitor(:driver, {name, event})
  p = Port.open({:spawn_driver, name}, [])
  locked = {ask.(p, ?l), ask.(p, ?l)}
  heard = for ref <- refs, do: told.(ref)
  later = for event <- [:loaded, :unloaded, :unloaded_only], do: told.(:erl_ddll.monitor(:driver, {name, event}))
  answers = {:erl_ddll.try_load(folder, name, []), :erl_ddll.load(folder, name), :erl_ddll.load_driver(folder, name), :erl_ddll.try_load(folder, name, [reload: :pending]), :erl_ddll.reload(folder, name), :erl_ddll.reload_driver(folder, name),
    :erl_ddll.try_load('elsewhere', name, [driver_options: [:kill_ports]]),
    :erl_ddll.try_unload(name, []), :erl_ddll.try_unload(name, [:kill_ports, monitor: :pending]), :erl_ddll.unload(name), :erl_ddll.unload_driver(name)}
  Port.close(p)
  {loaded, locked, heard, later, answers, ended.(p), :erl_ddll.info(name), is_port(Port.open({:spawn_driver, name}, []))}
end)

Scenario.answer("locked while its unload is pending", fn ->
  name = 'load_locked_waiting'
  :erl_ddll.try_load(folder, name, [])
  p = Port.open({:spawn_driver, name}, [])
  one = :erl_ddll.try_unload(name, [monitor: :pending_driver])
  locked = ask.(p, ?l)
  heard = told.(one)
  Port.close(p)
  {short.(one), locked, heard, ended.(p), :erl_ddll.info(name), is_port(Port.open({:spawn_driver, name}, [])), log.(name)}
end)

Scenario.answer("locked while it is to be loaded anew", fn ->
  name = 'load_locked_killing'
  :erl_ddll.try_load(folder, name, [driver_options: [:kill_ports]])
  q = Port.open({:spawn_driver, name}, [])
  ask.(q, ?l)
  one = :erl_ddll.try_unload(name, [:kill_ports])
  {one, ask.(q, ?u), :erl_ddll.info(name)}
end)
