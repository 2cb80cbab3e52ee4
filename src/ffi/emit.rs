//! Sending, and answers.

use std::ffi::{c_char, c_void};

use super::{
    arguments::{binary, event_name, event_name_with_length, optional, timeout, with_length},
    callbacks::{outcome_callback, UserData},
    client::with,
    constants::IM_EMIT_VOLATILE,
    types::{im_ack_fn, im_blob, im_client, im_free_fn, im_status},
};
use crate::client::{json_arguments, json_value, user_code, EmitFlags, Failed, Json, Payload, Status};

/// The one argument of a simple call: checked JSON, or nothing.
///
/// # Safety
/// `json` is NULL or NUL-terminated.
unsafe fn argument<'a>(json: *const c_char) -> Result<Payload<'a>, Failed> {
    // SAFETY: by this function's contract.
    match unsafe { optional(json, "json") }? {
        Some(json) => {
            json_value(json).and_then(|json| Payload::new(json, &[])).map_err(|failed| named("json", failed))
        }
        None => Ok(Payload::default()),
    }
}

/// What a general call sends: a JSON array of all arguments, or nothing, and attachments.
///
/// # Safety
/// `args` is NULL or has `args_len` bytes; `blobs` is NULL or has `blob_count` elements with their bytes.
unsafe fn payload<'a>(
    args: *const c_char,
    args_len: usize,
    blobs: *const im_blob,
    blob_count: usize,
) -> Result<Payload<'a>, Failed> {
    // Before they are looked at: a count out of the blue would lead beyond the caller's memory.
    Payload::takes(blob_count).map_err(|failed| named("blob_count", failed))?;
    // SAFETY: by this function's contract.
    let (args, blobs) = unsafe { (with_length(args, args_len, "args")?, binary(blobs, blob_count)?) };
    args.map_or(Ok(Json::default()), json_arguments)
        .and_then(|arguments| Payload::new(arguments, &blobs))
        .map_err(|failed| named("args", failed))
}

fn emit_flags(flags: u32) -> Result<EmitFlags, Failed> {
    if flags & !IM_EMIT_VOLATILE != 0 {
        let message = format!("the argument \"flags\" has unknown bits: {flags:#x}");
        return Err(Failed::new(Status::InvalidArgument, message));
    }
    Ok(EmitFlags { volatile: flags & IM_EMIT_VOLATILE != 0 })
}

fn named(argument: &str, failed: Failed) -> Failed {
    Failed::new(failed.status, format!("the argument \"{argument}\": {}", failed.message))
}

/// Sends an event with one argument, a JSON value; NULL sends none. What is emitted before the connection is up is sent
/// after it, in order, once. `IM_ERROR_QUEUE_FULL` where too much waits already.
///
/// How much the server takes (its `maxPayload`) is known from the first connection on; a larger event is then
/// `IM_ERROR_TOO_LARGE`. One that was queued before and proves larger is dropped, which the log and the counter
/// `tooLargePackets` of `im_client_info` tell.
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
        let (event, payload) = unsafe { (event_name(event)?, argument(json)?) };
        client.emit(event, payload, EmitFlags::default()).map(|()| 0)
    })
}

/// The general form: name and arguments with their lengths in bytes. `connect`, `connect_error`, `disconnect`, `disconnecting`,
/// `newListener` and `removeListener` are no names for events here (`IM_ERROR_INVALID_ARGUMENT`). `args` is a JSON array of all arguments (NULL with
/// length 0 for none); `flags` are `IM_EMIT_…`.
///
/// `blobs` are binary attachments, at most 10: blob *i* stands where `args` has the object `{"_placeholder":true,"num":i}`, at
/// any depth; each has one place. Where `args` has no such object, they become further arguments, in their order. What does
/// not fit is `IM_ERROR_INVALID_ARGUMENT`, also such an object without blobs. The bytes are copied.
///
/// Any thread; also inside a callback; never blocks.
///
/// # Safety
/// `event` and `args` are NULL or have that many bytes; `blobs` is NULL or has `blob_count` elements with their bytes.
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
        let event = unsafe { event_name_with_length(event, event_len) }?;
        // SAFETY: by this function's contract.
        let payload = unsafe { payload(args, args_len, blobs, blob_count) }?;
        client.emit(event, payload, emit_flags(flags)?).map(|()| 0)
    })
}

/// Sends an event and asks the server to acknowledge it; gives the request's id (greater than 0) or a negative status.
///
/// `fn` is called exactly once: with `IM_OK` and the server's answer, or with `IM_ERROR_TIMEOUT` (`timeout_ms` counts from
/// this call; 0 takes the option `ackTimeout`, and waits without end where there is none), `IM_ERROR_CANCELED`,
/// `IM_ERROR_DISCONNECTED`, or `IM_ERROR_TOO_LARGE` (it was queued before it was known that the server takes less). Where the call
/// fails, `fn` is not called. With manual delivery `fn` may be NULL: the outcome then comes with `im_client_poll` alone.
///
/// With the option `retries`, `timeout_ms` is the time of each try and counts from when it goes out; `fn` gets the outcome of
/// the last.
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
    with(client, |client| {
        // SAFETY: by this function's contract.
        let (event, json) = unsafe { (event_name(event)?, argument(json)?) };
        let timeout = timeout(timeout_ms)?;
        let done = outcome_callback(client, r#fn, UserData::new(user_data, None))?;
        client.emit_with_ack(event, json, EmitFlags::default(), timeout, done).map_err(|(_, failed)| failed)
    })
}

/// The general form of `im_client_emit_with_ack`: name, arguments, blobs and flags as for `im_client_emit_args`; `free_fn` (may be
/// NULL) is called once when the library will not use `user_data` any more, also where this call fails.
///
/// With `IM_EMIT_VOLATILE` the call fails with `IM_ERROR_DISCONNECTED` where the event can't go out at once.
///
/// # Safety
/// As for `im_client_emit_args`; `fn` may be called with `user_data` once.
#[no_mangle]
pub unsafe extern "C" fn im_client_emit_args_with_ack(
    client: im_client,
    event: *const c_char,
    event_len: usize,
    args: *const c_char,
    args_len: usize,
    blobs: *const im_blob,
    blob_count: usize,
    flags: u32,
    timeout_ms: i64,
    r#fn: im_ack_fn,
    user_data: *mut c_void,
    free_fn: im_free_fn,
) -> i64 {
    let data = UserData::new(user_data, free_fn);
    with(client, |client| {
        // SAFETY: by this function's contract.
        let event = unsafe { event_name_with_length(event, event_len) }?;
        // SAFETY: by this function's contract.
        let payload = unsafe { payload(args, args_len, blobs, blob_count) }?;
        let (flags, timeout) = (emit_flags(flags)?, timeout(timeout_ms)?);
        let done = outcome_callback(client, r#fn, data)?;
        client.emit_with_ack(event, payload, flags, timeout, done).map_err(|(done, failed)| {
            user_code(|| drop(done));
            failed
        })
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

/// The general form: `args` is a JSON array of the answer's arguments with its length in bytes (NULL with length 0 for none),
/// `blobs` are as for `im_client_emit_args`.
///
/// # Safety
/// `args` is NULL or has that many bytes; `blobs` is NULL or has `blob_count` elements with their bytes.
#[no_mangle]
pub unsafe extern "C" fn im_client_reply_args(
    client: im_client,
    ack_id: u64,
    args: *const c_char,
    args_len: usize,
    blobs: *const im_blob,
    blob_count: usize,
) -> im_status {
    with(client, |client| {
        // SAFETY: by this function's contract.
        let payload = unsafe { payload(args, args_len, blobs, blob_count) }?;
        client.reply(ack_id, payload).map(|()| 0)
    })
}

/// Drops all emits that have not gone out, and with the option `retries` those that are to go out again; their acknowledgement
/// functions are called with `IM_ERROR_CANCELED`. Gives how many packets it dropped, or a negative status. Answers to the
/// server and what the library sends by itself stay. Any thread; also inside a callback; never blocks.
#[no_mangle]
pub extern "C" fn im_client_clear_send_buffer(client: im_client) -> i64 {
    with(client, |client| Ok(i64::try_from(client.clear_send_buffer()).unwrap_or(i64::MAX)))
}

/// Waits until all that was emitted before was written to the socket (or was lost with its connection: an acknowledgement
/// tells what arrived); at most `timeout_ms` (0: without end), then
/// `IM_ERROR_TIMEOUT`. Inside a callback `IM_ERROR_DEADLOCK`; `IM_ERROR_HANDLE` where the client is destroyed meanwhile. With the
/// option `retries` each emit goes out only after the one before it was acknowledged or given up, so this waits for that too.
#[no_mangle]
pub extern "C" fn im_client_flush(client: im_client, timeout_ms: i64) -> im_status {
    with(client, |client| client.flush(timeout(timeout_ms)?).map(|()| 0))
}
