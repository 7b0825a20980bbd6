# The environment of a program: what it inherits, and what `env` makes of it.

# The variables whose names begin with QQ, or with an equals sign or a space, as the kernel was told them.
seen = fn options ->
  script = "grep -zaE '^(QQ|=| )' /proc/$$/environ | sort -z | tr '\\0' '|'"
  Port.open({:spawn_executable, "/bin/sh"}, [:binary, args: ["-c", script]] ++ options)
end

env = fn list -> seen.(env: list) end

# The forms of an entry.
entries = [
  {"A", "b"}, {"A", 'b'}, {'A', "b"}, {:QQ, 'b'}, {'QQ', :b}, {'QQ', true}, {'QQ', nil}, {'QQ', :undefined}, {'QQ', 1}, {1, 'b'}, {'QQ', 1.5}, {'QQ', {}},
  {'QQ', %{}}, {nil, 'b'}, {false, 'b'}, {false, false}, {'QQ'}, {'QQ', 'b', 'c'}, {}, 'QQ=b', "QQ=b", :QQ, ['QQ', 'b'], [{'QQ', 'b'}], 17, nil,
  {'QQ=', 'b'}, {'=QQ', 'b'}, {'Q=Q', 'b'}, {'=', 'b'}, {'Q=Q', false}, {'=', false}, {[], 'b'}, {[[]], 'b'}, {[], []}, {[], false}, {[], '=b'}, {[], [[]]},
  {'QQ', 'b'}, {'QQ', []}, {'QQ', [[]]}, {'QQ', false}, {'QQ', '='}, {'QQ', '=b'}, {'QQ', 'a=b=c'}, {'QQ', ' '}, {'QQ', ' b '}, {'QQ', '\n'}, {'QQ', 'a\nb'}, {'QQ', '"b"'},
  {'QQ', '$HOME'}, {'QQ', '\\'}, {'QQ a', 'b'}, {' QQ', 'b'}, {'QQ ', 'b'}, {'QQ\t', 'b'}, {'QQ\n', 'b'}, {'QQ-', 'b'}, {'QQ.1', 'b'}, {'QQ%', 'b'}, {'QQ()', 'b'},
  {'qq', 'b'}, {'QQé', 'ö'}, {[?Q, ?Q, 0x1F600], [0x1F600]}, {[?Q, [?Q, [?1]]], [[?b], [[?c | 'd']]]}, {['Q' | 'Q'], ['b' | 'c']},
  {'QQ', 'b' ++ [0]}, {'QQ' ++ [0], 'b'}, {[0], 'b'}, {'QQ', [0]}, {[0], false}, {'QQ', ['b', "c"]}, {['Q', "Q"], 'b'}, {'QQ', ['b' | "c"]}, {'QQ', ['b' | ?c]}
]

for entry <- entries do
  Scenario.to_end("the entry " <> inspect(entry), fn -> env.([entry]) end)
end
Scenario.to_end("false in letters is text", fn -> env.([{'QQ', 'false'}]) end)

# The forms of the list.
lists = [
  [], [[]], nil, :none, "", "QQ=b", 'QQ=b', {}, {'QQ', 'b'}, %{}, %{'QQ' => 'b'}, 17, [{'QQ', 'b'} | {'QQ', 'c'}], [{'QQ', 'b'} | :tail], [[{'QQ', 'b'}]],
  [{'QQ', 'b'}, :no], [:no, {'QQ', 'b'}], [{'QQ', 'b'}, {'QQ', 'c'}], [{'QQ', 'b'}, {'QQ', false}], [{'QQ', false}, {'QQ', 'b'}], [{'QQ', []}, {'QQ', 'b'}, {'QQ', []}],
  [{'QQ', 'b'}, {['Q', 'Q'], 'c'}], [{'QQ1', 'b'}, {'QQ2', 'c'}, {'QQ1', 'd'}], [{'QQ2', 'b'}, {'QQ1', 'c'}], [{'QQ', 'b'}, {'Qq', 'c'}, {'qQ', 'd'}], [{[], 'a'}, {[], 'b'}],
  [{[], 'a'}, {[], false}], [{'QQ', 'b'}, {'QQ=', 'c'}], [{'QQ', "b"}, {'QQ', 'c'}], [{'QQ', 'b'}, {'QQ', "c"}]
]

for list <- lists do
  Scenario.to_end("the list " <> inspect(list), fn -> env.(list) end)
end

for options <- [[env: [{'QQ1', 'a'}], env: [{'QQ2', 'b'}]], [env: [{'QQ', 'a'}], env: []], [env: [], env: [{'QQ', 'a'}]], [env: [{'QQ', 'a'}], env: [{'QQ', false}]],
      [env: [{'QQ', false}], env: [{'QQ', 'a'}], env: [{'QQ3', 'c'}]]] do
  Scenario.to_end("more than one: " <> inspect(options), fn -> seen.(options) end)
end

Scenario.to_end("many variables", fn ->
  script = "grep -zcE '^QQ[0-9]+=' /proc/$$/environ"
  list = for n <- 1..3000, do: {'QQ' ++ Integer.to_charlist(n), Integer.to_charlist(n)}
  Port.open({:spawn_executable, "/bin/sh"}, [:binary, args: ["-c", script], env: list])
end)
Scenario.to_end("one name many times", fn ->
  env.(for n <- 1..3000, do: {'QQ', Integer.to_charlist(n)})
end)

# What the shell passes on.
for name <- ['QQ', 'QQ a', 'QQ-', 'QQ.1', '1QQ', 'QQé', ''] do
  Scenario.to_end("through the shell: " <> inspect(name), fn -> Port.open({:spawn, "env | grep -aE '^(=|1?QQ)'; echo ${QQ-unset}"}, [:binary, env: [{name, 'b'}]]) end)
  Scenario.to_end("through exec: " <> inspect(name), fn -> Port.open({:spawn, "env | grep -aE '^(=|1?QQ)'"}, [:binary, env: [{name, 'b'}]]) end)
  Scenario.to_end("to the program itself: " <> inspect(name), fn ->
    Port.open({:spawn_executable, "/bin/grep"}, [:binary, args: ["-zaE", "^(=|1?QQ)", "/proc/self/environ"], env: [{name, 'b'}]])
  end)
end

# The path that counts is the program's; the shell's own is the host's.
for path <- [false, '/no/such', [[]]] do
  Scenario.to_end("an executable needs no path: " <> inspect(path), fn -> Port.open({:spawn_executable, "/bin/echo"}, [:binary, args: ["x"], env: [{'PATH', path}]]) end)
end

# What is inherited.
System.put_env("QQ_BASE", "base")
System.put_env("QQ_OTHER", "other")
System.put_env("QQ_EMPTY", "")
System.put_env("QQ_EQUALS", "a=b=")
System.put_env("QQ_LETTERS", "é😀")
System.put_env("QQ_LINES", "a\nb ")
System.put_env("QQ_GONE", "gone")
System.delete_env("QQ_GONE")
:os.putenv('QQ_OS', 'os')
:os.putenv('QQ_TWICE', 'one')
:os.putenv('QQ_TWICE', 'two')
:os.putenv('QQ_OS_GONE', 'gone')
:os.unsetenv('QQ_OS_GONE')

Scenario.to_end("the host's variables", fn -> seen.([]) end)
Scenario.to_end("by the shell", fn -> Port.open({:spawn, "env | grep -a ^QQ | sort"}, [:binary]) end)
Scenario.to_end("changes to them", fn -> env.([{'QQ_BASE', 'changed'}, {'QQ_OTHER', false}, {'QQ_NEW', 'new'}, {'QQ_OS', []}, {'QQ_NOT_THERE', false}]) end)
Scenario.to_end("a change taken back", fn -> env.([{'QQ_BASE', false}, {'QQ_BASE', 'again'}, {'QQ_OS', 'x'}, {'QQ_OS', false}]) end)
Scenario.to_end("a change that was replaced", fn -> seen.(env: [{'QQ_BASE', 'changed'}], env: [{'QQ_NEW', 'new'}]) end)
Scenario.to_end("the host keeps its own", fn ->
  {System.get_env("QQ_BASE"), System.get_env("QQ_OTHER"), System.get_env("QQ_NEW"), System.get_env("QQ_GONE"), :os.getenv('QQ_OS'), :os.getenv('QQ_OS_GONE')}
end)
Scenario.tell("a program keeps what it was started with", 0, fn ->
  System.put_env("QQ_LATER", "before")
  p = Scenario.sh("read x; echo $QQ_LATER")
  System.put_env("QQ_LATER", "after")
  Port.command(p, "\n")
  q = Scenario.sh("echo $QQ_LATER")
  told = Enum.map([p, q], fn port ->
    receive do
      {^port, {:data, text}} -> text
    end
  end)
  System.delete_env("QQ_LATER")
  Process.unlink(p)
  Process.unlink(q)
  Scenario.flush(0)
  told
end)
Scenario.to_end("nothing is left of it", fn -> env.([]) end)

# Where no program is.
:ok = :erl_ddll.load_driver(String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS")), 'echo_drv')
for {kind, name} <- [descriptors: {:fd, 8, 8}, driver: {:spawn_driver, "echo_drv"}], list <- [[], [{'QQ', 'b'}], [{'QQ', false}], [{"QQ", "b"}], [{'Q=Q', 'b'}], :none] do
  Scenario.to_end("#{kind} with " <> inspect(list), fn ->
    p = Port.open(name, env: list)
    Process.unlink(p)
    {Port.close(p), System.get_env("QQ")}
  end)
end
