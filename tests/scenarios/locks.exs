# Threads and locks of drivers. tests/drivers/locks_drv.c says what the questions are.

folder = String.to_charlist(System.fetch_env!("WHARF_SCENARIO_DRIVERS"))
:ok = :erl_ddll.load_driver(folder, 'locks_drv')
open = fn -> Port.open({:spawn_driver, "locks_drv"}, []) end
ask = fn p, question -> List.to_string(:erlang.port_control(p, 0, question)) end

for question <- ["names", "tries", "produce signal", "produce broadcast", "readers", "threads", "chain 20", "own_data", "contend 2000"] do
  Scenario.answer(question, fn -> ask.(open.(), question) end)
end

# Again, in case something was left behind.
Scenario.answer("own data again", fn -> ask.(open.(), "own_data") end)

Scenario.answer("a port data lock outlives its port", fn ->
  p = open.()
  answer = ask.(p, "pdl")
  Process.unlink(p)
  Port.close(p)
  q = open.()
  {answer, ask.(q, "outlive")}
end)
Scenario.answer("a job holds the port data lock", fn ->
  p = open.()
  {ask.(p, "job"), Scenario.eventually(fn -> ask.(p, "refc") == "1" end)}
end)
Scenario.answer("unloaded with a thread in finish", fn ->
  ref = :erl_ddll.monitor(:driver, {'locks_drv', :unloaded})
  :ok = :erl_ddll.load_driver(folder, 'locks_drv')
  {:erl_ddll.unload('locks_drv'), is_reference(ref)}
end)
