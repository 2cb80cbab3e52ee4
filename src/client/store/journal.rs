//! A file of records that only grows; each record is there as a whole or not at all.
//!
//! | at | what stands there (numbers are big-endian) |
//! |---|---|
//! | 0 | the file's kind, and the number of this format |
//! | 4096 and 8192 | how long the file was when it was last known to be on the disk, and a checksum of that |
//! | 12288 | the records: length, checksum, content |
//!
//! A crash in the middle of a write leaves a last record that is not whole. It was confirmed to nobody, and goes. What is not
//! whole before the known length is damage, and nothing is changed. That length is written in two places by turns, a disk's
//! block for each, so that a power cut can spoil one of them alone; and it is on the disk already when it is written, so that
//! a record costs one fsync.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Deref,
    path::{Path, PathBuf},
};

const KIND: &[u8; 16] = b"im-client store\n";
const FORMAT: u64 = 1;
const BLOCK: u64 = 4096;
const RECORDS: u64 = 3 * BLOCK;
/// Of a record: its length and its checksum.
const HEAD: usize = 12;

/// Errors are the end of a sentence that began with the file's name.
type Result<T> = std::result::Result<T, String>;

/// The file, which nobody else has open. After a failure it has to be opened anew.
pub struct Journal {
    file: Locked,
    path: PathBuf,
    /// So much of it is on the disk.
    length: u64,
    /// Where the length is written next: 1 or 2.
    block: u64,
}

impl Journal {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        if let Err(error) = fs::metadata(path) {
            match error.kind() {
                ErrorKind::NotFound => make(path).map_err(|error| format!("can't be made: {error}"))?,
                _ => return Err(cant_open(error)),
            }
        }
        let file = lock(path)?;
        check_kind(&file)?;
        let known = known_length(&file).ok_or("is damaged: its length is gone")?;
        let length = scan(&file, &mut |_| Ok(()))?;
        if length < known {
            return Err(format!("is damaged: of its {known} bytes those from {length} on can't be read"));
        }
        // What was never confirmed goes, or counts from now on.
        file.set_len(length).and_then(|()| file.sync_data()).map_err(cant_open)?;
        Ok(Journal { file, path: path.to_owned(), length, block: 1 })
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// Hands over the contents of all records, the oldest first.
    pub fn read(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match scan(&self.file, take)? {
            end if end == self.length => Ok(()),
            end => Err(format!("is damaged: the bytes from {end} on changed while it was open")),
        }
    }

    /// Adds a record, which is on the disk (fsync) when this returns.
    pub fn append(&mut self, content: &[u8]) -> io::Result<()> {
        self.note_length()?;
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.length))?;
        let record = [&head(content), content].concat();
        file.write_all(&record)?;
        file.sync_data()?;
        self.length += record.len() as u64;
        Ok(())
    }

    /// Puts a file with these records in this one's place: at every moment one of both is there under the name.
    pub fn replace(&mut self, records: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<()> {
        let draft = beside(&self.path, ".new");
        let replaced = private_file(&draft).and_then(|file| {
            // Before others can open it.
            lock_file(&file)?;
            let length = fill(&file, records)?;
            fs::rename(&draft, &self.path)?;
            Ok((Locked(file), length))
        });
        let (file, length) = replaced.inspect_err(|_| {
            // It is no use.
            let _ = fs::remove_file(&draft);
        })?;
        (self.file, self.length) = (file, length);
        Ok(())
    }

    /// Has to follow a replacement: until then a power cut may bring the file before it back, without what was added since.
    pub fn keep_name(&self) -> io::Result<()> {
        sync_folder(&self.path)
    }

    fn note_length(&mut self) -> io::Result<()> {
        write_length(&self.file, self.block, self.length)?;
        self.block = 3 - self.block;
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // So that the end of a file that was closed is missed, too. Where it fails, the length before the last record stands there.
        let _ = self.note_length();
    }
}

/// A file that nobody else has open, which is said when it is closed: a program that another thread is just starting has a copy
/// of every open file, and would keep the lock with it.
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Where the file system has no locks there is nothing to be said.
        let _ = self.0.unlock();
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

fn cant_open(error: impl std::fmt::Display) -> String {
    format!("can't be opened: {error}")
}

fn unreadable(error: io::Error) -> String {
    format!("is damaged or can't be read: {error}")
}

/// A number and its checksum.
fn checked(number: u64) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(&crc32fast::hash(&number.to_be_bytes()).to_be_bytes());
    bytes
}

/// What stands in front of a record: the checksum is that of length and content.
fn head(content: &[u8]) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    bytes[..8].copy_from_slice(&(content.len() as u64).to_be_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&bytes[..8]);
    sum.update(content);
    bytes[8..].copy_from_slice(&sum.finalize().to_be_bytes());
    bytes
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Hands over the contents of the whole records; gives where the last of them ends.
fn scan(file: &File, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
    let size = file.metadata().map_err(unreadable)?.len();
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(RECORDS)).map_err(unreadable)?;
    let (mut end, mut content) = (RECORDS, Vec::new());
    while let Some(length) =
        next_record(&mut reader, size.saturating_sub(end), &mut content).map_err(unreadable)?
    {
        take(&content)?;
        end += length;
    }
    Ok(end)
}

/// Reads a record and gives its length, unless in so many bytes there is no whole one.
fn next_record(reader: &mut BufReader<&File>, size: u64, content: &mut Vec<u8>) -> io::Result<Option<u64>> {
    let Some(room) = size.checked_sub(HEAD as u64) else { return Ok(None) };
    let mut found = [0; HEAD];
    reader.read_exact(&mut found)?;
    let length = number(&found[..8]);
    if length > room {
        return Ok(None);
    }
    content.clear();
    reader.take(length).read_to_end(content)?;
    Ok((head(content) == found).then_some(HEAD as u64 + length))
}

fn write_length(mut file: &File, block: u64, length: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(block * BLOCK))?;
    file.write_all(&checked(length))
}

/// The larger of the two lengths; a crash may have spoiled one.
fn known_length(mut file: &File) -> Option<u64> {
    let mut read = |block| {
        let mut found = [0; HEAD];
        file.seek(SeekFrom::Start(block * BLOCK)).ok()?;
        file.read_exact(&mut found).ok()?;
        let length = number(&found[..8]);
        (checked(length) == found).then_some(length)
    };
    read(1).max(read(2))
}

fn check_kind(mut file: &File) -> Result<()> {
    let mut found = [0; KIND.len() + 8];
    let read = file.read_exact(&mut found);
    if read.is_err() || !found.starts_with(KIND) {
        return Err("is no store of this library".into());
    }
    match number(&found[KIND.len()..]) {
        FORMAT => Ok(()),
        other => Err(format!("has the format {other}, of another version of this library than {FORMAT}")),
    }
}

fn lock(path: &Path) -> Result<Locked> {
    loop {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(cant_open)?;
        lock_file(&file).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => "is in use by another process".into(),
            _ => cant_open(error),
        })?;
        let file = Locked(file);
        // Whoever had it may have replaced it in between.
        if is_at(&file, path).map_err(cant_open)? {
            return Ok(file);
        }
    }
}

fn lock_file(file: &File) -> io::Result<()> {
    match file.try_lock() {
        // Some file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
        locked => Ok(locked?),
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

/// Elsewhere a file that is open is not replaced.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Makes a file that is either there as a whole or not at all: one that a crash cut short could not be told from a foreign
/// file.
fn make(path: &Path) -> io::Result<()> {
    // Another process may be doing the same.
    let draft = beside(path, &format!(".{}.new", std::process::id()));
    let made = private_file(&draft)
        .and_then(|file| fill(&file, &mut std::iter::empty()))
        .and_then(|_| publish(&draft, path));
    // It has its own name now, or is no use.
    let _ = fs::remove_file(&draft);
    made
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Messages are nobody else's to read.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a whole file, and gives its length.
fn fill(mut file: &File, records: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<u64> {
    file.write_all(KIND)?;
    file.write_all(&FORMAT.to_be_bytes())?;
    let mut writer = BufWriter::new(file);
    writer.seek(SeekFrom::Start(RECORDS))?;
    for content in records {
        writer.write_all(&head(&content))?;
        writer.write_all(&content)?;
    }
    writer.flush()?;
    drop(writer);
    let length = file.stream_position()?;
    write_length(file, 1, length)?;
    write_length(file, 2, length)?;
    file.sync_all()?;
    Ok(length)
}

/// Gives the finished file its name, unless another process was first.
fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        // Some file systems have no second names.
        Err(_) => fs::rename(draft, path)?,
    }
    sync_folder(path)
}

/// A name has to last as long as what is in the file.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
