//! The environment variables of a host: of its own, and one table for all who live in it.

#[path = "support/world.rs"]
mod world;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use wharf::{BadVariable, Host, Message, Options, PortName};
use world::{DEADLINE, World, compile};

/// What `env` prints in a program of the host, as sorted lines.
fn printed(host: &Host, options: Options) -> Vec<String> {
    let me = host.process();
    let name = PortName::spawn_executable("/usr/bin/env");
    let port = me.open(name, options.binary().exit_status()).unwrap();
    let mut text = Vec::new();
    let next = || me.next_from(port.id(), DEADLINE).unwrap().expect("in time");
    while let Message::Data { bytes, .. } = next() {
        text.extend_from_slice(&bytes);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn lines_of(host: &Host, name: &str) -> Vec<String> {
    let mut lines = printed(host, Options::new());
    lines.retain(|line| line.starts_with(name));
    lines
}

fn env_drv() -> World {
    let world = World::new();
    let folder = compile("env_drv");
    let loaded = world.ddll("load", &[&folder.to_string_lossy(), "env_drv"]);
    assert_eq!(loaded, "ok");
    world
}

fn ask(world: &World, operation: u8, text: &str) -> String {
    let port = world.open("env_drv", "[]");
    let answer = world.control(port, u32::from(operation), text);
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    answer.trim_matches('"').to_owned()
}

#[test]
fn a_host_begins_with_the_environment_of_its_process() {
    let host = Host::new().unwrap();
    let mut own: Vec<_> = std::env::vars_os().collect();
    own.sort();
    assert_eq!(host.env_vars(), own);
    for (name, value) in own {
        assert_eq!(host.env(name), Some(value));
    }
}

#[test]
fn what_is_put_reaches_programs_and_drivers() {
    let world = env_drv();
    world.host.put_env("WHARF_T_ONE", "eins").unwrap();
    assert_eq!(lines_of(&world.host, "WHARF_T_ONE"), ["WHARF_T_ONE=eins"]);
    assert_eq!(ask(&world, b'g', "WHARF_T_ONE"), "0 4 eins");
    assert_eq!(ask(&world, b'p', "WHARF_T_ONE=zwei"), "0");
    assert_eq!(
        world.host.env("WHARF_T_ONE").as_deref(),
        Some(OsStr::new("zwei"))
    );
    assert_eq!(lines_of(&world.host, "WHARF_T_ONE"), ["WHARF_T_ONE=zwei"]);
    world.host.delete_env("WHARF_T_ONE").unwrap();
    assert_eq!(world.host.env("WHARF_T_ONE"), None);
    assert_eq!(lines_of(&world.host, "WHARF_T_ONE"), [""; 0]);
    assert_eq!(ask(&world, b'g', "WHARF_T_ONE"), "-1 ?");
}

#[test]
fn options_go_over_the_table() {
    let host = Host::new().unwrap();
    for name in ["WHARF_T_A", "WHARF_T_B"] {
        host.put_env(name, "table").unwrap();
    }
    let options = Options::new()
        .env("WHARF_T_A", "option")
        .env_remove("WHARF_T_B")
        .env("WHARF_T_C", "option");
    let mut lines = printed(&host, options);
    lines.retain(|line| line.starts_with("WHARF_T_"));
    assert_eq!(lines, ["WHARF_T_A=option", "WHARF_T_C=option"]);
    assert_eq!(
        lines_of(&host, "WHARF_T_"),
        ["WHARF_T_A=table", "WHARF_T_B=table"]
    );
}

#[test]
fn two_hosts_do_not_see_each_others() {
    let (one, two) = (env_drv(), env_drv());
    one.host.put_env("WHARF_T_WHOSE", "one").unwrap();
    assert_eq!(two.host.env("WHARF_T_WHOSE"), None);
    assert_eq!(ask(&two, b'g', "WHARF_T_WHOSE"), "-1 ?");
    assert_eq!(ask(&two, b'p', "WHARF_T_WHOSE=two"), "0");
    assert_eq!(ask(&two, b't', "WHARF_T_THREAD=two"), "put 0 get 0 3 two");
    let port = two.open("env_drv", "[binary]");
    two.command(port, "WHARF_T_JOB=two");
    assert_eq!(two.message(), r#"{P,{data,<<"put 0 get 0 3 two">>}}"#);
    assert_eq!(
        lines_of(&two.host, "WHARF_T_"),
        ["WHARF_T_JOB=two", "WHARF_T_THREAD=two", "WHARF_T_WHOSE=two"]
    );
    assert_eq!(ask(&one, b'g', "WHARF_T_WHOSE"), "0 3 one");
    assert_eq!(lines_of(&one.host, "WHARF_T_"), ["WHARF_T_WHOSE=one"]);
    // Which host a thread belongs to that nobody was told of cannot be known here.
    assert_eq!(ask(&one, b'r', "WHARF_T_RAW=x"), "put -1 get -1 ?");
}

#[test]
fn the_environment_of_the_process_stays_as_it_is() {
    // The C library's own list is what a program sees that is started behind the host's back.
    let own = || {
        let output = Command::new("env").output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (seen, listed) = (own(), std::env::vars_os().collect::<Vec<_>>());
    let world = env_drv();
    world.host.put_env("WHARF_T_NEW", "x").unwrap();
    world.host.put_env("PATH", "/nowhere").unwrap();
    world.host.delete_env("HOME").unwrap();
    assert_eq!(ask(&world, b'p', "WHARF_T_NEWER=x"), "0");
    assert_eq!(ask(&world, b'l', "WHARF_T_NEWER"), "0");
    assert_eq!(lines_of(&world.host, "PATH="), ["PATH=/nowhere"]);
    assert_eq!(own(), seen);
    assert_eq!(std::env::vars_os().collect::<Vec<_>>(), listed);
}

#[test]
fn bytes_are_kept() {
    let world = env_drv();
    let (name, value) = (
        OsStr::from_bytes(b"WHARF_T_\xff"),
        OsStr::from_bytes(b"\xfe=\x01"),
    );
    world.host.put_env(name, value).unwrap();
    assert_eq!(world.host.env(name).as_deref(), Some(value));
    // A shell would not hand on such a name.
    let me = world.host.process();
    let mut got = Vec::new();
    let port = me
        .open(
            PortName::spawn_executable("/usr/bin/env"),
            Options::new().binary().exit_status(),
        )
        .unwrap();
    while let Some(Message::Data { bytes, .. }) = me.next_from(port.id(), DEADLINE).unwrap() {
        got.extend_from_slice(&bytes);
    }
    let line = b"\nWHARF_T_\xff=\xfe=\x01\n";
    assert!(got.windows(line.len()).any(|part| part == line));
}

#[test]
fn what_cannot_be_a_variable_is_refused() {
    let host = Host::new().unwrap();
    let before = host.env_vars();
    let refused = [
        ("A=B", "c", BadVariable::NameWithEquals),
        ("=", "c", BadVariable::NameWithEquals),
        ("A\0=", "c", BadVariable::NameWithNul),
        ("A=\0", "c", BadVariable::NameWithEquals),
        ("A", "\0", BadVariable::ValueWithNul),
    ];
    for (name, value, fault) in refused {
        assert_eq!(host.put_env(name, value), Err(fault), "{name:?} {value:?}");
    }
    assert_eq!(host.delete_env("A=B"), Err(BadVariable::NameWithEquals));
    assert_eq!(host.env("A=B"), None);
    assert_eq!(host.env_vars(), before);
    // An empty name is allowed, as in Erlang.
    host.put_env("", "x").unwrap();
    assert_eq!(lines_of(&host, "="), ["=x"]);
    host.delete_env("").unwrap();
    assert_eq!(host.env_vars(), before);
}

#[test]
fn a_driver_is_told_the_room_that_a_value_needs() {
    let world = env_drv();
    world.host.put_env("WHARF_T_SIZE", "12345").unwrap();
    for size in [0, 1, 5] {
        assert_eq!(ask(&world, b's', &format!("{size}:WHARF_T_SIZE")), "1 ?");
        assert_eq!(ask(&world, b'n', &format!("{size}:WHARF_T_SIZE")), "6");
    }
    assert_eq!(ask(&world, b's', "6:WHARF_T_SIZE"), "0 5 12345");
    assert_eq!(ask(&world, b'n', "7:WHARF_T_NONE"), "7");
}
