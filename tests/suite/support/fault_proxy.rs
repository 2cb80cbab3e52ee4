//! A TCP proxy that harms what passes, by a seed.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
        Arc, Mutex, MutexGuard,
    },
    thread,
    time::{Duration, Instant},
};

/// What is done to the bytes of one read, or to a connection at its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// They come later, each time by another time.
    Latency,
    /// They come three at a time: a narrow line.
    Trickle,
    /// They come after nothing came for a while.
    Stall,
    /// Half of them come, then the end of the stream.
    Cut,
    /// Half of them come, then a reset.
    Reset,
    /// Whom they are for is gone; whom they are from is not told, and hears nothing any more.
    HalfOpen,
    /// The balancer gives everybody to the next server.
    Moved,
    /// The connection ends before it has begun.
    Refused,
    /// The connection is made after one that was asked for later.
    Reordered,
    /// The server was killed; another one stands in its place.
    Restarted,
}

const ALL: [(Fault, &str); 10] = [
    (Fault::Latency, "late"),
    (Fault::Trickle, "trickles"),
    (Fault::Stall, "stalls"),
    (Fault::Cut, "cuts"),
    (Fault::Reset, "resets"),
    (Fault::HalfOpen, "half-open"),
    (Fault::Moved, "moved"),
    (Fault::Refused, "refused"),
    (Fault::Reordered, "reordered"),
    (Fault::Restarted, "restarts"),
];

/// The last one only where there is another server.
const ON_DATA: [Fault; 7] =
    [Fault::Latency, Fault::Trickle, Fault::Stall, Fault::Cut, Fault::Reset, Fault::HalfOpen, Fault::Moved];

/// How long a connection with one end is kept where its user does not give it up.
const HALF_OPEN: Duration = Duration::from_millis(1500);
/// How long a connection waits to be overtaken.
const OVERTAKEN: Duration = Duration::from_millis(300);

/// Numbers that look like chance and are the same for the same seed (the finalizer of splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % sides
    }
}

struct Shared {
    seed: u64,
    /// The servers; new connections go to the first, or where that is down to the next.
    upstreams: Mutex<Vec<u16>>,
    is_calm: AtomicBool,
    is_over: AtomicBool,
    /// As in `ALL`.
    faults: [AtomicU64; ALL.len()],
    /// So many connections were made, to be overtaken by.
    joined: AtomicU64,
    /// Both ends of every connection, by its number.
    streams: Mutex<HashMap<u64, [TcpStream; 2]>>,
}

impl Shared {
    fn count(&self, fault: Fault) {
        let place = ALL.iter().position(|(other, _)| *other == fault).expect("it is one of all");
        self.faults[place].fetch_add(1, SeqCst);
    }

    /// What becomes of the next bytes.
    fn fault(&self, dice: &mut Dice) -> Option<Fault> {
        let kinds = if self.upstreams().len() > 1 { 7 } else { 6 };
        let spared = dice.roll(8) > 0;
        let fault = ON_DATA[usize::try_from(dice.roll(kinds)).expect("small")];
        if spared || self.is_calm.load(SeqCst) {
            return None;
        }
        self.count(fault);
        Some(fault)
    }

    fn upstreams(&self) -> MutexGuard<'_, Vec<u16>> {
        self.upstreams.lock().expect("nobody panics with it")
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<u64, [TcpStream; 2]>> {
        self.streams.lock().expect("nobody panics with it")
    }

    /// Everybody's connections end; the next ones go to the next server.
    fn move_on(&self) {
        self.upstreams().rotate_left(1);
        self.end_all();
    }

    fn end_all(&self) {
        for (_, ends) in self.streams().drain() {
            close(&ends[0], &ends[1]);
        }
    }

    fn dial(&self) -> Option<TcpStream> {
        let upstreams = self.upstreams().clone();
        upstreams.iter().find_map(|port| TcpStream::connect(("127.0.0.1", *port)).ok())
    }
}

pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
}

impl FaultProxy {
    /// Before a server.
    pub fn start(upstream: u16, seed: u64) -> Self {
        Self::before(&[upstream], seed)
    }

    /// Before several servers that share what they know.
    pub fn before(upstreams: &[u16], seed: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            seed,
            upstreams: Mutex::new(upstreams.to_vec()),
            is_calm: false.into(),
            is_over: false.into(),
            faults: Default::default(),
            joined: 0.into(),
            streams: Mutex::default(),
        });
        let for_thread = shared.clone();
        thread::spawn(move || accept(&listener, &for_thread));
        FaultProxy { port, shared }
    }

    pub fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// These are the servers now: one was killed, and another one stands in its place.
    pub fn restarted(&self, upstreams: &[u16]) {
        *self.shared.upstreams() = upstreams.to_vec();
        self.shared.count(Fault::Restarted);
    }

    pub fn faults(&self) -> u64 {
        self.shared.faults.iter().map(|count| count.load(SeqCst)).sum()
    }

    /// How often what was done.
    pub fn tally(&self) -> String {
        let counts = ALL.iter().zip(&self.shared.faults).map(|((_, name), count)| (name, count.load(SeqCst)));
        let some: Vec<String> =
            counts.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        some.join(", ")
    }

    /// Does no harm any more.
    pub fn calm(&self) {
        self.shared.is_calm.store(true, SeqCst);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        self.shared.end_all();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0_u64.. {
        let Ok((client, _)) = listener.accept() else { return };
        if shared.is_over.load(SeqCst) {
            return;
        }
        let mut dice = Dice(shared.seed.wrapping_mul(1_000_003).wrapping_add(number));
        let roll = dice.roll(12);
        if roll == 0 && !shared.is_calm.load(SeqCst) {
            shared.count(Fault::Refused);
            continue;
        }
        let for_thread = shared.clone();
        let begin = move || {
            // A server that is just being restarted refuses.
            let Some(server) = for_thread.dial() else { return };
            for_thread.joined.fetch_add(1, SeqCst);
            // One that is gone already needs no end.
            let _ = join(number, client, server, dice, &for_thread);
        };
        if roll < 4 && !shared.is_calm.load(SeqCst) {
            let shared = shared.clone();
            thread::spawn(move || {
                let overtaken = is_overtaken(&shared);
                shared.count(if overtaken { Fault::Reordered } else { Fault::Latency });
                begin();
            });
        } else {
            begin();
        }
    }
}

/// Waits until another connection is made.
fn is_overtaken(shared: &Shared) -> bool {
    let (start, before) = (Instant::now(), shared.joined.load(SeqCst));
    while start.elapsed() < OVERTAKEN {
        thread::sleep(Duration::from_millis(2));
        if shared.joined.load(SeqCst) > before {
            return true;
        }
    }
    false
}

/// One thread for each direction.
fn join(
    number: u64,
    client: TcpStream,
    server: TcpStream,
    mut dice: Dice,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let ends = [client.try_clone()?, server.try_clone()?];
    shared.streams().insert(number, ends);
    let is_half = Arc::new(AtomicBool::new(false));
    let pairs = [(client.try_clone()?, server.try_clone()?), (server, client)];
    for (from, to) in pairs {
        let (dice, shared, is_half) = (Dice(dice.roll(u64::MAX)), shared.clone(), is_half.clone());
        thread::spawn(move || {
            // Whatever ends one direction ends the connection, but where one end of it is to go on alone.
            match pump(&from, &to, dice, &shared, &is_half) {
                Ok(Some(Fault::HalfOpen)) => outlive(&from),
                _ if is_half.load(SeqCst) => return,
                _ => {}
            }
            close(&from, &to);
            shared.streams().remove(&number);
        });
    }
    Ok(())
}

fn close(from: &TcpStream, to: &TcpStream) {
    // One that has ended already is as good.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// Gives the fault that ended it; none where that was the end of the stream.
fn pump(
    mut from: &TcpStream,
    mut to: &TcpStream,
    mut dice: Dice,
    shared: &Shared,
    is_half: &AtomicBool,
) -> io::Result<Option<Fault>> {
    let mut buffer = [0; 4096];
    loop {
        let count = from.read(&mut buffer)?;
        let (data, half) = (&buffer[..count], &buffer[..count / 2]);
        if count == 0 {
            return Ok(None);
        }
        let fault = shared.fault(&mut dice);
        match fault {
            Some(Fault::Latency) => {
                thread::sleep(Duration::from_millis(1 + dice.roll(30)));
                to.write_all(data)?;
            }
            Some(Fault::Trickle) => {
                for piece in data.chunks(3) {
                    to.write_all(piece)?;
                    thread::sleep(Duration::from_micros(200));
                }
            }
            Some(Fault::Stall) => {
                thread::sleep(Duration::from_millis(200));
                to.write_all(data)?;
            }
            Some(Fault::Cut) => {
                to.write_all(half)?;
                return Ok(fault);
            }
            Some(Fault::Reset) => {
                to.write_all(half)?;
                reset(from)?;
                reset(to)?;
                return Ok(fault);
            }
            Some(Fault::HalfOpen) => {
                is_half.store(true, SeqCst);
                // One that is gone already is as good; the other end has to have its end all the same.
                let _ = reset(to);
                return Ok(fault);
            }
            Some(Fault::Moved) => {
                shared.move_on();
                return Ok(fault);
            }
            None | Some(Fault::Refused | Fault::Reordered | Fault::Restarted) => to.write_all(data)?,
        }
    }
}

/// One end of a connection whose other end is gone: what it says is lost, until it gives up or its time is over.
fn outlive(mut from: &TcpStream) {
    let (start, mut buffer) = (Instant::now(), [0; 4096]);
    let _ = from.set_read_timeout(Some(Duration::from_millis(50)));
    while start.elapsed() < HALF_OPEN {
        match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let _ = reset(from);
}

/// Ends this end of the connection by RST, at once and whoever else holds it: what connecting it to nobody does.
fn reset(stream: &TcpStream) -> io::Result<()> {
    let family = libc::sa_family_t::try_from(libc::AF_UNSPEC).expect("small");
    let nobody = libc::sockaddr { sa_family: family, sa_data: [0; 14] };
    let size = libc::socklen_t::try_from(size_of::<libc::sockaddr>()).expect("small");
    // SAFETY: the descriptor is open; the address is of its size.
    match unsafe { libc::connect(stream.as_raw_fd(), &raw const nobody, size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
