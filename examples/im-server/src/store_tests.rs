use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use serde_json::{json, Map, Value};

use super::{Conversation, Record, Store};

/// A file that goes away with its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let name = format!("im-server-store-{}-{}", std::process::id(), fastrand::u64(..));
        Scratch(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn body(from: &str, to: &str, typeu: i64, fp: &str) -> Map<String, Value> {
    let body = json!({"type": 1, "from": from, "to": to, "typeu": typeu, "fp": fp, "content": fp});
    body.as_object().unwrap().clone()
}

async fn send(store: &Store, from: &str, to: &str, fp: &str) -> String {
    let message = store.add_message(body(from, to, 1, fp), vec![to.to_owned()]).await.unwrap();
    message.text("_id").to_owned()
}

fn fps<'a>(messages: impl Iterator<Item = &'a super::Message>) -> Vec<String> {
    messages.map(|message| message.text("fp").to_owned()).collect()
}

/// The journal's thread lets go of the file a moment after the store is dropped.
async fn reopen(path: &std::path::Path) -> Store {
    for _ in 0..500 {
        match Store::open(path) {
            Ok(store) => return store,
            Err(error) if error.to_string().contains("in use") => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the journal is still locked");
}

#[tokio::test]
async fn server_fields() {
    let store = Store::in_memory();
    let first = store.add_message(body("a", "b", 1, "x"), vec!["b".into()]).await.unwrap();
    let second = store.add_message(body("a", "b", 1, "x"), vec!["b".into()]).await.unwrap();
    assert_eq!(first.text("timelineId"), "a@b");
    assert_eq!(first.text("_id").len(), 24);
    assert_ne!(first.text("_id"), second.text("_id"), "sent twice is stored twice");
    assert!(first.number("sequenceId") < second.number("sequenceId"));
    assert!(first.number("send_time") > 0);
    assert_eq!(store.state().by_fp("x").count(), 2);
}

#[tokio::test]
async fn offline_until_receipt() {
    let store = Store::in_memory();
    let id = send(&store, "a", "b", "one").await;
    send(&store, "a", "b", "two").await;
    assert_eq!(fps(store.state().undelivered_to("b")), ["one", "two"]);
    let (user, ids) = ("b".to_owned(), vec![id]);
    store.record(Record::Delivered { user, ids }).await.unwrap();
    assert_eq!(fps(store.state().undelivered_to("b")), ["two"]);
    assert_eq!(store.state().undelivered_to("a").count(), 0);
}

#[tokio::test]
async fn history_of_both_directions_newest_first() {
    let store = Store::in_memory();
    for (from, to, fp) in [("a", "b", "1"), ("b", "a", "2"), ("a", "c", "other"), ("a", "b", "3")] {
        send(&store, from, to, fp).await;
    }
    let state = store.state();
    let talk = Conversation::between("b", "a");
    assert_eq!(fps(state.history(&talk, None)), ["3", "2", "1"]);
    let third = state.by_fp("3").next().unwrap().text("_id").to_owned();
    assert_eq!(fps(state.history(&talk, Some(&third))), ["2", "1"]);
    assert_eq!(state.history(&talk, Some("nobody's")).count(), 0);
    let recent = state.conversations_of("a");
    assert_eq!(fps(recent.into_iter().map(|(_, newest)| newest)), ["3", "other"]);
    assert_eq!(state.unread(&talk, "a"), 1);
    assert_eq!(state.unread(&talk, "b"), 2);
}

#[tokio::test]
async fn restart_ends_in_the_same_state() {
    let file = Scratch::new();
    let store = Store::open(&file.0).unwrap();
    let first = send(&store, "a", "b", "first").await;
    let second = send(&store, "a", "b", "second").await;
    let members = vec!["a".to_owned(), "b".to_owned()];
    for record in [
        Record::Delivered { user: "b".into(), ids: vec![first.clone()] },
        Record::Read { user: "b".into(), ids: vec![first.clone()], announced: false },
        Record::Recalled { ids: vec![second.clone()] },
        Record::Group { group_id: "g".into(), members: members.clone() },
        Record::Group { group_id: "gone".into(), members },
        Record::GroupDestroyed { group_id: "gone".into() },
        Record::Token { token: "t".into(), user: "a".into() },
    ] {
        store.record(record).await.unwrap();
    }
    assert!(Store::open(&file.0).is_err(), "two servers on one file");
    drop(store);

    let store = reopen(&file.0).await;
    {
        let state = store.state();
        assert_eq!(fps(state.undelivered_to("b")), ["second"]);
        assert_eq!(fps(state.unannounced_reads_of("a")), ["first"]);
        assert!(state.by_id(&first).unwrap().read.contains("b"));
        assert_eq!(state.by_id(&second).unwrap().number("type"), 10);
        assert!(state.is_member("g", "b") && state.members("gone").is_none());
        assert_eq!(state.user_of_token("t"), Some("a"));
    }
    let third = send(&store, "a", "b", "third").await;
    let state = store.state();
    assert_eq!(state.by_id(&third).unwrap().number("sequenceId"), 3);
}

#[tokio::test]
async fn torn_last_line_is_cut_off() {
    for torn in [&b"{\"record\":\"mess"[..], b"{\"record\":\"mess\n", b"\xff"] {
        let file = Scratch::new();
        let store = Store::open(&file.0).unwrap();
        send(&store, "a", "b", "whole").await;
        drop(store);
        drop(reopen(&file.0).await);
        let mut raw = OpenOptions::new().append(true).open(&file.0).unwrap();
        raw.write_all(torn).unwrap();
        drop(raw);

        let store = reopen(&file.0).await;
        assert_eq!(fps(store.state().messages()), ["whole"]);
        send(&store, "a", "b", "next").await;
        drop(store);
        let store = reopen(&file.0).await;
        assert_eq!(fps(store.state().messages()), ["whole", "next"]);
    }
}

#[test]
fn broken_line_in_the_middle_is_an_error() {
    let file = Scratch::new();
    fs::write(&file.0, "rubbish\n{\"record\":\"token\",\"token\":\"t\",\"user\":\"u\"}\n").unwrap();
    let error = Store::open(&file.0).err().unwrap().to_string();
    assert!(error.contains("line 1"), "{error}");
}
