//! Many ports at once: what they cost to open, in memory, to use, to close, and while nothing
//! happens. And how long the first of each takes.
#![forbid(unsafe_code)]

use super::programs::{echo, take};
use super::{Arguments, DEADLINE, Reading, World, data_from, real, seconds};
use nix::time::{ClockId, clock_gettime};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};
use wharf::Port;

const DATA: &[u8; 16] = b"0123456789abcdef";

/// What opening many ports took.
struct Opened {
    ports: Vec<Port>,
    took_ms: f64,
    /// How much more memory is in use, for each.
    bytes_each: f64,
}

fn open(
    number: usize,
    mut one: impl FnMut() -> Result<Port, wharf::Error>,
) -> Result<Opened, Box<dyn Error>> {
    let before = resident_bytes()?;
    let begun = Instant::now();
    let mut ports = Vec::with_capacity(number);
    for _ in 0..number {
        ports.push(one()?);
    }
    let took_ms = begun.elapsed().as_secs_f64() * 1e3;
    Ok(Opened {
        ports,
        took_ms,
        bytes_each: (resident_bytes()? - before) / real(number),
    })
}

fn close(ports: &[Port]) -> Result<(), Box<dyn Error>> {
    for port in ports {
        port.close()?;
    }
    Ok(())
}

/// `many_drivers N`: ms to open all, bytes each, µs for a round trip each, ms to close all.
pub(super) fn drivers(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let opened = open(number, || world.driver("bench_drv copy"))?;
    let trips = seconds(|| {
        for port in &opened.ports {
            port.command(DATA)?;
            data_from(port)?;
        }
        Ok(())
    })?;
    let closing = seconds(|| close(&opened.ports))?;
    Ok(vec![
        opened.took_ms,
        opened.bytes_each,
        trips * 1e6 / real(number),
        closing * 1e3,
    ])
}

/// `many_programs N`, of cats: ms to open all, bytes of this process each, µs for a first round
/// trip each, one by one and all at once, ms to close all, and until all programs are gone.
pub(super) fn programs(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let opened = open(number, || world.cat())?;
    let ports = &opened.ports;
    let one_by_one = seconds(|| ports.iter().try_for_each(|port| echo(port, DATA)))?;
    let at_once = seconds(|| {
        for port in ports {
            port.command(DATA)?;
        }
        ports.iter().try_for_each(|port| take(port, DATA.len()))
    })?;
    let pids: Vec<i64> = ports.iter().filter_map(Port::os_pid).collect();
    let begun = Instant::now();
    close(ports)?;
    let closing = begun.elapsed();
    gone(&pids)?;
    Ok(vec![
        opened.took_ms,
        opened.bytes_each,
        one_by_one * 1e6 / real(number),
        at_once * 1e6 / real(number),
        closing.as_secs_f64() * 1e3,
        begun.elapsed().as_secs_f64() * 1e3,
    ])
}

/// Waits until there is none of these processes.
fn gone(pids: &[i64]) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    for pid in pids {
        while Path::new("/proc").join(pid.to_string()).exists() {
            if begun.elapsed() > DEADLINE {
                return Err(format!("the program {pid} does not end").into());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// `idle N`: how many ms of processor time all threads take in five seconds, with so many cats
/// that nobody talks to.
pub(super) fn idle(world: &World, with: &Arguments<'_>) -> Reading {
    let ports: Result<Vec<Port>, _> = (0..with.number(0)?).map(|_| world.cat()).collect();
    let ports = ports?;
    ports.iter().try_for_each(|port| echo(port, b"x"))?;
    thread::sleep(Duration::from_secs(2));
    let before = processor_time()?;
    thread::sleep(Duration::from_secs(5));
    let taken = processor_time()?.saturating_sub(before);
    Ok(vec![taken.as_secs_f64() * 1e3])
}

/// `cold`: one echo of a driver and one of cat; the time of the whole process is what counts.
pub(super) fn cold(world: &World) -> Reading {
    let driver = world.driver("bench_drv copy")?;
    driver.command("x")?;
    data_from(&driver)?;
    echo(&world.cat()?, b"x")?;
    Ok(Vec::new())
}

/// How much memory this process has in use.
fn resident_bytes() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: f64 = kilobytes.ok_or("/proc/self/status is odd")?.parse()?;
    Ok(kilobytes * 1024.0)
}

/// How long the threads of this process have run. By the clock for it, because to read what
/// `/proc` says of each takes longer than the threads that are to be measured.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}
