# Loading a driver from a file: which files, which names and folders, which arguments, which words.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
folder = String.to_charlist(drivers)

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

words = fn
  {:error, reason} -> {:error, List.to_string(:erl_ddll.format_error(reason))}
  other -> other
end

# The number of an error of the loader is nobody's business.
named = fn
  {:error, {:open_error, code}} -> {:open_error, code <= -10, :erl_ddll.format_error({:open_error, code})}
  other -> other
end

# Versions and other things that a driver says of itself.

for name <- ['load_a', 'load_2_0', 'load_2_9', 'load_3_0', 'load_1_3', 'load_3_4', 'load_4_0', 'load_marker', 'load_no_init',
             'load_no_entry', 'load_init_1', 'load_init_less', 'load_misnamed', 'load_both'] do
  Scenario.answer("a driver: #{name}", fn ->
    answer = :erl_ddll.try_load(folder, name, [])
    loaded = {words.(answer), log.(name)}

    ports =
      if answer == {:ok, :loaded} do
        p = Port.open({:spawn_driver, name ++ ' x'}, [])
        version = :erlang.port_control(p, ?v, "")
        Port.close(p)
        version
      end

    if ports != nil, do: Scenario.flush(1)
    again = :erl_ddll.try_unload(name, [])
    {loaded, ports, again, gone.(name), log.(name), Enum.map([:load, :load_driver, :reload, :reload_driver], fn function ->
      answer = apply(:erl_ddll, function, [folder, name])
      :erl_ddll.unload_driver(name)
      gone.(name)
      {answer, log.(name)}
    end)}
  end)
end

# Files that are no drivers.

File.mkdir!("files")
File.write!("files/empty.so", "")
File.write!("files/text.so", String.duplicate("no library ", 100))
File.mkdir!("files/folder.so")
File.cp!(Path.join(drivers, "load_a.so"), "files/load_copy.so")
File.cp!(Path.join(drivers, "load_a.so"), "files/load_a")
File.cp!(Path.join(drivers, "load_a.so"), "files/hidden.so")
File.chmod!("files/hidden.so", 0o644)

for name <- ["missing", "empty", "text", "folder", "load_copy", "load_a", "hidden", "load_a.so", ".", "..", "../files/text", "a b", ""] do
  Scenario.answer("a file: #{inspect(name)}", fn ->
    {named.(:erl_ddll.try_load('files', name, [])), named.(:erl_ddll.load('files', name)), named.(:erl_ddll.load_driver('files', name))}
  end)
end

for place <- ['nowhere', 'files/text.so', '', '/', '/nowhere/at/all'] do
  Scenario.answer("a folder: #{inspect(place)}", fn -> named.(:erl_ddll.try_load(place, 'load_a', [])) end)
end

Scenario.answer("numbers of errors", fn ->
  code = fn name ->
    {:error, {:open_error, code}} = :erl_ddll.try_load('files', name, [])
    code
  end

  {code.("missing") == code.("missing"), code.("missing") == code.("other"), code.("empty") == code.("missing")}
end)

# Ways to write a folder and a name.

File.mkdir!("here")
File.mkdir!("here/more")
File.cp!(Path.join(drivers, "load_b.so"), "here/load_b.so")
File.cp!(Path.join(drivers, "load.dot.so"), "here/load.dot.so")
File.cp!(Path.join(drivers, "loäd.so"), "here/loäd.so")
File.mkdir!("hëre")
File.cp!(Path.join(drivers, "load_b.so"), "hëre/load_b.so")

places = ['here', "here", ['he', "re"], [[?h, 'er'], "e"], ['h', ['e', ['r', ['e']]]], 'here/', 'here///', './here', './here/', 'here/.', 'here/more/..',
          "here/", :here, 'hëre', "hëre", <<"h", 235, "re">>, ['h', 235, 're'], 'here\0', "here\0", ['here', 0], [], "", nil, 1, 1.5, {'here'}, ['here' | "x"], ['here', :atom],
          ['here', -1], ['here', 1_200_000], ['here', 0xD800], %{}]

for place <- places do
  Scenario.answer("folder #{inspect(place)}", fn ->
    shown = fn work ->
      try do
        case named.(work.()) do
          {:open_error, _, _} -> :open_error
          other -> other
        end
      catch
        :error, reason -> {:raises, reason}
      end
    end

    loaded = shown.(fn -> :erl_ddll.try_load(place, 'load_b', []) end)
    again = if loaded == {:ok, :loaded}, do: for(other <- ['here', './here', "here/"], do: :erl_ddll.try_load(other, 'load_b', []))
    for _ <- 1..4, do: :erl_ddll.try_unload('load_b', [])
    gone.('load_b')
    loads = for function <- [:load, :load_driver, :reload, :reload_driver] do
      answer = shown.(fn -> apply(:erl_ddll, function, [place, 'load_b']) end)
      if answer == :ok do
        :erl_ddll.try_unload('load_b', [])
        gone.('load_b')
      end
      answer
    end
    {loaded, again, loads}
  end)
end

for name <- ['load_b', "load_b", :load_b, ['load', "_b"], [?l, 'oad_b'], 'load.dot', "load.dot", :"load.dot", 'load_b.so', 'load_b\0', "load_b\0", 'loäd', "loäd", :loäd, ['loäd' | ""],
             [], "", :"", nil, 1, 1.5, {'load_b'}, ['load_' | "b"], ['load_b', :atom], ['load_b', 300], ['load_b', -1], <<1::size(3)>>, %{},
             String.duplicate("n", 255), String.duplicate("n", 256), String.duplicate("n", 5000), 'here/load_b', './load_b', '/load_b'] do
  shown_name = if is_binary(name) and byte_size(name) > 100, do: "of #{byte_size(name)} bytes", else: inspect(name)

  Scenario.answer("name #{shown_name}", fn ->
    shown = fn work ->
      try do
        case named.(work.()) do
          {:open_error, _, _} -> :open_error
          other -> other
        end
      catch
        :error, reason -> {:raises, reason}
      end
    end

    loaded = shown.(fn -> :erl_ddll.try_load('here', name, []) end)
    options = shown.(fn -> :erl_ddll.info(name, :driver_options) end)
    port = if loaded == {:ok, :loaded}, do: shown.(fn -> is_port(Port.open({:spawn_driver, name}, [])) end)
    unloaded = shown.(fn -> :erl_ddll.try_unload(name, [:kill_ports]) end)
    if loaded == {:ok, :loaded}, do: gone.(name)
    if port == true, do: Scenario.flush(1)
    others = for function <- [:load, :load_driver, :reload, :reload_driver] do
      answer = shown.(fn -> apply(:erl_ddll, function, ['here', name]) end)
      if answer == :ok do
        :erl_ddll.try_unload(name, [])
        gone.(name)
      end
      answer
    end
    {loaded, options, port, unloaded, others, for(function <- [:unload, :unload_driver], do: shown.(fn -> apply(:erl_ddll, function, [name]) end))}
  end)
end

# Options.

option_lists = [[], [:kill_ports], [{:driver_options, []}], [{:driver_options, [:kill_ports]}], [{:driver_options, [:kill_ports, :kill_ports]}],
                [{:driver_options, :kill_ports}], [{:driver_options, [:other]}], [{:driver_options, [:kill_ports | :kill_ports]}], [{:driver_options, [:kill_ports, 1]}],
                [{:driver_options, ""}], [{:driver_options, nil}],
                [{:driver_options, [:kill_ports]}, {:driver_options, []}], [{:monitor, :pending}], [{:monitor, :pending_driver}], [{:monitor, :other}], [{:monitor, true}],
                [{:monitor, []}], [{:monitor, :pending}, {:monitor, :pending_driver}], [{:reload, :pending}], [{:reload, :pending_driver}], [{:reload, true}],
                [{:reload, :other}], [{:reload, :pending}, {:monitor, :pending}], [{:other, 1}], [{:monitor, :pending, 1}], [{"monitor", :pending}], [{}], [1], [nil],
                [{:monitor, :pending} | :rest], [{:monitor, :pending} | {:reload, :pending}], :none, nil, "", {}, 1, %{}, 'text', [[{:monitor, :pending}]]]

for options <- option_lists do
  Scenario.answer("load with #{inspect(options)}", fn ->
    shown = fn work ->
      try do
        work.()
      catch
        :error, reason -> {:raises, reason}
      end
    end

    answers = {shown.(fn -> :erl_ddll.try_load('here', 'load_b', options) end), shown.(fn -> :erl_ddll.info('load_b', :driver_options) end),
      shown.(fn -> :erl_ddll.try_load('here', 'load_b', options) end)}
    for _ <- 1..4, do: :erl_ddll.try_unload('load_b', [])
    {answers, gone.('load_b')}
  end)

  Scenario.tell("unload with #{inspect(options)}", 0, fn ->
    shown = fn work ->
      try do
        work.()
      catch
        :error, reason -> {:raises, reason}
      end
    end

    {:ok, :loaded} = :erl_ddll.try_load('here', 'load_b', [])
    one = shown.(fn -> :erl_ddll.try_unload('load_b', options) end)
    for _ <- 1..4, do: :erl_ddll.try_unload('load_b', [])
    {one, shown.(fn -> :erl_ddll.try_unload('none', options) end), gone.('load_b')}
  end)
end

Scenario.tell("unload with kill_ports and monitor", 0, fn ->
  for options <- [[:kill_ports, {:monitor, :pending}], [{:monitor, :pending_driver}, :kill_ports], [:kill_ports, :kill_ports], [:kill_ports, :other], [{:kill_ports, true}]] do
    :erl_ddll.try_load('here', 'load_b', [])
    answer =
      try do
        :erl_ddll.try_unload('load_b', options)
      catch
        :error, reason -> {:raises, reason}
      end
    for _ <- 1..2, do: :erl_ddll.try_unload('load_b', [])
    gone.('load_b')
    {answer, length(Scenario.flush(0))}
  end
end)

# Words for reasons.

for reason <- [:inconsistent, :linked_in_driver, :permanent, :not_loaded, :not_loaded_by_this_process, :already_loaded, :pending_reload, :pending_process, :no_driver_init,
               :driver_init_failed, :bad_driver_name, :driver_name_to_long, :driver_incorrect_version, :no_ddll_available, :unspecified_error, :symbol_not_found, :loaded, :ok, :unloaded,
               :pending_driver, :pending, :load_cancelled, :unload_cancelled, :kill_ports, :badarg, :system_limit, nil, 1, 0, -1, -2, -9, -10, -99_999, 1.0, "inconsistent", 'inconsistent', {:open_error, 1},
               {:open_error, 0}, {:open_error, -1}, {:open_error, -2}, {:open_error, -3}, {:open_error, -4}, {:open_error, -5}, {:open_error, -6}, {:open_error, -7}, {:open_error, -8}, {:open_error, -9}, {:open_error, -100_000}, {:open_error, 100_000_000_000_000_000_000}, {:open_error, :atom}, {:open_error, "x"},
               {:open_error, 1, 2}, {:open_error}, {:error, :inconsistent}, {:load_failure, :driver_init_failed}, {:load_failure, {:open_error, -100_000}}, {:other, 1}, [], {}, %{}] do
  Scenario.answer("words for #{inspect(reason)}", fn -> :erl_ddll.format_error(reason) end)
end

# Information.

Scenario.answer("info", fn ->
  :ok = :erl_ddll.load('here', 'load_b')
  {List.keyfind(:erl_ddll.info(), 'load_b', 0), :erl_ddll.info('load_b'), :erl_ddll.info("load_b") == :erl_ddll.info(:load_b)}
end)

items = [:processes, :driver_options, :port_count, :linked_in_driver, :permanent, :awaiting_load, :awaiting_unload, :refc, :name, :path, nil, "processes", 'processes', 1, [:processes], {:processes}]

for item <- items do
  Scenario.answer("item #{inspect(item)}", fn ->
    :ok = :erl_ddll.load('here', 'load_b')
    shown = fn work ->
      try do
        work.()
      catch
        :error, reason -> {:raises, reason}
      end
    end
    {shown.(fn -> :erl_ddll.info('load_b', item) end), shown.(fn -> :erl_ddll.info(:not_there, item) end)}
  end)
end

for name <- ['not_there', [], "", nil, 1, {}, ['load' | :b], %{}] do
  Scenario.answer("info of #{inspect(name)}", fn -> :erl_ddll.info(name) end)
end

Scenario.answer("names in the list", fn ->
  :ok = :erl_ddll.load('here', 'load_b')
  {:ok, names} = :erl_ddll.loaded_drivers()
  before = {'load_b' in names, Enum.all?(names, &is_list/1)}
  :erl_ddll.unload('load_b')
  gone.('load_b')
  {:ok, names} = :erl_ddll.loaded_drivers()
  {before, 'load_b' in names}
end)

Scenario.answer("start and stop", fn -> {:erl_ddll.start(), :erl_ddll.stop(), :erl_ddll.start()} end)

for {type, tag} <- [{:driver, {'load_b', :loaded}}, {:driver, {'load_b', :other}}, {:driver, {'load_b'}}, {:driver, 'load_b'}, {:process, {'load_b', :loaded}}, {"driver", {'load_b', :loaded}},
                    {:driver, {1, :loaded}}, {:driver, {[], :loaded}}, {:driver, {"", :unloaded}}, {:driver, {nil, :unloaded}}, {:driver, {'load_b', "loaded"}}, {:driver, {'load_b', :loaded, 1}}, {:driver, {['load', "_b"], :unloaded}},
                    {:driver, {"x\0", :unloaded}}, {:driver, {'löad', :unloaded}}, {:driver, {"löad", :unloaded}}, {:driver, {['x', 300], :unloaded}}] do
  Scenario.answer("monitor #{inspect(type)} #{inspect(tag)}", fn ->
    ref = :erl_ddll.monitor(type, tag)
    {is_reference(ref), Enum.map(Scenario.flush(1), fn {way, ^ref, :driver, name, what} -> {way, name, what} end)}
  end)
end

for ref <- [:atom, 1, "x", [], {}, nil, self()] do
  shown = if is_pid(ref), do: "a pid", else: inspect(ref)
  Scenario.answer("demonitor #{shown}", fn -> :erl_ddll.demonitor(ref) end)
end

Scenario.answer("demonitor a reference", fn -> :erl_ddll.demonitor(make_ref()) end)
