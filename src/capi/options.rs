//! Options of an open, built piece by piece, and the four opens that take them.

use std::ffi::{OsStr, c_char};
use std::mem::MaybeUninit;

use super::living;
use super::port::wharf_port;
use super::process::wharf_process;
use super::status::{Fault, wharf_status};
use super::{argument, export};
use crate::ffi::pointer;
use crate::host::Exited;
use crate::{Limits, Options, Packet, PortName};
use wharf_flag::*;
use wharf_status::*;

/// How a port is to be opened: framing, lines, environment and so on. At first all is as with an empty
/// list of options in Erlang: a stream of lists of bytes, both ways.
///
/// Made by `wharf_options_new`, freed by `wharf_options_free`, and good for any number of opens. One
/// thread at a time may change it.
#[allow(non_camel_case_types)]
pub struct wharf_options(Options);

/// Options that are there or not.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wharf_flag {
    /// `binary`: data comes as binaries instead of lists. Of bytes in a `wharf_message` this changes
    /// nothing.
    WHARF_FLAG_BINARY = 1,
    /// `exit_status`: the owner is told how the program ended.
    WHARF_FLAG_EXIT_STATUS = 2,
    /// `eof`: the end of the port's output is a message, not the end of the port.
    WHARF_FLAG_EOF = 3,
    /// `nouse_stdio`: the program talks on its descriptors 3 and 4 instead of 0 and 1.
    WHARF_FLAG_NOUSE_STDIO = 4,
    /// `stderr_to_stdout`: what the program writes to its standard error comes as data, too.
    WHARF_FLAG_STDERR_TO_STDOUT = 5,
    /// `in`: data comes from the port only.
    WHARF_FLAG_IN = 6,
    /// `out`: data goes to the port only.
    WHARF_FLAG_OUT = 7,
    /// `{parallelism, true}`: a hint that `wharf_port_info` shows.
    WHARF_FLAG_PARALLELISM = 8,
}

const _: () = assert!(size_of::<wharf_flag>() == size_of::<u32>());

type Change = fn(Options) -> Options;

/// The flags by their numbers, since C may hand over any.
const FLAGS: [(wharf_flag, Change); 8] = [
    (WHARF_FLAG_BINARY, Options::binary),
    (WHARF_FLAG_EXIT_STATUS, Options::exit_status),
    (WHARF_FLAG_EOF, Options::eof),
    (WHARF_FLAG_NOUSE_STDIO, Options::nouse_stdio),
    (WHARF_FLAG_STDERR_TO_STDOUT, Options::stderr_to_stdout),
    (WHARF_FLAG_IN, Options::input_only),
    (WHARF_FLAG_OUT, Options::output_only),
    (WHARF_FLAG_PARALLELISM, |options| options.parallelism(true)),
];

/// Changes the options that C names.
///
/// # Safety
/// If not NULL, `options` was made by [`wharf_options_new`], was not freed, and nobody else uses it.
unsafe fn change(
    options: *mut wharf_options,
    how: impl FnOnce(Options) -> Options,
) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    let options = unsafe { options.as_mut() };
    let options = options.ok_or_else(|| Fault::new(WHARF_STATUS_NULL, "options is NULL"))?;
    options.0 = how(std::mem::take(&mut options.0));
    Ok(())
}

/// Makes options, which belong to the caller, who frees them with `wharf_options_free`. Never NULL.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_options_new() -> *mut wharf_options {
    export!(wharf_options_new, |_| std::ptr::null_mut(), {
        Ok(Box::into_raw(Box::new(wharf_options(Options::new()))))
    })
}

/// Frees options. NULL is fine. Ports that were opened with them are not affected.
///
/// Any thread may call this, once for each `wharf_options_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_free(options: *mut wharf_options) {
    export!(wharf_options_free, |_| (), {
        if !options.is_null() {
            // SAFETY: `wharf_options_new` made it; that it is given back once is C's promise.
            drop(unsafe { Box::from_raw(options) });
        }
        Ok(())
    });
}

/// Sets one of the options that are there or not.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_RANGE`: there is no flag of this number.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_flag(
    options: *mut wharf_options,
    flag: MaybeUninit<wharf_flag>,
) -> wharf_status {
    export!(wharf_options_flag, {
        // SAFETY: C gives a number of this size, which need not be one of ours and is read as any.
        let flag = unsafe { flag.as_ptr().cast::<u32>().read() };
        let known = FLAGS.iter().find(|(known, _)| *known as u32 == flag);
        let (_, how) = known
            .ok_or_else(|| Fault::new(WHARF_STATUS_RANGE, format!("there is no flag {flag}")))?;
        // SAFETY: C's promise.
        unsafe { change(options, how) }
    })
}

/// `{packet, N}`: data is cut into packets, each with its length in `header_bytes` bytes in front: 1, 2 or
/// 4. 0 takes it back.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_RANGE`: another number.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_packet(
    options: *mut wharf_options,
    header_bytes: u32,
) -> wharf_status {
    export!(wharf_options_packet, {
        let packet = match header_bytes {
            0 => None,
            1 => Some(Packet::One),
            2 => Some(Packet::Two),
            4 => Some(Packet::Four),
            n => {
                let text = format!("a packet's header has 1, 2 or 4 bytes, not {n}");
                return Err(Fault::new(WHARF_STATUS_RANGE, text));
            }
        };
        // SAFETY: C's promise.
        unsafe {
            change(options, |options| match packet {
                Some(packet) => options.packet(packet),
                None => options.stream(),
            })
        }
    })
}

/// `{line, N}`: data comes in lines, in pieces of at most `bytes_max` bytes. 0 is the usual limit, 512.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_line(
    options: *mut wharf_options,
    bytes_max: usize,
) -> wharf_status {
    export!(wharf_options_line, {
        // SAFETY: C's promise.
        unsafe {
            change(options, |options| match bytes_max {
                0 => options.lines(),
                bytes_max => options.line(bytes_max),
            })
        }
    })
}

/// One more argument for the program of `wharf_open_executable`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_arg(
    options: *mut wharf_options,
    argument: *const c_char,
) -> wharf_status {
    export!(wharf_options_arg, {
        // SAFETY: C's promise.
        let argument = unsafe { argument::os_string("argument", argument) }?;
        // SAFETY: C's promise.
        unsafe { change(options, |options| options.arg(argument)) }
    })
}

/// What the program of `wharf_open_executable` is told to be called, instead of its file name.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_arg0(
    options: *mut wharf_options,
    name: *const c_char,
) -> wharf_status {
    export!(wharf_options_arg0, {
        // SAFETY: C's promise.
        let name = unsafe { argument::os_string("name", name) }?;
        // SAFETY: C's promise.
        unsafe { change(options, |options| options.arg0(name)) }
    })
}

/// The program starts in this folder.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_cd(
    options: *mut wharf_options,
    folder: *const c_char,
) -> wharf_status {
    export!(wharf_options_cd, {
        // SAFETY: C's promise.
        let folder = unsafe { argument::os_string("folder", folder) }?;
        // SAFETY: C's promise.
        unsafe { change(options, |options| options.cd(folder)) }
    })
}

/// The program's environment has this variable; with NULL for `value`, it has no such variable.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`: `options` or `name` is NULL.
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_env(
    options: *mut wharf_options,
    name: *const c_char,
    value: *const c_char,
) -> wharf_status {
    export!(wharf_options_env, {
        // SAFETY: C's promise.
        let name = unsafe { argument::os_string("name", name) }?;
        let value: Option<&OsStr> = match value.is_null() {
            true => None,
            // SAFETY: C's promise.
            false => Some(unsafe { argument::os_string("value", value) }?),
        };
        // SAFETY: C's promise.
        unsafe {
            change(options, |options| match value {
                Some(value) => options.env(name, value),
                None => options.env_remove(name),
            })
        }
    })
}

/// How many bytes of output may be queued before those who send wait, and down to how many they wait:
/// `{busy_limits_port, {Low, High}}`. With 0 for both there is no limit.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_RANGE`: one of them is 0, or one is 2^64 - 1. A `low` above `high` counts as `high`.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_busy_limits(
    options: *mut wharf_options,
    low: u64,
    high: u64,
) -> wharf_status {
    export!(wharf_options_busy_limits, {
        let limits = limits(low, high)?;
        // SAFETY: C's promise.
        unsafe { change(options, |options| options.busy_limits_port(limits)) }
    })
}

/// How many bytes of requests may wait for a port that is at work before those who send wait, and down to
/// how many they wait: `{busy_limits_msgq, {Low, High}}`. With 0 for both there is no limit.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_RANGE`: as of `wharf_options_busy_limits`.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this, one at a time with the same options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_options_busy_limits_msgq(
    options: *mut wharf_options,
    low: u64,
    high: u64,
) -> wharf_status {
    export!(wharf_options_busy_limits_msgq, {
        let limits = limits(low, high)?;
        // SAFETY: C's promise.
        unsafe { change(options, |options| options.busy_limits_msgq(limits)) }
    })
}

fn limits(low: u64, high: u64) -> Result<Limits, Fault> {
    if (low, high) == (0, 0) {
        return Ok(Limits::Disabled);
    }
    Limits::new(low, high).ok_or_else(|| {
        let text = format!("{low} and {high} cannot be limits");
        Fault::new(WHARF_STATUS_RANGE, text)
    })
}

/// Opens a port by its kind of name.
///
/// # Safety
/// `options` is as for [`change`], but may be shared; `place` can be written.
unsafe fn open(
    process: *const wharf_process,
    name: PortName,
    options: *const wharf_options,
    place: *mut wharf_port,
) -> Result<(), Fault> {
    let entry = living::process(process)?;
    let place = argument::place("port", place)?;
    // SAFETY: the caller's promise.
    let options = unsafe { options.as_ref() }.map(|options| options.0.clone());
    if let Some(reason) = entry.process.exited() {
        return Err(Exited { reason }.into());
    }
    let port = entry.process.open(name, options.unwrap_or_default())?;
    let id = port.id().number();
    // SAFETY: the caller's promise.
    unsafe { pointer::store(place, wharf_port { id }) };
    Ok(())
}

/// Opens a port to a command line, which a shell runs: Erlang's `{spawn, Command}`. A driver of that name
/// comes first. `options` may be NULL. Ownership and statuses as of `wharf_open`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_open_spawn(
    process: *const wharf_process,
    command: *const c_char,
    options: *const wharf_options,
    port: *mut wharf_port,
) -> wharf_status {
    export!(wharf_open_spawn, {
        // SAFETY: C's promise.
        let command = unsafe { argument::os_string("command", command) }?;
        // SAFETY: C's promise.
        unsafe { open(process, PortName::spawn(command), options, port) }
    })
}

/// Opens a port to a program with exactly the arguments that `options` has: Erlang's
/// `{spawn_executable, File}`. `options` may be NULL. Ownership and statuses as of `wharf_open`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_open_executable(
    process: *const wharf_process,
    file: *const c_char,
    options: *const wharf_options,
    port: *mut wharf_port,
) -> wharf_status {
    export!(wharf_open_executable, {
        // SAFETY: C's promise.
        let file = unsafe { argument::os_string("file", file) }?;
        // SAFETY: C's promise.
        unsafe { open(process, PortName::spawn_executable(file), options, port) }
    })
}

/// Opens a port of a driver: Erlang's `{spawn_driver, Command}`. The driver is named by the first word of
/// the command, and its `start` is given all of it. `options` may be NULL. Ownership and statuses as of
/// `wharf_open`.
///
/// Any thread may call this. The driver's `start` runs on it when nobody else is in the driver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_open_driver(
    process: *const wharf_process,
    command: *const c_char,
    options: *const wharf_options,
    port: *mut wharf_port,
) -> wharf_status {
    export!(wharf_open_driver, {
        // SAFETY: C's promise.
        let command = unsafe { argument::os_string("command", command) }?;
        // SAFETY: C's promise.
        unsafe { open(process, PortName::spawn_driver(command), options, port) }
    })
}

/// Opens a port on descriptors that the program has: Erlang's `{fd, In, Out}`. They stay the program's,
/// who closes them when the port has ended. `options` may be NULL. Ownership and statuses as of
/// `wharf_open`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_open_fd(
    process: *const wharf_process,
    input: i32,
    output: i32,
    options: *const wharf_options,
    port: *mut wharf_port,
) -> wharf_status {
    export!(wharf_open_fd, {
        // SAFETY: C's promise.
        unsafe { open(process, PortName::fd(input, output), options, port) }
    })
}
