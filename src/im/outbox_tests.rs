use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn message(fp: &str) -> Message {
    Message { fingerprint: fp.into(), json: "{}".into(), deadline: None, request: None }
}

fn outbox(window: usize, fps: &[&str]) -> Outbox {
    let mut outbox = Outbox::new(window, 1000);
    for fp in fps {
        outbox.add(message(fp), true).unwrap();
    }
    outbox
}

fn sent(outbox: &mut Outbox) -> Vec<String> {
    std::iter::from_fn(|| outbox.next().map(|(_, message)| message.fingerprint.clone())).collect()
}

fn taken(message: Option<Message>) -> String {
    message.map_or(String::new(), |message| message.fingerprint)
}

#[test]
fn one_at_a_time_in_order() {
    let mut outbox = outbox(1, &["a", "b", "c"]);
    assert!(sent(&mut outbox).is_empty(), "there is no connection");
    outbox.connected(7);
    assert_eq!(outbox.next().unwrap().0, 7);
    assert!(outbox.next().is_none());
    assert_eq!(taken(outbox.answered("a")), "a");
    assert_eq!(sent(&mut outbox), ["b"]);
    assert_eq!(taken(outbox.answered("a")), "", "once");
}

#[test]
fn a_new_connection_begins_with_the_first_that_is_unanswered() {
    let mut outbox = outbox(2, &["a", "b", "c", "d"]);
    outbox.connected(1);
    assert_eq!(sent(&mut outbox), ["a", "b"]);
    outbox.answered("b");
    assert_eq!(sent(&mut outbox), ["c"]);
    outbox.lost();
    assert!(sent(&mut outbox).is_empty());
    outbox.connected(2);
    assert_eq!(sent(&mut outbox), ["a", "c"]);
    // The answer to the first sending came late.
    assert_eq!(taken(outbox.answered("d")), "d");
    assert_eq!(outbox.waiting().0, 2);
}

#[test]
fn a_refusal_is_for_the_only_one_that_is_unanswered() {
    let now = Instant::now();
    let mut one = outbox(1, &["a", "b"]);
    assert_eq!(one.refused(now), None, "nothing was sent");
    one.connected(1);
    sent(&mut one);
    assert_eq!(taken(one.refused(now)), "a");
    let mut two = outbox(2, &["a", "b"]);
    two.connected(1);
    sent(&mut two);
    assert_eq!(two.refused(now), None, "it could be either");
    two.answered("b");
    assert_eq!(taken(two.refused(now)), "a");
}

#[test]
fn a_refusal_of_one_that_was_given_up_is_not_for_the_next() {
    let now = Instant::now();
    let mut outbox = outbox(1, &["b"]);
    outbox.add(Message { request: Some(5), ..message("c") }, true).unwrap();
    outbox.connected(1);
    sent(&mut outbox);
    outbox.answered("b");
    sent(&mut outbox);
    assert_eq!(taken(outbox.take_request(5, now)), "c");
    outbox.add(message("d"), true).unwrap();
    assert_eq!(sent(&mut outbox), ["d"]);
    assert_eq!(outbox.refused(now), None, "c or d");
    assert_eq!(outbox.answered("c"), None, "but it is known to be answered");
    assert_eq!(taken(outbox.refused(now)), "d");
}

#[test]
fn a_plain_emit_makes_a_refusal_ambiguous_until_it_is_answered_or_old() {
    let now = Instant::now();
    let mut outbox = outbox(1, &["a"]);
    outbox.connected(1);
    sent(&mut outbox);
    outbox.plain(now);
    outbox.plain(now);
    assert_eq!(outbox.refused(now), None);
    outbox.answered("p");
    assert_eq!(outbox.refused(now), None);
    assert_eq!(taken(outbox.refused(now + ANSWER_TIME)), "a");
    outbox.plain(now);
    assert!(outbox.expects_answers());
    assert_eq!(outbox.refused(now), None, "it was the plain one");
    assert!(!outbox.expects_answers());
}

#[test]
fn what_is_not_saved_is_not_sent() {
    let mut outbox = outbox(1, &[]);
    let number = outbox.add(message("a"), false).unwrap();
    outbox.connected(1);
    assert!(sent(&mut outbox).is_empty());
    assert!(outbox.saved(number));
    assert_eq!(sent(&mut outbox), ["a"]);
    outbox.answered("a");
    assert!(!outbox.saved(number));
}

#[test]
fn messages_expire_in_the_order_of_their_deadlines() {
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    let mut outbox = Outbox::new(1, 1000);
    for (fp, seconds) in [("late", 3), ("early", 1)] {
        outbox.add(Message { deadline: Some(now + second * seconds), ..message(fp) }, true).unwrap();
    }
    assert_eq!(outbox.first_deadline(), Some(now + second));
    assert_eq!(outbox.take_expired(now), None);
    assert_eq!(taken(outbox.take_expired(now + second * 5)), "early");
    assert_eq!(taken(outbox.take_expired(now + second * 5)), "late");
    assert_eq!((outbox.first_deadline(), outbox.waiting()), (None, (0, 0)));
}

#[test]
fn the_queue_is_bounded_and_knows_its_fingerprints() {
    let mut outbox = Outbox::new(1, 5);
    outbox.add(message("a"), true).unwrap();
    assert_eq!(outbox.add(message("a"), true), Err(Refusal::Known));
    outbox.add(message("b"), true).unwrap();
    assert_eq!(outbox.add(message("c"), true), Err(Refusal::Full(4)));
    assert_eq!(outbox.end(Instant::now()).len(), 2);
    assert_eq!(outbox.add(message("c"), true), Err(Refusal::Ended));
}

#[test]
fn a_mark_is_out_when_all_before_it_went_out_once() {
    let mut outbox = outbox(1, &["a", "b"]);
    let mark = outbox.mark();
    outbox.connected(1);
    sent(&mut outbox);
    assert!(!outbox.went_out(mark));
    outbox.answered("a");
    sent(&mut outbox);
    outbox.lost();
    outbox.add(message("c"), true).unwrap();
    assert!(outbox.went_out(mark));
}

#[derive(Clone, Debug)]
enum Step {
    Add {
        timeout: u64,
        saved: bool,
    },
    Saved,
    Connect,
    Lose,
    /// The server answers one of what it got on this connection.
    Answer(usize),
    Refuse,
    Cancel(usize),
    Tick(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..50_u64, any::<bool>()).prop_map(|(timeout, saved)| Step::Add { timeout, saved }),
        2 => Just(Step::Saved),
        2 => Just(Step::Connect),
        1 => Just(Step::Lose),
        4 => any::<usize>().prop_map(Step::Answer),
        1 => Just(Step::Refuse),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => (0..20_u64).prop_map(Step::Tick),
    ]
}

/// The outbox with the world around it: what was sent on this connection and not answered, what had an outcome.
struct World {
    outbox: Outbox,
    window: usize,
    now: Instant,
    added: Vec<String>,
    saving: Vec<u64>,
    on_the_wire: Vec<String>,
    ended: HashSet<String>,
    connected: bool,
    connections: u64,
}

impl World {
    fn end(&mut self, message: Message) {
        assert!(self.ended.insert(message.fingerprint.clone()), "{} ended twice", message.fingerprint);
    }

    fn pump(&mut self) {
        let mut last = None;
        while let Some((_, message)) = self.outbox.next() {
            let fp = message.fingerprint.clone();
            assert!(self.connected && !self.ended.contains(&fp) && !self.on_the_wire.contains(&fp));
            let place = self.added.iter().position(|added| *added == fp);
            assert!(place > last, "out of order");
            last = place;
            self.on_the_wire.push(fp);
        }
        let unanswered = self.on_the_wire.iter().filter(|fp| !self.ended.contains(*fp)).count();
        assert!(unanswered <= self.window);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Add { timeout, saved } => {
                let fp = self.added.len().to_string();
                let deadline = Some(self.now + Duration::from_secs(timeout));
                let request = Some(self.added.len() as u64);
                let message = Message { deadline, request, ..message(&fp) };
                let number = self.outbox.add(message, saved).unwrap();
                self.added.push(fp);
                if !saved {
                    self.saving.push(number);
                }
            }
            Step::Saved => {
                for number in self.saving.drain(..) {
                    self.outbox.saved(number);
                }
            }
            Step::Connect => {
                self.connections += 1;
                self.connected = true;
                self.on_the_wire.clear();
                self.outbox.connected(self.connections);
            }
            Step::Lose => {
                self.connected = false;
                self.on_the_wire.clear();
                self.outbox.lost();
            }
            Step::Answer(which) if !self.on_the_wire.is_empty() => {
                let fp = self.on_the_wire.remove(which % self.on_the_wire.len());
                let message = self.outbox.answered(&fp);
                assert_eq!(message.is_some(), !self.ended.contains(&fp));
                message.into_iter().for_each(|message| self.end(message));
            }
            Step::Refuse => {
                if let Some(message) = self.outbox.refused(self.now) {
                    // Those that were given up long ago are not answered any more.
                    let open: Vec<_> =
                        self.on_the_wire.iter().filter(|fp| !self.ended.contains(*fp)).collect();
                    assert_eq!(open, [&message.fingerprint]);
                    self.on_the_wire.clear();
                    self.end(message);
                }
            }
            Step::Cancel(which) if !self.added.is_empty() => {
                let request = (which % self.added.len()) as u64;
                let known = self.ended.contains(&request.to_string());
                let message = self.outbox.take_request(request, self.now);
                assert_eq!(message.is_none(), known);
                message.into_iter().for_each(|message| self.end(message));
            }
            Step::Tick(seconds) => {
                self.now += Duration::from_secs(seconds);
                while let Some(message) = self.outbox.take_expired(self.now) {
                    assert!(message.deadline <= Some(self.now));
                    self.end(message);
                }
                assert!(self.outbox.first_deadline().is_none_or(|at| at > self.now));
            }
            Step::Answer(_) | Step::Cancel(_) => {}
        }
        self.pump();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_ends_once_and_in_order_whatever_happens(
        window in 1..4_usize,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut world = World {
            outbox: Outbox::new(window, 1 << 20),
            window,
            now: Instant::now(),
            added: Vec::new(),
            saving: Vec::new(),
            on_the_wire: Vec::new(),
            ended: HashSet::new(),
            connected: false,
            connections: 0,
        };
        for step in steps {
            world.take(step);
        }
        let rest = world.outbox.end(world.now);
        rest.into_iter().for_each(|message| world.end(message));
        prop_assert_eq!(world.ended.len(), world.added.len(), "none is lost");
        prop_assert_eq!(world.outbox.waiting(), (0, 0));
    }
}
