//! No panic crosses the boundary, and every failure leaves words behind.

use std::{
    cell::{Cell, RefCell},
    ffi::{c_char, CString},
    panic::{catch_unwind, AssertUnwindSafe},
};

use super::types::im_status;
use crate::client::{end_deferred, Failed, Status};

/// So many characters of a message are kept.
const LONGEST: usize = 600;

thread_local! {
    /// Nothing is to be freed of it, so it is there to the very end of a thread.
    static STATUS: Cell<im_status> = const { Cell::new(Status::Ok as im_status) };
    static WORDS: RefCell<CString> = RefCell::default();
}

/// How a failure looks in the return type of a call.
pub trait Failure {
    fn of(status: im_status) -> Self;
}

impl Failure for i32 {
    fn of(status: im_status) -> Self {
        status
    }
}

impl Failure for i64 {
    fn of(status: im_status) -> Self {
        status.into()
    }
}

impl Failure for u64 {
    fn of(_: im_status) -> Self {
        0
    }
}

impl Failure for *mut c_char {
    fn of(_: im_status) -> Self {
        std::ptr::null_mut()
    }
}

impl Failure for *const c_char {
    fn of(_: im_status) -> Self {
        std::ptr::null()
    }
}

/// Runs a call; a failure or a panic becomes its return value and this thread's last error.
pub fn guard<R: Failure>(call: impl FnOnce() -> Result<R, Failed>) -> R {
    let result = catch_unwind(AssertUnwindSafe(call));
    // Code that the call ran may have destroyed clients: their end is due now that it has returned.
    let ended = catch_unwind(end_deferred);
    let failed = match ended.and(result) {
        Ok(Ok(value)) => return value,
        Ok(Err(failed)) => failed,
        Err(_) => Failed::new(Status::Panic, "a defect of the library; please report it"),
    };
    let status = failed.status as im_status;
    remember(failed);
    R::of(status)
}

/// Keeps a failure as this thread's last error.
pub fn remember(failed: Failed) {
    // A message may quote the caller's text, but not megabytes of it, and a NUL in it must not cut it short.
    let mut message = failed.message;
    if let Some((end, _)) = message.char_indices().nth(LONGEST) {
        message.truncate(end);
        message.push_str(" ...");
    }
    let text = CString::new(message.replace('\0', "\\0")).unwrap_or_default();
    STATUS.set(failed.status as im_status);
    let _ = WORDS.try_with(|words| *words.borrow_mut() = text);
}

/// This thread's last failure in words.
pub fn last_error() -> *const c_char {
    // Destructors of the caller's may call when those of this thread have run.
    let none = || {
        if last_status() == Status::Ok as im_status {
            c""
        } else {
            c"(the thread ends, the words are gone)"
        }
    };
    WORDS.try_with(|words| words.borrow().as_ptr()).unwrap_or_else(|_| none().as_ptr())
}

/// This thread's last failure as a status.
pub fn last_status() -> im_status {
    STATUS.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn a_panic_becomes_a_status() {
        let status: i32 = guard(|| panic!("on purpose"));
        assert_eq!(status, Status::Panic as i32);
        // SAFETY: the string lives until this thread's next failure.
        let text = unsafe { CStr::from_ptr(last_error()) };
        assert!(text.to_str().unwrap().contains("defect"));
        let handle: u64 = guard(|| panic!("on purpose"));
        assert_eq!(handle, 0);
    }

    #[test]
    fn a_nul_does_not_cut_the_message() {
        remember(Failed::new(Status::Option, "a\0b"));
        // SAFETY: as above.
        assert_eq!(unsafe { CStr::from_ptr(last_error()) }, c"a\\0b");
        assert_eq!(last_status(), Status::Option as i32);
    }
}
