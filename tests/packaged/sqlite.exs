# The SQLite driver of a distribution, from a script: run with the folder of the driver and a
# scratch folder in the environment.
:ok = :erl_ddll.load(String.to_charlist(System.fetch_env!("DRIVER")), 'sqlite3_drv')
file = Path.join(System.fetch_env!("SCRATCH"), "words.db")
File.rm(file)
port = Port.open({:spawn, "sqlite3_drv " <> file}, [:binary])

tell = fn ->
  receive do
    {^port, answer} -> IO.inspect(answer)
    {^port, tag, code, reason} -> IO.inspect({tag, code, reason})
  after
    5000 -> IO.puts("no answer")
  end
end

ask = fn operation, data ->
  [] = :erlang.port_control(port, operation, data)
  tell.()
end

sql = &ask.(2, &1)
term = &:erlang.term_to_binary/1

tell.()
sql.("create table words(id integer primary key, word text, bytes blob, share real)")
sql.("insert into words(word, bytes, share) values('abc', x'0102', 1.5)")
sql.("select * from words")
ask.(4, term.({"insert into words(word, bytes) values(?, ?)", ["xyz", {:blob, <<9, 8>>}]}))
ask.(4, term.({"select word from words where id = ?1", [2]}))
ask.(5, "select id, word from words order by id")
ask.(11, term.(0))
for _ <- 1..3, do: ask.(7, term.(0))
ask.(10, term.(0))
sql.("bogus")
ask.(99, "")
Port.close(port)
IO.inspect(:erl_ddll.unload('sqlite3_drv'))
IO.inspect(File.exists?(file))
