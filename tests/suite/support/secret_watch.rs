//! Every test of this binary logs all that there is to log, and no line of it may have a client's secrets in it; nor may
//! `im_last_error`, `im_client_info` and the connection's own events, wherever a test reads them.

use std::{
    collections::BTreeSet,
    ffi::{c_char, c_void, CStr},
    io::Write,
    sync::{Mutex, Once, PoisonError},
};

use ::im_client::*;
use serde_json::Value;

/// Shorter ones a line may have by chance, and so it may a word of small letters alone.
const SHORTEST: usize = 6;
const EVERYTHING: i32 = 5;
/// The options whose texts are secrets.
const SECRET: [&str; 3] = ["query", "auth", "extraHeaders"];
/// Parameters of the query, and a header, that say nothing about a person.
const HARMLESS: [&str; 4] = ["deviceType", "userId", "device_id", "Host"];

static SECRETS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => {
            let secret = fields.iter().filter(|(name, _)| !HARMLESS.contains(&name.as_str()));
            secret.for_each(|(_, item)| texts(item, found));
        }
        _ => {}
    }
}

fn telling(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    texts(value, &mut found);
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    found.retain(|text| text.len() >= SHORTEST && !is_word(text));
    found
}

fn secrets_of(options: &Value) -> Vec<String> {
    SECRET.iter().flat_map(|option| telling(&options[option])).collect()
}

/// The secret that a line of the log has in it.
fn leak<'a>(line: &str, secrets: &'a BTreeSet<String>) -> Option<&'a String> {
    secrets.iter().find(|secret| line.contains(secret.as_str()))
}

unsafe extern "C" fn on_line(_level: i32, line: *const c_char, _user: *mut c_void) {
    // SAFETY: NUL-terminated, lives through the call.
    look_at("the log", &unsafe { CStr::from_ptr(line) }.to_string_lossy());
}

/// What the library says of itself.
pub fn look_at(place: &str, said: &str) {
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(secret) = leak(said, &secrets) {
        // No test is there to fail: a line may come after the end of the one whose secret it has.
        // And `eprintln` would write into what the test runner keeps, and lose.
        let _ = writeln!(std::io::stderr(), "{place} has the secret {secret:?}: {said}");
        std::process::abort();
    }
}

fn hide(secrets: Vec<String>) {
    SECRETS.lock().unwrap_or_else(PoisonError::into_inner).extend(secrets);
}

/// From now on what this message says may be in no line.
pub fn hide_content(message: &Value) {
    hide(telling(&message["content"]));
}

/// From now on these options' secrets may be in no line.
pub fn watch(options: &Value) {
    static STARTED: Once = Once::new();
    hide(secrets_of(options));
    STARTED.call_once(|| {
        // SAFETY: the function takes no user data.
        let set = unsafe { im_set_log_callback(EVERYTHING, Some(on_line), std::ptr::null_mut(), None) };
        assert_eq!(set, 0, "the log can be read");
    });
}

#[test]
fn a_secret_in_a_line_is_found() {
    let options = serde_json::json!({
        "root": "http://localhost", "query": { "token": "token-ann", "userId": "somebody" },
        "extraHeaders": { "Authorization": ["Bearer abc"] }, "auth": { "deep": { "key": "deeper-1", "word": "another" } },
    });
    let secrets = BTreeSet::from_iter(secrets_of(&options));
    assert_eq!(secrets, BTreeSet::from(["token-ann", "Bearer abc", "deeper-1"].map(String::from)));
    assert_eq!(leak("GET /ws/?token=token-ann", &secrets).map(String::as_str), Some("token-ann"));
    assert_eq!(leak("GET http://localhost/ws/?token=***&userId=somebody", &secrets), None);
}
