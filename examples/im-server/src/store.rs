//! Messages, groups and tokens. Every change is a `Record`: first written to the journal, then applied to the memory,
//! so that a restart, which applies the same records, ends in the same state.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};

use crate::envelope::now_ms;
use crate::journal::Journal;

pub const ONE_TO_ONE: i64 = 1;
pub const GROUP: i64 = 2;

const TEXT: i64 = 1;
const RECALLED_TEXT: i64 = 10;
const RECALLED_OTHER: i64 = 21;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    Message {
        body: Map<String, Value>,
        recipients: Vec<String>,
    },
    Delivered {
        user: String,
        ids: Vec<String>,
    },
    /// `announced`: the author was online and has been told.
    Read {
        user: String,
        ids: Vec<String>,
        announced: bool,
    },
    ReadsAnnounced {
        ids: Vec<String>,
    },
    Recalled {
        ids: Vec<String>,
    },
    Group {
        group_id: String,
        members: Vec<String>,
    },
    GroupDestroyed {
        group_id: String,
    },
    Token {
        token: String,
        user: String,
    },
}

/// A stored message: what goes over the wire, and what became of it.
#[derive(Clone, Debug)]
pub struct Message {
    pub body: Map<String, Value>,
    pub recipients: Vec<String>,
    pub delivered: BTreeSet<String>,
    pub read: BTreeSet<String>,
    /// Readers that the author has not heard of yet.
    unannounced: BTreeSet<String>,
}

impl Message {
    pub fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or("")
    }

    pub fn number(&self, field: &str) -> i64 {
        self.body.get(field).and_then(Value::as_i64).unwrap_or(0)
    }

    pub fn json(&self) -> Value {
        Value::Object(self.body.clone())
    }

    /// The form of `to_reader`.
    pub fn read_receipt(&self) -> Value {
        json!({
            "_id": self.text("_id"),
            "timelineId": self.text("timelineId"),
            "typeu": self.number("typeu"),
            "readed": self.read,
            "fp": self.text("fp"),
        })
    }

    fn conversation(&self) -> Conversation {
        match self.number("typeu") {
            GROUP => Conversation::Group(self.text("to").to_owned()),
            _ => Conversation::between(self.text("from"), self.text("to")),
        }
    }
}

/// Both directions of a one-to-one talk are one conversation, though each has its own `timelineId`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversation {
    Pair(String, String),
    Group(String),
}

impl Conversation {
    pub fn between(one: &str, other: &str) -> Conversation {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Conversation::Pair(first.to_owned(), second.to_owned())
    }
}

#[derive(Default)]
pub struct State {
    messages: BTreeMap<u64, Message>,
    sequence_of_id: HashMap<String, u64>,
    sequences_of_fp: HashMap<String, Vec<u64>>,
    conversations: BTreeMap<Conversation, Vec<u64>>,
    undelivered: HashMap<String, BTreeSet<u64>>,
    groups: BTreeMap<String, Vec<String>>,
    users_of_tokens: HashMap<String, String>,
    last_sequence: u64,
}

impl State {
    fn apply(&mut self, record: Record) {
        match record {
            Record::Message { body, recipients } => self.insert(body, recipients),
            Record::Delivered { user, ids } => {
                for sequence in self.sequences(&ids) {
                    if let Some(message) = self.messages.get_mut(&sequence) {
                        message.delivered.insert(user.clone());
                    }
                    if let Some(waiting) = self.undelivered.get_mut(&user) {
                        waiting.remove(&sequence);
                    }
                }
            }
            Record::Read { user, ids, announced } => self.each(&ids, |message| {
                message.read.insert(user.clone());
                if !announced {
                    message.unannounced.insert(user.clone());
                }
            }),
            Record::ReadsAnnounced { ids } => self.each(&ids, |message| message.unannounced.clear()),
            Record::Recalled { ids } => self.each(&ids, |message| {
                let kind = match message.number("type") {
                    TEXT | RECALLED_TEXT => RECALLED_TEXT,
                    _ => RECALLED_OTHER,
                };
                message.body.insert("type".into(), json!(kind));
            }),
            Record::Group { group_id, members } => {
                self.groups.insert(group_id, members);
            }
            Record::GroupDestroyed { group_id } => {
                self.groups.remove(&group_id);
            }
            Record::Token { token, user } => {
                self.users_of_tokens.insert(token, user);
            }
        }
    }

    fn insert(&mut self, body: Map<String, Value>, recipients: Vec<String>) {
        let message = Message {
            body,
            recipients,
            delivered: BTreeSet::new(),
            read: BTreeSet::new(),
            unannounced: BTreeSet::new(),
        };
        let sequence = message.number("sequenceId") as u64;
        self.last_sequence = self.last_sequence.max(sequence);
        self.sequence_of_id.insert(message.text("_id").to_owned(), sequence);
        self.sequences_of_fp.entry(message.text("fp").to_owned()).or_default().push(sequence);
        self.conversations.entry(message.conversation()).or_default().push(sequence);
        for user in &message.recipients {
            self.undelivered.entry(user.clone()).or_default().insert(sequence);
        }
        self.messages.insert(sequence, message);
    }

    fn sequences(&self, ids: &[String]) -> Vec<u64> {
        ids.iter().filter_map(|id| self.sequence_of_id.get(id).copied()).collect()
    }

    fn each(&mut self, ids: &[String], mut change: impl FnMut(&mut Message)) {
        for sequence in self.sequences(ids) {
            if let Some(message) = self.messages.get_mut(&sequence) {
                change(message);
            }
        }
    }

    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    pub fn by_id(&self, id: &str) -> Option<&Message> {
        self.messages.get(self.sequence_of_id.get(id)?)
    }

    /// All stored copies: a message sent twice is stored twice.
    pub fn by_fp<'a>(&'a self, fp: &str) -> impl Iterator<Item = &'a Message> {
        let sequences = self.sequences_of_fp.get(fp).into_iter().flatten();
        sequences.filter_map(|sequence| self.messages.get(sequence))
    }

    pub fn undelivered_to<'a>(&'a self, user: &str) -> impl Iterator<Item = &'a Message> {
        let sequences = self.undelivered.get(user).into_iter().flatten();
        sequences.filter_map(|sequence| self.messages.get(sequence))
    }

    pub fn unannounced_reads_of<'a>(&'a self, author: &'a str) -> impl Iterator<Item = &'a Message> {
        self.messages()
            .filter(move |message| !message.unannounced.is_empty())
            .filter(move |message| message.text("from") == author)
    }

    /// Newest first; with `before`, only what is older than that message.
    pub fn history<'a>(
        &'a self,
        conversation: &Conversation,
        before: Option<&str>,
    ) -> impl Iterator<Item = &'a Message> {
        let end = match before {
            // An id that nobody knows has nothing before it.
            Some(id) => self.sequence_of_id.get(id).copied().unwrap_or(0),
            None => u64::MAX,
        };
        let sequences = self.conversations.get(conversation).into_iter().flatten();
        sequences
            .rev()
            .filter(move |sequence| **sequence < end)
            .filter_map(|sequence| self.messages.get(sequence))
    }

    /// Each conversation of the user with its newest message, newest first.
    pub fn conversations_of(&self, user: &str) -> Vec<(&Conversation, &Message)> {
        let mut found: Vec<_> = self
            .conversations
            .iter()
            .filter(|(conversation, _)| match conversation {
                Conversation::Pair(one, other) => one == user || other == user,
                Conversation::Group(group) => self.is_member(group, user),
            })
            .filter_map(|(conversation, sequences)| {
                Some((conversation, self.messages.get(sequences.last()?)?))
            })
            .collect();
        found.sort_by_key(|(_, newest)| std::cmp::Reverse(newest.number("sequenceId")));
        found
    }

    pub fn unread(&self, conversation: &Conversation, user: &str) -> usize {
        self.history(conversation, None)
            .filter(|message| message.recipients.iter().any(|recipient| recipient == user))
            .filter(|message| !message.read.contains(user))
            .count()
    }

    pub fn members(&self, group_id: &str) -> Option<&[String]> {
        self.groups.get(group_id).map(Vec::as_slice)
    }

    pub fn is_member(&self, group_id: &str, user: &str) -> bool {
        self.members(group_id).is_some_and(|members| members.iter().any(|member| member == user))
    }

    pub fn user_of_token(&self, token: &str) -> Option<&str> {
        self.users_of_tokens.get(token).map(String::as_str)
    }
}

pub struct Store {
    state: Mutex<State>,
    journal: Option<Journal>,
}

impl Store {
    pub fn in_memory() -> Store {
        Store { state: Mutex::default(), journal: None }
    }

    pub fn open(path: &Path) -> io::Result<Store> {
        let mut state = State::default();
        let journal = Journal::open(path, |record| state.apply(record))?;
        Ok(Store { state: Mutex::new(state), journal: Some(journal) })
    }

    /// For reading. Not to be held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Written, synced, then applied.
    pub async fn record(&self, record: Record) -> Result<(), String> {
        if let Some(journal) = &self.journal {
            journal.append(&record).await?;
        }
        self.state().apply(record);
        Ok(())
    }

    /// Completes the message with what the server gives it, and stores it.
    pub async fn add_message(
        &self,
        mut body: Map<String, Value>,
        recipients: Vec<String>,
    ) -> Result<Message, String> {
        let sequence = {
            let mut state = self.state();
            state.last_sequence += 1;
            state.last_sequence
        };
        let sent = now_ms();
        // 24 hexadecimal digits that start with the time, like the reference server's ids.
        let id = format!("{:08x}{sequence:016x}", (sent / 1000) as u32);
        let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or("");
        let timeline = format!("{}@{}", text("from"), text("to"));
        body.insert("_id".into(), json!(id));
        body.insert("sequenceId".into(), json!(sequence));
        body.insert("send_time".into(), json!(sent));
        body.insert("timelineId".into(), json!(timeline));
        self.record(Record::Message { body, recipients }).await?;
        let stored = self.state().by_id(&id).cloned();
        stored.ok_or_else(|| "the stored message is gone".to_owned())
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
