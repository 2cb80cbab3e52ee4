//! What a client sends: events, requests, answers.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::{
    client::{all_with, Client},
    from_network::{request_id, request_number},
    inside::inside_library_code,
    Done, Failed, Status,
};
use crate::{
    connection::{Outgoing, State},
    im,
    socketio::{encode_ack, encode_event, RESERVED_EVENTS},
};

/// How an event is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmitFlags {
    /// Dropped unless the client is connected.
    pub volatile: bool,
}

impl Client {
    /// Sends an event; `arguments` are JSON values joined by commas.
    pub fn emit(&self, event: &str, arguments: &str, flags: EmitFlags) -> Result<(), Failed> {
        let frame = self.frame(event, None, arguments)?;
        if flags.volatile && self.link.state() != State::Connected {
            return Ok(());
        }
        self.note_plain_message(event, arguments);
        self.send(Outgoing { volatile: flags.volatile, ..Outgoing::plain(frame) })
    }

    fn frame(&self, event: &str, id: Option<u64>, arguments: &str) -> Result<String, Failed> {
        if RESERVED_EVENTS.contains(&event) {
            let message = format!("the event name {event:?} is reserved for the connection itself");
            return Err(Failed::new(Status::InvalidArgument, message));
        }
        let name = self.options().event_names.outgoing(event);
        let plain = name.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
        let name = match plain {
            true => format!("\"{name}\""),
            false => serde_json::Value::from(name).to_string(),
        };
        Ok(encode_event(&self.options().target.namespace, id, &name, arguments))
    }

    fn send(&self, frame: Outgoing) -> Result<(), Failed> {
        let bytes = frame.frame.len();
        self.link.send(frame).map_err(|full| {
            let message = format!(
                "{} of at most {} bytes wait to be sent (option \"sendQueueBytes\")",
                full.waiting, full.limit
            );
            Failed::new(Status::QueueFull, message)
        })?;
        self.count_sent(bytes);
        Ok(())
    }

    /// An emit of the library's own; it may exceed the bound of the queue, for a receipt must not get lost.
    pub(super) fn emit_own(&self, emit: im::Emit) {
        let frame = encode_event(
            &self.options().target.namespace,
            None,
            &format!("\"{}\"", emit.event),
            &emit.argument,
        );
        self.count_sent(frame.len());
        self.link.send_own(Outgoing::plain(frame));
    }

    /// Sends an event that the server acknowledges. Where that fails, the callback comes back to be dropped.
    pub fn emit_with_ack(
        &self,
        event: &str,
        arguments: &str,
        timeout: Option<Duration>,
        done: Done,
    ) -> Result<i64, (Done, Failed)> {
        // The name is checked before anything is registered.
        if let Err(failed) = self.frame(event, None, "") {
            return Err((done, failed));
        }
        self.request(done, timeout, |number| self.frame(event, Some(number), arguments))
    }

    fn request(
        &self,
        done: Done,
        timeout: Option<Duration>,
        frame: impl FnOnce(u64) -> Result<String, Failed>,
    ) -> Result<i64, (Done, Failed)> {
        let timeout = timeout.or(self.options().ack_timeout);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (number, first) = self.requests().add(done, deadline)?;
        let sent = frame(number)
            .and_then(|frame| self.send(Outgoing { request: Some(number), ..Outgoing::plain(frame) }));
        if let Err(failed) = sent {
            // Somebody else (a destroy) may have decided it meanwhile: then it was accepted.
            if let Some(done) = self.requests().take(number) {
                return Err((done, failed));
            }
        }
        if first {
            self.watch_deadlines();
        }
        Ok(request_id(number))
    }

    /// Ends a request; its callback is called with `Canceled`.
    pub fn cancel(&self, request: i64) -> Result<(), Failed> {
        let unknown = || {
            let message = format!("no request {request} waits for an answer; its outcome may be decided");
            Failed::new(Status::NotFound, message)
        };
        let number = request_number(request).ok_or_else(&unknown)?;
        let decided = self.decide(|requests| all_with(requests.take(number), Status::Canceled));
        if decided == 0 {
            return Err(unknown());
        }
        self.link.drop_where(|frame| frame.request == Some(number));
        self.cancel_message(number);
        Ok(())
    }

    /// Answers a request of the server.
    pub fn reply(&self, ack_id: u64, arguments: &str) -> Result<(), Failed> {
        let connection = self.link.connection();
        let wire_id = self.replies().answer(ack_id)?;
        let frame = encode_ack(&self.options().target.namespace, wire_id, arguments);
        self.count_sent(frame.len());
        self.link.send_own(Outgoing { connection: Some(connection), ..Outgoing::plain(frame) });
        Ok(())
    }

    /// Waits until all that is queued was written to the socket.
    pub fn flush(&self, timeout: Option<Duration>) -> Result<(), Failed> {
        if inside_library_code() {
            let message = "a flush inside a callback would wait for itself";
            return Err(Failed::new(Status::Deadlock, message));
        }
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        if !self.outbox.wait_until_out(until) {
            let (messages, _) = self.outbox.waiting();
            return Err(Failed::new(
                Status::Timeout,
                format!("{messages} messages still wait for their answers"),
            ));
        }
        match self.link.flush(until) {
            Some(true) => Ok(()),
            Some(false) => {
                let (frames, _) = self.link.waiting();
                let message = format!("{frames} packets still wait to be sent");
                Err(Failed::new(Status::Timeout, message))
            }
            None => Err(Failed::destroyed()),
        }
    }
}

/// Checks that a text is one JSON value, in one pass; gives it without the space around it.
pub fn json_value(text: &str) -> Result<&str, Failed> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => Ok(raw.get()),
        Err(error) => Err(Failed::new(Status::Json, format!("no valid JSON: {error}"))),
    }
}

/// Checks that a text is a JSON array; gives what stands between its brackets.
pub fn json_arguments(text: &str) -> Result<&str, Failed> {
    let array = json_value(text)?;
    array
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .map(str::trim)
        .ok_or_else(|| Failed::new(Status::Json, "the arguments must be a JSON array"))
}
