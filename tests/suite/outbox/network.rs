//! Chat through a network that harms what passes, with an exact account afterwards.

use std::time::{Duration, Instant};

use serde_json::json;

use super::kit::*;
use crate::support::{egg, im_server, torture, FaultProxy, Outcomes, Server, TestClient};

/// How many messages may be unanswered at a time.
const WINDOW: usize = 8;
/// How long the last of them may take once the network does no harm.
const PATIENCE: Duration = Duration::from_secs(60);

struct Story {
    name: &'static str,
    start: fn(&[&str]) -> Server,
    transport: &'static str,
    /// Kills the server and starts another one with the same file, so often.
    restarts: u64,
}

struct Sent {
    fp: String,
    outcomes: Outcomes,
}

impl Sent {
    fn is_settled(&self) -> bool {
        !self.outcomes.lock().expect("no panic").is_empty()
    }
}

fn chatter(root: &str, user: &str, transport: &str) -> TestClient {
    let options = with(options(root, user), "transports", json!([transport]));
    TestClient::new(with(options, "timeout", 3000))
}

/// Chats until so many faults were done; then every message that was sent is stored, acknowledged once, and shown once.
fn survive(story: &Story, faults: u64, seed: u64) -> u64 {
    let data = tempfile::tempdir().expect("a temporary folder");
    let journal = data.path().join("journal");
    let flags = ["--data", journal.to_str().expect("UTF-8")];
    let mut server = (story.start)(&flags);
    let proxy = FaultProxy::start(server.port, seed);
    let (ann, bob) =
        (chatter(&proxy.root(), "ann", story.transport), chatter(&proxy.root(), "bob", story.transport));
    let mut sent: Vec<Sent> = Vec::new();
    let mut restarts = 0;
    let start = Instant::now();
    while proxy.faults() < faults {
        assert!(
            start.elapsed() < Duration::from_secs(faults.max(60)),
            "{} faults of {faults}",
            proxy.faults()
        );
        if restarts < story.restarts && proxy.faults() * (story.restarts + 1) > faults * (restarts + 1) {
            restarts += 1;
            server.kill();
            server = (story.start)(&flags);
            proxy.lead_to(server.port);
        }
        if sent.iter().rev().take(WINDOW).all(|sent| !sent.is_settled()) && sent.len() >= WINDOW {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        }
        let fp = format!("f{:06}", sent.len());
        let outcomes = Outcomes::default();
        ann.send_message(&message("ann", "bob", &fp), 600_000, &outcomes);
        sent.push(Sent { fp, outcomes });
    }
    proxy.calm();
    let fps: Vec<String> = sent.iter().map(|sent| sent.fp.clone()).collect();
    let end = Instant::now() + PATIENCE;
    wait_until_or(
        end,
        || sent.iter().all(Sent::is_settled),
        || format!("{} with seed {seed}: unanswered", story.name),
    );
    for sent in &sent {
        let outcomes = sent.outcomes.lock().expect("no panic");
        assert_eq!(outcomes.len(), 1, "{}: {} was answered more than once", story.name, sent.fp);
        assert_eq!(outcomes[0].0, status("IM_OK"), "{}: {}", story.name, sent.fp);
    }
    let stored = std::fs::read_to_string(&journal).expect("the server wrote it");
    let places: Vec<usize> =
        fps.iter().map(|fp| stored.find(fp).unwrap_or_else(|| panic!("{fp} is not stored"))).collect();
    assert!(places.is_sorted(), "{} with seed {seed}: stored in another order", story.name);
    wait_until_or(
        end,
        || shown(&bob).len() >= fps.len(),
        || {
            let shown = shown(&bob);
            let lost: Vec<&String> = fps.iter().filter(|fp| !shown.contains(fp)).collect();
            format!("{} with seed {seed}: not shown: {lost:?}", story.name)
        },
    );
    let mut all = shown(&bob);
    all.sort();
    assert_eq!(all, fps, "{} with seed {seed}: each once", story.name);
    println!("{}: {} messages, {} faults, {} restarts", story.name, fps.len(), proxy.faults(), restarts);
    for client in [&ann, &bob] {
        let info = client.info();
        assert_eq!(info["outbox"]["messages"], 0, "{info}");
    }
    proxy.faults()
}

fn wait_until_or(end: Instant, mut is_so: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    while !is_so() {
        assert!(Instant::now() < end, "{}", otherwise());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn nothing_is_lost_on_a_harmful_network() {
    let faults = torture::scale("IM_TORTURE_FAULTS", 100);
    let seed = torture::scale("IM_TORTURE_SEED", 7);
    let stories = [
        Story { name: "egg, WebSocket", start: egg, transport: "websocket", restarts: 0 },
        Story { name: "egg, long-polling", start: egg, transport: "polling", restarts: 0 },
        Story { name: "im-server, WebSocket", start: im_server, transport: "websocket", restarts: 3 },
        Story { name: "im-server, long-polling", start: im_server, transport: "polling", restarts: 3 },
    ];
    let start = Instant::now();
    let mut done = 0;
    for (number, story) in stories.iter().enumerate() {
        done += survive(story, faults / 4, seed + u64::try_from(number).expect("small"));
    }
    let what = "chat over both generations and transports through latency, trickles, stalls, cuts, resets, swallowed data, refused \
                connections and restarts: every message stored, acknowledged once, shown once";
    torture::row("faults", what, (done, "faults"), 0, 0, start.elapsed());
}
