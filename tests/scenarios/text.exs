# Every place that takes a text, told every kind of text: charlists however nested, binaries, atoms, and what is none.

nested = fn word, depth -> Enum.reduce(1..depth, word, fn _, list -> [list] end) end
text = fn word -> List.to_string(word) end

forms = [
  {"a charlist", fn w -> w end},
  {"a charlist in a list", fn w -> [w] end},
  {"a list for each character", fn w -> Enum.map(w, fn c -> [c] end) end},
  {"empty lists between", fn w -> Enum.flat_map(w, fn c -> [[], c, [[[]]]] end) end},
  {"a list as the tail", fn w -> [[hd(w)] | tl(w)] end},
  {"a hundred thousand lists deep", fn w -> nested.(w, 100_000) end},
  {"a hundred thousand empty lists", fn w -> List.duplicate([], 100_000) ++ w end},
  {"a binary", fn w -> text.(w) end},
  {"an atom", fn w -> String.to_atom(text.(w)) end},
  {"an atom of letters", fn w -> String.to_atom(text.(w) <> "é") end},
  {"a charlist of letters", fn w -> w ++ [233] end},
  {"a binary of letters", fn w -> text.(w) <> "é" end},
  {"a binary of one byte beyond ASCII", fn w -> text.(w) <> <<233>> end},
  {"a binary of bytes", fn w -> text.(w) <> <<255, 254>> end},
  {"code point 127", fn w -> w ++ [127] end},
  {"code point 128", fn w -> w ++ [128] end},
  {"code point 255", fn w -> w ++ [255] end},
  {"code point 256", fn w -> w ++ [256] end},
  {"code point 2048", fn w -> w ++ [2048] end},
  {"the first surrogate", fn w -> w ++ [0xD800] end},
  {"the last surrogate", fn w -> w ++ [0xDFFF] end},
  {"code point FFFE", fn w -> w ++ [0xFFFE] end},
  {"code point FFFF", fn w -> w ++ [0xFFFF] end},
  {"code point 10000", fn w -> w ++ [0x10000] end},
  {"the last code point", fn w -> w ++ [0x10FFFF] end},
  {"beyond the last code point", fn w -> w ++ [0x110000] end},
  {"a negative element", fn w -> w ++ [-1] end},
  {"an element of 2^31", fn w -> w ++ [2_147_483_648] end},
  {"an element of 2^32 and a letter", fn w -> w ++ [4_294_967_296 + 97] end},
  {"an element of 2^59", fn w -> w ++ [576_460_752_303_423_488] end},
  {"an element of 2^64 and a letter", fn w -> w ++ [18_446_744_073_709_551_616 + 97] end},
  {"a float element", fn w -> w ++ [97.0] end},
  {"a binary in front", fn w -> ["" | w] end},
  {"a binary at the end", fn w -> w ++ ["x"] end},
  {"a binary deep inside", fn w -> [w, [[["x"]]]] end},
  {"a list of one binary", fn w -> [text.(w)] end},
  {"an atom inside", fn w -> [w, :x] end},
  {"a tuple inside", fn w -> [w, {?x}] end},
  {"a letter as the tail", fn w -> w ++ ?x end},
  {"a binary as the tail", fn w -> w ++ "x" end},
  {"an atom as the tail", fn w -> w ++ :x end},
  {"an improper list inside", fn w -> [[w | ?x]] end},
  {"a zero in front", fn w -> [0 | w] end},
  {"a zero inside", fn w -> [hd(w), 0 | tl(w)] end},
  {"a zero at the end", fn w -> w ++ [0] end},
  {"a zero deep inside", fn w -> [w, [[[0]]]] end},
  {"a binary with a zero in front", fn w -> <<0>> <> text.(w) end},
  {"a binary with a zero behind", fn w -> text.(w) <> <<0, ?x>> end},
  {"a binary with a zero at the end", fn w -> text.(w) <> <<0>> end},
  {"an atom with a zero in front", fn w -> String.to_atom(<<0>> <> text.(w)) end},
  {"an atom with a zero behind", fn w -> String.to_atom(text.(w) <> <<0, ?x>>) end},
  {"an empty charlist", fn _ -> [] end},
  {"a list of an empty charlist", fn _ -> [[]] end},
  {"an empty binary", fn _ -> "" end},
  {"an empty atom", fn _ -> :"" end},
  {"three bits", fn _ -> <<1::size(3)>> end},
  {"nil", fn _ -> nil end},
  {"true", fn _ -> true end},
  {"false", fn _ -> false end},
  {"zero", fn _ -> 0 end},
  {"a number", fn _ -> 17 end},
  {"a large number", fn _ -> 18_446_744_073_709_551_616 end},
  {"a float", fn _ -> 1.5 end},
  {"a tuple", fn w -> {w} end},
  {"a map", fn _ -> %{} end},
  {"a process", fn _ -> self() end},
  {"a function", fn w -> fn -> w end end}
]

# An empty `cd` in a binary ends Erlang's helper for programs; docs/compatibility.md says what wharf does.
# An empty charlist is no `cd` at all (settings.exs).
not_for_cd = [
  "an empty binary", "an empty atom", "a list of an empty charlist", "three bits", "a binary with a zero in front", "an empty charlist"
]

:ok = :erl_ddll.load_driver(String.to_charlist(System.get_env("WHARF_SCENARIO_DRIVERS")), 'echo_drv')

executable = fn options -> Port.open({:spawn_executable, "/bin/sh"}, [:binary, :exit_status, :stderr_to_stdout | options]) end

# What /proc shows of the variables whose names begin with QQ, or with an equals sign.
variables = fn env ->
  Port.open({:spawn_executable, "/bin/grep"}, [:binary, :exit_status, args: ["-zaE", "^(QQ|=)", "/proc/self/environ"], env: env])
end

for {name, form} <- forms do
  Scenario.to_end("a command: " <> name, fn -> Port.open({:spawn, form.('echo ab')}, [:binary, :exit_status, :stderr_to_stdout]) end)

  Scenario.to_end("a file: " <> name, fn ->
    Port.open({:spawn_executable, form.('/bin/echo')}, [:binary, :exit_status, args: ["ran"]])
  end)

  Scenario.to_end("a driver: " <> name, fn ->
    p = Port.open({:spawn_driver, form.('echo_drv ab')}, [])
    Process.unlink(p)
    {Port.info(p, :name), Port.close(p)}
  end)

  unless name in not_for_cd do
    Scenario.to_end("cd: " <> name, fn ->
      Port.open({:spawn_executable, "/bin/pwd"}, [:binary, :exit_status, cd: form.('/usr')])
    end)
  end

  Scenario.to_end("arg0: " <> name, fn -> executable.(arg0: form.('zero'), args: ["-c", "printf '%s.' \"$0\""]) end)

  Scenario.to_end("an argument: " <> name, fn -> executable.(args: ["-c", "printf '%s.' \"$@\"", "sh", "first", form.('word'), "last"]) end)

  Scenario.to_end("a variable's name: " <> name, fn -> variables.([{form.('QQ'), 'value'}]) end)
  Scenario.to_end("a variable's value: " <> name, fn -> variables.([{'QQ', form.('value')}]) end)
end

# How long a text may be is the kernel's business: 131,071 bytes and a zero.
for length <- [131_071, 131_072, 1_000_000] do
  Scenario.to_end("an argument of #{length} bytes", fn ->
    executable.(args: ["-c", "echo ${#1}", "sh", List.duplicate(?x, length)])
  end)

  Scenario.to_end("an argument of #{length} bytes, in a binary", fn ->
    executable.(args: ["-c", "echo ${#1}", "sh", String.duplicate("x", length)])
  end)

  Scenario.to_end("arg0 of #{length} bytes", fn -> executable.(arg0: String.duplicate("x", length), args: ["-c", "echo ${#0}"]) end)

  Scenario.to_end("a variable of #{length} bytes", fn ->
    executable.(args: ["-c", "echo ${#QQ}"], env: [{'QQ', List.duplicate(?x, length - 3)}])
  end)

  Scenario.to_end("a command of #{length} bytes", fn ->
    Port.open({:spawn, "echo" <> String.duplicate(" ", length - 11) <> "x"}, [:binary, :exit_status])
  end)
end

Scenario.to_end("ten thousand arguments", fn -> executable.(args: ["-c", "echo $#", "sh" | List.duplicate('x', 10_000)]) end)
Scenario.to_end("too many arguments", fn -> executable.(args: ["-c", "echo $#", "sh" | List.duplicate(String.duplicate("x", 100_000), 100)]) end)
