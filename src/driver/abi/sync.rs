//! Locks for drivers: the port data lock, mutexes, conditions, read-write locks.
//!
//! These are the C library's own. A driver that destroys one that is held, or passes NULL,
//! has an error that Erlang answers by ending the program; here it is logged, and the call does
//! nothing.

use std::ffi::{c_char, c_int};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use super::misuse::{self, Rule};
use super::{export, with_port};
use crate::driver::pdl::Pdl;
use crate::driver::raw::{
    ErlDrvCond, ErlDrvMutex, ErlDrvPDL, ErlDrvPort, ErlDrvRWLock, ErlDrvSInt,
};
use crate::ffi::pointer;
use crate::os::errno::{Errno, Result};
use crate::os::sync::{Condition, Mutex, RwLock};

/// One counted reference to a port data lock.
pub(in crate::driver) struct PdlHandle(NonNull<Pdl>);

// SAFETY: the count is atomic and the lock is one for threads.
unsafe impl Send for PdlHandle {}

impl PdlHandle {
    fn new() -> PdlHandle {
        PdlHandle(NonNull::from(Box::leak(Box::new(Pdl::new()))))
    }

    /// One more reference.
    pub(in crate::driver) fn share(&self) -> PdlHandle {
        // SAFETY: this reference keeps it.
        unsafe { self.0.as_ref() }.add_ours();
        PdlHandle(self.0)
    }

    /// See [`Pdl::exclusively`].
    pub(in crate::driver) fn exclusively<R>(&self, f: impl FnOnce() -> R) -> R {
        // SAFETY: this reference keeps it.
        unsafe { self.0.as_ref() }.exclusively(f)
    }

    /// Whether any thread has locked it.
    pub(super) fn is_locked(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.0.as_ref() }.is_locked()
    }

    fn raw(&self) -> ErlDrvPDL {
        self.0.as_ptr().cast()
    }
}

impl Drop for PdlHandle {
    fn drop(&mut self) {
        // SAFETY: this reference keeps it until here.
        let left = unsafe { self.0.as_ref() }.remove_ours();
        // SAFETY: as above.
        unsafe { free_at_zero(self.0, left) };
    }
}

/// # Safety
/// `left` is what was left after this caller gave its reference away.
unsafe fn free_at_zero(pdl: NonNull<Pdl>, left: i64) {
    if left == 0 {
        // SAFETY: leaked from a box in `PdlHandle::new`; the last reference is gone.
        drop(unsafe { Box::from_raw(pdl.as_ptr()) });
    }
}

/// Calls `f` with a lock of the driver's, or complains.
fn with_pdl(pdl: ErlDrvPDL, f: impl FnOnce(NonNull<Pdl>, &Pdl) -> i64) -> i64 {
    match NonNull::new(pdl.cast::<Pdl>()) {
        // SAFETY: the driver holds a reference.
        Some(raw) => f(raw, unsafe { raw.as_ref() }),
        None => {
            misuse::tell_here(&Rule::Nothing("a port data lock"));
            -1
        }
    }
}

export! {
    fn driver_pdl_create(port: ErlDrvPort) -> ErlDrvPDL, else ptr::null_mut() => {
        let created = with_port(port, |_, _, instance| {
            let mut beside = instance.beside().lock();
            let pdl = &mut beside.wanted().pdl;
            if pdl.is_some() {
                return None;
            }
            instance.has_pdl.store(true, Ordering::Relaxed);
            Some(pdl.insert(PdlHandle::new()).raw())
        });
        created.flatten().unwrap_or(ptr::null_mut())
    }

    fn driver_pdl_lock(pdl: ErlDrvPDL), else () => {
        with_pdl(pdl, |_, pdl| i64::from(pdl.lock()));
    }

    fn driver_pdl_unlock(pdl: ErlDrvPDL), else () => {
        with_pdl(pdl, |raw, pdl| {
            let left = pdl.unlock();
            // SAFETY: the reference that the lock held is given away.
            unsafe { free_at_zero(raw, left) };
            left
        });
    }

    fn driver_pdl_get_refc(pdl: ErlDrvPDL) -> ErlDrvSInt, else -1 => {
        with_pdl(pdl, |_, pdl| pdl.holders())
    }

    fn driver_pdl_inc_refc(pdl: ErlDrvPDL) -> ErlDrvSInt, else -1 => {
        with_pdl(pdl, |_, pdl| pdl.add_holder())
    }

    fn driver_pdl_dec_refc(pdl: ErlDrvPDL) -> ErlDrvSInt, else -1 => {
        with_pdl(pdl, |raw, pdl| {
            let left = pdl.remove_holder();
            // SAFETY: the driver gives its reference away.
            unsafe { free_at_zero(raw, left) };
            left
        })
    }

    fn erl_drv_mutex_create(name: *mut c_char) -> *mut ErlDrvMutex, else ptr::null_mut() => {
        // SAFETY: NULL, or a string of the driver's.
        create(Mutex::new(unsafe { pointer::string(name) })).cast()
    }

    fn erl_drv_mutex_destroy(mutex: *mut ErlDrvMutex), else () => {
        // SAFETY: the driver's, from erl_drv_mutex_create, and not used afterwards.
        unsafe { destroy(mutex.cast::<Mutex>(), Mutex::is_locked) };
    }

    fn erl_drv_mutex_lock(mutex: *mut ErlDrvMutex), else () => {
        // SAFETY: as above, and alive; so are all below.
        unsafe { with(mutex.cast::<Mutex>(), Mutex::lock) };
    }

    fn erl_drv_mutex_trylock(mutex: *mut ErlDrvMutex) -> c_int, else Errno::EINVAL.number() => {
        // SAFETY: as above.
        unsafe { try_with(mutex.cast::<Mutex>(), Mutex::try_lock) }
    }

    fn erl_drv_mutex_unlock(mutex: *mut ErlDrvMutex), else () => {
        // SAFETY: as above.
        unsafe { with(mutex.cast::<Mutex>(), Mutex::unlock) };
    }

    fn erl_drv_mutex_name(mutex: *mut ErlDrvMutex) -> *mut c_char, else ptr::null_mut() => {
        // SAFETY: as above.
        unsafe { name(mutex.cast::<Mutex>(), Mutex::name) }
    }

    fn erl_drv_cond_create(name: *mut c_char) -> *mut ErlDrvCond, else ptr::null_mut() => {
        // SAFETY: NULL, or a string of the driver's.
        create(Condition::new(unsafe { pointer::string(name) })).cast()
    }

    fn erl_drv_cond_destroy(cond: *mut ErlDrvCond), else () => {
        // SAFETY: as for mutexes.
        unsafe { destroy(cond.cast::<Condition>(), Condition::is_waited_for) };
    }

    fn erl_drv_cond_wait(cond: *mut ErlDrvCond, mutex: *mut ErlDrvMutex), else () => {
        // SAFETY: as for mutexes.
        match unsafe { mutex.cast::<Mutex>().as_ref() } {
            // SAFETY: as for mutexes.
            Some(mutex) => unsafe {
                with(cond.cast::<Condition>(), |cond| cond.wait(mutex));
            },
            None => misuse::tell_here(&Rule::Nothing(Mutex::NAME)),
        }
    }

    fn erl_drv_cond_signal(cond: *mut ErlDrvCond), else () => {
        // SAFETY: as for mutexes.
        unsafe {
            with(cond.cast::<Condition>(), |cond| {
                cond.signal();
                Ok(())
            });
        }
    }

    fn erl_drv_cond_broadcast(cond: *mut ErlDrvCond), else () => {
        // SAFETY: as for mutexes.
        unsafe {
            with(cond.cast::<Condition>(), |cond| {
                cond.broadcast();
                Ok(())
            });
        }
    }

    fn erl_drv_cond_name(cond: *mut ErlDrvCond) -> *mut c_char, else ptr::null_mut() => {
        // SAFETY: as for mutexes.
        unsafe { name(cond.cast::<Condition>(), Condition::name) }
    }

    fn erl_drv_rwlock_create(name: *mut c_char) -> *mut ErlDrvRWLock, else ptr::null_mut() => {
        // SAFETY: NULL, or a string of the driver's.
        create(RwLock::new(unsafe { pointer::string(name) })).cast()
    }

    fn erl_drv_rwlock_destroy(rwlock: *mut ErlDrvRWLock), else () => {
        // SAFETY: as for mutexes.
        unsafe { destroy(rwlock.cast::<RwLock>(), RwLock::is_locked) };
    }

    fn erl_drv_rwlock_rlock(rwlock: *mut ErlDrvRWLock), else () => {
        // SAFETY: as for mutexes.
        unsafe { with(rwlock.cast::<RwLock>(), RwLock::read_lock) };
    }

    fn erl_drv_rwlock_tryrlock(rwlock: *mut ErlDrvRWLock) -> c_int, else Errno::EINVAL.number() => {
        // SAFETY: as for mutexes.
        unsafe { try_with(rwlock.cast::<RwLock>(), RwLock::try_read_lock) }
    }

    fn erl_drv_rwlock_runlock(rwlock: *mut ErlDrvRWLock), else () => {
        // SAFETY: as for mutexes.
        unsafe { with(rwlock.cast::<RwLock>(), RwLock::unlock) };
    }

    fn erl_drv_rwlock_rwlock(rwlock: *mut ErlDrvRWLock), else () => {
        // SAFETY: as for mutexes.
        unsafe { with(rwlock.cast::<RwLock>(), RwLock::write_lock) };
    }

    fn erl_drv_rwlock_tryrwlock(rwlock: *mut ErlDrvRWLock) -> c_int, else Errno::EINVAL.number() => {
        // SAFETY: as for mutexes.
        unsafe { try_with(rwlock.cast::<RwLock>(), RwLock::try_write_lock) }
    }

    fn erl_drv_rwlock_rwunlock(rwlock: *mut ErlDrvRWLock), else () => {
        // SAFETY: as for mutexes.
        unsafe { with(rwlock.cast::<RwLock>(), RwLock::unlock) };
    }

    fn erl_drv_rwlock_name(rwlock: *mut ErlDrvRWLock) -> *mut c_char, else ptr::null_mut() => {
        // SAFETY: as for mutexes.
        unsafe { name(rwlock.cast::<RwLock>(), RwLock::name) }
    }
}

fn create<T>(lock: T) -> *mut T {
    Box::into_raw(Box::new(lock))
}

/// What the log calls a lock.
trait Named {
    const NAME: &'static str;
}

impl Named for Mutex {
    const NAME: &'static str = "a mutex";
}

impl Named for Condition {
    const NAME: &'static str = "a condition";
}

impl Named for RwLock {
    const NAME: &'static str = "a read-write lock";
}

#[cold]
fn complain(what: &'static str, error: Errno) {
    let rule = match error {
        Errno::EDEADLK => Rule::LockedAlready(what),
        Errno::EPERM => Rule::NotLocked(what),
        other => Rule::System(other),
    };
    misuse::tell_here(&rule);
}

/// # Safety
/// `lock` is NULL, or came from [`create`] and is given up by this call.
unsafe fn destroy<T: Named>(lock: *mut T, in_use: impl FnOnce(&T) -> bool) {
    // SAFETY: the caller's promise.
    match unsafe { lock.as_ref() } {
        None => misuse::tell_here(&Rule::Nothing(T::NAME)),
        // Whoever holds it will come back to it.
        Some(found) if in_use(found) => misuse::tell_here(&Rule::DestroyedInUse(T::NAME)),
        // SAFETY: the caller's promise.
        Some(_) => drop(unsafe { Box::from_raw(lock) }),
    }
}

/// # Safety
/// `lock` is NULL, or came from [`create`] and lives.
unsafe fn try_with<T: Named>(lock: *mut T, f: impl FnOnce(&T) -> Result<()>) -> c_int {
    // SAFETY: the caller's promise.
    let Some(lock) = (unsafe { lock.as_ref() }) else {
        misuse::tell_here(&Rule::Nothing(T::NAME));
        return Errno::EINVAL.number();
    };
    match f(lock) {
        Ok(()) => 0,
        Err(error) => {
            if error != Errno::EBUSY {
                // A condition has no state of its own to get wrong; its mutex has.
                let what = if T::NAME == Condition::NAME {
                    Mutex::NAME
                } else {
                    T::NAME
                };
                complain(what, error);
            }
            error.number()
        }
    }
}

/// # Safety
/// As for [`try_with`].
unsafe fn with<T: Named>(lock: *mut T, f: impl FnOnce(&T) -> Result<()>) {
    // SAFETY: the caller's promise.
    unsafe { try_with(lock, f) };
}

/// # Safety
/// As for [`try_with`].
unsafe fn name<T>(lock: *mut T, f: impl FnOnce(&T) -> Option<&std::ffi::CStr>) -> *mut c_char {
    // SAFETY: the caller's promise.
    match unsafe { lock.as_ref() } {
        Some(lock) => f(lock).unwrap_or(c"unknown").as_ptr().cast_mut(),
        None => ptr::null_mut(),
    }
}
