//! The append-only file behind the store: one JSON record a line.
//!
//! A thread of its own writes it, so that a slow disk does not stop the server, and so that records which wait at the
//! same time share one `fsync`. `append` resolves only when its record is on the disk, and those before it have resolved.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{mpsc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::store::Record;

/// More would only make the first of them wait longer.
const MAX_BATCH: usize = 256;

struct Line {
    text: String,
    done: oneshot::Sender<Result<(), String>>,
}

pub struct Journal {
    lines: mpsc::Sender<Line>,
    /// Ends when the last `append` has resolved.
    last: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Journal {
    /// Opens or creates the file, hands every record in it to `replay`, and cuts off a torn last line (what a crash in
    /// the middle of a write leaves behind). A broken line anywhere else is an error: it was not our doing.
    pub fn open(path: &Path, replay: impl FnMut(Record)) -> io::Result<Journal> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if file.try_lock().is_err() {
            return Err(io::Error::other("in use by another im-server"));
        }
        sync_directory(path)?;
        let good = replay_lines(&file, replay)?;
        if file.metadata()?.len() > good {
            eprintln!("im-server: {}: cut off a torn last line", path.display());
            file.set_len(good)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        let (lines, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name("im-server-journal".into())
            .spawn(move || write_lines(file, good, waiting))?;
        Ok(Journal { lines, last: Mutex::new(None) })
    }

    pub async fn append(&self, record: &Record) -> Result<(), String> {
        let mut text = serde_json::to_string(record).map_err(|error| error.to_string())?;
        text.push('\n');
        let (done, written) = oneshot::channel();
        let stopped = || "the journal's thread has stopped".to_owned();
        let (_resolved, own) = oneshot::channel();
        let before = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(own);
        self.lines.send(Line { text, done }).map_err(|_| stopped())?;
        let result = written.await;
        // The thread may be done with a record at the moment that this task looks for the first time: it would overtake those
        // that are still to be woken.
        if let Some(before) = before {
            let _ = before.await;
        }
        result.map_err(|_| stopped())?
    }
}

/// A file that is new is on the disk only when its directory is.
#[cfg(unix)]
fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns the length of the file up to the end of the last good line.
fn replay_lines(file: &File, mut replay: impl FnMut(Record)) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut good = 0;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(record) => replay(record),
            // A torn write may end in any bytes, a newline among them.
            Err(_) if reader.fill_buf()?.is_empty() => break,
            Err(error) => return Err(io::Error::other(format!("line {number}: {error}"))),
        }
        good += length as u64;
    }
    Ok(good)
}

fn write_lines(mut file: File, mut good: u64, waiting: mpsc::Receiver<Line>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        while batch.len() < MAX_BATCH {
            let Ok(line) = waiting.try_recv() else { break };
            batch.push(line);
        }
        let text: String = batch.iter().map(|line| line.text.as_str()).collect();
        let result = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(|error| error.to_string());
        match result {
            Ok(()) => good += text.len() as u64,
            // What was written in part must not become the start of the next line.
            Err(_) => {
                if file.set_len(good).is_err() {
                    return;
                }
            }
        }
        for line in batch {
            // The connection that asked may be gone.
            let _ = line.done.send(result.clone());
        }
    }
}
