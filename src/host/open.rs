//! From a name and options to a port: which back end, on which turn, and in whose words a
//! refusal is told.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::driver::Search;
use crate::host::{Process, Raise};
use crate::port::name::{BadName, PortName};
use crate::port::options::{BadOption, Mechanism, Options};
use crate::port::transport::Transport;
use crate::port::{OpenError, Port};
use crate::runtime::turn::Turn;
use crate::term::{PortId, Term};
use crate::transport;

impl Process {
    /// `open_port/2`.
    ///
    /// # Errors
    /// `badarg` with the words Erlang has for it, or the reason of the back end's refusal.
    pub fn open_port(&self, name: &Term, settings: &Term) -> Result<PortId, Raise> {
        let options = Options::from_term(settings)?;
        let name = PortName::from_term(name)?;
        self.open_checked(name, options).map(|port| port.id())
    }

    pub(super) fn open_checked(
        &self,
        name: PortName,
        options: Options,
    ) -> Result<Arc<Port>, Raise> {
        let services = self.host().services();
        let drivers = self.host().drivers();
        let search = match &name {
            PortName::SpawnDriver(_) => Search::LoadedOrOnPath,
            _ => Search::Loaded,
        };
        let driver = match name.driver_word() {
            Some(word) => drivers
                .find(word, search)
                .map_err(|refusal| Raise::argument(1, "invalid port name").hint(refusal))?,
            None => None,
        };
        let (turn, transport): (Arc<Turn>, Box<dyn Transport>) = match (&name, driver) {
            (PortName::Spawn(command) | PortName::SpawnDriver(command), Some(driver)) => {
                options.check(driver.mechanism())?;
                let turn = driver.turn(&services.workers);
                let instance = driver.instance(command, &turn);
                (turn, instance)
            }
            (PortName::SpawnDriver(_), None) => {
                return Err(Raise::argument(1, "invalid port name")
                    .hint("no driver of that name is loaded, or found on the driver path"));
            }
            (PortName::Spawn(command), None) => {
                options.check(Mechanism::Program)?;
                let turn = Turn::new(&services.workers);
                let program = transport::shell_command(command, &options, &turn);
                (turn, program)
            }
            (PortName::SpawnExecutable(file), _) => {
                options.check(Mechanism::Executable)?;
                let turn = Turn::new(&services.workers);
                let program = transport::executable(file, &options, &turn);
                (turn, program)
            }
            (PortName::Fd { input, output }, _) => {
                options.check(Mechanism::Fd)?;
                let turn = Turn::new(&services.workers);
                let pair = transport::descriptors(*input, *output, &options, &turn);
                (turn, pair)
            }
        };
        let shown = name.display_bytes().into_boxed_slice();
        let opened = Port::open(services, turn, shown, options, self.cell(), transport);
        opened.map_err(|error| match error {
            OpenError::TooMany => Raise::error(Term::atom("system_limit")),
            OpenError::Refused(reason) if reason.is_atom("badarg") => {
                Raise::argument(1, "invalid port name").hint("the driver does not take this name")
            }
            OpenError::Refused(reason) => Raise::error(reason),
        })
    }
}

impl From<BadOption> for Raise {
    fn from(bad: BadOption) -> Raise {
        Raise {
            detail: Some(bad.erlang_text().to_owned()),
            ..Raise::badarg().hint(bad.to_string())
        }
    }
}

impl From<BadName> for Raise {
    fn from(bad: BadName) -> Raise {
        Raise {
            detail: bad.erlang_text().map(str::to_owned),
            ..Raise::badarg().hint(bad.to_string())
        }
    }
}
