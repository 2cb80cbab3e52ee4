//! From the mailbox to the callbacks: one client's events in their order, one callback at a time.

use std::{
    collections::VecDeque,
    panic::{catch_unwind, AssertUnwindSafe},
    sync::Arc,
};

use super::{
    client::Client,
    dedupe::{Fresh, Shown},
    inside::{is_exiting, user_code},
    mailbox::{Item, BATCH},
    pool::{tick, Work},
    subscriptions::{Next, Route},
    Event, Outcome, Status,
};
use crate::{
    im::{self, Reaction},
    log::Level,
};

/// An event on its way through its subscribers.
pub struct Delivery {
    /// As it came.
    pub event: Arc<Event>,
    /// What of it the caller has not had yet.
    pub fresh: Fresh,
    /// The caller sent it: those hear of it who want to know that.
    pub sent: bool,
    /// The subscriber that had it last, and the newest that gets it.
    after: i64,
    newest: i64,
    taken: bool,
}

impl Delivery {
    fn shown(&self) -> Option<&Arc<Event>> {
        match &self.fresh.shown {
            Shown::AsItCame => Some(&self.event),
            Shown::Instead(other) => Some(other),
            Shown::Nothing => None,
        }
    }
}

impl Work for Client {
    fn run(self: Arc<Self>) -> bool {
        if self.options().manual {
            // The pool has nothing of such a client to do but its end, where nobody waits for that.
            let ended = catch_unwind(AssertUnwindSafe(|| self.finish()));
            if ended.is_err() {
                self.log(Level::Error, format_args!("a defect of the library while ending a client"));
            }
            return false;
        }
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
        let many = items.len() == BATCH;
        let mut delivered = Vec::with_capacity(if many { BATCH } else { 0 });
        self.deliver_replay();
        for item in items {
            match item {
                // Where a subscription made in the callback has early events, the next event lets them go first, or `rest`
                // brings us back.
                Item::Event(event) => {
                    delivered.extend(many.then(|| event.clone()));
                    self.deliver(event);
                }
                Item::Sent(event) => self.deliver_to_all(self.delivery_of_sent(event)),
                Item::Outcome(done, outcome) => {
                    tick();
                    user_code(|| done.call(outcome));
                }
                Item::Drop(callbacks) => {
                    tick();
                    user_code(|| drop(callbacks));
                }
            }
        }
        match many {
            true => self.spare.keep(delivered),
            false => self.spare.clear(),
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
            self.deliver_to_all(self.delivery_of(event));
        }
    }

    fn take_replay(&self) -> Option<Arc<Event>> {
        self.subscriptions().take_replay()
    }

    /// Delivers an event, unless nobody subscribes to it.
    fn deliver(&self, event: Arc<Event>) {
        loop {
            let route = self.subscriptions().route(&event);
            match route {
                // A subscription came just now: what waited for it goes first.
                Route::AfterReplay => self.deliver_replay(),
                Route::Deliver(newest) => return self.deliver_to_all(self.delivery_to(event, newest)),
                Route::Waits => return,
                Route::Discarded => return self.give_up_reply(&event),
            }
        }
    }

    fn deliver_to_all(&self, delivery: Delivery) {
        // More than the subscriptions that there can be, so nobody is left.
        let mut budget = u32::MAX;
        self.call_subscribers(delivery, &mut budget);
    }

    pub(super) fn delivery_of(&self, event: Arc<Event>) -> Delivery {
        let newest = self.subscriptions().newest();
        self.delivery_to(event, newest)
    }

    /// To subscriptions up to the newest that there was.
    pub(super) fn delivery_to(&self, event: Arc<Event>, newest: i64) -> Delivery {
        let fresh = self.fresh(&event);
        Delivery { event, fresh, sent: false, after: 0, newest, taken: false }
    }

    pub(super) fn delivery_of_sent(&self, event: Arc<Event>) -> Delivery {
        let fresh = Fresh { shown: Shown::AsItCame, keys: Vec::new() };
        let newest = self.subscriptions().newest();
        Delivery { event, fresh, sent: true, after: 0, newest, taken: false }
    }

    /// Calls those who subscribe to the event, as many as the budget allows, then does what the IM layer does by itself. Gives
    /// the delivery back where somebody is left.
    pub(super) fn call_subscribers(&self, mut delivery: Delivery, budget: &mut u32) -> Option<Delivery> {
        if delivery.shown().is_none() {
            self.react(&delivery.event);
            return None;
        }
        while let Some(shown) = delivery.shown() {
            if !self.may_call() {
                // Somebody who subscribes did not see it: no reaction, so that the server keeps a message.
                return None;
            }
            let heard = (!delivery.sent).then_some(&**shown);
            let (after, newest) = (delivery.after, delivery.newest);
            if *budget == 0 && self.subscriptions().has_next(heard, after, newest) {
                return Some(delivery);
            }
            // The lock is taken anew for each callback: the one before may have removed the next.
            let next = self.subscriptions().next(heard, after, newest);
            let Some(Next { id, callback, is_last }) = next else { break };
            *budget -= 1;
            tick();
            user_code(|| {
                callback(shown);
                drop(callback);
            });
            (delivery.after, delivery.taken) = (id, true);
            if is_last {
                break;
            }
        }
        if delivery.taken && !delivery.sent && !is_exiting() {
            self.remember(delivery.fresh.keys);
            self.react(&delivery.event);
        }
        None
    }

    /// Does what the IM layer does once an event is delivered. A copy of what the caller has had is: its sender has to hear it.
    pub(super) fn react(&self, event: &Event) {
        if let Some(reaction) = self.reaction(event) {
            self.carry_out(reaction);
        }
    }

    /// What the IM layer does once an event is delivered.
    pub(super) fn reaction(&self, event: &Event) -> Option<Reaction> {
        let options = self.options();
        let key = event.canonical_name();
        im::after_delivery(&options.target.namespace, key, event.json(), options.event_names)
            .filter(|reaction| options.receipts || *reaction == Reaction::Close)
    }

    pub(super) fn carry_out(&self, reaction: Reaction) {
        match reaction {
            Reaction::Emit(emit) => self.emit_own(emit),
            Reaction::Close => self.close(),
        }
    }

    /// The end of a destroyed client: everything that still waits gets its outcome, and the free functions run.
    pub(super) fn finish(&self) {
        // With manual delivery the last outcomes may still be there.
        self.run_leftovers();
        let requests = self.end_requests();
        for done in requests {
            tick();
            user_code(|| done.call(Outcome::failed(Status::Canceled)));
        }
        let callbacks = self.subscriptions().end();
        tick();
        user_code(|| drop(callbacks));
        // What an outcome or a free function still queued.
        self.run_leftovers();
        drop(self.mailbox.close());
        self.finished();
    }

    fn run_leftovers(&self) {
        let mut items = VecDeque::new();
        while self.mailbox.take(&mut items) > 0 || !items.is_empty() {
            for item in items.drain(..) {
                match item {
                    Item::Outcome(done, outcome) => user_code(|| done.call(outcome)),
                    Item::Drop(callbacks) => user_code(|| drop(callbacks)),
                    Item::Event(_) | Item::Sent(_) => {}
                }
            }
        }
    }
}
