//! External programs: starting them, round trips, streams and lines.
#![forbid(unsafe_code)]

use super::{Arguments, Reading, World, data_from, next_from, rate, real, seconds, unexpected};
use std::error::Error;
use std::hint::black_box;
use wharf::{Message, Options, Packet, Port, PortName};

/// `spawn N AT_ONCE MB`: programs in a second, from open to exit status, so many at once, in a
/// host that has so many megabytes in use.
pub(super) fn spawn(world: &World, with: &Arguments<'_>) -> Reading {
    let (number, at_once) = (with.number(0)?, with.number(1)?);
    // Written, so that the pages are there.
    let resident = vec![1_u8; with.number(2)? << 20];
    let open = || {
        let name = PortName::spawn_executable("/bin/true");
        world.me.open(name, Options::new().exit_status())
    };
    let took = seconds(|| {
        for _ in 0..at_once.min(number) {
            open()?;
        }
        for ended in 1..=number {
            match world.next()? {
                Message::ExitStatus { status: 0, .. } => {}
                other => return Err(unexpected(&other)),
            }
            if ended + at_once <= number {
                open()?;
            }
        }
        Ok(())
    })?;
    black_box(resident);
    Ok(vec![rate(number, took)])
}

/// `program PACKETS BYTES N`: round trips in a second through cat, or through a program that
/// sends `{packet,4}` messages back.
pub(super) fn round_trips(world: &World, with: &Arguments<'_>) -> Reading {
    let port = match with.number(0)? {
        0 => world.cat()?,
        _ => world.program(&["echo4"], Options::new().packet(Packet::Four))?,
    };
    let data = vec![b'x'; with.number(1)?];
    let number = with.number(2)?;
    echo(&port, &data)?;
    let took = seconds(|| (0..number).try_for_each(|_| echo(&port, &data)))?;
    Ok(vec![rate(number, took)])
}

/// Sends, and waits until as much has come back.
pub(super) fn echo(port: &Port, data: &[u8]) -> Result<(), Box<dyn Error>> {
    port.command(data)?;
    take(port, data.len())
}

/// Waits for so many bytes.
pub(super) fn take(port: &Port, bytes: usize) -> Result<(), Box<dyn Error>> {
    let mut left = bytes;
    while left > 0 {
        left = left
            .checked_sub(data_from(port)?)
            .ok_or("more bytes than were sent")?;
    }
    Ok(())
}

/// `pump out|in BYTES`: megabytes in a second out of a program or into one, 64 KiB at a time.
pub(super) fn pump(world: &World, with: &Arguments<'_>) -> Reading {
    const PIECE: usize = 65_536;
    let bytes = with.number(1)?;
    let took = match with.word(0)? {
        "out" => seconds(|| {
            let port = world.program(&["blast", with.word(1)?], Options::new())?;
            take(&port, bytes)
        })?,
        "in" => {
            let data = vec![b'x'; PIECE];
            seconds(|| {
                let port = world.program(&["discard", with.word(1)?], Options::new())?;
                for _ in 0..bytes / PIECE {
                    port.command(&data)?;
                }
                take(&port, 1)
            })?
        }
        other => return Err(format!("`{other}` is neither `out` nor `in`").into()),
    };
    Ok(vec![real(bytes) / 1e6 / took])
}

/// `lines N`: lines of 13 bytes in a second.
pub(super) fn lines(world: &World, with: &Arguments<'_>) -> Reading {
    let number = with.number(0)?;
    let took = seconds(|| {
        let port = world.program(&["lines", with.word(0)?], Options::new().line(4096))?;
        for _ in 0..number {
            match next_from(&port)? {
                Message::Line { complete: true, .. } => {}
                other => return Err(unexpected(&other)),
            }
        }
        Ok(())
    })?;
    Ok(vec![rate(number, took)])
}
