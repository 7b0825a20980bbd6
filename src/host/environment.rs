//! A host's environment variables, for Rust users.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::host::Host;

/// A name or a value that no environment variable can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadVariable {
    /// The end of a name is where the first `=` is.
    #[error("the name of an environment variable must not contain =")]
    NameWithEquals,
    /// The end of the whole variable is where the first NUL is.
    #[error("the name of an environment variable must not contain a NUL")]
    NameWithNul,
    /// As above.
    #[error("the value of an environment variable must not contain a NUL")]
    ValueWithNul,
}

/// The variables of programs that ports run, and of drivers: one table for each host.
///
/// It begins as a copy of the process's environment when the host is made, and is changed by
/// these functions and by drivers (`erl_drv_putenv`). The process's own environment
/// (`std::env`) is never changed, and what is changed in it later is not seen here. Names and values
/// are any bytes but NUL. A program gets what is there when its port is opened, with the changes that
/// [`Options::env`](crate::Options::env) names.
///
/// ```
/// use std::time::Duration;
/// use wharf::{Host, Message, Options, PortName};
///
/// let host = Host::new()?;
/// host.put_env("SHIP", "Fram")?;
/// let me = host.process();
/// let name = PortName::spawn_executable("/bin/sh");
/// me.open(name, Options::new().args(["-c", "printf %s $SHIP"]))?;
/// match me.next(Duration::from_secs(5))? {
///     Some(Message::Data { bytes, .. }) => assert_eq!(&bytes[..], b"Fram"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Host {
    /// A variable's value, if it is set (`os:getenv/1`).
    pub fn env(&self, name: impl AsRef<OsStr>) -> Option<OsString> {
        let value = self.services().variables.get(name.as_ref().as_bytes());
        value.map(OsString::from_vec)
    }

    /// Every variable with its value, by name (`os:env/0`).
    pub fn env_vars(&self) -> Vec<(OsString, OsString)> {
        let all = self.services().variables.all().into_iter();
        all.map(|(name, value)| (OsString::from_vec(name), OsString::from_vec(value)))
            .collect()
    }

    /// Sets a variable (`os:putenv/2`). The name may be empty, as in Erlang.
    ///
    /// # Errors
    /// There is a `=` in the name, or a NUL in either; nothing is changed.
    pub fn put_env(
        &self,
        name: impl AsRef<OsStr>,
        value: impl AsRef<OsStr>,
    ) -> Result<(), BadVariable> {
        let value = value.as_ref().as_bytes();
        let name = checked(name.as_ref())?;
        if value.contains(&0) {
            return Err(BadVariable::ValueWithNul);
        }
        self.services().variables.put(name, value);
        Ok(())
    }

    /// Removes a variable, if there is such a one (`os:unsetenv/1`).
    ///
    /// # Errors
    /// There is a `=` or a NUL in the name.
    pub fn delete_env(&self, name: impl AsRef<OsStr>) -> Result<(), BadVariable> {
        self.services().variables.delete(checked(name.as_ref())?);
        Ok(())
    }
}

/// Of several faults Erlang names the one that comes first.
fn checked(name: &OsStr) -> Result<&[u8], BadVariable> {
    let name = name.as_bytes();
    match name.iter().find(|byte| matches!(byte, b'=' | 0)) {
        None => Ok(name),
        Some(0) => Err(BadVariable::NameWithNul),
        Some(_) => Err(BadVariable::NameWithEquals),
    }
}
