//! What to connect to, and how.

use std::{sync::Arc, time::Duration};

use crate::{
    engineio::Revision,
    secret::Secret,
    socketio::Parser,
    transport::{Access, Timestamps, WEBSOCKET},
};

#[derive(Clone, Debug)]
pub struct Target {
    pub access: Arc<Access>,
    pub paths: Paths,
    /// The official clients ask for `{path}/`.
    pub trailing_slash: bool,
    /// With its slash.
    pub namespace: String,
    pub timestamps: Timestamps,
    /// In the order in which they are tried.
    pub transports: Vec<&'static str>,
    /// Try the next transport where one fails.
    pub try_all: bool,
    /// Upgrade a long-polling session to WebSocket.
    pub upgrade: bool,
    /// After an upgrade the next connection starts with WebSocket.
    pub remember_upgrade: bool,
    /// The revision that the caller named; else it is found out.
    pub revision: Option<Revision>,
    /// Share a connection with clients whose options say the same about it: those, as text.
    pub shared_by: Option<Secret>,
    /// How the server's packets are written.
    pub parser: Parser,
    /// For all of a connection: lookup to CONNECT answer.
    pub connect_timeout: Duration,
    /// For each HTTP request of long-polling.
    pub request_timeout: Option<Duration>,
    pub max_message_bytes: usize,
    /// How long reading may pause for a full queue.
    pub max_pause: Duration,
    pub reconnection: Reconnection,
}

/// What one connection identifies itself with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Encoded, for the URL.
    pub query: Secret,
    /// A JSON object for the CONNECT.
    pub auth: Option<Secret>,
}

impl Target {
    /// Is long-polling to be upgraded, where the server offers it?
    pub fn upgrades(&self) -> bool {
        self.upgrade && self.transports.contains(&WEBSOCKET)
    }
}

#[derive(Clone, Debug)]
pub enum Paths {
    /// The caller named it.
    Given(String),
    /// The defaults are tried in this order, and what works is remembered.
    Search,
}

/// The path of the reference's server, then Socket.IO's own default.
pub const DEFAULT_PATHS: [&str; 2] = ["/ws", "/socket.io"];

#[derive(Clone, Debug)]
pub struct Reconnection {
    pub enabled: bool,
    /// None: without end.
    pub attempts: Option<u64>,
    pub delay: Duration,
    pub delay_max: Duration,
    /// 0 to 1.
    pub randomization: f64,
}
