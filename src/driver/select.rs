//! The descriptors that a port has selected (`driver_select`).
//!
//! The kernel is asked once per call: an event disarms the descriptor, and it is armed again
//! when the callbacks have returned. So a driver that leaves something unread is called again,
//! and never twice at a time. Where there turns out to be more each time, it is looked for
//! directly, a few times in a row, which costs less than another event. Descriptors that the kernel does not watch (regular files) are
//! always ready. Relies on the reactor and on the turn; promises that no callback for a
//! descriptor comes after it was deselected.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::abi::misuse::{self, Rule};
use super::callback::{self, Called};
use super::context;
use super::instance::Instance;
use super::pace;
use crate::os::clock;
use crate::os::errno::Errno;
use crate::os::fd;
use crate::os::poll::{Interest, Mode};
use crate::port::state::Phase;
use crate::port::{Port, table};
use crate::runtime::reactor::{Readiness, Watch};
use crate::runtime::turn::OnTurn;
use crate::term::PortId;

/// What one port has selected.
#[derive(Default)]
pub(super) struct Selects {
    selected: Vec<Selected>,
    serial: u64,
}

struct Selected {
    fd: RawFd,
    /// Tells it from an earlier selection of the same number.
    serial: u64,
    read: bool,
    write: bool,
    source: Source,
    /// Its callbacks are running; they are armed for when they return.
    running: bool,
    haste: Haste,
}

/// Whether looking for more right after a callback is worth it.
#[derive(Clone, Copy, Default)]
struct Haste {
    there_was_more: bool,
    events: u8,
}

impl Haste {
    /// After an event: whether to look. Now and then, for it is how a change is noticed.
    fn looks(&mut self) -> bool {
        self.events = self.events.wrapping_add(1);
        self.there_was_more || self.events.is_multiple_of(16)
    }
}

/// How often callbacks are called in a row, without an event for each.
const IN_A_ROW_MAX: usize = 32;

enum Source {
    /// The kernel has not been asked.
    None,
    /// Watched; whether an event is still to come. The copy of the descriptor is there when
    /// another port of this host has the original.
    Watched {
        watch: Watch,
        armed: bool,
        _copy: Option<OwnedFd>,
    },
    /// A regular file; whether its callbacks are about to be called.
    AlwaysReady { posted: bool },
}

/// The directions of a call.
#[derive(Clone, Copy)]
pub(super) struct Directions {
    pub(super) read: bool,
    pub(super) write: bool,
}

/// What a deselection does beside ending the waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// The descriptor stays the driver's.
    Keep,
    /// It is given up, and `stop_select` called.
    WithCallback,
    /// It is given up.
    Silently,
}

impl Selected {
    fn handler(&self) -> Handler {
        Handler {
            fd: self.fd,
            serial: self.serial,
        }
    }
}

impl Selects {
    fn position(&self, fd: RawFd) -> Option<usize> {
        self.selected.iter().position(|selected| selected.fd == fd)
    }

    fn get(&mut self, fd: RawFd, serial: u64) -> Option<&mut Selected> {
        self.selected
            .iter_mut()
            .find(|one| one.fd == fd && one.serial == serial)
    }

    /// The selection that this watch is for.
    fn watching(&self, watched: RawFd) -> Option<Handler> {
        let mut selected = self.selected.iter();
        let found = selected.find(|one| match &one.source {
            Source::Watched { watch, .. } => watch.fd() == watched,
            Source::None | Source::AlwaysReady { .. } => false,
        });
        found.map(Selected::handler)
    }

    /// The descriptors that are selected now.
    pub(super) fn waited_for(&self) -> Vec<RawFd> {
        let selected = self.selected.iter();
        selected
            .filter(|one| one.read || one.write)
            .map(|one| one.fd)
            .collect()
    }

    /// The descriptors, and whether each was still waited for.
    pub(super) fn all(self) -> impl Iterator<Item = (RawFd, bool)> {
        let selected = self.selected.into_iter();
        selected.map(|one| (one.fd, one.read || one.write))
    }
}

/// `driver_select` with on = 1.
pub(super) fn select(
    on: &mut OnTurn<'_>,
    port: &Arc<Port>,
    instance: &Instance,
    fd: RawFd,
    directions: Directions,
) {
    take_over(on, port, instance, fd, directions);
    let selects = instance.interior(on).selects.wanted();
    let at = selects.position(fd).unwrap_or_else(|| {
        selects.serial += 1;
        let serial = selects.serial;
        let source = Source::None;
        selects.selected.push(Selected {
            fd,
            serial,
            read: false,
            write: false,
            source,
            running: false,
            haste: Haste::default(),
        });
        selects.selected.len() - 1
    });
    let selected = &mut selects.selected[at];
    selected.read |= directions.read;
    selected.write |= directions.write;
    if !selected.running && !arm(port, selected) {
        selects.selected.remove(at);
        instance.fds().forget(port.id(), fd);
    }
}

/// Whether there can be a descriptor of this number.
pub(super) fn is_possible(fd: RawFd) -> bool {
    u64::try_from(fd).is_ok_and(|fd| fd < fd::descriptors_max())
}

/// `driver_select` with on = 0.
pub(super) fn deselect(
    on: &mut OnTurn<'_>,
    port: &Arc<Port>,
    instance: &Instance,
    fd: RawFd,
    directions: Directions,
    release: Release,
) {
    drop_interest(on, port, instance, fd, directions, release);
    instance.fds().release(fd, port.id(), directions, release);
    let _mark = context::mark(Arc::clone(&port.services().variables));
    if release == Release::WithCallback && !callback::stop_select(instance, fd) {
        misuse::tell(Some(port.id()), &Rule::NoCallback("stop_select"));
    }
}

fn drop_interest(
    on: &mut OnTurn<'_>,
    port: &Arc<Port>,
    instance: &Instance,
    fd: RawFd,
    directions: Directions,
    release: Release,
) {
    let Some(selects) = instance.interior(on).selects.get_mut() else {
        return;
    };
    let Some(at) = selects.position(fd) else {
        return;
    };
    if release != Release::Keep {
        selects.selected.remove(at);
        return;
    }
    let selected = &mut selects.selected[at];
    selected.read &= !directions.read;
    selected.write &= !directions.write;
    if selected.running {
        return;
    }
    if selected.read || selected.write {
        if !arm(port, selected) {
            selects.selected.remove(at);
            instance.fds().forget(port.id(), fd);
        }
    } else if let Source::Watched { armed: true, .. } = selected.source {
        // Without this an error on the descriptor would still be told.
        selected.source = Source::None;
    }
}

/// Asks the kernel for what is wanted now. False if it cannot be had.
fn arm(port: &Arc<Port>, selected: &mut Selected) -> bool {
    if !selected.read && !selected.write {
        // The driver may close it now, and it would live on in our copy.
        if let Source::Watched { _copy: Some(_), .. } = selected.source {
            selected.source = Source::None;
        }
        return true;
    }
    let interest = Interest {
        readable: selected.read,
        writable: selected.write,
        mode: Mode::OneShot,
    };
    match &mut selected.source {
        Source::AlwaysReady { posted } => {
            if !std::mem::replace(posted, true) {
                post_ready(port, selected);
            }
            return true;
        }
        Source::Watched { watch, armed, .. } => {
            if watch.rearm(interest).is_ok() {
                *armed = true;
                return true;
            }
            // The number was closed, and perhaps opened again as something else.
            selected.source = Source::None;
        }
        Source::None => {}
    }
    let (reactor, whom) = (&port.services().reactor, port.id().number());
    let watched = match reactor.watch(selected.fd, interest, whom) {
        Err(Errno::EEXIST) => fd::duplicate(selected.fd).and_then(|copy| {
            let watch = reactor.watch(copy.as_raw_fd(), interest, whom)?;
            Ok((watch, Some(copy)))
        }),
        other => other.map(|watch| (watch, None)),
    };
    match watched {
        Ok((watch, _copy)) => {
            selected.source = Source::Watched {
                watch,
                armed: true,
                _copy,
            }
        }
        Err(Errno::EPERM) => {
            selected.source = Source::AlwaysReady { posted: true };
            post_ready(port, selected);
        }
        Err(error) => {
            misuse::tell(
                Some(port.id()),
                &Rule::ClosedDescriptor {
                    fd: selected.fd,
                    error,
                },
            );
            return false;
        }
    }
    true
}

/// Has the callbacks of an always ready descriptor called, after whatever runs now.
fn post_ready(port: &Arc<Port>, selected: &Selected) {
    let (id, handler) = (port.id(), selected.handler());
    port.turn().post(Box::new(move |on| {
        let both = Readiness {
            readable: true,
            writable: true,
            hangup: false,
        };
        if let Some(port) = table::get(id)
            && let Some(instance) = port.transport_as::<Instance>()
        {
            handler.ready(on, &port, instance, both);
        }
    }));
}

/// The reactor has heard of a descriptor that the port watches.
pub(super) fn ready(
    on: &mut OnTurn<'_>,
    port: &Arc<Port>,
    instance: &Instance,
    watched: RawFd,
    readiness: Readiness,
) {
    let selects = instance.interior(on).selects.get_mut();
    if let Some(handler) = selects.and_then(|selects| selects.watching(watched)) {
        handler.ready(on, port, instance, readiness);
    }
}

/// Calls the callbacks of one selection.
#[derive(Clone, Copy)]
struct Handler {
    fd: RawFd,
    serial: u64,
}

impl Handler {
    fn ready(
        self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        instance: &Instance,
        readiness: Readiness,
    ) {
        let called = Called {
            port,
            instance,
            caller: None.into(),
        };
        let mut readiness = readiness;
        let mut began = clock::coarse_ns();
        for _ in 0..IN_A_ROW_MAX {
            if !self.begin(on, instance) {
                return;
            }
            // In this order; the first may deselect what the second is for.
            if readiness.writable || readiness.hangup {
                self.run(on, called, Side::Output);
            }
            if readiness.readable || readiness.hangup {
                self.run(on, called, Side::Input);
            }
            began = pace::note(port, instance, began);
            match self.more(on, called) {
                Some(more) => readiness = more,
                None => break,
            }
        }
        if let Some(selects) = instance.interior(on).selects.get_mut()
            && let Some(selected) = selects.get(self.fd, self.serial)
        {
            selected.running = false;
            if !arm(port, selected) {
                selects.selected.retain(|one| one.serial != self.serial);
                instance.fds().forget(port.id(), self.fd);
            }
        }
        port.flushed(on);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Input,
    Output,
}

impl Handler {
    /// What it is for, if that is still selected.
    fn selected<'a>(
        &self,
        on: &'a mut OnTurn<'_>,
        instance: &'a Instance,
    ) -> Option<&'a mut Selected> {
        let selects = instance.interior(on).selects.get_mut()?;
        selects.get(self.fd, self.serial)
    }

    /// Callbacks are about to run. False if they are not wanted any more.
    fn begin(&self, on: &mut OnTurn<'_>, instance: &Instance) -> bool {
        let Some(selected) = self.selected(on, instance) else {
            return false;
        };
        selected.running = true;
        match &mut selected.source {
            Source::Watched { armed, .. } => *armed = false,
            Source::AlwaysReady { posted } => *posted = false,
            Source::None => {}
        }
        true
    }

    /// What more there is after callbacks, where that is worth a look and nobody waits for the turn.
    fn more(&self, on: &mut OnTurn<'_>, called: Called<'_>) -> Option<Readiness> {
        if on.is_awaited() || called.port.phase(on) != Phase::Open {
            return None;
        }
        let selected = self.selected(on, called.instance)?;
        let watched = matches!(selected.source, Source::Watched { _copy: None, .. });
        if !watched || !selected.haste.looks() {
            return None;
        }
        let seen = fd::plainly_ready(&selected.fd, selected.read, selected.write);
        selected.haste.there_was_more = seen.readable || seen.writable;
        selected.haste.there_was_more.then_some(Readiness {
            readable: seen.readable,
            writable: seen.writable,
            hangup: false,
        })
    }

    /// Calls one callback, if its direction is still selected.
    fn run(&self, on: &mut OnTurn<'_>, called: Called<'_>, side: Side) {
        let instance = called.instance;
        if !instance.is_live(on) {
            return;
        }
        let Some(selected) = self.selected(on, instance) else {
            return;
        };
        let wanted = if side == Side::Input {
            selected.read
        } else {
            selected.write
        };
        if !wanted {
            return;
        }
        let name = match side {
            Side::Input => "ready_input",
            Side::Output => "ready_output",
        };
        let done = callback::ready(on, name, called, self.fd, |callbacks| match side {
            Side::Input => callbacks.ready_input,
            Side::Output => callbacks.ready_output,
        });
        if !done {
            misuse::tell(Some(called.port.id()), &Rule::NoCallback(name));
            let both = Directions {
                read: true,
                write: true,
            };
            deselect(on, called.port, instance, self.fd, both, Release::Silently);
        }
    }
}

/// Which port of a host has which direction of a descriptor.
#[derive(Default)]
pub(super) struct Fds(crate::lock::Lock<HashMap<RawFd, [Option<PortId>; 2]>>);

impl Fds {
    /// Notes a new owner; gives the earlier ones.
    fn claim(&self, fd: RawFd, port: PortId, directions: Directions) -> Vec<(PortId, Directions)> {
        let mut owners = self.0.lock();
        let [reader, writer] = owners.entry(fd).or_default();
        let mut earlier = Vec::new();
        for (owner, wanted, read) in [
            (reader, directions.read, true),
            (writer, directions.write, false),
        ] {
            if !wanted {
                continue;
            }
            if let Some(before) = owner.replace(port).filter(|before| *before != port) {
                earlier.push((before, Directions { read, write: !read }));
            }
        }
        earlier
    }

    fn release(&self, fd: RawFd, port: PortId, directions: Directions, release: Release) {
        let all = release != Release::Keep;
        let mut owners = self.0.lock();
        let Some(sides) = owners.get_mut(&fd) else {
            return;
        };
        for (owner, named) in sides.iter_mut().zip([directions.read, directions.write]) {
            if (named || all) && *owner == Some(port) {
                *owner = None;
            }
        }
        if sides.iter().all(Option::is_none) {
            owners.remove(&fd);
        }
    }

    /// Which of these directions are another port's, or nobody's, and not this one's.
    fn lost(&self, fd: RawFd, port: PortId, directions: Directions) -> Directions {
        let owners = self.0.lock();
        let [reader, writer] = owners.get(&fd).copied().unwrap_or_default();
        Directions {
            read: directions.read && reader != Some(port),
            write: directions.write && writer != Some(port),
        }
    }

    /// The port has nothing to do with a descriptor any more.
    pub(super) fn forget(&self, port: PortId, fd: RawFd) {
        let both = Directions {
            read: true,
            write: true,
        };
        self.release(fd, port, both, Release::Silently);
    }
}

/// Takes a descriptor's directions away from whoever has them: the new caller wins.
fn take_over(
    on: &mut OnTurn<'_>,
    port: &Arc<Port>,
    instance: &Instance,
    fd: RawFd,
    directions: Directions,
) {
    for (before, taken) in instance.fds().claim(fd, port.id(), directions) {
        let Some(victim) = table::get(before) else {
            continue;
        };
        misuse::tell(
            Some(port.id()),
            &Rule::StolenDescriptor { fd, from: before },
        );
        if Arc::ptr_eq(victim.turn(), port.turn()) {
            // At once: an event that is on its way must not find the victim still waiting for it.
            if let Some(instance) = victim.transport_as::<Instance>() {
                drop_interest(on, &victim, instance, fd, taken, Release::Keep);
            }
            continue;
        }
        victim.turn().post(Box::new(move |on| {
            let Some(victim) = table::get(before) else {
                return;
            };
            if let Some(instance) = victim.transport_as::<Instance>() {
                // It may have taken it back by now.
                let lost = instance.fds().lost(fd, before, taken);
                drop_interest(on, &victim, instance, fd, lost, Release::Keep);
            }
        }));
    }
}
