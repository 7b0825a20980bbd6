//! Programs that outlive their port, and are waited for so that none stays in the system's
//! table after its end.
//!
//! A thread does it, which is there only while there are such programs and a little longer.
//! It needs nobody: programs that outlive even the host are waited for all the same.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::os::child::Child;
use crate::os::errno::Errno;
use crate::os::poll::{Events, Interest, Mode, Poller};
use crate::os::thread;

/// See the module's text.
#[derive(Default)]
pub(crate) struct Orphans {
    home: Lock<Option<Arc<Home>>>,
    /// Nobody could be found to wait for these; tried again with the next one.
    stranded: Lock<Vec<Child>>,
}

/// What the thread and those who bring children share.
struct Home {
    poller: Poller,
    children: Lock<Children>,
}

#[derive(Default)]
struct Children {
    by_token: HashMap<u64, Child>,
    next_token: u64,
    /// Whether the thread will look at the poller again.
    watched: bool,
    /// No more children come.
    last: bool,
}

/// How long the thread stays when there is nothing to wait for.
const LINGER: Duration = Duration::from_secs(5);

/// How long those that end may gather before the thread looks again: to wake for each would take time from
/// the others, which have yet to end.
const GATHER: Duration = Duration::from_millis(1);

const END: Interest = Interest {
    readable: true,
    writable: false,
    mode: Mode::OneShot,
};

impl Orphans {
    /// Sees to it that the child is reaped when it ends.
    pub(crate) fn adopt(&self, child: Child) {
        let mut waiting = std::mem::take(&mut *self.stranded.lock());
        waiting.push(child);
        for child in waiting {
            if !matches!(child.reap(), Ok(None)) {
                continue;
            }
            if let Err((error, child)) = self.wait_for(child) {
                let pid = child.pid();
                tracing::warn!(pid, %error, "a program whose port is gone cannot be waited for now");
                self.stranded.lock().push(child);
            }
        }
    }

    fn wait_for(&self, child: Child) -> Result<(), (Errno, Child)> {
        let answer = match self.home() {
            Ok(home) => Home::take_in(&home, child),
            Err(error) => Err((error, child)),
        };
        // Without a descriptor to spare a thread for this child alone does it.
        answer.or_else(|(_, child)| wait_alone(child))
    }

    fn home(&self) -> Result<Arc<Home>, Errno> {
        let mut home = self.home.lock();
        if let Some(home) = &*home {
            return Ok(Arc::clone(home));
        }
        let new = Arc::new(Home {
            poller: Poller::new()?,
            children: Lock::new(Children::default()),
        });
        Ok(Arc::clone(home.insert(new)))
    }
}

impl Drop for Orphans {
    /// The thread need not linger any more.
    fn drop(&mut self) {
        if let Some(home) = self.home.lock().take() {
            home.children.lock().last = true;
            home.poller.wake();
        }
    }
}

fn wait_alone(child: Child) -> Result<(), (Errno, Child)> {
    let child = Arc::new(child);
    let waited = Arc::clone(&child);
    let started = thread::spawn("wharf_orphan", move || {
        // It is gone, or will never be to be had.
        let _ = waited.wait();
    });
    match (started, Arc::try_unwrap(child)) {
        (Err(error), Ok(child)) => Err((error.into(), child)),
        _ => Ok(()),
    }
}

impl Home {
    fn take_in(home: &Arc<Home>, child: Child) -> Result<(), (Errno, Child)> {
        let mut children = home.children.lock();
        let token = children.next_token;
        children.next_token += 1;
        if !children.watched {
            let served = Arc::clone(home);
            if let Err(error) = thread::spawn("wharf_orphans", move || served.serve()) {
                return Err((error.into(), child));
            }
            children.watched = true;
        }
        // One that has ended by now is reported at once.
        if let Err(error) = home.poller.add(&child, token, END) {
            return Err((error, child));
        }
        children.by_token.insert(token, child);
        Ok(())
    }

    fn serve(&self) {
        let mut events = Events::with_capacity(256);
        loop {
            let mut children = self.children.lock();
            let idle = children.by_token.is_empty();
            if idle && children.last {
                children.watched = false;
                return;
            }
            drop(children);
            let deadline = idle.then(|| Instant::now() + LINGER);
            let failed = self.poller.wait(&mut events, deadline).err();
            self.reap(&events);
            let mut children = self.children.lock();
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let idle = children.by_token.is_empty();
            if failed.is_some() || (late && idle) {
                children.watched = false;
                return;
            }
            drop(children);
            if !idle {
                std::thread::sleep(GATHER);
            }
        }
    }

    /// Takes those that have ended out of the system's table, and nobody who brings more waits for it.
    fn reap(&self, events: &Events) {
        let mut children = self.children.lock();
        let ended: Vec<_> = events
            .iter()
            .filter_map(|event| Some((event.token, children.by_token.remove(&event.token)?)))
            .collect();
        drop(children);
        for (token, child) in ended {
            // Whatever else: it is gone, or will never be to be had.
            if matches!(child.reap(), Ok(None)) && self.poller.modify(&child, token, END).is_ok() {
                self.children.lock().by_token.insert(token, child);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::child::{Given, Program, start};
    use crate::os::fd::pipe;
    use std::os::fd::AsFd;

    /// Whether the system still has the process in its table.
    fn exists(pid: u32) -> bool {
        std::path::Path::new(&format!("/proc/{pid}")).exists()
    }

    fn cat(input: Given<'_>) -> Child {
        start(&Program {
            path: c"/bin/cat",
            argv: &[c"cat".into()],
            env: &[],
            directory: None,
            descriptors: [
                input,
                Given::Inherited,
                Given::Inherited,
                Given::Closed,
                Given::Closed,
            ],
        })
        .unwrap()
        .child
    }

    fn wait_until_gone(pid: u32) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while exists(pid) {
            assert!(Instant::now() < deadline, "process {pid} was never reaped");
            std::thread::yield_now();
        }
    }

    #[test]
    fn children_are_reaped_after_their_port_and_after_their_host() {
        let orphans = Orphans::default();
        let short = cat(Given::Closed);
        let short_pid = short.pid();
        orphans.adopt(short);
        wait_until_gone(short_pid);
        let held = pipe().unwrap();
        let long = cat(Given::Copy(held.reader.as_fd()));
        let long_pid = long.pid();
        orphans.adopt(long);
        drop(held.reader);
        assert!(exists(long_pid));
        drop(orphans);
        drop(held.writer);
        wait_until_gone(long_pid);
    }
}
