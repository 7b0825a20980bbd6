# What runs when a port is opened, and how a failure to run shows.

Scenario.tell("the program's output, then its end", 2, fn -> Port.open({:spawn, "echo hello"}, [:binary]) end)
Scenario.tell("bytes as a list without binary", 2, fn -> Port.open({:spawn, "echo hello"}, []) end)
Scenario.tell("a command as a charlist", 2, fn -> Port.open({:spawn, 'echo hello'}, [:binary]) end)
Scenario.tell("a command as a nested charlist", 2, fn -> Port.open({:spawn, ['ec', ['ho', 32], 'hello']}, [:binary]) end)
Scenario.tell("a command as an atom", 2, fn -> Port.open({:spawn, :"echo hello"}, [:binary]) end)
Scenario.tell("a charlist beyond ASCII is UTF-8", 2, fn -> Port.open({:spawn, [?e, ?c, ?h, ?o, 32, 246]}, [:binary]) end)
Scenario.tell("a missing program by the shell", 3, fn -> Port.open({:spawn, "no_such_program"}, [:binary, :exit_status, :stderr_to_stdout]) end)
Scenario.tell("a missing program without a status", 1, fn -> Port.open({:spawn, "no_such_program 2>/dev/null"}, []) end)
Scenario.tell("a missing executable", 0, fn -> Port.open({:spawn_executable, "/no/such"}, []) end)
Scenario.tell("a directory as executable", 2, fn -> Port.open({:spawn_executable, "/tmp"}, [:exit_status]) end)
Scenario.tell("a directory by the shell", 3, fn -> Port.open({:spawn, "/tmp"}, [:binary, :exit_status, :stderr_to_stdout]) end)
Scenario.tell("a file that is not executable", 0, fn -> Port.open({:spawn_executable, "/etc/passwd"}, []) end)
Scenario.tell("a file in a file", 0, fn -> Port.open({:spawn_executable, "/etc/passwd/x"}, []) end)
Scenario.tell("a name that is too long", 0, fn -> Port.open({:spawn_executable, String.duplicate("x", 5000)}, []) end)
Scenario.tell("no search in the path", 0, fn -> Port.open({:spawn_executable, "cat"}, []) end)
Scenario.tell("no words in an executable's name", 0, fn -> Port.open({:spawn_executable, "/bin/cat -n"}, []) end)

Scenario.tell("an executable text without a first line", 2, fn ->
  file = Path.join(System.tmp_dir!(), "wharf_scenario_text_#{System.pid()}_#{:erlang.unique_integer([:positive])}")
  File.write!(file, "echo never\n")
  File.chmod!(file, 0o755)
  Port.open({:spawn_executable, file}, [:exit_status])
  messages = Scenario.flush(2)
  File.rm!(file)
  Enum.each(messages, fn message -> send(self(), message) end)
end)

Scenario.tell("a script whose interpreter is missing", 2, fn ->
  file = Path.join(System.tmp_dir!(), "wharf_scenario_script_#{System.pid()}_#{:erlang.unique_integer([:positive])}")
  File.write!(file, "#!/no/such/interpreter\n")
  File.chmod!(file, 0o755)
  Port.open({:spawn_executable, file}, [:exit_status])
  messages = Scenario.flush(2)
  File.rm!(file)
  Enum.each(messages, fn message -> send(self(), message) end)
end)

Scenario.tell("arg0 and args", 2, fn -> Port.open({:spawn_executable, "/bin/sh"}, [:binary, arg0: "zero", args: ["-c", "echo $0 $1", "x", "y z"]]) end)
Scenario.tell("arguments are not split", 2, fn -> Port.open({:spawn_executable, "/bin/echo"}, [:binary, args: ["a  b", "", "$HOME"]]) end)
Scenario.tell("arguments as charlists", 2, fn -> Port.open({:spawn_executable, '/bin/echo'}, [:binary, args: ['a b', ['c', 'd']]]) end)
Scenario.tell("the last args win", 2, fn -> Port.open({:spawn_executable, "/bin/echo"}, [:binary, args: ["a"], args: ["b"]]) end)
Scenario.tell("exec replaces the shell", 2, fn -> Port.open({:spawn, "echo one; echo two"}, [:binary, :in]) end)
Scenario.tell("a pipeline", 3, fn -> Port.open({:spawn, "echo one two | tr ' ' _"}, [:binary, :exit_status]) end)
Scenario.tell("a builtin is no program", 3, fn -> Port.open({:spawn, "exit 3"}, [:binary, :exit_status, :stderr_to_stdout]) end)
Scenario.tell("an assignment is no program", 3, fn -> Port.open({:spawn, "A=1 cat"}, [:binary, :exit_status, :stderr_to_stdout]) end)
Scenario.tell("a subshell is a syntax error", 2, fn -> Port.open({:spawn, "(echo sub) 2>/dev/null"}, [:exit_status]) end)
Scenario.tell("only spaces", 2, fn -> Port.open({:spawn, "   "}, [:exit_status]) end)
Scenario.tell("an empty binary", 2, fn -> Port.open({:spawn, ""}, [:exit_status]) end)
Scenario.tell("an empty charlist", 0, fn -> Port.open({:spawn, []}, [:exit_status]) end)
Scenario.tell("a leading space", 2, fn -> Port.open({:spawn, " echo x"}, [:binary]) end)
Scenario.tell("a binary ends at its first zero", 2, fn -> Port.open({:spawn_executable, "/bin/ec" <> "ho\0zzz"}, [:binary, args: ["x"]]) end)
Scenario.tell("a charlist with a zero", 0, fn -> Port.open({:spawn, 'echo \0 x'}, [:binary]) end)
Scenario.tell("a charlist with a binary inside", 0, fn -> Port.open({:spawn, ['echo ', "x"]}, [:binary]) end)
Scenario.tell("the port's process is the program itself", 1, fn ->
  p = Port.open({:spawn, "sh -c 'echo $$; read x'"}, [:binary, :line])
  {_, pid} = Port.info(p, :os_pid)
  same = receive do
    {^p, {:data, {:eol, s}}} -> s == "#{pid}"
  end
  Port.close(p)
  same
end)
Scenario.tell("its own session and group", 2, fn ->
  Scenario.sh("set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && echo leader")
end)
Scenario.tell("SIGPIPE is ignored", 2, fn -> Scenario.sh("grep SigIgn /proc/$$/status | cut -c 20-") end)
Scenario.tell("no signal is blocked", 2, fn -> Scenario.sh("grep SigBlk /proc/$$/status | cut -c 9-") end)
Scenario.tell("no other descriptors", 2, fn -> Scenario.sh("for f in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && [ $f -lt 10 ] && echo $f; done; echo done") end)

for name <- [{:spawn}, {:spawn, "cat", 1}, {}, 17, {:spawn, 17}, {:spawn, {"cat"}}, {:run, "cat"}, "cat"] do
  Scenario.tell("the name " <> inspect(name), 0, fn -> Port.open(name, []) end)
end
