//! Makes our functions visible to drivers.
//!
//! A driver leaves the names of the driver interface undefined, and the system's loader looks
//! for them in what is globally visible. So, once per process and before the first driver, the
//! trampoline library that `build.rs` made of `symbols.txt` is opened globally: each name in it
//! jumps through a table, which is filled here. This works in a program that exports nothing and
//! in one that opened wharf itself privately, and asks nothing of anybody's link line.

use std::sync::OnceLock;

use crate::os::library::{Library, LibraryError, Scope};

include!(concat!(env!("OUT_DIR"), "/symbols.rs"));

static TRAMPOLINES: OnceLock<Result<Library, LibraryError>> = OnceLock::new();

/// Makes the functions visible, the first time it is called.
pub(in crate::driver) fn provide() -> Result<(), LibraryError> {
    match TRAMPOLINES.get_or_init(open) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.clone()),
    }
}

fn open() -> Result<Library, LibraryError> {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/trampolines.so"));
    // SAFETY: our own library of jumps, without initialisers.
    let library = unsafe { Library::open_bytes(c"wharf-driver-functions", bytes, Scope::Global) }?;
    are_found(&library)?;
    let table = library.symbol(c"wharf_driver_table")?.cast::<*const ()>();
    for (slot, function) in functions().into_iter().enumerate() {
        // SAFETY: build.rs gave the table as many slots as the list has names, and `functions`
        // has as many. Nobody jumps through it before the first driver is opened, after this.
        unsafe { table.add(slot).write(function) };
    }
    Ok(library)
}

/// Whether a driver would find the functions of this library, and not those that somebody else in
/// the program made visible before: another copy of wharf, or an Erlang node around us. Nothing a
/// driver says there would arrive here.
fn are_found(library: &Library) -> Result<(), LibraryError> {
    let name = c"driver_output";
    if Library::process().symbol(name)? == library.symbol(name)? {
        return Ok(());
    }
    Err(LibraryError::of(
        "another copy of wharf, or Erlang itself, has made its own visible in this program, and \
         drivers would call those: let all parts of the program use one copy, or load drivers in \
         another process",
    ))
}

/// Whether a name is in the list; for `export!`, at compile time.
pub(super) const fn is_listed(name: &str) -> bool {
    let mut at = 0;
    while at < NAMES.len() {
        if same(NAMES[at].as_bytes(), name.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_visible_and_leads_to_its_function() {
        provide().expect("the trampoline library opens");
        let process = Library::process();
        for name in NAMES {
            let name = std::ffi::CString::new(name).unwrap();
            assert!(process.symbol(&name).is_ok(), "{name:?} is not visible");
        }
        let nil = process.symbol(c"driver_term_nil").unwrap().cast::<u64>();
        // SAFETY: the trampoline library exports a word of this name.
        assert_eq!(unsafe { nil.read() }, super::super::handle::NIL);
        let null_func = process.symbol(c"null_func").unwrap();
        // SAFETY: a function without arguments.
        let null_func = unsafe {
            std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C" fn() -> i32>(
                null_func.as_ptr(),
            )
        };
        // SAFETY: as above.
        assert_eq!(unsafe { null_func() }, 0);
    }

    #[test]
    fn names_are_found_in_the_list() {
        assert!(is_listed("driver_output"));
        assert!(!is_listed("driver_outpu") && !is_listed("driver_output3") && !is_listed(""));
    }
}
