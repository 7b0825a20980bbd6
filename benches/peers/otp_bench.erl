%% The work of `wharf bench`, done by Erlang: erl -noshell -pa DIR -s otp_bench one ITEM ARGUMENTS...
%% prints one reading, a number for each column that the row has. Each reading is a fresh VM's, as
%% each of wharf's is a fresh process's. DIR holds the drivers and the program too.
-module(otp_bench).
-export([one/1]).

one(Words) ->
    [Item | Arguments] = [atom_to_list(Word) || Word <- Words],
    load(),
    V = fresh(fun() -> lists:flatten([item(Item, Arguments)]) end),
    [io:format("~w ", [float(X)]) || X <- V],
    io:nl(),
    halt().

item("control", [C, Procs, N]) -> ctl(int(Procs), int(C), [], int(N));
item("control_binary", [C, Procs, N]) -> ctl(int(Procs), int(C), [$B], int(N));
item("scaling", [C, N]) ->
    One = ctl(1, int(C), [], int(N)),
    Two = ctl(2, int(C), [], int(N)),
    [Two, Two / One];
item("echo", [Drv, Mode, Sz, N]) -> echo(Drv ++ " " ++ Mode, int(Sz), int(N));
item("flood", [Drv, N]) -> flood(Drv ++ " sink", int(N));
item("terms", [N]) -> terms(int(N));
item("async", [_Threads, "each", N]) -> async([1 || _ <- lists:seq(1, int(N))]);
item("async", [_Threads, "all", N]) -> async([int(N)]);
item("timer", [Ports, N, Ms]) -> timer(int(Ports), int(N), int(Ms));
item("rearm", [N]) -> rearm(int(N));
item("select", [Ports, Fds, Batch, N]) -> select(int(Ports), int(Fds), int(Batch), int(N));
item("spawn", [N, Fl, Mb]) -> spawns(int(N), int(Fl), int(Mb));
item("program", [P4, Sz, N]) -> ext(int(P4), int(Sz), int(N));
item("pump", [Dir, Bytes]) -> pump(Dir, int(Bytes));
item("lines", [N]) -> lines(int(N));
item("many_drivers", [N]) -> many_drv(int(N));
item("many_programs", [N]) -> many_cat(int(N));
item("idle", [N]) -> idle(int(N)).

int(S) -> list_to_integer(S).

%% a process of its own, with its settings and nothing on its heap
fresh(F) ->
    {P, M} = spawn_monitor(fun() -> exit({ok, F()}) end),
    receive {'DOWN', M, process, P, {ok, V}} -> V end.

load() -> [ok = erl_ddll:load(dir(), D) || D <- ["bench_drv", "bench_drvv"]].

dir() -> filename:dirname(code:which(?MODULE)).

drv(D) -> open_port({spawn_driver, D}, [binary]).

secs(F) ->
    T0 = erlang:monotonic_time(),
    F(),
    (erlang:monotonic_time() - T0) / erlang:convert_time_unit(1, second, native).

cmd(P, C, A, B) -> port_control(P, C, <<A:32/native, B:32/native>>).

%% ---- calls of a driver

ctl(Procs, C, Setup, N) ->
    Me = self(),
    Ps = [spawn_link(fun() ->
                             P = drv("bench_drv sink"),
                             [port_control(P, S, <<>>) || S <- Setup],
                             Me ! ready,
                             receive go -> ok end,
                             control(P, C, N),
                             Me ! done
                     end) || _ <- lists:seq(1, Procs)],
    [receive ready -> ok end || _ <- Ps],
    T = secs(fun() -> [P ! go || P <- Ps], [receive done -> ok end || _ <- Ps] end),
    Procs * N / T.

control(_, _, 0) -> ok;
control(P, C, N) -> port_control(P, C, <<>>), control(P, C, N - 1).

echo(Drv, Sz, N) ->
    P = drv(Drv),
    N / secs(fun() -> trips(P, binary:copy(<<"x">>, Sz), N) end).

trips(_, _, 0) -> ok;
trips(P, B, N) ->
    port_command(P, B),
    receive {P, {data, _}} -> ok end,
    trips(P, B, N - 1).

flood(Drv, N) ->
    P = drv(Drv),
    B = binary:copy(<<"x">>, 64),
    N / secs(fun() -> send(P, B, N), port_control(P, 0, <<>>) end).

send(_, _, 0) -> ok;
send(P, B, N) -> port_command(P, B), send(P, B, N - 1).

%% ---- messages from threads, timers and descriptors of a driver

terms(N) ->
    process_flag(message_queue_data, off_heap),
    P = drv("bench_drv sink"),
    N / secs(fun() -> cmd(P, $T, N, 0), tags3(N) end).

tags3(0) -> ok;
tags3(N) -> receive {tag, _, _} -> tags3(N - 1) end.

async(Batches) ->
    P = drv("bench_drv sink"),
    N = lists:sum(Batches),
    T = secs(fun() ->
                     [begin [cmd(P, $A, B, 0) || B <- Batches], tags2(N) end || _ <- lists:seq(1, 10)]
             end),
    10 * N / T.

tags2(0) -> ok;
tags2(N) -> receive {tag, _} -> tags2(N - 1) end.

rearm(N) ->
    P = drv("bench_drv sink"),
    N / secs(fun() -> cmd(P, $M, 0, N), receive {P, {data, _}} -> ok end end).

timer(Ports, N, Ms) ->
    Ps = [drv("bench_drv sink") || _ <- lists:seq(1, Ports)],
    stats(hd(Ps)),
    T = secs(fun() ->
                     [cmd(P, $M, Ms, N) || P <- Ps],
                     [receive {P, {data, _}} -> ok end || P <- Ps]
             end),
    {Mean, P99} = stats(hd(Ps)),
    [Ports * N / T, Mean, P99].

stats(P) ->
    <<Mean:64/native, P99:64/native>> = list_to_binary(port_control(P, $H, <<>>)),
    {float(Mean), float(P99)}.

select(Ports, Fds, Batch, N) ->
    Ps = [drv("bench_drv sink") || _ <- lists:seq(1, Ports)],
    [cmd(P, $P, Fds, Batch) || P <- Ps],
    N / secs(fun() -> cmd(hd(Ps), $W, N, 0), datas(N) end).

datas(0) -> ok;
datas(N) -> receive {_, {data, _}} -> datas(N - 1) end.

%% ---- programs

spawns(N, InFlight, Mb) ->
    Heap = lists:seq(1, Mb * 65536), %% 16 B a cell
    garbage_collect(),
    First = min(N, InFlight),
    T = secs(fun() -> [true_port() || _ <- lists:seq(1, First)], spawn_rest(N - First, First) end),
    true = length(Heap) =:= Mb * 65536,
    N / T.

true_port() -> open_port({spawn_executable, "/bin/true"}, [exit_status]).

spawn_rest(0, 0) -> ok;
spawn_rest(0, Live) -> receive {_, {exit_status, 0}} -> spawn_rest(0, Live - 1) end;
spawn_rest(N, Live) -> receive {_, {exit_status, 0}} -> true_port(), spawn_rest(N - 1, Live) end.

exe(Path, Args, Opts) -> open_port({spawn_executable, Path}, [binary, {args, Args} | Opts]).

prog(Args, Opts) -> exe(filename:join(dir(), "prog"), Args, Opts).

ext(P4, Sz, N) ->
    P = case P4 of
            0 -> exe("/bin/cat", [], []);
            1 -> prog(["echo4"], [{packet, 4}])
        end,
    B = binary:copy(<<"x">>, Sz),
    sized_trips(P, B, Sz, 1),
    N / secs(fun() -> sized_trips(P, B, Sz, N) end).

sized_trips(_, _, _, 0) -> ok;
sized_trips(P, B, Sz, N) -> port_command(P, B), bytes(P, Sz), sized_trips(P, B, Sz, N - 1).

bytes(_, 0) -> ok;
bytes(P, Left) -> receive {P, {data, D}} -> bytes(P, Left - byte_size(D)) end.

pump("out", Bytes) ->
    Bytes / 1.0e6 / secs(fun() -> bytes(prog(["blast", integer_to_list(Bytes)], []), Bytes) end);
pump("in", Bytes) ->
    B = binary:copy(<<"x">>, 65536),
    Bytes / 1.0e6 / secs(fun() ->
                                 P = prog(["discard", integer_to_list(Bytes)], []),
                                 send(P, B, Bytes div 65536),
                                 receive {P, {data, <<"k">>}} -> ok end
                         end).

lines(N) ->
    N / secs(fun() -> eols(prog(["lines", integer_to_list(N)], [{line, 4096}]), N) end).

eols(_, 0) -> ok;
eols(P, N) -> receive {P, {data, {eol, _}}} -> eols(P, N - 1) end.

%% ---- many ports

many_drv(N) ->
    {Open, Rss, Ps} = open_many(N, fun() -> drv("bench_drv copy") end),
    Rt = secs(fun() -> [trips(P, <<"0123456789abcdef">>, 1) || P <- Ps] end),
    Close = secs(fun() -> [port_close(P) || P <- Ps] end),
    [Open, Rss, Rt * 1.0e6 / N, Close * 1000].

many_cat(N) ->
    {Open, Rss, Ps} = open_many(N, fun() -> exe("/bin/cat", [], []) end),
    B = <<"0123456789abcdef">>,
    One = secs(fun() -> [sized_trips(P, B, 16, 1) || P <- Ps] end),
    All = secs(fun() -> [port_command(P, B) || P <- Ps], [bytes(P, 16) || P <- Ps] end),
    Pids = [element(2, erlang:port_info(P, os_pid)) || P <- Ps],
    T0 = erlang:monotonic_time(),
    Close = secs(fun() -> [port_close(P) || P <- Ps] end),
    gone(Pids),
    Gone = (erlang:monotonic_time() - T0) / erlang:convert_time_unit(1, second, native),
    [Open, Rss, One * 1.0e6 / N, All * 1.0e6 / N, Close * 1000, Gone * 1000].

open_many(N, F) ->
    garbage_collect(),
    R0 = rss(),
    T0 = erlang:monotonic_time(microsecond),
    Ps = [F() || _ <- lists:seq(1, N)],
    T1 = erlang:monotonic_time(microsecond),
    {(T1 - T0) / 1000, (rss() - R0) / N, Ps}.

gone([]) -> ok;
gone([P | Ps] = All) ->
    case filelib:is_file("/proc/" ++ integer_to_list(P)) of
        true -> timer:sleep(1), gone(All);
        false -> gone(Ps)
    end.

rss() ->
    {ok, B} = file:read_file("/proc/self/statm"),
    list_to_integer(binary_to_list(lists:nth(2, binary:split(B, <<" ">>, [global])))) * 4096.

idle(N) ->
    Ps = [exe("/bin/cat", [], []) || _ <- lists:seq(1, N)],
    [sized_trips(P, <<"x">>, 1, 1) || P <- Ps],
    timer:sleep(2000),
    A = cpu_ns(),
    timer:sleep(5000),
    (cpu_ns() - A) / 1.0e6.

cpu_ns() ->
    {ok, Ts} = file:list_dir("/proc/self/task"),
    lists:sum([begin
                   {ok, B} = file:read_file("/proc/self/task/" ++ T ++ "/schedstat"),
                   list_to_integer(binary_to_list(hd(binary:split(B, <<" ">>))))
               end || T <- Ts]).
