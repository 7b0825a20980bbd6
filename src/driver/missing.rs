//! Which symbols a library needs that nobody has.
//!
//! The system's loader names the first one and gives up; a person porting a driver wants all of
//! them. Relies on `object` to read the file. Promises never to fail: where the file cannot be
//! read, or a dependency cannot be found, it names fewer, and the loader's own sentence stands.

use std::ffi::CString;
use std::fs::File;
use std::path::Path;

use object::read::elf::{Dyn, ElfFile64};
use object::{Object, ObjectSymbol, ReadCache, ReadRef};

use crate::os::library::Library;

/// The names that `file` needs and that neither the process (our own functions included) nor the
/// libraries it depends on provide, in the file's order.
///
/// # Safety
/// The libraries that the file depends on are opened and closed again: as for
/// [`Library::open`], the caller must want their code to run, as it would with the file's.
pub(super) unsafe fn symbols(file: &Path) -> Vec<String> {
    let Ok(file) = File::open(file) else {
        return Vec::new();
    };
    let cache = ReadCache::new(file);
    let Ok(elf) = ElfFile64::<object::Endianness, _>::parse(&cache) else {
        return Vec::new();
    };
    let needed: Vec<&str> = elf
        .dynamic_symbols()
        .filter(|symbol| symbol.is_undefined() && !symbol.is_weak())
        .filter_map(|symbol| symbol.name().ok())
        .filter(|name| !name.is_empty())
        .collect();
    let Some(dependencies) = dependencies(&elf) else {
        return Vec::new();
    };
    let mut providers = vec![Library::process()];
    for name in dependencies {
        // SAFETY: the caller's promise.
        match unsafe { Library::open_dependency(name.as_ref()) } {
            Ok(library) => providers.push(library),
            // Found elsewhere by the file itself, or missing altogether, which the loader says.
            // Either way we cannot tell what it would have provided.
            Err(_) => return Vec::new(),
        }
    }
    needed
        .into_iter()
        .filter(|name| {
            CString::new(*name).is_ok_and(|name| {
                providers
                    .iter()
                    .all(|provider| provider.symbol(&name).is_err())
            })
        })
        .map(str::to_owned)
        .collect()
}

/// The names of the libraries that the file depends on; `None` also if it does not say.
pub(super) fn dependencies<'data, R: ReadRef<'data>>(
    elf: &ElfFile64<'data, object::Endianness, R>,
) -> Option<Vec<&'data str>> {
    let endian = elf.endian();
    let sections = elf.elf_section_table();
    let (dynamic, link) = sections.dynamic(endian, elf.data()).ok()??;
    let strings = sections.strings(endian, elf.data(), link).ok()?;
    dynamic
        .iter()
        .filter(|entry| entry.d_tag(endian) == object::elf::DT_NEEDED)
        .map(|entry| std::str::from_utf8(entry.string(endian, strings).ok()?).ok())
        .collect()
}
