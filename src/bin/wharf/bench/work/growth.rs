//! What grows with a number: messages that wait, timers, monitors, queues. Each reading gives the
//! cost of one, in nanoseconds, so that it stays level where the whole grows in proportion.
#![forbid(unsafe_code)]

use super::programs::take;
use super::{Arguments, DEADLINE, Reading, World, ask, data_from, nothing_came, real, seconds};
use nix::sys::signal::{Signal, kill};
use std::error::Error;
use std::time::Duration;
use wharf::{Limits, Options, Pid, Process, Term};

/// Nanoseconds for each of so many.
fn each(seconds: f64, number: usize) -> f64 {
    seconds * 1e9 / real(number)
}

fn fill(process: &Process, number: usize) -> Result<(), Box<dyn Error>> {
    let to = Term::Pid(process.pid());
    for message in 0..number {
        let message = Term::Int(i64::try_from(message)?);
        process
            .send(&to, message)
            .map_err(|raise| raise.to_string())?;
    }
    Ok(())
}

/// `mailbox N`: to send a message where so many are waiting in the end, and to receive it.
pub(super) fn mailbox(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let sending = seconds(|| fill(&world.me, number))?;
    let receiving = seconds(|| {
        for _ in 0..number {
            world.me.receive_any(DEADLINE)?.ok_or_else(nothing_came)?;
        }
        Ok(())
    })?;
    Ok(vec![each(sending, number), each(receiving, number)])
}

/// `selective N`: for each message that waits and is not wanted, what a round trip of a driver
/// takes whose answer comes behind all of them; and to take those out in pairs, the later one first.
pub(super) fn selective(world: &World, with: &Arguments<'_>) -> Reading {
    const TRIPS: usize = 20;
    let number = with.number(0)?;
    fill(&world.me, number)?;
    let port = world.driver("bench_drv copy")?;
    let trips = seconds(|| {
        for _ in 0..TRIPS {
            port.command(b"x")?;
            data_from(&port)?;
        }
        Ok(())
    })?;
    let swapping = seconds(|| {
        for pair in 0..i64::try_from(number / 2)? {
            for wanted in [2 * pair + 1, 2 * pair] {
                let found = world.me.receive(
                    |message| (message.as_int() == Some(wanted)).then_some(()),
                    None,
                )?;
                found.ok_or_else(nothing_came)?;
            }
        }
        Ok(())
    })?;
    Ok(vec![
        each(trips / real(TRIPS), number),
        each(swapping, number),
    ])
}

/// `delays N`: to ask for a delayed message while there are so many, and to take it back; and to
/// have one sent, from asking to receiving it.
pub(super) fn delays(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let me = Term::Pid(world.me.pid());
    let mut asked = Vec::with_capacity(number);
    let asking = seconds(|| {
        for after_ms in 0..u64::try_from(number)? {
            let delay = Duration::from_secs(3600) + Duration::from_millis(after_ms % 1000);
            asked.push(world.me.send_after(delay, &me, Term::Nil));
        }
        Ok(())
    })?;
    let taking_back = seconds(|| {
        for reference in &asked {
            world.me.cancel_timer(*reference).ok_or("it was sent")?;
        }
        Ok(())
    })?;
    let sending = seconds(|| {
        for _ in 0..number {
            world
                .me
                .send_after(Duration::from_millis(1), &me, Term::Nil);
        }
        for _ in 0..number {
            world.me.receive_any(DEADLINE)?.ok_or_else(nothing_came)?;
        }
        Ok(())
    })?;
    let costs = [asking, taking_back, sending];
    Ok(costs.map(|cost| each(cost, number)).to_vec())
}

/// `monitors N`: to watch one process so many times, and to be told that it has ended; to watch so
/// many, and to be told of each.
pub(super) fn monitors(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let watch = |pid: Pid| {
        let kind = Term::atom("process");
        let monitor = world.me.monitor(&kind, &Term::Pid(pid));
        monitor.map_err(|raise| raise.to_string())
    };
    let told = || {
        for _ in 0..number {
            world.me.receive_any(DEADLINE)?.ok_or_else(nothing_came)?;
        }
        Ok(())
    };
    let one = world.me.host().process();
    let watching_one = seconds(|| {
        for _ in 0..number {
            watch(one.pid())?;
        }
        Ok(())
    })?;
    let ending_one = seconds(|| {
        one.exit(Term::atom("normal"));
        told()
    })?;
    let many: Vec<Process> = (0..number).map(|_| world.me.host().process()).collect();
    let watching_many = seconds(|| {
        for process in &many {
            watch(process.pid())?;
        }
        Ok(())
    })?;
    let ending_many = seconds(|| {
        for process in &many {
            process.exit(Term::atom("normal"));
        }
        told()
    })?;
    let costs = [watching_one, ending_one, watching_many, ending_many];
    Ok(costs.map(|cost| each(cost, number)).to_vec())
}

/// `driver_queue N BYTES`: to add a piece to a driver's queue, and to look at the queue and take a
/// piece away, until so many were there.
pub(super) fn driver_queue(world: &World, with: &Arguments<'_>) -> Reading {
    let (number, bytes) = (with.number(0)?, with.number(1)?);
    let port = world.driver("bench_drv sink")?;
    let adding = seconds(|| ask(&port, b'Q', number, bytes))?;
    let taking = seconds(|| ask(&port, b'D', bytes, 0))?;
    Ok(vec![each(adding, number), each(taking, number)])
}

/// `program_queue N`: to queue a command of 64 KiB for a program that stands still, and to have
/// it written once the program goes on.
pub(super) fn program_queue(world: &World, with: &Arguments<'_>) -> Reading {
    const PIECE: usize = 65_536;
    let number = with.number(0)?;
    let bytes = (number * PIECE).to_string();
    let options = Options::new().busy_limits_port(Limits::Disabled);
    let port = world.program(&["discard", &bytes], options)?;
    let pid = port.os_pid().ok_or("the program is gone")?;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid)?);
    kill(pid, Signal::SIGSTOP)?;
    let data = vec![b'x'; PIECE];
    let queueing = seconds(|| {
        for _ in 0..number {
            port.command(&data)?;
        }
        Ok(())
    });
    // Also after a failure, or it would stand there for ever.
    kill(pid, Signal::SIGCONT)?;
    let queueing = queueing?;
    let writing = seconds(|| take(&port, 1))?;
    Ok(vec![each(queueing, number), each(writing, number)])
}
