//! Messages.

use std::ffi::{c_char, c_void};

use super::{
    arguments::{give, required, timeout},
    callbacks::{outcome_callback, UserData},
    client::with,
    guard::guard,
    types::{im_ack_fn, im_client},
};
use crate::{
    client::{Failed, Status},
    im,
};

/// Makes a message from `{"type","from","to","content","typeu"?,"fp"?,"time"?}`: adds a random fingerprint `fp`, `typeu` 1
/// (one to one) and the time, where they are missing. Gives JSON to be freed with `im_string_free`; NULL on failure, and
/// `im_last_error` names the field at fault.
///
/// # Safety
/// `json` is NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_message_create(json: *const c_char) -> *mut c_char {
    guard(|| {
        // SAFETY: by this function's contract.
        let json = unsafe { required(json, "json") }?;
        im::create_message(json).map(give).map_err(|fault| Failed::new(Status::Json, fault))
    })
}

/// Sends a message (completed as by `im_message_create`) and keeps it until the server has answered it; gives the request's
/// id or a negative status. Messages go out in order, one at a time unless the option `inFlight` says more, and what a lost
/// connection left unanswered goes out again on the next one, with the same `fp`. A server may store such a message twice:
/// a receiver with this library is shown it once, others may show both. So this is for servers that answer with a `to_ack`
/// that carries the `fp`; where there is none, use `im_client_emit`, which sends once. An emit made after a message may overtake
/// it. An `fp` that is on its way already is `IM_ERROR_INVALID_ARGUMENT`, also where another client of the process has it on its way
/// with the same store, server, namespace and `userId`.
///
/// `fn` is called exactly once: `IM_OK` with the `to_ack` event once the server has stored the message;
/// `IM_ERROR_REFUSED` with the `to_ack` where its code is not 0, or with an `im_error` 20003 that came while this was the only
/// unanswered message; or with NULL: `IM_ERROR_TIMEOUT` where `timeout_ms` (0: the option `messageTimeout`), counted from this
/// call, is over; `IM_ERROR_CANCELED` by `im_client_cancel`, `im_client_destroy_socket` (which both drop the message) or the
/// end of the client; `IM_ERROR_TOO_LARGE` where it was queued before it was known that the server takes less (its `maxPayload`). A
/// message that timed out may still have been stored.
///
/// With the option `store` the message is on the disk (fsync) when this returns, so it blocks for as long as that takes; a
/// disk that refuses gives `IM_ERROR_SYSTEM` and nothing is sent. What the end of the client, or of the process, leaves there
/// is sent by the next client with the same store, server, namespace and `userId`, which tells its outcome by the event
/// IM_EVENT_OUTBOX. The store forgets a message with its outcome: a crash right then may send it once more, or lose the report,
/// never the message.
///
/// # Safety
/// `message_json` is NULL (an error) or NUL-terminated; `fn` may be called with `user_data` once.
#[no_mangle]
pub unsafe extern "C" fn im_client_send_message(
    client: im_client,
    message_json: *const c_char,
    timeout_ms: i64,
    r#fn: im_ack_fn,
    user_data: *mut c_void,
) -> i64 {
    with(client, |client| {
        // SAFETY: by this function's contract.
        let message = unsafe { required(message_json, "message_json") }?;
        let timeout = timeout(timeout_ms)?;
        let done = outcome_callback(client, r#fn, UserData::new(user_data, None))?;
        client.send_message(message, timeout, done).map_err(|(_, failed)| failed)
    })
}

/// The id of a conversation's direction, `from@to`, to be freed with `im_string_free`.
///
/// # Safety
/// Both are NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_timeline_id(from: *const c_char, to: *const c_char) -> *mut c_char {
    guard(|| {
        // SAFETY: by this function's contract.
        let (from, to) = unsafe { (required(from, "from")?, required(to, "to")?) };
        Ok(give(im::timeline_id(from, to)))
    })
}

/// Takes the later copies out of a JSON list of messages; gives the list, to be freed with `im_string_free`. Two messages
/// are copies if their `fp` is equal and neither is a recall (`type` 10 or 21).
///
/// # Safety
/// `json` is NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_messages_unique(json: *const c_char) -> *mut c_char {
    guard(|| {
        // SAFETY: by this function's contract.
        let json = unsafe { required(json, "json") }?;
        im::unique_messages(json).map(give).map_err(|fault| Failed::new(Status::Json, fault))
    })
}
