use std::{fs, path::PathBuf};

use super::*;

fn message(fp: &str) -> Stored {
    Stored { fingerprint: fp.into(), json: format!("{{\"fp\":\"{fp}\"}}"), deadline: 5 }
}

fn put(account: &str, fp: &str) -> (String, Change) {
    (account.into(), Change::Put(message(fp)))
}

fn fps(file: &StoreFile, account: &str) -> Vec<String> {
    file.load(account).unwrap().messages.into_iter().map(|message| message.fingerprint).collect()
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("im.store");
    (folder, path)
}

#[test]
fn messages_come_back_in_their_order_for_their_account_alone() {
    let (folder, path) = place();
    let mut file = StoreFile::open(&path).unwrap();
    file.apply(&[put("a", "z"), put("b", "x"), put("a", "c"), put("a", "b"), put("ab", "y")]).unwrap();
    file.apply(&[("a".into(), Change::Remove("c".into()))]).unwrap();
    drop(file);
    let mut file = StoreFile::open(&path).unwrap();
    assert_eq!(file.load("a").unwrap().messages, [message("z"), message("b")]);
    assert_eq!(
        (fps(&file, "b"), fps(&file, "ab"), fps(&file, "")),
        (vec!["x".into()], vec!["y".into()], vec![])
    );
    file.apply(&[put("a", "a")]).unwrap();
    assert_eq!(fps(&file, "a"), ["z", "b", "a"], "the order goes on");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn the_newest_keys_are_kept() {
    let (_folder, path) = place();
    let mut file = StoreFile::open(&path).unwrap();
    let seen = |n: usize| ("a".to_owned(), Change::Seen(n.to_string()));
    file.apply(&[("b".into(), Change::Seen("other".into()))]).unwrap();
    file.apply(&(0..MOST_SEEN).map(seen).collect::<Vec<_>>()).unwrap();
    drop(file);
    let mut file = StoreFile::open(&path).unwrap();
    file.apply(&[seen(MOST_SEEN), seen(MOST_SEEN + 1)]).unwrap();
    let keys = file.load("a").unwrap().seen;
    assert_eq!((keys.len(), keys[0].as_str()), (MOST_SEEN, "2"));
    assert_eq!(keys.last().unwrap(), &(MOST_SEEN + 1).to_string());
    assert_eq!(file.load("b").unwrap().seen, ["other"]);
}

#[test]
fn the_newest_of_two_messages_with_one_fingerprint_counts() {
    let (_folder, path) = place();
    let mut file = StoreFile::open(&path).unwrap();
    let newer = Stored { json: "{}".into(), ..message("x") };
    file.apply(&[put("a", "x"), put("a", "y"), ("a".into(), Change::Put(newer.clone()))]).unwrap();
    assert_eq!(file.load("a").unwrap().messages, [message("y"), newer]);
    file.apply(&[("a".into(), Change::Remove("x".into()))]).unwrap();
    assert_eq!(fps(&file, "a"), ["y"]);
}

#[test]
fn a_file_does_not_grow_with_what_is_gone() {
    let (folder, path) = place();
    let mut file = StoreFile::open(&path).unwrap();
    let large = Stored { json: "x".repeat(100_000), ..message("large") };
    file.apply(&[put("a", "stays"), ("b".into(), Change::Seen("key".into()))]).unwrap();
    for _ in 0..100 {
        let gone = Change::Remove(large.fingerprint.clone());
        file.apply(&[("a".into(), Change::Put(large.clone()))]).unwrap();
        file.apply(&[("a".into(), gone)]).unwrap();
        assert!(fs::metadata(&path).unwrap().len() < 2 * ROOM);
    }
    // It is still nobody else's.
    assert!(StoreFile::open(&path).err().unwrap().contains("in use"));
    file.apply(&[put("a", "last")]).unwrap();
    drop(file);
    let file = StoreFile::open(&path).unwrap();
    assert_eq!(fps(&file, "a"), ["stays", "last"]);
    assert_eq!(file.load("b").unwrap().seen, ["key"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn what_can_not_be_rewritten_is_written_all_the_same() {
    let (_folder, path) = place();
    let mut file = StoreFile::open(&path).unwrap();
    fs::create_dir(path.with_extension("store.new")).unwrap();
    let large = Stored { json: "x".repeat(600_000), ..message("large") };
    for _ in 0..5 {
        file.apply(&[("a".into(), Change::Put(large.clone()))]).unwrap();
    }
    file.apply(&[put("a", "small")]).unwrap();
    assert_eq!(fps(&file, "a"), ["large", "small"]);
}

#[test]
fn an_entry_of_another_kind_is_damage() {
    let (_folder, path) = place();
    for strange in [&b"?"[..], b"p", b"r\xff\xff\xff\xff\xff\xff\xff\xff", b"s\0\0\0\0\0\0\0\x01a"] {
        Journal::open(&path).unwrap().append(strange).unwrap();
        assert!(StoreFile::open(&path).unwrap().load("a").unwrap_err().contains("damaged"));
        fs::remove_file(&path).unwrap();
    }
}
