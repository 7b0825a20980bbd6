//! Drivers: shared libraries that ports are opened with.

use std::ffi::c_char;

use super::host::wharf_host;
use super::living;
use super::status::wharf_status;
use super::{argument, export};

/// Loads the driver `name` from the file `folder/name.so`, for as long as the host lives. Ports of
/// it are opened with `{spawn_driver, "name"}`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_REFUSED`: the file is missing or no driver, needs a symbol nobody has, is of a
///   version that does not fit, or refuses; the error's text says which.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this. The driver's `init` runs on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_driver_load(
    host: *const wharf_host,
    folder: *const c_char,
    name: *const c_char,
) -> wharf_status {
    export!(wharf_driver_load, {
        let entry = living::host(host)?;
        // SAFETY: C's promise about both texts.
        let (folder, name) = unsafe {
            (
                argument::os_string("folder", folder)?,
                argument::utf8("name", name)?,
            )
        };
        Ok(entry.loader().load_driver(folder, name)?)
    })
}
