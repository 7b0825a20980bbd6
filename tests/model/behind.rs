//! What is behind a port acts: a program ends, a pipe is filled, read, written or closed.

use crate::spec::{Outcome, replies};
use crate::step::{Kind, Step};
use crate::world::{Life, Port, World};

/// More than a pipe takes, and left over in a port's queue: a little, almost enough to make it
/// busy, just enough, more.
pub(crate) const STUFFING: [usize; 4] = [70_000, 65_536 + 8191, 65_536 + 8192, 80_000];

impl World {
    /// What is done by whatever is behind a port, or told to it to do.
    pub(crate) fn behind(&mut self, step: Step) -> Option<Outcome> {
        let port = match step {
            Step::Stuff { port, .. }
            | Step::Tell { port, .. }
            | Step::PeerReads { port }
            | Step::PeerWrites { port, .. }
            | Step::PeerCloses { port }
            | Step::PeerDies { port } => port,
            _ => return None,
        };
        let it = &self.ports[port];
        let owner = Some(it.owner).filter(|owner| self.processes[*owner].alive);
        let open = it.life == Life::Open;
        // Nobody could tell when the end of the input was noticed.
        let unheard =
            open && it.opts.eof && (owner.is_none_or(|who| self.processes[who].suspended));
        let listen = owner.filter(|_| open && it.opts.eof);
        match (step, it.kind) {
            (Step::Stuff { bytes, .. }, Kind::Deaf | Kind::Fd | Kind::Queue) => {
                let fits = matches!(it.opts.packet, None | Some(4)) || it.kind == Kind::Queue;
                let gone = it.input_ended && it.kind == Kind::Deaf;
                if !open || !fits || gone || it.opts.input_only || it.stuffed || it.busy {
                    return None;
                }
                let it = &mut self.ports[port];
                it.output += bytes;
                it.wire += bytes;
                if it.kind != Kind::Queue {
                    it.wire += usize::from(it.opts.packet.unwrap_or(0));
                }
                it.stuffed = true;
                replies("true")
            }
            (Step::Tell { status, rest, .. }, Kind::Told) => {
                if !open || it.input_ended || unheard {
                    return None;
                }
                self.ports[port].output += tell(status, rest).len();
                if rest {
                    self.deliver(port, "zz");
                }
                self.end_of_input(port, status);
                Some(Outcome {
                    reply: "true".into(),
                    listen,
                })
            }
            (Step::PeerReads { .. }, Kind::Fd | Kind::Queue) if it.life != Life::Closed => {
                let it = &mut self.ports[port];
                (it.stuffed, it.queue) = (false, 0);
                self.ready(port);
                self.finish(port);
                replies("ok")
            }
            (Step::PeerWrites { data, .. }, Kind::Fd) if open && !it.input_ended => {
                let text = data.text();
                if framed_too_long(it, &text) {
                    return None;
                }
                if !text.is_empty() || it.opts.packet.is_some() {
                    self.deliver(port, &text);
                }
                replies("ok")
            }
            (Step::PeerCloses { .. }, Kind::Fd) => {
                if it.life == Life::Closed || it.input_ended || unheard {
                    return None;
                }
                self.end_of_input(port, 0);
                Some(Outcome {
                    reply: "ok".into(),
                    listen,
                })
            }
            (Step::PeerDies { .. }, Kind::Deaf) => {
                // An open port with a queue may notice on either side first.
                if it.life == Life::Closed || it.input_ended || unheard || (open && it.queue > 0) {
                    return None;
                }
                self.end_of_input(port, 137);
                Some(Outcome {
                    reply: "ok".into(),
                    listen,
                })
            }
            _ => None,
        }
    }
}

fn framed_too_long(port: &Port, text: &str) -> bool {
    port.opts.packet == Some(1) && text.len() > 255
}

/// The line that ends a program of the kind `Told`.
pub(crate) fn tell(status: u8, rest: bool) -> String {
    format!("{}{status}\n", if rest { 'y' } else { 'x' })
}
