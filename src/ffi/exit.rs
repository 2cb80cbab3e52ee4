//! The end of the process: no callback starts any more, and the running ones are waited for, at most a second.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::client::{begin_exit, is_exiting};

/// How long `exit` waits for running callbacks.
const PATIENCE: Duration = Duration::from_secs(1);

static RUNNING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OWN: Cell<usize> = const { Cell::new(0) };
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        OWN.with(|own| own.set(own.get().saturating_sub(1)));
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Calls the caller's code, unless the process is exiting.
pub fn unless_exiting(code: impl FnOnce()) {
    RUNNING.fetch_add(1, Ordering::SeqCst);
    OWN.with(|own| own.set(own.get() + 1));
    let _leave = Leave;
    if !is_exiting() {
        code();
    }
}

/// Asks the system to call `at_exit`.
pub fn install() {
    // SAFETY: the function lives as long as the process: the library is linked with `-z nodelete`.
    unsafe { libc::atexit(at_exit) };
}

extern "C" fn at_exit() {
    begin_exit();
    let start = Instant::now();
    // Code that itself called `exit` does not wait for itself.
    let own = OWN.try_with(Cell::get).unwrap_or(0);
    while RUNNING.load(Ordering::SeqCst) > own && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// In a forked child no callback of the parent's runs.
pub fn forget_in_child() {
    RUNNING.store(0, Ordering::SeqCst);
    let _ = OWN.try_with(|own| own.set(0));
}
