//! Programs, by both mechanisms, in every way to end.
#![allow(unsafe_code)] // kills its own programs, and lowers a limit for a moment

use wharf::{Error, Options, Packet, Port, PortName, Term};

use crate::{Stage, Story};

pub(crate) const STORIES: [Story; 25] = [
    ("spawn, its own end", |s| {
        s.ends(&line(s, "true", plain()), "normal")
    }),
    ("spawn, not a program", |s| {
        let port = line(s, "/no/such/program 2>/dev/null", plain().exit_status());
        s.ends(&port, "normal");
    }),
    ("spawn, close", |s| close(s, line(s, "cat", plain()))),
    ("spawn, close by message", |s| {
        s.ask_to_close(&line(s, "cat", plain()))
    }),
    ("spawn, kill", |s| s.kill(&line(s, "cat", plain()))),
    ("spawn, the owner dies", |s| {
        s.owner_dies(|owner| owner.open(PortName::spawn("cat"), plain()).unwrap());
    }),
    ("spawn, half a packet", |s| {
        let options = plain().packet(Packet::Four);
        s.ends(&line(s, r"printf '\000\000\000\377abc'", options), "normal");
    }),
    ("executable, its own end", |s| {
        s.ends(&sh(s, "exit 3", plain().exit_status()), "normal")
    }),
    ("executable, end of file and close", |s| {
        let port = sh(s, "exit 0", plain().eof());
        let told = s.owner.receive_any(crate::DEADLINE).unwrap();
        assert_eq!(
            told,
            Some(Term::tuple([port.id().into(), Term::atom("eof")]))
        );
        close(s, port);
    }),
    ("executable, close", |s| close(s, cat(s, plain()))),
    ("executable, close by message", |s| {
        s.ask_to_close(&cat(s, plain()))
    }),
    ("executable, kill", |s| {
        s.kill(&cat(s, plain().exit_status()))
    }),
    ("executable, the owner dies", |s| {
        s.owner_dies(|owner| owner.open(cat_name(), plain()).unwrap());
    }),
    ("executable, other descriptors", |s| {
        close(s, sh(s, "cat <&3 >&4", plain().nouse_stdio()))
    }),
    ("executable, one direction", |s| {
        s.ends(&sh(s, "exit 0", plain().input_only()), "normal");
        close(s, cat(s, plain().output_only().stderr_to_stdout()));
    }),
    ("executable, half a packet and close", |s| {
        let port = cat(s, plain().packet(Packet::Two));
        port.command(vec![b'x'; 60_000]).unwrap();
        close(s, port);
    }),
    ("executable, half a large packet", |s| {
        let script = r"printf '\000\001\377\377'; head -c 90000 /dev/zero";
        s.ends(&sh(s, script, plain().packet(Packet::Four)), "normal");
    }),
    ("executable, half a line", |s| {
        s.ends(&sh(s, "printf 'one\\ntwo'", plain().line(80)), "normal");
    }),
    ("executable, half a line and close", |s| {
        let port = cat(s, plain().line(80));
        port.command("half").unwrap();
        close(s, port);
    }),
    ("executable, queued output and kill", |s| {
        let port = sleeper(s);
        let pid = pid(&port);
        s.kill(&port);
        kill(pid);
    }),
    ("executable, queued output and end", |s| {
        let port = sleeper(s);
        kill(pid(&port));
        s.end(port.id());
    }),
    ("executable, named, watched and linked", |s| {
        let port = cat(s, plain());
        let id = Term::Port(port.id());
        let other = s.host.process();
        other.link(&id).unwrap();
        other.monitor(&Term::atom("port"), &id).unwrap();
        s.owner.register(&Term::atom("leaks_name"), &id).unwrap();
        s.owner
            .port_set_data(&id, Term::charlist("kept with the port"))
            .unwrap();
        let told = s.owner.monitor(&Term::atom("port"), &id).unwrap();
        port.close().unwrap();
        s.ends(&port, "normal");
        let down = s.owner.receive_any(crate::DEADLINE).unwrap().unwrap();
        assert!(
            down.as_tuple().unwrap()[1] == Term::Reference(told),
            "{down}"
        );
    }),
    ("executable, refused", |s| {
        for (file, reason) in [("/no/such", "enoent"), ("/etc/passwd", "eacces")] {
            refused(
                s.owner.open(PortName::spawn_executable(file), plain()),
                reason,
            );
        }
        let twice = plain().line(5).packet(Packet::One);
        refused(s.owner.open(cat_name(), twice), "badarg");
    }),
    ("executable, fails on its way", |s| {
        let folder = PortName::spawn_executable("/tmp");
        s.ends(&s.open(folder, plain().exit_status()), "normal");
        s.ends(&cat(s, plain().cd("/no/such/folder")), "normal");
    }),
    ("executable, no descriptors", |s| {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the structure is ours.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
        let none = libc::rlimit {
            rlim_cur: 0,
            ..limit
        };
        // SAFETY: as above.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) };
        let answer = s.owner.open(cat_name(), plain());
        // SAFETY: as above.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
        refused(answer, "emfile");
    }),
];

fn plain() -> Options {
    Options::new().binary()
}

fn line(stage: &Stage, command: &str, options: Options) -> Port {
    stage.open(PortName::spawn(command), options)
}

fn sh(stage: &Stage, script: &str, options: Options) -> Port {
    stage.open(
        PortName::spawn_executable("/bin/sh"),
        options.args(["-c", script]),
    )
}

fn cat_name() -> PortName {
    PortName::spawn_executable("/bin/cat")
}

fn cat(stage: &Stage, options: Options) -> Port {
    stage.open(cat_name(), options)
}

/// A program that does not read, with more to read than its pipe holds.
fn sleeper(stage: &Stage) -> Port {
    let port = stage.open(PortName::spawn_executable("/bin/sleep"), plain().arg("600"));
    port.command(vec![b'x'; 200_000]).unwrap();
    port
}

fn close(stage: &Stage, port: Port) {
    port.close().unwrap();
    stage.ends(&port, "normal");
}

pub(crate) fn refused(answer: Result<Port, Error>, reason: &str) {
    let error = answer.map(drop).expect_err("it is refused");
    assert!(error.is(reason), "{error}, not {reason}");
}

pub(crate) fn pid(port: &Port) -> i32 {
    port.info("os_pid").unwrap().to_string().parse().unwrap()
}

pub(crate) fn kill(pid: i32) {
    // SAFETY: no memory is involved; the program is this test's own.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}
