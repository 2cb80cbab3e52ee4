//! Messages are delivered once: what the caller has had is not shown again, but receipted again.

use std::sync::{Arc, Mutex, PoisonError};

use super::{client::Client, Event};
use crate::im::{self, Screened, Seen, CHAT};

/// The messages that were delivered or sent; none where the caller wants every copy.
pub struct Delivered(Option<Mutex<Seen>>);

impl Delivered {
    /// `keys` are of earlier lives.
    pub fn new(wanted: bool, keys: Vec<String>) -> Self {
        let mut seen = Seen::default();
        for key in keys {
            seen.add(&key);
        }
        Delivered(wanted.then(|| Mutex::new(seen)))
    }
}

/// What the caller is shown for an event.
pub enum Shown {
    AsItCame,
    /// The same with some of its messages left out.
    Instead(Arc<Event>),
    /// A copy of what the caller has had.
    Nothing,
}

/// What is to be delivered of an event.
pub struct Fresh {
    pub shown: Shown,
    /// To be remembered once every callback has had the event: a message that a callback never saw must come again.
    pub keys: Vec<String>,
}

impl Client {
    /// Takes out of an event what the caller has had. Asked right before the delivery: an earlier copy may just have been
    /// delivered.
    pub(super) fn fresh(&self, event: &Arc<Event>) -> Fresh {
        let all = |keys| Fresh { shown: Shown::AsItCame, keys };
        let Some(seen) = self.delivered.0.as_ref().filter(|_| self.options().target.namespace == CHAT) else {
            return all(Vec::new());
        };
        let name = event.canonical_name();
        let screened = im::screen(name, event.json(), &seen.lock().unwrap_or_else(PoisonError::into_inner));
        match screened {
            Screened::All(keys) => all(keys),
            Screened::Rest(json, keys) => Fresh { shown: Shown::Instead(event.with_json(&json)), keys },
            Screened::Nothing => Fresh { shown: Shown::Nothing, keys: Vec::new() },
        }
    }

    /// This client sends the message: a copy of it would be news for another device, but not for this one.
    pub(super) fn remember_sent(&self, message: &str) {
        let Some(seen) = &self.delivered.0 else { return };
        if let Some(key) = im::copy_key(message) {
            seen.lock().unwrap_or_else(PoisonError::into_inner).add(&key);
        }
    }

    /// The caller has had these messages.
    pub(super) fn remember(&self, keys: Vec<String>) {
        let Some(seen) = &self.delivered.0 else { return };
        for key in keys {
            let new = seen.lock().unwrap_or_else(PoisonError::into_inner).add(&key);
            if new {
                self.outbox.seen(key);
            }
        }
    }
}
