//! What an exit signal does to a process. Pure.
#![forbid(unsafe_code)]

use crate::process::signal::{ExitCause, Party};
use crate::term::{Term, atom};

/// The effect of an exit signal on a process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Nothing happens.
    Ignored,
    /// The process gets `{'EXIT', From, Reason}`.
    Message,
    /// The process ends with this reason.
    Death(Term),
}

/// Decides what a signal with `reason` does to a process. See `erlang:exit/2` and
/// `process_flag(trap_exit, _)` in the reference manual's module `erlang`.
pub(crate) fn effect(cause: ExitCause, reason: &Term, traps: bool, to_itself: bool) -> Effect {
    match cause {
        ExitCause::Request if reason.is_atom("kill") => Effect::Death(Term::Atom(atom::KILLED)),
        _ if traps => Effect::Message,
        ExitCause::Request if to_itself => Effect::Death(reason.clone()),
        _ if reason.is_atom("normal") => Effect::Ignored,
        _ => Effect::Death(reason.clone()),
    }
}

/// The reason that the links and monitors of a *port* see when `exit(Port, Reason)` ends it.
pub(crate) fn port_reason(cause: ExitCause, reason: Term) -> Term {
    match cause {
        ExitCause::Request if reason.is_atom("kill") => Term::Atom(atom::KILLED),
        _ => reason,
    }
}

/// Whether an exit signal from `from` ends a port owned by `owner`. A linked process that is
/// not the owner may end normally without harm to the port; the owner may not, and
/// `exit(Port, normal)` closes a port whoever sends it.
pub(crate) fn ends_port(cause: ExitCause, from: Party, owner: Party, reason: &Term) -> bool {
    match cause {
        ExitCause::Request => true,
        ExitCause::Link => from == owner || !reason.is_atom("normal"),
        ExitCause::Badsig => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Pid;

    #[test]
    fn what_reasons_do_to_processes() {
        use ExitCause::{Badsig, Link, Request};
        let t = Term::atom;
        for (cause, reason, traps, itself, expected) in [
            (Link, "boom", false, false, Effect::Death(t("boom"))),
            (Link, "normal", false, false, Effect::Ignored),
            (Link, "kill", false, false, Effect::Death(t("kill"))),
            (Link, "kill", true, false, Effect::Message),
            (Request, "kill", true, false, Effect::Death(t("killed"))),
            (Request, "normal", false, false, Effect::Ignored),
            (Request, "normal", false, true, Effect::Death(t("normal"))),
            (Request, "boom", true, true, Effect::Message),
            (Badsig, "badsig", false, false, Effect::Death(t("badsig"))),
            (Badsig, "badsig", true, false, Effect::Message),
        ] {
            assert_eq!(effect(cause, &t(reason), traps, itself), expected);
        }
    }

    #[test]
    fn what_reasons_do_to_ports() {
        let owner = Party::Process(Pid::from_number(1));
        let other = Party::Process(Pid::from_number(2));
        let normal = Term::atom("normal");
        assert!(ends_port(ExitCause::Link, owner, owner, &normal));
        assert!(!ends_port(ExitCause::Link, other, owner, &normal));
        assert!(ends_port(ExitCause::Link, other, owner, &Term::atom("x")));
        assert!(ends_port(ExitCause::Request, other, owner, &normal));
    }
}
