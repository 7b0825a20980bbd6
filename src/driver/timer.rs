//! A port's timer (`driver_set_timer`): one at a time, and a new one takes the place of the last.
//!
//! A `timeout` that asks to be called again at once is, a number of times in a row, without any
//! deadline: drivers go on with their work like that. Relies on the timers and on the turn; promises
//! that `timeout` is not called after the timer was cancelled or the port has ended.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callback;
use super::instance::Instance;
use super::pace;
use crate::os::clock;
use crate::port::Port;
use crate::runtime::timers::TimerId;
use crate::runtime::turn::OnTurn;

/// Where the timer of a port stands.
#[derive(Default)]
pub(super) struct Timer {
    set: Option<Wait>,
    /// Tells a deadline from earlier ones.
    serial: u64,
    /// `timeout` is running.
    expiring: bool,
}

/// How long until `timeout` is called.
#[derive(Clone, Copy)]
enum Wait {
    /// Until the deadline of this serial passes.
    Booked(u64, TimerId),
    /// Not at all: `timeout` itself has asked to be called again.
    AtOnce,
}

/// How often `timeout` is called in a row because it asks for it, while others wait.
const IN_A_ROW_MAX: usize = 2048;

impl Instance {
    /// `driver_set_timer`.
    pub(super) fn set_timer(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, after: Duration) {
        self.cancel_timer(on, port);
        let timer = self.interior(on).timer.wanted();
        if timer.expiring && after.is_zero() {
            timer.set = Some(Wait::AtOnce);
        } else {
            self.book_timer(on, port, after);
        }
    }

    fn book_timer(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, after: Duration) {
        let services = port.services();
        services.reactor.start();
        // Further off than the clock reaches is as good as never.
        let now = Instant::now();
        let at = now.checked_add(after);
        let at = at.unwrap_or_else(|| now + Duration::from_secs(1 << 32));
        let timer = self.interior(on).timer.wanted();
        timer.serial += 1;
        let who = Arc::<Port>::clone(port);
        let id = services.timers.set_for(at, who, timer.serial);
        timer.set = Some(Wait::Booked(timer.serial, id));
    }

    /// What is waited for.
    fn wait(&self, on: &mut OnTurn<'_>) -> Option<Wait> {
        self.interior(on).timer.get()?.set
    }

    fn take_wait(&self, on: &mut OnTurn<'_>) -> Option<Wait> {
        self.interior(on).timer.get_mut()?.set.take()
    }

    /// `driver_cancel_timer`.
    pub(super) fn cancel_timer(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        if let Some(Wait::Booked(_, timer)) = self.take_wait(on) {
            port.services().timers.cancel(timer);
        }
    }

    /// `driver_read_timer`.
    pub(super) fn timer_left(&self, on: &mut OnTurn<'_>) -> Duration {
        self.timer_set(on).unwrap_or_default()
    }

    /// How long a timer that is set still takes.
    pub(super) fn timer_set(&self, on: &mut OnTurn<'_>) -> Option<Duration> {
        match self.wait(on)? {
            Wait::Booked(_, timer) => Some(timer.time_left()),
            Wait::AtOnce => Some(Duration::ZERO),
        }
    }

    /// The deadline of this serial has passed.
    pub(super) fn expire(&self, port: &Arc<Port>, serial: u64) {
        let here = pace::may_run_here(port, self);
        let own = Arc::clone(port);
        let run = move |on: &mut OnTurn<'_>| {
            // Else it was cancelled, or set anew, since it ran out.
            if let Some(instance) = own.transport_as::<Instance>()
                && let Some(Wait::Booked(current, _)) = instance.wait(on)
                && current == serial
            {
                instance.run_timeout(on, &own);
            }
        };
        if here {
            port.turn().run_or_post(run);
        } else {
            port.turn().post(Box::new(run));
        }
    }

    /// Calls `timeout`, and again as long as it asks for that at once.
    fn run_timeout(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        let began = clock::coarse_ns();
        let mut before = began;
        for _ in 0..IN_A_ROW_MAX {
            let timer = self.interior(on).timer.wanted();
            timer.set = None;
            timer.expiring = true;
            callback::plain(on, "timeout", self.called(port, None), |callbacks| {
                callbacks.timeout
            });
            before = pace::note(port, self, before);
            self.interior(on).timer.wanted().expiring = false;
            Instance::after(on, port);
            let Some(Wait::AtOnce) = self.wait(on) else {
                return;
            };
            // Others wait for the turn, or for this thread.
            if on.is_awaited() || before != began {
                break;
            }
        }
        if pace::may_run_here(port, self) {
            return self.book_timer(on, port, Duration::ZERO);
        }
        let own = Arc::clone(port);
        on.turn().post(Box::new(move |on| {
            if let Some(instance) = own.transport_as::<Instance>()
                && let Some(Wait::AtOnce) = instance.wait(on)
            {
                instance.run_timeout(on, &own);
            }
        }));
    }
}
