//! The life of an app on a phone: networks that change, the background, and the way back.

use std::{
    ffi::c_void,
    sync::{mpsc, Mutex},
    time::{Duration, Instant},
};

use ::im_client::*;
use serde_json::{json, Value};

use crate::support::{steps::works, *};

const GENERATIONS: [u32; 2] = [2, 4];
const TRANSPORTS: [&str; 2] = ["websocket", "polling"];
/// No reconnection of these tests is to come from a delay that is over.
const LONG: u64 = 600_000;

fn options(root: &str, transport: &str, delay: u64) -> Value {
    json!({
        "root": root, "nsp": "chat", "path": "/socket.io", "transports": [transport],
        "reconnectionDelay": delay, "reconnectionDelayMax": delay
    })
}

/// Stops a server's process as a network that is gone does: connections stand, nothing answers.
fn stop(server: &Server, signal: i32) {
    let pid = i32::try_from(server.pid()).expect("a process id");
    // SAFETY: a signal to a process that this test started and has not waited for.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    // It may go on for a moment.
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    };
    wait_until("the effect of the signal", || state() == (signal == libc::SIGSTOP));
}

#[test]
fn a_dead_link_is_noticed_soon_after_the_network_changed() {
    for generation in GENERATIONS {
        for transport in TRANSPORTS {
            // A heartbeat would take 45 s to notice.
            let server = socketio(generation, &[]);
            let client = TestClient::new(options(&server.root(), transport, LONG));
            client.wait("connect");
            stop(&server, libc::SIGSTOP);
            let start = Instant::now();
            assert_eq!(im_client_network_changed(client.handle), 0);
            let lost = client.wait("disconnect").json;
            assert!(start.elapsed() < Duration::from_secs(15), "much sooner than the heartbeat");
            assert_eq!((&lost["reason"], &lost["willReconnect"]), (&json!("ping timeout"), &json!(true)));
            assert!(lost["description"].as_str().unwrap().contains("sign of life"), "{lost}");
            // The next attempt does not wait for the delay of ten minutes.
            stop(&server, libc::SIGCONT);
            client.wait("reconnect");
            works(&client);
        }
    }
}

#[test]
fn a_live_link_stays_when_the_network_changes() {
    for generation in GENERATIONS {
        for transport in TRANSPORTS {
            let server = socketio(generation, &[]);
            let client = TestClient::new(options(&server.root(), transport, 10));
            client.wait("connect");
            for _ in 0..20 {
                assert_eq!(im_client_network_changed(client.handle), 0);
                works(&client);
            }
            // Longer than a check takes.
            std::thread::sleep(Duration::from_millis(3500));
            works(&client);
            assert_eq!(client.count("disconnect"), 0, "{generation} {transport}");
            assert_eq!(server.stats()["engines"], 1);
        }
    }
}

#[test]
fn an_attempt_that_waits_begins_at_once_when_the_network_changed() {
    let server = socketio(4, &[]);
    let client = TestClient::new(options(&server.root(), "websocket", LONG));
    client.wait("connect");
    server.post("/control/drop", json!({}));
    wait_until("the wait for the next attempt", || client.state() == IM_STATE_RECONNECTING);
    assert_eq!(client.emit("kept", &json!(1)), 0);
    assert_eq!(im_client_network_changed(client.handle), 0);
    client.wait("reconnect");
    assert_eq!(server.wait_received("kept", 1), [json!(1)]);
}

unsafe extern "C" fn tell_of_another_network(event: *const im_event, _: *mut c_void) {
    // SAFETY: the event lives through the callback.
    let client = unsafe { (*event).client };
    assert_eq!(im_client_network_changed(client), 0);
}

/// A phone hears of the loss and of the new network at the same time.
#[test]
fn news_of_the_network_right_after_a_loss_are_not_missed() {
    let server = socketio(4, &[]);
    let client = TestClient::new(options(&server.root(), "websocket", LONG));
    // SAFETY: NUL-terminated; the function takes no user data.
    let told = unsafe {
        im_client_on(
            client.handle,
            c"disconnect".as_ptr(),
            Some(tell_of_another_network),
            std::ptr::null_mut(),
        )
    };
    assert!(told > 0);
    client.wait("connect");
    for round in 1..=50 {
        server.post("/control/drop", json!({}));
        wait_until("the reconnect", || client.count("reconnect") == round);
    }
}

#[test]
fn in_the_background_no_connection_is_made_anew_and_nothing_queued_is_lost() {
    let server = socketio(4, &[]);
    let client = TestClient::new(options(&server.root(), "websocket", 1));
    client.wait("connect");
    assert_eq!(im_client_background(client.handle), 0);
    works(&client);
    server.post("/control/drop", json!({}));
    wait_until("the wait for the app", || client.state() == IM_STATE_RECONNECTING);
    for number in 0..10 {
        assert_eq!(client.emit("kept", &json!(number)), 0);
    }
    // News of the network change nothing there.
    assert_eq!(im_client_network_changed(client.handle), 0);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.stats()["engines"], 1, "a delay of 1 ms is long over");
    assert_eq!(client.info()["background"], true);
    assert_eq!(im_client_foreground(client.handle), 0);
    client.wait("reconnect");
    assert_eq!(server.wait_received("kept", 10), (0..10).map(|n| json!(n)).collect::<Vec<_>>());
    assert_eq!(client.info()["background"], false);
}

#[test]
fn a_link_that_died_in_the_background_is_replaced_on_return() {
    let server = socketio(4, &[]);
    let client = TestClient::new(options(&server.root(), "websocket", LONG));
    client.wait("connect");
    assert_eq!(im_client_background(client.handle), 0);
    stop(&server, libc::SIGSTOP);
    assert_eq!(im_client_foreground(client.handle), 0);
    client.wait("disconnect");
    stop(&server, libc::SIGCONT);
    client.wait("reconnect");
    works(&client);
    wait_until("one connection alone", || server.stats()["connectsNow"]["/chat"] == 1);
}

/// The server throws out the old connection because of the new one; that is not meant for the new one.
#[test]
fn what_happens_to_the_old_connection_is_not_taken_for_the_new_one() {
    let server = RawServer::start(|peer| match peer.number {
        1 => {
            peer.connect(4);
            // Nothing is read or answered any more.
            peer.wait_for_connections(2);
            peer.text("42/room,[\"im_error\",{\"code\":20004,\"data\":{\"action\":\"other device\"}}]");
            peer.text("41/room,");
            peer.drain();
        }
        _ => peer.behave(4),
    });
    let client = TestClient::new(json!({
        "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["websocket"], "reconnectionDelay": LONG,
        "reconnectionDelayMax": LONG
    }));
    client.wait("connect");
    assert_eq!(im_client_foreground(client.handle), 0);
    client.wait_nth("connect", 2);
    wait_until("the end of the old connection", || server.ended() >= 1);
    assert_eq!(client.emit("still", &json!(1)), 0);
    wait_until("what was emitted", || !server.frames_with("42/room,[\"still\"").is_empty());
    assert_eq!((client.count("im_error"), client.count("disconnect")), (0, 1));
    assert_eq!(client.state(), IM_STATE_CONNECTED);
}

#[test]
fn a_stale_handle_has_no_life_on_a_phone() {
    for status in [im_client_network_changed(7), im_client_background(7), im_client_foreground(7)] {
        assert_eq!(status, -2);
    }
}

/// The answer to a POST that was on its way before the question says nothing of the link now.
#[test]
fn an_older_answer_is_no_sign_of_life() {
    let (go_on, told) = mpsc::channel::<()>();
    let (_never, silence) = mpsc::channel::<()>();
    let (told, silence) = (Mutex::new(told), Mutex::new(silence));
    let server = PollingServer::start(4, move |turn| match turn.kind {
        TurnKind::Post if turn.body.ends_with(b"[\"first\",1]") => {
            let _ = told.lock().expect("nobody panics with it").recv();
            turn.behave();
        }
        TurnKind::Post if turn.body == b"3" => {
            let _ = silence.lock().expect("nobody panics with it").recv();
        }
        _ => turn.behave(),
    });
    let client = TestClient::new(json!({
        "root": server.root(), "nsp": "room", "path": "/ws", "transports": ["polling"], "reconnection": false
    }));
    client.wait("connect");
    assert_eq!(client.emit("first", &json!(1)), 0);
    wait_until("the first POST", || server.bodies().iter().any(|body| body.contains("first")));
    assert_eq!(im_client_network_changed(client.handle), 0);
    // The network thread sees that at once; were it slower, the test would pass all the same.
    std::thread::sleep(Duration::from_millis(100));
    go_on.send(()).expect("the server waits");
    assert_eq!(client.wait("disconnect").json["reason"], "ping timeout");
}
