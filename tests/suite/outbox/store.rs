//! Messages in a file outlive the client.

use std::{
    ffi::{c_void, CString},
    path::PathBuf,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
};

use ::im_client::*;
use serde_json::{json, Value};

use super::kit::*;
use crate::support::{c, last_error, outcome, wait_until, Outcomes, RawServer, TestClient};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Place { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("im.store")
    }

    fn options(&self, server: &RawServer, user: &str) -> Value {
        with(options(&server.root(), user), "store", self.file().to_str().expect("UTF-8"))
    }

    /// Leaves a message of the user's behind, which was not sent.
    fn leave(&self, server: &RawServer, user: &str, fps: &[&str]) {
        let client = TestClient::new(with(self.options(server, user), "autoConnect", false));
        let all: Vec<_> = fps.iter().map(|fp| send(&client, &message(user, "bob", fp))).collect();
        drop(client);
        for outcomes in all {
            assert_eq!(*outcomes.lock().expect("no panic"), [(status("IM_ERROR_CANCELED"), None)]);
        }
    }
}

fn send(client: &TestClient, message: &Value) -> Outcomes {
    let outcomes = Outcomes::default();
    client.send_message(message, 0, &outcomes);
    outcomes
}

fn fps(server: &RawServer) -> Vec<String> {
    got(server).into_iter().map(|(_, fp)| fp).collect()
}

/// The client has sent what it has to send: nothing more is in its outbox, and the server has taken all.
fn idle(client: &TestClient) {
    wait_until("an empty outbox", || client.info()["outbox"]["messages"] == 0);
    let outcomes = Outcomes::default();
    client.ask("question", &Value::Null, 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, status("IM_OK"));
}

/// What `im_client_new` says to these options.
fn refused(options: &Value) -> (im_status, String) {
    // SAFETY: NUL-terminated.
    let client = unsafe { im_client_new(c(&options.to_string()).as_ptr()) };
    assert_eq!(client, 0, "it was not refused");
    (im_last_status(), last_error())
}

#[test]
fn what_a_client_leaves_the_next_one_sends_and_reports() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    // A number that no double holds stays as it is.
    let odd = r#"{"type":1,"from":"ann","to":"bob","content":"a","fp":"a","typeu":1,"time":5,"n":12345678901234567890123}"#;
    let client = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    unsafe extern "C" fn ignore(_: im_status, _: *const im_event, _: *mut c_void) {}
    // SAFETY: NUL-terminated; `ignore` takes no data.
    let id = unsafe {
        im_client_send_message(client.handle, c(odd).as_ptr(), 0, Some(ignore), std::ptr::null_mut())
    };
    assert!(id > 0, "{}", last_error());
    drop(client);
    place.leave(&server, "ann", &["b", "c"]);
    let ann = TestClient::new(place.options(&server, "ann"));
    ann.wait_nth("outbox", 3);
    let frames = server.frames_with("42/chat,[\"to\",");
    assert_eq!(frames[0], format!("42/chat,[\"to\",{odd}]"));
    assert_eq!(fps(&server), ["a", "b", "c"]);
    let told = ann.all("outbox");
    assert_eq!(told[1]["fp"], "b");
    assert_eq!(told[1]["status"], 0);
    assert_eq!(told[1]["message"], message("ann", "bob", "b"));
    assert_eq!(told[1]["reply"], envelope("CHAT_TO_ACK", 0, &message("ann", "bob", "b")));
    // It is all over: the one after that has nothing to do.
    drop(ann);
    let ann = TestClient::new(place.options(&server, "ann"));
    idle(&ann);
    assert_eq!((fps(&server).len(), ann.count("outbox")), (3, 0));
}

#[test]
fn what_was_answered_is_forgotten() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    for fp in ["a", "b"] {
        let ann = TestClient::new(place.options(&server, "ann"));
        assert_eq!(outcome(&send(&ann, &message("ann", "bob", fp))).0, status("IM_OK"));
        assert_eq!(ann.count("outbox"), 0, "the callback has told it");
    }
    let ann = TestClient::new(place.options(&server, "ann"));
    idle(&ann);
    assert_eq!(fps(&server), ["a", "b"]);
}

#[test]
fn refusals_and_expiries_are_told_too() {
    let (server, place) = (
        scripted(|_, message| if fp(message) == "no" { Answer::Error(20003) } else { Answer::Silence }),
        Place::new(),
    );
    place.leave(&server, "ann", &["no"]);
    let ann = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    ann.send_message(&message("ann", "bob", "late"), 100, &Outcomes::default());
    drop(ann);
    let ann = TestClient::new(place.options(&server, "ann"));
    let refused = ann.wait_where("outbox", "the refused one", |told| told["fp"] == "no").json;
    assert_eq!(
        (&refused["status"], &refused["reply"]["code"]),
        (&json!(status("IM_ERROR_REFUSED")), &json!(20003))
    );
    let late = ann.wait_where("outbox", "the late one", |told| told["fp"] == "late").json;
    assert_eq!(late["status"], status("IM_ERROR_TIMEOUT"));
    assert!(late.get("reply").is_none(), "{late}");
}

/// The time counts from the call, also while nobody is there.
#[test]
fn a_message_expires_while_no_client_is_there() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    let ann = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    let outcomes = Outcomes::default();
    // Two seconds, so that it can't expire before its client ends.
    ann.send_message(&message("ann", "bob", "late"), 2000, &outcomes);
    let sent = std::time::Instant::now();
    drop(ann);
    assert_eq!(outcome(&outcomes).0, status("IM_ERROR_CANCELED"));
    wait_until("its time is over", || sent.elapsed().as_millis() > 2000);
    let ann = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    assert_eq!(ann.wait("outbox").json["status"], status("IM_ERROR_TIMEOUT"));
    assert_eq!(im_client_open(ann.handle), 0);
    ann.wait("connect");
    idle(&ann);
    assert_eq!(fps(&server).len(), 0);
}

#[test]
fn an_account_switch_sends_nothing_as_somebody_else() {
    let (server, other, place) = (scripted(|_, _| Answer::Ack), scripted(|_, _| Answer::Ack), Place::new());
    place.leave(&server, "ann", &["a"]);
    // Another user, another namespace, another server.
    for options in [
        place.options(&server, "eve"),
        with(place.options(&server, "ann"), "nsp", "/"),
        place.options(&other, "ann"),
    ] {
        let namespace = options["nsp"] == "/";
        let client = TestClient::new(options);
        client.wait("connect");
        match namespace {
            true => assert_eq!(client.info()["outbox"]["messages"], 0),
            false => idle(&client),
        }
        assert_eq!(client.count("outbox"), 0);
    }
    assert_eq!((fps(&server).len(), fps(&other).len()), (0, 0));
    let ann = TestClient::new(place.options(&server, "ann"));
    let told = ann.wait("outbox");
    assert_eq!((told.kind, &told.json["fp"]), (IM_EVENT_KIND_LOCAL, &json!("a")));
}

#[test]
fn several_clients_share_a_file() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    place.leave(&server, "ann", &["a1", "a2"]);
    place.leave(&server, "eve", &["e1"]);
    let ann = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    let eve = TestClient::new(place.options(&server, "eve"));
    assert_eq!(eve.wait("outbox").json["fp"], "e1");
    // A second client of ann's takes on nothing that the first one has, whatever it is called.
    let dotted = place.folder.path().join(".").join("im.store");
    let again =
        TestClient::new(with(place.options(&server, "ann"), "store", dotted.to_str().expect("UTF-8")));
    assert_eq!(outcome(&send(&again, &message("ann", "bob", "a3"))).0, status("IM_OK"));
    assert_eq!(fps(&server), ["e1", "a3"]);
    drop(ann);
    drop(again);
    let ann = TestClient::new(place.options(&server, "ann"));
    ann.wait_nth("outbox", 2);
    assert_eq!(fps(&server), ["e1", "a3", "a1", "a2"]);
}

#[test]
fn what_was_canceled_or_dropped_stays_so() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    place.leave(&server, "ann", &["old"]);
    let ann = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    let outcomes = Outcomes::default();
    let request = ann.send_message(&message("ann", "bob", "canceled"), 0, &outcomes);
    assert_eq!(im_client_cancel(ann.handle, request), 0);
    let dropped = send(&ann, &message("ann", "bob", "dropped"));
    assert_eq!(im_client_destroy_socket(ann.handle), 0);
    assert_eq!(outcome(&dropped).0, status("IM_ERROR_CANCELED"));
    let told = ann.wait("outbox").json;
    assert_eq!((&told["fp"], &told["status"]), (&json!("old"), &json!(status("IM_ERROR_CANCELED"))));
    drop(ann);
    let ann = TestClient::new(place.options(&server, "ann"));
    ann.wait("connect");
    idle(&ann);
    assert_eq!((fps(&server).len(), ann.count("outbox")), (0, 0));
}

/// A message whose fingerprint is on its way already is refused by its name.
fn is_known(client: &TestClient, fp: &str) {
    unsafe extern "C" fn never(_: im_status, _: *const im_event, _: *mut c_void) {
        std::process::abort();
    }
    let again = c(&message("ann", "bob", fp).to_string());
    // SAFETY: NUL-terminated; `never` takes no data.
    let refused = unsafe {
        im_client_send_message(client.handle, again.as_ptr(), 0, Some(never), std::ptr::null_mut())
    };
    assert_eq!(refused, i64::from(status("IM_ERROR_INVALID_ARGUMENT")));
    assert!(last_error().contains(&format!("\"fp\" \"{fp}\"")), "{}", last_error());
}

#[test]
fn a_fingerprint_that_waits_in_the_store_is_known() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    place.leave(&server, "ann", &["a"]);
    is_known(&TestClient::new(with(place.options(&server, "ann"), "autoConnect", false)), "a");
}

#[test]
fn a_fingerprint_that_another_client_has_on_its_way_is_known() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    place.leave(&server, "ann", &["left"]);
    let offline = || TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    let (first, second) = (offline(), offline());
    let all = ["a", "b"].map(|fp| send(&first, &message("ann", "bob", fp)));
    ["left", "a", "b"].iter().for_each(|fp| is_known(&second, fp));
    // The other's messages are not touched by that, nor by its end.
    assert_eq!(second.info()["outbox"], json!({ "messages": 0, "bytes": 0 }));
    drop(second);
    assert_eq!(im_client_open(first.handle), 0);
    for outcomes in &all {
        assert_eq!(outcome(outcomes).0, status("IM_OK"));
    }
    assert_eq!(fps(&server), ["left", "a", "b"]);
    // They are over: anybody may send them again.
    let third = TestClient::new(place.options(&server, "ann"));
    assert_eq!(outcome(&send(&third, &message("ann", "bob", "a"))).0, status("IM_OK"));
}

/// What an ended client leaves is nobody's until the next client is made, unless one that was there sends it anew.
#[test]
fn a_client_may_send_what_an_ended_one_has_left() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    let ann = TestClient::new(place.options(&server, "ann"));
    place.leave(&server, "ann", &["a", "b"]);
    assert_eq!(outcome(&send(&ann, &message("ann", "bob", "a"))).0, status("IM_OK"));
    drop(ann);
    let ann = TestClient::new(place.options(&server, "ann"));
    assert_eq!(ann.wait("outbox").json["fp"], "b");
    idle(&ann);
    assert_eq!(fps(&server), ["a", "b"]);
}

/// A message, and the client that sends it once more when its time was too short.
struct Impatient {
    client: im_client,
    message: CString,
    anew: Arc<AtomicUsize>,
}

impl Impatient {
    fn send(self, timeout: i64, outcome: unsafe extern "C" fn(im_status, *const im_event, *mut c_void)) {
        let (client, this) = (self.client, Box::into_raw(Box::new(self)));
        // SAFETY: the outcome's function takes the box back, after this call or in it.
        let id = unsafe {
            im_client_send_message(client, (*this).message.as_ptr(), timeout, Some(outcome), this.cast())
        };
        assert!(id > 0, "{}", last_error());
    }

    unsafe extern "C" fn too_late(got: im_status, _: *const im_event, this: *mut c_void) {
        // SAFETY: what `send` gave, once.
        let this = unsafe { Box::from_raw(this.cast::<Impatient>()) };
        assert_eq!(got, status("IM_ERROR_TIMEOUT"));
        let anew = this.anew.clone();
        this.send(0, Self::left);
        anew.fetch_add(1, Ordering::Release);
    }

    unsafe extern "C" fn left(_: im_status, _: *const im_event, this: *mut c_void) {
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(this.cast::<Impatient>()) });
    }
}

/// Its first life may end while the disk still writes it.
#[test]
fn a_message_sent_anew_by_its_own_outcome_stays_in_the_store() {
    const THREADS: usize = 8;
    const EACH: usize = 40;
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    let client = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    let anew = Arc::<AtomicUsize>::default();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (client, anew) = (client.handle, &anew);
            scope.spawn(move || {
                for number in 0..EACH {
                    let message = c(&message("ann", "bob", &format!("{thread}-{number}")).to_string());
                    Impatient { client, message, anew: anew.clone() }.send(1, Impatient::too_late);
                }
            });
        }
    });
    wait_until("all are sent anew", || anew.load(Ordering::Acquire) == THREADS * EACH);
    drop(client);
    let next = TestClient::new(with(place.options(&server, "ann"), "autoConnect", false));
    assert_eq!(next.info()["outbox"]["messages"], THREADS * EACH);
}

#[test]
fn a_file_that_is_no_store_is_named_and_left_alone() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    let diary = "my diary: nobody may ever overwrite this";
    std::fs::write(place.file(), diary).expect("it can be written");
    let (code, what) = refused(&place.options(&server, "ann"));
    assert_eq!(code, status("IM_ERROR_SYSTEM"));
    assert!(what.contains("\"store\"") && what.contains("im.store") && what.contains("no store"), "{what}");
    assert_eq!(std::fs::read_to_string(place.file()).expect("it is still there"), diary);
    std::fs::remove_file(place.file()).expect("it is there");
    let nowhere = with(place.options(&server, "ann"), "store", "/no/such/folder/im.store");
    let (code, what) = refused(&nowhere);
    assert_eq!(code, status("IM_ERROR_SYSTEM"));
    assert!(what.contains("/no/such/folder/im.store"), "{what}");
}

#[test]
fn a_damaged_file_is_named_and_left_alone() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    place.leave(&server, "ann", &["a", "b"]);
    let whole = std::fs::read(place.file()).expect("it is there");
    std::fs::write(place.file(), &whole[..whole.len() / 2]).expect("it can be written");
    let (code, what) = refused(&place.options(&server, "ann"));
    assert_eq!(code, status("IM_ERROR_SYSTEM"), "{what}");
    assert!(what.contains("im.store") && what.contains("damaged"), "{what}");
    assert_eq!(std::fs::read(place.file()).expect("it is there").len(), whole.len() / 2);
}

#[test]
fn a_store_wants_to_know_whose_messages_it_keeps() {
    let (server, place) = (scripted(|_, _| Answer::Ack), Place::new());
    let (code, what) = refused(&with(place.options(&server, "ann"), "query", json!({ "token": "t" })));
    assert_eq!(code, status("IM_ERROR_OPTION"));
    assert!(what.contains("\"store\"") && what.contains("userId"), "{what}");
    assert!(!place.file().exists(), "nothing was made");
}
