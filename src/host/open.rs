//! From a name and options to a port: which back end, on which turn, and in whose words a
//! refusal is told.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::driver::Search;
use crate::host::{Process, Raise};
use crate::port::name::{BadName, PortName};
use crate::port::options::{BadOption, Explanation, Mechanism, Options};
use crate::port::transport::Transport;
use crate::port::{OpenError, Port};
use crate::runtime::turn::Turn;
use crate::term::{PortId, Term, atom};
use crate::transport;

impl Process {
    /// `open_port/2`.
    ///
    /// # Errors
    /// `badarg` with the words Erlang has for it, or the reason of the back end's refusal.
    pub fn open_port(&self, name: &Term, settings: &Term) -> Result<PortId, Raise> {
        let options = Options::from_term(settings)
            .and_then(|options| options.check_combination().map(|()| options));
        let only_cd = |bad: &BadOption| bad.explanation == Explanation::InvalidName;
        if options.as_ref().err().is_none_or(only_cd) && takes_no_args(name) && gives_args(settings)
        {
            return Err(Raise::argument(1, "must be spawn_executable")
                .hint("option args: needs spawn_executable"));
        }
        let options = options.map_err(|bad| bad_options(bad, name))?;
        let name = PortName::from_term(name)?;
        self.open_checked(&name, options).map(|port| port.id())
    }

    pub(super) fn open_checked(
        &self,
        name: &PortName,
        options: Options,
    ) -> Result<Arc<Port>, Raise> {
        self.alive()?;
        if name.display_bytes().contains(&0) {
            return Err(Raise::argument(1, "invalid port name")
                .hint("the name contains a NUL, which no command or file name can hold"));
        }
        let services = self.host().services();
        let drivers = self.host().drivers();
        let search = match name {
            PortName::SpawnDriver(_) => Search::LoadedOrOnPath,
            _ => Search::Loaded,
        };
        let driver = match name.driver_word() {
            Some(word) => drivers
                .find(word, search)
                .map_err(|refusal| Raise::argument(1, "invalid port name").hint(refusal))?,
            None => None,
        };
        let (turn, transport): (Arc<Turn>, Box<dyn Transport>) = match (name, driver) {
            (PortName::Spawn(_) | PortName::SpawnDriver(_), Some(driver)) => {
                options.check(driver.mechanism())?;
                let turn = driver.turn(&services.workers);
                let instance = driver.instance(&turn);
                (turn, instance)
            }
            (PortName::SpawnDriver(_), None) => {
                return Err(Raise::argument(1, "invalid port name")
                    .hint("no driver of that name is loaded, or found on the driver path"));
            }
            (PortName::Spawn(command), None) => {
                options.check(Mechanism::Program)?;
                let turn = Turn::new(&services.workers);
                let program =
                    transport::shell_command(command, &options, &services.variables, &turn);
                (turn, program)
            }
            (PortName::SpawnExecutable(file), _) => {
                options.check(Mechanism::Executable)?;
                let turn = Turn::new(&services.workers);
                let program = transport::executable(file, &options, &services.variables, &turn);
                (turn, program)
            }
            (PortName::Fd { input, output }, _) => {
                options.check(Mechanism::Fd)?;
                let turn = Turn::new(&services.workers);
                let pair = transport::descriptors(*input, *output, &options, &turn);
                (turn, pair)
            }
        };
        let shown = name.display_bytes().into();
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

/// Whether the name has a form that is another one than `spawn_executable`. To `args` Erlang
/// objects before it looks at what else the name is, or at `cd`.
fn takes_no_args(name: &Term) -> bool {
    name.as_tuple()
        .and_then(|tuple| tuple.first())
        .is_some_and(|form| *form != Term::Atom(atom::SPAWN_EXECUTABLE))
}

fn gives_args(settings: &Term) -> bool {
    let pairs = settings.to_list_vec().unwrap_or_default();
    pairs.iter().any(|option| {
        let pair = option.as_tuple().map(|tuple| tuple.elements());
        matches!(pair, Some([Term::Atom(atom::ARGS), _]))
    })
}

/// To a bad option Erlang adds what else it sees.
fn bad_options(bad: BadOption, name: &Term) -> Raise {
    let not_a_tuple = bad.explanation == Explanation::InvalidOption && name.as_tuple().is_none();
    let mut raise = Raise::from(bad);
    if let (true, Some(detail)) = (not_a_tuple, &mut raise.detail) {
        detail.insert_str(0, "1st argument: not a tuple\n");
    } else if name.as_tuple().is_none() {
        raise.detail = None;
    }
    raise
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
