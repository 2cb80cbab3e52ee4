//! What was tried, at which step it failed, and what came back.

use std::{
    sync::{
        atomic::{AtomicU8, Ordering},
        OnceLock,
    },
    time::Duration,
};

use tokio::sync::Notify;

/// The steps of a connection, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Lookup,
    Connect,
    Tls,
    Upgrade,
    Open,
    Namespace,
}

impl Step {
    const ALL: [Step; 6] =
        [Step::Lookup, Step::Connect, Step::Tls, Step::Upgrade, Step::Open, Step::Namespace];

    /// The step's name in an error's JSON.
    pub fn name(self) -> &'static str {
        match self {
            Step::Lookup => "lookup",
            Step::Connect => "connect",
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
    /// The HTTP status, where the server answered with one.
    pub status: Option<u16>,
    /// An Engine.IO server itself refused the request: the path is right.
    pub by_engine: bool,
    pub message: String,
}

/// Is this the body of an Engine.IO server's refusal, `{"code", "message"}`?
pub fn is_engine_refusal(body: &[u8]) -> bool {
    let read: Result<serde_json::Value, _> = serde_json::from_slice(body);
    read.is_ok_and(|value| value["code"].is_u64() && value["message"].is_string())
}

impl TransportError {
    pub fn new(step: Step, message: impl Into<String>) -> Self {
        TransportError { step, status: None, by_engine: false, message: message.into() }
    }

    /// May another transport get through where this failed?
    pub fn may_be_the_transports(&self) -> bool {
        self.is_refusal()
    }

    /// Did the server itself turn the path down (rather than the network failing before it)?
    pub fn is_refusal(&self) -> bool {
        self.step >= Step::Upgrade
    }
}

/// How far a connection attempt has come; read when it hangs.
#[derive(Debug, Default)]
pub struct Progress {
    step: AtomicU8,
    asked: Notify,
    connect_took: OnceLock<Duration>,
}

impl Progress {
    pub fn reach(&self, step: Step) {
        self.step.store(step as u8, Ordering::Relaxed);
    }

    pub fn step(&self) -> Step {
        Step::ALL[usize::from(self.step.load(Ordering::Relaxed))]
    }

    /// The TCP connection stands and took so long: a measure of the link's round trip.
    pub fn connected(&self, took: Duration) {
        let _ = self.connect_took.set(took);
    }

    /// The error of this attempt at the step that it has reached.
    pub fn failed(&self, message: String) -> TransportError {
        TransportError::new(self.step(), message)
    }

    /// The request went out.
    pub fn asked(&self) {
        self.reach(Step::Upgrade);
        self.asked.notify_one();
    }

    /// Waits until the upgrade request went out; gives the time that the TCP connect took.
    pub async fn until_asked(&self) -> Duration {
        self.asked.notified().await;
        self.connect_took.get().copied().unwrap_or_default()
    }
}
