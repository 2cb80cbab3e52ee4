//! What goes on in a client, as JSON. Values of the URL's query are masked.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{json, Value};

use super::client::Client;
use crate::{connection::State, engineio::Revision};

/// What is counted and measured beside the queues' own numbers.
#[derive(Debug, Default)]
pub struct Figures {
    round_trip: Option<Duration>,
    /// Of the current connection.
    since: Option<SystemTime>,
    was_connected: bool,
    reconnects: u64,
    last_disconnect: Value,
    pub expired: u64,
    pub canceled: u64,
    pub cleared: u64,
    pub too_large: u64,
    pub retried: u64,
}

/// Packets in one direction. Whoever reads or writes counts, and nobody else does so meanwhile: a count is no more than a load and a
/// store.
#[derive(Debug, Default)]
pub struct Traffic {
    packets: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    pub fn count(&self, bytes: usize) {
        let add = |to: &AtomicU64, more: u64| to.store(to.load(Ordering::Relaxed) + more, Ordering::Relaxed);
        add(&self.packets, 1);
        add(&self.bytes, bytes as u64);
    }

    fn json(&self) -> Value {
        json!({ "packets": self.packets.load(Ordering::Relaxed), "bytes": self.bytes.load(Ordering::Relaxed) })
    }
}

impl Figures {
    pub fn connected(&mut self) {
        self.reconnects += u64::from(std::mem::replace(&mut self.was_connected, true));
        self.since = Some(SystemTime::now());
    }

    /// `reason` is the argument of the event `disconnect`.
    pub fn disconnected(&mut self, reason: &Value) {
        self.since = None;
        // The way of the next connection may be another.
        self.round_trip = None;
        self.last_disconnect = reason.clone();
        if let Some(fields) = self.last_disconnect.as_object_mut() {
            fields.remove("willReconnect");
        }
    }

    /// Smooths as TCP does (RFC 6298): a new measurement counts an eighth.
    pub fn measured(&mut self, round_trip: Duration) {
        self.round_trip = Some(self.round_trip.map_or(round_trip, |known| (known * 7 + round_trip) / 8));
    }
}

impl Client {
    /// The state of the client, its connection, its counters and its queues: the fields of `info_table`.
    pub fn info(&self) -> String {
        let mut info = json!({
            "state": state_name(self.state()),
            "background": self.link.is_in_background(),
            "root": self.options().target.access.endpoint.authority().to_string(),
            "namespace": self.options().target.namespace,
            "connections": self.link.connection(),
            "pendingRequests": self.requests().len(),
            "unansweredQuestions": self.replies().len(),
            "droppedVolatile": self.link.dropped_volatile(),
        });
        self.tell_queues(&mut info);
        let revision = self.tell_connection(&mut info);
        self.tell_figures(&mut info, revision);
        Value::to_string(&info)
    }

    fn tell_queues(&self, info: &mut Value) {
        let (packets, bytes) = self.link.waiting();
        info["sendQueue"] = json!({ "packets": packets, "bytes": bytes });
        let (events, bytes) = self.mailbox.waiting();
        info["receiveQueue"] = json!({ "events": events, "bytes": bytes, "full": self.mailbox.is_full() });
        let (messages, bytes) = self.outbox.waiting();
        info["outbox"] = json!({ "messages": messages, "bytes": bytes });
        let (early, discarded) = self.subscriptions().counts();
        info["earlyEvents"] = early.into();
        info["discardedEvents"] = discarded.into();
    }

    fn tell_connection(&self, info: &mut Value) -> Option<Revision> {
        let connected = self.connected();
        let connected = connected.as_ref();
        info["url"] = connected.map(|c| c.url.clone()).into();
        info["path"] = connected.map(|c| c.path.clone()).into();
        info["transport"] = connected.map(|c| c.transport).into();
        info["protocol"] = connected.map(|c| c.revision.number()).into();
        info["socketId"] = connected.map(|c| c.socket_id.clone()).into();
        connected.map(|c| c.revision)
    }

    fn tell_figures(&self, info: &mut Value, revision: Option<Revision>) {
        let figures = self.figures();
        let milliseconds = figures.round_trip.map(|time| (time.as_secs_f64() * 1e6).round() / 1e3);
        let source = milliseconds.and(revision).map(|revision| match revision {
            Revision::V3 => "heartbeat",
            Revision::V4 => "acknowledgement",
        });
        let since = figures.since.and_then(|since| since.duration_since(UNIX_EPOCH).ok());
        info["rttMs"] = milliseconds.into();
        info["rttSource"] = source.into();
        info["connectedSince"] = since.and_then(|since| u64::try_from(since.as_millis()).ok()).into();
        info["reconnects"] = figures.reconnects.into();
        info["lastDisconnect"] = figures.last_disconnect.clone();
        info["sent"] = self.sent.json();
        info["received"] = self.received.json();
        info["expiredRequests"] = figures.expired.into();
        info["canceledRequests"] = figures.canceled.into();
        info["clearedPackets"] = figures.cleared.into();
        info["tooLargePackets"] = figures.too_large.into();
        info["retriedPackets"] = figures.retried.into();
    }
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Disconnected => "disconnected",
        State::Connecting => "connecting",
        State::Connected => "connected",
        State::Reconnecting => "reconnecting",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_smoothed() {
        let mut figures = Figures::default();
        let ms = Duration::from_millis;
        figures.measured(ms(80));
        assert_eq!(figures.round_trip, Some(ms(80)));
        figures.measured(ms(160));
        assert_eq!(figures.round_trip, Some(ms(90)));
        figures.disconnected(&Value::Null);
        assert_eq!(figures.round_trip, None);
    }

    #[test]
    fn only_a_connection_after_another_is_a_reconnect() {
        let mut figures = Figures::default();
        figures.connected();
        assert_eq!(figures.reconnects, 0);
        figures.disconnected(&json!({ "reason": "transport close", "willReconnect": true }));
        assert_eq!(figures.last_disconnect, json!({ "reason": "transport close" }));
        assert!(figures.since.is_none());
        figures.connected();
        assert_eq!(figures.reconnects, 1);
    }
}
