//! What survives the process: messages that wait for their answer, and the keys of messages that were delivered.
//!
//! * `journal`: the file, as records that are there as a whole or not at all
//! * `file`: what the records say
//! * `writer`: the one thread of a file, which reads and writes it, so that no other thread waits for the disk by accident
//! * here: the files of the process, each shared by the clients that name it, and one client's part of one

mod file;
mod journal;
mod writer;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub use self::file::{Contents, Stored};
use self::writer::Writer;
use super::{pool::ThreadStart, Failed, Status};
use crate::log::Log;

/// The files that are open in this process.
#[derive(Default)]
pub struct Stores {
    open: Mutex<HashMap<PathBuf, Shared>>,
}

struct Shared {
    writer: Arc<Writer>,
    users: usize,
}

/// One client's part of a store: what its account keeps there.
pub struct Drawer {
    writer: Arc<Writer>,
    place: PathBuf,
    account: String,
}

impl Stores {
    /// Opens a file, or shares it with the clients of this process that have it open; gives what is there for the account,
    /// but for what another client has taken on. Reads the disk.
    pub fn open(
        &self,
        path: &Path,
        account: &str,
        log: &Arc<Log>,
        thread_start: ThreadStart,
    ) -> Result<(Drawer, Contents), Failed> {
        let place = one_name(path);
        let writer = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let known = open.get(&place).map(|shared| shared.writer.clone());
            let writer = match known {
                Some(writer) => writer,
                // By its full name: the process may change its folder before the file is opened again.
                None => Writer::start(&place, log.clone(), thread_start)
                    .map_err(|error| failed(path, &format!("got no thread: {error}")))?,
            };
            let shared = Shared { writer: writer.clone(), users: 0 };
            open.entry(place.clone()).or_insert(shared).users += 1;
            writer
        };
        writer.enter();
        let drawer = Drawer { writer, place, account: account.to_owned() };
        match drawer.writer.load(account) {
            Ok(contents) => Ok((drawer, contents)),
            Err(what) => {
                self.close(&drawer, &[], false);
                Err(failed(path, &what))
            }
        }
    }

    /// A client has done with its part; its messages, by their fingerprints, are the next client's. The last client of a file
    /// waits until all is written and closes it.
    pub fn close(&self, drawer: &Drawer, messages: &[String], suspended: bool) {
        drawer.writer.leave(&drawer.account, messages, suspended);
        // Under the lock, so that nobody opens a file that is about to be closed.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(shared) = open.get_mut(&drawer.place) else { return };
        shared.users -= 1;
        if shared.users == 0 {
            shared.writer.stop();
            open.remove(&drawer.place);
        }
    }
}

impl Drawer {
    /// Takes a message on, before it is put: false where a client of this process that shares this part has it on its way.
    pub fn take(&self, fingerprint: &str) -> bool {
        self.writer.take(&self.account, fingerprint)
    }

    /// Keeps a message; it is on the disk when this returns (while suspended: in memory).
    pub fn put(&self, message: Stored) -> Result<(), Failed> {
        self.writer.put(&self.account, message).map_err(|what| failed(self.writer.path(), &what))
    }

    /// The message has its outcome. Returns at once.
    pub fn remove(&self, fingerprint: &str) {
        self.writer.remove(&self.account, fingerprint);
    }

    /// The message is not this client's any more; where it is kept, it is the next one's.
    pub fn leave(&self, fingerprint: &str) {
        self.writer.untake(&self.account, fingerprint);
    }

    /// A message was delivered. Returns at once; it is written with what comes next, or a second later.
    pub fn seen(&self, key: String) {
        self.writer.seen(&self.account, key);
    }

    /// Gives the file up, once all clients that share it have. Waits until that is done.
    pub fn suspend(&self) {
        self.writer.suspend();
    }

    /// Takes the file again and writes what came meanwhile. Where that fails it is tried again every second.
    pub fn resume(&self) -> Result<(), Failed> {
        self.writer.resume().map_err(|what| failed(self.writer.path(), &what))
    }
}

fn failed(path: &Path, what: &str) -> Failed {
    Failed::new(Status::System, format!("the option \"store\": the file {path:?} {what}"))
}

/// Two names of one file are one store.
fn one_name(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match (folder.canonicalize(), path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests;
