//! Drivers as a distribution packages them, unmodified: the sessions that were observed with a
//! real Erlang, with the same answers.

#[path = "support/packaged.rs"]
mod packaged;
#[path = "support/world.rs"]
mod world;

use std::path::Path;

use wharf::term::{Binary, PortId, Term, decode, encode};
use world::{World, scratch, shown, term};

fn load(application: &str, name: &str) -> Option<World> {
    let folder = packaged::folder(application, name)?;
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    Some(world)
}

fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|facts| facts.len())
}

fn control(world: &World, port: PortId, operation: u32, data: impl Into<Term>) -> String {
    let answer = world
        .me
        .port_control(&port.into(), &Term::from(operation), &data.into());
    answer.map_or_else(|raise| shown(&raise.reason), |term| shown(&term))
}

fn external(text: &str) -> Term {
    Term::Binary(Binary::from(encode::encode(&term(text)).unwrap()))
}

#[test]
fn trace_file_writes_records() {
    let Some(world) = load("runtime_tools", "trace_file_drv") else {
        return;
    };
    let file = scratch("trace_file").join("trace");
    let command = format!("trace_file_drv n {}", file.display());
    let port = world.open(&command, "[]");
    let name = world
        .me
        .port_info_item(&port.into(), &Term::atom("name"))
        .unwrap();
    assert_eq!(
        name,
        Term::tuple(vec![Term::atom("name"), Term::charlist(&command)])
    );
    assert_eq!(size(&file), Some(0));
    // {a, 1} as OTP 25 wrote it, with an atom in the old form.
    let record = [131, 104, 2, 100, 0, 1, 97, 97, 1];
    assert_eq!(shown(&decode::decode(&record).unwrap().0), "{a,1}");
    world.command(port, Term::Binary(Binary::from(&record[..])));
    assert_eq!(size(&file), Some(0), "it is buffered");
    assert_eq!(control(&world, port, u32::from(b'f'), ""), "[0]");
    let written = std::fs::read(&file).unwrap();
    assert_eq!(written, [&[0, 0, 0, 0, 9][..], &record[..]].concat());
    assert_eq!(control(&world, port, u32::from(b'x'), ""), "badarg");
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    for (command, reason) in [
        ("trace_file_drv", "badarg"),
        ("trace_file_drv n /nonexist/x", "enoent"),
        ("trace_file_drv x y", "badarg"),
    ] {
        assert_eq!(
            world.try_open(command, "[]").unwrap_err().reason,
            Term::atom(reason)
        );
    }
}

#[test]
fn trace_file_wraps() {
    let Some(world) = load("runtime_tools", "trace_file_drv") else {
        return;
    };
    let folder = scratch("trace_wrap");
    let pattern = folder.join("trz.log").display().to_string();
    let tail = pattern.len() - ".log".len();
    let port = world.open(&format!("trace_file_drv w 20 2 0 {tail} n {pattern}"), "[]");
    let sizes = || [0, 1, 2].map(|number| size(&folder.join(format!("trz{number}.log"))));
    // Two files at a time: when the third is begun, the oldest goes.
    let expected = [
        [Some(0), None, None],
        [Some(32), Some(0), None],
        [Some(32), Some(0), None],
        [None, Some(32), Some(0)],
        [None, Some(32), Some(0)],
        [Some(0), None, Some(32)],
        [Some(0), None, Some(32)],
    ];
    for (number, expected) in (1..).zip(expected) {
        world.command(port, "11 bytes it");
        assert_eq!(sizes(), expected, "after {number}");
    }
    world.close(port);
    assert_eq!(sizes(), [Some(16), None, Some(32)], "after the close");
}

#[test]
fn trace_ip_sends_what_came_before_the_client() {
    use std::io::Read;
    let Some(world) = load("runtime_tools", "trace_ip_drv") else {
        return;
    };
    let port = world.open("trace_ip_drv 0 50 2", "[]");
    let answer = world
        .me
        .port_control(&port.into(), &Term::from(u32::from(b'p')), &Term::Nil)
        .unwrap();
    let Some([0, high, low]) = answer.as_binary().map(|binary| &binary[..]) else {
        panic!("{answer}");
    };
    world.command(port, "early");
    let mut client =
        std::net::TcpStream::connect(("127.0.0.1", u16::from_be_bytes([*high, *low]))).unwrap();
    client.set_read_timeout(Some(world::DEADLINE)).unwrap();
    let mut got = [0; 10];
    client.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"\0\0\0\0\x05early");
    world.command(port, "late");
    let mut got = [0; 9];
    client.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"\0\0\0\0\x04late");
    assert_eq!(control(&world, port, u32::from(b'x'), ""), "badarg");
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    assert_eq!(
        client.read(&mut got).unwrap(),
        0,
        "the driver closed its sockets"
    );
}

#[test]
fn sqlite_does_its_observed_session() {
    let Some(world) = load("p1_sqlite3", "sqlite3_drv") else {
        return;
    };
    let file = scratch("sqlite").join("T.db");
    let name = Term::tuple(vec![
        Term::atom("spawn"),
        Term::charlist(&format!("sqlite3_drv {}", file.display())),
    ]);
    let port = world.me.open_port(&name, &term("[binary]")).unwrap();
    assert_eq!(world.message(), "{P,ok}");
    let ask = |operation: u32, data: Term| {
        assert_eq!(control(&world, port, operation, data), "[]");
        world.message()
    };
    let sql = |text: &str| ask(2, Term::from(text));
    assert_eq!(
        sql("create table t(id integer primary key, n text, b blob, r real)"),
        "{P,ok}"
    );
    assert_eq!(
        sql("insert into t(n,b,r) values('abc',x'0102',1.5)"),
        "{P,{rowid,1}}"
    );
    assert_eq!(
        sql("select * from t"),
        r#"{P,[{columns,["id","n","b","r"]},{rows,[{1,<<"abc">>,{blob,<<1,2>>},1.5}]}]}"#
    );
    assert_eq!(
        sql("bogus"),
        r#"{P,{error,1,"near \"bogus\": syntax error"}}"#
    );
    assert_eq!(sql(""), r#"{P,{error,21,"empty statement"}}"#);
    let insert = r#"{<<"insert into t(n,b) values(?,?)">>,[<<"xyz">>,{blob,<<9,8>>}]}"#;
    assert_eq!(ask(4, external(insert)), "{P,{rowid,2}}");
    assert_eq!(
        ask(4, external(r#"{<<"select n from t where id=?1">>,[2]}"#)),
        r#"{P,[{columns,["n"]},{rows,[{<<"xyz">>}]}]}"#
    );
    assert_eq!(
        ask(5, Term::from("select id,n from t order by id")),
        "{P,0}"
    );
    let zero = || external("0");
    assert_eq!(ask(11, zero()), r#"{P,["id","n"]}"#);
    let steps = [r#"{P,{1,<<"abc">>}}"#, r#"{P,{2,<<"xyz">>}}"#, "{P,done}"];
    assert_eq!([ask(7, zero()), ask(7, zero()), ask(7, zero())], steps);
    assert_eq!(ask(8, zero()), "{P,ok}");
    assert_eq!(ask(6, external("{0,[]}")), "{P,ok}");
    assert_eq!(ask(10, zero()), "{P,ok}");
    assert_eq!(
        ask(10, zero()),
        r#"{P,{error,21,"Trying to finalize non-existent prepared statement"}}"#
    );
    assert_eq!(
        ask(
            12,
            Term::from("insert into t(n) values('s1'); select count(*) from t; bogus")
        ),
        r#"{P,[{rowid,3},[{columns,["count(*)"]},{rows,[{3}]}],{error,1,"near \"bogus\": syntax error"}]}"#
    );
    assert_eq!(ask(14, Term::from("")), "{P,1}");
    assert_eq!(ask(13, Term::Binary(Binary::from(&[1_u8][..]))), "{P,ok}");
    assert_eq!(ask(99, Term::Nil), "{P,error,-1,unknown_command}");
    world.command(port, "dropped: it has no output callback");

    world.open("sqlite3_drv /nonexist/z", "[]");
    assert_eq!(
        world.message(),
        r#"{P,{error,14,"unable to open database file"}}"#
    );
    assert_eq!(
        world.try_open("sqlite3_drv", "[]").unwrap_err().reason,
        Term::atom("badarg")
    );
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    assert_eq!(world.ddll("unload", &["sqlite3_drv"]), "ok");
}

#[test]
fn megaco_gives_the_tokens_that_erlangs_own_scanner_gives() {
    let message = "MEGACO/1 [10.0.0.1]:2944 Transaction = 12 {\n Context = $ { Add = ship/1 {\n\
        Media { Local {\nv=0\nc=IN IP4 10.0.0.2\n} } } } }";
    let question = format!(
        "{{ok, Ports}} = megaco_flex_scanner:start(), {{ok, Tokens, _, Last}} = \
         megaco_flex_scanner:scan(<<{message:?}>>, Ports), \
         io:format(\"~w\", [{{tokens, Tokens, Last}}]), halt()."
    );
    for name in ["megaco_flex_scanner_drv", "megaco_flex_scanner_drv_mt"] {
        let Some(world) = load("megaco", name) else {
            return;
        };
        let asked = std::process::Command::new("erl")
            .args(["-noshell", "-eval", &question])
            .env("HOME", scratch("megaco"))
            .output();
        let Ok(asked) = asked else {
            eprintln!("skipped: no erl");
            return;
        };
        let port = world.open(name, "[binary]");
        assert_eq!(control(&world, port, u32::from(b's'), message), "[]");
        let tokens = world.me.receive_any(world::DEADLINE).unwrap().unwrap();
        let theirs = String::from_utf8(asked.stdout).unwrap();
        assert!(theirs.starts_with("{tokens,["), "{theirs}");
        assert_eq!(tokens, term(&theirs));
        world.close(port);
    }
}
