//! What models have in common: clients, and probes, which are what the C ABI calls back and see what must not be.

use std::{
    ffi::{c_void, CString},
    ptr,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        Arc, Mutex,
    },
};

use shuttle::rand::Rng;

use super::{set_script, Act};
use crate::*;

pub const OK: im_status = 0;
pub const HANDLE: im_status = -2;
pub const CANCELED: im_status = crate::client::Status::Canceled as im_status;
pub const TIMEOUT: im_status = crate::client::Status::Timeout as im_status;
pub const WOKEN: im_status = crate::client::Status::Woken as im_status;
pub const DEFERRED: im_status = crate::client::Status::Deferred as im_status;

/// What callbacks saw: a panic there would not reach the model.
static FINDINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn found(what: impl Into<String>) {
    FINDINGS.lock().unwrap().push(what.into());
}

/// Runs one execution of a model: in a library of its own, which must be empty afterwards.
pub fn execution(body: impl FnOnce()) {
    crate::ffi::process::forget();
    FINDINGS.lock().unwrap().clear();
    body();
    assert_eq!(im_client_count(), 0, "a client is left");
    let findings = std::mem::take(&mut *FINDINGS.lock().unwrap());
    assert!(findings.is_empty(), "{findings:?}");
}

/// Lets the others go on, for a while that the schedule chooses.
pub fn pause() {
    // Half of them none: then both sides begin at once.
    let steps = shuttle::rand::thread_rng().gen_range(0..80_u32).saturating_sub(40);
    (0..steps).for_each(|_| shuttle::thread::yield_now());
}

pub fn client(script: &[Act]) -> im_client {
    new(script, "")
}

/// With manual delivery.
pub fn manual_client(script: &[Act]) -> im_client {
    new(script, r#","delivery":"manual""#)
}

fn new(script: &[Act], more: &str) -> im_client {
    set_script(script);
    let options = format!(r#"{{"root":"http://localhost:1","nsp":"x"{more}}}"#);
    let options = CString::new(options).unwrap();
    // SAFETY: a string of C.
    let client = unsafe { im_client_new(options.as_ptr()) };
    assert_ne!(client, 0);
    client
}

/// What a program gives the library with a callback.
#[derive(Default)]
pub struct Probe {
    pub calls: AtomicUsize,
    pub frees: AtomicUsize,
    pub running: AtomicUsize,
    /// From now on no call may start.
    pub over: AtomicBool,
    /// Calls that started since `over` was set.
    pub late: AtomicUsize,
    pub statuses: Mutex<Vec<im_status>>,
    pub names: Mutex<Vec<String>>,
    /// To be done in each call.
    pub act: Option<Box<dyn Fn(&Probe) + Send + Sync>>,
    /// A place where other threads may go on.
    step: shuttle::sync::Mutex<()>,
    called: shuttle::sync::Condvar,
}

impl Probe {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn acting(act: impl Fn(&Probe) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Probe { act: Some(Box::new(act)), ..Probe::default() })
    }

    /// It has to live as long as the execution: the model keeps it to its end.
    pub fn data(self: &Arc<Self>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }

    pub fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }

    pub fn frees(&self) -> usize {
        self.frees.load(SeqCst)
    }

    pub fn late(&self) -> usize {
        self.late.load(SeqCst)
    }

    pub fn end(&self) {
        self.over.store(true, SeqCst);
    }

    /// No call runs, and none may start any more.
    pub fn is_quiet(&self) {
        self.end();
        if self.running.load(SeqCst) > 0 {
            found("a callback runs after the end");
        }
    }

    pub fn statuses(&self) -> Vec<im_status> {
        self.statuses.lock().unwrap().clone()
    }

    pub fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    /// Waits for so many calls; that they never come is a deadlock, which shuttle sees.
    pub fn wait_for(&self, calls: usize) {
        let mut guard = self.step.lock().unwrap();
        while self.calls() < calls {
            guard = self.called.wait(guard).unwrap();
        }
    }

    fn call(&self) {
        if self.over.load(SeqCst) {
            self.late.fetch_add(1, SeqCst);
        }
        if self.frees() > 0 {
            found("a call after the free function");
        }
        if self.running.fetch_add(1, SeqCst) > 0 {
            found("two calls at a time");
        }
        drop(self.step.lock());
        if let Some(act) = &self.act {
            act(self);
        }
        self.running.fetch_sub(1, SeqCst);
        let _guard = self.step.lock().unwrap();
        self.calls.fetch_add(1, SeqCst);
        self.called.notify_all();
    }
}

/// # Safety
/// The data is a probe that lives.
unsafe fn probe<'a>(data: *mut c_void) -> &'a Probe {
    // SAFETY: by this function's contract.
    unsafe { &*data.cast::<Probe>() }
}

unsafe extern "C" fn on_event(event: *const im_event, data: *mut c_void) {
    // SAFETY: the library calls with its event and what `subscribe` gave.
    let (probe, name) = unsafe { (probe(data), std::ffi::CStr::from_ptr((*event).name)) };
    probe.names.lock().unwrap().push(name.to_string_lossy().into_owned());
    probe.call();
}

unsafe extern "C" fn on_ack(status: im_status, _: *const im_event, data: *mut c_void) {
    // SAFETY: what `request` gave.
    let probe = unsafe { probe(data) };
    probe.statuses.lock().unwrap().push(status);
    probe.call();
}

unsafe extern "C" fn on_free(data: *mut c_void) {
    // SAFETY: what `subscribe` gave.
    let probe = unsafe { probe(data) };
    if probe.running.load(SeqCst) > 0 {
        found("freed while a call runs");
    }
    probe.frees.fetch_add(1, SeqCst);
}

pub unsafe extern "C" fn on_done(data: *mut c_void) {
    // SAFETY: what `destroy_async` gave.
    unsafe { probe(data) }.call();
}

pub unsafe extern "C" fn on_line(_: i32, _: *const std::ffi::c_char, data: *mut c_void) {
    // SAFETY: what `im_set_log_callback` got.
    unsafe { probe(data) }.call();
}

pub fn free_function() -> im_free_fn {
    Some(on_free)
}

/// Subscribes with a free function; gives the id, or a negative status.
pub fn subscribe(client: im_client, name: &str, probe: &Arc<Probe>) -> i64 {
    let name = CString::new(name).unwrap();
    // SAFETY: a string of C, and a probe that the model keeps.
    unsafe { im_client_subscribe(client, name.as_ptr(), 0, Some(on_event), probe.data(), Some(on_free)) }
}

/// A request; it has a timeout of which the schedule says when it is over, or none.
pub fn request(client: im_client, timeout: bool, probe: &Arc<Probe>) -> i64 {
    let timeout = if timeout { 3_600_000 } else { 0 };
    // SAFETY: strings of C, and a probe that the model keeps.
    unsafe {
        im_client_emit_with_ack(client, c"ask".as_ptr(), ptr::null(), timeout, Some(on_ack), probe.data())
    }
}
