//! A client through the C ABI, whose events and outcomes are recorded.

use std::{
    ffi::{c_char, c_void, CStr, CString},
    sync::{Arc, Mutex},
    time::Duration,
};

use ::im_client::*;
use serde_json::{json, Value};

use super::{blobs_of, secret_watch, wait_for};

/// An event as a callback saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub kind: i32,
    pub name: String,
    pub json: Value,
    pub args: Value,
    pub ack_id: u64,
    /// The id of a request event.
    pub request: i64,
    pub blobs: Vec<Vec<u8>>,
}

/// Outcomes of requests: status and reply.
pub type Outcomes = Arc<Mutex<Vec<(im_status, Option<Value>)>>>;

/// What the library says, and no server.
const OF_THE_CONNECTION: [&str; 5] =
    ["connect", "connect_error", "disconnect", "reconnect_error", "reconnect_failed"];

type Log = Mutex<Vec<Recorded>>;

pub struct TestClient {
    pub handle: im_client,
    log: Arc<Log>,
}

pub fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

pub fn last_error() -> String {
    // SAFETY: valid until this thread's next failing call.
    let said = unsafe { CStr::from_ptr(im_last_error()) }.to_str().expect("UTF-8").to_owned();
    secret_watch::look_at("im_last_error", &said);
    said
}

/// What `im_client_info` says.
pub fn info_of(client: im_client) -> Value {
    let info = im_client_info(client);
    assert!(!info.is_null(), "{}", last_error());
    let said = text(info);
    // SAFETY: the library gave it.
    unsafe { im_string_free(info) };
    secret_watch::look_at("im_client_info", &said);
    serde_json::from_str(&said).expect("the info is JSON")
}

fn text(pointer: *const c_char) -> String {
    // SAFETY: the event's strings live through the callback.
    unsafe { CStr::from_ptr(pointer) }.to_str().expect("UTF-8").to_owned()
}

unsafe extern "C" fn record(event: *const im_event, log: *mut c_void) {
    // SAFETY: both live through the callback: the log until `freed`.
    let (event, log) = unsafe { (&*event, &*log.cast::<Log>()) };
    let json = serde_json::from_str(&text(event.json)).expect("the argument is JSON");
    // SAFETY: a valid event.
    let args = text(unsafe { im_event_args(event) });
    let args = serde_json::from_str(&args).expect("the arguments are JSON");
    if OF_THE_CONNECTION.contains(&&*text(event.name)) {
        secret_watch::look_at("an event of the connection", &text(event.json));
    }
    let blobs = blobs_of(event);
    let recorded = Recorded {
        kind: event.kind,
        name: text(event.name),
        json,
        args,
        ack_id: event.ack_id,
        request: event.request,
        blobs,
    };
    log.lock().expect("no test panics in a callback").push(recorded);
}

unsafe extern "C" fn freed(log: *mut c_void) {
    // SAFETY: made by `Arc::into_raw` in `new`.
    drop(unsafe { Arc::from_raw(log.cast::<Log>()) });
}

unsafe extern "C" fn settled(status: im_status, reply: *const im_event, outcomes: *mut c_void) {
    // SAFETY: made by `Arc::into_raw` in `outcomes`; called once.
    let outcomes = unsafe { Arc::from_raw(outcomes.cast::<Mutex<Vec<(im_status, Option<Value>)>>>()) };
    // SAFETY: NULL or valid through the callback.
    let reply = unsafe { reply.as_ref() };
    let reply = reply.map(|reply| serde_json::from_str(&text(reply.json)).expect("the reply is JSON"));
    outcomes.lock().expect("no test panics in a callback").push((status, reply));
}

impl TestClient {
    /// A client that records every event.
    pub fn new(options: Value) -> Self {
        let client = Self::deaf(options);
        let log = Arc::into_raw(client.log.clone()).cast_mut().cast::<c_void>();
        // SAFETY: `record` and `freed` take this pointer.
        let id = unsafe {
            im_client_subscribe(client.handle, std::ptr::null(), 0, Some(record), log, Some(freed))
        };
        assert!(id > 0, "{}", last_error());
        client
    }

    /// A client without any subscription.
    pub fn deaf(options: Value) -> Self {
        secret_watch::watch(&options);
        let options = c(&options.to_string());
        // SAFETY: NUL-terminated.
        let handle = unsafe { im_client_new(options.as_ptr()) };
        assert_ne!(handle, 0, "{}", last_error());
        TestClient { handle, log: Arc::default() }
    }

    /// A client in a namespace of a server, with a query, that records every event.
    pub fn connect(root: &str, nsp: &str, query: Value) -> Self {
        Self::new(json!({ "root": root, "nsp": nsp, "query": query }))
    }

    /// A chat user, connected.
    pub fn chat(root: &str, user: &str) -> Self {
        let client = Self::connect(root, "chat", json!({ "token": format!("token-{user}"), "userId": user }));
        client.wait("connect");
        client
    }

    /// Records one event's occurrences.
    pub fn on(&self, event: &str) -> i64 {
        let (event, log) = (c(event), Arc::into_raw(self.log.clone()).cast_mut().cast::<c_void>());
        // SAFETY: `record` and `freed` take this pointer.
        unsafe { im_client_subscribe(self.handle, event.as_ptr(), 0, Some(record), log, Some(freed)) }
    }

    /// Records what the client sends.
    pub fn on_any_outgoing(&self) -> i64 {
        const OUTGOING: u32 = 2;
        let log = Arc::into_raw(self.log.clone()).cast_mut().cast::<c_void>();
        // SAFETY: `record` and `freed` take this pointer.
        unsafe {
            im_client_subscribe(self.handle, std::ptr::null(), OUTGOING, Some(record), log, Some(freed))
        }
    }

    /// Everything recorded so far.
    pub fn events(&self) -> Vec<Recorded> {
        self.log.lock().expect("no test panics in a callback").clone()
    }

    /// The first arguments of all events of a name so far.
    pub fn all(&self, name: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event.name == name).map(|event| event.json).collect()
    }

    /// The ids of all request events of a name so far.
    pub fn requests(&self, name: &str) -> Vec<i64> {
        self.events().into_iter().filter(|event| event.name == name).map(|event| event.request).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.all(name).len()
    }

    /// Waits for the first event of a name.
    pub fn wait(&self, name: &str) -> Recorded {
        self.wait_nth(name, 1)
    }

    /// Waits for the n-th event of a name, counted from 1.
    pub fn wait_nth(&self, name: &str, n: usize) -> Recorded {
        wait_for(&format!("event {name} number {n}; came: {:?}", self.names()), || {
            self.events().into_iter().filter(|event| event.name == name).nth(n - 1)
        })
    }

    /// Waits for an event of a name whose first argument satisfies a condition.
    pub fn wait_where(&self, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Recorded {
        wait_for(&format!("event {name} where {what}"), || {
            self.events().into_iter().find(|event| event.name == name && holds(&event.json))
        })
    }

    fn names(&self) -> Vec<String> {
        self.events().into_iter().map(|event| event.name).collect()
    }

    pub fn emit(&self, event: &str, argument: &Value) -> im_status {
        let (event, argument) = (c(event), c(&argument.to_string()));
        // SAFETY: NUL-terminated.
        unsafe { im_client_emit(self.handle, event.as_ptr(), argument.as_ptr()) }
    }

    /// Emits several arguments, a JSON array.
    pub fn emit_args(&self, event: &str, args: &Value, flags: u32) -> im_status {
        let args = args.to_string();
        // SAFETY: both have their lengths.
        unsafe {
            im_client_emit_args(
                self.handle,
                event.as_ptr().cast(),
                event.len(),
                args.as_ptr().cast(),
                args.len(),
                std::ptr::null(),
                0,
                flags,
            )
        }
    }

    /// Emits and asks for an acknowledgement; its outcome goes into `outcomes`.
    pub fn ask(&self, event: &str, argument: &Value, timeout_ms: i64, outcomes: &Outcomes) -> i64 {
        let (event, argument) = (c(event), c(&argument.to_string()));
        let data = Arc::into_raw(outcomes.clone()).cast_mut().cast();
        // SAFETY: `settled` takes this pointer, once.
        let id = unsafe {
            im_client_emit_with_ack(
                self.handle,
                event.as_ptr(),
                argument.as_ptr(),
                timeout_ms,
                Some(settled),
                data,
            )
        };
        assert!(id > 0, "{}", last_error());
        id
    }

    /// Sends a message; its outcome goes into `outcomes`.
    pub fn send_message(&self, message: &Value, timeout_ms: i64, outcomes: &Outcomes) -> i64 {
        secret_watch::hide_content(message);
        let message = c(&message.to_string());
        let data = Arc::into_raw(outcomes.clone()).cast_mut().cast();
        // SAFETY: `settled` takes this pointer, once.
        let id =
            unsafe { im_client_send_message(self.handle, message.as_ptr(), timeout_ms, Some(settled), data) };
        assert!(id > 0, "{}", last_error());
        id
    }

    /// Takes all that waits of a client with manual delivery; gives the names.
    pub fn take_all(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut event = std::ptr::null();
        // SAFETY: the pointer is written where the call succeeds; the event is released once.
        while unsafe { im_client_poll(self.handle, 0, &mut event) } == IM_OK_STATUS {
            // SAFETY: a valid event, its name lives until it is released.
            names.push(text(unsafe { &*event }.name));
            // SAFETY: the event that was just taken.
            unsafe { im_event_release(event) };
        }
        names
    }

    pub fn info(&self) -> Value {
        info_of(self.handle)
    }

    pub fn state(&self) -> i32 {
        im_client_state(self.handle)
    }

    /// Waits until everything emitted was written.
    pub fn flush(&self) {
        let limit = i64::try_from(Duration::from_secs(20).as_millis()).expect("small");
        assert_eq!(im_client_flush(self.handle, limit), IM_OK_STATUS, "{}", last_error());
    }

    pub fn close(&self) {
        assert_eq!(im_client_close(self.handle), IM_OK_STATUS);
    }
}

const IM_OK_STATUS: im_status = 0;

impl Drop for TestClient {
    fn drop(&mut self) {
        // A test may have destroyed it already.
        im_client_destroy(self.handle);
    }
}

/// Waits for the first outcome of a request.
pub fn outcome(outcomes: &Outcomes) -> (im_status, Option<Value>) {
    wait_for("the outcome of a request", || {
        outcomes.lock().expect("no test panics in a callback").first().cloned()
    })
}
