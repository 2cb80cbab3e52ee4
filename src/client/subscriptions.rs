//! Who gets which event, and what came before anybody asked for it.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use super::Event;
use crate::im;

/// What is called with an event. Dropping it runs the caller's free function, so it is dropped where user code may run.
pub type Callback = Arc<dyn Fn(&Arc<Event>) + Send + Sync>;

/// What arrives before the first subscription of its name waits within these bounds.
const EARLY_EVENTS: usize = 64;
const EARLY_BYTES: usize = 256 * 1024;
const EARLY_TIME: Duration = Duration::from_secs(10);
/// So many names are remembered beyond those that are subscribed to.
const MOST_NAMES: usize = 1024;

/// What is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic<'a> {
    /// One event, by either of its names.
    Named(&'a str),
    /// Every event.
    Any,
    /// Every event that the caller sends.
    Sent,
}

struct Subscription {
    id: i64,
    once: bool,
    callback: Callback,
}

struct Early {
    event: Arc<Event>,
    since: Instant,
}

/// What became of an event that is to be delivered.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// Somebody subscribes to it: ask `next` until it says none. The newest subscription that it reaches.
    Deliver(i64),
    /// Early events go before it: take those, then ask again.
    AfterReplay,
    /// Nobody ever did; it waits.
    Waits,
    /// Nobody does any more.
    Discarded,
}

/// Whose turn it is.
pub struct Next {
    pub id: i64,
    pub callback: Callback,
    /// Nobody comes after it: a subscription that is made now is not reached any more.
    pub is_last: bool,
}

#[derive(Clone, Debug)]
enum Place {
    Named(Arc<str>),
    Any,
    Sent,
}

#[derive(Default)]
pub struct Subscriptions {
    /// By the name under which both naming styles meet. Only the caller's names are put in, so nobody can choose them to
    /// collide.
    named: FxHashMap<Box<str>, Vec<Subscription>>,
    any: Vec<Subscription>,
    /// To what the caller sends.
    sent: Vec<Subscription>,
    /// Where a subscription stands.
    places: FxHashMap<i64, Place>,
    last_id: i64,
    /// Names that were subscribed to, as far as they are remembered.
    known: HashSet<Box<str>>,
    any_known: bool,
    early: VecDeque<Early>,
    early_bytes: usize,
    /// Early events whose first subscription came: they go before everything else.
    replay: VecDeque<Arc<Event>>,
    discarded: u64,
    ended: bool,
}

impl Subscriptions {
    /// Subscribes. Gives the id, and whether events wait for it; the callback back when the client has ended.
    pub fn add(&mut self, topic: Topic<'_>, once: bool, callback: Callback) -> Result<(i64, bool), Callback> {
        if self.ended {
            return Err(callback);
        }
        self.last_id += 1;
        let subscription = Subscription { id: self.last_id, once, callback };
        let place = match topic {
            Topic::Named(name) => {
                let key = im::canonical(name);
                self.forget_names();
                self.named.entry(key.into()).or_default().push(subscription);
                if self.known.insert(key.into()) && !self.any_known {
                    self.release(Some(key));
                }
                Place::Named(key.into())
            }
            Topic::Any => {
                self.any.push(subscription);
                if !std::mem::replace(&mut self.any_known, true) {
                    self.release(None);
                }
                Place::Any
            }
            Topic::Sent => {
                self.sent.push(subscription);
                Place::Sent
            }
        };
        self.places.insert(self.last_id, place);
        Ok((self.last_id, !self.replay.is_empty()))
    }

    /// Moves waiting events of a name (or all) to the front of the delivery.
    fn release(&mut self, key: Option<&str>) {
        self.expire();
        let waiting = std::mem::take(&mut self.early);
        for early in waiting {
            if key.is_none_or(|key| early.event.canonical_name() == key) {
                self.early_bytes -= early.event.cost();
                self.replay.push_back(early.event);
            } else {
                self.early.push_back(early);
            }
        }
    }

    /// Where names are ever new (one for each reply, say), those without a subscription are forgotten now and then: an event of
    /// such a name waits a while, as before the first subscription, instead of being discarded.
    fn forget_names(&mut self) {
        if self.known.len() >= MOST_NAMES.max(2 * self.named.len()) {
            let named = &self.named;
            self.known.retain(|name| named.contains_key(name));
        }
    }

    /// Removes a subscription; its callback is the caller's to drop.
    pub fn remove(&mut self, id: i64) -> Option<Callback> {
        let place = self.places.remove(&id)?;
        let list = self.list_at(&place)?;
        let at = list.binary_search_by_key(&id, |subscription| subscription.id).ok()?;
        let callback = list.remove(at).callback;
        match place {
            Place::Named(key) if list.is_empty() => drop(self.named.remove(&*key)),
            _ => {}
        }
        Some(callback)
    }

    /// Does somebody subscribe to this very name?
    pub fn has(&self, name: &str) -> bool {
        self.named.contains_key(im::canonical(name))
    }

    /// Does somebody want to know what the caller sends?
    pub fn hears_sent(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Removes all subscriptions of a name (either name of an IM event).
    pub fn remove_event(&mut self, name: &str) -> Vec<Callback> {
        let list = self.named.remove(im::canonical(name)).unwrap_or_default();
        list.iter().for_each(|subscription| drop(self.places.remove(&subscription.id)));
        list.into_iter().map(|subscription| subscription.callback).collect()
    }

    /// Ends everything; the callbacks are the caller's to drop.
    pub fn end(&mut self) -> Vec<Callback> {
        self.ended = true;
        self.early.clear();
        self.replay.clear();
        let unnamed = [std::mem::take(&mut self.any), std::mem::take(&mut self.sent)];
        let lists = std::mem::take(&mut self.named).into_values().chain(unnamed);
        lists.flatten().map(|subscription| subscription.callback).collect()
    }

    /// The next early event that is to be delivered before everything else.
    pub fn take_replay(&mut self) -> Option<Arc<Event>> {
        self.replay.pop_front()
    }

    pub fn has_replay(&self) -> bool {
        !self.replay.is_empty()
    }

    /// Decides what becomes of an event.
    pub fn route(&mut self, event: &Arc<Event>) -> Route {
        if !self.replay.is_empty() {
            return Route::AfterReplay;
        }
        let key = event.canonical_name();
        let has_named = self.named.get(key).is_some_and(|list| !list.is_empty());
        if has_named || !self.any.is_empty() {
            return Route::Deliver(self.last_id);
        }
        if self.any_known || self.known.contains(key) {
            self.discarded += 1;
            return Route::Discarded;
        }
        self.keep(event.clone());
        Route::Waits
    }

    fn keep(&mut self, event: Arc<Event>) {
        self.expire();
        self.early_bytes += event.cost();
        self.early.push_back(Early { event, since: Instant::now() });
        while self.early.len() > EARLY_EVENTS || self.early_bytes > EARLY_BYTES {
            self.discard_oldest();
        }
    }

    fn expire(&mut self) {
        while self.early.front().is_some_and(|early| early.since.elapsed() >= EARLY_TIME) {
            self.discard_oldest();
        }
    }

    fn discard_oldest(&mut self) {
        if let Some(early) = self.early.pop_front() {
            self.early_bytes -= early.event.cost();
            self.discarded += 1;
        }
    }

    /// The newest subscription that an event now being delivered reaches.
    pub fn newest(&self) -> i64 {
        self.last_id
    }

    /// Does `next` give another callback?
    pub fn has_next(&self, event: Option<&Event>, after: i64, newest: i64) -> bool {
        first_of(self.lists(event), after, newest).is_some()
    }

    /// The next callback for an event (none: for one that the caller sent): the first subscription after `after`, up to
    /// `newest`, in the order in which they were made. So one that is added during the delivery is not called, and one that is
    /// removed skips no other. A `once` subscription ends here.
    pub fn next(&mut self, event: Option<&Event>, after: i64, newest: i64) -> Option<Next> {
        let lists = self.lists(event);
        let Subscription { id, once, callback } = first_of(lists, after, newest)?;
        let (id, is_last) = (*id, first_of(lists, *id, newest).is_none());
        let callback = if *once { self.remove(id)? } else { callback.clone() };
        Some(Next { id, callback, is_last })
    }

    /// The subscriptions that an event reaches.
    fn lists(&self, event: Option<&Event>) -> [&[Subscription]; 2] {
        match event {
            None => [&self.sent, &[]],
            Some(event) => {
                let named = self.named.get(event.canonical_name());
                [named.map_or(&[], Vec::as_slice), &self.any]
            }
        }
    }

    fn list_at(&mut self, place: &Place) -> Option<&mut Vec<Subscription>> {
        match place {
            Place::Named(key) => self.named.get_mut(&**key),
            Place::Any => Some(&mut self.any),
            Place::Sent => Some(&mut self.sent),
        }
    }

    /// Events that wait for a subscription, and events that nobody took.
    pub fn counts(&mut self) -> (usize, u64) {
        self.expire();
        (self.early.len() + self.replay.len(), self.discarded)
    }
}

fn first_of(lists: [&[Subscription]; 2], after: i64, newest: i64) -> Option<&Subscription> {
    let candidates = lists.into_iter().filter_map(|list| first_after(list, after));
    candidates.min_by_key(|next| next.id).filter(|next| next.id <= newest)
}

fn first_after(list: &[Subscription], after: i64) -> Option<&Subscription> {
    let at = list.partition_point(|subscription| subscription.id <= after);
    list.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Arc<Event> {
        Event::local(1, name, "{}")
    }

    fn callback() -> Callback {
        Arc::new(|_| {})
    }

    fn add(to: &mut Subscriptions, name: Option<&str>) -> i64 {
        to.add(name.map_or(Topic::Any, Topic::Named), false, callback()).ok().unwrap().0
    }

    fn reached(by: &mut Subscriptions, name: &str) -> Vec<i64> {
        let (event, newest, mut after) = (event(name), by.newest(), 0);
        std::iter::from_fn(|| {
            let more = by.has_next(Some(&event), after, newest);
            let next = by.next(Some(&event), after, newest);
            assert_eq!(more, next.is_some());
            after = next?.id;
            Some(after)
        })
        .collect()
    }

    #[test]
    fn both_names_and_any_are_called_in_the_order_of_their_subscription() {
        let mut all = Subscriptions::default();
        let (wire, any) = (add(&mut all, Some("c_message")), add(&mut all, None));
        let (constant, other) = (add(&mut all, Some("CHAT_MESSAGE")), add(&mut all, Some("x")));
        assert_eq!(reached(&mut all, "c_message"), [wire, any, constant]);
        assert_eq!(reached(&mut all, "CHAT_MESSAGE"), [wire, any, constant]);
        assert_eq!(reached(&mut all, "x"), [any, other]);
    }

    #[test]
    fn removing_one_in_the_middle_of_a_delivery_skips_no_other() {
        let mut all = Subscriptions::default();
        let ids = [0; 3].map(|_| add(&mut all, Some("a")));
        let (event, newest) = (event("a"), all.newest());
        assert_eq!(all.next(Some(&event), 0, newest).unwrap().id, ids[0]);
        assert!(all.remove(ids[0]).is_some());
        let late = add(&mut all, Some("a"));
        assert_eq!(all.next(Some(&event), ids[0], newest).unwrap().id, ids[1]);
        assert_eq!(all.next(Some(&event), ids[1], newest).unwrap().id, ids[2]);
        assert!(all.next(Some(&event), ids[2], newest).is_none(), "{late} came during the delivery");
        assert!(all.remove(ids[0]).is_none());
    }

    #[test]
    fn once_is_once() {
        let mut all = Subscriptions::default();
        let (id, _) = all.add(Topic::Named("a"), true, callback()).ok().unwrap();
        assert_eq!(reached(&mut all, "a"), [id]);
        assert!(reached(&mut all, "a").is_empty());
        assert_eq!(all.route(&event("a")), Route::Discarded);
    }

    #[test]
    fn what_is_sent_reaches_only_those_who_want_it() {
        let mut all = Subscriptions::default();
        let any = add(&mut all, None);
        assert!(!all.hears_sent());
        let [first, once, last] =
            [false, true, false].map(|once| all.add(Topic::Sent, once, callback()).ok().unwrap().0);
        assert!(all.hears_sent());
        let round = |all: &mut Subscriptions| {
            let (newest, mut after) = (all.newest(), 0);
            let ids = std::iter::from_fn(|| {
                after = all.next(None, after, newest)?.id;
                Some(after)
            });
            ids.collect::<Vec<_>>()
        };
        assert_eq!(round(&mut all), [first, once, last]);
        assert_eq!(round(&mut all), [first, last]);
        assert_eq!(reached(&mut all, "a"), [any]);
        assert!(all.remove(first).is_some() && all.remove(last).is_some() && !all.hears_sent());
    }

    #[test]
    fn ever_new_names_leave_nothing_behind() {
        let mut all = Subscriptions::default();
        for number in 0..10_000 {
            let id = add(&mut all, Some(&number.to_string()));
            assert!(all.remove(id).is_some());
        }
        assert!(all.named.is_empty() && all.places.is_empty() && all.known.len() <= MOST_NAMES);
    }

    #[test]
    fn early_events_wait_for_the_first_subscription_of_their_name() {
        let mut all = Subscriptions::default();
        for name in ["c_message", "b", "CHAT_MESSAGE"] {
            assert_eq!(all.route(&event(name)), Route::Waits);
        }
        add(&mut all, Some("c_message"));
        let replayed: Vec<String> =
            std::iter::from_fn(|| all.take_replay()).map(|event| event.name().to_owned()).collect();
        assert_eq!(replayed, ["c_message", "CHAT_MESSAGE"]);
        assert_eq!(all.counts(), (1, 0), "b still waits");
        add(&mut all, None);
        assert_eq!(all.take_replay().unwrap().name(), "b");
    }

    #[test]
    fn early_events_are_bounded_and_counted() {
        let mut all = Subscriptions::default();
        for number in 0..70 {
            all.route(&event(&number.to_string()));
        }
        assert_eq!(all.counts(), (64, 6));
        let large = Event::local(1, "large", &format!("\"{}\"", "x".repeat(200 * 1024)));
        all.route(&large);
        all.route(&large);
        assert_eq!(all.counts().0, 1, "two would exceed the bytes");
    }
}
