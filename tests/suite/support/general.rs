//! The general forms of the calls: several arguments, attachments, flags; and answers with all that they carry.

use std::{
    ffi::{c_char, c_void, CStr},
    sync::{Arc, Mutex},
};

use ::im_client::*;
use serde_json::Value;

use super::{wait_for, TestClient};

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: im_status,
    /// All arguments, null where nothing came.
    pub args: Value,
    pub blobs: Vec<Vec<u8>>,
}

#[derive(Default)]
pub struct Slot {
    answers: Mutex<Vec<Answer>>,
    freed: Mutex<usize>,
}

/// Where the outcome of a request comes.
#[derive(Clone, Default)]
pub struct Answers(pub Arc<Slot>);

impl Answers {
    pub fn all(&self) -> Vec<Answer> {
        self.0.answers.lock().expect("no test panics in a callback").clone()
    }

    /// How many free functions have run.
    pub fn freed(&self) -> usize {
        *self.0.freed.lock().expect("no test panics in a callback")
    }

    /// Waits for the first.
    pub fn wait(&self) -> Answer {
        wait_for("the outcome of a request", || self.all().first().cloned())
    }

    fn pointer(&self) -> *mut c_void {
        Arc::into_raw(self.0.clone()).cast_mut().cast()
    }
}

/// All attachments of an event.
pub fn blobs_of(event: *const im_event) -> Vec<Vec<u8>> {
    // SAFETY: a valid event.
    let count = unsafe { (*event).blob_count };
    let blob = |index| {
        let mut blob = im_blob { data: std::ptr::null(), len: 0 };
        // SAFETY: a valid event, and a place for the result.
        assert_eq!(unsafe { im_event_blob(event, index, &mut blob) }, 0);
        // SAFETY: the event's bytes live through the callback.
        unsafe { std::slice::from_raw_parts(blob.data.cast::<u8>(), blob.len) }.to_vec()
    };
    (0..count).map(blob).collect()
}

/// All arguments of an event.
pub fn args_of(event: *const im_event) -> Value {
    // SAFETY: a valid event, whose strings live through the callback.
    let text = unsafe { CStr::from_ptr(im_event_args(event)) };
    serde_json::from_str(text.to_str().expect("UTF-8")).expect("JSON")
}

unsafe extern "C" fn answered(status: im_status, reply: *const im_event, slot: *mut c_void) {
    // SAFETY: alive until `freed`.
    let slot = unsafe { &*slot.cast::<Slot>() };
    let (args, blobs) = match reply.is_null() {
        true => (Value::Null, Vec::new()),
        false => (args_of(reply), blobs_of(reply)),
    };
    slot.answers.lock().expect("no test panics in a callback").push(Answer { status, args, blobs });
}

unsafe extern "C" fn freed(slot: *mut c_void) {
    // SAFETY: made by `Arc::into_raw` in `pointer`; called once.
    let slot = unsafe { Arc::from_raw(slot.cast::<Slot>()) };
    *slot.freed.lock().expect("no test panics in a callback") += 1;
}

fn views(blobs: &[&[u8]]) -> Vec<im_blob> {
    blobs.iter().map(|blob| im_blob { data: blob.as_ptr().cast(), len: blob.len() }).collect()
}

impl TestClient {
    /// Emits arguments (a JSON array) with attachments.
    pub fn emit_blobs(&self, event: &str, args: &str, blobs: &[&[u8]], flags: u32) -> im_status {
        let views = views(blobs);
        let (name, args_at) = (event.as_ptr().cast::<c_char>(), args.as_ptr().cast::<c_char>());
        // SAFETY: all have their lengths.
        unsafe {
            im_client_emit_args(
                self.handle,
                name,
                event.len(),
                args_at,
                args.len(),
                views.as_ptr(),
                views.len(),
                flags,
            )
        }
    }

    /// Emits and asks for an acknowledgement, in the general form; gives the request's id or the failure.
    pub fn ask_blobs(
        &self,
        event: &str,
        args: &str,
        blobs: &[&[u8]],
        flags: u32,
        timeout_ms: i64,
        answers: &Answers,
    ) -> i64 {
        let views = views(blobs);
        let (name, args_at) = (event.as_ptr().cast::<c_char>(), args.as_ptr().cast::<c_char>());
        // SAFETY: all have their lengths; `answered` and `freed` take the pointer.
        unsafe {
            im_client_emit_args_with_ack(
                self.handle,
                name,
                event.len(),
                args_at,
                args.len(),
                views.as_ptr(),
                views.len(),
                flags,
                timeout_ms,
                Some(answered),
                answers.pointer(),
                Some(freed),
            )
        }
    }

    /// Asks with one argument and no time of its own; the id.
    pub fn ask_plain(&self, event: &str, argument: &Value, answers: &Answers) -> i64 {
        let id = self.ask_blobs(event, &format!("[{argument}]"), &[], 0, 0, answers);
        assert!(id > 0, "{}", super::last_error());
        id
    }

    /// Answers a question of the server, in the general form.
    pub fn reply_blobs(&self, ack_id: u64, args: &str, blobs: &[&[u8]]) -> im_status {
        let views = views(blobs);
        // SAFETY: all have their lengths.
        unsafe {
            im_client_reply_args(
                self.handle,
                ack_id,
                args.as_ptr().cast(),
                args.len(),
                views.as_ptr(),
                views.len(),
            )
        }
    }

    pub fn clear_send_buffer(&self) -> i64 {
        im_client_clear_send_buffer(self.handle)
    }
}
