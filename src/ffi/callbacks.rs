//! Calls what C gave.

use std::{
    ffi::{c_void, CString},
    sync::Arc,
};

use super::{
    arguments,
    exit::unless_exiting,
    types::{im_ack_fn, im_done_fn, im_event, im_free_fn, im_status},
};
use crate::client::{user_code, Callback, Client, Done, Event, Failed, LogCallback, Outcome};

/// The caller's pointer. It is freed, if it has a free function, when this is dropped: by construction once.
pub struct UserData {
    pointer: *mut c_void,
    free: im_free_fn,
}

// SAFETY: the library never looks at what the pointer points to; that the callback may run on another thread is the ABI's
// contract.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    pub fn new(pointer: *mut c_void, free: im_free_fn) -> Self {
        UserData { pointer, free }
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the caller gave the function for this pointer; it runs once, as this is dropped once.
            user_code(|| unless_exiting(|| unsafe { free(self.pointer) }));
        }
    }
}

/// The event as C sees it: it starts with its view.
pub fn as_c(event: &Arc<Event>) -> *const im_event {
    Arc::as_ptr(event).cast()
}

type EventFunction = unsafe extern "C" fn(*const im_event, *mut c_void);

pub fn event_callback(function: EventFunction, data: UserData) -> Callback {
    Arc::new(move |event| {
        let data = &data;
        // SAFETY: the caller gave function and pointer together; the event lives through the call.
        unless_exiting(|| unsafe { function(as_c(event), data.pointer) });
    })
}

type AckFunction = unsafe extern "C" fn(im_status, *const im_event, *mut c_void);

pub fn ack_callback(function: AckFunction, data: UserData) -> Done {
    Done::new(move |Outcome { status, reply }| {
        let data = data;
        let reply_pointer = reply.as_ref().map_or(std::ptr::null(), as_c);
        // SAFETY: the caller gave function and pointer together; the reply lives through the call.
        unless_exiting(|| unsafe { function(status as im_status, reply_pointer, data.pointer) });
    })
}

pub fn done_callback(function: im_done_fn, data: UserData) -> Option<Box<dyn FnOnce() + Send>> {
    let function = function?;
    Some(Box::new(move || {
        let data = data;
        // SAFETY: the caller gave function and pointer together.
        unless_exiting(|| unsafe { function(data.pointer) });
    }))
}

/// As `ack_callback`; with manual delivery there may be no function: then the outcome is for `im_client_poll` alone.
pub fn outcome_callback(client: &Client, function: im_ack_fn, data: UserData) -> Result<Done, Failed> {
    match function {
        None if client.options().manual => Ok(Done::new(|_| {})),
        function => Ok(ack_callback(arguments::function(function)?, data)),
    }
}

type LogFunction = unsafe extern "C" fn(i32, *const std::ffi::c_char, *mut c_void);

pub fn log_callback(function: LogFunction, data: UserData) -> LogCallback {
    Arc::new(move |level, line| {
        let data = &data;
        let line = CString::new(line.replace('\0', "\\0")).unwrap_or_default();
        // SAFETY: the caller gave function and pointer together; the line lives through the call.
        unless_exiting(|| unsafe { function(level as i32, line.as_ptr(), data.pointer) });
    })
}
