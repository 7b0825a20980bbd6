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

/// See the module's text.
#[derive(Default)]
pub(crate) struct Orphans {
    home: Lock<Option<Arc<Home>>>,
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
}

/// How long the thread stays when there is nothing to wait for.
const LINGER: Duration = Duration::from_secs(5);

const END: Interest = Interest {
    readable: true,
    writable: false,
    mode: Mode::OneShot,
};

impl Orphans {
    /// Sees to it that the child is reaped when it ends.
    pub(crate) fn adopt(&self, child: Child) {
        if let Ok(Some(_)) = child.reap() {
            return;
        }
        let pid = child.pid();
        if let Err(error) = self.home().and_then(|home| Home::take_in(&home, child)) {
            tracing::warn!(pid, %error, "a program whose port is gone cannot be waited for");
        }
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

impl Home {
    fn take_in(home: &Arc<Home>, child: Child) -> Result<(), Errno> {
        let mut children = home.children.lock();
        let token = children.next_token;
        children.next_token += 1;
        // One that has ended by now is reported at once.
        home.poller.add(&child, token, END)?;
        children.by_token.insert(token, child);
        if !children.watched {
            let thread = std::thread::Builder::new().name("wharf_orphans".to_owned());
            let served = Arc::clone(home);
            thread.spawn(move || served.serve())?;
            children.watched = true;
        }
        Ok(())
    }

    fn serve(&self) {
        let mut events = Events::with_capacity(32);
        loop {
            let idle = self.children.lock().by_token.is_empty();
            let deadline = idle.then(|| Instant::now() + LINGER);
            let failed = self.poller.wait(&mut events, deadline).err();
            let mut children = self.children.lock();
            for event in events.iter() {
                match children.by_token.get(&event.token).map(Child::reap) {
                    None | Some(Ok(None)) => {}
                    // Whatever else: it is gone, or will never be to be had.
                    Some(_) => drop(children.by_token.remove(&event.token)),
                }
            }
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if failed.is_some() || (late && children.by_token.is_empty()) {
                children.watched = false;
                return;
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
                Given::Null,
                Given::Null,
                Given::Closed,
                Given::Closed,
            ],
        })
        .unwrap()
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
        let short = cat(Given::Null);
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
