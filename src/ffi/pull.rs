//! Manual delivery: the caller's own threads take events and run callbacks.

use std::{io, sync::Arc};

use super::{
    client::with,
    types::{im_client, im_event, im_status},
};
use crate::client::{Failed, Status, Wait, WakeDescriptor, Which};

/// Takes the next event of a client with the option `"delivery": "manual"`; the event is the caller's until
/// `im_event_release`. Every event comes, subscribed to or not; the outcome of a request comes as an event of kind
/// `IM_EVENT_KIND_ACK` with `request` and `status` (and `json` `"null"` where the server gave no answer), and its function
/// is not called then. An event counts as delivered when its last reference is released: the library sends a message's
/// receipt at that moment, and not before.
///
/// Waits `timeout_ms` for one: as poll(2) has it, 0 does not wait and a negative time is without end. `IM_ERROR_TIMEOUT`
/// where nothing came, `IM_WOKEN` where `im_client_wake` ended the wait, `IM_ERROR_HANDLE` where the client is destroyed
/// meanwhile: `*event` is NULL then. Any thread, several at a time too; inside a callback `IM_ERROR_DEADLOCK`.
/// Free functions whose time has come run here, on the caller's thread.
///
/// # Safety
/// `event` is NULL (an error) or may be written to.
#[no_mangle]
pub unsafe extern "C" fn im_client_poll(
    client: im_client,
    timeout_ms: i64,
    event: *mut *const im_event,
) -> im_status {
    // SAFETY: by this function's contract.
    unsafe { poll(client, timeout_ms, event, Which::All) }
}

/// As `im_client_poll`, but takes nothing except the outcomes of requests, past the events that wait before them. For a
/// caller whose own queue of events is full: with it alone he learns how the requests ended that those wait for who are to
/// empty that queue, and reading pauses behind the events that he leaves here.
///
/// # Safety
/// `event` is NULL (an error) or may be written to.
#[no_mangle]
pub unsafe extern "C" fn im_client_poll_outcome(
    client: im_client,
    timeout_ms: i64,
    event: *mut *const im_event,
) -> im_status {
    // SAFETY: by this function's contract.
    unsafe { poll(client, timeout_ms, event, Which::Outcomes) }
}

/// # Safety
/// `event` is NULL or may be written to.
unsafe fn poll(client: im_client, timeout_ms: i64, event: *mut *const im_event, which: Which) -> im_status {
    // SAFETY: by this function's contract.
    let mut target = unsafe { event.as_mut() };
    if let Some(target) = &mut target {
        **target = std::ptr::null();
    }
    with(client, |client| {
        let target =
            target.ok_or_else(|| Failed::new(Status::InvalidArgument, "the argument \"event\" is NULL"))?;
        match client.poll(Wait::for_milliseconds(timeout_ms), which)? {
            Some(event) => {
                *target = Arc::into_raw(event).cast();
                Ok(Status::Ok as im_status)
            }
            None => Ok(Status::Woken as im_status),
        }
    })
}

/// Runs callbacks of a client with the option `"delivery": "manual"` on this thread: those of the events and the outcomes
/// that wait, in their order, at most `max` (0: all that wait). Waits `timeout_ms` for the first, as `im_client_poll` does.
/// Gives how many were called, 0 where `im_client_wake` ended the call before the first; `IM_ERROR_TIMEOUT` where there was
/// none to call, `IM_ERROR_HANDLE` where the client is destroyed meanwhile, in one of its callbacks too.
///
/// Any thread, one at a time for each client: a second one waits for its turn, as long as its timeout allows. Inside a
/// callback `IM_ERROR_DEADLOCK`. Free functions run here too and count for nothing.
#[no_mangle]
pub extern "C" fn im_client_dispatch(client: im_client, timeout_ms: i64, max: u32) -> i32 {
    with(client, |client| {
        let most = if max == 0 { i32::MAX.unsigned_abs() } else { max.min(i32::MAX.unsigned_abs()) };
        let called = client.dispatch(Wait::for_milliseconds(timeout_ms), most)?;
        Ok(i32::try_from(called).unwrap_or(i32::MAX))
    })
}

/// Ends one `im_client_poll` or `im_client_dispatch` of this client: one that waits; or else a dispatch that runs, after its
/// current callback; or else the next one, which returns at once, before what waits. Wakes that nobody has seen yet are one,
/// or one for each thread that waits. Any thread; also inside a callback; never blocks.
#[no_mangle]
pub extern "C" fn im_client_wake(client: im_client) -> im_status {
    with(client, |client| client.wake().map(|()| Status::Ok as im_status))
}

/// A descriptor for an event loop (epoll, kqueue, asyncio), made on first use and the same ever after: readable while
/// `im_client_poll` or `im_client_dispatch` has something to do, a wake included; they make it unreadable once nothing
/// waits. Level-triggered: take until `IM_ERROR_TIMEOUT`, or come back while it is readable. Never read, write or close it.
///
/// It becomes readable when the client is destroyed, and the library closes it at the client's end: take it out of the loop
/// before `im_client_destroy` (in a callback too). After that its number may already be another file's; and epoll still
/// reports a closed file where a forked child has it too.
///
/// -1 on failure, see `im_last_status`: `IM_ERROR_UNSUPPORTED` where the platform has none. Any thread; also inside a
/// callback; never blocks.
#[no_mangle]
pub extern "C" fn im_client_wake_fd(client: im_client) -> i32 {
    let number = with(client, |client| client.wake_descriptor(open));
    number.max(-1)
}

fn open() -> Result<WakeDescriptor, Failed> {
    open_descriptor().map_err(|error| {
        let status = match error.kind() {
            io::ErrorKind::Unsupported => Status::Unsupported,
            _ => Status::System,
        };
        Failed::new(status, format!("no wake descriptor can be made: {error}"))
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn open_descriptor() -> io::Result<WakeDescriptor> {
    use std::{
        fs::File,
        os::fd::{FromRawFd, OwnedFd},
    };
    // SAFETY: the call touches no memory of ours.
    let number = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else has it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    Ok(WakeDescriptor::new(File::from(descriptor), None))
}

#[cfg(all(unix, any(test, not(any(target_os = "linux", target_os = "android")))))]
fn open_pipe() -> io::Result<WakeDescriptor> {
    use std::{
        fs::File,
        os::fd::{AsRawFd, OwnedFd},
    };
    // Closed on exec.
    let (read, write) = io::pipe()?;
    for number in [read.as_raw_fd(), write.as_raw_fd()] {
        // SAFETY: both are open; the calls touch no memory of ours.
        let set = unsafe {
            let flags = libc::fcntl(number, libc::F_GETFL);
            libc::fcntl(number, libc::F_SETFL, flags | libc::O_NONBLOCK)
        };
        if set < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(WakeDescriptor::new(File::from(OwnedFd::from(read)), Some(File::from(OwnedFd::from(write)))))
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
use open_pipe as open_descriptor;

#[cfg(not(unix))]
fn open_descriptor() -> io::Result<WakeDescriptor> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_readable(descriptor: &WakeDescriptor) -> bool {
        let mut asked = libc::pollfd { fd: descriptor.number(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid entry.
        unsafe { libc::poll(&mut asked, 1, 0) == 1 && asked.revents & libc::POLLIN != 0 }
    }

    #[test]
    fn both_kinds_are_levels_and_closed_on_exec() {
        for open in [open_descriptor, open_pipe] {
            let mut descriptor = open().unwrap();
            for _ in 0..3 {
                assert!(!is_readable(&descriptor));
                descriptor.lower();
                descriptor.raise();
                descriptor.raise();
                assert!(is_readable(&descriptor));
                descriptor.lower();
            }
            // SAFETY: an open descriptor.
            let flags = unsafe { libc::fcntl(descriptor.number(), libc::F_GETFD) };
            assert!(flags & libc::FD_CLOEXEC != 0);
        }
    }
}
