defmodule Server do
  def start, do: spawn(__MODULE__, :loop, [0])
  def loop(n) do
    receive do
      {:inc, by} -> loop(n + by)
      {:get, from} -> send(from, {:value, n}); loop(n)
      :stop -> :stopped
    end
  end
end

defmodule Story do
def tell do
me = self()
pid = spawn(fn -> receive do {:ping, from} -> send(from, :pong) end end)
send(pid, {:ping, me})
receive do :pong -> IO.puts "pong" end
IO.inspect (receive do :never -> 1 after 10 -> :timeout end)
IO.inspect (receive do after 0 -> :now end)
send(self(), {:b, 2})
send(self(), {:a, 1})
receive do {:a, n} -> IO.inspect {:a, n} end
receive do {:b, n} -> IO.inspect {:b, n} end
Process.flag(:trap_exit, true)
p = spawn_link(fn -> exit(:boom) end)
receive do {:EXIT, ^p, r} -> IO.inspect {:exit, r} end
p = spawn_link(fn -> :ok end)
receive do {:EXIT, ^p, r} -> IO.inspect {:exit, r} end
{p, ref} = spawn_monitor(fn -> exit(:later) end)
receive do {:DOWN, r0, :process, ^p, r} when r0 == ref -> IO.inspect {:down, r} end
s = Server.start()
for i <- 1..1000, do: send(s, {:inc, i})
send(s, {:get, self()})
receive do {:value, v} -> IO.inspect v end
sref = Process.monitor(s)
send(s, :stop)
receive do {:DOWN, r1, _, _, r} when r1 == sref -> IO.inspect r end
k = spawn_link(fn -> receive do :x -> :y end end)
Process.exit(k, :kill)
receive do {:EXIT, ^k, r} -> IO.inspect r end
IO.inspect Process.alive?(k)
parent = self()
for i <- 1..3 do
  spawn(fn -> send(parent, {:done, i}) end)
end
IO.inspect(Enum.sort(for _ <- 1..3, do: (receive do {:done, i} -> i end)))
t = Task.async(fn -> 6 * 7 end)
IO.inspect Task.await(t)
busy = spawn(fn -> (fn f -> f.(f) end).(fn f -> f.(f) end) end)
bref = Process.monitor(busy)
Process.exit(busy, :kill)
receive do {:DOWN, r2, _, _, r} when r2 == bref -> IO.inspect r end
Process.register(self(), :main)
send(:main, :named)
receive do :named -> IO.puts "named" end
spawn_link(fn -> raise ArgumentError, "linked" end)
receive do {:EXIT, _, {%ArgumentError{message: m}, [_ | _]}} -> IO.puts m end
spawn_link(fn -> throw(:t) end)
receive do {:EXIT, _, {{:nocatch, v}, _}} -> IO.inspect v end
Process.put(:k, 1)
IO.inspect Process.get(:k)
end
end

Story.tell()
