//! Chat through a network that harms what passes, with an exact account afterwards.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::{json, Value};

use super::kit::*;
use crate::{
    cluster::stored,
    support::{
        egg, footprint::Before, im_server, socketio, torture, torture::Account, Daemon, FaultProxy, Outcomes,
        Server, TestClient,
    },
};

/// How many messages may be unanswered at a time.
const WINDOW: usize = 8;
/// One question, which a fault may leave without an answer, for so many messages.
const MESSAGES_PER_QUESTION: usize = 4;
/// How long nothing may change once the network does no harm, and while it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Servers that know the same messages, and write one before they acknowledge it.
struct Servers {
    nodes: Vec<Server>,
    start: Box<dyn Fn() -> Server>,
    stored: Box<dyn Fn() -> Vec<String>>,
    /// What a node had no time to pass on is only in what is asked for.
    is_cluster: bool,
}

impl Servers {
    /// Two nodes on Redis.
    fn cluster(start: fn(&[&str]) -> Server) -> Self {
        let redis = Daemon::redis_server();
        let address = redis.address();
        let start = move || start(&["--redis", &address]);
        let nodes = vec![start(), start()];
        Servers { nodes, start: Box::new(start), stored: Box::new(move || stored(&redis)), is_cluster: true }
    }

    /// The embedded one, with a file.
    fn embedded() -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let journal = data.path().join("journal");
        let flags = journal.to_str().expect("UTF-8").to_owned();
        let start = move || im_server(&["--quiet", "--data", &flags]);
        let stored = move || {
            let _still_there = &data;
            let text = std::fs::read_to_string(&journal).expect("the server wrote it");
            fingerprints(&text)
        };
        Servers { nodes: vec![start()], start: Box::new(start), stored: Box::new(stored), is_cluster: false }
    }

    fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.port).collect()
    }

    /// The first is killed; another one takes its place.
    fn restart(&mut self) {
        self.nodes[0].kill();
        self.nodes[0] = (self.start)();
        self.nodes.rotate_left(1);
    }
}

/// Of the messages in the journal of the embedded server, in their order.
fn fingerprints(journal: &str) -> Vec<String> {
    let found = journal.split("\"fp\":\"").skip(1).filter_map(|rest| rest.split_once('"'));
    found.map(|(fp, _)| fp.to_owned()).collect()
}

struct Sent {
    fp: String,
    outcomes: Outcomes,
}

impl Sent {
    fn count(&self) -> usize {
        self.outcomes.lock().expect("no panic").len()
    }
}

/// Two users by one transport, through a proxy of their own: one writes to the other.
struct Pair {
    transport: &'static str,
    proxy: FaultProxy,
    ann: TestClient,
    bob: TestClient,
    sent: Vec<Sent>,
    questions: Vec<Outcomes>,
}

impl Pair {
    fn new(transport: &'static str, servers: &Servers, seed: u64) -> Self {
        let proxy = FaultProxy::before(&servers.ports(), seed);
        let client = |user: &str| {
            let user = format!("{user}-{transport}");
            let options = with(options(&proxy.root(), &user), "transports", json!([transport]));
            TestClient::new(with(options, "timeout", 3000))
        };
        let (ann, bob) = (client("ann"), client("bob"));
        Pair { transport, proxy, ann, bob, sent: Vec::new(), questions: Vec::new() }
    }

    /// Writes one more message, unless too many have no outcome.
    fn go_on(&mut self) {
        if self.sent.iter().rev().take(WINDOW).filter(|sent| sent.count() == 0).count() == WINDOW {
            return;
        }
        let (transport, number) = (self.transport, self.sent.len());
        let fp = format!("{transport}-{number:06}");
        let outcomes = Outcomes::default();
        let message = message(&format!("ann-{transport}"), &format!("bob-{transport}"), &fp);
        self.ann.send_message(&message, 600_000, &outcomes);
        self.sent.push(Sent { fp, outcomes });
        if number % MESSAGES_PER_QUESTION == 0 {
            let outcomes = Outcomes::default();
            self.bob.ask("echo", &json!(number), 2000, &outcomes);
            self.questions.push(outcomes);
        }
    }

    /// Waits until every message has its outcome and is shown, every question has its own, and nothing else is left.
    fn settle(&self, is_cluster: bool) {
        let answered = || self.questions.iter().filter(|asked| !asked.lock().expect("no panic").is_empty());
        let settled = || self.sent.iter().filter(|sent| sent.count() > 0).count();
        wait_total("outcomes", self.sent.len(), settled);
        wait_total("outcomes of questions", self.questions.len(), || answered().count());
        wait_total("messages at their receiver", self.sent.len(), || {
            let shown = shown(&self.bob).len();
            if is_cluster && shown < self.sent.len() {
                self.bob.emit(wire("CHAT_PULL_OFFLINE_MESSAGE"), &Value::Null);
                std::thread::sleep(Duration::from_millis(50));
            }
            shown
        });
        wait_empty(self.ann.handle);
        wait_empty(self.bob.handle);
    }

    fn account(&self, stored: &[String], is_cluster: bool) -> Account {
        let mut account = Account::default();
        let mut place_of: HashMap<&str, usize> = HashMap::new();
        for (place, fp) in stored.iter().enumerate() {
            place_of.entry(fp).or_insert(place);
        }
        let mut times: HashMap<String, usize> = HashMap::new();
        shown(&self.bob).into_iter().for_each(|fp| *times.entry(fp).or_default() += 1);
        let mut places = Vec::new();
        for Sent { fp, outcomes } in &self.sent {
            let outcomes = outcomes.lock().expect("no panic");
            account.holds(outcomes.len() == 1, || format!("{fp}: {} outcomes", outcomes.len()));
            account.holds(outcomes[0].0 == status("IM_OK"), || format!("{fp}: {:?}", outcomes[0]));
            match place_of.get(fp.as_str()) {
                Some(place) => places.push(place),
                None => account.lost(format!("{fp}: acknowledged and not stored")),
            }
            match times.remove(fp) {
                None => account.lost(format!("{fp}: acknowledged and not shown")),
                Some(times) => account.holds(times == 1, || format!("{fp}: shown {times} times")),
            }
        }
        account.holds(times.is_empty(), || format!("shown and never sent: {times:?}"));
        account.holds(places.is_sorted(), || "stored in another order".into());
        for (number, asked) in self.questions.iter().enumerate() {
            let outcomes = asked.lock().expect("no panic").len();
            account.holds(outcomes == 1, || format!("question {number}: {outcomes} outcomes"));
        }
        let live: Vec<String> =
            self.bob.all(wire("CHAT_MESSAGE")).iter().map(|one| fp(payload(one))).collect();
        // Of two nodes one may be slower to pass on than the other.
        account.holds(is_cluster || live.is_sorted(), || format!("came in another order: {live:?}"));
        account
    }
}

/// Waits as long as it goes on; a slow machine is no failure.
fn wait_total(what: &str, goal: usize, count: impl Fn() -> usize) {
    let (mut last, mut since) = (count(), Instant::now());
    while last < goal {
        std::thread::sleep(Duration::from_millis(5));
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "{what}: {last} of {goal}, and no more for {PATIENCE:?}");
    }
}

/// Chats by both transports until so many faults were done to each; in between a server is killed `restarts` times.
fn chat(pairs: &mut [Pair], servers: &mut Servers, faults: u64, restarts: u64) {
    let (mut done, mut last, mut since) = (0, 0, Instant::now());
    loop {
        let harm: Vec<u64> = pairs.iter().map(|pair| pair.proxy.faults()).collect();
        let (least, all) = (*harm.iter().min().expect("two"), harm.iter().sum::<u64>());
        if least >= faults && done == restarts {
            return;
        }
        if done < restarts && least * (restarts + 1) >= faults * (done + 1) {
            done += 1;
            servers.restart();
            pairs.iter().for_each(|pair| pair.proxy.restarted(&servers.ports()));
        }
        pairs.iter_mut().filter(|pair| pair.proxy.faults() < faults || done < restarts).for_each(Pair::go_on);
        if all != last {
            (last, since) = (all, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "{harm:?} faults of {faults}, and no more for {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn survive(name: &str, what: &str, start: impl FnOnce() -> Servers) {
    let (before, begun) = (Before::now(), Instant::now());
    let faults = torture::scale("IM_TORTURE_FAULTS", 20);
    let restarts = if faults > 100 { 4 } else { 1 };
    let seed = torture::scale("IM_TORTURE_SEED", 7);
    let mut servers = start();
    let mut pairs = [Pair::new("websocket", &servers, seed), Pair::new("polling", &servers, seed + 1)];
    chat(&mut pairs, &mut servers, faults, restarts);
    pairs.iter().for_each(|pair| pair.proxy.calm());
    pairs.iter().for_each(|pair| pair.settle(servers.is_cluster));
    let stored = (servers.stored)();
    let mut accounts = Vec::new();
    for pair in pairs {
        // The end of a client must not settle anything again.
        assert_eq!(::im_client::im_client_destroy(pair.ann.handle), 0);
        assert_eq!(::im_client::im_client_destroy(pair.bob.handle), 0);
        let (account, sent) = (pair.account(&stored, servers.is_cluster), pair.sent.len());
        let row = format!("{sent} messages to {what} by {}: {}", pair.transport, pair.proxy.tally());
        println!("seed {seed}: {row}");
        accounts.push((account, format!("faults-{name}-{}", pair.transport), row, pair.proxy.faults()));
    }
    drop(servers);
    before.comes_back();
    for (account, part, row, faults) in accounts {
        account.close(&part, &row, (faults, "faults"), begun.elapsed());
    }
}

#[test]
fn nothing_is_lost_on_a_harmful_way_to_egg() {
    survive("egg", "two nodes of egg-socket.io (2.x) on Redis", || Servers::cluster(egg));
}

#[test]
fn nothing_is_lost_on_a_harmful_way_to_socketio_4() {
    let start = |flags: &[&str]| socketio(4, &[&["--path", "/ws"], flags].concat());
    survive("socketio", "two nodes of socket.io 4 on Redis", || Servers::cluster(start));
}

#[test]
fn nothing_is_lost_on_a_harmful_way_to_the_embedded_server() {
    survive("embedded", "the embedded server with a file", Servers::embedded);
}
