use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("im.store");
    (folder, path)
}

fn refused(path: &Path) -> String {
    Journal::open(path).err().unwrap()
}

fn records(journal: &Journal) -> Vec<String> {
    let mut all = Vec::new();
    let read = journal.read(&mut |content| {
        all.push(String::from_utf8(content.to_vec()).unwrap());
        Ok(())
    });
    read.unwrap();
    all
}

/// A file with the records 0, 1, 2, ...; as a crash leaves it, and closed.
fn written(path: &Path, count: usize) -> (Vec<u8>, Vec<u8>) {
    let mut journal = Journal::open(path).unwrap();
    for n in 0..count {
        journal.append(n.to_string().as_bytes()).unwrap();
    }
    let crashed = fs::read(path).unwrap();
    drop(journal);
    (crashed, fs::read(path).unwrap())
}

#[test]
fn a_file_is_opened_once() {
    let (_folder, path) = place();
    let mut journal = Journal::open(&path).unwrap();
    assert!(refused(&path).contains("in use"));
    journal.replace(&mut [b"new".to_vec()].into_iter()).unwrap();
    assert!(refused(&path).contains("in use"));
    drop(journal);
    assert_eq!(records(&Journal::open(&path).unwrap()), ["new"]);
}

#[cfg(unix)]
#[test]
fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place();
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(mode(), 0o600);
    journal.replace(&mut std::iter::empty()).unwrap();
    assert_eq!(mode(), 0o600);
}

#[test]
fn what_is_no_store_is_refused_and_stays_as_it_is() {
    let (folder, path) = place();
    fs::write(&path, "my diary, which is long enough to be anything").unwrap();
    assert!(refused(&path).contains("no store"), "{}", refused(&path));
    assert!(fs::read_to_string(&path).unwrap().starts_with("my diary"));
    fs::write(&path, "").unwrap();
    assert!(refused(&path).contains("no store"));
    assert!(refused(folder.path()).contains("can't be opened"));
    assert!(refused(&folder.path().join("no/such/folder")).contains("can't be made"));
}

#[test]
fn another_format_is_refused() {
    let (_folder, path) = place();
    let (_, mut whole) = written(&path, 1);
    whole[KIND.len()..KIND.len() + 8].copy_from_slice(&9_u64.to_be_bytes());
    fs::write(&path, whole).unwrap();
    assert!(refused(&path).contains("format 9"), "{}", refused(&path));
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_hurt() {
    let (_folder, path) = place();
    let (_, whole) = written(&path, 20);
    for cut in (1..100).chain(usize::try_from(RECORDS).unwrap() - 5..whole.len()) {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(!refused(&path).is_empty());
        assert_eq!(fs::read(&path).unwrap().len(), cut, "it is not changed");
    }
    for hurt in usize::try_from(RECORDS).unwrap()..whole.len() {
        let mut bytes = whole.clone();
        bytes[hurt] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(refused(&path).contains("damaged"));
        assert_eq!(fs::read(&path).unwrap(), bytes, "it is not changed");
    }
}

#[test]
fn a_crash_in_the_middle_of_a_write_loses_nothing_else() {
    let (_folder, path) = place();
    let (crashed, _) = written(&path, 3);
    let last = HEAD + 1;
    let before = crashed.len() - last;
    for there in 0..=last {
        // The rest is not there, or was never filled.
        for rest in [0, last - there, 5000] {
            let mut bytes = crashed[..before + there].to_vec();
            bytes.resize(bytes.len() + rest, 0);
            fs::write(&path, bytes).unwrap();
            let mut journal = Journal::open(&path).unwrap();
            let mut wanted = vec!["0", "1", "2"];
            wanted.truncate(if there == last { 3 } else { 2 });
            assert_eq!(records(&journal), wanted);
            journal.append(b"next").unwrap();
            drop(journal);
            wanted.push("next");
            assert_eq!(records(&Journal::open(&path).unwrap()), wanted);
        }
    }
}

#[test]
fn one_of_the_lengths_may_be_spoiled() {
    let (_folder, path) = place();
    let (crashed, _) = written(&path, 3);
    let spoil = |blocks: &[usize]| {
        let mut bytes = crashed.clone();
        for block in blocks {
            bytes[block * 4096 + 7] ^= 1;
        }
        fs::write(&path, bytes).unwrap();
    };
    for block in [1, 2] {
        spoil(&[block]);
        assert_eq!(records(&Journal::open(&path).unwrap()), ["0", "1", "2"]);
    }
    spoil(&[1, 2]);
    assert!(refused(&path).contains("damaged"));
}

#[test]
fn a_failed_replacement_changes_nothing() {
    let (folder, path) = place();
    let mut journal = Journal::open(&path).unwrap();
    journal.append(b"old").unwrap();
    fs::create_dir(beside(&path, ".new")).unwrap();
    assert!(journal.replace(&mut std::iter::empty()).is_err());
    journal.append(b"more").unwrap();
    assert_eq!(records(&journal), ["old", "more"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// A program that another thread is starting has a copy of every open file for a moment, and with it of the lock.
#[test]
fn a_file_that_was_closed_is_free_while_programs_are_started() {
    let (_folder, path) = place();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let started = std::process::Command::new("true").status();
                assert!(started.expect("a program").success());
            }
        });
        let opened: Vec<_> = (0..3000).map(|_| Journal::open(&path).err()).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(opened.into_iter().flatten().next(), None);
    });
}
