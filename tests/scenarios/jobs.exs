# Jobs of drivers on the pool. tests/drivers/jobs_drv.c says what the questions are.

folder = String.to_charlist(System.fetch_env!("WHARF_SCENARIO_DRIVERS"))
for name <- ['jobs_drv', 'jobs_bare_drv'], do: :ok = :erl_ddll.load_driver(folder, name)

defmodule Jobs do
  def open(name \\ "jobs_drv"), do: Port.open({:spawn_driver, name}, [])
  def ask(p, question), do: List.to_string(:erlang.port_control(p, 0, question))

  def forget() do
    p = open()
    ask(p, "forget")
    Process.unlink(p)
    Port.close(p)
  end

  # The driver's lists, asked by another port, once they say so.
  def lists(expected, name \\ "jobs_drv") do
    p = open(name)
    reached = Scenario.eventually(fn -> ask(p, "lists") == expected end)
    said = ask(p, "lists")
    ask(p, "forget")
    Process.unlink(p)
    Port.close(p)
    {reached, said}
  end
end

Scenario.tell("no port", 0, fn -> Jobs.ask(Jobs.open(), "no_port") end)
Scenario.tell("a port's key", 0, fn -> Jobs.ask(Jobs.open(), "key") end)
for key <- ["-", "p", "0", "1", "7", "4294967295"] do
  Scenario.exact("key " <> key, 1, fn ->
    p = Jobs.open()
    {Jobs.ask(p, "job #{key} plain"), Jobs.lists("ran plain freed ")}
  end)
end
Scenario.exact("a job that speaks", 2, fn -> Jobs.ask(Jobs.open(), "job - !speaks") end)
Scenario.exact("forty with one key", 40, fn -> Jobs.ask(Jobs.open(), "many 40") end)
Jobs.forget()

# Where it is asked for.
Scenario.exact("from start", 1, fn -> is_port(Jobs.open("jobs_drv now")) end)
Jobs.forget()
Scenario.exact("from a start that fails", 0, fn ->
  opened = try do Jobs.open("jobs_drv fails") rescue error -> error.__struct__ end
  {opened, Jobs.lists("ran failed freed failed:-1 ")}
end)
Scenario.exact("from stop", 1, fn ->
  p = Jobs.open()
  answer = Jobs.ask(p, "on_stop")
  Port.close(p)
  {answer, Jobs.lists("ran stopped freed stopped:-1 ")}
end)
Scenario.exact("from ready_async", 4, fn -> Jobs.ask(Jobs.open(), "again 3") end)
Jobs.forget()

# The port ends first.
for {how, told} <- [close: 0, kill: 0, message: 1] do
  Scenario.exact("gone while a job runs: #{how}", told, fn ->
    p = Jobs.open()
    gate = Scenario.gate()
    answers = [Jobs.ask(p, "job 0 " <> Path.expand(gate)), Jobs.ask(p, "job 0 second"), Jobs.ask(p, "job 0 !third")]
    case how do
      :close -> Port.close(p)
      :kill -> Process.exit(p, :kill)
      :message -> send(p, {self(), :close})
    end
    receive do
      {:EXIT, ^p, _} -> :ok
    end
    before = Jobs.lists("ran freed ")
    Scenario.pass(gate)
    {answers, before, Jobs.lists("ran gate second !third freed gate:-1 second:-1 !third:-1 ")}
  end)
end
Scenario.exact("a callback ends the port while others wait", 3, fn ->
  p = Jobs.open()
  gate = Scenario.gate()
  answers = [Jobs.ask(p, "job 0 " <> Path.expand(gate)), Jobs.ask(p, "job 0 ends"), Jobs.ask(p, "job 0 third")]
  Scenario.pass(gate)
  {done, _} = Jobs.lists("ran gate ends third freed third:-1 ")
  {answers, done}
end)
Scenario.exact("a port that is closing gets its jobs back", 1, fn ->
  p = Jobs.open()
  gate = Scenario.gate()
  answers = [Jobs.ask(p, "queue abc"), Jobs.ask(p, "job 0 " <> Path.expand(gate)), Jobs.ask(p, "job 0 empties")]
  send(p, {self(), :close})
  receive do
    {:EXIT, ^p, :normal} -> :ok
  end
  Scenario.pass(gate)
  {answers, Jobs.lists("ran gate empties freed ")}
end)
Scenario.exact("a driver with a job stays", 0, fn ->
  :ok = :erl_ddll.load_driver(folder, 'jobs_bare_drv')
  p = Jobs.open("jobs_bare_drv")
  gate = Scenario.gate()
  Jobs.ask(p, "job 0 " <> Path.expand(gate))
  Process.unlink(p)
  Port.close(p)
  ref = :erl_ddll.monitor(:driver, {'jobs_bare_drv', :unloaded})
  # The first process to load it lets go of it, too.
  :ok = :erl_ddll.unload('jobs_bare_drv')
  q = Jobs.open("jobs_bare_drv")
  still = Jobs.ask(q, "lists")
  Scenario.pass(gate)
  done = Jobs.lists("ran gate freed gate:-1 ", "jobs_bare_drv")
  Process.unlink(q)
  Port.close(q)
  :erl_ddll.demonitor(ref)
  {still, done}
end)

# Without ready_async.
Scenario.exact("no ready_async", 0, fn ->
  p = Jobs.open("jobs_bare_drv")
  answer = Jobs.ask(p, "job - plain")
  {answer, Jobs.lists("ran plain freed plain:-1 ", "jobs_bare_drv"), is_list(Port.info(p))}
end)
for how <- ["d", "df", "", "f"], name <- ["jobs_drv", "jobs_bare_drv"] do
  Scenario.exact("bare: #{inspect(how)} #{name}", 0, fn ->
    p = Jobs.open(name)
    answer = Jobs.ask(p, "bare " <> how)
    what = if String.contains?(how, "d"), do: "bare", else: "nothing"
    if name == "jobs_drv" do
      receive do
        {^p, {:data, data}} -> {answer, data, Jobs.lists("ran #{what} freed ", name)}
      end
    else
      freed = if String.contains?(how, "f"), do: what <> " ", else: ""
      {answer, Jobs.lists("ran #{what} freed #{freed}", name)}
    end
  end)
end
Scenario.tell("no process_exit", 0, fn -> Jobs.ask(Jobs.open(), "monitor") end)
