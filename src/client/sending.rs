//! What a client sends: events, requests, answers.

use std::{
    any::Any,
    sync::{atomic::Ordering, Arc},
    time::{Duration, Instant},
};

use serde_json::value::RawValue;

use super::{
    client::{all_with, Client},
    from_network::{request_id, request_number},
    inside::inside_library_code,
    payload::Json,
    requests::Tries,
    Done, Event, Failed, Payload, Status,
};
use crate::{
    connection::{Outgoing, Owner, Unsent},
    im,
    json::{fault, Scanner},
    log::Level,
    socketio::{Encoded, Unsayable, RESERVED_EVENTS},
};

/// How an event is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmitFlags {
    /// Dropped unless it can go out at once.
    pub volatile: bool,
}

impl Client {
    /// Sends an event.
    pub fn emit(&self, event: &str, payload: Payload<'_>, flags: EmitFlags) -> Result<(), Failed> {
        let name = self.wire_name(event)?;
        if flags.volatile && !self.link.takes_volatile() {
            return Ok(());
        }
        if self.options().retries > 0 && !flags.volatile {
            // Nobody is told, but the library itself has to know that it arrived.
            if im::canonical(name) == "to" {
                self.note_plain_message(Instant::now());
            }
            let sent = self.request_event(name, payload, flags, None, Done::silent());
            return sent.map(drop).map_err(|(_, failed)| failed);
        }
        let frame = self.event_frame(name, None, payload)?;
        let is_message = im::canonical(name) == "to";
        match self.send(Outgoing { volatile: flags.volatile, is_message, ..frame }) {
            // It was dropped, as it is to be where it can't go out.
            Err(failed) if failed.status == Status::Disconnected => Ok(()),
            sent => sent,
        }
    }

    /// Sends an event that the server acknowledges. Where that fails, the callback comes back to be dropped.
    pub fn emit_with_ack(
        &self,
        event: &str,
        payload: Payload<'_>,
        flags: EmitFlags,
        timeout: Option<Duration>,
        done: Done,
    ) -> Result<i64, (Done, Failed)> {
        let name = match self.wire_name(event) {
            Ok(name) => name,
            Err(failed) => return Err((done, failed)),
        };
        if flags.volatile && !self.link.takes_volatile() {
            return Err((done, not_at_once()));
        }
        self.request_event(name, payload, flags, timeout, done)
    }

    fn request_event(
        &self,
        name: &str,
        payload: Payload<'_>,
        flags: EmitFlags,
        timeout: Option<Duration>,
        done: Done,
    ) -> Result<i64, (Done, Failed)> {
        let timeout = timeout.or(self.options().ack_timeout);
        let repeated = self.options().retries > 0 && !flags.volatile;
        let tries = timeout.filter(|_| repeated);
        let tries = tries.map(|timeout| Tries { more: self.options().retries, timeout });
        self.request(done, timeout, tries, |number| {
            if flags.volatile {
                // It never waits for another connection, so it may be lost before it went out.
                self.requests().sent(number, Instant::now());
            }
            let frame = self.event_frame(name, Some(number), payload)?;
            Ok(Outgoing { volatile: flags.volatile, serial: tries.is_some(), ..frame })
        })
    }

    /// The name under which an event goes out.
    fn wire_name<'a>(&self, event: &'a str) -> Result<&'a str, Failed> {
        if RESERVED_EVENTS.contains(&event) {
            let message = format!("the event name {event:?} is reserved for the connection itself");
            return Err(Failed::new(Status::InvalidArgument, message));
        }
        Ok(self.options().event_names.outgoing(event))
    }

    pub(super) fn event_frame(
        &self,
        name: &str,
        id: Option<u64>,
        payload: Payload<'_>,
    ) -> Result<Outgoing, Failed> {
        let Payload { arguments, attachments } = payload;
        let note = self.note(name, &arguments, &attachments);
        let encoded = self.encode_event(id, name, &arguments, attachments)?;
        Ok(Outgoing { note, ..Outgoing::plain(encoded) })
    }

    /// An event in the way of the client's parser.
    #[inline]
    pub(super) fn encode_event(
        &self,
        id: Option<u64>,
        name: &str,
        arguments: &str,
        attachments: Vec<Vec<u8>>,
    ) -> Result<Encoded, Failed> {
        let target = &self.options().target;
        target.parser.event(&target.namespace, id, name, arguments, attachments).map_err(unsayable)
    }

    /// The event as those see it who want to know what is sent; it is made only where there are some.
    fn note(
        &self,
        name: &str,
        arguments: &str,
        attachments: &[Vec<u8>],
    ) -> Option<Arc<dyn Any + Send + Sync>> {
        self.hears_sent
            .load(Ordering::Acquire)
            .then(|| Event::outgoing(self.handle(), name, arguments, attachments.to_vec()) as _)
    }

    /// A server closes the connection on a packet that is larger than it takes.
    pub(super) fn check_size(&self, frame: &Outgoing) -> Result<(), Failed> {
        let (size, limit) = (frame.largest(), self.server_limit.load(Ordering::Relaxed));
        match size > limit {
            false => Ok(()),
            true => {
                let message = format!(
                    "the packet has {size} bytes, and the server takes at most {limit} (its maxPayload)"
                );
                Err(Failed::new(Status::TooLarge, message))
            }
        }
    }

    /// A packet that was queued does not go out. It is counted, and nothing waits behind it, before anybody is told.
    pub(super) fn drop_too_large(&self, request: Option<u64>, failed: &Failed) {
        self.log(Level::Error, format_args!("a packet is not sent: {}", failed.message));
        self.figures().too_large += 1;
        self.decide(|requests| {
            self.link.settle(request);
            all_with(request.and_then(|number| requests.take(number)), Status::TooLarge)
        });
    }

    fn send(&self, frame: Outgoing) -> Result<(), Failed> {
        self.check_size(&frame)?;
        let on_left = |frame: &Outgoing, now| {
            let fits = self.check_size(frame).is_ok();
            if fits {
                self.count_sent(frame, now);
            }
            fits
        };
        let written = self.link.send(frame, on_left, |frame, now| self.on_sent(frame, now));
        written.map_err(|unsent| match unsent {
            Unsent::Volatile => not_at_once(),
            Unsent::Full(full) => {
                let message = format!(
                    "{} of at most {} bytes wait to be sent (option \"sendQueueBytes\")",
                    full.waiting, full.limit
                );
                Failed::new(Status::QueueFull, message)
            }
        })
    }

    /// A frame goes out. It may be called under the link's lock: of the locks it takes no other than the outbox's `plain`.
    pub(super) fn count_sent(&self, frame: &Outgoing, now: Instant) {
        self.sent.count(frame.bytes());
        if frame.is_message {
            self.note_plain_message(now);
        }
    }

    /// An emit of the library's own; it may exceed the bound of the queue, for a receipt must not get lost.
    pub(super) fn emit_own(&self, emit: im::Emit) {
        if let Some(packet) = self.encode_own(&emit) {
            self.link.send_own(Outgoing { own: true, ..Outgoing::plain(packet) });
        }
    }

    /// An emit of the library's own as it goes out. What it repeats of the server was read under the limits under which it is
    /// written, so that none is lost; were one lost all the same, the log would tell.
    pub(super) fn encode_own(&self, emit: &im::Emit) -> Option<Encoded> {
        let encoded = self.encode_event(None, emit.event, &emit.argument, Vec::new());
        encoded
            .inspect_err(|failed| {
                self.log(Level::Warn, format_args!("{:?} was not sent: {}", emit.event, failed.message));
            })
            .ok()
    }

    fn request(
        &self,
        done: Done,
        timeout: Option<Duration>,
        tries: Option<Tries>,
        frame: impl FnOnce(u64) -> Result<Outgoing, Failed>,
    ) -> Result<i64, (Done, Failed)> {
        // The time of a try starts when it goes out.
        let timeout = timeout.filter(|_| tries.is_none());
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (number, first) = {
            let mut requests = self.requests();
            let added = requests.add(done, deadline)?;
            tries.into_iter().for_each(|tries| requests.try_more(added.0, tries));
            added
        };
        let sent = frame(number).and_then(|frame| self.send(Outgoing { request: Some(number), ..frame }));
        if let Err(failed) = sent {
            // Somebody else (a destroy) may have decided it meanwhile: then it was accepted.
            if let Some(done) = self.requests().take(number) {
                return Err((done, failed));
            }
        } else if !self.requests().waits(number) {
            // It was decided before its frame was queued, so that nobody else has dropped that.
            self.link.settle([number]);
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
        self.figures().canceled += 1;
        self.link.settle([number]);
        self.cancel_message(number);
        Ok(())
    }

    /// Drops what the caller emitted and is unsent; its requests end as canceled. Says how many packets there were.
    ///
    /// What goes out for the connection itself stays: receipts, pulls, answers to the server.
    pub fn clear_send_buffer(&self) -> usize {
        let dropped = self.link.drop_where(|frame| !frame.own && frame.connection.is_none());
        self.figures().cleared += dropped.frames as u64;
        self.decide(|requests| {
            all_with(dropped.requests.iter().filter_map(|number| requests.take(*number)), Status::Canceled)
        });
        dropped.frames
    }

    /// Answers a request of the server.
    pub fn reply(&self, ack_id: u64, payload: Payload<'_>) -> Result<(), Failed> {
        let Payload { arguments, attachments } = payload;
        let connection = Some(self.link.connection());
        let target = &self.options().target;
        let mut replies = self.replies();
        // What can't be said must not use up the one answer.
        let wire_id = replies.asked(ack_id)?;
        let packet = target.parser.ack(&target.namespace, wire_id, &arguments, attachments);
        let packet = Outgoing { connection, ..Outgoing::plain(packet.map_err(unsayable)?) };
        self.check_size(&packet)?;
        replies.answer(ack_id)?;
        drop(replies);
        self.send(packet)
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
            let message =
                format!("{messages} messages still wait to be sent, or for those before them to be answered");
            return Err(Failed::new(Status::Timeout, message));
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

fn not_at_once() -> Failed {
    let message = "a volatile event, and the client is not connected, or its socket takes no more";
    Failed::new(Status::Disconnected, message)
}

fn unsayable(what: Unsayable) -> Failed {
    Failed::new(Status::Json, what.to_string())
}

/// Checks that a text is one JSON value, in one pass; gives it without the space around it.
pub fn json_value(text: &str) -> Result<Json<'_>, Failed> {
    let mut scanner = Scanner::new(text);
    let start = scanner.at();
    if let Some(end) = scanner.pass_value().filter(|_| scanner.is_at_end()) {
        return Ok(Json { text: &text[start..end], may_have_placeholders: scanner.was_underscored() });
    }
    // That one says where the fault lies.
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => Ok(Json { text: raw.get(), may_have_placeholders: true }),
        Err(error) => Err(Failed::new(Status::Json, format!("no valid JSON: {}", fault(&error)))),
    }
}

/// Checks that a text is a JSON array; gives what stands between its brackets.
pub fn json_arguments(text: &str) -> Result<Json<'_>, Failed> {
    let array = json_value(text)?;
    let inner = array.text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let text = inner.ok_or_else(|| Failed::new(Status::Json, "the arguments must be a JSON array"))?.trim();
    Ok(Json { text, ..array })
}
