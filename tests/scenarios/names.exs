# The first argument of an open: its forms, what they run, and how each failure shows.

refused = [
  {:spawn}, {:spawn, "cat", []}, {:spawn, "cat", 1, 2}, {:spawn_executable}, {:spawn_executable, "/bin/cat", []},
  {:spawn_driver}, {:spawn_driver, "echo_drv", []}, {:fd}, {:fd, 0}, {:fd, 0, 1, 2}, {}, {[]}, {'spawn', 'cat'}, {"spawn", "cat"},
  {:Spawn, "cat"}, {:vanilla, "cat"}, {:open, "cat"}, {nil, "cat"}, {:spawn, :spawn, "cat"}, [:spawn, "cat"],
  17, -1, 1.5, 18_446_744_073_709_551_616, "cat", "", <<1::size(3)>>, %{}, %{spawn: "cat"}, ["cat"], [], [spawn: "cat"], ['cat' | "x"]
]

for name <- refused do
  Scenario.to_end("no name: " <> inspect(name), fn -> Port.open(name, []) end)
end

Scenario.to_end("no name: a process", fn -> Port.open(self(), []) end)
Scenario.to_end("no name: a reference", fn -> Port.open({:spawn, make_ref()}, []) end)
Scenario.to_end("no name: a function", fn -> Port.open(fn -> "cat" end, []) end)
Scenario.to_end("no name: a port", fn ->
  p = Port.open({:spawn, "cat"}, [])
  result = try do
    Port.open({:spawn, p}, [])
  catch
    :error, reason -> reason
  end
  Process.unlink(p)
  {result, Port.close(p)}
end)

# What the exception says about each argument.
words = fn name, options ->
  try do
    Port.open(name, options)
  rescue
    error in ArgumentError -> Exception.message(error)
  end
end

for {name, options} <- [
      {{:spawn, 17}, []}, {{:spawn, []}, []}, {{:spawn, 'a\0'}, []}, {{:run, "cat"}, []}, {17, []}, {"cat", []}, {{}, []},
      {{:spawn_driver, "no_such_driver"}, []}, {{:fd, 1.0, 2}, []}, {{:fd, 1}, []}, {{:spawn, "cat"}, [:no]}, {{:spawn, "cat"}, :no},
      {{:spawn, "cat"}, [:binary | :no]}, {{:spawn, "cat"}, [args: []]}, {{:spawn, "cat"}, [arg0: "x"]},
      {{:spawn_driver, "no_such_driver"}, [args: []]}, {{:fd, 8, 8}, [args: []]}, {{:fd, 8, 8}, [arg0: "x"]},
      {{:fd, 8, 8}, [:exit_status]}, {{:spawn, "cat"}, [:line, packet: 2]}, {{:spawn, "cat"}, [:nouse_stdio, :stderr_to_stdout]},
      {17, [:no]}, {{:spawn, 17}, [args: []]}, {{:spawn, 17}, [:no]}, {{:spawn_executable, "/no/such"}, [:no]},
      {{:spawn_executable, "/no/such"}, [args: 1]}, {{:spawn_executable, 17}, []}, {{:spawn, "cat"}, [cd: 17]}, {{:spawn, "cat"}, [env: 17]},
      {{:spawn_executable, "/no/such"}, [cd: 17]}, {{:spawn, "cat"}, [cd: 17, packet: 3]}, {17, [args: []]}, {{:fd, 1}, [args: []]}, {{:fd, 1}, [:no]},
      {{:spawn_executable, 17}, [args: []]}, {{:spawn_driver, 17}, [:exit_status]}, {[], [args: []]}, {{}, [args: []]}, {{}, [:no]},
      {{:spawn, 17}, [:exit_status, args: []]}, {{:run, "x"}, [args: []]}, {{:spawn_executable, "x", 1}, [args: []]}, {{17}, [args: []]},
      {"cat", [cd: 17]}, {"cat", :no}, {"cat", [:line, packet: 2]}, {{:spawn, "cat"}, [args: [], cd: 17]}, {['x' | 2], [:no]}, {nil, [:no]}, {'cat', [:no]},
      {{:spawn, "cat"}, [:line, args: [], packet: 2]}, {{:spawn_executable, "/bin/cat"}, [args: [1]]}, {{:spawn_executable, "/bin/cat"}, [args: 'ab']}
    ] do
  Scenario.to_end("the words for " <> inspect({name, options}), fn -> words.(name, options) end)
end

# Commands for the shell.
shell = fn command -> Port.open({:spawn, command}, [:binary, :exit_status, :stderr_to_stdout]) end
File.write!("plain", "echo plain $0 $1\n")
File.chmod!("plain", 0o755)
File.write!("closed", "echo never\n")
File.chmod!("closed", 0o644)
File.write!("nothing", "")
File.chmod!("nothing", 0o755)
File.write!("mute", "#!/no/such/interpreter\n")
File.chmod!("mute", 0o755)
File.write!("teller", "#!/bin/sh\necho teller \"$0\" \"$@\"\n")
File.chmod!("teller", 0o755)
File.mkdir!("folder")
File.write!("folder/inner", "#!/bin/sh\necho inner \"$0\"\n")
File.chmod!("folder/inner", 0o755)

commands = [
  "echo one && echo two", "false || echo two", "true & echo two", "exit 3", "cd /usr", "export A=1", "A=1", "A=1 env",
  "(echo sub)", "{ echo sub; }", "if true; then echo x; fi", "echo 'open", "echo \"open", "echo `open", "echo $(echo inner)",
  "echo 'one  two' \"three  four\" five\\ \\ six", "echo $((1 + 2))", "X=1; echo $X", "echo ${NO_SUCH_VARIABLE-none}", "echo teller*",
  "echo folder/*", "echo err >&2", "cat </dev/null", "cat <no_such_file", "echo out >/dev/null", "echo one | cat | tr o 0", "false | true",
  "true | false", "| cat", "; echo x", "&& echo x", "!", "true #comment", "#comment", "\n", "\t", " \t ", "echo x\necho y", "\necho x",
  "\techo x", "  echo x", "echo x ", "no_such_program", "/no/such", "./no_such", ".", "/", "./folder", "./closed", "./plain a", "./nothing",
  "./mute", "./teller a 'b c'", "plain", "sh -c 'exit 7'", "sh -c 'kill -TERM $$'", "-c", "--help_no", "-", "exec echo x", "command echo x", "env -i env",
  "echo \\$HOME", "printf '%s|' a '' b", "sh -c 'echo $0 $1' zero one"
]

for command <- commands do
  Scenario.to_end("the command " <> inspect(command), fn -> shell.(command) end)
end

Scenario.to_end("the shell's options", fn -> shell.("echo $0-$-") end)
Scenario.to_end("the shell's arguments", fn -> shell.("sh -c 'tr \"\\0\" . </proc/$PPID/cmdline' | cat") end)
Scenario.to_end("a pipeline has its shell as process", fn ->
  p = shell.("cat | cat")
  {:os_pid, pid} = Port.info(p, :os_pid)
  Process.unlink(p)
  shell = Scenario.eventually(fn -> File.read!("/proc/#{pid}/comm") == "sh\n" end)
  {shell, Port.close(p)}
end)
for path <- [false, '/no/such', '.', '', '/no/such:.', ':', '/bin'] do
  Scenario.to_end("the path #{inspect(path)} and a script here", fn ->
    Port.open({:spawn, "teller"}, [:binary, :exit_status, :stderr_to_stdout, env: [{'PATH', path}]])
  end)
  Scenario.to_end("the path #{inspect(path)} and echo", fn ->
    Port.open({:spawn, "env echo x"}, [:binary, :exit_status, :stderr_to_stdout, env: [{'PATH', path}]])
  end)
end

# Files.
long = String.duplicate("x", 255)
File.ln_s!("no_such_target", "dangling")
File.ln_s!("circle", "circle")
File.ln_s!("teller", "linked")

files = [
  "teller", "./teller", "linked", "dangling", "circle", "plain", "./plain", "nothing", "mute", "closed", "folder", ".", "./folder/", "teller/",
  "teller/x", "folder/inner", "folder/../teller", "no_such", "./no such", " teller", "teller ", "teller a", "./teller a", "cat", "echo_drv",
  long, "/tmp/" <> long, long <> "x", "/tmp/" <> long <> "x", "/" <> String.duplicate("x/", 2046) <> "xx", "/" <> String.duplicate("x/", 2047) <> "xx",
  String.duplicate("./", 2045) <> "teller", "/", "", "/dev/null", "/proc/self/exe/x", "-n"
]

for file <- files do
  shown = if String.length(file) > 40, do: String.slice(file, 0, 10) <> "... of #{String.length(file)}", else: inspect(file)
  Scenario.to_end("the file " <> shown, fn -> Port.open({:spawn_executable, file}, [:binary, :exit_status]) end)
  Scenario.to_end("the file without exit_status " <> shown, fn -> Port.open({:spawn_executable, file}, [:binary]) end)
end

Scenario.to_end("a teller knows its path, not arg0", fn -> Port.open({:spawn_executable, "./teller"}, [:binary, arg0: "zero", args: ["a", "b c", ""]]) end)
Scenario.to_end("an argument list of one", fn -> Port.open({:spawn_executable, "/bin/cat"}, [:in, :binary, :exit_status]) end)
for {name, options} <- [{"nothing", []}, {"no arguments", [args: []]}, {"arguments", [args: ["-s", ""]]}, {"arg0", [arg0: "zero"]},
      {"an empty arg0", [arg0: ""]}, {"arg0 and arguments", [arg0: "zero", args: ["-s"]]}, {"arguments and arg0", [args: ["-s"], arg0: "zero"]}] do
  Scenario.to_end("what a program is told with " <> name, fn ->
    p = Port.open({:spawn_executable, "/bin/sh"}, [:binary | options])
    {:os_pid, pid} = Port.info(p, :os_pid)
    Process.unlink(p)
    # Its words are there a moment after its name.
    Scenario.eventually(fn -> File.read!("/proc/#{pid}/comm") == "sh\n" and File.read!("/proc/#{pid}/cmdline") != "" end)
    told = File.read!("/proc/#{pid}/cmdline")
    Port.close(p)
    told
  end)
end

Scenario.to_end("a relative file that is only in cd", fn -> Port.open({:spawn_executable, "./inner"}, [:binary, :exit_status, cd: "folder"]) end)
Scenario.to_end("a relative file that is only here", fn -> Port.open({:spawn_executable, "./teller"}, [:binary, :exit_status, cd: "folder"]) end)
Scenario.to_end("a relative file in a relative cd", fn ->
  Port.open({:spawn_executable, "folder/inner"}, [:binary, :exit_status, cd: "/"])
end)
Scenario.to_end("a relative command in cd", fn -> Port.open({:spawn, "./inner"}, [:binary, :exit_status, :stderr_to_stdout, cd: "folder"]) end)

# Drivers before programs.
folder = System.get_env("WHARF_SCENARIO_DRIVERS")
File.write!("echo_drv", "#!/bin/sh\nread x\n")
File.chmod!("echo_drv", 0o755)
here = [{'PATH', '.:/bin:/usr/bin'}]
open = fn name -> Port.open(name, [:eof, env: here]) end

driver_names = [
  {:spawn, "echo_drv"}, {:spawn, "echo_drv x"}, {:spawn, 'echo_drv x'}, {:spawn, ['echo', ['_drv' | ' x']]}, {:spawn, :"echo_drv x"}, {:spawn, :echo_drv},
  {:spawn, "echo_drv "}, {:spawn, "echo_drv\0x"}, {:spawn, " echo_drv x"}, {:spawn, "echo_drv\tx"}, {:spawn, "echo_drv\nx"}, {:spawn, "./echo_drv x"},
  {:spawn, "echo_dr"}, {:spawn, "echo_drvx"}, {:spawn, "Echo_drv"}, {:spawn, "'echo_drv' x"}, {:spawn_executable, "echo_drv"}, {:spawn_executable, "./echo_drv"},
  {:spawn_driver, "echo_drv x"}, {:spawn_driver, " echo_drv"}, {:spawn_driver, "echo_drv\tx"}, {:spawn_driver, ""}, {:spawn_driver, " "},
  {:spawn_driver, "./echo_drv"}, {:spawn_driver, "echo_drv.so"}, {:spawn_driver, "spawn"}, {:spawn_driver, "fd"}, {:spawn_driver, "vanilla"},
  {:spawn_driver, "spawn_forker"}, {:spawn_driver, "spawn cat"}
]

# Which of the two answered, and under what name the port goes.
answer = fn p ->
  Process.unlink(p)
  {:name, name} = Port.info(p, :name)
  kind = if Port.info(p, :os_pid) == {:os_pid, :undefined}, do: :driver, else: :program
  Port.close(p)
  # A missing program may have said so.
  Scenario.flush(0)
  {kind, name}
end

Scenario.to_end("names of drivers before any is loaded", fn ->
  Enum.map([{:spawn, "echo_drv x"}, {:spawn, :echo_drv}], fn name -> answer.(open.(name)) end)
end)
:ok = :erl_ddll.load_driver(String.to_charlist(folder), 'echo_drv')
for name <- driver_names do
  Scenario.to_end("driver or program: " <> inspect(name), fn -> answer.(open.(name)) end)
end
for name <- ["spawn", "fd", "vanilla", "spawn_forker"] do
  Scenario.to_end("no driver but a program: " <> name, fn -> shell.(name) end)
end
for option <- [:exit_status, {:args, []}, {:args, ["x"]}, {:arg0, "x"}, {:busy_limits_port, {1, 2}}, {:busy_limits_port, :disabled}, {:busy_limits_msgq, {1, 2}}] do
  Scenario.to_end("by spawn, for a driver: " <> inspect(option), fn ->
    p = Port.open({:spawn, "echo_drv"}, [:eof, option])
    answer.(p)
  end)
end

# A failed open leaves nothing behind.
for {name, options} <- [{{:spawn_executable, "/no/such"}, []}, {{:spawn, "cat"}, [:no]}, {{:spawn, []}, []}, {{:fd, -1, -1}, []}, {{:spawn_driver, "no_such_driver"}, []},
      {{:spawn, "echo_drv"}, [:exit_status]}] do
  Scenario.tell("left behind by " <> inspect({name, options}), 0, fn ->
    before = Port.list()
    result = try do
      Port.open(name, options)
    catch
      :error, reason -> reason
    end
    {result, Process.info(self(), :links), Process.info(self(), :monitors), Process.info(self(), :message_queue_len), Port.list() -- before}
  end)
end
