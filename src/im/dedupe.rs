//! Messages that the caller has had before. Servers send one again where its receipt got lost, and keep two where a sender's
//! resend met a lost `to_ack`; the fingerprint tells. And a server that has not noticed the end of a connection takes the
//! client's next one for another device, which gets a copy of what the client itself has sent.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use rustc_hash::FxHashSet;
use serde_json::value::RawValue;

use super::envelope::Envelope;
use crate::json::{bare, fields};

/// So many messages are remembered at least, the newest ones.
pub const MOST_SEEN: usize = 10_000;
/// A message with a longer key is never taken for a copy: what a stranger sends must not fill the memory.
const LONGEST_KEY: usize = 512;

/// The keys of messages that were delivered or sent. Of each only a hash, by a key of this process, so that what is remembered
/// takes a third of a megabyte at most; that a new message has the hash of one of them happens once in 10^15 messages.
///
/// They are in two halves, and not each forgotten by itself: a set that loses one for every one that it takes grows to twice its
/// size after it was full.
#[derive(Default)]
pub struct Seen {
    hasher: RandomState,
    young: FxHashSet<u64>,
    /// As many as may be young, and older; forgotten at once when the young ones are so many.
    old: FxHashSet<u64>,
}

impl Seen {
    pub fn contains(&self, key: &str) -> bool {
        self.has(self.hasher.hash_one(key))
    }

    fn has(&self, hash: u64) -> bool {
        self.young.contains(&hash) || self.old.contains(&hash)
    }

    /// Remembers a key; says whether it is new.
    pub fn add(&mut self, key: &str) -> bool {
        let hash = self.hasher.hash_one(key);
        if self.has(hash) {
            return false;
        }
        if self.young.len() == MOST_SEEN {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(hash)
    }
}

/// What of an event is new to the caller.
#[derive(Debug, PartialEq, Eq)]
pub enum Screened {
    /// All of it. These keys are to be remembered once the caller has had it.
    All(Vec<String>),
    /// The event with some items taken out of its list, and the keys of the others.
    Rest(String, Vec<String>),
    /// Nothing: a copy.
    Nothing,
}

/// Looks for copies in an event of `chat`; `event` is the canonical name.
pub fn screen(event: &str, json: &str, seen: &Seen) -> Screened {
    let envelope = || Envelope::parse(json).filter(|envelope| envelope.code == 0);
    match event {
        "c_message" => match envelope().and_then(|envelope| key_of_event(&envelope)) {
            Some(key) if seen.contains(&key) => Screened::Nothing,
            key => Screened::All(key.into_iter().collect()),
        },
        "offline_message" => envelope()
            .and_then(|envelope| screen_list(json, envelope.payload, seen))
            .unwrap_or(Screened::All(Vec::new())),
        _ => Screened::All(Vec::new()),
    }
}

fn screen_list(json: &str, payload: &str, seen: &Seen) -> Option<Screened> {
    let list: Vec<&RawValue> = serde_json::from_str(payload).ok()?;
    let (mut kept, mut keys, mut in_list) = (Vec::with_capacity(list.len()), Vec::new(), HashSet::new());
    let all = list.len();
    for item in list.into_iter().map(RawValue::get) {
        let Some(key) = key(item) else {
            kept.push(item);
            continue;
        };
        // A list may hold the same message twice: a resend that the server stored as well.
        if !seen.contains(&key) && in_list.insert(key.clone()) {
            keys.push(key);
            kept.push(item);
        }
    }
    if kept.len() == all {
        return Some(Screened::All(keys));
    }
    // The payload is a part of the event's text: what stands around it stays.
    let start = payload.as_ptr() as usize - json.as_ptr() as usize;
    let (before, after) = (&json[..start], &json[start + payload.len()..]);
    Some(Screened::Rest(format!("{before}[{}]{after}", kept.join(",")), keys))
}

fn key_of_event(envelope: &Envelope<'_>) -> Option<String> {
    match envelope.is_sync_copy() {
        true => copy_key(envelope.payload),
        false => key(envelope.payload),
    }
}

/// The key of the sync copy of a message. It is not the message's own: one that a user sends to himself is to be shown.
pub fn copy_key(message: &str) -> Option<String> {
    Some(key(message)? + "\nsync")
}

/// What makes a message the same as another. Recalls and merges (`type` 10 and more) carry the fingerprint of what they are
/// about, and are none.
fn key(message: &str) -> Option<String> {
    let [kind, from, to, fingerprint] = fields(message, ["type", "from", "to", "fp"])?;
    let fingerprint = bare(fingerprint.filter(|text| text.starts_with('"'))?);
    // To a server a message without a type is a text.
    if !matches!(kind.unwrap_or("1"), "1" | "2" | "3") || fingerprint.is_empty() {
        return None;
    }
    // No JSON text has a line break in it but between its parts.
    let key = format!("{}\n{}\n{fingerprint}", bare(from?), bare(to?));
    (key.len() <= LONGEST_KEY).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: i64, fp: &str) -> String {
        format!(
            r#"{{"type":{kind}, "from":"a","to":"b","content":"x","fp":"{fp}","n":12345678901234567890123}}"#
        )
    }

    fn envelope(payload: &str) -> String {
        format!(r#"{{"meta":{{"timestamp":1}},"code":0,"data":{{"action":"X","payload":{payload}}},"z":1}}"#)
    }

    fn seen(fps: &[&str]) -> Seen {
        let mut seen = Seen::default();
        for fp in fps {
            assert!(seen.add(&format!("a\nb\n{fp}")));
        }
        seen
    }

    #[test]
    fn a_copy_is_found_by_its_three_fields() {
        let seen = seen(&["f"]);
        let result = |payload: &str| screen("c_message", &envelope(payload), &seen);
        assert_eq!(result(&message(1, "f")), Screened::Nothing);
        assert_eq!(result(&message(1, "g")), Screened::All(vec!["a\nb\ng".into()]));
        let other = message(1, "f").replace("\"from\":\"a\"", "\"from\":\"c\"");
        assert_eq!(result(&other), Screened::All(vec!["c\nb\nf".into()]));
        for untouched in [message(10, "f"), message(21, "f"), message(11, "f"), message(1, ""), "null".into()]
        {
            assert_eq!(result(&untouched), Screened::All(vec![]), "{untouched}");
        }
    }

    #[test]
    fn only_messages_and_offline_messages_are_looked_at() {
        let (seen, json) = (seen(&["f"]), envelope(&message(1, "f")));
        for event in ["history_message", "to_ack", "other"] {
            assert_eq!(screen(event, &json, &seen), Screened::All(vec![]));
        }
        let failure = json.replace("\"code\":0", "\"code\":1");
        assert_eq!(screen("c_message", &failure, &seen), Screened::All(vec![]));
        assert_eq!(screen("c_message", "no envelope", &seen), Screened::All(vec![]));
    }

    #[test]
    fn copies_are_taken_out_of_a_list_and_the_rest_stays_to_the_byte() {
        let seen = seen(&["f", "g"]);
        let result = |list: &str| screen("offline_message", &envelope(list), &seen);
        let (f, g, new, recall) = (message(1, "f"), message(3, "g"), message(2, "new"), message(10, "f"));
        assert_eq!(
            result(&format!("[ {f} , {new},{new}, 5,{recall} ,{g}]")),
            Screened::Rest(envelope(&format!("[{new},5,{recall}]")), vec!["a\nb\nnew".into()])
        );
        assert_eq!(result(&format!("[{f},{g}]")), Screened::Rest(envelope("[]"), vec![]));
        assert_eq!(result(&format!("[ {new} ]")), Screened::All(vec!["a\nb\nnew".into()]));
        assert_eq!(result("[]"), Screened::All(vec![]));
        assert_eq!(result("{}"), Screened::All(vec![]));
    }

    #[test]
    fn the_newest_are_remembered() {
        let mut seen = Seen::default();
        for n in 0..=2 * MOST_SEEN {
            assert!(seen.add(&n.to_string()));
        }
        let oldest = MOST_SEEN.to_string();
        assert!(!seen.contains("0") && seen.contains(&oldest));
        assert!(!seen.add(&oldest) && seen.add("0"));
    }

    /// Found by the soak: the memory of 10,000 messages doubled once it was full.
    #[test]
    fn what_is_remembered_takes_no_more_memory_once_it_is_full() {
        let mut seen = Seen::default();
        let mut add = |numbers: std::ops::Range<usize>| {
            numbers.for_each(|n| assert!(seen.add(&n.to_string())));
            (seen.young.capacity(), seen.old.capacity())
        };
        let full = add(0..2 * MOST_SEEN);
        assert_eq!(add(2 * MOST_SEEN..20 * MOST_SEEN), full);
    }

    #[test]
    fn a_copy_of_what_this_client_sent_is_nothing_and_another_is() {
        let mut seen = Seen::default();
        let own = copy_key(&message(1, "own")).unwrap();
        assert!(seen.add(&own));
        let copy = |fp: &str| envelope(&message(1, fp)).replace(r#""timestamp":1"#, r#""sync":true"#);
        assert_eq!(screen("c_message", &copy("own"), &seen), Screened::Nothing);
        let of_another_device = Screened::All(vec![copy_key(&message(1, "other")).unwrap()]);
        assert_eq!(screen("c_message", &copy("other"), &seen), of_another_device);
        let to_oneself = Screened::All(vec![key(&message(1, "own")).unwrap()]);
        assert_eq!(screen("c_message", &envelope(&message(1, "own")), &seen), to_oneself);
    }

    #[test]
    fn a_giant_key_is_not_kept() {
        let json = envelope(&message(1, &"f".repeat(LONGEST_KEY)));
        assert_eq!(screen("c_message", &json, &Seen::default()), Screened::All(vec![]));
    }
}
