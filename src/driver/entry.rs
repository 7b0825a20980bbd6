//! From the table of callbacks that a driver returns to checked, copied facts about it.
//!
//! Relies on the layout in `raw.rs` and on the driver keeping its table and its name where they
//! are while the library is loaded. Promises that nothing is read beyond the table's end, that
//! nothing is written to it, and that later changes to it have no effect, as in Erlang.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::fmt;

use super::layout::EXTENDED_MARKER;
use super::raw::{
    ERL_DRV_EXTENDED_MAJOR_VERSION, ERL_DRV_EXTENDED_MINOR_VERSION, ERL_DRV_FLAG_NO_BUSY_MSGQ,
    ERL_DRV_FLAG_SOFT_BUSY, ERL_DRV_FLAG_USE_INIT_ACK, ERL_DRV_FLAG_USE_PORT_LOCKING,
    ERL_DRV_MIN_REQUIRED_MAJOR_VERSION_ON_LOAD, ErlDrvData, ErlDrvEntry, ErlDrvEvent,
    ErlDrvMonitor, ErlDrvPort, ErlDrvSSizeT, ErlDrvSizeT, ErlDrvThreadData, ErlIOVec,
};

/// What a driver says about itself.
pub(crate) struct Entry {
    /// The name it wants to be opened by.
    pub(crate) name: CString,
    /// The version of the header it was compiled with.
    pub(crate) version: Version,
    /// How it wants to be treated.
    pub(crate) flags: Flags,
    pub(super) callbacks: Callbacks,
    /// It has an `emergency_close`, which is never called: that is for a crashing Erlang.
    pub(super) has_emergency_close: bool,
    /// Where the table is: what `remove_driver_entry` names it by.
    pub(super) address: usize,
}

/// A version of the driver interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// Drivers of another major version than ours, or the one before, are refused.
    pub(crate) major: i32,
    /// Drivers of a newer minor version than ours are refused.
    pub(crate) minor: i32,
}

impl Version {
    /// The version wharf implements.
    #[allow(clippy::cast_possible_wrap)] // 3.3
    pub(crate) const OURS: Version = Version {
        major: ERL_DRV_EXTENDED_MAJOR_VERSION as i32,
        minor: ERL_DRV_EXTENDED_MINOR_VERSION as i32,
    };

    fn is_accepted(self) -> bool {
        #[allow(clippy::cast_possible_wrap)] // 2
        const OLDEST: i32 = ERL_DRV_MIN_REQUIRED_MAJOR_VERSION_ON_LOAD as i32;
        self.major >= OLDEST && (self.major < Version::OURS.major || self <= Version::OURS)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// `driver_flags`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    /// Ports of the driver may run at the same time.
    pub(crate) fn port_locking(self) -> bool {
        self.0 & ERL_DRV_FLAG_USE_PORT_LOCKING != 0
    }

    /// Commands may be forced on a busy port.
    pub(crate) fn soft_busy(self) -> bool {
        self.0 & ERL_DRV_FLAG_SOFT_BUSY != 0
    }

    /// Commands that wait for the port are not limited.
    pub(crate) fn no_busy_msgq(self) -> bool {
        self.0 & ERL_DRV_FLAG_NO_BUSY_MSGQ != 0
    }

    /// An open lasts until `erl_drv_init_ack`.
    pub(crate) fn init_ack(self) -> bool {
        self.0 & ERL_DRV_FLAG_USE_INIT_ACK != 0
    }
}

/// The driver's functions, copied out of its table. The last one, `emergency_close`, is for the
/// moment when a virtual machine writes a crash dump, which wharf never does.
#[derive(Clone, Copy)]
pub(super) struct Callbacks {
    pub(super) init: Option<unsafe extern "C" fn() -> c_int>,
    pub(super) start: Option<unsafe extern "C" fn(ErlDrvPort, *mut c_char) -> ErlDrvData>,
    pub(super) stop: Option<unsafe extern "C" fn(ErlDrvData)>,
    pub(super) output: Option<unsafe extern "C" fn(ErlDrvData, *mut c_char, ErlDrvSizeT)>,
    pub(super) ready_input: Option<unsafe extern "C" fn(ErlDrvData, ErlDrvEvent)>,
    pub(super) ready_output: Option<unsafe extern "C" fn(ErlDrvData, ErlDrvEvent)>,
    pub(super) finish: Option<unsafe extern "C" fn()>,
    pub(super) control: Option<
        unsafe extern "C" fn(
            ErlDrvData,
            c_uint,
            *mut c_char,
            ErlDrvSizeT,
            *mut *mut c_char,
            ErlDrvSizeT,
        ) -> ErlDrvSSizeT,
    >,
    pub(super) timeout: Option<unsafe extern "C" fn(ErlDrvData)>,
    pub(super) outputv: Option<unsafe extern "C" fn(ErlDrvData, *mut ErlIOVec)>,
    pub(super) ready_async: Option<unsafe extern "C" fn(ErlDrvData, ErlDrvThreadData)>,
    pub(super) flush: Option<unsafe extern "C" fn(ErlDrvData)>,
    pub(super) call: Option<
        unsafe extern "C" fn(
            ErlDrvData,
            c_uint,
            *mut c_char,
            ErlDrvSizeT,
            *mut *mut c_char,
            ErlDrvSizeT,
            *mut c_uint,
        ) -> ErlDrvSSizeT,
    >,
    pub(super) process_exit: Option<unsafe extern "C" fn(ErlDrvData, *mut ErlDrvMonitor)>,
    pub(super) stop_select: Option<unsafe extern "C" fn(ErlDrvEvent, *mut std::ffi::c_void)>,
}

/// Why a table was refused. Erlang has one reason, `driver_incorrect_version`, for the first two.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntryError {
    /// The marker that every driver since 2009 carries is not there.
    #[error(
        "its table of callbacks carries the marker {0:#010x} instead of {EXTENDED_MARKER:#010x}: \
         compile it with erl_driver.h, and fill in extended_marker and the versions"
    )]
    Marker(u32),
    /// A version that is too old or too new.
    #[error("it was compiled for driver interface {0}, and this is {ours}", ours = Version::OURS)]
    Version(Version),
    /// Another driver than was asked for.
    #[error("it calls itself {found:?}, and was to be loaded as {wanted:?}")]
    Name {
        /// `driver_name`.
        found: String,
        /// The name given to the loader.
        wanted: String,
    },
}

/// Checks a table and copies what is in it. A driver without a name has the empty one.
///
/// # Safety
/// `table` is what `driver_init` returned: it points to an `ErlDrvEntry` at least as long as its
/// version says, whose name is a C string, and whose functions are what the header says.
pub(super) unsafe fn read(table: *const ErlDrvEntry) -> Result<Entry, EntryError> {
    // Field by field: an old table is shorter than the type, so no reference to it may exist.
    macro_rules! field {
        ($name:ident) => {
            // SAFETY: within the first 168 bytes, which every table has; the caller's promise.
            unsafe { (&raw const (*table).$name).read_unaligned() }
        };
    }
    #[allow(clippy::cast_sign_loss)] // bits
    let marker = field!(extended_marker) as u32;
    if marker != EXTENDED_MARKER {
        return Err(EntryError::Marker(marker));
    }
    let version = Version {
        major: field!(major_version),
        minor: field!(minor_version),
    };
    if !version.is_accepted() {
        return Err(EntryError::Version(version));
    }
    let name = field!(driver_name);
    let name = if name.is_null() {
        CString::default()
    } else {
        // SAFETY: the caller's promise.
        unsafe { CStr::from_ptr(name) }.to_owned()
    };
    Ok(Entry {
        name,
        version,
        #[allow(clippy::cast_sign_loss)] // bits
        flags: Flags(field!(driver_flags) as u32),
        callbacks: Callbacks {
            init: field!(init),
            start: field!(start),
            stop: field!(stop),
            output: field!(output),
            ready_input: field!(ready_input),
            ready_output: field!(ready_output),
            finish: field!(finish),
            control: field!(control),
            timeout: field!(timeout),
            outputv: field!(outputv),
            ready_async: field!(ready_async),
            flush: field!(flush),
            call: field!(call),
            process_exit: field!(process_exit),
            stop_select: field!(stop_select),
        },
        // Tables of older versions end before it.
        has_emergency_close: version >= Version { major: 3, minor: 2 }
            && field!(emergency_close).is_some(),
        address: table.addr(),
    })
}

impl Entry {
    /// Whether this is the driver that was asked for.
    pub(super) fn check_name(&self, wanted: &str) -> Result<(), EntryError> {
        if self.name.as_bytes() == wanted.as_bytes() {
            return Ok(());
        }
        Err(EntryError::Name {
            found: self.name.to_string_lossy().into_owned(),
            wanted: wanted.to_owned(),
        })
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("flags", &self.flags.0)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(version: (i32, i32), name: &'static CStr) -> ErlDrvEntry {
        // SAFETY: all zero is a table without callbacks.
        let mut table: ErlDrvEntry = unsafe { std::mem::zeroed() };
        table.extended_marker = EXTENDED_MARKER.cast_signed();
        (table.major_version, table.minor_version) = version;
        table.driver_name = name.as_ptr().cast_mut();
        table
    }

    fn read_table(table: &ErlDrvEntry) -> Result<Entry, EntryError> {
        // SAFETY: a whole table with a name.
        unsafe { read(table) }
    }

    #[test]
    fn versions_are_accepted_as_in_erlang() {
        for version in [(2, 0), (2, 9), (3, 0), (3, 3)] {
            assert!(read_table(&table(version, c"x")).is_ok(), "{version:?}");
        }
        for version in [(1, 3), (3, 4), (4, 0), (-1, 0)] {
            let error = read_table(&table(version, c"x")).unwrap_err();
            assert!(matches!(error, EntryError::Version(_)), "{version:?}");
        }
    }

    #[test]
    fn a_table_without_marker_is_refused_before_anything_else() {
        let mut table = table((3, 3), c"x");
        table.extended_marker = 0;
        assert_eq!(read_table(&table).unwrap_err(), EntryError::Marker(0));
    }

    #[test]
    fn names_must_agree() {
        let entry = read_table(&table((3, 3), c"mine")).unwrap();
        assert!(entry.check_name("mine").is_ok());
        let error = entry.check_name("other").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"it calls itself "mine", and was to be loaded as "other""#
        );
    }
}
