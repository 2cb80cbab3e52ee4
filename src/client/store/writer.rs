//! The one thread that reads and writes a store's file. What comes while it writes goes into its next transaction, so many
//! waiting callers cost one fsync.

use std::{
    collections::HashSet,
    io,
    panic::{catch_unwind, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{
        mpsc::{sync_channel, SyncSender},
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    super::pool::ThreadStart,
    file::{Change, Contents, StoreFile, Stored},
};
use crate::{
    im::MOST_SEEN,
    log::{Level, Log},
};

/// Keys of delivered messages wait so long for company: what a crash loses of them may be delivered once more.
const LAZY: Duration = Duration::from_secs(1);
/// A file that could not be written is tried again after so long.
const RETRY: Duration = Duration::from_secs(1);

type Answer<T> = Result<T, String>;

struct Job {
    account: String,
    change: Change,
    /// Who waits until it is on the disk.
    waits: Option<SyncSender<Answer<()>>>,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    loads: Vec<(String, SyncSender<Answer<Contents>>)>,
    /// When the jobs are to be written.
    due: Option<Instant>,
    /// Messages that a client of this process has on its way: account and fingerprint.
    taken: HashSet<(String, String)>,
    users: usize,
    suspended: usize,
    /// Has the thread the file open?
    open: bool,
    /// Callers of `resume`.
    resumes: Vec<SyncSender<Answer<()>>>,
    stops: bool,
    ended: bool,
}

impl State {
    /// Is the file to be given up?
    fn rests(&self) -> bool {
        self.suspended >= self.users && !self.stops
    }

    fn add(
        &mut self,
        account: &str,
        change: Change,
        waits: Option<SyncSender<Answer<()>>>,
        patience: Duration,
    ) {
        let due = Instant::now() + patience;
        self.due = Some(self.due.map_or(due, |known| known.min(due)));
        self.jobs.push(Job { account: account.to_owned(), change, waits });
    }
}

/// What the thread does next.
enum Turn {
    Work(Vec<Job>),
    GiveUp(Vec<Job>),
    End(Vec<Job>),
}

pub struct Writer {
    path: PathBuf,
    log: Arc<Log>,
    state: Mutex<State>,
    /// For the thread, and for who waits for it.
    wake: Condvar,
    changed: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(path: &Path, log: Arc<Log>, thread_start: ThreadStart) -> io::Result<Arc<Self>> {
        let writer = Arc::new(Writer {
            path: path.to_owned(),
            log,
            state: Mutex::default(),
            wake: Condvar::new(),
            changed: Condvar::new(),
            thread: Mutex::default(),
        });
        let own = writer.clone();
        let thread = thread::Builder::new().name("im-store".into()).spawn(move || {
            thread_start();
            if catch_unwind(AssertUnwindSafe(|| own.run())).is_err() {
                own.log
                    .write(Level::Error, format_args!("a defect of the library in the store {:?}", own.path));
            }
            own.ended();
        })?;
        *writer.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(writer)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    // The clients' side.

    pub fn enter(&self) {
        self.lock().users += 1;
        self.wake.notify_one();
    }

    /// A client goes, and leaves these messages behind.
    pub fn leave(&self, account: &str, messages: &[String], suspended: bool) {
        let mut state = self.lock();
        if state.ended {
            return;
        }
        state.users -= 1;
        state.suspended -= usize::from(suspended);
        for fingerprint in messages {
            state.taken.remove(&(account.to_owned(), fingerprint.clone()));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// What the file has for an account; the messages that no other client has on its way are the caller's now.
    pub fn load(&self, account: &str) -> Answer<Contents> {
        let (reply, answer) = sync_channel(1);
        {
            let mut state = self.lock();
            if state.ended {
                return Err(closed());
            }
            state.loads.push((account.to_owned(), reply));
        }
        self.wake.notify_one();
        let mut contents = answer.recv().map_err(|_| closed())??;
        let mut state = self.lock();
        contents
            .messages
            .retain(|message| state.taken.insert((account.to_owned(), message.fingerprint.clone())));
        Ok(contents)
    }

    /// False where a client of this process has the message on its way already.
    pub fn take(&self, account: &str, fingerprint: &str) -> bool {
        self.lock().taken.insert((account.to_owned(), fingerprint.to_owned()))
    }

    pub fn put(&self, account: &str, message: Stored) -> Answer<()> {
        let (reply, answer) = sync_channel(1);
        {
            let mut state = self.lock();
            if state.ended {
                return Err(closed());
            }
            let waits = (!state.rests()).then_some(reply);
            state.add(account, Change::Put(message), waits, Duration::ZERO);
            if state.rests() {
                return Ok(());
            }
        }
        self.wake.notify_one();
        answer.recv().unwrap_or_else(|_| Err(closed()))
    }

    pub fn remove(&self, account: &str, fingerprint: &str) {
        let mut state = self.lock();
        state.taken.remove(&(account.to_owned(), fingerprint.to_owned()));
        state.add(account, Change::Remove(fingerprint.to_owned()), None, Duration::ZERO);
        drop(state);
        self.wake.notify_one();
    }

    pub fn untake(&self, account: &str, fingerprint: &str) {
        self.lock().taken.remove(&(account.to_owned(), fingerprint.to_owned()));
    }

    pub fn seen(&self, account: &str, key: String) {
        let mut state = self.lock();
        let first = state.due.is_none();
        state.add(account, Change::Seen(key), None, LAZY);
        drop(state);
        if first {
            self.wake.notify_one();
        }
    }

    pub fn suspend(&self) {
        let mut state = self.lock();
        state.suspended += 1;
        self.wake.notify_one();
        while state.open && state.rests() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn resume(&self) -> Answer<()> {
        let (reply, answer) = sync_channel(1);
        {
            let mut state = self.lock();
            if state.ended {
                return Err(closed());
            }
            state.suspended -= 1;
            state.resumes.push(reply);
        }
        self.wake.notify_one();
        answer.recv().unwrap_or_else(|_| Err(closed()))
    }

    /// Writes what is left, closes the file and ends the thread.
    pub fn stop(&self) {
        self.lock().stops = true;
        self.wake.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there was its own.
            let _ = thread.join();
        }
    }

    // The thread.

    fn run(&self) {
        let mut file = None;
        loop {
            match self.next_turn() {
                Turn::Work(jobs) => self.work(&mut file, jobs),
                Turn::GiveUp(jobs) => {
                    match file.is_some() && !jobs.is_empty() {
                        true => self.work(&mut file, jobs),
                        false => self.answer(jobs, &Err("is given up at the moment".into())),
                    }
                    drop(file.take());
                    self.lock().open = false;
                    self.changed.notify_all();
                }
                Turn::End(jobs) => {
                    if !jobs.is_empty() {
                        self.work(&mut file, jobs);
                    }
                    // Closed before anybody is told.
                    return drop(file);
                }
            }
        }
    }

    /// Nothing is done any more; who waits hears it, for the answers' senders go.
    fn ended(&self) {
        let mut state = self.lock();
        *state = State { ended: true, ..State::default() };
        drop(state);
        self.changed.notify_all();
    }

    fn next_turn(&self) -> Turn {
        let mut state = self.lock();
        loop {
            if state.stops {
                return Turn::End(std::mem::take(&mut state.jobs));
            }
            if state.rests() {
                if state.open || state.jobs.iter().any(|job| job.waits.is_some()) {
                    state.due = None;
                    return Turn::GiveUp(std::mem::take(&mut state.jobs));
                }
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let now = Instant::now();
            let asked = !state.loads.is_empty() || !state.resumes.is_empty();
            match state.due {
                Some(due) if due <= now || asked => {
                    state.due = None;
                    return Turn::Work(std::mem::take(&mut state.jobs));
                }
                None if asked => return Turn::Work(Vec::new()),
                Some(due) => {
                    let wait = self.wake.wait_timeout(state, due - now);
                    state = wait.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Opens the file where it is not, makes the changes, and answers who waits.
    fn work(&self, file: &mut Option<StoreFile>, jobs: Vec<Job>) {
        let opened = self.opened(file);
        let (loads, resumes) = {
            let mut state = self.lock();
            (std::mem::take(&mut state.loads), std::mem::take(&mut state.resumes))
        };
        let changes: Vec<_> = jobs.iter().map(|job| (job.account.clone(), job.change.clone())).collect();
        let done = opened.and_then(|open| match changes.is_empty() {
            true => Ok(()),
            false => open.apply(&changes),
        });
        if let Err(what) = &done {
            // After a failure the file has to be opened anew.
            drop(file.take());
            self.lock().open = false;
            self.log.write(Level::Error, format_args!("the store {:?} {what}", self.path));
        }
        for resume in resumes {
            // Who asked may have gone.
            let _ = resume.send(done.clone());
        }
        for (account, reply) in loads {
            let contents = match (&done, &*file) {
                (Ok(()), Some(open)) => open.load(&account),
                (Ok(()), None) => Err(closed()),
                (Err(what), _) => Err(what.clone()),
            };
            let _ = reply.send(contents);
        }
        self.answer(jobs, &done);
    }

    fn opened<'a>(&self, file: &'a mut Option<StoreFile>) -> Answer<&'a mut StoreFile> {
        match file {
            Some(open) => Ok(open),
            None => {
                let open = StoreFile::open(&self.path)?;
                self.lock().open = true;
                Ok(file.insert(open))
            }
        }
    }

    /// Tells who waits. Of what failed, nobody's message must come to the disk later; the rest is tried again.
    fn answer(&self, jobs: Vec<Job>, done: &Answer<()>) {
        let mut again = Vec::new();
        for mut job in jobs {
            match job.waits.take() {
                Some(waits) => {
                    let _ = waits.send(done.clone());
                    if let (Err(_), Change::Put(message)) = (done, job.change) {
                        // A transaction that failed late may have reached the disk all the same.
                        let change = Change::Remove(message.fingerprint);
                        again.push(Job { account: job.account, change, waits: None });
                    }
                }
                None if done.is_err() => again.push(job),
                None => {}
            }
        }
        self.keep(again);
    }

    /// Puts jobs back in front of what came meanwhile.
    fn keep(&self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let mut state = self.lock();
        jobs.append(&mut state.jobs);
        if jobs.len() > 2 * MOST_SEEN {
            // A disk that stays full must not fill the memory too.
            jobs.retain(|job| !matches!(job.change, Change::Seen(_)));
        }
        state.jobs = jobs;
        if state.due.is_none() {
            state.due = Some(Instant::now() + RETRY);
        }
    }
}

fn closed() -> String {
    "is closed: its last client has ended".into()
}
