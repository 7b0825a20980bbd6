//! Ports of drivers, holding one of everything, in every way to end.

use wharf::{Options, Port, PortName, Process, Term};

use crate::descriptors::wait_for_no_ports;
use crate::programs::refused;
use crate::{Stage, Story};

pub(crate) const STORIES: [Story; 13] = [
    ("driver, close", |s| close(s, open(s, ""))),
    ("driver, holding, close", |s| close(s, holding(s))),
    ("driver, holding, close by message", |s| {
        s.ask_to_close(&holding(s))
    }),
    ("driver, holding, kill", |s| s.kill(&holding(s))),
    ("driver, holding, the owner dies", |s| s.owner_dies(hold)),
    ("driver, holding, fails", |s| ends_itself(s, 'f', "failed")),
    ("driver, holding, end of file", |s| {
        ends_itself(s, 'e', "normal")
    }),
    ("driver, holding, exits", |s| {
        control(&s.owner, &holding(s), 'x');
        wait_for_no_ports(s);
        // What it said before; of this end nothing is told.
        assert_eq!(s.owner.messages_waiting(), 1);
        s.owner.receive_any(crate::DEADLINE).unwrap();
    }),
    ("driver, half a line", |s| {
        let port = s.open(PortName::spawn_driver("echo_drv"), Options::new().line(50));
        port.command("half a line").unwrap();
        close(s, port);
    }),
    ("driver, a caller dies", |s| {
        let port = open(s, "");
        let caller = s.host.process();
        control(&caller, &port, 'a');
        caller.exit(Term::atom("over"));
        close(s, port);
    }),
    ("driver, refused", |s| {
        for (how, reason) in [
            ("general", "einval"),
            ("errno", "emlink"),
            ("badarg", "badarg"),
        ] {
            let name = PortName::spawn_driver(format!("holding_drv {how}"));
            refused(s.owner.open(name, Options::new()), reason);
        }
        let name = PortName::spawn_driver("no_such_driver");
        refused(s.owner.open(name, Options::new()), "badarg");
    }),
    ("driver, asked for what it has not", |s| {
        let port = open(s, "");
        let id = port.id().into();
        assert!(s.owner.port_call(&id, &Term::from(1), &Term::Nil).is_err());
        let control = s.owner.port_control(&id, &Term::from(1), &Term::Nil);
        assert!(control.is_err());
        close(s, port);
    }),
    ("driver, loaded and unloaded", |s| {
        let name = "holding_drv";
        let other = s.host.process();
        other.load_driver(&s.folder, name).unwrap();
        other.unload_driver(name).unwrap();
    }),
];

fn open(stage: &Stage, how: &str) -> Port {
    let name = PortName::spawn_driver(format!("holding_drv {how}"));
    stage.open(name, Options::new().binary())
}

fn control(by: &Process, port: &Port, operation: char) {
    let operation = Term::from(u32::from(operation));
    by.port_control(&port.id().into(), &operation, &Term::Nil)
        .unwrap();
}

fn hold(owner: &Process) -> Port {
    let port = owner
        .open(PortName::spawn_driver("holding_drv"), Options::new())
        .unwrap();
    control(owner, &port, 'a');
    port
}

fn holding(stage: &Stage) -> Port {
    hold(&stage.owner)
}

fn ends_itself(stage: &Stage, how: char, reason: &str) {
    let port = holding(stage);
    control(&stage.owner, &port, how);
    stage.ends(&port, reason);
}

fn close(stage: &Stage, port: Port) {
    port.close().unwrap();
    stage.ends(&port, "normal");
}
