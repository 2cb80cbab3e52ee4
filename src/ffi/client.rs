//! The life and the state of a client.

use std::{
    ffi::{c_char, c_void},
    panic::{catch_unwind, resume_unwind, AssertUnwindSafe},
};

use super::{
    arguments::{give, required},
    callbacks::{done_callback, UserData},
    guard::{guard, Failure},
    process::process,
    types::{im_client, im_done_fn, im_status},
};
use crate::{
    client::{Client, Destroyed, Failed, Options, Status},
    sync::Arc,
};

const OK: im_status = Status::Ok as im_status;

/// Makes a client from a JSON object of options (docs/reference/options.md has them; `root` and `nsp` are required) and connects it,
/// unless `"autoConnect": false`. Gives 0 on failure: see `im_last_error`.
///
/// Any thread; also inside a callback; does not wait for the network. With the option `store` it opens and reads that file
/// (`IM_ERROR_SYSTEM`, and `im_last_error` names it, where that can't be done; such a file is never changed). The first client starts the library's threads.
///
/// # Safety
/// `options_json` is NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_new(options_json: *const c_char) -> im_client {
    guard(|| {
        // SAFETY: by this function's contract.
        let options = Options::parse(unsafe { required(options_json, "options_json") }?)?;
        let process = process();
        process.add(|handle| Client::start(handle, options, process.shared().clone()))
    })
}

/// Connects, if that is not so already. Never blocks.
#[no_mangle]
pub extern "C" fn im_client_open(client: im_client) -> im_status {
    with(client, |client| {
        client.open();
        Ok(OK)
    })
}

/// Disconnects and stays so until `im_client_open`; what is unsent and messages without an answer wait for that. Never blocks: the event `disconnect`
/// (`"io client disconnect"`) tells the end.
#[no_mangle]
pub extern "C" fn im_client_close(client: im_client) -> im_status {
    with(client, |client| {
        client.close();
        Ok(OK)
    })
}

/// As `im_client_close`, and drops what is unsent; requests that wait for an answer end with `IM_ERROR_CANCELED`. Messages
/// without an answer are dropped too, also from the store.
#[no_mangle]
pub extern "C" fn im_client_destroy_socket(client: im_client) -> im_status {
    with(client, |client| {
        client.destroy_socket();
        Ok(OK)
    })
}

/// Destroys a client. When this returns `IM_OK`, no callback of it runs or starts any more, every waiting acknowledgement
/// was called once with `IM_ERROR_CANCELED`, and every free function has run. So the caller must hold no lock that one of
/// those takes, or use `im_client_destroy_async`. What is unsent is dropped: `im_client_flush` first. Messages
/// in the store stay there for the next client.
///
/// Inside any code that the library runs (a callback, an acknowledgement, a free, log or done function) it never waits: the
/// handle is dead at once, `IM_DEFERRED` is returned, and the rest happens when that code has returned. Of two threads that
/// destroy the same client one gets `IM_ERROR_HANDLE`.
///
/// With manual delivery this thread runs what is called at the end, threads in `im_client_poll`, `im_client_dispatch` and
/// `im_client_flush` return `IM_ERROR_HANDLE`, and a descriptor of `im_client_wake_fd` has to be out of every event loop.
#[no_mangle]
pub extern "C" fn im_client_destroy(client: im_client) -> im_status {
    guard(|| match process().remove(client)?.destroy() {
        Destroyed::Done => Ok(OK),
        Destroyed::Deferred => Ok(Status::Deferred as im_status),
    })
}

/// As `im_client_destroy`, but never blocks: the handle is dead at once, and `done` (may be NULL) is called on a thread of
/// the library when all the rest has happened. Where the call fails, `done` is not called.
#[no_mangle]
pub extern "C" fn im_client_destroy_async(
    client: im_client,
    done: im_done_fn,
    user_data: *mut c_void,
) -> im_status {
    guard(|| {
        let client = process().remove(client)?;
        client.destroy_detached(done_callback(done, UserData::new(user_data, None)));
        Ok(OK)
    })
}

/// The client's state, `IM_STATE_…`, or a negative status.
#[no_mangle]
pub extern "C" fn im_client_state(client: im_client) -> i32 {
    with(client, |client| Ok(client.state() as i32))
}

/// The Socket.IO id of the current connection, to be freed with `im_string_free`. NULL while not connected
/// (`IM_ERROR_DISCONNECTED`) or on failure.
#[no_mangle]
pub extern "C" fn im_client_socket_id(client: im_client) -> *mut c_char {
    with(client, |client| {
        let id = client.socket_id();
        id.map(give).ok_or_else(|| Failed::new(Status::Disconnected, "the client is not connected"))
    })
}

/// What goes on in the client, as a JSON object to be freed with `im_string_free`: state, url (values of the query masked),
/// protocol, transport, round-trip time, counters, queues; docs/reference/info.md has every field. NULL on failure.
#[no_mangle]
pub extern "C" fn im_client_info(client: im_client) -> *mut c_char {
    with(client, |client| Ok(give(client.info())))
}

/// Runs a call on a client; a panic in it also closes the client.
pub(super) fn with<R: Failure>(handle: im_client, call: impl FnOnce(&Arc<Client>) -> Result<R, Failed>) -> R {
    guard(|| {
        let client = process().client(handle)?;
        catch_unwind(AssertUnwindSafe(|| call(&client))).unwrap_or_else(|panic| {
            client.close();
            resume_unwind(panic)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::{
        ffi::CString,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::ffi::constants::{IM_STATE_CONNECTING, IM_STATE_DISCONNECTED};

    #[test]
    fn a_panic_in_a_call_closes_the_client() {
        // It takes connections and says nothing: the client would go on connecting.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = format!(r#"{{"root":"http://127.0.0.1:{port}","nsp":"/","path":"/p"}}"#);
        let options = CString::new(options).unwrap();
        // SAFETY: NUL-terminated.
        let client = unsafe { im_client_new(options.as_ptr()) };
        assert_eq!(im_client_state(client), IM_STATE_CONNECTING);
        let status: im_status = with(client, |_| panic!("on purpose"));
        assert_eq!(status, Status::Panic as im_status);
        let until = Instant::now() + Duration::from_secs(60);
        while im_client_state(client) != IM_STATE_DISCONNECTED {
            assert!(Instant::now() < until, "it was not closed");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(im_client_destroy(client), OK);
    }
}
