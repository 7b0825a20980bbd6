//! Threads for C code, and values that each thread has of its own.
//!
//! Threads have the stack size they are asked for (never less than Rust code needs to start them), a
//! name that debuggers see, and all asynchronous signals blocked: those belong to the host's own
//! threads. Each must be joined.
//!
//! Keys for thread-specific values are small numbers, the lowest free one first. As in Erlang,
//! destroying a key clears nothing: whoever gets the number next finds the old values.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use super::errno::{Errno, Result};
use super::sigpipe;

/// What a thread runs: C code, which may leave through [`exit`].
pub(crate) type Body = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// A thread that was started and not joined yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Thread(libc::pthread_t);

/// How to start a thread.
pub(crate) struct Start<'a> {
    /// For debuggers, who see the first 15 bytes. A thread without one has that of the thread that
    /// starts it.
    pub(crate) name: Option<&'a CStr>,
    /// The system's choice if not given.
    pub(crate) stack_bytes: Option<usize>,
    /// Run first, in the new thread. A panic in it is caught and changes nothing.
    pub(crate) prologue: Box<dyn FnOnce() + Send>,
    /// The thread's work.
    pub(crate) body: Body,
    /// Handed to `body`.
    pub(crate) argument: *mut c_void,
}

/// Less than this and a thread may not come as far as its own code.
const STACK_BYTES_MIN: usize = 128 * 1024;

/// Starts a thread.
///
/// # Safety
/// `body` may be called with `argument`, once, in another thread; its code stays loaded until the
/// thread is joined.
pub(crate) unsafe fn start(start: Start<'_>) -> Result<Thread> {
    let name = start.name.map(|name| {
        let mut bytes = [0u8; NAME_BYTES];
        for (to, from) in bytes[..NAME_BYTES - 1].iter_mut().zip(name.to_bytes()) {
            *to = *from;
        }
        bytes
    });
    let birth = Box::new(Birth {
        name,
        prologue: start.prologue,
        body: start.body,
        argument: start.argument,
    });
    let attributes = Attributes::new(start.stack_bytes)?;
    let birth = Box::into_raw(birth);
    let mut thread = MaybeUninit::uninit();
    let mask = block_asynchronous_signals();
    // SAFETY: the attributes are initialised, the entry takes what it is given. The cast only forgets
    // that the entry may be unwound by `exit`, which C's type cannot say.
    let number = unsafe {
        let entry = std::mem::transmute::<Body, extern "C" fn(*mut c_void) -> *mut c_void>(entry);
        libc::pthread_create(
            thread.as_mut_ptr(),
            &raw const attributes.0,
            entry,
            birth.cast(),
        )
    };
    // SAFETY: what this thread had before.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut()) };
    if number != 0 {
        // SAFETY: no thread was made, so the box is still ours.
        drop(unsafe { Box::from_raw(birth) });
        return Err(Errno::new(number));
    }
    // SAFETY: written, since the call went well.
    Ok(Thread(unsafe { thread.assume_init() }))
}

impl Thread {
    /// Waits for the thread to end and gives what its body returned, or what it called [`exit`] with.
    /// A thread that joins itself gets `EDEADLK`.
    pub(crate) fn join(self) -> Result<*mut c_void> {
        let mut value = ptr::null_mut();
        // SAFETY: joined once, because this takes the thread away from its owner.
        match unsafe { libc::pthread_join(self.0, &raw mut value) } {
            0 => Ok(value),
            number => Err(Errno::new(number)),
        }
    }
}

unsafe extern "C-unwind" {
    /// Declared here because it unwinds, which the usual declaration leaves out.
    fn pthread_exit(value: *mut c_void) -> !;
}

/// Ends the calling thread.
///
/// # Safety
/// The thread was made by [`start`], and between its body and this call there is only C code and Rust
/// code without destructors and without `catch_unwind`: the stack is unwound by force.
pub(crate) unsafe fn exit(value: *mut c_void) -> ! {
    // SAFETY: the caller's promise.
    unsafe { pthread_exit(value) }
}

/// Starts a thread of our own, which nobody joins. Like those for C it leaves the host's signals to
/// the host's threads: none is delivered to it, and a write to a closed pipe in it is an error only.
pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    // A thread begins with its parent's mask.
    let mask = block_asynchronous_signals();
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(|| {
        sigpipe::is_blocked_for_good();
        body();
    });
    // SAFETY: what this thread had before.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut()) };
    started.map(drop)
}

/// Blocks all signals in this thread that do not come from its own mistakes; gives the mask before.
/// For threads that have no business with the host's signals.
pub(crate) fn block_asynchronous_signals() -> libc::sigset_t {
    let own = [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGSYS,
        libc::SIGABRT,
    ];
    let mut mask = MaybeUninit::uninit();
    let mut before = MaybeUninit::uninit();
    // SAFETY: both sets are filled by the calls before they are used.
    unsafe {
        libc::sigfillset(mask.as_mut_ptr());
        for signal in own {
            libc::sigdelset(mask.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, mask.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}

/// The kernel's limit, with the closing zero.
const NAME_BYTES: usize = 16;

/// What a new thread finds.
struct Birth {
    name: Option<[u8; NAME_BYTES]>,
    prologue: Box<dyn FnOnce() + Send>,
    body: Body,
    argument: *mut c_void,
}

/// The first function of a thread. Its frame owns nothing while the body runs: `exit` unwinds it.
unsafe extern "C-unwind" fn entry(birth: *mut c_void) -> *mut c_void {
    // SAFETY: `start` hands over the box to this one thread.
    let (body, argument) = begin(*unsafe { Box::<Birth>::from_raw(birth.cast()) });
    // SAFETY: whoever called `start` promised that this may be called.
    unsafe { body(argument) }
}

fn begin(birth: Birth) -> (Body, *mut c_void) {
    let Birth {
        name,
        prologue,
        body,
        argument,
    } = birth;
    if let Some(name) = name {
        // SAFETY: a C string of at most 16 bytes; nothing is done about a failure.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    }
    sigpipe::is_blocked_for_good();
    // A panic has been reported by the panic hook, and C code waits for this thread.
    let _ = catch_unwind(AssertUnwindSafe(prologue));
    (body, argument)
}

struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn new(stack_bytes: Option<usize>) -> Result<Attributes> {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: initialises the structure.
        match unsafe { libc::pthread_attr_init(raw.as_mut_ptr()) } {
            0 => {}
            number => return Err(Errno::new(number)),
        }
        // SAFETY: initialised, as the answer said.
        let mut attributes = Attributes(unsafe { raw.assume_init() });
        if let Some(bytes) = stack_bytes {
            let page = 64 * 1024;
            let bytes = bytes
                .max(STACK_BYTES_MIN)
                .checked_next_multiple_of(page)
                .ok_or(Errno::EINVAL)?;
            // SAFETY: initialised above.
            match unsafe { libc::pthread_attr_setstacksize(&raw mut attributes.0, bytes) } {
                0 => {}
                number => return Err(Errno::new(number)),
            }
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`.
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

/// A key for a value that each thread has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u32);

/// Which keys are in use.
static KEYS: Mutex<Vec<bool>> = Mutex::new(Vec::new());

/// More keys than any driver needs; a bound on what a thread may come to hold.
const KEYS_MAX: usize = 4096;

thread_local! {
    static VALUES: RefCell<Vec<*mut c_void>> = const { RefCell::new(Vec::new()) };
}

impl Key {
    /// The lowest free key; `EAGAIN` if there is none.
    pub(crate) fn create() -> Result<Key> {
        let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        take_lowest(&mut keys).map(Key).ok_or(Errno::EAGAIN)
    }

    /// The key with this number, `EINVAL` if it is not in use.
    pub(crate) fn from_number(number: i64) -> Result<Key> {
        let keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(number).map_err(|_| Errno::EINVAL)?;
        match keys.get(index) {
            Some(true) => u32::try_from(index).map(Key).map_err(|_| Errno::EINVAL),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The number that C knows it by.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// Lets the number be used again. The values stay.
    pub(crate) fn destroy(self) {
        let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = keys.get_mut(self.index()) {
            *used = false;
        }
    }

    /// Sets this thread's value. Without effect in a thread that is past its end.
    pub(crate) fn set(self, value: *mut c_void) {
        // Past its end a thread has no values to set.
        let _ = VALUES.try_with(|values| {
            let mut values = values.borrow_mut();
            if values.len() <= self.index() {
                values.resize(self.index() + 1, ptr::null_mut());
            }
            values[self.index()] = value;
        });
    }

    /// This thread's value; null if it never set one.
    pub(crate) fn get(self) -> *mut c_void {
        VALUES
            .try_with(|values| values.borrow().get(self.index()).copied())
            .ok()
            .flatten()
            .unwrap_or(ptr::null_mut())
    }

    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Marks the lowest free key as used.
fn take_lowest(keys: &mut Vec<bool>) -> Option<u32> {
    let lowest = keys.iter().position(|used| !used).unwrap_or(keys.len());
    if lowest == KEYS_MAX {
        return None;
    }
    if lowest == keys.len() {
        keys.push(false);
    }
    keys[lowest] = true;
    u32::try_from(lowest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn text(bytes: &str, name: &str) -> u64 {
        let line = bytes.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    }

    unsafe extern "C-unwind" fn give_back(argument: *mut c_void) -> *mut c_void {
        argument
    }

    unsafe extern "C-unwind" fn leave(argument: *mut c_void) -> *mut c_void {
        // SAFETY: in a thread of `start`, with nothing to drop in between.
        unsafe { exit(argument.byte_add(1)) }
    }

    fn run(
        name: &CStr,
        stack_bytes: Option<usize>,
        body: Body,
        prologue: Box<dyn FnOnce() + Send>,
    ) -> Thread {
        let argument = ptr::without_provenance_mut(41);
        // SAFETY: the bodies above take any argument and stay loaded.
        unsafe {
            start(Start {
                name: Some(name),
                stack_bytes,
                prologue,
                body,
                argument,
            })
        }
        .unwrap()
    }

    #[test]
    fn a_thread_gives_its_value_to_who_joins() {
        let thread = run(c"short", None, give_back, Box::new(|| ()));
        assert_eq!(thread.join().unwrap().addr(), 41);
        let thread = run(c"short", Some(1), leave, Box::new(|| ()));
        assert_eq!(thread.join().unwrap().addr(), 42);
        let thread = run(
            c"panics",
            None,
            give_back,
            Box::new(|| panic!("on purpose, in a test")),
        );
        assert_eq!(thread.join().unwrap().addr(), 41);
    }

    #[test]
    fn a_thread_has_its_name_and_no_signals() {
        let (tell, told) = mpsc::channel();
        let look = move || {
            let read = |path| std::fs::read_to_string(path).unwrap();
            tell.send((
                read("/proc/thread-self/comm"),
                read("/proc/thread-self/status"),
            ))
            .unwrap();
        };
        run(
            c"a name of more than fifteen",
            Some(1 << 20),
            give_back,
            Box::new(look),
        )
        .join()
        .unwrap();
        let (name, status) = told.recv().unwrap();
        assert_eq!(name, "a name of more \n");
        let blocked = text(&status, "SigBlk");
        for (signal, expected) in [
            (libc::SIGTERM, 1),
            (libc::SIGCHLD, 1),
            (libc::SIGUSR1, 1),
            (libc::SIGSEGV, 0),
        ] {
            assert_eq!(blocked >> (signal - 1) & 1, expected, "{signal}");
        }
        let own = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        assert_eq!(text(&own, "SigBlk") >> (libc::SIGTERM - 1) & 1, 0);
    }

    #[test]
    fn a_stack_is_as_large_as_asked() {
        let (tell, told) = mpsc::channel();
        let measure = move || {
            let mut attributes = MaybeUninit::uninit();
            let mut bytes = 0;
            // SAFETY: asks about the calling thread, and gives back what it got.
            unsafe {
                libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr());
                libc::pthread_attr_getstacksize(attributes.as_ptr(), &raw mut bytes);
                libc::pthread_attr_destroy(attributes.as_mut_ptr());
            }
            tell.send(bytes).unwrap();
        };
        for asked in [0, 1 << 20, (3 << 20) + 1] {
            run(c"stack", Some(asked), give_back, Box::new(measure.clone()))
                .join()
                .unwrap();
            assert!(told.recv().unwrap() >= asked.max(STACK_BYTES_MIN));
        }
    }

    #[test]
    fn the_lowest_free_key_is_next() {
        let mut keys = Vec::new();
        assert_eq!(
            [(); 3].map(|()| take_lowest(&mut keys)),
            [Some(0), Some(1), Some(2)]
        );
        keys[1] = false;
        assert_eq!([(); 2].map(|()| take_lowest(&mut keys)), [Some(1), Some(3)]);
        let mut full = vec![true; KEYS_MAX];
        assert_eq!(take_lowest(&mut full), None);
    }

    #[test]
    fn each_thread_has_its_values_and_they_outlive_their_key() {
        let [first, second] = [Key::create().unwrap(), Key::create().unwrap()];
        assert_eq!(Key::from_number(i64::from(second.number())), Ok(second));
        assert!(first.get().is_null());
        first.set(ptr::without_provenance_mut(7));
        second.set(ptr::without_provenance_mut(8));
        let elsewhere = move || {
            assert!(second.get().is_null());
            second.set(ptr::without_provenance_mut(9));
            second.get().addr()
        };
        assert_eq!(std::thread::spawn(elsewhere).join().unwrap(), 9);
        first.destroy();
        second.destroy();
        assert_eq!((first.get().addr(), second.get().addr()), (7, 8));
        for wrong in [-1, 4095, i64::MAX] {
            assert_eq!(Key::from_number(wrong), Err(Errno::EINVAL));
        }
    }
}
