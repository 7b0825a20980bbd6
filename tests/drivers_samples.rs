//! The sample drivers do in wharf what they say, and what they do in Erlang.

#[path = "support/world.rs"]
mod world;

use wharf::term::Term;
use world::{DEADLINE, World, scratch, shown, term};

#[test]
fn echo_gives_back_what_it_gets() {
    let world = World::with("echo_drv");
    let list = world.open("echo_drv", "[]");
    world.command(list, "hello");
    assert_eq!(world.message(), r#"{P,{data,"hello"}}"#);
    let binary = world.open("echo_drv and arguments", "[binary]");
    world.command(binary, "hello");
    assert_eq!(world.message(), r#"{P,{data,<<"hello">>}}"#);
    world.command(binary, Term::from(""));
    assert_eq!(world.message(), "{P,{data,<<>>}}");
    let large = Term::Binary(wharf::term::Binary::from(vec![b'x'; 100_000]));
    world.command(binary, large);
    assert_eq!(world.message().len(), "{P,{data,<<\"\">>}}".len() + 100_000);
    let info = world
        .me
        .port_info_item(&binary.into(), &Term::atom("name"))
        .unwrap();
    assert_eq!(shown(&info), r#"{name,"echo_drv and arguments"}"#);
    world.close(binary);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
}

#[test]
fn counter_adds_answers_and_ticks() {
    let world = World::with("counter_drv");
    let port = world.open("counter_drv", "[binary]");
    world.command(port, "5");
    world.command(port, "7");
    assert_eq!(
        world.messages(2),
        [r#"{P,{data,<<"5">>}}"#, r#"{P,{data,<<"12">>}}"#]
    );
    assert_eq!(world.control(port, u32::from(b'g'), ""), r#""12""#);
    assert_eq!(world.control(port, u32::from(b'r'), ""), r#""12""#);
    assert_eq!(world.control(port, u32::from(b'?'), ""), "badarg");
    assert_eq!(world.control(port, u32::from(b't'), "1"), "[]");
    assert_eq!(
        world.messages(2),
        [r#"{P,{data,<<"1">>}}"#, r#"{P,{data,<<"2">>}}"#]
    );
    assert_eq!(world.control(port, u32::from(b't'), "0"), "[]");
    world.command(port, "x");
    let last = std::iter::repeat_with(|| world.message()).find(|message| !message.contains("data"));
    assert_eq!(last.as_deref(), Some("{'EXIT',P,not_a_number}"));
}

#[test]
fn reader_reads_files_and_says_why_it_cannot() {
    let world = World::with("reader_drv");
    let folder = scratch("reader");
    let file = folder.join("file");
    std::fs::write(&file, "some text\n").unwrap();
    let port = world.open(&format!("reader_drv {}", file.display()), "[eof]");
    assert_eq!(
        world.messages(2),
        [r#"{P,{data,"some text\n"}}"#, "{P,eof}"]
    );
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    let missing = world
        .try_open("reader_drv /no/such/file", "[]")
        .unwrap_err();
    assert_eq!(missing.reason, Term::atom("enoent"));
    let nothing = world.try_open("reader_drv", "[]").unwrap_err();
    assert_eq!(nothing.reason, Term::atom("badarg"));
    world.open(&format!("reader_drv {}", file.display()), "[binary]");
    assert_eq!(
        world.messages(2),
        [r#"{P,{data,<<"some text\n">>}}"#, "{'EXIT',P,normal}"]
    );
}

#[test]
fn reader_waits_for_a_pipe() {
    use std::io::Write;
    let world = World::with("reader_drv");
    let path = scratch("reader_pipe").join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    world.open(&format!("reader_drv {}", path.display()), "[binary]");
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for text in ["one", "two"] {
        pipe.write_all(text.as_bytes()).unwrap();
        assert_eq!(world.message(), format!("{{P,{{data,<<\"{text}\">>}}}}"));
    }
    drop(pipe);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
}

#[test]
fn worker_answers_in_order() {
    let world = World::with("worker_drv");
    let port = world.open("worker_drv", "[]");
    for number in ["100", "10000", "3"] {
        world.command(port, number);
    }
    let answers = [
        r#"{P,{data,"100: 25"}}"#,
        r#"{P,{data,"10000: 1229"}}"#,
        r#"{P,{data,"3: 1"}}"#,
    ];
    assert_eq!(world.messages(3), answers);
}

#[test]
fn queue_is_written_before_the_port_ends() {
    let world = World::with("queue_drv");
    let file = scratch("queue").join("out");
    let port = world.open(&format!("queue_drv {}", file.display()), "[]");
    world.command(port, "abc");
    world.command(
        port,
        Term::Binary(wharf::term::Binary::from(vec![b'x'; 100_000])),
    );
    world
        .me
        .send(
            &port.into(),
            Term::tuple(vec![world.me.pid().into(), Term::atom("close")]),
        )
        .unwrap();
    assert_eq!(world.messages(2), ["{'EXIT',P,normal}", "{P,closed}"]);
    assert_eq!(std::fs::read(&file).unwrap().len(), 100_003);
}

#[test]
fn terms_of_every_kind_arrive() {
    let world = World::with("term_drv");
    let port = world.open("term_drv", "[]");
    let shared = format!("<<\"{}\">>", "s".repeat(90));
    for (command, text) in [
        ("nil", "[]"),
        ("atom", "hello"),
        ("int", "42"),
        ("negative", "-42"),
        ("uint", "18446744073709551615"),
        ("int64", "-9223372036854775808"),
        ("uint64", "18446744073709551615"),
        ("float", "0.25"),
        ("string", r#""text""#),
        ("string_cons", "[104,101,97,100,tail]"),
        ("binary", r#"<<"bytes">>"#),
        ("shared", shared.as_str()),
        ("tuple", "{a,1,[]}"),
        ("list", "[1000,2000]"),
        ("improper", "[a|b]"),
        ("map", "#{one => 1,<<\"two\">> => 2.0}"),
        ("pid", "<pid>"),
        ("port", "P"),
        ("ext", "{a,1}"),
        ("reply", "reply"),
        ("else", r#"{unknown,<<"else">>}"#),
    ] {
        world.command(port, command);
        assert_eq!(world.message(), format!("{{P,{text}}}"), "{command}");
    }
}

#[test]
fn busy_makes_senders_wait() {
    let world = World::with("busy_drv");
    let port = world.open("busy_drv 2 20", "[]");
    let flags = term("[nosuspend]");
    let send = |flags: &Term| world.me.port_command(&port.into(), &Term::from("x"), flags);
    assert_eq!(
        [send(&flags), send(&flags), send(&flags)],
        [Ok(true), Ok(true), Ok(false)]
    );
    assert_eq!(send(&term("[force]")), Ok(true));
    assert_eq!(send(&Term::Nil), Ok(true), "waits until the pause is over");
    assert_eq!(world.messages(4).len(), 4);
    let held = world.open("busy_drv", "[]");
    assert_eq!(world.control(held, u32::from(b'b'), ""), "[]");
    assert_eq!(
        world
            .me
            .port_command(&held.into(), &Term::from("x"), &flags),
        Ok(false)
    );
    assert_eq!(world.control(held, u32::from(b'f'), ""), "[]");
    assert_eq!(
        world
            .me
            .port_command(&held.into(), &Term::from("x"), &flags),
        Ok(true)
    );
}

#[test]
fn monitor_hears_of_a_process_that_ends() {
    let world = World::with("monitor_drv");
    let port = world.open("monitor_drv", "[]");
    let other = world.host.process();
    other
        .port_command(&port.into(), &Term::from("watch me"), &Term::Nil)
        .unwrap();
    let told = other.receive_any(DEADLINE).unwrap().unwrap();
    assert_eq!(shown(&told), "{P,watching}");
    let loyal = world.host.process();
    for text in ["watch me", "bye"] {
        loyal
            .port_command(&port.into(), &Term::from(text), &Term::Nil)
            .unwrap();
    }
    let gone = other.pid();
    loyal.exit(Term::atom("normal"));
    other.exit(Term::atom("normal"));
    let message = world.me.receive_any(DEADLINE).unwrap().unwrap();
    let gone = Term::tuple(vec![Term::atom("gone"), gone.into()]);
    assert_eq!(message, Term::tuple(vec![port.into(), gone]));
    assert_eq!(world.me.messages_waiting(), 0);
}

#[test]
fn call_takes_and_gives_terms() {
    let world = World::with("call_drv");
    let port = world.open("call_drv", "[]");
    let call = |operation: u32, data: Term| {
        world
            .me
            .port_call(&port.into(), &Term::from(operation), &data)
            .map(|term| shown(&term))
    };
    assert_eq!(
        call(7, term("{some, \"term\"}")).as_deref(),
        Ok("{7,{some,\"term\"}}")
    );
    let large = Term::Binary(wharf::term::Binary::from(vec![b'x'; 1000]));
    assert_eq!(call(1, large).unwrap().len(), 1000 + "{1,<<\"\">>}".len());
    assert_eq!(
        call(u32::MAX, Term::Nil).unwrap_err().reason,
        Term::atom("badarg")
    );
}
