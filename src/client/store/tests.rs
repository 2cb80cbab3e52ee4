use super::*;
use file::StoreFile;

fn message(fp: &str) -> Stored {
    Stored { fingerprint: fp.into(), json: format!("{{\"fp\":\"{fp}\"}}"), deadline: 0 }
}

struct Process {
    stores: Stores,
    log: Arc<Log>,
    folder: tempfile::TempDir,
}

impl Process {
    fn new() -> Self {
        Process { stores: Stores::default(), log: Arc::default(), folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("im.store")
    }

    fn open(&self, account: &str) -> (Drawer, Vec<String>) {
        let (drawer, contents) = self.stores.open(&self.path(), account, &self.log, || {}).unwrap();
        (drawer, contents.messages.into_iter().map(|message| message.fingerprint).collect())
    }

    /// What another process finds, if it may.
    fn elsewhere(&self, account: &str) -> Result<Vec<String>, String> {
        let contents = StoreFile::open(&self.path())?.load(account)?;
        Ok(contents.messages.into_iter().map(|message| message.fingerprint).collect())
    }
}

#[test]
fn the_lock_is_given_up_and_taken_again() {
    let process = Process::new();
    let (drawer, _) = process.open("a");
    drawer.put(message("before")).unwrap();
    assert!(process.elsewhere("a").unwrap_err().contains("in use"));
    drawer.suspend();
    assert_eq!(process.elsewhere("a").unwrap(), ["before"]);
    drawer.put(message("meanwhile")).unwrap();
    drawer.remove("before");
    assert_eq!(process.elsewhere("a").unwrap(), ["before"], "it is in memory");
    drawer.resume().unwrap();
    assert!(process.elsewhere("a").unwrap_err().contains("in use"));
    process.stores.close(&drawer, &[], false);
    assert_eq!(process.elsewhere("a").unwrap(), ["meanwhile"]);
}

#[test]
fn the_lock_is_kept_until_every_client_gives_it_up() {
    let process = Process::new();
    let (first, second) = (process.open("a").0, process.open("b").0);
    first.suspend();
    first.put(message("still on the disk")).unwrap();
    assert!(process.elsewhere("a").is_err());
    second.suspend();
    assert_eq!(process.elsewhere("a").unwrap(), ["still on the disk"]);
    second.resume().unwrap();
    assert!(process.elsewhere("a").is_err());
    // A client that ends while it is suspended leaves the other one's lock alone.
    process.stores.close(&first, &[], true);
    assert!(process.elsewhere("a").is_err());
    process.stores.close(&second, &[], false);
    assert!(process.elsewhere("a").is_ok());
}

#[test]
fn a_lock_that_another_process_took_is_waited_for() {
    let process = Process::new();
    let (drawer, _) = process.open("a");
    drawer.suspend();
    let other = StoreFile::open(&process.path()).unwrap();
    drawer.put(message("meanwhile")).unwrap();
    let failed = drawer.resume().unwrap_err();
    assert!(failed.message.contains("im.store") && failed.message.contains("another process"), "{failed}");
    let failed = drawer.put(message("refused")).unwrap_err();
    assert_eq!(failed.status, Status::System);
    drop(other);
    // What it kept in memory comes with the next thing that is written.
    drawer.put(message("later")).unwrap();
    process.stores.close(&drawer, &[], false);
    assert_eq!(process.elsewhere("a").unwrap(), ["meanwhile", "later"]);
}

#[test]
fn a_suspended_store_is_written_at_its_end() {
    let process = Process::new();
    let (drawer, _) = process.open("a");
    drawer.suspend();
    drawer.put(message("kept")).unwrap();
    drawer.seen("key".into());
    process.stores.close(&drawer, &["kept".into()], true);
    let (drawer, messages) = process.open("a");
    assert_eq!(messages, ["kept"]);
    process.stores.close(&drawer, &messages, false);
    let keys = StoreFile::open(&process.path()).unwrap().load("a").unwrap().seen;
    assert_eq!(keys, ["key"]);
}

#[test]
fn a_message_is_one_clients_until_that_leaves_it() {
    let process = Process::new();
    let (first, _) = process.open("a");
    assert!(first.take("f"));
    first.put(message("f")).unwrap();
    let (second, messages) = process.open("a");
    assert!(messages.is_empty(), "the first one has it on its way");
    assert!(!second.take("f"));
    let other = process.open("b").0;
    assert!(other.take("f"), "it is another account's");
    process.stores.close(&other, &["f".into()], false);
    process.stores.close(&first, &["f".into()], false);
    let (third, messages) = process.open("a");
    assert_eq!(messages, ["f"]);
    process.stores.close(&second, &[], false);
    process.stores.close(&third, &messages, false);
    assert!(first.put(message("late")).unwrap_err().message.contains("closed"));
}

#[test]
fn keys_of_shown_messages_are_written_soon_by_themselves() {
    let process = Process::new();
    let (drawer, _) = process.open("a");
    let key = "the key of a message that was shown";
    drawer.seen(key.into());
    let start = std::time::Instant::now();
    // Another process may not open the file yet, but its bytes are there.
    while !std::fs::read(process.path()).unwrap().windows(key.len()).any(|bytes| bytes == key.as_bytes()) {
        assert!(start.elapsed().as_secs() < 20, "it is not written");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    process.stores.close(&drawer, &[], false);
}

#[test]
fn a_load_sees_what_waits_to_be_written() {
    let process = Process::new();
    let (drawer, _) = process.open("a");
    drawer.seen("key".into());
    let (other, contents) = process.stores.open(&process.path(), "a", &process.log, || {}).unwrap();
    assert_eq!(contents.seen, ["key"]);
    process.stores.close(&other, &[], false);
    process.stores.close(&drawer, &[], false);
}
