//! The gate in: the functions that a driver calls, a file for each family.
//!
//! An exported function makes Rust values of its arguments, calls something safe, and turns the
//! result into the C convention. [`export!`] writes the border around it: a panic inside gives
//! the failure value, marks the callback that is running, and ends its port. The macro also
//! refuses a name that is not in `symbols.txt`, and a type that differs from the header's; that
//! no function is missing is seen where `table.rs` names them all.
//!
//! To add a function: a line in `symbols.txt`, a declaration in `include/erl_driver.h`
//! (regenerate `raw.rs`), and an `export!` in the file of its family.

pub(super) mod binary;
pub(super) mod job;
pub(super) mod lent;
mod memory;
pub(super) mod misuse;
pub(super) mod monitor;
pub(super) mod output;
pub(super) mod port;
mod queue;
mod select;
mod send;
pub(super) mod sync;
mod system;
pub(super) mod table;
pub(super) mod thread;
mod timer;

use std::sync::Arc;

use super::callback;
use super::handle;
use super::instance::Instance;
use super::raw::ErlDrvPort;
use crate::ffi::guard;
use crate::port::{Port, table as ports};
use crate::runtime::turn::OnTurn;
use crate::term::PortId;

use self::binary::*;
use self::job::*;
use self::memory::*;
use self::misuse::{Function, Rule};
use self::monitor::*;
use self::output::*;
use self::port::*;
use self::queue::*;
use self::select::*;
use self::send::*;
use self::sync::*;
use self::system::*;
use self::thread::*;
use self::timer::*;

/// Defines exported functions. `else` is what a panic gives.
///
/// ```text
/// export! {
///     /// What is special about it here.
///     fn driver_sizeq(port: ErlDrvPort) -> ErlDrvSizeT, else usize::MAX { ... }
/// }
/// ```
macro_rules! export {
    ($(
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?, else $failure:expr => $body:block
    )*) => {$(
        $(#[$attribute])*
        pub(in $crate::driver) unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            static THIS: $crate::driver::abi::misuse::Function =
                $crate::driver::abi::misuse::Function(stringify!($name));
            $crate::driver::abi::guarded(&THIS, $failure, || $body)
        }

        const _: () = {
            assert!(
                $crate::driver::abi::table::is_listed(stringify!($name)),
                concat!(stringify!($name), " is not in src/driver/symbols.txt"),
            );
            // The header says the same about it.
            #[allow(deprecated)]
            const _: unsafe extern "C" fn($($type),*) $(-> $result)? = $crate::driver::raw::$name;
        };
    )*};
}
use export;

/// Runs the body of an exported function.
#[inline]
fn guarded<R>(function: &'static Function, failure: R, body: impl FnOnce() -> R) -> R {
    misuse::note_function(function);
    match guard::run(body) {
        Ok(result) => result,
        Err(panic) => {
            callback::note_panic(function.0, panic);
            failure
        }
    }
}

/// Runs `f` for the port that C names, as [`reach`] does. If that cannot be done, the log says why.
#[inline]
pub(super) fn with_port<R>(
    port: ErlDrvPort,
    f: impl FnOnce(&mut OnTurn<'_>, &Arc<Port>, &Instance) -> R,
) -> Option<R> {
    let result = reach(port, f);
    if result.is_none() {
        misuse::tell_bad_port(port.addr());
    }
    result
}

/// Runs `f` for the port that a word names, if it is open and this thread is on its turn: in one of
/// its callbacks, or in one of another port that it shares the driver's turn with. A port that
/// has a turn of its own can also be reached from the callbacks of the driver's other ports, as
/// long as nobody else is on that turn: the driver may just have made it.
#[inline]
pub(super) fn reach<R>(
    port: ErlDrvPort,
    f: impl FnOnce(&mut OnTurn<'_>, &Arc<Port>, &Instance) -> R,
) -> Option<R> {
    let id = handle::as_handle(port.addr())?;
    let mut f = Some(f);
    let mut run = |on: &mut OnTurn<'_>, port: &Arc<Port>, instance: &Instance| {
        if instance.is_live(on) {
            Some(f.take()?(on, port, instance))
        } else {
            None
        }
    };
    if let Some(result) = callback::with_frame_on_turn(id, &mut run) {
        return result;
    }
    reach_from_others(id, run)
}

/// The same where this thread is in no callback of the port.
#[cold]
fn reach_from_others<R>(
    id: PortId,
    mut run: impl FnMut(&mut OnTurn<'_>, &Arc<Port>, &Instance) -> Option<R>,
) -> Option<R> {
    let port = ports::get(id)?;
    let instance = port.transport_as::<Instance>()?;
    if let Some(result) = port.turn().with_lent(|on| run(on, &port, instance)) {
        return result;
    }
    if !callback::is_inside(instance.driver()) {
        return None;
    }
    if let Some(result) = instance.on_kept(callback::is_running, |on| run(on, &port, instance)) {
        return result;
    }
    let mut visit = port.turn().enter_now()?;
    run(visit.on(), &port, instance)
}

/// Runs `f` for the port that C names, as [`reach_anywhere`] does. If that cannot be done, the log
/// says why.
#[inline]
pub(super) fn with_port_anywhere<R>(
    port: ErlDrvPort,
    f: impl FnOnce(&Arc<Port>, &Instance) -> R,
) -> Option<R> {
    let result = reach_anywhere(port, f);
    if result.is_none() {
        misuse::tell_bad_port(port.addr());
    }
    result
}

/// Runs `f` for the port that a word names if it is open, whatever thread this is. `f` gets no turn,
/// and so touches only what needs none.
#[inline]
pub(super) fn reach_anywhere<R>(
    port: ErlDrvPort,
    f: impl FnOnce(&Arc<Port>, &Instance) -> R,
) -> Option<R> {
    let id = handle::as_handle(port.addr())?;
    let mut f = Some(f);
    let mut run = |port: &Arc<Port>, instance: &Instance| {
        if instance.is_over() {
            return None;
        }
        Some(f.take()?(port, instance))
    };
    match callback::with_frame(id, &mut run) {
        Some(result) => result,
        None => {
            let port = ports::get(id)?;
            let instance = port.transport_as::<Instance>()?;
            let locked = || {
                let beside = instance.beside().lock();
                let pdl = beside.get().and_then(|beside| beside.pdl.as_ref());
                pdl.is_some_and(PdlHandle::is_locked)
            };
            let is_here =
                port.turn().with_lent(|_| ()).is_some() || instance.is_kept(callback::is_running);
            if !is_here && !locked() && !instance.is_over() {
                misuse::tell(Some(id), &Rule::QueueUnlocked);
            }
            run(&port, instance)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_the_failure_value() {
        static A_FUNCTION: Function = Function("a_function");
        assert_eq!(guarded(&A_FUNCTION, -1, || 5), 5);
        assert_eq!(guarded(&A_FUNCTION, -1, || panic!("on purpose")), -1);
    }

    #[test]
    fn words_that_name_no_port_reach_nothing() {
        for word in [0, 1, 5, 0x15, usize::MAX - 10, usize::MAX] {
            let port = std::ptr::without_provenance_mut(word);
            assert!(reach(port, |_, _, _| ()).is_none());
            assert!(reach_anywhere(port, |_, _| ()).is_none());
        }
    }
}
