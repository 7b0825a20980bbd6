# The program's end as its owner sees it: with every option, and in every order of its endings.

alive = fn pid -> File.exists?("/proc/#{pid}") end
all = [[], [:exit_status], [:eof], [:exit_status, :eof]]
many = all ++ for options <- all, do: [:line | options]

# What a port says of an end by itself: exits included, its lines excluded.
says = fn options -> max(1, length(options -- [:line, :in]) + if(:eof in options, do: 0, else: 1)) end

Scenario.together(fn ->

for options <- many ++ [[:in], [:in, :exit_status], [:in, :eof], [:in, :eof, :exit_status]], rest <- ["", "rest"] do
  count = says.(options) + if(:line in options and rest != "", do: 2, else: 1)
  story = fn ->
    gate = Scenario.gate()
    p = Scenario.sh("read x < #{gate}; printf 'whole\\n#{rest}'; exit 3", options)
    ended = Port.monitor(p)
    Scenario.pass(gate)
    if :eof not in options do
      receive do
        {:DOWN, ^ended, _, _, reason} -> {reason, Port.info(p)}
      end
    end
  end
  Scenario.tell("ends after #{inspect("whole\n" <> rest)}: #{inspect(options)}", count, story)
  Scenario.untrapped("ends after #{inspect("whole\n" <> rest)}, not trapping: #{inspect(options)}", if(:eof in options, do: count, else: count - 1), story)
end

for code <- [0, 1, 2, 126, 127, 128, 254, 255, 256, 259] do
  Scenario.tell("exit #{code}", 2, fn -> Scenario.sh("exit #{code}", [:exit_status]) end)
end
for signal <- [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 14, 15, 24, 34, 64] do
  Scenario.tell("signal #{signal}", 2, fn -> Scenario.sh("ulimit -c 0; kill -#{signal} $$; exit 5", [:exit_status]) end)
  Scenario.tell("signal #{signal}, nobody asks", 1, fn -> Scenario.sh("ulimit -c 0; kill -#{signal} $$; exit 5", []) end)
end

# The output ends, the program goes on.
for {name, script} <- [{"closes its output", "exec >&-"}, {"sends its output to nobody", "exec >/dev/null"}], options <- many do
  Scenario.tell("#{name}: #{inspect(options)}", 0, fn ->
    [first, gate] = [Scenario.gate(), Scenario.gate()]
    p = Scenario.sh("read x < #{first}; printf 'a\nb'; #{script}; : > #{gate}_closed; read x < #{gate}; exit 4", options)
    {:os_pid, pid} = Port.info(p, :os_pid)
    Scenario.pass(first)
    closed = Scenario.eventually(fn -> File.exists?("#{gate}_closed") end)
    before = Scenario.flush(cond do
      options == [:line] -> 3
      :exit_status in options -> 1
      true -> if(:line in options, do: 3, else: 2)
    end)
    meanwhile = {closed, alive.(pid), is_list(Port.info(p)), p in Port.list()}
    Scenario.pass(gate)
    ended = Scenario.eventually(fn -> not alive.(pid) end)
    {before, meanwhile, ended, Scenario.flush(if(:exit_status in options, do: 2 + if(:line in options, do: 1, else: 0), else: 0)), is_list(Port.info(p))}
  end)
end
for {name, script} <- [{"closes its output", "exec >&-"}, {"keeps its output", ":"}], options <- [[], [:exit_status], [:eof], [:exit_status, :eof], [:out]] do
  Scenario.tell("#{name} while output waits: #{inspect(options)}", 0, fn ->
    [gate, second] = [Scenario.gate(), Scenario.gate()]
    p = Scenario.sh("read x < #{gate}; #{script}; : > #{gate}_closed; read x < #{second}; head -c 300000 > #{gate}_read; : > #{gate}_all", options)
    Port.command(p, String.duplicate("x", 300_000))
    Scenario.pass(gate)
    Scenario.eventually(fn -> File.exists?("#{gate}_closed") end)
    ends_here = script != ":" and :exit_status not in options and :out not in options
    before = Scenario.flush(if(ends_here, do: 1, else: 0))
    Scenario.pass(second)
    Scenario.eventually(fn -> File.exists?("#{gate}_all") end)
    size = File.stat!("#{gate}_read").size
    {before, if(size < 100_000, do: :a_pipe_full, else: size), Scenario.flush(case options do
      [:out] -> 0
      [] -> if(script == ":", do: 1, else: 0)
      [:eof] -> if(script == ":", do: 1, else: 0)
      _ -> 2
    end)}
  end)
end

# A child of the program holds the output.
for options <- many do
  Scenario.tell("a child holds the output: #{inspect(options)}", 0, fn ->
    gate = Scenario.gate()
    p = Scenario.sh("echo early; (read x < #{gate}; echo late; printf rest) & exit 2", options)
    {:os_pid, pid} = Port.info(p, :os_pid)
    early = Scenario.flush(1)
    ended = Scenario.eventually(fn -> not alive.(pid) or File.read!("/proc/#{pid}/stat") =~ ") Z" end)
    meanwhile = {ended, Scenario.flush(0), is_list(Port.info(p))}
    Scenario.pass(gate)
    {early, meanwhile, Scenario.flush(says.(options) + if(:line in options, do: 2, else: 1))}
  end)
end
Scenario.tell("a child holds the input alone", 0, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("exec 3<&0; (read x < #{gate}; read x <&3; echo $x > #{gate}_read) >/dev/null & exit 2", [:exit_status])
  ended = Scenario.flush(2)
  Scenario.pass(gate)
  {ended, Scenario.eventually(fn -> File.read("#{gate}_read") == {:ok, "\n"} end)}
end)

# What is no end.
for options <- all do
  Scenario.tell("stopped and continued: #{inspect(options)}", 0, fn ->
    p = Port.open({:spawn, "cat"}, [:binary | options])
    {:os_pid, pid} = Port.info(p, :os_pid)
    kill = fn signal ->
      killer = Scenario.sh("kill -#{signal} #{pid}", [])
      receive do
        {:EXIT, ^killer, :normal} -> :ok
      end
    end
    kill.("STOP")
    stopped = Scenario.eventually(fn -> File.read!("/proc/#{pid}/stat") =~ ") T" end)
    Port.command(p, "waits")
    nothing = Scenario.flush(0)
    kill.("CONT")
    {stopped, nothing, Scenario.flush(1)}
  end)
  Scenario.tell("closes its input alone: #{inspect(options)}", 0, fn ->
    p = Scenario.sh("exec <&-; echo closed; sleep 5", options)
    {Scenario.flush(1), is_list(Port.info(p)), Port.command(p, ""), is_list(Port.info(p)), Port.command(p, "x"), Scenario.flush(1), Port.info(p)}
  end)
end

# Ports that only write.
for options <- [[], [:exit_status], [:eof], [:exit_status, :eof], [:line], [packet: 2], [:exit_status, :stderr_to_stdout]] do
  Scenario.tell("out only: #{inspect(options)}", 0, fn ->
    gate = Scenario.gate()
    p = Scenario.sh("read x < #{gate}; exit 3", [:out | options])
    {:os_pid, pid} = Port.info(p, :os_pid)
    Port.monitor(p)
    Scenario.pass(gate)
    gone = Scenario.eventually(fn -> not alive.(pid) end)
    quiet = {gone, Scenario.flush(0), is_list(Port.info(p)), Port.info(p, :os_pid) == {:os_pid, pid}}
    empty = {Port.command(p, ""), is_list(Port.info(p))}
    if elem(empty, 1), do: Port.command(p, "x")
    {quiet, empty, Scenario.flush(2), Port.info(p)}
  end)
end

# After eof.
for options <- [[:eof], [:eof, :exit_status], [:eof, :in], [:eof, packet: 2]] do
  Scenario.tell("after eof: #{inspect(options)}", 0, fn ->
    gate = Scenario.gate()
    p = Scenario.sh("read x < #{gate}; exit 3", options)
    {:os_pid, pid} = Port.info(p, :os_pid)
    Port.monitor(p)
    Scenario.pass(gate)
    ends = Scenario.flush(length(options -- [:in, packet: 2]))
    gone = Scenario.eventually(fn -> not alive.(pid) end)
    still = {gone, Keyword.keys(Port.info(p)), Port.info(p, :os_pid) == {:os_pid, pid}, p in Port.list(), Port.info(p, :connected) == {:connected, self()}}
    empty = {Port.command(p, ""), is_list(Port.info(p))}
    if elem(empty, 1), do: Port.command(p, "x")
    {ends, still, empty, Scenario.flush(2), Port.info(p)}
  end)
end
Scenario.tell("after eof the program may go on to read", 0, fn ->
  gate = Scenario.gate()
  p = Scenario.sh("exec >&-; read line; echo $line > #{gate}_read; exit 6", [:eof, :exit_status])
  before = Scenario.flush(0)
  Port.command(p, "told\n")
  {before, Scenario.flush(2), File.read!("#{gate}_read")}
end)

for options <- [[], [:in], [:out], [:eof]] do
  Scenario.tell("no zombies: #{inspect(options)}", 0, fn ->
    gate = Scenario.gate()
    p = Scenario.sh("read x < #{gate}; exit 3", options)
    {:os_pid, pid} = Port.info(p, :os_pid)
    Scenario.pass(gate)
    said = Scenario.flush(if(:out in options, do: 0, else: 1))
    {said, Scenario.eventually(fn -> not alive.(pid) end)}
  end)
end
end)
