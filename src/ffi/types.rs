//! The types of the ABI.
#![allow(non_camel_case_types)]

use std::{
    ffi::{c_char, c_void},
    mem::{align_of, offset_of, size_of},
};

use crate::client::EventView;

/// A client: a number, not a pointer. 0 is never one. A stale or foreign number gives `IM_ERROR_HANDLE`.
pub type im_client = u64;

/// The result of a call: `IM_OK` (0), an error (`IM_ERROR_…`, negative), or information (`IM_DEFERRED`, positive).
pub type im_status = i32;

/// An event, an acknowledgement or a request; read-only, owned by the library.
///
/// Valid until the callback that got it returns, or until `im_event_release` after `im_event_retain` or `im_client_poll`. The
/// strings belong to it. Later versions may append fields: `size` tells which are there.
#[repr(C)]
#[derive(Debug)]
pub struct im_event {
    /// The size of this struct in bytes.
    pub size: usize,
    /// The client that received it.
    pub client: im_client,
    /// `IM_EVENT_KIND_…`: who says it. A server may send an event by the name of one of the connection's own.
    pub kind: i32,
    /// The event's name as it came, UTF-8, NUL-terminated; empty for an acknowledgement.
    pub name: *const c_char,
    /// The name's length in bytes, without the NUL.
    pub name_len: usize,
    /// The first argument as JSON text, UTF-8, NUL-terminated; `"null"` where there is none.
    pub json: *const c_char,
    /// That text's length in bytes, without the NUL.
    pub json_len: usize,
    /// Names the server's question, for `im_client_reply`; 0 where the server waits for no answer.
    pub ack_id: u64,
    /// Of an acknowledgement: the request that it answers.
    pub request: i64,
    /// Of an acknowledgement: its outcome.
    pub status: im_status,
    /// How many binary attachments came with it, for `im_event_blob`.
    pub blob_count: usize,
}

// The client floor fills the event as plain data; both must have one layout.
const _: () = {
    assert!(size_of::<im_event>() == size_of::<EventView>());
    assert!(align_of::<im_event>() == align_of::<EventView>());
    assert!(offset_of!(im_event, client) == offset_of!(EventView, client));
    assert!(offset_of!(im_event, kind) == offset_of!(EventView, kind));
    assert!(offset_of!(im_event, name) == offset_of!(EventView, name));
    assert!(offset_of!(im_event, name_len) == offset_of!(EventView, name_len));
    assert!(offset_of!(im_event, json) == offset_of!(EventView, json));
    assert!(offset_of!(im_event, json_len) == offset_of!(EventView, json_len));
    assert!(offset_of!(im_event, ack_id) == offset_of!(EventView, ack_id));
    assert!(offset_of!(im_event, request) == offset_of!(EventView, request));
    assert!(offset_of!(im_event, status) == offset_of!(EventView, status));
    assert!(offset_of!(im_event, blob_count) == offset_of!(EventView, blob_count));
};

/// Bytes, not owned.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct im_blob {
    /// The first byte.
    pub data: *const c_void,
    /// How many.
    pub len: usize,
}

/// Called with an event, on a thread of the library (with manual delivery: in `im_client_dispatch`). Must not throw or longjmp.
pub type im_event_fn = Option<unsafe extern "C" fn(event: *const im_event, user_data: *mut c_void)>;

/// Called once with the outcome of a request, on a thread of the library (with manual delivery: in `im_client_dispatch`, or at
/// the client's end). `reply` is NULL unless the server answered.
/// Must not throw or longjmp.
pub type im_ack_fn =
    Option<unsafe extern "C" fn(status: im_status, reply: *const im_event, user_data: *mut c_void)>;

/// Called once when the library will not use `user_data` any more.
pub type im_free_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Called once when a client is gone.
pub type im_done_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Called with a line of the log, on a thread of the library.
pub type im_log_fn = Option<unsafe extern "C" fn(level: i32, line: *const c_char, user_data: *mut c_void)>;
