//! Programs that are started, looked at from inside, and ended in every way.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

use super::super::fd::{Pipe, pipe};
use super::super::poll::{Events, Interest, Mode, Poller};
use super::*;

const NONE: [Given<'static>; GIVEN] = [
    Given::Inherited,
    Given::Inherited,
    Given::Inherited,
    Given::Closed,
    Given::Closed,
];

fn strings(texts: &[&str]) -> Vec<CString> {
    texts
        .iter()
        .map(|text| CString::new(*text).unwrap())
        .collect()
}

fn wait(child: &Child) -> Exit {
    let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(1));
    poller
        .add(
            child,
            0,
            Interest {
                readable: true,
                writable: false,
                mode: Mode::Level,
            },
        )
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(exit) = child.reap().unwrap() {
            return exit;
        }
        assert!(Instant::now() < deadline, "the program did not end");
        poller.wait(&mut events, Some(deadline)).unwrap();
    }
}

/// Runs a shell script with a pipe as its descriptor 1, and gives what it said.
fn say_with(script: &str, means: Means) -> String {
    let Pipe { reader, writer } = pipe().unwrap();
    let mut descriptors = NONE;
    descriptors[1] = Given::Copy(writer.as_fd());
    let program = Program {
        path: c"/bin/sh",
        argv: &strings(&["sh", "-c", script]),
        env: &strings(&["PATH=/usr/bin:/bin", "GREETING=hello"]),
        directory: Some(c"/usr"),
        descriptors,
    };
    let child = start_with(&program, means).unwrap().child;
    drop(writer);
    let mut text = String::new();
    File::from(reader).read_to_string(&mut text).unwrap();
    assert_eq!(wait(&child), Exit::Status(0), "{text}");
    text
}

fn say(script: &str) -> String {
    say_with(
        script,
        Means {
            share: MAY_SHARE.load(Ordering::Relaxed),
            close_range: true,
        },
    )
}

fn status(path: &CStr, argv: &[&str], directory: Option<&CStr>) -> (Exit, Option<Errno>) {
    let program = Program {
        path,
        argv: &strings(argv),
        env: &[],
        directory,
        descriptors: NONE,
    };
    let started = start(&program).unwrap();
    (wait(&started.child), started.directory_error)
}

fn sh(script: &str) -> Exit {
    status(c"/bin/sh", &["sh", "-c", script], None).0
}

#[test]
fn exit_codes_and_signals_become_statuses() {
    assert_eq!(sh("exit 0"), Exit::Status(0));
    assert_eq!(sh("exit 255"), Exit::Status(255));
    for signal in [1_u8, 2, 3, 9, 10, 14, 15, 64] {
        // As with `nohup`, which a program inherits; but these are always let in.
        let always = [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM].contains(&signal.into());
        let expected = match is_ignored(signal.into()) && !always {
            true => 0,
            false => 128 + signal,
        };
        let exit = sh(&format!("kill -{signal} $$"));
        assert_eq!(exit, Exit::Status(expected), "{signal}");
    }
}

fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: nothing is changed, and the structure is filled when the answer is 0.
    unsafe {
        assert_eq!(
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()),
            0
        );
        action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[test]
fn what_cannot_be_run_ends_with_the_error_number() {
    let number = |errno: i32| Exit::Status(u8::try_from(errno).unwrap());
    assert_eq!(
        status(c"/no/such/program", &["x"], None).0,
        number(libc::ENOENT)
    );
    assert_eq!(status(c"/tmp", &["x"], None).0, number(libc::EACCES));
    assert_eq!(status(c"/dev/null", &["x"], None).0, number(libc::EACCES));
    assert_eq!(
        status(c"/bin/true", &["true"], Some(c"/no/such")),
        (number(libc::ENOENT), Some(Errno::new(libc::ENOENT)))
    );
    let (exit, error) = status(c"/bin/true", &["true"], Some(c"/dev/null"));
    assert_eq!(
        (exit, error.map(Errno::name)),
        (number(libc::ENOTDIR), Some("enotdir"))
    );
    assert_eq!(check_executable(c"/bin/sh"), Ok(()));
    assert_eq!(
        check_executable(c"/no/such/program"),
        Err(Errno::new(libc::ENOENT))
    );
    assert_eq!(
        check_executable(c"/etc/passwd").map_err(Errno::name),
        Err("eacces")
    );
}

#[test]
fn arguments_environment_and_directory_arrive() {
    assert_eq!(say("echo $0 $GREETING $HOME; pwd"), "sh hello\n/usr\n");
}

#[test]
fn it_leads_its_own_session() {
    // Fields 1, 5 and 6 of the process's own line: number, group, session.
    let line = say("exec cat /proc/self/stat");
    let fields: Vec<&str> = line.split_whitespace().collect();
    assert!(fields[0] == fields[4] && fields[0] == fields[5], "{line}");
}

#[test]
fn signals_are_as_erlang_hands_them_down() {
    let set = |status: &str, name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    let bits = |signals: &[c_int]| {
        signals
            .iter()
            .fold(0u64, |set, signal| set | 1 << (signal - 1))
    };
    let ours = std::fs::read_to_string("/proc/self/status").unwrap();
    let never = bits(&[libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGCHLD]);
    let always = bits(&[libc::SIGPIPE, libc::SIGFPE]);
    let theirs = say("exec cat /proc/self/status");
    assert_eq!(set(&theirs, "SigBlk"), 0);
    assert_eq!(
        set(&theirs, "SigIgn"),
        set(&ours, "SigIgn") & !never | always
    );
    assert_eq!(set(&theirs, "SigCgt"), 0);
}

#[test]
fn it_has_the_descriptors_it_was_given_and_no_others() {
    // Many, so that older kernels' way needs several looks at the list.
    let inheritable: Vec<OwnedFd> = (0..200)
        .map(|_| {
            let file = OwnedFd::from(File::open("/dev/null").unwrap());
            // SAFETY: no memory is involved.
            unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) };
            file
        })
        .collect();
    for (share, close_range) in [(true, true), (true, false), (false, true), (false, false)] {
        // `ls` has one more open, for the directory itself: the first free number.
        assert_eq!(
            say_with("exec ls /proc/self/fd", Means { share, close_range }),
            "0\n1\n2\n3\n"
        );
    }
    drop(inheritable);
}

/// Has the kernel refuse this thread, and what it starts, the calls by which a process leaves a
/// table of descriptors that it shares.
fn forbid_leaving() {
    const ALLOW: u32 = 0x7fff_0000;
    const REFUSE: u32 = 0x0005_0000 | libc::EPERM as u32;
    let number = |call: libc::c_long| u32::try_from(call).unwrap();
    let rule = |code: u32, jt, jf, k| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt,
        jf,
        k,
    };
    let is = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let mut rules = [
        rule(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        rule(is, 2, 0, number(libc::SYS_close_range)),
        rule(is, 1, 0, number(libc::SYS_unshare)),
        rule(libc::BPF_RET | libc::BPF_K, 0, 0, ALLOW),
        rule(libc::BPF_RET | libc::BPF_K, 0, 0, REFUSE),
    ];
    let program = libc::sock_fprog {
        len: u16::try_from(rules.len()).unwrap(),
        filter: rules.as_mut_ptr(),
    };
    // SAFETY: the kernel copies the rules.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(
            libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program
            ),
            0
        );
    }
}

#[test]
fn where_a_table_may_not_be_left_a_copy_does() {
    let said = std::thread::spawn(|| {
        forbid_leaving();
        let means = Means {
            share: true,
            close_range: true,
        };
        say_with("exec ls /proc/self/fd", means)
    });
    assert_eq!(said.join().unwrap(), "0\n1\n2\n3\n");
    assert!(
        !MAY_SHARE.swap(true, Ordering::Relaxed),
        "it was tried in vain"
    );
}

#[test]
fn descriptors_may_stand_in_each_others_place() {
    let (first, second) = (pipe().unwrap(), pipe().unwrap());
    super::super::fd::write(&first.writer, b"first").unwrap();
    super::super::fd::write(&second.writer, b"second").unwrap();
    drop((first.writer, second.writer));
    let out = pipe().unwrap();
    let null = File::open("/dev/null").unwrap();
    let program = Program {
        path: c"/bin/sh",
        argv: &strings(&["sh", "-c", "cat <&4; cat <&3; readlink /proc/self/fd/0 >&2"]),
        env: &[],
        directory: None,
        descriptors: [
            Given::Copy(null.as_fd()),
            Given::Copy(out.writer.as_fd()),
            Given::Copy(out.writer.as_fd()),
            Given::Copy(first.reader.as_fd()),
            Given::Copy(second.reader.as_fd()),
        ],
    };
    let child = start(&program).unwrap().child;
    drop(out.writer);
    let mut text = String::new();
    File::from(out.reader).read_to_string(&mut text).unwrap();
    assert_eq!(text, "secondfirst/dev/null\n");
    assert_eq!(wait(&child), Exit::Status(0));
}

#[test]
fn many_threads_start_programs_at_once() {
    let threads: Vec<_> = (0..8u8)
        .map(|number| {
            std::thread::spawn(move || {
                for round in 0..20 {
                    assert_eq!(
                        sh(&format!("exit {}", number * 20 + round)),
                        Exit::Status(number * 20 + round)
                    );
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

/// In a process of its own, because what SIGCHLD does belongs to all of it.
#[test]
fn statuses_survive_a_host_that_reaps() {
    // SAFETY: the new process has one thread and calls what a new process may.
    let host = unsafe { libc::fork() };
    if host == 0 {
        // SAFETY: this process is ours alone.
        unsafe {
            libc::alarm(20);
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
            let ignored = [sh("exit 7"), sh("kill -9 $$")];
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            let argv = strings(&["sh", "-c", "exit 5"]);
            let program = Program {
                path: c"/bin/sh",
                argv: &argv,
                env: &[],
                directory: None,
                descriptors: NONE,
            };
            let stolen = start(&program).unwrap().child;
            libc::waitpid(-1, ptr::null_mut(), 0);
            let all = [ignored[0], ignored[1], wait(&stolen)];
            let right = [Exit::Status(7), Exit::Status(137), Exit::Status(5)];
            // Kernels that forget are allowed to say so, and nothing else.
            let code = if all == right {
                0
            } else if all == [Exit::Taken; 3] {
                1
            } else {
                2
            };
            libc::_exit(code);
        }
    }
    let mut status = 0;
    // SAFETY: waits for the process above.
    unsafe { libc::waitpid(host, &raw mut status, 0) };
    assert!(
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) < 2,
        "{status:#x}"
    );
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut version = kernel
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    if (version.next(), version.next()) >= (Some(6), Some(15)) {
        assert_eq!(
            libc::WEXITSTATUS(status),
            0,
            "this kernel remembers statuses"
        );
    }
}
