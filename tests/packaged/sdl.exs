# The driver of esdl, Erlang's way to SDL, from a script: a window that nobody sees, with SDL's dummy video driver.
:ok = :erl_ddll.load_driver(String.to_charlist(System.fetch_env!("DRIVER")), 'sdl_driver')
port = Port.open({:spawn, "sdl_driver"}, [:binary])
ask = fn operation, data -> :erlang.port_control(port, operation, data) end

# init with video, the error there is none of, the driver's name
IO.inspect(ask.(21, <<0x20::native-32>>))
IO.inspect(ask.(23, ""))
IO.inspect(ask.(31, ""))

# A video mode is made in a thread of the driver's; the surface comes as a message to who asked.
IO.inspect(ask.(36, <<64::16, 48::16, 16::16, 0::32>>))

surface =
  receive do
    {:_esdl_result_, surface} -> surface
  after
    20_000 -> :nothing
  end

IO.inspect(is_integer(surface) and surface > 0)
IO.inspect(ask.(32, "") == <<surface::native-64>>)
IO.inspect(Port.close(port))
IO.inspect(:erl_ddll.unload_driver('sdl_driver'))
