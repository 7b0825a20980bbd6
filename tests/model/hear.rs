//! What processes hear, held against what the model has for them; and terms as it writes them.

use std::time::Duration;

use wharf::host::Process;
use wharf::term::{Pid, PortId, Term};

use crate::play::{Answer, Played, Player};
use crate::world::{Mail, Sender};

impl Player {
    /// Takes all messages of a process: exactly those that it must get.
    pub(crate) fn listen(&mut self, who: usize) -> Played<()> {
        if !self.world.processes[who].alive {
            return Ok(());
        }
        loop {
            let mail = &self.world.processes[who].mail;
            let waited_for = mail.values().flatten().next().cloned();
            let patience = match waited_for {
                Some(_) => self.patience,
                None => Duration::ZERO,
            };
            let process = self.processes[who].as_ref().expect("alive");
            let got = process
                .receive_any(patience)
                .map_err(|exited| exited.to_string())?;
            match (got, waited_for) {
                (None, None) => return Ok(()),
                (None, Some(mail)) => return Err(format!("p{who} never got {mail:?}")),
                (Some(message), _) => self.got(who, &message)?,
            }
        }
    }

    /// A message came: it must be the next of its sender.
    fn got(&mut self, who: usize, message: &Term) -> Played<()> {
        let shown = self.shown(&Ok(message.clone()));
        let surprise = |expected: Option<&Mail>| match expected {
            Some(mail) => Err(format!("p{who} got {shown} before {mail:?}")),
            None => Err(format!(
                "p{who} got {shown}, and should get no more from there"
            )),
        };
        let Some(sender) = self.sender(message) else {
            return surprise(None);
        };
        let Some(mail) = self.world.processes[who].mail.get_mut(&sender) else {
            return surprise(None);
        };
        match mail.front_mut() {
            None => surprise(None),
            Some(Mail::Message { group, .. }) => {
                let group = *group;
                let same =
                    |mail: &&Mail| matches!(mail, Mail::Message { group: g, .. } if *g == group);
                let may_be = if group == 0 {
                    1
                } else {
                    mail.iter().take_while(same).count()
                };
                let at = mail.iter().take(may_be).position(|mail| match mail {
                    Mail::Message { text, .. } => *text == shown,
                    Mail::Stream { .. } => false,
                });
                match at {
                    Some(at) => drop(mail.remove(at)),
                    None => return surprise(mail.front()),
                }
                Ok(())
            }
            Some(Mail::Stream { binary, .. }) => {
                let Some((bytes, is_binary)) = data(message) else {
                    return surprise(mail.front());
                };
                let prefix = !bytes.is_empty() && is_binary == *binary;
                // One message may hold what was sent by several.
                let mut rest = bytes.as_str();
                if !prefix {
                    return surprise(mail.front());
                }
                while let Some(Mail::Stream { text, .. }) = mail.front_mut() {
                    let common = rest.len().min(text.len());
                    if rest[..common] != text[..common] {
                        return surprise(mail.front());
                    }
                    rest = &rest[common..];
                    text.drain(..common);
                    if !text.is_empty() {
                        break;
                    }
                    mail.pop_front();
                }
                match rest.is_empty() {
                    true => Ok(()),
                    false => surprise(mail.front()),
                }
            }
        }
    }

    fn sender(&self, message: &Term) -> Option<Sender> {
        let port = |id: &PortId| {
            self.ports
                .iter()
                .position(|port| port == id)
                .map(Sender::Port)
        };
        match &message.as_tuple()?[..] {
            [Term::Port(id), _] | [_, Term::Port(id), _] => port(id),
            [_, Term::Pid(pid), _] => self.number_of(*pid).map(Sender::Process),
            [_, Term::Reference(reference), ..] => {
                let number = self.references.iter().position(|it| it == reference)?;
                self.world.monitors.get(number).copied()
            }
            _ => None,
        }
    }

    fn number_of(&self, pid: Pid) -> Option<usize> {
        let is = |process: &Option<Process>| process.as_ref().is_some_and(|it| it.pid() == pid);
        self.processes.iter().position(is)
    }

    pub(crate) fn shown(&self, answer: &Answer) -> String {
        match answer {
            Ok(term) => self.text(term),
            Err(raise) => format!("raises {}", self.text(&raise.reason)),
        }
    }

    /// A term as the model writes it.
    fn text(&self, term: &Term) -> String {
        let number = |at: Option<usize>| at.map_or("unknown".into(), |at| at.to_string());
        match term {
            Term::Pid(pid) => format!("p{}", number(self.number_of(*pid))),
            Term::Port(id) => format!("P{}", number(self.ports.iter().position(|it| it == id))),
            Term::Reference(reference) => {
                let at = self.references.iter().position(|it| it == reference);
                format!("R{}", number(at))
            }
            Term::Tuple(parts) => match &parts[..] {
                [key, Term::Int(_)] if key.is_atom("os_pid") => "{os_pid,some}".into(),
                parts => {
                    let parts: Vec<String> = parts.iter().map(|part| self.text(part)).collect();
                    format!("{{{}}}", parts.join(","))
                }
            },
            other => match other.to_list_vec() {
                Some(parts) if matches!(parts.first(), Some(Term::Pid(_) | Term::Port(_))) => {
                    sorted(parts.iter().map(|part| self.text(part)).collect())
                }
                _ => other.to_string(),
            },
        }
    }
}

/// A list, in an order of its own.
pub(crate) fn sorted(mut texts: Vec<String>) -> String {
    texts.sort_by_key(|text| (text.len(), text.clone()));
    format!("[{}]", texts.join(","))
}

/// The bytes of `{Port, {data, Bytes}}`, and whether they are a binary.
fn data(message: &Term) -> Option<(String, bool)> {
    let [_, what] = &message.as_tuple()?[..] else {
        return None;
    };
    let [tag, bytes] = &what.as_tuple()?[..] else {
        return None;
    };
    if !tag.is_atom("data") {
        return None;
    }
    match bytes.as_binary() {
        Some(binary) => Some((String::from_utf8_lossy(binary).into_owned(), true)),
        None => Some((bytes.to_charlist_string()?, false)),
    }
}
