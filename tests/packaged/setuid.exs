# The driver of the web server yaws that becomes another user, from a script. It is only asked, never
# told to change anything: g is who we are, n the name of a number, u the number of a name, h a home.
Process.flag(:trap_exit, true)
:ok = :erl_ddll.load(String.to_charlist(System.fetch_env!("DRIVER")), 'setuid_drv')

ask = fn question ->
  try do
    port = Port.open({:spawn, "setuid_drv" <> question}, [])

    answer =
      receive do
        {^port, {:data, answer}} -> answer
      end

    true = Port.command(port, "it has no output callback")
    true = Port.close(port)

    receive do
      {:EXIT, ^port, reason} -> {answer, reason}
    end
  rescue
    error -> error
  end
end

{id, 0} = System.cmd("id", ["-u"])
{answer, :normal} = ask.(" g")
IO.inspect(List.to_string(answer) == "ok " <> String.trim(id))
for question <- [" n0", " n1", " n99999", " uroot", " udaemon", " hroot", " hdaemon"] do
  IO.inspect({question, ask.(question)})
end

for question <- ["", " ", " unosuch", " hnosuch", " x", " s"] do
  IO.inspect({question, ask.(question)})
end

IO.inspect(:erl_ddll.unload('setuid_drv'))
