//! The store's file: one table in a redb database, changed in transactions that are on the disk when they are done.
//!
//! One table of bytes for everything, because redb's code is made anew for each type of table: three of them cost the library
//! 0.1 MB more. Its entries, by the first byte of their key (numbers are big-endian, so that they sort):
//!
//! | key | value |
//! |---|---|
//! | `f` | the number of this format |
//! | `o`, account, 0, fingerprint | a message: order, when it is given up (ms since 1970, 0 for never), its JSON |
//! | `s`, account, 0, order | the key of a delivered message |

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    ops::Range,
    path::{Path, PathBuf},
};

use redb::{
    backends::FileBackend, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, Table,
    TableDefinition, TableHandle,
};

use crate::im::MOST_SEEN;

type Bytes = &'static [u8];

const TABLE: TableDefinition<Bytes, Bytes> = TableDefinition::new("im_client");
const FORMAT: &[u8] = b"f";
const FORMAT_NUMBER: u64 = 1;
const OUTBOX: u8 = b'o';
const SEEN: u8 = b's';

/// redb's own default is a gigabyte; all that is in here is a queue and some keys.
const CACHE: usize = 1 << 20;

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
    database: Database,
    next_order: u64,
    /// The orders in an account's list of delivered messages.
    seen: HashMap<String, Range<u64>>,
}

type Result<T> = std::result::Result<T, String>;

impl StoreFile {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        if let Err(error) = fs::metadata(path) {
            match error.kind() {
                ErrorKind::NotFound => make(path)?,
                _ => return Err(format!("can't be opened: {error}")),
            }
        }
        // A damaged file is to give an error rather than a panic.
        let opened = redb::Builder::new().set_cache_size(CACHE).set_check_integrity_on_open(true).open(path);
        let database = opened.map_err(|error| open_failed(&error))?;
        check_format(&database)?;
        let next_order = next_order(&database).map_err(damaged)?;
        Ok(StoreFile { database, next_order, seen: HashMap::new() })
    }

    /// What is kept for an account.
    pub fn load(&self, account: &str) -> Result<Contents> {
        self.read(account).map_err(damaged)
    }

    fn read(&self, account: &str) -> std::result::Result<Contents, redb::Error> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        let mut messages = Vec::new();
        let part = part(OUTBOX, account);
        for entry in table.range::<&[u8]>(part.start.as_slice()..part.end.as_slice())? {
            let (key, value) = entry?;
            let fingerprint = text(&key.value()[part.start.len()..])?;
            let (order, rest) = number(value.value())?;
            let (deadline, json) = number(rest)?;
            messages.push((order, Stored { fingerprint, json: text(json)?, deadline }));
        }
        messages.sort_by_key(|(order, _)| *order);
        let mut seen = Vec::new();
        let part = self::part(SEEN, account);
        for entry in table.range::<&[u8]>(part.start.as_slice()..part.end.as_slice())? {
            seen.push(text(entry?.1.value())?);
        }
        Ok(Contents { messages: messages.into_iter().map(|(_, message)| message).collect(), seen })
    }

    /// Makes changes, all or none; they are on the disk (fsync) when this returns.
    pub fn apply(&mut self, changes: &[(String, Change)]) -> Result<()> {
        self.write(changes).map_err(|error| format!("can't be written: {error}"))
    }

    fn write(&mut self, changes: &[(String, Change)]) -> std::result::Result<(), redb::Error> {
        let writing = self.database.begin_write()?;
        {
            let mut table = writing.open_table(TABLE)?;
            for (account, change) in changes {
                match change {
                    Change::Put(message) => {
                        let numbers =
                            [self.next_order.to_be_bytes(), message.deadline.to_be_bytes()].concat();
                        let value = [&numbers, message.json.as_bytes()].concat();
                        self.next_order += 1;
                        table.insert(key(account, &message.fingerprint).as_slice(), value.as_slice())?;
                    }
                    Change::Remove(fingerprint) => {
                        table.remove(key(account, fingerprint).as_slice())?;
                    }
                    Change::Seen(key) => add_seen(&mut self.seen, &mut table, account, key)?,
                }
            }
        }
        writing.commit()?;
        Ok(())
    }
}

/// The keys of an account's entries of a kind: from the first that there could be up to what follows them all.
fn part(kind: u8, account: &str) -> Range<Vec<u8>> {
    // An account is JSON, which has no byte 0 in it.
    let key = |end: u8| [&[kind][..], account.as_bytes(), &[end]].concat();
    key(0)..key(1)
}

fn key(account: &str, fingerprint: &str) -> Vec<u8> {
    [part(OUTBOX, account).start.as_slice(), fingerprint.as_bytes()].concat()
}

fn seen_key(account: &str, order: u64) -> Vec<u8> {
    [part(SEEN, account).start.as_slice(), &order.to_be_bytes()].concat()
}

fn broken() -> redb::Error {
    redb::Error::Corrupted("an entry is none of this library's".into())
}

/// A number and what follows it.
fn number(bytes: &[u8]) -> std::result::Result<(u64, &[u8]), redb::Error> {
    let (number, rest) = bytes.split_first_chunk().ok_or_else(broken)?;
    Ok((u64::from_be_bytes(*number), rest))
}

fn text(bytes: &[u8]) -> std::result::Result<String, redb::Error> {
    String::from_utf8(bytes.to_vec()).map_err(|_| broken())
}

/// Adds a key, and removes the oldest where there are too many.
fn add_seen(
    numbers: &mut HashMap<String, Range<u64>>,
    table: &mut Table<Bytes, Bytes>,
    account: &str,
    key: &str,
) -> std::result::Result<(), redb::Error> {
    let Range { start: mut first, end: next } = match numbers.get(account) {
        Some(known) => known.clone(),
        None => seen_numbers(table, account)?,
    };
    table.insert(seen_key(account, next).as_slice(), key.as_bytes())?;
    while next + 1 - first > MOST_SEEN as u64 {
        table.remove(seen_key(account, first).as_slice())?;
        first += 1;
    }
    numbers.insert(account.to_owned(), first..next + 1);
    Ok(())
}

/// The orders that an account's list has.
fn seen_numbers(table: &Table<Bytes, Bytes>, account: &str) -> std::result::Result<Range<u64>, redb::Error> {
    let part = part(SEEN, account);
    let order = |key: &[u8]| number(&key[part.start.len()..]).map(|(order, _)| order);
    let mut range = table.range::<&[u8]>(part.start.as_slice()..part.end.as_slice())?;
    let Some(first) = range.next() else { return Ok(0..0) };
    let first = order(first?.0.value())?;
    let last = match range.next_back() {
        Some(last) => order(last?.0.value())?,
        None => first,
    };
    Ok(first..last + 1)
}

/// The orders go on where the file's last one is, whoever wrote it.
fn next_order(database: &Database) -> std::result::Result<u64, redb::Error> {
    let mut next = 0;
    let table = database.begin_read()?.open_table(TABLE)?;
    for entry in table.range::<&[u8]>([OUTBOX].as_slice()..[OUTBOX + 1].as_slice())? {
        next = next.max(number(entry?.1.value())?.0 + 1);
    }
    Ok(next)
}

/// Makes a file that is either there as a whole or not at all: one that a crash cut short could not be told from a foreign
/// file.
fn make(path: &Path) -> Result<()> {
    let failed = |error: io::Error| format!("can't be made: {error}");
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let made = private_file(&draft)
        .map_err(failed)
        .and_then(|file| fill(file).map_err(|error| format!("can't be made: {error}")))
        .and_then(|()| publish(&draft, path).map_err(failed));
    // It has its own name now, or is no use.
    let _ = fs::remove_file(&draft);
    made
}

/// Messages are nobody else's to read.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn fill(file: File) -> std::result::Result<(), redb::Error> {
    let database = redb::Builder::new().set_cache_size(CACHE).create_with_backend(FileBackend::new(file)?)?;
    let writing = database.begin_write()?;
    writing.open_table(TABLE)?.insert(FORMAT, FORMAT_NUMBER.to_be_bytes().as_slice())?;
    writing.commit()?;
    Ok(())
}

/// Gives the finished file its name, unless another process was first.
fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        // Some file systems have no second names.
        Err(_) => fs::rename(draft, path)?,
    }
    // The name has to last as long as what is in it.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn check_format(database: &Database) -> Result<()> {
    const FOREIGN: &str = "is a database, but no store of this library";
    let reading = database.begin_read().map_err(damaged)?;
    let tables = reading.list_tables().map_err(damaged)?;
    let names: Vec<String> = tables.map(|table| table.name().to_owned()).collect();
    if !names.iter().any(|name| name == TABLE.name()) {
        return Err(FOREIGN.into());
    }
    let table = reading.open_table(TABLE).map_err(|_| FOREIGN.to_owned())?;
    let format = table.get(FORMAT).map_err(damaged)?.ok_or(FOREIGN)?;
    match number(format.value()).map_err(damaged)?.0 {
        FORMAT_NUMBER => Ok(()),
        other => {
            Err(format!("has the format {other}, of another version of this library than {FORMAT_NUMBER}"))
        }
    }
}

fn damaged(error: impl Into<redb::Error>) -> String {
    format!("is damaged or can't be read: {}", error.into())
}

fn open_failed(error: &DatabaseError) -> String {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            "is in use by another process".into()
        }
        DatabaseError::UpgradeRequired(version) => {
            format!("has a format of redb that is too old ({version})")
        }
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
            "is no store of this library".into()
        }
        DatabaseError::Storage(StorageError::Corrupted(what)) => format!("is damaged: {what}"),
        other => format!("can't be opened: {other}"),
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
