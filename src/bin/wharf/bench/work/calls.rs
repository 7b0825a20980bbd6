//! Calls of a driver on the caller's thread: control, commands with and without an answer.
#![forbid(unsafe_code)]

use super::{Arguments, Reading, World, ask, bytes_from, data_from, driver, rate, seconds};
use std::error::Error;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;
use wharf::{Binary, Process};

/// In which form the driver answers to control.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    List,
    Binary,
}

/// `control OPERATION THREADS N`: calls in a second, all threads together.
pub(super) fn control(world: &World, with: &Arguments<'_>, answer: Answer) -> Reading {
    let operation = u32::try_from(with.number(0)?)?;
    let rate = calls(world, operation, with.number(1)?, with.number(2)?, answer)?;
    Ok(vec![rate])
}

/// `scaling OPERATION N`: calls in a second by two threads, and how many times as many as by one.
pub(super) fn scaling(world: &World, with: &Arguments<'_>) -> Reading {
    let operation = u32::try_from(with.number(0)?)?;
    let number = with.number(1)?;
    let one = calls(world, operation, 1, number, Answer::List)?;
    let two = calls(world, operation, 2, number, Answer::List)?;
    Ok(vec![two, two / one])
}

fn calls(
    world: &World,
    operation: u32,
    threads: usize,
    number: usize,
    answer: Answer,
) -> Result<f64, Box<dyn Error>> {
    let start = Barrier::new(threads + 1);
    let took = thread::scope(|scope| {
        let works: Vec<_> = (0..threads)
            .map(|_| {
                let process = world.me.host().process();
                scope.spawn(|| call(process, operation, number, answer, &start))
            })
            .collect();
        start.wait();
        let begun = Instant::now();
        for work in works {
            work.join().expect("no thread panics")?;
        }
        Ok::<_, String>(begun.elapsed().as_secs_f64())
    })?;
    Ok(rate(threads * number, took))
}

/// What one thread does, with a process and a port of its own.
fn call(
    process: Process,
    operation: u32,
    number: usize,
    answer: Answer,
    start: &Barrier,
) -> Result<(), String> {
    let port = driver(&process, "bench_drv sink").map_err(|error| error.to_string());
    let ready = port.and_then(|port| {
        if let Answer::Binary = answer {
            ask(&port, b'B', 0, 0).map_err(|error| error.to_string())?;
        }
        Ok(port)
    });
    // Also the one that failed, or the others would wait for it.
    start.wait();
    let port = ready?;
    for _ in 0..number {
        let answer = port.control(operation, black_box([]));
        black_box(answer.map_err(|error| error.to_string())?);
    }
    Ok(())
}

/// Data of at least this many bytes is handed over as a binary; what comes back is sent next.
const HANDED_OVER_MIN: usize = 64;

/// `echo DRIVER MODE BYTES N`: round trips in a second.
pub(super) fn echo(world: &World, with: &Arguments<'_>) -> Reading {
    let port = world.driver(&format!("{} {}", with.word(0)?, with.word(1)?))?;
    let bytes = vec![b'x'; with.number(2)?];
    let number = with.number(3)?;
    let took = if bytes.len() >= HANDED_OVER_MIN {
        let mut data = Binary::from(bytes);
        seconds(|| {
            for _ in 0..number {
                port.command_binary(data)?;
                data = bytes_from(&port)?;
            }
            Ok(())
        })?
    } else {
        seconds(|| {
            for _ in 0..number {
                port.command(black_box(&bytes))?;
                black_box(data_from(&port)?);
            }
            Ok(())
        })?
    };
    Ok(vec![rate(number, took)])
}

/// `flood DRIVER N`: commands of 64 bytes in a second that nobody answers.
pub(super) fn flood(world: &World, with: &Arguments<'_>) -> Reading {
    let port = world.driver(&format!("{} sink", with.word(0)?))?;
    let bytes = [b'x'; 64];
    let number = with.number(1)?;
    let took = seconds(|| {
        for _ in 0..number {
            port.command(black_box(&bytes))?;
        }
        // By then all of them were taken.
        port.control(0, [])?;
        Ok(())
    })?;
    Ok(vec![rate(number, took)])
}
