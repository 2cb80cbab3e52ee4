//! What was tried, at which step it failed, and what came back.

use std::{
    sync::{
        atomic::{AtomicU8, Ordering},
        Arc, OnceLock,
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// The steps of a connection, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Lookup,
    Connect,
    /// Asking a proxy to pass the connection on.
    Proxy,
    Tls,
    Upgrade,
    Open,
    Namespace,
}

impl Step {
    const ALL: [Step; 7] =
        [Step::Lookup, Step::Connect, Step::Proxy, Step::Tls, Step::Upgrade, Step::Open, Step::Namespace];

    /// The step's name in an error's JSON.
    pub fn name(self) -> &'static str {
        match self {
            Step::Lookup => "lookup",
            Step::Connect => "connect",
            Step::Proxy => "proxy",
            Step::Tls => "tls",
            Step::Upgrade => "upgrade",
            Step::Open => "open",
            Step::Namespace => "namespace",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    pub step: Step,
    /// The HTTP status, where the server, or a proxy (step `Proxy`), answered with one.
    pub status: Option<u16>,
    /// An Engine.IO server itself refused the request: the path is right.
    pub by_engine: bool,
    pub message: String,
}

/// Is this the body of an Engine.IO server's refusal, `{"code", "message"}`?
pub fn is_engine_refusal(body: &[u8]) -> bool {
    // From text, as everywhere: serde_json is made anew for each kind of input.
    let read = std::str::from_utf8(body).ok().and_then(|body| serde_json::from_str(body).ok());
    read.is_some_and(|value: serde_json::Value| value["code"].is_u64() && value["message"].is_string())
}

impl TransportError {
    pub fn new(step: Step, message: impl Into<String>) -> Self {
        TransportError { step, status: None, by_engine: false, message: message.into() }
    }

    /// May another transport get through where this failed? `forwarded`: long-polling needs no tunnel through the proxy.
    pub fn may_be_the_transports(&self, forwarded: bool) -> bool {
        self.is_refusal() || (self.step == Step::Proxy && forwarded)
    }

    /// Did the server itself turn the path down (rather than the network failing before it)?
    pub fn is_refusal(&self) -> bool {
        self.step >= Step::Upgrade
    }
}

/// How far a connection attempt has come; read when it hangs. Clones are of the same attempt.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    step: AtomicU8,
    asked: Notify,
    connect_began: OnceLock<Instant>,
    connect_took: OnceLock<Duration>,
}

impl Progress {
    pub fn reach(&self, step: Step) {
        self.0.step.store(step as u8, Ordering::Relaxed);
        if step == Step::Connect {
            let _ = self.0.connect_began.set(Instant::now());
        }
    }

    pub fn step(&self) -> Step {
        Step::ALL[usize::from(self.0.step.load(Ordering::Relaxed))]
    }

    /// A connection to the server stands, through whatever proxy; the time that it took is a measure of the round trip.
    pub fn connected(&self) {
        let took = self.0.connect_began.get().map(|began| began.elapsed());
        let _ = self.0.connect_took.set(took.unwrap_or_default());
    }

    /// The error of this attempt at the step that it has reached.
    pub fn failed(&self, message: String) -> TransportError {
        TransportError::new(self.step(), message)
    }

    /// The request went out.
    pub fn asked(&self) {
        self.reach(Step::Upgrade);
        self.0.asked.notify_one();
    }

    /// Waits until the upgrade request went out; gives the time that connecting took.
    pub async fn until_asked(&self) -> Duration {
        self.0.asked.notified().await;
        self.0.connect_took.get().copied().unwrap_or_default()
    }
}
