//! Messages whose server, or whose caller, makes it hard for them.

use ::im_client::{im_client_background, im_client_foreground, im_client_open};
use serde_json::json;

use super::kit::*;
use crate::support::{open_packet, outcome, Outcomes, RawServer, TestClient};

/// The outcome of each one must not lead to the next one's from within: thousands of them would fill the thread's stack.
#[test]
fn thousands_of_messages_that_are_too_large_hold_nothing_up() {
    let server = RawServer::start(|peer| {
        peer.upgrade();
        let mut packet = open_packet(4);
        packet["maxPayload"] = json!(1100);
        peer.text(&format!("0{packet}"));
        peer.join(4);
        while let Some(text) = peer.receive() {
            if let Some(rest) = text.strip_prefix("42/chat,[\"to\",") {
                let message = serde_json::from_str(rest.trim_end_matches(']')).expect("a message");
                let ack = envelope("CHAT_TO_ACK", 0, &message);
                peer.text(&format!("42/chat,[\"to_ack\",{ack}]"));
            }
        }
    });
    let client = TestClient::new(with(options(&server.root(), "ann"), "autoConnect", false));
    let (all, last) = (Outcomes::default(), Outcomes::default());
    for n in 0..5_000 {
        let large = with(message("ann", "bob", &format!("f{n}")), "content", "x".repeat(1100));
        client.send_message(&large, 0, &all);
    }
    client.send_message(&message("ann", "bob", "small"), 0, &last);
    assert_eq!(im_client_open(client.handle), 0);
    assert_eq!(outcome(&last).0, status("IM_OK"));
    let all = all.lock().expect("no panic");
    assert_eq!(all.len(), 5_000);
    assert!(all.iter().all(|(result, _)| *result == status("IM_ERROR_TOO_LARGE")));
}

#[test]
fn threads_that_disagree_about_the_background_do_no_harm() {
    let server = scripted(|_, _| Answer::Ack);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("im.store");
    let client =
        TestClient::new(with(options(&server.root(), "ann"), "store", file.to_str().expect("UTF-8")));
    let handle = client.handle;
    let toggle = move || {
        for _ in 0..40 {
            assert_eq!(im_client_background(handle), 0);
            assert_eq!(im_client_foreground(handle), 0);
        }
    };
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(toggle)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("every call succeeds"));
    let outcomes = Outcomes::default();
    client.send_message(&message("ann", "bob", "f1"), 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, status("IM_OK"));
}
