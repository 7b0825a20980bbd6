# One table of environment variables: scripts, drivers and programs see what the others did to it.
folder = String.to_charlist(System.fetch_env!("WHARF_SCENARIO_DRIVERS"))
:ok = :erl_ddll.load_driver(folder, 'env_drv')

defmodule Env do
  # The lines of `env` that begin so, in a program that a port runs.
  def child(names, options \\ []) do
    port = Port.open({:spawn_executable, "/usr/bin/env"}, [:binary, :exit_status | options])
    lines(port, "")
    |> String.split("\n")
    |> Enum.filter(fn line -> Enum.any?(names, &String.starts_with?(line, &1 <> "=")) end)
    |> Enum.sort()
  end

  defp lines(port, text) do
    receive do
      {^port, {:data, more}} -> lines(port, text <> more)
      {^port, {:exit_status, 0}} -> ended(port, text)
    end
  end

  defp ended(port, text) do
    receive do
      {:EXIT, ^port, :normal} -> text
    end
  end

  # The same through a shell's command line.
  def spawned(text, options \\ []) do
    port = Port.open({:spawn, "printf %s \"" <> text <> "\""}, [:binary, :exit_status | options])
    lines(port, "")
  end

  def driver(do_it) do
    port = Port.open({:spawn_driver, "env_drv"}, [])
    answer = do_it.(port)
    Port.close(port)
    ended(port, answer)
  end

  def ask(operation, text), do: driver(fn port -> List.to_string(:erlang.port_control(port, operation, text)) end)

  # In a job of the driver's.
  def job(text) do
    driver(fn port ->
      Port.command(port, text)
      receive do
        {^port, {:data, answer}} -> List.to_string(answer)
      end
    end)
  end

  def kind(fun) do
    try do
      fun.()
    rescue
      error -> {error.__struct__, Exception.message(error)}
    end
  end
end

Scenario.tell("what a script puts, its programs and drivers see", 0, fn ->
  System.put_env("WE_ONE", "1")
  {Env.child(["WE_ONE"]), Env.spawned("$WE_ONE"), Env.ask(?g, "WE_ONE"), System.cmd("printenv", ["WE_ONE"]),
   System.shell("echo $WE_ONE"), :os.cmd('echo $WE_ONE'), :os.getenv('WE_ONE')}
end)

Scenario.tell("what a driver puts, scripts and programs see", 0, fn ->
  answer = Env.ask(?p, "WE_TWO=zwei")
  {answer, System.get_env("WE_TWO"), :os.getenv('WE_TWO'), Env.child(["WE_TWO"]), Env.ask(?g, "WE_TWO"),
   System.cmd("printenv", ["WE_TWO"])}
end)

Scenario.tell("but not the C library", 0, fn ->
  System.put_env("WE_LIBC", "1")
  Env.ask(?p, "WE_LIBC2=1")
  {Env.ask(?l, "WE_LIBC"), Env.ask(?l, "WE_LIBC2"), Env.ask(?l, "WHARF_SCENARIO_DRIVERS")}
end)

Scenario.tell("a script changes what a driver put", 0, fn ->
  Env.ask(?p, "WE_THREE=a")
  :os.putenv('WE_THREE', 'b')
  first = {Env.ask(?g, "WE_THREE"), Env.child(["WE_THREE"])}
  System.delete_env("WE_THREE")
  {first, Env.ask(?g, "WE_THREE"), Env.child(["WE_THREE"]), :os.getenv('WE_THREE')}
end)

Scenario.tell("a driver changes what a script put", 0, fn ->
  System.put_env("WE_FOUR", "a")
  Env.ask(?p, "WE_FOUR=bb")
  {System.get_env("WE_FOUR"), Env.child(["WE_FOUR"]), Env.ask(?p, "WE_FOUR="), System.get_env("WE_FOUR"),
   Env.child(["WE_FOUR"]), Env.ask(?g, "WE_FOUR")}
end)

Scenario.tell("what was there at the beginning can be deleted", 0, fn ->
  inherited = Env.ask(?g, "LC_ALL")
  :os.unsetenv('LC_ALL')
  gone = {Env.ask(?g, "LC_ALL"), Env.child(["LC_ALL"]), System.fetch_env("LC_ALL")}
  System.put_env("LC_ALL", "C.UTF-8")
  {inherited, gone, Env.child(["LC_ALL"])}
end)

Scenario.tell("env goes over it, for that program", 0, fn ->
  System.put_env(%{"WE_A" => "a", "WE_B" => "b"})
  Env.ask(?p, "WE_C=c")
  changes = [{'WE_A', 'x'}, {'WE_B', false}, {'WE_C', 'y'}, {'WE_D', 'd'}, {'WE_D', 'e'}]
  names = ["WE_A", "WE_B", "WE_C", "WE_D"]
  {Env.child(names, env: changes), Env.child(names), Env.spawned("$WE_A-$WE_B-$WE_C-$WE_D", env: changes),
   System.cmd("sh", ["-c", "echo $WE_A-$WE_B-$WE_C"], env: [{"WE_A", "z"}, {"WE_B", nil}, {"WE_C", ""}])}
end)

Scenario.tell("a program gets what was there when its port was opened", 0, fn ->
  System.put_env("WE_WHEN", "before")
  port = Scenario.sh("read line; printf %s \"$WE_WHEN\"", [:exit_status])
  System.put_env("WE_WHEN", "after")
  Port.command(port, "go\n")
  receive do
    {^port, {:data, data}} -> {data, System.get_env("WE_WHEN")}
  end
end)

Scenario.tell("init, start and stop of a driver put", 0, fn ->
  Env.ask(?g, "X")
  {System.get_env("WHARF_ENV_INIT"), System.get_env("WHARF_ENV_START"), System.get_env("WHARF_ENV_STOP")}
end)

Scenario.tell("threads and jobs of a driver put and get", 0, fn ->
  {Env.ask(?t, "WE_THREAD=t"), System.get_env("WE_THREAD"), Env.job("WE_JOB=j"), System.get_env("WE_JOB"),
   Env.ask(?r, "WE_RAW_THREAD=r"), Env.child(["WE_JOB", "WE_RAW_THREAD", "WE_THREAD"])}
end)

Scenario.tell("the room a value needs", 0, fn ->
  System.put_env("WE_SIZE", "12345")
  System.put_env("WE_UNDEFINED", "x")
  System.delete_env("WE_UNDEFINED")
  sizes = for size <- [0, 1, 5], do: Env.ask(?s, "#{size}:WE_SIZE")
  {sizes, Env.ask(?s, "6:WE_SIZE"), Env.ask(?g, "WE_UNDEFINED"), Env.ask(?g, "")}
end)

Scenario.tell("names that only a driver can put", 0, fn ->
  answer = {Env.ask(?e, "WE_X=Y:z"), Env.ask(?g, "WE_X=Y"), Env.ask(?g, "WE_X")}
  pairs = for {[?W, ?E, ?_, ?X | _], _} = pair <- :os.env(), do: pair
  lines = for [?W, ?E, ?_, ?X | _] = line <- :os.getenv(), do: line
  {answer, pairs, lines, Env.child(["WE_X"]), Env.child(["WE_X"], env: [{'WE_X', false}])}
end)

Scenario.tell("the empty name", 0, fn ->
  put = {System.put_env("", "x"), System.get_env(""), :os.getenv(''), System.fetch_env("")}
  seen = {Env.child([""]), Env.ask(?g, ""), List.keyfind(:os.env(), '', 0), Map.fetch(System.get_env(), "")}
  {put, seen, :os.unsetenv(''), System.get_env(""), Env.child([""])}
end)

Scenario.tell("bytes and text", 0, fn ->
  System.put_env("WE_Ä", "ö\u4f60")
  Env.ask(?p, <<"WE_RAW=", 0xC3, 0xB6, 0xFF>>)
  put = {:os.getenv([?W, ?E, ?_, 0xC4]), Env.ask(?g, "WE_Ä"), Env.child(["WE_Ä"])}
  raw = {System.get_env("WE_RAW"), :os.getenv('WE_RAW'), System.get_env()["WE_RAW"], Env.child(["WE_RAW"])}
  {put, raw, for({'WE_RAW', value} <- :os.env(), do: value)}
end)

Scenario.tell("a program is found by the table's PATH", 0, fn ->
  path = System.get_env("PATH")
  System.put_env("PATH", "/nonexistent")
  none = {System.find_executable("cat"), :os.find_executable('cat'), Env.kind(fn -> System.cmd("cat", []) end)}
  System.put_env("PATH", "/bin:/usr/bin")
  some = {System.find_executable("cat"), :os.find_executable('cat'), :os.find_executable('cat', '/usr/bin')}
  System.put_env("PATH", "/usr")
  below = {System.find_executable("bin/env"), System.find_executable("/bin/cat"), :os.find_executable('env')}
  System.delete_env("PATH")
  unset = {System.find_executable("cat"), :os.find_executable('cat'), System.find_executable("/bin/cat")}
  System.put_env("PATH", path)
  {none, some, below, unset}
end)

Scenario.tell("folders of a PATH", 0, fn ->
  File.mkdir_p!("found/here")
  File.write!("found/prog", "#!/bin/sh\n")
  System.cmd("chmod", ["700", "found/prog"])
  File.write!("found/no_mode", "")
  find = &:os.find_executable/2
  {find.('prog', 'found'), find.('prog', './found//'), find.('prog', 'found/here/../.'), find.('prog', '"found"'),
   find.('prog', 'none::found'), find.('here', 'found'), find.('no_mode', 'found'), find.('', 'found'),
   find.('here/../prog', 'found'), find.('found/prog', ''), find.('found/prog', '/bin:'), find.('found/prog', '.')}
end)

Scenario.tell("programs that are run to their end", 0, fn ->
  File.write!("no_format", "x")
  System.cmd("chmod", ["700", "no_format"])
  here = File.cwd!()
  {System.shell("cat; readlink /proc/self/fd/0; exit 3"), System.shell("echo a # b"), System.cmd("/tmp", []),
   System.cmd(here <> "/no_format", []), System.cmd("sh", ["-c", "kill -9 $$"]),
   System.cmd("sh", ["-c", "echo out; echo err >&2"], stderr_to_stdout: true),
   :os.cmd('readlink /proc/self/fd/0; echo err >&2; exit 4'), :os.cmd(:pwd) == String.to_charlist(here <> "\n"),
   :os.cmd('printf "\\377a\\303\\244"'), :os.cmd('printf "\\303\\244"')}
end)

Scenario.untrapped("programs that are run to their end leave no message", 0, fn ->
  {System.cmd("echo", ["a"]), System.shell("echo b"), :os.cmd('echo c')}
end)

Scenario.tell("the empty PATH has no shell", 0, fn ->
  path = System.get_env("PATH")
  System.delete_env("PATH")
  answers = {Env.kind(fn -> System.shell("echo a") end), :os.cmd('echo a')}
  System.put_env("PATH", path)
  answers
end)

Scenario.tell("what System refuses", 0, fn ->
  [
    fn -> System.put_env("A=B", "x") end,
    fn -> System.put_env("A\0", "x") end,
    fn -> System.put_env("A", "x\0") end,
    fn -> System.put_env("A", <<255>>) end,
    fn -> System.put_env('a', "x") end,
    fn -> System.put_env("a", nil) end,
    fn -> System.put_env([{"A=B", "1"}]) end,
    fn -> System.put_env(%{"A=B" => nil}) end,
    fn -> System.get_env("A=B") end,
    fn -> System.get_env("A\0") end,
    fn -> System.get_env(<<?a, 255>>) end,
    fn -> System.get_env(:a) end,
    fn -> System.get_env("WE_NONE", 1) end,
    fn -> System.fetch_env("A=B") end,
    fn -> System.fetch_env!("WE_NONE") end,
    fn -> System.delete_env("A=B") end,
    fn -> System.delete_env("\0") end,
    fn -> System.delete_env(:a) end,
    fn -> System.find_executable("a\0") end,
    fn -> System.cmd("a\0", []) end,
    fn -> System.shell("a\0") end,
    fn -> :os.cmd("echo a") end,
    fn -> System.cmd("/no/such", []) end,
    fn -> System.cmd("/etc/passwd", []) end,
    fn -> System.cmd("true", [], env: [{"A=B", "c"}]) end,
    fn -> System.cmd("true", [], env: [{"A", "c\0"}]) end,
    fn -> System.cmd("true", [], env: [1]) end
  ]
  |> Enum.map(&Env.kind/1)
end)

Scenario.tell("what os refuses", 0, fn ->
  [
    fn -> :os.putenv('A=B', 'x') end,
    fn -> :os.putenv('A=', [0]) end,
    fn -> :os.putenv([0, ?=], 'x') end,
    fn -> :os.putenv("A", 'x') end,
    fn -> :os.putenv('A', "x") end,
    fn -> :os.putenv(:a, :b) end,
    fn -> :os.putenv([?a | :b], 'x') end,
    fn -> :os.putenv([:a], 'x') end,
    fn -> :os.putenv([-1], 'x') end,
    fn -> :os.putenv('A', [0xD800]) end,
    fn -> :os.getenv('A=') end,
    fn -> :os.getenv([0]) end,
    fn -> :os.getenv("A") end,
    fn -> :os.getenv([:a], 1) end,
    fn -> :os.unsetenv('A=') end,
    fn -> :os.unsetenv(:a) end,
    fn -> :os.putenv(['WE_', ['N', [?E]]], ['x', [['y']]]) end,
    fn -> :os.getenv(['WE_', 'NE']) end,
    fn -> :os.getenv('WE_NONE', {:default}) end,
    fn -> :os.unsetenv('WE_NONE') end
  ]
  |> Enum.map(&Env.kind/1)
end)

before = System.get_env("WHARF_ENV_FINISH")
:erl_ddll.unload_driver('env_drv')

Scenario.tell("finish of a driver puts", 0, fn ->
  {before, Scenario.eventually(fn -> System.get_env("WHARF_ENV_FINISH") == "unloaded" end)}
end)
