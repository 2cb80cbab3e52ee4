//! A hundred users chat through a server that is killed again and again: nothing is lost, and nothing grows.

use std::{
    ffi::{c_void, CStr},
    fs,
    sync::{
        atomic::{AtomicU64, Ordering::SeqCst},
        Mutex, MutexGuard,
    },
    thread,
    time::{Duration, Instant},
};

use ::im_client::*;

use super::kit::*;
use crate::support::{c, im_server, last_error, torture, wait_until, FaultProxy, Server};

const USERS: usize = 100;
/// In so short a run the process is shared with other tests, and has not found its size yet: what it holds is not looked at.
const SHORT: u64 = 8;
/// Of all users together, in a second.
const MESSAGES: u64 = 100;
const MOST_GROWTH_KB: u64 = 4096;

/// What a user was told; all its room is taken at the start, so that what grows is not this.
struct User {
    number: usize,
    shown: Mutex<Shown>,
    stored: AtomicU64,
    failed: AtomicU64,
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

/// What the process holds: resident memory, descriptors, threads.
#[derive(Clone, Copy)]
struct Sample {
    second: f64,
    kb: u64,
    descriptors: u64,
    threads: u64,
}

fn sample(start: Instant) -> Sample {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is there");
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number")
    };
    let descriptors = fs::read_dir("/proc/self/fd").expect("Linux").count();
    let descriptors = u64::try_from(descriptors).expect("small");
    Sample {
        second: start.elapsed().as_secs_f64(),
        kb: number("VmRSS:"),
        descriptors,
        threads: number("Threads:"),
    }
}

/// The middle one of a quarter of the samples, the first quarter being 0.
fn of_quarter(samples: &[Sample], quarter: usize, value: impl Fn(&Sample) -> u64) -> u64 {
    let size = samples.len() / 4;
    let mut values: Vec<u64> = samples[quarter * size..(quarter + 1) * size].iter().map(value).collect();
    values.sort_unstable();
    values[size / 2]
}

fn nothing_grows(samples: &[Sample]) {
    let growth = |value: fn(&Sample) -> u64| {
        let (before, after) = (of_quarter(samples, 1, value), of_quarter(samples, 3, value));
        (before, after.saturating_sub(before))
    };
    let (kb, more_kb) = growth(|sample| sample.kb);
    assert!(more_kb < MOST_GROWTH_KB, "{kb} kB and then {more_kb} more");
    let (descriptors, more) = growth(|sample| sample.descriptors);
    assert!(more < 5, "{descriptors} descriptors and then {more} more");
    let (threads, more) = growth(|sample| sample.threads);
    assert!(more < 3, "{threads} threads and then {more} more");
}

fn write_samples(samples: &[Sample]) {
    let Ok(folder) = std::env::var("IM_TORTURE_ROWS") else { return };
    let line = |s: &Sample| format!("{:.1},{},{},{}\n", s.second, s.kb, s.descriptors, s.threads);
    let lines: String = samples.iter().map(line).collect();
    fs::create_dir_all(&folder).expect("the folder can be made");
    fs::write(format!("{folder}/soak.csv"), format!("second,kb,descriptors,threads\n{lines}"))
        .expect("it can be written");
}

#[test]
fn nothing_is_lost_and_nothing_grows_while_the_server_flaps() {
    let seconds = torture::scale("IM_TORTURE_SOAK_SECONDS", SHORT);
    let between_kills = Duration::from_secs((seconds / 60).clamp(2, 20));
    let data = tempfile::tempdir().expect("a temporary folder");
    let journal = data.path().join("journal");
    let start_server = || -> Server { im_server(&["--quiet", "--data", journal.to_str().expect("UTF-8")]) };
    let mut server = start_server();
    let door = FaultProxy::start(server.port, 0);
    door.calm();
    let users: Vec<User> = (0..USERS).map(|number| User::new(number, seconds * MESSAGES)).collect();
    let clients: Vec<im_client> = users.iter().map(|user| connect(&door.root(), user)).collect();
    let (start, mut last_kill, mut kills) = (Instant::now(), Instant::now(), 0_u64);
    let (mut sent, mut samples) = (0_u32, Vec::new());
    while start.elapsed() < Duration::from_secs(seconds) {
        let due = start.elapsed().as_millis() * u128::from(MESSAGES) / 1000;
        while u128::from(sent) < due {
            send(&clients, &users, sent);
            sent += 1;
        }
        if samples.len() < usize::try_from(start.elapsed().as_secs()).expect("small") {
            samples.push(sample(start));
        }
        if last_kill.elapsed() > between_kills {
            (last_kill, kills) = (Instant::now(), kills + 1);
            server.kill();
            server = start_server();
            door.lead_to(server.port);
        }
        thread::sleep(Duration::from_millis(5));
    }
    let settled =
        || users.iter().map(|user| user.stored.load(SeqCst) + user.failed.load(SeqCst)).sum::<u64>();
    wait_until("every message's outcome", || settled() >= u64::from(sent));
    let shown = || users.iter().map(|user| user.shown().all).sum::<u32>();
    wait_until("every message at its receiver", || shown() >= sent);
    write_samples(&samples);
    for client in clients {
        assert_eq!(im_client_destroy(client), 0);
    }
    assert_eq!(
        users.iter().map(|user| user.stored.load(SeqCst)).sum::<u64>(),
        u64::from(sent),
        "one outcome each, and good"
    );
    for user in &users {
        let shown = user.shown();
        assert!(shown.strange.is_empty(), "{} was shown {:?}", name(user.number), shown.strange);
        assert!(shown.times.iter().all(|times| *times <= 1), "{} was shown one twice", name(user.number));
    }
    assert_eq!(shown(), sent, "each once");
    assert!(kills > 0);
    if seconds > SHORT {
        nothing_grows(&samples);
    }
    let what = format!("messages of {USERS} users through a server that was killed {kills} times; memory, descriptors and threads flat");
    torture::row("soak", &what, (sent.into(), "messages"), 0, 0, start.elapsed());
}
