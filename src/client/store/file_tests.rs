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

fn refused(path: &Path) -> String {
    StoreFile::open(path).err().unwrap()
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
fn a_file_is_opened_once() {
    let (_folder, path) = place();
    let _file = StoreFile::open(&path).unwrap();
    assert!(refused(&path).contains("in use"));
}

#[cfg(unix)]
#[test]
fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place();
    drop(StoreFile::open(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
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
fn another_database_and_another_format_are_refused() {
    let (_folder, path) = place();
    let strange: TableDefinition<u64, u64> = TableDefinition::new("strange");
    let change = |act: &dyn Fn(&redb::WriteTransaction)| {
        let database = Database::create(&path).unwrap();
        let writing = database.begin_write().unwrap();
        act(&writing);
        writing.commit().unwrap();
    };
    change(&|writing| drop(writing.open_table(strange).unwrap().insert(1, 1).unwrap()));
    assert!(refused(&path).contains("no store"));
    fs::remove_file(&path).unwrap();
    drop(StoreFile::open(&path).unwrap());
    change(&|writing| {
        drop(writing.open_table(TABLE).unwrap().insert(FORMAT, 9_u64.to_be_bytes().as_slice()).unwrap())
    });
    assert!(refused(&path).contains("format 9"), "{}", refused(&path));
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_hurt() {
    let (_folder, path) = place();
    let mut file = StoreFile::open(&path).unwrap();
    for n in 0..50 {
        file.apply(&[put("a", &n.to_string())]).unwrap();
    }
    drop(file);
    let whole = fs::read(&path).unwrap();
    for cut in [1, 100, whole.len() / 2] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(!refused(&path).is_empty());
        assert_eq!(fs::read(&path).unwrap().len(), cut, "it is not changed");
    }
}
