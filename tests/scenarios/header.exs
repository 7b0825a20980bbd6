# Stands in front of every scenario, on wharf and on Elixir alike.
defmodule Scenario do
  # Runs `story` in a fresh process that traps exits, and prints its value, or what it raised, and
  # the messages it gets: waits for `count` of them, or as many as were recorded, then a moment for
  # others. Pieces of a stream are joined.
  def tell(name, count, story), do: run(name, count, story, true, true)

  # The same where the boundaries of data messages count.
  def exact(name, count, story), do: run(name, count, story, true, false)

  # The same in a process that does not trap exits.
  def untrapped(name, count, story), do: run(name, count, story, false, true)

  # The same for a port that comes to its end by itself: waits for that, and for nothing after it.
  def to_end(name, story), do: run(name, :end, story, true, true)

  # The same for what brings no messages: prints those that are there already.
  def answer(name, story), do: run(name, :nothing, story, true, true)

  # The messages that have come, waiting for `count` of them.
  def flush(count), do: collect(count, true, [])

  # The same, with the pieces of a stream as they came.
  def pieces(count), do: collect(count, false, [])

  # Runs a shell's script.
  def sh(script, options \\ []) do
    Port.open({:spawn_executable, "/bin/sh"}, [{:args, ["-c", script]}, :binary | options])
  end

  # A program that waits until open_gate opens `gate`, a file, and then does what `script` says.
  # It is waiting when this returns, so that its pipe is empty and nobody reads it.
  def gated(gate, script, options \\ []) do
    waiting = "exec 2>/dev/null; : >#{gate}.ready; n=0; while [ ! -e #{gate} ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done; "
    p = sh(waiting <> script, options)
    true = eventually(fn -> File.exists?(gate <> ".ready") end)
    p
  end

  def new_gate(), do: Path.join(System.tmp_dir!(), "gate_#{:erlang.unique_integer([:positive])}")

  def open_gate(gate), do: File.write!(gate, "")

  # A process that does `work` and tells this one `{:worked, name, result}`, once it is suspended;
  # false if it is not.
  def suspended(name, work) do
    teller = self()

    pid =
      spawn(fn ->
        result =
          try do
            work.()
          catch
            :error, reason -> {:raises, reason}
          end

        send(teller, {:worked, name, result})
      end)

    if eventually(fn -> Process.info(pid, :status) == {:status, :suspended} end), do: pid
  end

  # A process that waits to be told to stop, so that its end comes when it is wanted.
  def bystander() do
    spawn(fn ->
      receive do
        {:stop, reason} -> exit(reason)
      end
    end)
  end

  # Kills an operating system process, from a process of its own; gives what kill exits with.
  def kill(os_pid), do: run_apart("kill", ["#{os_pid}"])

  # A named pipe at which a program waits (`read x < gate`) until `pass` lets it on, once.
  def gate() do
    name = "gate_#{:erlang.unique_integer([:positive])}"
    0 = run_apart("mkfifo", [name])
    name
  end

  # Lets the program at the gate on; returns when it has been there.
  def pass(gate), do: File.write!(gate, "\n")

  defp run_apart(program, arguments) do
    teller = self()
    spawn(fn ->
      {_, status} = System.cmd(program, arguments)
      send(teller, {:exited_apart, status})
    end)
    receive do
      {:exited_apart, status} -> status
    end
  end

  # Waits until `condition` holds; false after some fifteen seconds.
  def eventually(condition, tries \\ 1500) do
    cond do
      condition.() -> true
      tries == 0 -> false
      true ->
        Process.sleep(10)
        eventually(condition, tries - 1)
    end
  end

  # Tells the stories that `stories` tells several at a time, in the same order. They must not
  # get in each other's way.
  def together(stories) do
    Process.put(:started, [])
    stories.()
    Enum.each(Process.delete(:started), &finish/1)
  end

  # A story that was recorded with more messages than it says waits for all of them, so that it does
  # not hang on the moment in which others may come.
  defp run(name, count, story, trap, join) do
    number = Process.get(:stories, 0)
    Process.put(:stories, number + 1)
    started = start(name, awaited_since(count, number), story, trap, join)

    case Process.get(:started) do
      nil ->
        finish(started)

      [first | others] when length(others) == 15 ->
        finish(first)
        Process.put(:started, others ++ [started])

      before ->
        Process.put(:started, before ++ [started])
    end
  end

  defp start(name, count, story, trap, join) do
    teller = self()

    {pid, monitor} =
      spawn_monitor(fn ->
        Process.flag(:trap_exit, trap)
        value = value(story)
        send(teller, {:told, self(), value, collect(awaited(count, value), join, [])})
      end)

    {name, pid, monitor}
  end

  defp finish({name, pid, monitor}) do
    outcome =
      receive do
        # The next story finds nothing of this one's process, not even its name.
        {:told, ^pid, value, messages} ->
          receive do
            {:DOWN, ^monitor, :process, ^pid, _reason} -> :ok
          after
            20_000 -> :ok
          end
          value <> "; " <> show(messages)
        {:DOWN, ^monitor, :process, ^pid, reason} -> "owner died: " <> show(reason)
      after
        60_000 -> "no end"
      end

    Process.demonitor(monitor, [:flush])
    IO.puts(name <> ": " <> outcome)
  end

  defp value(story) do
    try do
      show(story.())
    catch
      :error, reason -> "raises " <> show(reason)
      kind, reason -> "leaves with " <> show({kind, reason})
    end
  end

  defp show(term), do: inspect(term, limit: :infinity, width: :infinity, printable_limit: :infinity)

  defp awaited_since(count, number) when is_integer(count) do
    recorded = recorded()
    if number < tuple_size(recorded), do: max(count, elem(recorded, number)), else: count
  end

  defp awaited_since(count, _number), do: count

  # How many messages each story was recorded with, if there is a recording.
  defp recorded() do
    case Process.get(:recorded) do
      nil ->
        recorded =
          case File.read("messages") do
            {:ok, text} -> text |> String.split() |> Enum.map(&String.to_integer/1) |> List.to_tuple()
            {:error, _} -> {}
          end

        Process.put(:recorded, recorded)
        recorded

      recorded ->
        recorded
    end
  end

  # What opened no port has no end to be waited for.
  defp awaited(:end, value), do: if(String.starts_with?(value, "#Port<"), do: :end, else: :nothing)
  defp awaited(count, _value), do: count

  defp collect(:end, join, messages) do
    receive do
      {:EXIT, port, _reason} = message when is_port(port) -> Enum.reverse([message | messages])
      message -> collect(:end, join, add(join, message, messages))
    after
      20_000 -> Enum.reverse([:no_end | messages])
    end
  end

  defp collect(:nothing, join, messages) do
    receive do
      message -> collect(:nothing, join, add(join, message, messages))
    after
      0 -> Enum.reverse(messages)
    end
  end

  defp collect(count, join, messages) do
    wait = if length(messages) < count, do: 15_000, else: 50

    receive do
      message -> collect(count, join, add(join, message, messages))
    after
      wait -> Enum.reverse(messages)
    end
  end

  defp add(true, {port, {:data, b}}, [{port, {:data, a}} | rest]) when is_binary(a) and is_binary(b),
    do: [{port, {:data, a <> b}} | rest]

  defp add(true, {port, {:data, b}}, [{port, {:data, a}} | rest]) when is_list(a) and is_list(b),
    do: [{port, {:data, a ++ b}} | rest]

  defp add(_join, message, messages), do: [message | messages]
end

