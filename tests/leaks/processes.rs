//! Processes with all they can have, and whole hosts.

use std::time::Duration;

use wharf::{Host, Options, PortName, Process, Term};

use crate::Story;

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) const STORIES: [Story; 8] = [
    ("a process", |s| drop(s.host.process())),
    ("a process with messages", |s| {
        let process = s.host.process();
        for size in [1, 100, 10_000] {
            let message = Term::from(wharf::Binary::from(vec![0; size]));
            process.send(&process.pid().into(), message).unwrap();
        }
    }),
    ("a process with a name", |s| {
        let process = s.host.process();
        process
            .register(&Term::atom("leaks_process"), &process.pid().into())
            .unwrap();
    }),
    ("processes that are linked and watched", |s| {
        let one = s.host.process();
        let other = s.host.process();
        one.set_trap_exit(true);
        one.link(&other.pid().into()).unwrap();
        one.monitor(&Term::atom("process"), &other.pid().into())
            .unwrap();
        other
            .monitor(&Term::atom("process"), &one.pid().into())
            .unwrap();
        other.exit(Term::tuple([Term::atom("a"), Term::charlist("reason")]));
        assert_eq!(one.messages_waiting(), 2);
    }),
    ("a monitor that is taken back", |s| {
        let other = s.host.process();
        let watch = s
            .owner
            .monitor(&Term::atom("process"), &other.pid().into())
            .unwrap();
        assert_eq!(
            s.owner.demonitor(&Term::Reference(watch), &Term::Nil),
            Ok(true)
        );
    }),
    ("references", |s| {
        assert_ne!(s.owner.make_ref(), s.owner.make_ref())
    }),
    ("a message later, taken back", |s| {
        let later = s
            .owner
            .send_after(HOUR, &s.owner.pid().into(), Term::charlist("late"));
        assert!(s.owner.cancel_timer(later).is_some());
    }),
    ("a message later for a process that has died", |s| {
        let process = s.host.process();
        process.send_after(HOUR, &process.pid().into(), Term::charlist("late"));
        s.owner
            .send_after(HOUR, &process.pid().into(), Term::charlist("late"));
    }),
];

pub(crate) const HOSTS: [Story; 4] = [
    ("a host", |_| drop(Host::new().unwrap())),
    ("a host that has worked", |_| {
        let host = Host::new().unwrap();
        let owner = host.process();
        owner.set_trap_exit(true);
        let name = PortName::spawn_executable("/bin/true");
        owner.open(name, Options::new()).unwrap();
        owner.receive_any(crate::DEADLINE).unwrap().unwrap();
    }),
    ("a host with everything open", |stage| {
        let host = Host::new().unwrap();
        let owner = host.process();
        let open = |name| owner.open(name, Options::new()).unwrap();
        let ports = [
            open(PortName::spawn_executable("/bin/cat")),
            open(PortName::fd(0, 1)),
        ];
        owner.load_driver(&stage.folder, "holding_drv").unwrap();
        let driver = open(PortName::spawn_driver("holding_drv"));
        let hold = Term::from(u32::from('a'));
        owner
            .port_control(&driver.id().into(), &hold, &Term::Nil)
            .unwrap();
        owner.send_after(HOUR, &owner.pid().into(), Term::atom("never"));
        drop((ports, driver));
        linger(&host, owner);
    }),
    ("a host whose program outlives it", |_| {
        let host = Host::new().unwrap();
        let owner = host.process();
        let port = owner.open(
            PortName::spawn_executable("/bin/sleep"),
            Options::new().arg("600"),
        );
        let port = port.unwrap();
        let pid = crate::programs::pid(&port);
        port.close().unwrap();
        drop((port, owner, host));
        crate::programs::kill(pid);
    }),
];

/// The process goes after the host's own handle.
fn linger(host: &Host, owner: Process) {
    drop(host.clone());
    drop(owner);
}
