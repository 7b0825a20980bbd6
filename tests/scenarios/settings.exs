# The second argument of an open: every option with every kind of value, in every order, for every kind of port.
# Descriptor 8 is a pipe to itself.

:ok = :erl_ddll.load_driver(String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS")), 'echo_drv')

command = fn options -> Port.open({:spawn, "cat"}, options) end
file = fn options -> Port.open({:spawn_executable, "/bin/cat"}, options) end
descriptors = fn options -> Port.open({:fd, 8, 8}, options) end
driver = fn options -> Port.open({:spawn_driver, "echo_drv"}, options) end
kinds = [command: command, file: file, descriptors: descriptors, driver: driver]

defmodule Told do
  # What a port told until it ended, without the port.
  def all(port) do
    receive do
      {:EXIT, ^port, reason} -> [reason]
      {^port, part} -> [part | all(port)]
    after
      20_000 -> [:no_end]
    end
  end

  # The parts of so many bytes.
  def bytes(_port, count) when count <= 0, do: []

  def bytes(port, count) do
    receive do
      {^port, {:data, data}} -> [data | bytes(port, count - size(data))]
    after
      20_000 -> [:no_more]
    end
  end

  defp size(data) when is_binary(data), do: byte_size(data)
  defp size(data) when is_list(data), do: length(data)
  defp size({_end, data}), do: size(data)
end

# Whether each kind of port opens.
accepted = fn options ->
  answers = Enum.map(kinds, fn {kind, open} ->
    try do
      p = open.(options)
      Process.unlink(p)
      # A program that has nothing to read may have ended.
      try do
        {kind, Port.close(p)}
      catch
        :error, :badarg ->
          receive do
            {:EXIT, ^p, :normal} -> {kind, true}
          after
            0 -> {kind, true}
          end
      end
    catch
      :error, reason -> {kind, reason}
    end
  end)
  case Enum.uniq(Keyword.values(answers)) do
    [true] -> :everywhere
    [:badarg] -> :nowhere
    _ -> answers
  end
end

values = [
  0, 1, 2, 3, 4, 5, 8, -1, 4.0, 1.5, 65_536, 576_460_752_303_423_487, 576_460_752_303_423_488, -576_460_752_303_423_489,
  18_446_744_073_709_551_613, 18_446_744_073_709_551_614, 18_446_744_073_709_551_615, 18_446_744_073_709_551_616, 36_893_488_147_419_103_233,
  true, false, nil, :disabled, :yes, "", "4", '4', [], [[]], [4], ['a'], ["a"], [:a], [["a"]], ['a' | "b"], [{'A', 'b'}], [{'A', 'b'} | {'A', 'b'}], [[{'A', 'b'}]],
  {}, {1}, {1, 2}, {2, 1}, {0, 1}, {1, 0}, {-1, 1}, {1, 1}, {1, 2, 3}, {1.0, 2}, {1, :disabled}, {:disabled, 1}, {"1", 2},
  {1, 18_446_744_073_709_551_614}, {18_446_744_073_709_551_614, 18_446_744_073_709_551_614}, {18_446_744_073_709_551_614, 1},
  {1, 18_446_744_073_709_551_615}, {18_446_744_073_709_551_615, 1}, {1, 18_446_744_073_709_551_616}, {18_446_744_073_709_551_616, 1},
  {1, 36_893_488_147_419_103_233}, {1, -18_446_744_073_709_551_615}, {576_460_752_303_423_488, 9_223_372_036_854_775_808}, %{}, %{A: 'b'}, <<1::size(3)>>
]

for option <- [:packet, :line, :parallelism, :busy_limits_port, :busy_limits_msgq, :args, :env, :cd, :arg0], value <- values do
  # What `cd` and `arg0` take is in text.exs, with all kinds of text.
  unless option in [:cd, :arg0] and not (is_number(value) or is_tuple(value)) do
    Scenario.to_end("accepted: " <> inspect({option, value}), fn -> accepted.([{option, value}]) end)
  end
end

flags = [:stream, :line, :binary, :in, :out, :eof, :hide, :overlapped_io, :exit_status, :use_stdio, :nouse_stdio, :stderr_to_stdout]
options = [:packet, :cd, :env, :args, :arg0, :parallelism, :busy_limits_port, :busy_limits_msgq]

for flag <- flags do
  Scenario.to_end("accepted: " <> inspect(flag), fn -> accepted.([flag]) end)
  Scenario.to_end("accepted twice: " <> inspect(flag), fn -> accepted.([flag, flag]) end)
  Scenario.to_end("accepted as pairs: " <> inspect(flag), fn -> {accepted.([{flag, true}]), accepted.([{flag, false}]), accepted.([{flag}])} end)
  Scenario.to_end("accepted as text: " <> inspect(flag), fn -> {accepted.([Atom.to_string(flag)]), accepted.([Atom.to_charlist(flag)])} end)
end

for option <- options do
  Scenario.to_end("accepted bare: " <> inspect(option), fn -> {accepted.([option]), accepted.([{option}]), accepted.([{option, 2, 2}])} end)
end

others = [
  :unknown, :list, :Binary, nil, true, :"", :nouse_stdin, :vm_args, :user, 17, 1.5, "binary", 'binary', {}, {:unknown, 1}, {"packet", 2}, {'packet', 2},
  {2, :packet}, [:binary], [], %{}, {:stream, 1}, {:packet, 2, :binary}, {{:packet, 2}}
]

for option <- others do
  Scenario.to_end("no option: " <> inspect(option), fn -> {accepted.([option]), accepted.([:binary, option]), accepted.([option, :binary])} end)
end

for options <- [:binary, {:binary}, "binary", "", 17, nil, %{}, [:binary | :in], [:binary | {:packet, 2}], [:binary, :in | nil], [:binary | "in"], [[:binary]]] do
  Scenario.to_end("no options: " <> inspect(options), fn -> accepted.(options) end)
end

# Together.
together = [
  [:line, packet: 2], [{:packet, 2}, :line], [{:packet, 2}, {:line, 5}, :stream], [:stream, {:packet, 2}, :line], [{:packet, 2}, :stream, :line], [{:line, 5}, :stream],
  [:line, :stream, packet: 2], [{:packet, 3}, :stream], [{:packet, 3}, {:packet, 2}], [{:packet, 2}, {:packet, 3}], [{:line, 0}, {:line, 1}], [{:line, 1}, {:line, 0}],
  [:nouse_stdio, :stderr_to_stdout], [:stderr_to_stdout, :nouse_stdio], [:stderr_to_stdout, :nouse_stdio, :use_stdio], [:nouse_stdio, :use_stdio, :stderr_to_stdout],
  [:use_stdio, :nouse_stdio, :stderr_to_stdout], [:nouse_stdio, :stderr_to_stdout, :in], [:nouse_stdio, :stderr_to_stdout, :out], [:stderr_to_stdout, :in], [:stderr_to_stdout, :out],
  [:in, :out], [:out, :in], [:in, :in], [:exit_status, :eof, :in, :out, :binary, :hide], [cd: 17, cd: "/"], [cd: "/", cd: 17], [cd: 17, cd: []], [cd: [], cd: 17],
  [env: 17, env: []], [env: [], env: 17], [args: 17, args: []], [args: [], args: []], [args: [], arg0: "x"], [arg0: "x", args: []], [arg0: "x", arg0: 17], [arg0: 17, arg0: "x"],
  [busy_limits_port: {0, 1}, busy_limits_port: {1, 2}], [busy_limits_port: {1, 2}, busy_limits_port: :disabled], [parallelism: true, parallelism: false],
  [parallelism: 1, parallelism: true], [:binary, :exit_status, :no], [:exit_status, args: []], [:exit_status, arg0: "x"]
]

for options <- together do
  Scenario.to_end("together: " <> inspect(options), fn -> accepted.(options) end)
end

# What each option that is taken changes.
for options <- [[], [:binary], [:binary, :binary], [:line], [:binary, :line], [line: 2], [:binary, line: 2], [:line, line: 2], [{:line, 2}, :line, :binary], [line: 2, line: 3],
      [:binary, line: 3, line: 2], [packet: 1], [:binary, packet: 1], [packet: 2, packet: 1], [:binary, packet: 1, packet: 2], [:binary, packet: 4], [{:packet, 1}, :stream],
      [:binary, :stream, packet: 1], [:binary, {:packet, 4}, {:line, 2}, :stream], [:stream, :binary, line: 2], [:hide, :overlapped_io, :binary], [:binary, :in, :out],
      [:binary, :use_stdio], [:binary, :nouse_stdio], [:binary, :nouse_stdio, :use_stdio], [:binary, :use_stdio, :nouse_stdio], [:binary, :eof], [:binary, line: 1],
      [:binary, line: 576_460_752_303_423_487]] do
  # Descriptor 3 leads to 4 where standard input does not lead to output.
  for {kind, open} <- [command: fn o -> Port.open({:spawn, "cat"}, o) end, descriptors: descriptors, driver: driver], kind != :command or :nouse_stdio not in options do
    # With a moment after each: Erlang may lose what comes while it lets go of a descriptor.
    Scenario.exact("what #{kind} says with " <> inspect(options), 0, fn ->
      p = open.(options)
      Port.command(p, "ab\ncd\n")
      lines = Enum.any?(options, fn option -> option == :line or match?({:line, _}, option) end)
      parts = Told.bytes(p, if(lines, do: 4, else: 6))
      Process.unlink(p)
      Port.close(p)
      parts
    end)
  end
end

for options <- [[:binary, :nouse_stdio], [:binary, :use_stdio, :nouse_stdio], [:binary, :nouse_stdio, :nouse_stdio]] do
  Scenario.exact("what is said on 3 and 4 with " <> inspect(options), 1, fn ->
    p = Port.open({:spawn, "cat <&3 >&4"}, options)
    Port.command(p, "ab\ncd\n")
  end)
end

for {name, options} <- [{"no parallelism", []}, {"parallelism", [parallelism: true]}, {"false", [parallelism: false]}, {"the last of two", [parallelism: true, parallelism: false]},
      {"the last of three", [parallelism: true, parallelism: false, parallelism: true]}], {kind, open} <- kinds do
  Scenario.to_end("#{kind}: " <> name, fn ->
    p = open.(options)
    Process.unlink(p)
    {Port.info(p, :parallelism), Port.close(p)}
  end)
end

# Eof and exit_status are told once, however often they are asked for.
for options <- [[:eof], [:eof, :eof], [:exit_status], [:exit_status, :exit_status], [:eof, :exit_status], [:in, :eof, :exit_status], [:line, :eof, :exit_status], [:in, :line], [:in, packet: 1]] do
  Scenario.to_end("the end with " <> inspect(options), fn ->
    p = Scenario.sh("printf '\\1ab'; exit 5", options)
    if :eof in options do
      told = Scenario.flush(if(:exit_status in options, do: 3, else: 2))
      Process.unlink(p)
      {Enum.map(told, fn {^p, part} -> part end), Port.close(p)}
    else
      Told.all(p)
    end
  end)
end

# Where a program runs.
pwd = fn options -> Port.open({:spawn_executable, "/bin/pwd"}, [:binary, :exit_status | options]) end
here = File.cwd!()
told = fn options ->
  Enum.map(Told.all(pwd.(options)), fn
    {:data, text} -> text |> String.replace(here, "HERE") |> String.replace(Path.dirname(here), "ABOVE")
    part -> part
  end)
end

File.mkdir!("folder")
File.ln_s!("folder", "link")
File.write!("file", "")
for options <- [[], [cd: []], [cd: "/usr", cd: []], [cd: [], cd: "/usr"], [cd: "/usr", cd: "/bin/.."], [cd: "folder"], [cd: "link"], [cd: "."], [cd: ".."], [cd: "/"], [cd: "//usr"], [cd: :folder],
      [cd: 'folder/../folder'], [cd: "/usr\0/x"], [cd: "folder", cd: "folder"]] do
  Scenario.to_end("where: " <> inspect(options), fn -> told.(options) end)
end
for options <- [[cd: nil], [cd: "no_such"], [cd: "file"], [cd: "file/x"], [cd: "/no/such"], [cd: "no_such", cd: []], [cd: [], cd: "no_such"], [cd: String.duplicate("x", 256)]] do
  name = if match?([cd: "xxx" <> _], options), do: "too long a name", else: inspect(options)
  Scenario.to_end("nowhere: " <> name, fn -> told.(options) end)
  Scenario.to_end("nowhere, by the shell, with its errors: " <> name, fn ->
    Port.open({:spawn, "true"}, [:binary, :exit_status, :stderr_to_stdout | options])
  end)
  Scenario.to_end("nowhere, without a status: " <> name, fn -> Port.open({:spawn, "true"}, options) end)
end
