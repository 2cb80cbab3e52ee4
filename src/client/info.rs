//! What goes on in a client, as JSON. Values of the URL's query are masked.

use serde_json::{json, Value};

use super::client::Client;
use crate::connection::State;

impl Client {
    /// The state of the client, its connection, its counters and its queues.
    pub fn info(&self) -> String {
        let [received, received_bytes, sent, sent_bytes] = self.counters();
        let (send_packets, send_bytes) = self.link.waiting();
        let (receive_items, receive_bytes) = self.mailbox.waiting();
        let (outbox_messages, outbox_bytes) = self.outbox.waiting();
        let (early, discarded) = self.subscriptions().counts();
        let mut info = json!({
            "state": state_name(self.state()),
            "root": self.options().target.access.endpoint.authority(),
            "namespace": self.options().target.namespace,
            "connections": self.link.connection(),
            "sent": { "packets": sent, "bytes": sent_bytes },
            "received": { "packets": received, "bytes": received_bytes },
            "sendQueue": { "packets": send_packets, "bytes": send_bytes },
            "outbox": { "messages": outbox_messages, "bytes": outbox_bytes },
            "receiveQueue": { "events": receive_items, "bytes": receive_bytes },
            "earlyEvents": early,
            "discardedEvents": discarded,
            "pendingRequests": self.requests().len(),
        });
        if let Some(connected) = &*self.connected() {
            info["url"] = connected.url.clone().into();
            info["path"] = connected.path.clone().into();
            info["transport"] = connected.transport.into();
            info["protocol"] = connected.revision.number().into();
            info["socketId"] = connected.socket_id.clone().into();
        }
        Value::to_string(&info)
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
