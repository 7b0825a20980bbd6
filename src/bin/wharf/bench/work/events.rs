//! What a driver says by itself: terms from its threads, jobs, timers, descriptors that are ready.
#![forbid(unsafe_code)]

use super::{Arguments, DEADLINE, Reading, World, ask, data_from, nothing_came, rate, real};
use super::{seconds, unexpected};
use std::error::Error;
use wharf::term::iodata;
use wharf::{Message, Port};

/// `terms N`: terms in a second, sent by one thread of the driver and received by this one.
pub(super) fn terms(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let port = world.driver("bench_drv sink")?;
    let took = seconds(|| {
        ask(&port, b'T', number, 0)?;
        tagged(world, number, 3)
    })?;
    Ok(vec![rate(number, took)])
}

/// Takes so many tuples of so many elements.
fn tagged(world: &World, number: usize, elements: usize) -> Result<(), Box<dyn Error>> {
    for _ in 0..number {
        let term = world.me.receive_any(DEADLINE)?.ok_or_else(nothing_came)?;
        if term
            .as_tuple()
            .is_none_or(|tuple| tuple.elements().len() != elements)
        {
            return Err(format!("a message that nobody expects: {term}").into());
        }
    }
    Ok(())
}

/// `async THREADS each|all N`: jobs in a second, each with an answer; ten batches of N, asked for
/// by one control each, or by one for the batch.
pub(super) fn jobs(world: &World, with: &Arguments<'_>) -> Reading {
    const BATCHES: usize = 10;
    let number = with.number(2)?;
    let (calls, jobs) = match with.word(1)? {
        "each" => (number, 1),
        "all" => (1, number),
        other => return Err(format!("`{other}` is neither `each` nor `all`").into()),
    };
    let port = world.driver("bench_drv sink")?;
    let took = seconds(|| {
        for _ in 0..BATCHES {
            for _ in 0..calls {
                ask(&port, b'A', jobs, 0)?;
            }
            tagged(world, number, 2)?;
        }
        Ok(())
    })?;
    Ok(vec![rate(BATCHES * number, took)])
}

/// `rearm N`: how often in a second a timer of 0 ms is set again from its own callback.
pub(super) fn rearm(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let port = world.driver("bench_drv sink")?;
    let took = seconds(|| {
        ask(&port, b'M', 0, number)?;
        data_from(&port).map(drop)
    })?;
    Ok(vec![rate(number, took)])
}

/// `timer PORTS N MS`: timers in a second, on so many ports, each set N times; how late they are
/// on average, and the latest of 99 in 100, in microseconds.
pub(super) fn timers(world: &World, with: &Arguments<'_>) -> Reading {
    let (number, span_ms) = (with.number(1)?, with.number(2)?);
    let ports: Result<Vec<Port>, _> = (0..with.number(0)?)
        .map(|_| world.driver("bench_drv sink"))
        .collect();
    let ports = ports?;
    let first = ports.first().ok_or("there has to be a port")?;
    lateness(first)?;
    let took = seconds(|| {
        for port in &ports {
            ask(port, b'M', span_ms, number)?;
        }
        for port in &ports {
            data_from(port)?;
        }
        Ok(())
    })?;
    let [mean, p99] = lateness(first)?;
    Ok(vec![rate(ports.len() * number, took), mean, p99])
}

/// Mean and 99th percentile since the last time it was asked, of all ports.
fn lateness(port: &Port) -> Result<[f64; 2], Box<dyn Error>> {
    let answer = iodata::flatten(&port.control(u32::from(b'H'), [])?)?;
    let (mean, p99) = answer.split_at_checked(8).ok_or("a short answer")?;
    let number = |bytes: &[u8]| Ok::<_, Box<dyn Error>>(u64::from_ne_bytes(bytes.try_into()?));
    Ok([
        real(usize::try_from(number(mean)?)?),
        real(usize::try_from(number(p99)?)?),
    ])
}

/// `select PORTS DESCRIPTORS BATCH N`: messages of 64 bytes in a second, written to pipes by one
/// thread; each port reads so many, 64 bytes or all there is at a time.
pub(super) fn select(world: &World, with: &Arguments<'_>) -> Reading {
    let (descriptors, batch, number) = (with.number(1)?, with.number(2)?, with.number(3)?);
    let ports: Result<Vec<Port>, _> = (0..with.number(0)?)
        .map(|_| world.driver("bench_drv sink"))
        .collect();
    let ports = ports?;
    for port in &ports {
        ask(port, b'P', descriptors, batch)?;
    }
    let first = ports.first().ok_or("there has to be a port")?;
    let took = seconds(|| {
        ask(first, b'W', number, 0)?;
        for _ in 0..number {
            match world.next()? {
                Message::Data { .. } => {}
                other => return Err(unexpected(&other)),
            }
        }
        Ok(())
    })?;
    Ok(vec![rate(number, took)])
}
