//! What the floor above is told, and asked.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use super::{outbound::Outgoing, target::Credentials};
use crate::{engineio::Revision, socketio::Received, transport::TransportError};

/// A connection that stands.
#[derive(Clone, Debug)]
pub struct Connected {
    pub socket_id: String,
    pub revision: Revision,
    pub path: String,
    pub transport: &'static str,
    /// With the values of the query masked.
    pub url: String,
    /// The server restored the session that was lost, with what it had missed.
    pub recovered: bool,
    /// The largest packet that the server takes, in bytes, where it says so.
    pub max_payload: Option<u64>,
    /// Attempts that it took after a loss; 0 for the first connection.
    pub attempts: u64,
}

/// One try to open a connection.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub path: String,
    /// With the values of the query masked.
    pub url: String,
    pub transport: &'static str,
    pub error: TransportError,
}

/// Why no connection came about.
#[derive(Clone, Debug)]
pub struct ConnectFailure {
    pub message: String,
    pub attempts: Vec<Attempt>,
    /// The server's refusal of the namespace, as JSON.
    pub refusal: Option<String>,
    pub will_retry: bool,
    /// The number of the attempt, 0 for the first of all.
    pub attempt: u64,
}

/// The reasons that users of the official clients know, and one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    ServerDisconnect,
    ClientDisconnect,
    PingTimeout,
    TransportClose,
    TransportError,
    ParseError,
    ReceiveQueueFull,
}

impl Reason {
    pub fn text(self) -> &'static str {
        match self {
            Reason::ServerDisconnect => "io server disconnect",
            Reason::ClientDisconnect => "io client disconnect",
            Reason::PingTimeout => "ping timeout",
            Reason::TransportClose => "transport close",
            Reason::TransportError => "transport error",
            Reason::ParseError => "parse error",
            Reason::ReceiveQueueFull => "receive queue full",
        }
    }
}

/// A connection that is lost.
#[derive(Clone, Debug)]
pub struct Loss {
    pub reason: Reason,
    pub description: String,
}

pub type CredentialsFuture<'a> = Pin<Box<dyn Future<Output = Credentials> + Send + 'a>>;

/// The client, as its connection sees it. All calls come from the connection's task, `on_sent` also from a thread that sends; none
/// may block.
pub trait Owner: Send + Sync + 'static {
    fn on_connecting(&self, attempt: u64);
    /// What the next connection identifies itself with; the caller may be asked first.
    fn credentials(&self, attempt: u64) -> CredentialsFuture<'_>;
    /// The namespace is connected; the owner sets the link's state to that before it tells anybody.
    fn on_connected(&self, connected: Connected);
    /// The connection goes on over another transport.
    fn on_upgrade(&self, transport: &'static str);
    /// A long-polling connection could not be upgraded; it goes on as it is.
    fn on_upgrade_failure(&self, why: &str);
    /// An attempt failed; says whether to make another, where `will_retry` allows it.
    fn on_connect_failure(&self, failure: ConnectFailure) -> bool;
    fn on_reconnect_failed(&self, attempts: u64);
    /// An event came; `connection` numbers the connection that a reply would go to. Nobody needs to be woken for it before
    /// `on_pause`.
    fn on_event(&self, event: Received<'_>, connection: u64);
    /// An acknowledgement came; as for an event.
    fn on_ack(&self, ack: Received<'_>);
    /// What had come is read.
    fn on_pause(&self);
    /// The server of a 2.x namespace reports an error, as JSON.
    fn on_error(&self, data: &str);
    /// This frame goes out now, unless this says that it must not: its request is decided, and settled or about to be.
    fn on_sent(&self, frame: &Outgoing, now: Instant) -> bool;
    /// A heartbeat was completed: a ping of the server was answered, or ours was, after so long.
    fn on_heartbeat(&self, latency: Option<Duration>);
    /// The connection is lost. `may_retry`: the reason and the options allow another attempt. Says whether to make it.
    fn on_lost(&self, loss: Loss, may_retry: bool) -> bool;
    /// Is the queue of received events full? Then reading pauses until `Link::wake` is called and this says no.
    fn is_full(&self) -> bool;
    /// Is that queue at most half full?
    fn has_room(&self) -> bool;
    /// The task ended; nothing more comes.
    fn on_end(&self);
}
