# add_driver_entry and remove_driver_entry. tests/drivers/adding_drv.c says what the numbers mean. What
# Erlang does not survive is not asked: an entry that is added while a driver is loaded, one that is no
# driver, and one that is taken away soon after one of its ports was closed.

drivers = System.get_env("WHARF_SCENARIO_DRIVERS")
:ok = :erl_ddll.load_driver(String.to_charlist(drivers), 'adding_drv')
open = fn name -> Port.open({:spawn_driver, name}, []) end
p = open.("adding_drv")
add = fn number -> :erlang.port_control(p, ?a, "#{number}") end
remove = fn number -> List.to_integer(:erlang.port_control(p, ?r, "#{number}")) end
notes = fn -> List.to_string(:erlang.port_control(p, ??, "")) end
attempt = fn work -> try do work.() catch :error, reason -> {:raises, reason} end end
known = fn name -> Enum.count(elem(:erl_ddll.loaded_drivers(), 1), &(&1 == String.to_charlist(name))) end

for {number, name} <- [{0, "added_drv"}, {1, "added_port_drv"}] do
  Scenario.exact("#{name} is added and used", 1, fn ->
    before = {known.(name), attempt.(fn -> open.(name) end)}
    added = {add.(number), known.(name), notes.()}
    q = open.(name)
    Port.command(q, "hello")
    message = receive do
      {^q, what} -> what
    end
    {before, added, message, notes.(), Port.close(q), notes.()}
  end)
  Scenario.exact("#{name} has two ports at a time", 2, fn ->
    ports = [open.(name), open.(name)]
    Enum.each(ports, &Port.command(&1, "hello"))
    {length(ports), notes.()}
  end)
  Scenario.exact("the ports of #{name} have left with their owner", 0, fn ->
    Process.put(:notes, "")
    Scenario.eventually(fn ->
      Process.put(:notes, Process.get(:notes) <> notes.())
      Process.get(:notes) == "stop stop "
    end)
  end)
end
Scenario.exact("erl_ddll and a driver that was added", 0, fn ->
  answers = [
    :erl_ddll.unload_driver('added_drv'),
    :erl_ddll.unload('added_drv'),
    :erl_ddll.try_unload('added_drv', []),
    :erl_ddll.try_unload('added_drv', [:kill_ports]),
    :erl_ddll.reload_driver(String.to_charlist(drivers), 'added_drv'),
    :erl_ddll.load_driver(String.to_charlist(drivers), 'added_drv'),
    :erl_ddll.try_load(String.to_charlist(drivers), 'added_drv', [])
  ]
  {answers, attempt.(fn -> Enum.sort(:erl_ddll.info('added_drv')) end), notes.()}
end)
Scenario.exact("added, and taken away", 0, fn ->
  before = remove.(7)
  add.(7)
  added = {known.("added_unused_drv"), notes.()}
  {before, added, remove.(7), known.("added_unused_drv"), attempt.(fn -> open.("added_unused_drv") end), remove.(7), notes.()}
end)
Scenario.exact("added, taken away, and added again", 0, fn ->
  add.(7)
  first = {remove.(7), notes.()}
  add.(7)
  {first, known.("added_unused_drv"), remove.(7), notes.()}
end)
Scenario.exact("none, and what came from a file", 0, fn -> {remove.(4), remove.(5), known.("adding_drv")} end)
Scenario.exact("one with nothing but its name", 1, fn ->
  add.(6)
  q = open.("added_bare_drv")
  {Port.command(q, "x"), attempt.(fn -> :erlang.port_control(q, 0, "") end), attempt.(fn -> :erlang.port_call(q, 0, :x) end), Port.close(q), notes.()}
end)
Scenario.exact("its init fails", 0, fn ->
  add.(3)
  {known.("added_failing_drv"), attempt.(fn -> open.("added_failing_drv") end), remove.(3), notes.()}
end)
