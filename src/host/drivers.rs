//! Loading drivers, for Rust users. Everything else about drivers that `erl_ddll` offers is
//! there as [`Process::ddll`].
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::driver::{self, DriverFacts, DriverFault};
use crate::host::{Error, Host, Process, Raise};
use crate::term::{Binary, Term, atom};

impl Host {
    /// What the driver in `file` says about itself. Its code runs for that: it is loaded, and
    /// unloaded again.
    ///
    /// # Errors
    /// It cannot be loaded; the fault says why.
    pub fn inspect_driver(&self, file: impl AsRef<Path>) -> Result<DriverFacts, DriverFault> {
        self.drivers().inspect(file.as_ref())
    }

    /// The names of the sample drivers, which every host finds without a file. None without
    /// the feature `drivers`.
    pub fn sample_drivers() -> impl Iterator<Item = &'static str> {
        driver::sample_names()
    }

    /// The names of all functions that a driver may call on its host.
    pub fn driver_symbols() -> &'static [&'static str] {
        driver::symbols()
    }
}

impl Process {
    /// Loads the driver `name` from `folder/name.so`, for as long as this process lives or
    /// until it is unloaded as often as it was loaded.
    ///
    /// # Errors
    /// The file is missing or no driver, needs a symbol nobody has, is of a version that
    /// does not fit, or refuses; the error says which.
    ///
    /// ```
    /// use wharf::Host;
    ///
    /// let me = Host::new()?.process();
    /// let error = me.load_driver("/etc", "no_such_drv").unwrap_err();
    /// assert!(error.to_string().contains("no such file"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_driver(&self, folder: impl AsRef<Path>, name: &str) -> Result<(), Error> {
        let folder = folder.as_ref();
        let path = Term::Binary(Binary::from(folder.as_os_str().as_bytes()));
        let loaded = self
            .host()
            .drivers()
            .load(self.cell(), &path, &Term::charlist(name));
        loaded.map_err(|(reason, sentence)| {
            let raise = Raise::error(reason);
            let raise = match sentence {
                Some(sentence) => raise.hint(sentence),
                None => raise,
            };
            let file = folder.join(format!("{name}.so"));
            Error::new("load", file.display().to_string(), raise)
        })
    }

    /// Takes back one load of a driver. It is unloaded when nobody uses it any more.
    ///
    /// # Errors
    /// It is not loaded, or not by this process, or it is permanent.
    pub fn unload_driver(&self, name: &str) -> Result<(), Error> {
        let shown = format!("the driver {name}");
        let answer = match self.ddll("unload", &[Term::charlist(name)]) {
            Ok(answer) => answer,
            Err(raise) => return Err(Error::new("unload", shown, raise)),
        };
        match answer.as_tuple().map(|pair| &pair[..]) {
            Some([Term::Atom(atom::ERROR), reason]) => {
                let words = self.ddll("format_error", std::slice::from_ref(reason));
                let words = words.ok().and_then(|words| words.to_charlist_string());
                let raise = Raise::error(reason.clone());
                let raise = match words {
                    Some(words) => raise.hint(words),
                    None => raise,
                };
                Err(Error::new("unload", shown, raise))
            }
            _ => Ok(()),
        }
    }
}
