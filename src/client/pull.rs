//! Manual delivery: the caller's threads take events, or run the callbacks. User code runs on no other thread then.

use std::{sync::Arc, time::Instant};

use super::{
    client::Client,
    dedupe::Shown,
    delivery::Delivery,
    inside::{inside_library_code, user_code},
    mailbox::Item,
    subscriptions::Route,
    takers::{Next, Wait, Which},
    wake_descriptor::WakeDescriptor,
    Done, Event, Failed, Outcome, Status,
};

/// What a poll or a dispatch gets.
enum Taken {
    Event(Arc<Event>),
    /// An event that some subscribers have had, that waited for a subscriber, or that the caller sent.
    Delivery(Delivery),
    Outcome(Done, Outcome),
    Woken,
    Nothing,
}

/// A thread in a poll or a dispatch.
struct Visit<'a>(&'a Client);

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.mailbox.leave();
        self.0.end_if_due();
    }
}

/// The one thread that calls subscribers.
struct Turn<'a>(&'a Client);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.mailbox.end_dispatch();
    }
}

fn nothing_came() -> Failed {
    Failed::new(Status::Timeout, "nothing came in time")
}

impl Client {
    /// Takes one event; none where the call was woken. An event counts as delivered (and a message is receipted) once the
    /// caller has released it: sooner, and a message could be receipted that a caller who crashes has never dealt with; with
    /// the next poll, and one thread's poll would receipt what another still works on.
    pub fn poll(&self, wait: Wait, which: Which) -> Result<Option<Arc<Event>>, Failed> {
        let _visit = self.visit(which.call())?;
        loop {
            return match self.take(wait, which)? {
                Taken::Event(event) => match self.show(self.delivery_of(event)) {
                    Some(shown) => Ok(Some(shown)),
                    None => continue,
                },
                // Something that the caller sent, for those who listen to that: poll has nothing to tell of it.
                Taken::Delivery(Delivery { sent: true, .. }) => continue,
                Taken::Delivery(delivery) => match self.show(delivery) {
                    Some(shown) => Ok(Some(shown)),
                    None => continue,
                },
                Taken::Outcome(done, outcome) => {
                    let reply = outcome.reply.as_ref();
                    let event = Event::outcome(self.handle(), done.request(), outcome.status, reply);
                    // The event stands for the call.
                    user_code(|| drop(done));
                    Ok(Some(event))
                }
                Taken::Woken => Ok(None),
                Taken::Nothing => Err(nothing_came()),
            };
        }
    }

    /// Calls what waits, at most `most` callbacks; waits for the first. Gives how many it called, 0 where it was woken before.
    pub fn dispatch(&self, wait: Wait, most: u32) -> Result<u32, Failed> {
        let _visit = self.visit("dispatch")?;
        let _turn = match self.mailbox.begin_dispatch(wait) {
            Ok(()) => Turn(self),
            Err(Next::Over) => return Err(Failed::destroyed()),
            Err(Next::Woken) => return Ok(0),
            Err(_) => {
                let message = "another thread dispatches this client; its callbacks run one at a time";
                return Err(Failed::new(Status::Timeout, message));
            }
        };
        let mut budget = most;
        while budget > 0 {
            let wait = if budget == most { wait } else { Wait::No };
            match self.take(wait, Which::All)? {
                Taken::Event(event) => self.dispatch_event(event, &mut budget),
                Taken::Delivery(delivery) => self.dispatch_to_subscribers(delivery, &mut budget),
                Taken::Outcome(done, outcome) => {
                    budget -= 1;
                    user_code(|| done.call(outcome));
                }
                Taken::Nothing if budget == most => return Err(nothing_came()),
                Taken::Woken | Taken::Nothing => break,
            }
        }
        match self.may_call() {
            true => Ok(most - budget),
            // It was destroyed in one of these calls, or by another thread meanwhile.
            false => Err(Failed::destroyed()),
        }
    }

    fn dispatch_event(&self, event: Arc<Event>, budget: &mut u32) {
        let route = self.subscriptions().route(&event);
        match route {
            // A subscription came just now: what waited for it goes first.
            Route::AfterReplay => self.mailbox.put_back(Item::Event(event)),
            Route::Deliver(newest) => self.dispatch_to_subscribers(self.delivery_to(event, newest), budget),
            Route::Waits => {}
            Route::Discarded => self.give_up_reply(&event),
        }
    }

    fn dispatch_to_subscribers(&self, delivery: Delivery, budget: &mut u32) {
        if let Some(begun) = self.call_subscribers(delivery, budget) {
            self.mailbox.leave_begun(begun);
        }
    }

    /// Ends one poll or dispatch that waits; where none does, the next one.
    pub fn wake(&self) -> Result<(), Failed> {
        self.check_manual("wake")?;
        self.mailbox.wake()
    }

    /// The number of a descriptor that is readable while a poll or a dispatch has something to do.
    pub fn wake_descriptor(
        &self,
        open: impl FnOnce() -> Result<WakeDescriptor, Failed>,
    ) -> Result<i32, Failed> {
        self.check_manual("wake_fd")?;
        self.mailbox.descriptor(open)
    }

    fn check_manual(&self, call: &str) -> Result<(), Failed> {
        match self.options().manual {
            true => Ok(()),
            false => {
                let message = format!("im_client_{call} wants the option \"delivery\": \"manual\"");
                Err(Failed::new(Status::InvalidArgument, message))
            }
        }
    }

    fn visit(&self, call: &str) -> Result<Visit<'_>, Failed> {
        if inside_library_code() {
            let message = format!("im_client_{call} inside a callback would wait for itself");
            return Err(Failed::new(Status::Deadlock, message));
        }
        self.check_manual(call)?;
        self.mailbox.enter()?;
        Ok(Visit(self))
    }

    /// Free functions whose time has come run on the way, on this thread: with manual delivery there is no other.
    fn take(&self, wait: Wait, which: Which) -> Result<Taken, Failed> {
        loop {
            match self.mailbox.next(wait, which) {
                Next::Over => return Err(Failed::destroyed()),
                Next::Woken => return Ok(Taken::Woken),
                Next::Nothing => return Ok(Taken::Nothing),
                Next::Begun(delivery) => return Ok(Taken::Delivery(delivery)),
                Next::Look => {
                    if let Some(event) = self.look_for_replay() {
                        return Ok(Taken::Delivery(self.delivery_of(event)));
                    }
                }
                Next::Item(item, resume) => {
                    if resume {
                        self.link.wake();
                    }
                    match item {
                        Item::Event(event) => return Ok(Taken::Event(event)),
                        Item::Outcome(done, outcome) => return Ok(Taken::Outcome(done, outcome)),
                        Item::Sent(event) => return Ok(Taken::Delivery(self.delivery_of_sent(event))),
                        Item::Drop(callbacks) => user_code(|| drop(callbacks)),
                    }
                }
            }
        }
    }

    fn look_for_replay(&self) -> Option<Arc<Event>> {
        let (event, more) = {
            let mut subscriptions = self.subscriptions();
            (subscriptions.take_replay(), subscriptions.has_replay())
        };
        self.mailbox.looked(more);
        event
    }

    /// What of an event the caller has not had yet; nothing of a copy.
    fn show(&self, Delivery { event, fresh, .. }: Delivery) -> Option<Arc<Event>> {
        let reaction = self.reaction(&event);
        let shown = match fresh.shown {
            Shown::AsItCame => event,
            Shown::Instead(other) => other,
            Shown::Nothing => {
                reaction.into_iter().for_each(|reaction| self.carry_out(reaction));
                return None;
            }
        };
        if reaction.is_some() || !fresh.keys.is_empty() {
            let (client, keys) = (self.this.clone(), fresh.keys);
            shown.when_released(move || {
                // A client that is destroyed meanwhile sends no receipt: the server keeps the message.
                if let Some(client) = client.upgrade().filter(|client| client.may_call()) {
                    client.remember(keys);
                    reaction.into_iter().for_each(|reaction| client.carry_out(reaction));
                }
            });
        }
        Some(shown)
    }
}

impl Wait {
    /// As poll(2) has it: 0 does not wait, a negative time is without end.
    pub fn for_milliseconds(milliseconds: i64) -> Self {
        match u64::try_from(milliseconds) {
            Err(_) => Wait::WithoutEnd,
            Ok(0) => Wait::No,
            Ok(milliseconds) => {
                let until = Instant::now().checked_add(std::time::Duration::from_millis(milliseconds));
                until.map_or(Wait::WithoutEnd, Wait::Until)
            }
        }
    }
}
