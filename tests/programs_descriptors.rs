//! A program has its own descriptors and no others, whatever the host has open, has closed, or is
//! opening at that moment.

#![allow(unsafe_code)] // the host's side opens and closes plain descriptors

#[path = "support/apart.rs"]
mod apart;

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;

use apart::{apart, wait_until_well};
use wharf::{Host, Options, Port, PortName, Process};

/// Each combination of options, and what its program has from descriptor 0 on: a pipe of the
/// port's, what the host has there, the same as the one before, nothing, or a file by name.
const ROWS: [(&str, [&str; 5]); 9] = [
    ("", ["pipe", "pipe", "host", "", ""]),
    ("in", ["host", "pipe", "host", "", ""]),
    ("out", ["pipe", "host", "host", "", ""]),
    ("nouse", ["host", "host", "host", "pipe", "pipe"]),
    ("nouse in", ["host", "host", "host", "", "pipe"]),
    ("nouse out", ["host", "host", "host", "pipe", ""]),
    ("errors", ["pipe", "pipe", "same", "", ""]),
    ("errors in", ["host", "pipe", "same", "", ""]),
    ("errors out", ["pipe", "host", "pipe", "", ""]),
];

fn options(words: &str) -> Options {
    let mut options = Options::new().arg("600");
    for word in words.split_whitespace() {
        options = match word {
            "in" => options.input_only(),
            "out" => options.output_only(),
            "nouse" => options.nouse_stdio(),
            "errors" => options.stderr_to_stdout(),
            other => panic!("{other}"),
        };
    }
    options
}

type Open = BTreeMap<RawFd, String>;

/// What a process has open.
fn open_in(process: &str) -> Open {
    let path = format!("/proc/{process}/fd");
    let looking = fs::canonicalize(&path).unwrap_or_default();
    let Ok(listed) = fs::read_dir(&path) else {
        return Open::new();
    };
    let entries = listed.flatten().filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let link = fs::read_link(entry.path()).ok()?;
        (link != looking).then(|| (number, link.display().to_string()))
    });
    entries.collect()
}

fn pid_of(port: &Port) -> String {
    port.info("os_pid").expect("it runs").to_string()
}

/// Compares what a program has with its row. It opens a few files itself while it starts.
fn check(pid: &str, row: &(&str, [&str; 5]), host: &Open) -> Result<(), String> {
    let has = open_in(pid);
    let complain = |what: String| Err(format!("{:?}: {what}, of {has:?}", row.0));
    if let Some(more) = has.keys().find(|number| **number > 4) {
        return complain(format!("has {more}"));
    }
    for (number, wanted) in (0..).zip(row.1) {
        let found = has.get(&number).map_or("", String::as_str);
        let right = match wanted {
            "pipe" => found.starts_with("pipe:") && !host_stream(host, found),
            "host" => found == host.get(&number).map_or("/dev/null", String::as_str),
            "same" => Some(found) == has.get(&(number - 1)).map(String::as_str),
            exact => found == exact,
        };
        if !right {
            return complain(format!("{number} is {found:?}, not {wanted:?}"));
        }
    }
    Ok(())
}

fn host_stream(host: &Open, link: &str) -> bool {
    host.range(0..3).any(|(_, own)| own == link)
}

fn kill(pid: &str) {
    // SAFETY: no memory is involved; the program is this test's own.
    unsafe { libc::kill(pid.parse().unwrap(), libc::SIGKILL) };
}

fn open(owner: &Process, row: &(&str, [&str; 5])) -> Port {
    let opened = owner.open(PortName::spawn_executable("/bin/sleep"), options(row.0));
    opened.unwrap_or_else(|error| panic!("{:?}: {error}", row.0))
}

/// Opens a port of each row, all at the same time, and looks at the programs. `host` is what the
/// host has as its streams.
fn check_rows(owner: &Process, host: &Open) {
    let ports: Vec<_> = ROWS.iter().map(|row| (row, open(owner, row))).collect();
    for (row, port) in ports {
        let pid = pid_of(&port);
        wait_until_well(|| check(&pid, row, host));
        kill(&pid);
        // One that only writes does not notice.
        let _ = port.close();
    }
}

/// The host's own program: a thousand descriptors of every kind, most of them handed down to any
/// program that somebody starts without care.
fn open_a_thousand() {
    let plain = |file: RawFd| {
        // SAFETY: no memory is involved.
        assert!(unsafe { libc::fcntl(file, libc::F_SETFD, 0) } == 0);
    };
    for round in 0..200 {
        let mut pipe = [0; 2];
        // SAFETY: room for two numbers, and a name that ends with a zero.
        let file = unsafe {
            assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
            libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY)
        };
        let (one, other) = UnixStream::pair().unwrap();
        for socket in [one, other] {
            let number = std::os::fd::IntoRawFd::into_raw_fd(socket);
            if round % 2 == 0 {
                plain(number);
            }
        }
        assert!(file >= 0);
    }
    for number in [1023, 1024, 1025, 2048, 4000] {
        // SAFETY: no memory is involved; nobody has anything there.
        assert_eq!(unsafe { libc::dup2(0, number) }, number);
    }
    assert!(open_in("self").len() > 1000);
}

fn set_limit(number: u64) -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is ours.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        let before = std::mem::replace(&mut limit.rlim_cur, number.min(limit.rlim_max));
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
        before
    }
}

fn streams() -> Open {
    open_in("self")
        .into_iter()
        .filter(|(number, _)| *number < 3)
        .collect()
}

fn owner() -> Process {
    Host::new().unwrap().process()
}

fn high_numbers_are_allowed() {
    // What a test runner may start with is not what is tried here.
    set_limit(8192);
}

#[test]
fn a_thousand_descriptors_of_the_host_stay_with_it() {
    apart("a_thousand_descriptors_of_the_host_stay_with_it", || {
        high_numbers_are_allowed();
        open_a_thousand();
        check_rows(&owner(), &streams());
    });
}

#[test]
fn also_those_above_a_limit_that_came_later() {
    apart("also_those_above_a_limit_that_came_later", || {
        high_numbers_are_allowed();
        open_a_thousand();
        for number in 20..80 {
            // SAFETY: these are the pipes and files from above.
            unsafe { libc::close(number) };
        }
        set_limit(100);
        check_rows(&owner(), &streams());
    });
}

#[test]
fn a_host_without_standard_streams_lends_none_of_its_own() {
    apart(
        "a_host_without_standard_streams_lends_none_of_its_own",
        || {
            high_numbers_are_allowed();
            let kept: Vec<RawFd> = (0..3)
                // SAFETY: no memory is involved.
                .map(|number| unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 500) })
                .collect();
            for closed in [&[0][..], &[1], &[2], &[0, 1, 2]] {
                for number in closed {
                    // SAFETY: no memory is involved; the streams have copies.
                    unsafe { libc::close(*number) };
                }
                let owner = owner();
                check_rows(&owner, &streams());
                // A reactor, its threads, pipes, and what waits for programs: nothing came down here,
                // where the host's prints would go.
                for number in closed {
                    assert!(!streams().contains_key(number), "{:?}", streams());
                }
                drop(owner);
                for number in closed {
                    // SAFETY: as above.
                    unsafe { libc::dup2(kept[usize::try_from(*number).unwrap()], *number) };
                }
            }
            // Not a stream either: somebody else's file that got the number.
            // SAFETY: a name that ends with a zero; the rest are numbers.
            unsafe {
                libc::close(2);
                let flags = libc::O_RDONLY | libc::O_CLOEXEC;
                assert_eq!(libc::open(c"/etc/passwd".as_ptr(), flags), 2);
            }
            let mut host = streams();
            host.remove(&2);
            check_rows(&owner(), &host);
        },
    );
}

#[test]
fn ports_that_are_opened_at_the_same_time_do_not_mix() {
    apart("ports_that_are_opened_at_the_same_time_do_not_mix", || {
        high_numbers_are_allowed();
        open_a_thousand();
        // SAFETY: no memory is involved.
        unsafe { libc::close(2) };
        let threads: Vec<_> = (0..4)
            .map(|shift| {
                std::thread::spawn(move || {
                    let owner = owner();
                    let host = streams()
                        .into_iter()
                        .filter(|(number, _)| *number < 2)
                        .collect();
                    for round in 0..3 * ROWS.len() {
                        let row = &ROWS[(round + shift) % ROWS.len()];
                        let port = open(&owner, row);
                        let pid = pid_of(&port);
                        wait_until_well(|| check(&pid, row, &host));
                        kill(&pid);
                        let _ = port.close();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("its rows were right");
        }
    });
}

/// Has a host start what it needs for its first port.
fn check_some(owner: &Process, host: &Open) {
    let port = open(owner, &ROWS[0]);
    let pid = pid_of(&port);
    wait_until_well(|| check(&pid, &ROWS[0], host));
    kill(&pid);
    wait_until_well(|| match owner.host().ports().is_empty() {
        true => Ok(()),
        false => Err("the port outlives its program".to_owned()),
    });
}

/// With hardly a number left a port opens and is right, or is refused and leaves nothing.
#[test]
fn where_numbers_are_scarce_a_port_is_whole_or_not_there() {
    apart(
        "where_numbers_are_scarce_a_port_is_whole_or_not_there",
        || {
            let before = set_limit(4096);
            let host = streams();
            let limit = 64;
            let mut opened = 0;
            let mut refused = 0;
            for free in 0..10 {
                let owner = owner();
                check_some(&owner, &host);
                for row in &ROWS {
                    // Everything below the limit is taken but for a few, the lowest ones first.
                    let mut filled = Vec::new();
                    set_limit(limit);
                    loop {
                        // SAFETY: no memory is involved.
                        match unsafe { libc::dup(0) } {
                            -1 => break,
                            number => filled.push(number),
                        }
                    }
                    for number in filled.drain(..free) {
                        // SAFETY: from above.
                        unsafe { libc::close(number) };
                    }
                    let answer =
                        owner.open(PortName::spawn_executable("/bin/sleep"), options(row.0));
                    match &answer {
                        Ok(_) => opened += 1,
                        Err(error) => {
                            assert!(error.is("emfile"), "{error}");
                            refused += 1;
                        }
                    }
                    set_limit(4096);
                    if let Ok(port) = answer {
                        let pid = pid_of(&port);
                        wait_until_well(|| check(&pid, row, &host));
                        kill(&pid);
                        // It is gone though nothing could be opened to wait for it.
                        set_limit(limit);
                        let _ = port.close();
                        set_limit(4096);
                        wait_until_well(|| {
                            let there = fs::exists(format!("/proc/{pid}")).unwrap();
                            if there {
                                Err(format!("{pid} is still there"))
                            } else {
                                Ok(())
                            }
                        });
                    }
                    for number in filled {
                        // SAFETY: from above.
                        unsafe { libc::close(number) };
                    }
                }
            }
            assert!(opened >= 20 && refused >= 20, "{opened} {refused}");
            set_limit(before);
        },
    );
}

/// What the library opens for itself is not handed down to the programs that the host starts, with
/// whatever means it starts them.
#[test]
fn the_hosts_own_programs_get_nothing_of_ours() {
    apart("the_hosts_own_programs_get_nothing_of_ours", || {
        let before = open_in("self");
        let owner = owner();
        let _ports: Vec<Port> = ROWS.iter().map(|row| open(&owner, row)).collect();
        let pids: Vec<String> = _ports.iter().map(pid_of).collect();
        // SAFETY: the new process calls nothing but exec and exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: as said; the texts end with zeroes.
            unsafe {
                libc::execl(
                    c"/bin/sleep".as_ptr(),
                    c"sleep".as_ptr(),
                    c"600".as_ptr(),
                    std::ptr::null::<libc::c_char>(),
                );
                libc::_exit(1);
            }
        }
        wait_until_well(|| {
            let has = open_in(&child.to_string());
            let ours = has
                .iter()
                .find(|(number, link)| before.get(number) != Some(*link));
            ours.map_or(Ok(()), |ours| Err(format!("handed down: {ours:?}")))
        });
        kill(&child.to_string());
        // SAFETY: waits for the process above.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        // The ports have not noticed.
        for pid in pids {
            assert!(fs::exists(format!("/proc/{pid}")).unwrap());
            kill(&pid);
        }
    });
}
