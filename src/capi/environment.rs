//! The environment of a host, for its programs and drivers.

use std::ffi::c_char;
use std::os::unix::ffi::OsStrExt;

use super::host::wharf_host;
use super::status::{Fault, wharf_status};
use super::term::{hand_over, wharf_term};
use super::{argument, export, living, text};
use crate::BadVariable;
use crate::ffi::pointer;
use crate::term::{Binary, Term};
use wharf_status::*;

/// The value of a variable in a host's environment, which began as a copy of the program's and is its own
/// from then on.
///
/// The text belongs to the caller, who frees it with `wharf_text_free`. `*value` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: it is not set.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_env(
    host: *const wharf_host,
    name: *const c_char,
    value: *mut *mut c_char,
) -> wharf_status {
    export!(wharf_host_env, {
        let entry = living::host(host)?;
        // SAFETY: C's promise.
        let name = unsafe { argument::os_string("name", name) }?;
        let place = argument::place("value", value)?;
        let found = entry.host.env(name).ok_or_else(|| {
            let text = format!("{} is not set", name.display());
            Fault::new(WHARF_STATUS_NOTFOUND, text)
        })?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { pointer::store(place, text::give(found.as_bytes())) };
        Ok(())
    })
}

fn refused(bad: BadVariable) -> Fault {
    Fault::new(WHARF_STATUS_BADARG, bad.to_string())
}

/// Sets a variable in a host's environment, for programs that are started from now on and for its drivers;
/// with NULL for `value` it is removed. The program's own environment is not changed.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: the name has a `=` in it.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_put_env(
    host: *const wharf_host,
    name: *const c_char,
    value: *const c_char,
) -> wharf_status {
    export!(wharf_host_put_env, {
        let entry = living::host(host)?;
        // SAFETY: C's promise.
        let name = unsafe { argument::os_string("name", name) }?;
        if value.is_null() {
            return entry.host.delete_env(name).map_err(refused);
        }
        // SAFETY: C's promise.
        let value = unsafe { argument::os_string("value", value) }?;
        entry.host.put_env(name, value).map_err(refused)
    })
}

/// All variables of a host's environment, as a list of pairs `{Name, Value}` of binaries.
///
/// The list belongs to the caller, who frees it with `wharf_term_free`. `*variables` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_env_all(
    host: *const wharf_host,
    variables: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_host_env_all, {
        let entry = living::host(host)?;
        let place = argument::place("variables", variables)?;
        let binary = |text: std::ffi::OsString| Term::Binary(Binary::from(text.as_bytes()));
        let all = entry.host.env_vars().into_iter();
        let pairs = all.map(|(name, value)| Term::tuple([binary(name), binary(value)]));
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, Term::list(pairs.collect())) };
        Ok(())
    })
}
