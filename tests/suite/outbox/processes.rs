//! Messages survive whatever ends: the server, and the process that sends them.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc, Mutex,
    },
    thread::JoinHandle,
};

use ::im_client::{im_client_background, im_client_foreground, im_client_new, im_last_status};
use serde_json::Value;

use super::kit::*;
use crate::{
    c_programs::{library, Build},
    support::{c, im_server, last_error, outcome, wait_for, wait_until, Outcomes, Server, TestClient},
};

const RESTARTS: usize = 50;

/// An im-server that keeps its messages in a file, on an address where no other server of the tests looks for a free port.
struct Durable {
    server: Option<Server>,
    data: tempfile::TempDir,
    host: &'static str,
    port: u16,
}

impl Durable {
    fn start(host: &'static str) -> Self {
        let mut durable =
            Durable { server: None, data: tempfile::tempdir().expect("a temporary folder"), host, port: 0 };
        durable.restart();
        durable
    }

    fn root(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    fn journal(&self) -> PathBuf {
        self.data.path().join("journal")
    }

    /// Kills the server, and starts another one on the same port with the same file.
    fn restart(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill();
        }
        let (data, port) = (self.journal(), self.port.to_string());
        let flags =
            ["--host", self.host, "--port", &port, "--quiet", "--data", data.to_str().expect("UTF-8")];
        let server = im_server(&flags);
        self.port = server.port;
        self.server = Some(server);
    }
}

/// Restarts a server again and again; each time bob has connected in between, and `progress` is more than it was.
fn restart_often(
    mut durable: Durable,
    bob: Arc<TestClient>,
    progress: Arc<AtomicUsize>,
) -> (JoinHandle<Durable>, Arc<AtomicBool>) {
    let done = Arc::new(AtomicBool::new(false));
    let finished = done.clone();
    let thread = std::thread::spawn(move || {
        for _ in 0..RESTARTS {
            let (before, done) = (bob.count("connect"), progress.load(Ordering::Acquire));
            durable.restart();
            wait_until("bob is back", || bob.count("connect") > before);
            wait_until("something is sent", || progress.load(Ordering::Acquire) > done);
        }
        finished.store(true, Ordering::Release);
        durable
    });
    (thread, done)
}

fn shows_each_once(bob: &TestClient, wanted: &[String]) {
    wait_for(&format!("{} messages at bob's", wanted.len()), || {
        let all = shown(bob);
        wanted.iter().all(|fp| all.contains(fp)).then_some(())
    });
    let all = shown(bob);
    for fp in wanted {
        let count = all.iter().filter(|shown| *shown == fp).count();
        assert_eq!(count, 1, "{fp} was shown {count} times");
    }
}

#[test]
fn messages_sent_while_the_server_is_restarted_50_times_arrive_exactly_once() {
    let durable = Durable::start("127.0.0.3");
    let root = durable.root();
    let bob = Arc::new(TestClient::new(options(&root, "bob")));
    let ann = TestClient::new(options(&root, "ann"));
    bob.wait("connect");
    ann.wait("connect");
    let sent = Arc::new(AtomicUsize::new(0));
    let (thread, done) = restart_often(durable, bob.clone(), sent.clone());
    let mut all = Vec::new();
    // As many as the restarts leave time for, one at a time and always one more on its way.
    while !done.load(Ordering::Acquire) {
        let (fp, outcomes) = (format!("m{}", all.len()), Outcomes::default());
        ann.send_message(&message("ann", "bob", &fp), 0, &outcomes);
        wait_until("not too many at once", || ann.info()["outbox"]["messages"].as_u64() < Some(5));
        all.push((fp, outcomes));
        sent.store(all.len(), Ordering::Release);
    }
    let durable = thread.join().expect("the restarts went well");
    // Whatever came twice came before this.
    let (end, outcomes) = ("end".to_owned(), Outcomes::default());
    ann.send_message(&message("ann", "bob", &end), 0, &outcomes);
    all.push((end, outcomes));
    for (fp, outcomes) in &all {
        assert_eq!(outcome(outcomes).0, status("IM_OK"), "{fp}");
        assert_eq!(outcomes.lock().expect("no panic").len(), 1);
    }
    let fps: Vec<String> = all.into_iter().map(|(fp, _)| fp).collect();
    assert!(fps.len() >= RESTARTS, "only {} were sent", fps.len());
    // The server's own list has every message, in order; a resend may stand there twice.
    let mut stored: Vec<String> = Vec::new();
    let journal = std::fs::read_to_string(durable.journal()).expect("the server wrote it");
    for line in journal.lines() {
        let record: Value = serde_json::from_str(line).expect("a record is JSON");
        let fp = record["body"]["fp"].as_str().map(str::to_owned);
        stored.extend(fp.filter(|fp| !stored.contains(fp)));
    }
    assert_eq!(stored, fps);
    shows_each_once(&bob, &fps);
}

/// tests/c/sender.c as a process.
struct Sender {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Sender {
    fn start(program: &Path, root: &str, store: &Path, prefix: &str, count: usize) -> Self {
        let mut child = Command::new(program)
            .args([root, store.to_str().expect("UTF-8"), "ann", "bob", prefix, &count.to_string()])
            .env_remove("LD_LIBRARY_PATH")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was compiled");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (output, read) = (child.stdout.take().expect("it is piped"), lines.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                read.lock().expect("no panic").push(line);
            }
        });
        Sender { child, lines }
    }

    /// What stands behind a word at the start of a line.
    fn said(&self, word: &str) -> Vec<String> {
        let lines = self.lines.lock().expect("no panic");
        let said = lines.iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        said.map(str::to_owned).collect()
    }

    fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // One that is killed already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn messages_of_a_killed_process_arrive_exactly_once_while_the_server_is_restarted_50_times() {
    let build = Build::new(&library(), &[]);
    let program = build.program("sender");
    let durable = Durable::start("127.0.0.4");
    let (root, folder) = (durable.root(), tempfile::tempdir().expect("a temporary folder"));
    let store = folder.path().join("ann.store");
    let bob = Arc::new(TestClient::new(options(&root, "bob")));
    bob.wait("connect");
    let sent = Arc::new(AtomicUsize::new(0));
    let (thread, done) = restart_often(durable, bob.clone(), sent.clone());
    let mut kept = Vec::new();
    let mut life = 0;
    while !done.load(Ordering::Acquire) || life < 3 {
        let mut sender = Sender::start(&program, &root, &store, &format!("life{life}-"), 20);
        // Somewhere in the middle of its work; each life in another place.
        let enough = 1 + life * 7 % 20;
        wait_until("some messages are kept", || {
            let now = sender.said("kept").len();
            sent.store(kept.len() + now, Ordering::Release);
            now >= enough
        });
        sender.kill();
        kept.extend(sender.said("kept"));
        life += 1;
    }
    let _durable = thread.join().expect("the restarts went well");
    // One more life, which only tells what became of the rest.
    let last = Sender::start(&program, &root, &store, "last", 0);
    shows_each_once(&bob, &kept);
    wait_until("every outcome", || last.said("idle").len() == 1);
    // Whatever came twice came before this.
    let eve = TestClient::new(options(&root, "eve"));
    eve.send_message(&message("eve", "bob", "end"), 0, &Outcomes::default());
    wait_until("the end", || shown(&bob).contains(&"end".to_owned()));
    // What was killed before it was kept may have been kept all the same, and shown; but not twice.
    let mut all = shown(&bob);
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
    drop(last);
    // All had their outcomes: another life finds nothing.
    let empty = Sender::start(&program, &root, &store, "end", 1);
    wait_until("its only message", || empty.said("stored") == ["end0"]);
    assert!(empty.said("outbox").is_empty(), "{:?}", empty.said("outbox"));
}

/// The lock of a file is one process's: the other hears which file it is, and both work on.
#[test]
fn two_processes_do_not_share_a_file() {
    let build = Build::new(&library(), &[]);
    let program = build.program("sender");
    let server = scripted(|_, _| Answer::Ack);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("im.store");
    let mut first = Sender::start(&program, &server.root(), &store, "a", 1);
    wait_until("the first has it", || first.said("stored") == ["a0"]);
    let wanted = with(options(&server.root(), "ann"), "store", store.to_str().expect("UTF-8"));
    // SAFETY: NUL-terminated.
    assert_eq!(unsafe { im_client_new(c(&wanted.to_string()).as_ptr()) }, 0);
    assert_eq!(im_last_status(), status("IM_ERROR_SYSTEM"));
    let what = last_error();
    assert!(
        what.contains("\"store\"") && what.contains("im.store") && what.contains("another process"),
        "{what}"
    );
    let second = Sender::start(&program, &server.root(), &store, "b", 1);
    wait_until("the second is refused", || {
        second.said("failed").iter().any(|what| what.contains("im.store"))
    });
    // The lock ends with its process, however that ends.
    first.kill();
    let third = Sender::start(&program, &server.root(), &store, "c", 1);
    wait_until("the third has it", || third.said("stored") == ["c0"]);
}

/// In the background the file is free for another process; on the way back it is taken again, and nothing is lost.
#[test]
fn in_the_background_another_process_may_have_the_file() {
    let build = Build::new(&library(), &[]);
    let program = build.program("sender");
    let server = scripted(|_, _| Answer::Ack);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("im.store");
    let wanted = with(options(&server.root(), "ann"), "store", store.to_str().expect("UTF-8"));
    let ann = TestClient::new(wanted);
    ann.wait("connect");
    assert_eq!(im_client_background(ann.handle), 0);
    let mut other = Sender::start(&program, &server.root(), &store, "other", 1);
    wait_until("the other has it", || other.said("stored") == ["other0"]);
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "written in the background"), 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, 0);
    assert_eq!(im_client_foreground(ann.handle), status("IM_ERROR_SYSTEM"));
    assert!(last_error().contains("im.store"), "{}", last_error());
    other.kill();
    wait_until("the file is taken again", || {
        im_client_background(ann.handle);
        im_client_foreground(ann.handle) == 0
    });
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "and after it"), 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, 0);
}

/// The outcome of what a killed process had sent comes to the next one as an event.
#[test]
fn the_next_process_tells_what_became_of_the_messages() {
    let build = Build::new(&library(), &[]);
    let program = build.program("sender");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("im.store");
    let server = scripted(|connection, _| if connection == 1 { Answer::Silence } else { Answer::Ack });
    let mut first = Sender::start(&program, &server.root(), &store, "a", 3);
    wait_until("all are kept and one is sent", || first.said("kept").len() == 3 && got(&server).len() == 1);
    first.kill();
    let next = Sender::start(&program, &server.root(), &store, "b", 0);
    wait_until("three outcomes", || next.said("outbox").len() == 3);
    let told: Vec<Value> =
        next.said("outbox").iter().map(|json| serde_json::from_str(json).expect("JSON")).collect();
    assert_eq!(told.iter().map(fp).collect::<Vec<_>>(), ["a0", "a1", "a2"]);
    assert!(told.iter().all(|told| told["status"] == 0), "{told:?}");
    assert_eq!(got(&server).len(), 4, "the first one was sent by both");
}
