//! What a connection tells its client. All of it runs on the network thread: it queues and never calls user code.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::{json, Value};

use super::{client::Client, mailbox::Item, requests::Requests, Event, Outcome, Status};
use crate::{
    connection::{Attempt, ConnectFailure, Connected, CredentialsFuture, Loss, Outgoing, Owner, State},
    engineio::Revision,
    im,
    log::Level,
    socketio::Received,
};

/// A code that ends the session ends it where the connection is lost so soon after it.
const CODE_HOLDS: Duration = Duration::from_secs(1);

/// A server that says that it takes less could not even be spoken to.
const LEAST_LIMIT: usize = 1024;

fn json_text(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl Client {
    /// Queues an event of the connection itself.
    fn tell(&self, name: &str, json: Value) {
        self.tell_text(name, &json_text(&json));
    }

    fn tell_text(&self, name: &str, json: &str) {
        self.queue(Item::Event(Event::local(self.handle(), name, json)));
    }

    /// The code that forbids another connection after this loss.
    fn ending_code(&self) -> Option<i64> {
        let (code, since) = self.verdict().take()?;
        (code == im::CODE_OTHER_DEVICE || since.elapsed() <= CODE_HOLDS).then_some(code)
    }

    /// Does this side of the connection send the pings, whose answers tell the round trip?
    fn pings(&self) -> bool {
        self.connected().as_ref().is_some_and(|connected| connected.revision == Revision::V3)
    }

    /// The pulls, in front of everything that waits.
    fn pull(&self) {
        let options = self.options();
        if !options.pulls {
            return;
        }
        let namespace = &options.target.namespace;
        for emit in im::on_connect(namespace, options.event_names).into_iter().rev() {
            let Some(frame) = self.encode_own(&emit) else { continue };
            // Of this connection alone: the next one pulls again.
            let connection = Some(self.link.connection());
            self.link.send_first(Outgoing { connection, own: true, ..Outgoing::plain(frame) });
        }
    }
}

impl Owner for Client {
    fn on_connecting(&self, attempt: u64) {
        if attempt > 0 {
            self.tell("reconnect_attempt", json!({ "attempt": attempt }));
        }
    }

    fn credentials(&self, attempt: u64) -> CredentialsFuture<'_> {
        self.next_credentials(attempt)
    }

    fn on_connected(&self, connected: Connected) {
        *self.verdict() = None;
        self.figures().connected();
        let limit = connected.max_payload.and_then(|bytes| usize::try_from(bytes).ok());
        let limit = limit.filter(|limit| *limit >= LEAST_LIMIT);
        self.server_limit.store(limit.unwrap_or(usize::MAX), Ordering::Relaxed);
        self.pull();
        let Connected { socket_id, revision, path, transport, attempts, recovered, .. } = &connected;
        // Without a tree of values, for it is told on the way of every connection.
        let connect = format!(
            r#"{{"path":{},"protocol":{},"recovered":{recovered},"sid":{},"transport":{}}}"#,
            json_text(path),
            revision.number(),
            json_text(socket_id),
            json_text(transport),
        );
        let attempts = *attempts;
        self.set_connected(Some(connected));
        self.outbox_connected();
        self.link.set_state(State::Connected);
        self.tell_text("connect", &connect);
        if attempts > 0 && self.link.connection() > 1 {
            self.tell("reconnect", json!({ "attempt": attempts }));
        }
    }

    fn on_upgrade(&self, transport: &'static str) {
        if self.set_transport(transport) {
            self.tell("upgrade", json!({ "transport": transport }));
        }
    }

    fn on_upgrade_failure(&self, why: &str) {
        self.log(Level::Info, format_args!("the upgrade to WebSocket failed, long-polling goes on: {why}"));
    }

    fn on_connect_failure(&self, failure: ConnectFailure) -> bool {
        let ConnectFailure { message, attempts, refusal, will_retry, attempt } = failure;
        // Questions that came before the failure can't be answered any more.
        self.replies().disconnect();
        let code = self.ending_code();
        let will_retry = will_retry && code.is_none();
        let mut reason = json!({
            "message": message,
            "willRetry": will_retry,
            "attempts": attempts.iter().map(attempt_json).collect::<Vec<_>>(),
        });
        if let Some(refusal) = &refusal {
            reason["data"] = serde_json::from_str(refusal).unwrap_or(Value::Null);
        }
        if let Some(code) = code {
            reason["code"] = code.into();
        }
        self.tell("connect_error", reason.clone());
        if let Some(refusal) = refusal {
            // 2.x tells a refusal as `error`, and callers of the reference listen for that.
            self.tell("error", serde_json::from_str(&refusal).unwrap_or(Value::Null));
        }
        if attempt > 0 {
            reason["attempt"] = attempt.into();
            self.tell("reconnect_error", reason);
        }
        will_retry
    }

    fn on_reconnect_failed(&self, attempts: u64) {
        self.tell("reconnect_failed", json!({ "attempts": attempts }));
    }

    fn on_event(&self, event: Received<'_>, _connection: u64) {
        self.received.count(size_of_received(&event));
        let ack_id = event.id.map_or(0, |id| self.replies().register(id));
        let event = Event::received(self.handle(), event, ack_id, self.spare.take());
        match event.canonical_name() {
            "im_error" => {
                if let Some(code) = im::ends_session(event.json()) {
                    *self.verdict() = Some((code, Instant::now()));
                }
                self.refuse_message(&event);
            }
            "to_ack" => self.settle_message(&event),
            _ => {}
        }
        self.mailbox.push_silently(Item::Event(event));
    }

    fn on_pause(&self) {
        self.announce();
    }

    fn on_ack(&self, ack: Received<'_>) {
        self.received.count(size_of_received(&ack));
        // An id that nobody asked for, or twice, is no concern of ours.
        let Some(number) = ack.id else { return };
        let decided = self.decide_silently(|requests| {
            let Some((done, round_trip)) = requests.take_answered(number, Instant::now()) else {
                return Vec::new();
            };
            if let Some(round_trip) = round_trip.filter(|_| !self.pings()) {
                self.figures().measured(round_trip);
            }
            let reply = Event::acknowledgement(self.handle(), request_id(number), ack);
            vec![(done, Outcome { status: Status::Ok, reply: Some(reply) })]
        });
        if decided > 0 && self.options().retries > 0 {
            self.link.settle([number]);
        }
    }

    fn on_error(&self, data: &str) {
        self.tell("error", serde_json::from_str(data).unwrap_or(Value::Null));
    }

    fn on_sent(&self, frame: &Outgoing, now: Instant) -> bool {
        // Queued before anybody knew what the server takes.
        if let Err(failed) = self.check_size(frame) {
            self.drop_too_large(frame.request, &failed);
            return false;
        }
        if let Some(number) = frame.request {
            let first = self.requests().sent(number, now);
            match first {
                None => return false,
                Some(true) => self.watch_deadlines(),
                Some(false) => {}
            }
        }
        self.count_sent(frame, now);
        let note = frame.note.clone().and_then(|note| note.downcast::<Event>().ok());
        note.into_iter().for_each(|event| self.queue(Item::Sent(event)));
        true
    }

    /// Told only to those who subscribe to it: an idle client is not woken by its heartbeats.
    fn on_heartbeat(&self, latency: Option<Duration>) {
        if let Some(latency) = latency {
            self.figures().measured(latency);
        }
        let wanted = self.subscriptions().has("ping");
        if wanted {
            let milliseconds = latency.map(|latency| (latency.as_secs_f64() * 1e6).round() / 1e3);
            self.tell("ping", milliseconds.map_or(json!({}), |ms| json!({ "latencyMs": ms })));
        }
    }

    fn on_lost(&self, loss: Loss, may_retry: bool) -> bool {
        self.set_connected(None);
        self.outbox_lost();
        self.replies().disconnect();
        let code = self.ending_code();
        let retry = may_retry && code.is_none();
        // The end of the client cancels them all, sent or not.
        if self.may_call() {
            self.without_answer(Status::Disconnected, Requests::lose_sent);
        }
        if retry {
            // Whoever hears of the loss and asks has to see that it is not the end.
            self.link.set_state(State::Reconnecting);
        }
        let mut reason = json!({ "reason": loss.reason.text(), "willReconnect": retry });
        if !loss.description.is_empty() {
            reason["description"] = loss.description.into();
        }
        if let Some(code) = code {
            reason["code"] = code.into();
        }
        self.figures().disconnected(&reason);
        self.tell("disconnect", reason);
        retry
    }

    fn is_full(&self) -> bool {
        self.mailbox.is_full()
    }

    fn has_room(&self) -> bool {
        self.mailbox.has_room()
    }

    fn on_end(&self) {
        self.network_ends();
    }
}

fn size_of_received(packet: &Received<'_>) -> usize {
    packet.data.len() + packet.attachments.iter().map(Vec::len).sum::<usize>()
}

/// The wire counts from 0, the ABI's request ids are greater than 0.
pub fn request_id(number: u64) -> i64 {
    i64::try_from(number).map_or(i64::MAX, |number| number.saturating_add(1))
}

/// The number on the wire of a request id.
pub fn request_number(id: i64) -> Option<u64> {
    u64::try_from(id).ok()?.checked_sub(1)
}

fn attempt_json(attempt: &Attempt) -> Value {
    let mut json = json!({
        "path": attempt.path,
        "url": attempt.url,
        "transport": attempt.transport,
        "step": attempt.error.step.name(),
        "message": attempt.error.message,
    });
    if let Some(status) = attempt.error.status {
        json["status"] = status.into();
    }
    json
}
