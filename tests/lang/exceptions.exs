defmodule MyE do
  defexception [:code]
  def message(e), do: "code #{e.code}"
end
try do
  raise MyE, code: 5
rescue
  e -> IO.puts Exception.message(e); IO.puts Exception.format(:error, e, []); IO.puts Exception.format_banner(:error, e)
end
IO.puts Exception.format_banner(:exit, :normal)
IO.puts Exception.format_banner(:throw, {:a})
IO.puts Exception.format_exit({:shutdown, 1})
IO.inspect Exception.normalize(:error, :badarg)
IO.inspect Exception.normalize(:error, {:badmatch, 1})
try do
  raise "x"
rescue
  e -> [{m, f, a, l} | _] = __STACKTRACE__; IO.inspect {is_atom(m), is_atom(f), is_integer(a), is_list(l)}; IO.puts is_binary(Exception.format(:error, e, __STACKTRACE__))
end
