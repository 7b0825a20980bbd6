//! Loading drivers, for Rust users. Everything else about drivers that `erl_ddll` offers is
//! there as [`Process::ddll`].
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::driver::rust::PortDriver;
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

    /// Makes a driver in Rust known to this host, as one that is part of the program: it is there for
    /// everybody, and `erl_ddll` neither loads nor unloads it.
    ///
    /// # Errors
    /// `badarg`: a driver of this name is there already.
    pub fn add_driver<D: PortDriver>(&self) -> Result<(), Error> {
        let name = D::NAME.to_string_lossy();
        let refused = |sentence: String| {
            Error::new(
                "add",
                format!("the driver {name}"),
                Raise::badarg().hint(sentence),
            )
        };
        let driver = driver::rust::driver::<D>().map_err(|error| refused(error.to_string()))?;
        if self.drivers().add_static(driver) {
            Ok(())
        } else {
            Err(refused("there is a driver of this name already".into()))
        }
    }

    /// Takes a driver in Rust away again.
    ///
    /// # Errors
    /// `badarg`: there is none of this name, or a port of it is open.
    pub fn remove_driver(&self, name: &str) -> Result<(), Error> {
        let sentence = match self.drivers().remove_named(name) {
            Ok(true) => return Ok(()),
            Ok(false) => "there is no such driver that is part of the program",
            Err(()) => "a port of it is still open, or it was loaded from a file",
        };
        let raise = Raise::badarg().hint(sentence);
        Err(Error::new("remove", format!("the driver {name}"), raise))
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
