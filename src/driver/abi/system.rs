//! Time, environment, libraries, and facts about the host.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::ptr;

use super::export;
use super::misuse::{self, Rule};
use crate::driver::callback;
use crate::driver::context;
use crate::driver::entry::Version;
use crate::driver::instance::Instance;
use crate::driver::raw::{ErlDrvNowData, ErlDrvSysInfo, ErlDrvTime, ErlDrvTimeUnit};
use crate::ffi::pointer;
use crate::lock::Lock;
use crate::os::clock::{self, Unit};
use crate::os::errno::Errno;
use crate::os::library::{Library, Scope};
use crate::port::table as ports;

/// What a question about an unknown unit gives.
const TIME_ERROR: ErlDrvTime = ErlDrvTime::MIN;

export! {
    fn erl_drv_monotonic_time(unit: ErlDrvTimeUnit) -> ErlDrvTime, else TIME_ERROR => {
        unit_of(unit).map_or(TIME_ERROR, |unit| clock::convert(clock::monotonic_ns(), Unit::Nanosecond, unit))
    }

    fn erl_drv_time_offset(unit: ErlDrvTimeUnit) -> ErlDrvTime, else TIME_ERROR => {
        unit_of(unit).map_or(TIME_ERROR, |unit| clock::convert(clock::offset_ns(), Unit::Nanosecond, unit))
    }

    fn erl_drv_convert_time_unit(value: ErlDrvTime, from: ErlDrvTimeUnit, to: ErlDrvTimeUnit) -> ErlDrvTime, else TIME_ERROR => {
        match (unit_of(from), unit_of(to)) {
            (Some(from), Some(to)) => clock::convert(value, from, to),
            _ => TIME_ERROR,
        }
    }

    fn driver_get_now(now: *mut ErlDrvNowData) -> c_int, else -1 => {
        if now.is_null() {
            return -1;
        }
        let micros = clock::strictly_increasing_us().unsigned_abs();
        let found = ErlDrvNowData {
            megasecs: micros / 1_000_000_000_000,
            secs: micros / 1_000_000 % 1_000_000,
            microsecs: micros % 1_000_000,
        };
        // SAFETY: the driver wants it there.
        unsafe { pointer::store(now, found) };
        0
    }

    fn erl_drv_putenv(key: *const c_char, value: *mut c_char) -> c_int, else -1 => {
        // SAFETY: strings of the driver's.
        let (Some(key), Some(value)) = (unsafe { (pointer::string(key), pointer::string(value)) }) else {
            misuse::tell_here(&Rule::Nothing("a name and a value"));
            return -1;
        };
        let Some(variables) = context::variables() else {
            misuse::tell_here(&Rule::WhichHost);
            return -1;
        };
        variables.put(key.to_bytes(), value.to_bytes());
        0
    }

    fn erl_drv_getenv(key: *const c_char, value: *mut c_char, size: *mut usize) -> c_int, else -1 => {
        // SAFETY: a string and a number of the driver's.
        let (Some(key), Some(room)) = (unsafe { (pointer::string(key), pointer::load(size)) }) else {
            misuse::tell_here(&Rule::Nothing("a name and a size"));
            return -1;
        };
        let Some(found) = variable(key) else {
            return -1;
        };
        if value.is_null() || found.len() >= room {
            // SAFETY: as above.
            unsafe { pointer::store(size, found.len() + 1) };
            return 1;
        }
        // SAFETY: there is room for as many bytes as the driver said, which are more than these
        // and a zero.
        unsafe {
            value.cast::<u8>().copy_from_nonoverlapping(found.as_ptr(), found.len());
            value.add(found.len()).write(0);
            pointer::store(size, found.len());
        }
        0
    }

    fn driver_dl_open(path: *mut c_char) -> *mut c_void, else ptr::null_mut() => {
        // SAFETY: a string of the driver's.
        let Some(path) = (unsafe { pointer::string(path) }) else {
            misuse::tell_here(&Rule::Nothing("a path"));
            return ptr::null_mut();
        };
        let mut file = path.to_bytes().to_vec();
        file.extend_from_slice(b".so");
        let file = PathBuf::from(OsStr::from_bytes(&file));
        // SAFETY: the driver wants this library's code in this process.
        match unsafe { Library::open(&file, Scope::Local) } {
            Ok(library) => Box::into_raw(Box::new(library)).cast(),
            Err(_) => ptr::null_mut(),
        }
    }

    fn driver_dl_sym(handle: *mut c_void, name: *mut c_char) -> *mut c_void, else ptr::null_mut() => {
        // SAFETY: NULL, or a library from driver_dl_open; a string of the driver's.
        let (library, name) = unsafe { (handle.cast::<Library>().as_ref(), pointer::string(name)) };
        let Some((library, name)) = library.zip(name) else {
            misuse::tell_here(&Rule::Nothing("a library and a name"));
            return ptr::null_mut();
        };
        match library.symbol(name) {
            Ok(symbol) => symbol.as_ptr(),
            Err(error) => {
                DL_ERROR.set(kept_text(&error.to_string()));
                ptr::null_mut()
            }
        }
    }

    fn driver_dl_close(handle: *mut c_void) -> c_int, else -1 => {
        if handle.is_null() {
            misuse::tell_here(&Rule::Nothing("a library"));
            return -1;
        }
        // SAFETY: from driver_dl_open, and given up by the driver.
        let library = unsafe { Box::from_raw(handle.cast::<Library>()) };
        if library.close().is_ok() { 0 } else { -1 }
    }

    fn driver_dl_error() -> *mut c_char, else ptr::null_mut() => {
        DL_ERROR.get().as_ptr().cast_mut()
    }

    fn erl_errno_id(error: c_int) -> *mut c_char, else ptr::null_mut() => {
        Errno::new(error).c_name().as_ptr().cast_mut()
    }

    fn driver_system_info(info: *mut ErlDrvSysInfo, size: usize), else () => {
        let (pool, workers) = sizes();
        let facts = ErlDrvSysInfo {
            driver_major_version: Version::OURS.major,
            driver_minor_version: Version::OURS.minor,
            erts_version: c"13.1.5".as_ptr().cast_mut(),
            otp_release: c"25".as_ptr().cast_mut(),
            thread_support: 1,
            smp_support: 1,
            async_threads: pool,
            scheduler_threads: workers,
            nif_major_version: 2,
            nif_minor_version: 16,
            dirty_scheduler_support: 1,
        };
        // A driver compiled for an older version has room for fewer fields.
        let known = [32, 40, 48, 52].into_iter().rev().find(|known| *known <= size);
        match known {
            Some(known) if !info.is_null() => {
                // SAFETY: the driver has room for `size` bytes, which are not fewer.
                unsafe { info.cast::<u8>().copy_from_nonoverlapping((&raw const facts).cast(), known) };
            }
            Some(_) => misuse::tell_here(&Rule::Nothing("room for the facts")),
            None => misuse::tell_here(&Rule::NoRoomForFacts(size)),
        }
    }
}

thread_local! {
    /// Why this thread's last search for a symbol failed. That a library could not be opened is not
    /// told here, as in Erlang.
    static DL_ERROR: Cell<&'static CStr> = const { Cell::new(c"Unspecified dynamic library error") };
}

/// The text for as long as the process lives, because nobody knows how long a driver keeps it. Each
/// different one is there once.
fn kept_text(text: &str) -> &'static CStr {
    static TEXTS: Lock<BTreeSet<&'static CStr>> = Lock::new(BTreeSet::new());
    let Ok(text) = CString::new(text) else {
        return c"Unspecified dynamic library error";
    };
    let mut texts = TEXTS.lock();
    if let Some(known) = texts.get(text.as_c_str()) {
        return known;
    }
    let kept: &'static CStr = Box::leak(text.into_boxed_c_str());
    texts.insert(kept);
    kept
}

fn unit_of(unit: ErlDrvTimeUnit) -> Option<Unit> {
    Some(match unit {
        0 => Unit::Second,
        1 => Unit::Millisecond,
        2 => Unit::Microsecond,
        3 => Unit::Nanosecond,
        other => {
            misuse::tell_here(&Rule::NoUnit(other.cast_signed()));
            return None;
        }
    })
}

/// Where nobody knows which host is meant, what all hosts began with is there all the same.
fn variable(name: &CStr) -> Option<Vec<u8>> {
    match context::variables() {
        Some(variables) => variables.get(name.to_bytes()),
        None => std::env::var_os(OsStr::from_bytes(name.to_bytes())).map(OsStringExt::into_vec),
    }
}

/// How many threads run jobs, and how many callbacks, in the host whose callback is running.
fn sizes() -> (c_int, c_int) {
    let port = callback::innermost().and_then(ports::get);
    let number = |threads: usize| c_int::try_from(threads).unwrap_or(c_int::MAX);
    port.map_or((1, 1), |port| {
        let instance = port.transport_as::<Instance>();
        let drivers = instance.and_then(Instance::drivers);
        (
            drivers.map_or(1, |drivers| number(drivers.jobs().threads())),
            number(port.services().workers.threads_max()),
        )
    })
}
