//! A cluster behind nginx with sticky sessions: two nodes that share Redis, one of which is killed while everybody chats.

use std::time::Instant;

use serde_json::Value;

use crate::{
    im::kit::{message, status, wire},
    outbox::kit::{options, shown, take_the_rest, wait_empty},
    support::{
        egg, footprint::Before, socketio, torture::Account, wait_until, Daemon, Nginx, Outcomes, Server,
        TestClient,
    },
};

const USERS: usize = 200;
/// Rounds of a message from everybody, before the kill, while it happens, and afterwards.
const ROUNDS: [usize; 3] = [2, 2, 2];

struct User {
    name: String,
    client: TestClient,
    outcomes: Outcomes,
    sent: Vec<String>,
}

impl User {
    fn new(root: &str, number: usize) -> Self {
        let name = format!("u{number}");
        let client = TestClient::deaf(options(root, &name));
        for event in ["connect", wire("CHAT_MESSAGE"), wire("CHAT_PULL_OFFLINE_MESSAGE")] {
            assert!(client.on(event) > 0);
        }
        take_the_rest(client.handle);
        User { name, client, outcomes: Outcomes::default(), sent: Vec::new() }
    }

    fn send(&mut self, to: &str) {
        let fp = format!("{}-{}", self.name, self.sent.len());
        self.client.send_message(&message(&self.name, to, &fp), 600_000, &self.outcomes);
        self.sent.push(fp);
    }

    fn settled(&self) -> usize {
        self.outcomes.lock().expect("no panic").len()
    }
}

/// Everybody writes to the next one.
fn chat(users: &mut [User], rounds: usize) {
    for _ in 0..rounds {
        for number in 0..users.len() {
            let to = users[(number + 1) % users.len()].name.clone();
            users[number].send(&to);
        }
    }
}

fn wait_settled(users: &[User]) {
    for user in users {
        wait_until(&format!("the outcomes of {}", user.name), || user.settled() == user.sent.len());
    }
}

/// So many users are in `/chat` of this node.
fn users_of(node: &Server) -> u64 {
    node.stats()["connectsNow"]["/chat"].as_u64().expect("a number")
}

/// The fingerprints of the messages that the cluster stored, in their order.
pub fn stored(redis: &Daemon) -> Vec<String> {
    let lines = redis.redis(&["LRANGE", "im:messages", "0", "-1"]);
    let messages = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    messages.map(|message| message["fp"].as_str().expect("a fingerprint").to_owned()).collect()
}

/// Waits until a user was shown so many; what a node had no time to pass on comes with what was missed.
fn wait_shown(user: &User, count: usize) {
    wait_until(&format!("all that was sent to {}", user.name), || {
        let all = shown(&user.client).len() >= count;
        if !all {
            user.client.emit(wire("CHAT_PULL_OFFLINE_MESSAGE"), &Value::Null);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        all
    });
}

/// What one user sent is stored, first in the order in which it was sent, has one outcome, and is shown once to the next user.
fn account_for(account: &mut Account, user: &User, next: &User, stored: &[String]) {
    let outcomes = user.outcomes.lock().expect("no panic");
    account
        .holds(outcomes.len() == user.sent.len(), || format!("{}: {} outcomes", user.name, outcomes.len()));
    let all_good = outcomes.iter().all(|outcome| outcome.0 == status("IM_OK"));
    account.holds(all_good, || format!("{}: {outcomes:?}", user.name));
    let mut places = Vec::new();
    let mut shown = shown(&next.client);
    for fp in &user.sent {
        match stored.iter().position(|other| other == fp) {
            Some(place) => places.push(place),
            None => account.lost(format!("{fp}: acknowledged and not stored")),
        }
        match shown.iter().position(|other| other == fp) {
            Some(place) => drop(shown.swap_remove(place)),
            None => account.lost(format!("{fp}: acknowledged and not shown")),
        }
    }
    account.holds(places.is_sorted(), || format!("{}: stored in another order", user.name));
    account.holds(shown.is_empty(), || format!("{} was shown also {shown:?}", next.name));
}

fn survive(part: &str, what: &str, start_node: impl Fn(&str) -> Server) {
    let (before, begun) = (Before::now(), Instant::now());
    let redis = Daemon::redis_server();
    let (mut first, second) = (start_node(&redis.address()), start_node(&redis.address()));
    let nginx = Nginx::sticky(&first, &second);
    let mut users: Vec<User> = (0..USERS).map(|number| User::new(&nginx.root(), number)).collect();
    for user in &users {
        user.client.wait("connect");
    }
    for node in [&first, &second] {
        assert!(users_of(node) >= 50, "both nodes have users: {}", users_of(node));
    }
    chat(&mut users, ROUNDS[0]);
    wait_settled(&users);
    chat(&mut users, ROUNDS[1]);
    first.kill();
    wait_settled(&users);
    wait_until("everybody at the other node", || users_of(&second) == USERS as u64);
    chat(&mut users, ROUNDS[2]);
    wait_settled(&users);
    let (stored, mut account) = (stored(&redis), Account::default());
    for (number, user) in users.iter().enumerate() {
        wait_shown(&users[(number + 1) % USERS], user.sent.len());
    }
    users.iter().for_each(|user| wait_empty(user.client.handle));
    for user in &users {
        assert_eq!(::im_client::im_client_destroy(user.client.handle), 0);
    }
    for (number, user) in users.iter().enumerate() {
        account_for(&mut account, user, &users[(number + 1) % USERS], &stored);
    }
    let sent: usize = users.iter().map(|user| user.sent.len()).sum();
    drop((users, nginx, first, second, redis));
    before.comes_back();
    let what = format!(
        "{USERS} users of {what} behind nginx with sticky sessions, one of two nodes is killed: all go on at the other"
    );
    account.close(part, &what, (sent as u64, "messages"), begun.elapsed());
}

#[test]
fn everybody_goes_on_at_the_other_node_of_egg() {
    survive("cluster-egg", "egg-socket.io (2.x) on Redis", |redis| egg(&["--redis", redis]));
}

#[test]
fn everybody_goes_on_at_the_other_node_of_socketio_4() {
    survive("cluster-socketio", "socket.io 4 with its Redis adapter", |redis| {
        socketio(4, &["--path", "/ws", "--redis", redis])
    });
}
