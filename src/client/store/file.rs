//! What stands in the store's file: the changes of every account, in their order. What an account has is what they leave.
//!
//! A record holds the changes that were made at once. A change is its kind and its fields, each behind its length (8 bytes,
//! big-endian):
//!
//! | kind | fields |
//! |---|---|
//! | `p` | account, fingerprint, JSON of a message, when it is given up (ms since 1970, 0 for never; 8 bytes) |
//! | `r` | account, fingerprint of a message that is gone |
//! | `s` | account, key of a delivered message |

use std::{
    collections::{HashMap, VecDeque},
    io,
    path::Path,
};

use super::journal::Journal;
use crate::im::MOST_SEEN;

const PUT: u8 = b'p';
const REMOVE: u8 = b'r';
const SEEN: u8 = b's';

/// So much is added before what no longer counts is cleared away, beside as much as counts.
const ROOM: u64 = 1 << 20;

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub fingerprint: String,
    pub json: String,
    /// In milliseconds since 1970; 0 for never.
    pub deadline: u64,
}

/// What is to change, in one account's part.
#[derive(Clone, Debug)]
pub enum Change {
    Put(Stored),
    Remove(String),
    Seen(String),
}

/// What a file has for an account.
#[derive(Debug, Default)]
pub struct Contents {
    /// In the order in which they were sent.
    pub messages: Vec<Stored>,
    /// The oldest first.
    pub seen: Vec<String>,
}

/// The file, which nobody else has open. Errors are the end of a sentence that began with its name.
pub struct StoreFile {
    journal: Journal,
    /// Longer than that it is rewritten.
    enough: u64,
}

type Result<T> = std::result::Result<T, String>;

impl StoreFile {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(StoreFile { journal: Journal::open(path)?, enough: ROOM })
    }

    /// What is kept for an account.
    pub fn load(&self, account: &str) -> Result<Contents> {
        let mut part = Part::default();
        self.replay(&mut |of, change| {
            if of == account {
                part.change(change);
            }
        })?;
        Ok(Contents { messages: part.messages.into_iter().flatten().collect(), seen: part.seen.into() })
    }

    /// Makes changes, all or none; they are on the disk (fsync) when this returns.
    pub fn apply(&mut self, changes: &[(String, Change)]) -> Result<()> {
        if self.journal.length() > self.enough {
            self.rewrite()?;
        }
        let mut record = Vec::new();
        for (account, change) in changes {
            encode(&mut record, account, change);
        }
        self.journal.append(&record).map_err(cant_write)
    }

    /// Clears away what no longer counts.
    fn rewrite(&mut self) -> Result<()> {
        let mut parts: HashMap<String, Part> = HashMap::new();
        self.replay(&mut |account, change| match parts.get_mut(account) {
            Some(part) => part.change(change),
            None => parts.entry(account.to_owned()).or_default().change(change),
        })?;
        let mut records = parts.into_iter().flat_map(|(account, part)| {
            part.into_changes().map(move |change| {
                let mut record = Vec::new();
                encode(&mut record, &account, &change);
                record
            })
        });
        // A folder that takes no second file is no reason to refuse a message: the file grows on, and that is tried later.
        let replaced = self.journal.replace(&mut records);
        self.enough = 2 * self.journal.length() + ROOM;
        replaced.map_or(Ok(()), |()| self.journal.keep_name()).map_err(cant_write)
    }

    /// Hands over every change with its account.
    fn replay(&self, take: &mut dyn FnMut(&str, Change)) -> Result<()> {
        self.journal.read(&mut |record| {
            let mut rest = Rest(record);
            while !rest.0.is_empty() {
                let (account, change) =
                    rest.change().ok_or("is damaged: an entry is none of this library's")?;
                take(account, change);
            }
            Ok(())
        })
    }
}

fn cant_write(error: io::Error) -> String {
    format!("can't be written: {error}")
}

/// An account's part of the file, as the changes leave it.
#[derive(Default)]
struct Part {
    /// Nothing where one is gone.
    messages: Vec<Option<Stored>>,
    /// Where a fingerprint's message is.
    places: HashMap<String, usize>,
    seen: VecDeque<String>,
}

impl Part {
    fn change(&mut self, change: Change) {
        match change {
            Change::Put(message) => {
                self.remove(&message.fingerprint);
                self.places.insert(message.fingerprint.clone(), self.messages.len());
                self.messages.push(Some(message));
            }
            Change::Remove(fingerprint) => self.remove(&fingerprint),
            Change::Seen(key) => {
                self.seen.push_back(key);
                if self.seen.len() > MOST_SEEN {
                    self.seen.pop_front();
                }
            }
        }
    }

    fn remove(&mut self, fingerprint: &str) {
        if let Some(place) = self.places.remove(fingerprint) {
            self.messages[place] = None;
        }
    }

    fn into_changes(self) -> impl Iterator<Item = Change> {
        let messages = self.messages.into_iter().flatten().map(Change::Put);
        messages.chain(self.seen.into_iter().map(Change::Seen))
    }
}

fn encode(into: &mut Vec<u8>, account: &str, change: &Change) {
    let deadline;
    let (kind, fields) = match change {
        Change::Put(Stored { fingerprint, json, deadline: at }) => {
            deadline = at.to_be_bytes();
            (PUT, &[fingerprint.as_bytes(), json.as_bytes(), &deadline][..])
        }
        Change::Remove(fingerprint) => (REMOVE, &[fingerprint.as_bytes()][..]),
        Change::Seen(key) => (SEEN, &[key.as_bytes()][..]),
    };
    into.push(kind);
    for field in [account.as_bytes()].iter().chain(fields) {
        into.extend_from_slice(&(field.len() as u64).to_be_bytes());
        into.extend_from_slice(field);
    }
}

/// What is left of a record.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn change(&mut self) -> Option<(&'a str, Change)> {
        let (kind, rest) = self.0.split_first()?;
        self.0 = rest;
        let account = self.text()?;
        let text = self.text()?.to_owned();
        let change = match *kind {
            PUT => {
                let json = self.text()?.to_owned();
                let deadline = u64::from_be_bytes(self.field()?.try_into().ok()?);
                Change::Put(Stored { fingerprint: text, json, deadline })
            }
            REMOVE => Change::Remove(text),
            SEEN => Change::Seen(text),
            _ => return None,
        };
        Some((account, change))
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.field()?).ok()
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
