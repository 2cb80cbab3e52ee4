//! The library as a whole: version, statuses, errors, shutdown.

use std::{
    ffi::{c_char, CString},
    sync::atomic::{AtomicPtr, Ordering},
    time::{Duration, Instant},
};

use super::{
    guard::{guard, last_error, last_status},
    process::process,
    types::im_status,
};
use crate::client::{inside_library_code, Failed, Status, Wait};

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The version as one number: major * 10000 + minor * 100 + patch. Compare with `IM_VERSION_NUMBER` of the header.
///
/// Any thread; also inside a callback; never blocks.
#[no_mangle]
pub extern "C" fn im_version_number() -> u32 {
    let part = |text: &str| text.parse::<u32>().unwrap_or_default();
    part(env!("CARGO_PKG_VERSION_MAJOR")) * 10_000
        + part(env!("CARGO_PKG_VERSION_MINOR")) * 100
        + part(env!("CARGO_PKG_VERSION_PATCH"))
}

/// The version as text, like "0.1.0". Static: never freed.
#[no_mangle]
pub extern "C" fn im_version_string() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// Whether this library serves a program that was built with a header of `version`, which is `IM_VERSION_NUMBER`: before 1.0
/// of the same minor version, later of the same major version and no newer than the library. Otherwise `IM_ERROR_VERSION`,
/// and `im_last_error` names both. A language's package asks before its first client.
///
/// Any thread; also inside a callback; never blocks.
#[no_mangle]
pub extern "C" fn im_version_check(version: u32) -> im_status {
    guard(|| {
        let (own, [major, minor, patch]) = (im_version_number(), parts(version));
        if serves(parts(own), parts(version)) {
            return Ok(Status::Ok as im_status);
        }
        let message = format!(
            "this program was built for im_client {major}.{minor}.{patch}; the library that it found is {}",
            env!("CARGO_PKG_VERSION")
        );
        Err(Failed::new(Status::Version, message))
    })
}

fn parts(version: u32) -> [u32; 3] {
    [version / 10_000, version / 100 % 100, version % 100]
}

fn serves(library: [u32; 3], program: [u32; 3]) -> bool {
    match program {
        [0, minor, _] => library[..2] == [0, minor],
        [major, ..] => library[0] == major && library >= program,
    }
}

/// A status's name, like "IM_ERROR_TIMEOUT"; "IM_ERROR_UNKNOWN" for a number that is none. Static: never freed.
#[no_mangle]
pub extern "C" fn im_status_name(status: im_status) -> *const c_char {
    static_text(Status::name_of(status).unwrap_or(Status::UNKNOWN[0]))
}

/// What a status means, in one sentence. Static: never freed.
#[no_mangle]
pub extern "C" fn im_status_text(status: im_status) -> *const c_char {
    static_text(Status::text_of(status).unwrap_or(Status::UNKNOWN[1]))
}

/// The C form of one of the table's texts. Made once for all, without a lock: a forked child may ask too.
fn static_text(text: &'static str) -> *const c_char {
    type Texts = Vec<(&'static str, CString)>;
    static TEXTS: AtomicPtr<Texts> = AtomicPtr::new(std::ptr::null_mut());
    let mut texts = TEXTS.load(Ordering::Acquire);
    if texts.is_null() {
        let made = Status::texts().map(|text| (text, CString::new(text).unwrap_or_default())).collect();
        let made: *mut Texts = Box::into_raw(Box::new(made));
        texts = match TEXTS.compare_exchange(texts, made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => made,
            Err(other) => {
                // SAFETY: another thread was first; ours was never shown to anybody.
                drop(unsafe { Box::from_raw(made) });
                other
            }
        };
    }
    // SAFETY: once stored, the texts are never freed or changed.
    let texts = unsafe { &*texts };
    texts.iter().find(|(known, _)| *known == text).map_or(c"".as_ptr(), |(_, made)| made.as_ptr())
}

/// This thread's last failure in words that name the option or argument at fault; "" if there was none. Valid until this
/// thread's next failing call.
#[no_mangle]
pub extern "C" fn im_last_error() -> *const c_char {
    last_error()
}

/// The status of this thread's last failure, also of a call that returned 0 or NULL; `IM_OK` if there was none.
#[no_mangle]
pub extern "C" fn im_last_status() -> im_status {
    last_status()
}

/// How many clients live, those included whose destroy is still at work.
#[no_mangle]
pub extern "C" fn im_client_count() -> usize {
    let count: i64 = guard(|| Ok(i64::try_from(process().shared().users()).unwrap_or(i64::MAX)));
    usize::try_from(count).unwrap_or(0)
}

/// Destroys all clients and joins all threads of the library, for a host's exit hook. Waits at most `timeout_ms` and then
/// gives `IM_ERROR_TIMEOUT`; what is called at the end of clients with manual delivery is called here. Inside a callback:
/// `IM_ERROR_DEADLOCK`. New clients may be made afterwards.
#[no_mangle]
pub extern "C" fn im_shutdown(timeout_ms: i64) -> im_status {
    guard(|| {
        if inside_library_code() {
            return Err(Failed::new(Status::Deadlock, "a shutdown inside a callback would wait for itself"));
        }
        let limit = u64::try_from(timeout_ms)
            .map_err(|_| Failed::new(Status::InvalidArgument, "the argument \"timeout_ms\" is negative"))?;
        let process = process();
        let until = Instant::now() + Duration::from_millis(limit.min(u64::from(u32::MAX)));
        // One that is destroyed at the same time is as good.
        let clients = process.handles().into_iter().filter_map(|handle| process.remove(handle).ok());
        let (manual, others): (Vec<_>, Vec<_>) = clients.partition(|client| client.options().manual);
        others.iter().for_each(|client| client.destroy_detached(None));
        manual.iter().for_each(|client| client.begin_end_here());
        manual.iter().for_each(|client| client.end_here(Wait::Until(until)));
        drop((manual, others));
        match process.shared().wait_until_empty(until) {
            true => Ok(Status::Ok as im_status),
            false => {
                let message = format!(
                    "{} clients, or a log callback, are still at work after {limit} ms",
                    process.shared().users()
                );
                Err(Failed::new(Status::Timeout, message))
            }
        }
    })
}

/// Frees a string that the library gave (`char *`); NULL is allowed.
///
/// # Safety
/// `string` is NULL or came from a function of this library that says so, and was not freed before.
#[no_mangle]
pub unsafe extern "C" fn im_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: it was made by `CString::into_raw`, by this function's contract.
        drop(unsafe { CString::from_raw(string) });
    }
}
