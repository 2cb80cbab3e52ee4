//! A hundred users chat through a server that is killed again and again: nothing is lost, and nothing grows.

use std::{
    ffi::{c_void, CStr},
    sync::{
        atomic::{AtomicU64, Ordering::SeqCst},
        Mutex, MutexGuard,
    },
    thread,
    time::{Duration, Instant},
};

use ::im_client::*;

use super::kit::*;
use crate::support::{
    c,
    footprint::{self, Before, Footprint},
    im_server, last_error, socketio, torture,
    torture::Account,
    wait_until, FaultProxy, Server,
};

const USERS: usize = 100;
/// In so short a run the process is shared with other tests, and has not found its size yet: what it holds is not looked at.
const SHORT: u64 = 8;
/// From one message to the next, of all users together, where server and machine are quick enough.
const PACE: Duration = Duration::from_millis(10);
/// Where so many have no outcome yet, the next one waits.
const MOST_UNSETTLED: u64 = 1000;
/// For a count to go on, at the end.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a client remembers of messages is bounded, and is filled before anything is measured: after so many, so many at a time.
const FILLERS: (u64, u64) = (20_000, 100);
const FILLER: &str = "filler";

/// What a user was told; all its room is taken at the start, so that what grows is not this.
struct User {
    number: usize,
    shown: Mutex<Shown>,
    stored: AtomicU64,
    failed: AtomicU64,
    fillers: AtomicU64,
}

struct Shown {
    /// How often, by the message's place among those to this user.
    times: Vec<u8>,
    all: u32,
    /// What is not to this user, as it came.
    strange: Vec<String>,
}

impl User {
    fn new(number: usize, messages: u64) -> Self {
        let places = usize::try_from(messages).expect("small") / USERS + 1;
        User {
            number,
            shown: Mutex::new(Shown { times: vec![0; places], all: 0, strange: Vec::new() }),
            stored: 0.into(),
            failed: 0.into(),
            fillers: 0.into(),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().expect("nobody panics with it")
    }
}

fn receiver_of(message: usize) -> usize {
    (message + 1) % USERS
}

unsafe extern "C" fn on_message(event: *const im_event, user: *mut c_void) {
    // SAFETY: event and user live through the callback, the user until its client is destroyed.
    let (event, user) = unsafe { (&*event, &*user.cast::<User>()) };
    // SAFETY: NUL-terminated.
    let json = unsafe { CStr::from_ptr(event.json) }.to_str().expect("UTF-8");
    if json.contains(FILLER) {
        user.fillers.fetch_add(FILLERS.1, SeqCst);
        return;
    }
    let envelope: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let payload = payload(&envelope);
    let one = std::slice::from_ref(payload);
    let mut shown = user.shown();
    for message in payload.as_array().map_or(one, Vec::as_slice) {
        let number: usize = fp(message).parse().expect("a number");
        if receiver_of(number) == user.number {
            shown.times[number / USERS] += 1;
            shown.all += 1;
        } else {
            shown.strange.push(json.to_owned());
        }
    }
}

unsafe extern "C" fn on_outcome(outcome: im_status, _reply: *const im_event, user: *mut c_void) {
    // SAFETY: as above.
    let user = unsafe { &*user.cast::<User>() };
    let counter = if outcome == 0 { &user.stored } else { &user.failed };
    counter.fetch_add(1, SeqCst);
}

fn name(user: usize) -> String {
    format!("u{user}")
}

/// A client of this user, which tells it what comes.
fn connect(root: &str, user: &User) -> im_client {
    let options = c(&options(root, &name(user.number)).to_string());
    // SAFETY: NUL-terminated; the user outlives the client.
    unsafe {
        let client = im_client_new(options.as_ptr());
        assert_ne!(client, 0, "{}", last_error());
        for event in [wire("CHAT_MESSAGE"), wire("CHAT_PULL_OFFLINE_MESSAGE")] {
            let event = c(event);
            assert!(
                im_client_on(client, event.as_ptr(), Some(on_message), (&raw const *user).cast_mut().cast())
                    > 0
            );
        }
        take_the_rest(client);
        client
    }
}

/// Message `number` of all, from one user to the next.
fn send(clients: &[im_client], users: &[User], number: u32) {
    let from = usize::try_from(number).expect("small") % USERS;
    let message = message(&name(from), &name(receiver_of(from)), &number.to_string());
    let (message, user) = (c(&message.to_string()), (&raw const users[from]).cast_mut().cast());
    // SAFETY: NUL-terminated; the user outlives the client.
    let id =
        unsafe { im_client_send_message(clients[from], message.as_ptr(), 600_000, Some(on_outcome), user) };
    assert!(id > 0, "{}", last_error());
}

/// Has every client remember as many messages as it ever will.
fn fill(server: &Server, users: &[User]) {
    wait_until("everybody in the chat", || server.stats()["connectsNow"]["/chat"] == USERS);
    for first in (0..FILLERS.0).step_by(usize::try_from(FILLERS.1).expect("small")) {
        let list: Vec<_> =
            (first..first + FILLERS.1).map(|number| message(FILLER, "all", &number.to_string())).collect();
        let args = [envelope("X", 0, &list.into())];
        server.post(
            "/control/emit",
            serde_json::json!({ "nsp": "/chat", "event": wire("CHAT_PULL_OFFLINE_MESSAGE"), "args": args }),
        );
        wait_total("fillers at everybody", (first + FILLERS.1) * USERS as u64, || {
            total(users, |user| user.fillers.load(SeqCst))
        });
    }
}

fn total(users: &[User], count: impl Fn(&User) -> u64) -> u64 {
    users.iter().map(count).sum()
}

/// Waits as long as it goes on; a slow machine is no failure.
fn wait_total(what: &str, goal: u64, count: impl Fn() -> u64) {
    let (mut last, mut since) = (count(), Instant::now());
    while last < goal {
        thread::sleep(Duration::from_millis(2));
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "{what}: {last} of {goal}, and no more for {PATIENCE:?}");
    }
}

fn settled(users: &[User]) -> u64 {
    total(users, |user| user.stored.load(SeqCst) + user.failed.load(SeqCst))
}

fn most_messages(seconds: u64) -> u64 {
    u64::try_from(Duration::from_secs(seconds).as_millis() / PACE.as_millis()).expect("small")
}

/// What went on until the time was over.
struct Chat {
    sent: u32,
    kills: u64,
    taken: Vec<Footprint>,
}

/// Everybody writes to the next one, and the server dies again and again; `start` gives the next.
fn chat(
    seconds: u64,
    clients: &[im_client],
    users: &[User],
    mut server: Server,
    mut next: impl FnMut() -> Server,
) -> (Chat, Server) {
    let between_kills = Duration::from_secs((seconds / 60).clamp(2, 20));
    let start = Instant::now();
    let (mut last_kill, mut last_look, mut next_message) = (start, start, start);
    let (mut goal, mut chat) = (USERS as u64, Chat { sent: 0, kills: 0, taken: Vec::new() });
    let end = Duration::from_secs(seconds);
    // One that was never killed shows nothing.
    while start.elapsed() < end || chat.kills == 0 && start.elapsed() < end + PATIENCE {
        while next_message < Instant::now() {
            next_message += PACE;
            let sent = u64::from(chat.sent);
            if sent < most_messages(seconds) && sent - settled(users) < MOST_UNSETTLED {
                send(clients, users, chat.sent);
                chat.sent += 1;
            }
        }
        // What comes and goes with connections is not what grows.
        let is_due = last_look.elapsed() > Duration::from_secs(1);
        if is_due && clients.iter().all(|client| im_client_state(*client) == IM_STATE_CONNECTED) {
            last_look = Instant::now();
            chat.taken.push(Footprint::take(start));
        }
        // A server that is slow to start gets to work, too.
        if last_kill.elapsed() > between_kills && settled(users) >= goal {
            server.kill();
            server = next();
            (last_kill, chat.kills, goal) = (Instant::now(), chat.kills + 1, settled(users) + USERS as u64);
        }
        thread::sleep(Duration::from_millis(5));
    }
    (chat, server)
}

/// What is wrong with what the users were told.
fn account(users: &[User], sent: u32) -> Account {
    let mut account = Account::default();
    let stored = total(users, |user| user.stored.load(SeqCst));
    account.holds(stored == u64::from(sent), || format!("{stored} of {sent} outcomes are good"));
    let settled = settled(users);
    account.holds(settled == u64::from(sent), || format!("{settled} outcomes of {sent} messages"));
    for number in 0..usize::try_from(sent).expect("small") {
        match users[receiver_of(number)].shown().times[number / USERS] {
            0 => account.lost(format!("message {number}")),
            times => account.holds(times == 1, || format!("message {number} was shown {times} times")),
        }
    }
    for user in users {
        let strange = &user.shown().strange;
        account.holds(strange.is_empty(), || format!("{} was shown {strange:?}", name(user.number)));
    }
    account
}

#[test]
fn nothing_is_lost_and_nothing_grows_while_the_server_flaps() {
    let seconds = torture::scale("IM_TORTURE_SOAK_SECONDS", SHORT);
    let (before, begun) = (Before::now(), Instant::now());
    let data = tempfile::tempdir().expect("a temporary folder");
    let journal = data.path().join("journal");
    let start_server = || -> Server { im_server(&["--quiet", "--data", journal.to_str().expect("UTF-8")]) };
    let first = if seconds > SHORT { socketio(4, &["--path", "/ws"]) } else { start_server() };
    let door = FaultProxy::start(first.port, 0);
    door.calm();
    let most = most_messages(seconds);
    let users: Vec<User> = (0..USERS).map(|number| User::new(number, most)).collect();
    let clients: Vec<im_client> = users.iter().map(|user| connect(&door.root(), user)).collect();
    let next = || {
        let server = start_server();
        door.restarted(&[server.port]);
        server
    };
    let server = if seconds > SHORT {
        fill(&first, &users);
        drop(first);
        next()
    } else {
        first
    };
    let (chat, server) = chat(seconds, &clients, &users, server, next);
    footprint::write("soak.csv", &chat.taken);
    wait_total("every message's outcome", chat.sent.into(), || settled(&users));
    wait_total("every message at its receiver", chat.sent.into(), || {
        total(&users, |user| user.shown().all.into())
    });
    clients.iter().for_each(|client| wait_empty(*client));
    clients.iter().for_each(|client| assert_eq!(im_client_destroy(*client), 0));
    drop((server, door));
    before.comes_back();
    let mut account = account(&users, chat.sent);
    account.holds(chat.kills > 0, || "the server was never killed".into());
    if seconds > SHORT {
        let growths = footprint::growths(&chat.taken);
        account.holds(growths.is_empty(), || format!("{growths:?}"));
    }
    let what = format!(
        "messages of {USERS} users through a server that was killed {} times; memory, descriptors and threads flat",
        chat.kills
    );
    account.close("soak", &what, (chat.sent.into(), "messages"), begun.elapsed());
}
