//! From the mailbox to the callbacks: one client's events in their order, one callback at a time.

use std::{
    collections::VecDeque,
    panic::{catch_unwind, AssertUnwindSafe},
    sync::Arc,
};

use super::{
    client::Client,
    inside::user_code,
    mailbox::Item,
    pool::{tick, Work},
    subscriptions::Route,
    Event, Outcome, Status,
};
use crate::{
    im::{self, Reaction},
    log::Level,
};

impl Work for Client {
    fn run(self: Arc<Self>) -> bool {
        let ran = catch_unwind(AssertUnwindSafe(|| self.run_batch()));
        ran.unwrap_or_else(|_| {
            self.log(
                Level::Error,
                format_args!("a defect of the library while delivering; the client closes"),
            );
            self.close_after_panic();
            true
        })
    }
}

impl Client {
    fn run_batch(self: &Arc<Self>) -> bool {
        let mut items = VecDeque::new();
        let cost = self.mailbox.take(&mut items);
        self.deliver_replay();
        for item in items {
            match item {
                Item::Event(event) => {
                    self.deliver(&event);
                    // A subscription made in the callback may have early events.
                    self.deliver_replay();
                }
                Item::Outcome(done, outcome) => {
                    tick();
                    user_code(|| done(outcome));
                }
                Item::Drop(callbacks) => {
                    tick();
                    user_code(|| drop(callbacks));
                }
            }
        }
        if self.mailbox.delivered(cost) {
            self.link.wake();
        }
        if self.network_ended() && self.mailbox.is_empty() {
            self.finish();
            return false;
        }
        !self.mailbox.rest()
    }

    fn deliver_replay(&self) {
        while let Some(event) = self.take_replay() {
            self.deliver_to_all(&event);
        }
    }

    fn take_replay(&self) -> Option<Arc<Event>> {
        self.subscriptions().take_replay()
    }

    /// Delivers an event, unless nobody subscribes to it.
    fn deliver(&self, event: &Arc<Event>) {
        loop {
            let route = self.subscriptions().route(event);
            match route {
                // A subscription came just now: what waited for it goes first.
                Route::AfterReplay => self.deliver_replay(),
                Route::Deliver => return self.deliver_to_all(event),
                Route::Waits => return,
                Route::Discarded => return self.give_up_reply(event),
            }
        }
    }

    /// Calls everybody who subscribes to the event, then does what the IM layer does by itself.
    fn deliver_to_all(&self, event: &Arc<Event>) {
        let fresh = self.fresh(event);
        let newest = self.subscriptions().newest();
        let Some(shown) = fresh.event else {
            // A copy: its sender hears that it was delivered, which it was.
            return self.react(event);
        };
        let (mut after, mut taken) = (0, false);
        loop {
            if !self.may_call() {
                // Somebody who subscribes did not see it: no reaction, so that the server keeps a message.
                return;
            }
            // The lock is taken anew for each callback: the one before may have removed the next.
            let Some((id, callback)) = self.subscriptions().next(&shown, after, newest) else { break };
            tick();
            user_code(|| {
                callback(&shown);
                drop(callback);
            });
            (after, taken) = (id, true);
        }
        if taken {
            self.remember(fresh.keys);
            self.react(event);
        }
    }

    /// What the IM layer does once the last callback for an event has returned.
    fn react(&self, event: &Event) {
        let options = self.options();
        let key = im::canonical(event.name());
        match im::after_delivery(&options.target.namespace, key, event.json(), options.event_names) {
            Some(Reaction::Emit(emit)) if options.receipts => self.emit_own(emit),
            Some(Reaction::Close) => self.close(),
            Some(Reaction::Emit(_)) | None => {}
        }
    }

    /// The end of a destroyed client: everything that still waits gets its outcome, and the free functions run.
    fn finish(self: &Arc<Self>) {
        let requests = self.end_requests();
        for done in requests {
            tick();
            user_code(|| done(Outcome::failed(Status::Canceled)));
        }
        let callbacks = self.subscriptions().end();
        tick();
        user_code(|| drop(callbacks));
        // What an outcome or a free function still queued.
        let mut items = VecDeque::new();
        while self.mailbox.take(&mut items) > 0 || !items.is_empty() {
            for item in items.drain(..) {
                match item {
                    Item::Outcome(done, outcome) => user_code(|| done(outcome)),
                    Item::Drop(callbacks) => user_code(|| drop(callbacks)),
                    Item::Event(_) => {}
                }
            }
        }
        self.finished();
    }
}
