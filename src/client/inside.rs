//! Is this thread inside code that the library runs? Calls that would wait for that code ask here.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

static EXITING: AtomicBool = AtomicBool::new(false);

/// The process exits; from now on no code of the caller's starts.
pub fn begin_exit() {
    EXITING.store(true, Ordering::SeqCst);
}

/// Then a callback may not have been called: nothing may be told to the server as if it had.
pub fn is_exiting() -> bool {
    EXITING.load(Ordering::SeqCst)
}

crate::sync::thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// Runs the caller's code: a callback, an acknowledgement, a free, log or done function. No lock may be held.
pub fn user_code<R>(code: impl FnOnce() -> R) -> R {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let _leave = Leave;
    code()
}

/// A forked child's one thread is in no code of the library's, whatever its copy says.
pub fn forget_in_child() {
    DEPTH.with(|depth| depth.set(0));
}

pub fn inside_library_code() -> bool {
    DEPTH.with(|depth| depth.get() > 0)
}
