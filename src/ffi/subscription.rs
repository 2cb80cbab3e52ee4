//! Subscriptions.

use std::ffi::{c_char, c_void};

use super::{
    arguments::{event_name, function},
    callbacks::{event_callback, UserData},
    client::with,
    constants::{IM_SUBSCRIBE_ONCE, IM_SUBSCRIBE_OUTGOING},
    types::{im_client, im_event_fn, im_free_fn, im_status},
};
use crate::client::{user_code, Failed, Status, Topic};

/// Subscribes to an event; gives the subscription's id (greater than 0) or a negative status.
///
/// An IM event may be named by its wire name or its constant (`"c_message"`, `"CHAT_MESSAGE"`): either receives both, and
/// `event->name` says which came. The connection's own events are subscribed to in the same way; what a server sends by
/// such a name comes too, and `event->kind` tells them apart. Events that came before the first subscription of their name are
/// delivered first. The callback runs on a thread of the library, never two of one client at a time, in the order in which the
/// events came.
///
/// # Safety
/// `event` is NUL-terminated; `fn` may be called with `user_data` until the subscription is off and its last call returned.
#[no_mangle]
pub unsafe extern "C" fn im_client_on(
    client: im_client,
    event: *const c_char,
    r#fn: im_event_fn,
    user_data: *mut c_void,
) -> i64 {
    // SAFETY: by this function's contract.
    unsafe { subscribe(client, Some(event), 0, r#fn, UserData::new(user_data, None)) }
}

/// As `im_client_on`, for one event; the subscription ends with it.
///
/// # Safety
/// As for `im_client_on`.
#[no_mangle]
pub unsafe extern "C" fn im_client_once(
    client: im_client,
    event: *const c_char,
    r#fn: im_event_fn,
    user_data: *mut c_void,
) -> i64 {
    // SAFETY: by this function's contract.
    unsafe { subscribe(client, Some(event), IM_SUBSCRIBE_ONCE, r#fn, UserData::new(user_data, None)) }
}

/// As `im_client_on`, for every event, the connection's own included.
///
/// # Safety
/// As for `im_client_on`.
#[no_mangle]
pub unsafe extern "C" fn im_client_on_any(
    client: im_client,
    r#fn: im_event_fn,
    user_data: *mut c_void,
) -> i64 {
    // SAFETY: by this function's contract.
    unsafe { subscribe(client, None, 0, r#fn, UserData::new(user_data, None)) }
}

/// Subscribes to what this client sends: the callback gets every event that the caller emits, from now on, when it goes out
/// (with the option `retries` each time). Not told are answers to the server and what the library sends by itself.
///
/// # Safety
/// As for `im_client_on`.
#[no_mangle]
pub unsafe extern "C" fn im_client_on_any_outgoing(
    client: im_client,
    r#fn: im_event_fn,
    user_data: *mut c_void,
) -> i64 {
    // SAFETY: by this function's contract.
    unsafe { subscribe(client, None, IM_SUBSCRIBE_OUTGOING, r#fn, UserData::new(user_data, None)) }
}

/// The general form: `event` NULL is every event, `flags` are `IM_SUBSCRIBE_…`, and `free_fn` (may be NULL) is called once
/// when the library will not use `user_data` any more, also where this call fails.
///
/// # Safety
/// As for `im_client_on`, with `event` NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_subscribe(
    client: im_client,
    event: *const c_char,
    flags: u32,
    r#fn: im_event_fn,
    user_data: *mut c_void,
    free_fn: im_free_fn,
) -> i64 {
    let event = (!event.is_null()).then_some(event);
    // SAFETY: by this function's contract.
    unsafe { subscribe(client, event, flags, r#fn, UserData::new(user_data, free_fn)) }
}

/// # Safety
/// As for `im_client_on`.
unsafe fn subscribe(
    client: im_client,
    event: Option<*const c_char>,
    flags: u32,
    callback: im_event_fn,
    data: UserData,
) -> i64 {
    with(client, |client| {
        if flags & !(IM_SUBSCRIBE_ONCE | IM_SUBSCRIBE_OUTGOING) != 0 {
            let message = format!("the argument \"flags\" has unknown bits: {flags:#x}");
            return Err(Failed::new(Status::InvalidArgument, message));
        }
        let topic = match event {
            Some(_) if flags & IM_SUBSCRIBE_OUTGOING != 0 => {
                let message =
                    "the argument \"event\" must be NULL with IM_SUBSCRIBE_OUTGOING: it takes every event";
                return Err(Failed::new(Status::InvalidArgument, message));
            }
            // SAFETY: by this function's contract.
            Some(event) => Topic::Named(unsafe { event_name(event) }?),
            None if flags & IM_SUBSCRIBE_OUTGOING != 0 => Topic::Sent,
            None => Topic::Any,
        };
        let callback = event_callback(function(callback)?, data);
        client.subscribe(topic, flags & IM_SUBSCRIBE_ONCE != 0, callback).map_err(|(callback, failed)| {
            user_code(|| drop(callback));
            failed
        })
    })
}

/// Ends a subscription. Never blocks. Inside a callback of this client no call of it starts after this returns; elsewhere one call
/// that is just being made may still start, or be running, and no other. The subscription's free function says when `user_data`
/// may go. `IM_ERROR_NOT_FOUND` if there is none of that id.
#[no_mangle]
pub extern "C" fn im_client_off(client: im_client, subscription: i64) -> im_status {
    with(client, |client| client.unsubscribe(subscription).map(|()| 0))
}

/// Ends all subscriptions of an event (of both its names), each as `im_client_off` does. `IM_ERROR_NOT_FOUND` if there is none.
///
/// # Safety
/// `event` is NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_off_event(client: im_client, event: *const c_char) -> im_status {
    with(client, |client| {
        // SAFETY: by this function's contract.
        client.unsubscribe_event(unsafe { event_name(event) }?).map(|()| 0)
    })
}
