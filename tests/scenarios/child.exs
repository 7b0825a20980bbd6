# The process a program becomes: its descriptors, signals, session, and what it has from its host.

vm = System.pid()

defmodule Outside do
  # What a shell says, asked by a process of its own.
  def run(args) do
    teller = self()

    spawn(fn ->
      {text, 0} = System.cmd("/bin/sh", args)
      send(teller, {:outside, text})
    end)

    receive do
      {:outside, text} -> text
    end
  end
end

# What a program that stands still has, looked at from outside, in the words of the script. `$1` is the
# program, `$2` is the host.
look = fn options, start, script ->
  p = start.(options)
  {:os_pid, pid} = Port.info(p, :os_pid)
  wait = "n=0; until grep -q '^State:.T' /proc/$1/status; do n=$((n + 1)); [ $n -gt 1000 ] && echo never && break; sleep 0.01; done; "
  text = Outside.run(["-c", wait <> script, "sh", "#{pid}", vm])
  Process.unlink(p)
  Port.close(p)
  # What stands still dies of nothing less.
  Outside.run(["-c", "kill -KILL $1", "sh", "#{pid}"])
  text
end

# It stops itself when it has become what it is.
by_file = fn options -> Port.open({:spawn_executable, "/bin/sh"}, [{:args, ["-c", "kill -STOP $$"]} | options]) end
by_shell = fn options -> Port.open({:spawn, "sh -c 'kill -STOP $$'"}, options) end
starts = [file: by_file, shell: by_shell]

# Each descriptor: the null device, the host's one of the same number, a pipe, or the same as a lower one; and how
# many there are.
descriptors = """
for n in 0 1 2 3 4 5 6 7 8 9; do
  has=$(readlink /proc/$1/fd/$n) || has=closed
  theirs=$(readlink /proc/$2/fd/$n)
  case $has in
    closed | /dev/null) ;;
    "$theirs") has=host ;;
    *)
      for m in 0 1 2 3 4; do
        [ $m -lt $n ] && [ "$has" = "$(readlink /proc/$1/fd/$m)" ] && has=same_as_$m
      done
      ;;
  esac
  case $has in
    pipe*) has=pipe ;;
  esac
  printf '%s ' $has
done
ls /proc/$1/fd | wc -l
"""

directions = [[], [:in], [:out], [:in, :out]]
streams = [[], [:nouse_stdio], [:stderr_to_stdout], [:use_stdio, :nouse_stdio]]

for {kind, start} <- starts, direction <- directions, stream <- streams, kind == :file or direction == [] do
  Scenario.to_end("descriptors of a #{kind} with " <> inspect(stream ++ direction), fn -> look.(stream ++ direction, start, descriptors) end)
end
for options <- [[:exit_status], [:eof], [packet: 4], [:line], [:hide], [cd: "/"], [env: [{'A', 'b'}]], [arg0: "x"], [parallelism: true], [:binary]] do
  Scenario.to_end("descriptors with " <> inspect(options), fn -> look.(options, by_file, descriptors) end)
end

# With other ports open, none of theirs.
Scenario.to_end("descriptors beside other ports", fn ->
  others = for n <- 1..20, do: Port.open({:spawn, "cat"}, if(rem(n, 2) == 0, do: [:nouse_stdio], else: [:binary]))
  text = look.([], by_file, descriptors)
  Enum.each(others, fn other ->
    Process.unlink(other)
    try do
      Port.close(other)
    catch
      :error, :badarg -> :ended
    end
  end)
  Scenario.flush(0)
  text
end)

# What a descriptor may be used for.
for options <- [[], [:stderr_to_stdout], [:nouse_stdio]] do
  Scenario.to_end("access of " <> inspect(options), fn -> look.(options, by_file, "ls -l /proc/$1/fd | awk 'NR > 1 && ($9 < 2 || $9 > 2) { print $9, substr($1, 2, 2) }'") end)
end

# Signals, session, group, and what else is handed down.
for {kind, start} <- starts do
  Scenario.to_end("signals of a #{kind}", fn -> look.([], start, "grep -E '^(SigPnd|ShdPnd|SigBlk|SigIgn):' /proc/$1/status") end)
end
Scenario.to_end("signals as the program finds them", fn ->
  Port.open({:spawn_executable, "/bin/grep"}, [:binary, :exit_status, args: ["-E", "^(SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt):", "/proc/self/status"]])
end)
Scenario.to_end("signals as a command finds them", fn -> Port.open({:spawn, "grep -E '^(SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt):' /proc/self/status"}, [:binary, :exit_status]) end)

leader = "set -- $(cat /proc/$1/stat) $2; for n in 5 6; do eval \"[ \\$$n = $1 ] && echo its own || echo another\"; done; echo terminal $7"
for {kind, start} <- starts do
  Scenario.to_end("group, session and terminal of a #{kind}", fn -> look.([], start, leader) end)
end
for command <- ["cat </dev/null | sh -c 'set -- $(cat /proc/$$/stat); echo $5 $6' | { read a b; [ $a = $b ] && echo together; }"] do
  Scenario.to_end("a pipeline is one session", fn -> Port.open({:spawn, command}, [:binary, :exit_status]) end)
end

same = fn what -> "a=$(#{String.replace(what, "PID", "$1")}); b=$(#{String.replace(what, "PID", "$2")}); [ \"$a\" = \"$b\" ] && echo same || echo \"$a not $b\"" end
for {name, what} <- [
      {"folder", "readlink /proc/PID/cwd"}, {"root", "readlink /proc/PID/root"}, {"mask", "grep Umask /proc/PID/status"}, {"user", "grep -E '^(Uid|Gid|Groups)' /proc/PID/status"},
      {"capabilities", "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/PID/status"}, {"niceness", "cut -d ' ' -f 19 /proc/PID/stat"}, {"limits", "grep -v -E 'open files|core file' /proc/PID/limits"},
      {"processors", "grep Cpus_allowed_list /proc/PID/status"}, {"control group", "cat /proc/PID/cgroup"}, {"namespaces", "for n in mnt net pid user uts ipc; do readlink /proc/PID/ns/$n; done"}
    ] do
  Scenario.to_end("the host's " <> name, fn -> look.([], by_file, same.(what)) end)
end
Scenario.to_end("one thread, no tracer", fn -> look.([], by_file, "grep -E '^(Threads|TracerPid)' /proc/$1/status") end)

# Writing where nobody reads is an error, not death.
Scenario.to_end("a pipe that breaks", fn ->
  Scenario.sh("exec 3>&1; { yes 2>&3; echo yes ended with $? >&3; } | head -n 1 >/dev/null; wait", [:exit_status])
end)
Scenario.tell("a port that is closed breaks the pipe", 0, fn ->
  p = Scenario.sh("read x; echo first; n=0; while echo more 2>/dev/null && [ $n -lt 100000 ]; do n=$((n + 1)); done; [ $n -lt 100000 ] && echo broken >told", [])
  Process.unlink(p)
  Port.command(p, "\n")
  receive do
    {^p, {:data, _}} -> Port.close(p)
  end
  told = Scenario.eventually(fn -> File.read("told") == {:ok, "broken\n"} end)
  Scenario.flush(0)
  told
end)
Scenario.to_end("out only with stderr_to_stdout: nobody reads it", fn ->
  File.rm("told")
  p = Scenario.sh("read x; echo x >&2 || echo refused >told", [:out, :stderr_to_stdout])
  Port.command(p, "\n")
  told = Scenario.eventually(fn -> File.read("told") == {:ok, "refused\n"} end)
  Process.unlink(p)
  {told, Port.close(p)}
end)
Scenario.to_end("signals that the shell may take", fn ->
  Scenario.sh("for s in HUP INT QUIT TERM USR1 USR2 ALRM CHLD PIPE FPE; do trap \"printf '$s '\" $s; done; for s in HUP INT QUIT TERM USR1 USR2 ALRM PIPE FPE; do kill -$s $$; done", [:exit_status])
end)
for signal <- ["HUP", "INT", "QUIT", "ILL", "ABRT", "FPE", "SEGV", "PIPE", "ALRM", "TERM", "USR1", "USR2", "KILL"] do
  Scenario.to_end("what SIG#{signal} does", fn -> Scenario.sh("ulimit -c 0; kill -#{signal} $$; echo still here", [:exit_status]) end)
end

# The number is there before the program is.
Scenario.to_end("a process number from the start", fn ->
  Enum.map(1..20, fn _ ->
    p = Port.open({:spawn_executable, "/bin/cat"}, [])
    {:os_pid, pid} = Port.info(p, :os_pid)
    there = File.exists?("/proc/#{pid}")
    Process.unlink(p)
    Port.close(p)
    is_integer(pid) and pid > 1 and there
  end)
  |> Enum.uniq()
end)
Scenario.to_end("every one is another", fn ->
  ports = for _ <- 1..10, do: Port.open({:spawn, "cat"}, [])
  numbers = Enum.map(ports, fn p -> Port.info(p, :os_pid) end)
  Enum.each(ports, fn p ->
    Process.unlink(p)
    Port.close(p)
  end)
  length(Enum.uniq(numbers))
end)
