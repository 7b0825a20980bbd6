# The trace file driver of Erlang's runtime_tools, from a script: records, and logs that wrap.
:ok = :erl_ddll.load(String.to_charlist(System.fetch_env!("DRIVER")), 'trace_file_drv')
folder = System.fetch_env!("SCRATCH")
for name <- File.ls!(folder), do: File.rm!(Path.join(folder, name))

open = fn arguments ->
  try do
    Port.open({:spawn_driver, "trace_file_drv" <> arguments}, [])
  rescue
    error -> IO.inspect(error.__struct__)
  end
end

file = Path.join(folder, "one.log")
port = open.(" n " <> file)
IO.inspect(File.read!(file))
IO.inspect(Port.command(port, :erlang.term_to_binary({:a, 1})))
IO.inspect(:erlang.port_control(port, ?f, ""))
IO.inspect(File.read!(file))
IO.inspect(Port.close(port))

open.("")
open.(" n /nonexistent/x")
open.(" x y")

base = Path.join(folder, "wrap.log")
tail = byte_size(base) - byte_size(".log")
port = open.(" w 20 2 0 #{tail} n " <> base)

sizes = fn ->
  for name <- Enum.sort(File.ls!(folder)), name != "one.log" do
    {name, byte_size(File.read!(Path.join(folder, name)))}
  end
end

for count <- 1..7 do
  Port.command(port, "eleven byte")
  IO.inspect({count, sizes.()})
end

Port.close(port)
IO.inspect(sizes.())
IO.inspect(:erl_ddll.unload('trace_file_drv'))
