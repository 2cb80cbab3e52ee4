//! Sending, and answers.

use std::ffi::{c_char, c_void};

use super::{
    arguments::{event_name, optional, timeout, with_length},
    callbacks::{outcome_callback, UserData},
    client::with,
    constants::IM_EMIT_VOLATILE,
    guard::guard,
    process::process,
    types::{im_ack_fn, im_blob, im_client, im_status},
};
use crate::client::{json_arguments, json_value, EmitFlags, Failed, Status};

/// The one argument of a simple call: checked JSON, or nothing.
///
/// # Safety
/// `json` is NULL or NUL-terminated.
unsafe fn argument<'a>(json: *const c_char) -> Result<&'a str, Failed> {
    // SAFETY: by this function's contract.
    match unsafe { optional(json, "json") }? {
        Some(json) => json_value(json).map_err(|failed| named("json", failed)),
        None => Ok(""),
    }
}

fn named(argument: &str, failed: Failed) -> Failed {
    Failed::new(failed.status, format!("the argument \"{argument}\": {}", failed.message))
}

/// Sends an event with one argument, a JSON value; NULL sends none. What is emitted before the connection is up is sent
/// after it, in order, once. `IM_ERROR_QUEUE_FULL` where too much waits already.
///
/// Any thread; also inside a callback; never blocks.
///
/// # Safety
/// `event` is NULL (an error) or NUL-terminated, `json` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_emit(
    client: im_client,
    event: *const c_char,
    json: *const c_char,
) -> im_status {
    with(client, |client| {
        // SAFETY: by this function's contract.
        let (event, json) = unsafe { (event_name(event)?, argument(json)?) };
        client.emit(event, json, EmitFlags::default()).map(|()| 0)
    })
}

/// The general form: name and arguments with their lengths in bytes; `args` is a JSON array of all arguments (NULL with
/// length 0 for none); `flags` are `IM_EMIT_…`. `blobs` come with a later version: `IM_ERROR_UNSUPPORTED`.
///
/// # Safety
/// `event` and `args` are NULL or have that many bytes; `blobs` has `blob_count` elements.
#[no_mangle]
pub unsafe extern "C" fn im_client_emit_args(
    client: im_client,
    event: *const c_char,
    event_len: usize,
    args: *const c_char,
    args_len: usize,
    blobs: *const im_blob,
    blob_count: usize,
    flags: u32,
) -> im_status {
    with(client, |client| {
        // SAFETY: by this function's contract.
        let event = unsafe { with_length(event, event_len, "event") }?.filter(|event| !event.is_empty());
        let event = event
            .ok_or_else(|| Failed::new(Status::InvalidArgument, "the argument \"event\" is NULL or empty"))?;
        // SAFETY: by this function's contract.
        let arguments = match unsafe { with_length(args, args_len, "args") }? {
            Some(args) => json_arguments(args).map_err(|failed| named("args", failed))?,
            None => "",
        };
        if blob_count > 0 || !blobs.is_null() {
            return Err(Failed::new(Status::Unsupported, "the argument \"blobs\": binary is not built yet"));
        }
        if flags & !IM_EMIT_VOLATILE != 0 {
            let message = format!("the argument \"flags\" has unknown bits: {flags:#x}");
            return Err(Failed::new(Status::InvalidArgument, message));
        }
        let volatile = flags & IM_EMIT_VOLATILE != 0;
        client.emit(event, arguments, EmitFlags { volatile }).map(|()| 0)
    })
}

/// Sends an event and asks the server to acknowledge it; gives the request's id (greater than 0) or a negative status.
///
/// `fn` is called exactly once: with `IM_OK` and the server's answer, or with `IM_ERROR_TIMEOUT` (`timeout_ms` counts from
/// this call; 0 takes the option `ackTimeout`, and waits without end where there is none), `IM_ERROR_CANCELED` or
/// `IM_ERROR_DISCONNECTED`. Where the call fails, `fn` is not called. With manual delivery `fn` may be NULL: the outcome then
/// comes with `im_client_poll` alone.
///
/// # Safety
/// As for `im_client_emit`; `fn` may be called with `user_data` once.
#[no_mangle]
pub unsafe extern "C" fn im_client_emit_with_ack(
    client: im_client,
    event: *const c_char,
    json: *const c_char,
    timeout_ms: i64,
    r#fn: im_ack_fn,
    user_data: *mut c_void,
) -> i64 {
    guard(|| {
        let client = process().client(client)?;
        // SAFETY: by this function's contract.
        let (event, json) = unsafe { (event_name(event)?, argument(json)?) };
        let timeout = timeout(timeout_ms)?;
        let done = outcome_callback(&client, r#fn, UserData::new(user_data, None))?;
        client.emit_with_ack(event, json, timeout, done).map_err(|(_, failed)| failed)
    })
}

/// Ends a request: its function is called with `IM_ERROR_CANCELED`. `IM_ERROR_NOT_FOUND` where its outcome is decided
/// already. Never blocks.
#[no_mangle]
pub extern "C" fn im_client_cancel(client: im_client, request: i64) -> im_status {
    with(client, |client| client.cancel(request).map(|()| 0))
}

/// Answers a question of the server (an event whose `ack_id` is not 0) with one JSON value, or none (NULL); from the
/// callback or later, from any thread. A second answer gives `IM_ERROR_NOT_FOUND`, one after the connection is gone
/// `IM_ERROR_DISCONNECTED`: nothing is sent then.
///
/// # Safety
/// `json` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_reply(client: im_client, ack_id: u64, json: *const c_char) -> im_status {
    with(client, |client| {
        // SAFETY: by this function's contract.
        client.reply(ack_id, unsafe { argument(json) }?).map(|()| 0)
    })
}

/// Waits until all that was emitted before was written to the socket (or was lost with its connection: an acknowledgement
/// tells what arrived); at most `timeout_ms` (0: without end), then
/// `IM_ERROR_TIMEOUT`. Inside a callback `IM_ERROR_DEADLOCK`; `IM_ERROR_HANDLE` where the client is destroyed meanwhile.
#[no_mangle]
pub extern "C" fn im_client_flush(client: im_client, timeout_ms: i64) -> im_status {
    with(client, |client| client.flush(timeout(timeout_ms)?).map(|()| 0))
}
