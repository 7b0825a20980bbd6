//! Shared libraries: open, find a symbol, close; from a file, or from bytes that have none.
//!
//! Relies on `libloading` for the loader's calls and on an anonymous file (`memfd_create`) for libraries
//! that are embedded in this one. Promises that every symbol is resolved when `open` returns, that a
//! name without a slash is a file in the current directory and never a search through the system's
//! library path, and that an error carries the loader's own words.

use std::ffi::{CStr, OsStr, c_void};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use libloading::os::unix;

use super::fd::lift;

/// Who may use the symbols of a library that is being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Only who asks this library by name.
    Local,
    /// Every library that is opened later, too.
    Global,
}

/// An open shared library; dropping it closes it.
pub(crate) struct Library {
    // Order matters: the library goes before the file its name refers to.
    inner: unix::Library,
    /// An anonymous file stays open as long as its library is: the loader knows a library by its path,
    /// and `/proc/self/fd/N` would name another file once N is used again.
    _file: Option<OwnedFd>,
}

/// What the loader had to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LibraryError(String);

impl Library {
    /// Opens the library in a file.
    ///
    /// # Safety
    /// The library's initialisers run now, its finalisers when it is closed: the caller must want this
    /// code to run in this process. Whatever came from [`Library::symbol`] dies with the library.
    pub(crate) unsafe fn open(path: &Path, scope: Scope) -> Result<Library, LibraryError> {
        let here;
        let path = if path.as_os_str().as_encoded_bytes().contains(&b'/') {
            path
        } else {
            here = Path::new(".").join(path);
            &here
        };
        let visibility = match scope {
            Scope::Local => unix::RTLD_LOCAL,
            Scope::Global => unix::RTLD_GLOBAL,
        };
        // SAFETY: that this code may run is the caller's promise.
        let inner = unsafe { unix::Library::open(Some(path), unix::RTLD_NOW | visibility) }
            .map_err(LibraryError::new)?;
        Ok(Library { inner, _file: None })
    }

    /// Opens a library that exists as bytes only, by way of an anonymous file, or a temporary one where
    /// the system forbids to run code from those. `name` shows up in debuggers and process maps.
    ///
    /// # Safety
    /// As for [`Library::open`].
    pub(crate) unsafe fn open_bytes(
        name: &CStr,
        bytes: &[u8],
        scope: Scope,
    ) -> Result<Library, LibraryError> {
        // SAFETY: the caller's promise is passed on.
        let first = match unsafe { open_anonymous(name, bytes, scope) } {
            Ok(library) => return Ok(library),
            Err(error) => error,
        };
        // SAFETY: the caller's promise is passed on.
        unsafe { open_temporary(name, bytes, scope) }.map_err(|second| {
            LibraryError(format!(
                "from an anonymous file: {first}; from a temporary file: {second}"
            ))
        })
    }

    /// Whether this process has the library of this very file open already, under whatever name.
    pub(crate) fn is_open(path: &Path) -> bool {
        let only_if_loaded = unix::RTLD_LAZY | libc::RTLD_NOLOAD;
        // SAFETY: nothing is loaded, so no code of the file runs; at most a count goes up and down.
        unsafe { unix::Library::open(Some(path), only_if_loaded) }.is_ok()
    }

    /// Opens a library that others depend on by this name (`libz.so.1`), found as the loader finds it.
    ///
    /// # Safety
    /// As for [`Library::open`].
    pub(crate) unsafe fn open_dependency(name: &OsStr) -> Result<Library, LibraryError> {
        // SAFETY: that this code may run is the caller's promise.
        let inner = unsafe { unix::Library::open(Some(name), unix::RTLD_LAZY | unix::RTLD_LOCAL) }
            .map_err(LibraryError::new)?;
        Ok(Library { inner, _file: None })
    }

    /// The process itself: the symbols that every library finds.
    pub(crate) fn process() -> Library {
        Library {
            inner: unix::Library::this(),
            _file: None,
        }
    }

    /// The address of a symbol. A symbol that exists at address zero counts as missing.
    pub(crate) fn symbol(&self, name: &CStr) -> Result<NonNull<c_void>, LibraryError> {
        // SAFETY: the address is only handed out, never used as the type it is asked for.
        let found = unsafe { self.inner.get::<*mut c_void>(name) }.map_err(LibraryError::new)?;
        NonNull::new(found.as_raw_ptr()).ok_or_else(|| {
            LibraryError(format!("symbol {} has no address", name.to_string_lossy()))
        })
    }

    /// Closes the library and says whether the loader agreed.
    pub(crate) fn close(self) -> Result<(), LibraryError> {
        self.inner.close().map_err(LibraryError::new)
    }
}

/// Where the library begins that an address is in: the same for all addresses in one, whatever they
/// are of. `None` if there is no library.
pub(crate) fn base_of(address: usize) -> Option<usize> {
    let mut found = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: the address is only looked up, and the structure is filled when the answer is not 0.
    let found = unsafe {
        if libc::dladdr(std::ptr::without_provenance(address), found.as_mut_ptr()) == 0 {
            return None;
        }
        found.assume_init()
    };
    Some(found.dli_fbase.addr())
}

/// # Safety
/// As for [`Library::open`].
unsafe fn open_anonymous(name: &CStr, bytes: &[u8], scope: Scope) -> Result<Library, LibraryError> {
    let mut file = File::from(anonymous_file(name)?);
    file.write_all(bytes)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // SAFETY: the caller's promise is passed on.
    let library = unsafe { Library::open(&path, scope) }?;
    Ok(Library {
        _file: Some(file.into()),
        ..library
    })
}

/// Newer kernels want to be told that a file will be run; older ones do not know the word.
fn anonymous_file(name: &CStr) -> io::Result<OwnedFd> {
    for flags in [libc::MFD_CLOEXEC | libc::MFD_EXEC, libc::MFD_CLOEXEC] {
        // SAFETY: the name is a C string that lives through the call.
        let number = unsafe { libc::memfd_create(name.as_ptr(), flags) };
        if number >= 0 {
            // SAFETY: the kernel has just made this descriptor for us.
            return Ok(lift(unsafe { OwnedFd::from_raw_fd(number) }));
        }
    }
    Err(io::Error::last_os_error())
}

/// # Safety
/// As for [`Library::open`].
unsafe fn open_temporary(name: &CStr, bytes: &[u8], scope: Scope) -> Result<Library, LibraryError> {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let mut file_name = name.to_bytes().to_vec();
    file_name.extend(
        format!(
            "-{}-{}",
            std::process::id(),
            SERIAL.fetch_add(1, Ordering::Relaxed)
        )
        .bytes(),
    );
    // SAFETY: the bytes are those of an OS string (a C string) and of ASCII text.
    let path =
        std::env::temp_dir().join(unsafe { OsStr::from_encoded_bytes_unchecked(&file_name) });
    // `create_new`: whoever could plant a file or a link at this name could run code in this process.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(&path)?;
    let written = file.write_all(bytes);
    drop(file);
    let opened = match written {
        // SAFETY: the caller's promise is passed on.
        Ok(()) => unsafe { Library::open(&path, scope) },
        Err(error) => Err(error.into()),
    };
    // Mapped by now, or of no use. If it cannot be removed it is one small file in the temporary folder.
    let _ = std::fs::remove_file(&path);
    opened
}

impl LibraryError {
    /// What is wrong with a library that the loader finds nothing wrong with.
    pub(crate) fn of(words: &str) -> LibraryError {
        LibraryError(words.to_owned())
    }

    fn new(error: libloading::Error) -> LibraryError {
        match &error {
            libloading::Error::DlOpen { source }
            | libloading::Error::DlSym { source }
            | libloading::Error::DlClose { source } => LibraryError(source.to_string()),
            other => LibraryError(other.to_string()),
        }
    }
}

impl From<io::Error> for LibraryError {
    fn from(error: io::Error) -> LibraryError {
        LibraryError(error.to_string())
    }
}

impl fmt::Display for LibraryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for LibraryError {}

impl fmt::Debug for Library {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_one_library_have_one_base() {
        let process = Library::process();
        let base = |name: &CStr| base_of(process.symbol(name).unwrap().as_ptr().addr());
        assert!(base(c"malloc").is_some());
        assert_eq!(
            base(c"malloc"),
            base(c"environ"),
            "a function and a variable"
        );
        let here: fn() -> Vec<u8> = bytes_of_a_library;
        assert_ne!(base(c"malloc"), base_of(here as usize));
        let on_the_heap = Box::new(0);
        assert_eq!(base_of((&raw const *on_the_heap).addr()), None);
    }

    /// The maths library: in every process's reach, harmless, with a symbol of its own.
    fn bytes_of_a_library() -> Vec<u8> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let path = maps
            .lines()
            .filter_map(|line| line.split_whitespace().nth(5))
            .find(|path| path.contains("/libgcc_s.so"))
            .expect("a Rust program on glibc has libgcc_s loaded");
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_file_that_is_no_library_is_refused_in_the_loaders_words() {
        // SAFETY: this is no library, so nothing of it can run.
        let error = unsafe { Library::open(Path::new("/etc/passwd"), Scope::Local) }.unwrap_err();
        assert!(error.to_string().contains("/etc/passwd"), "{error}");
    }

    #[test]
    fn a_bare_name_is_never_searched_for() {
        // SAFETY: nothing is opened.
        let error = unsafe { Library::open(Path::new("libc.so.6"), Scope::Local) }.unwrap_err();
        assert!(error.to_string().contains("./libc.so.6"), "{error}");
    }

    #[test]
    fn bytes_open_from_either_kind_of_file() {
        let bytes = bytes_of_a_library();
        // SAFETY: the compiler's own support library.
        let anonymous = unsafe { open_anonymous(c"wharf-test", &bytes, Scope::Local) }.unwrap();
        // SAFETY: as above.
        let temporary = unsafe { open_temporary(c"wharf-test", &bytes, Scope::Local) }.unwrap();
        for library in [anonymous, temporary] {
            library.symbol(c"_Unwind_Resume").unwrap();
            let missing = library.symbol(c"no_such_symbol_here").unwrap_err();
            assert!(
                missing.to_string().contains("no_such_symbol_here"),
                "{missing}"
            );
            library.close().unwrap();
        }
        let left = std::fs::read_dir(std::env::temp_dir())
            .unwrap()
            .flatten()
            .any(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with(&format!("wharf-test-{}-", std::process::id()))
            });
        assert!(!left, "a temporary file stayed behind");
    }

    #[test]
    fn bytes_that_are_no_library_name_both_attempts() {
        // SAFETY: this is no library, so nothing of it can run.
        let error = unsafe { Library::open_bytes(c"wharf-test", b"not a library", Scope::Local) }
            .unwrap_err();
        assert!(
            error.to_string().contains("anonymous") && error.to_string().contains("temporary"),
            "{error}"
        );
    }
}
