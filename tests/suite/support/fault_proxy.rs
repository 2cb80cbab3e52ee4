//! A TCP proxy that harms what passes, by a seed.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::{
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::SeqCst},
        Arc, Mutex,
    },
    thread,
    time::Duration,
};

/// What is done to the bytes of one read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// They come later, each time by another time.
    Latency,
    /// They come three at a time.
    Trickle,
    /// They come after nothing came for a while.
    Stall,
    /// Half of them come, then the end of the stream.
    Cut,
    /// Half of them come, then a reset.
    Reset,
    /// They are lost, and what the other side says too, until the connection is reset.
    Swallowed,
    /// The connection ends before it has begun.
    Refused,
}

const ON_DATA: [Fault; 6] =
    [Fault::Latency, Fault::Trickle, Fault::Stall, Fault::Cut, Fault::Reset, Fault::Swallowed];

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
    upstream: AtomicU16,
    is_calm: AtomicBool,
    is_over: AtomicBool,
    faults: AtomicU64,
    /// Both ends of every connection, by its number.
    streams: Mutex<HashMap<u64, [TcpStream; 2]>>,
}

impl Shared {
    fn hit(&self, fault: Fault) -> Option<Fault> {
        self.faults.fetch_add(1, SeqCst);
        Some(fault)
    }

    /// What becomes of the next bytes.
    fn fault(&self, dice: &mut Dice) -> Option<Fault> {
        let spared = dice.roll(8) > 0;
        let fault = ON_DATA[usize::try_from(dice.roll(6)).expect("small")];
        if spared || self.is_calm.load(SeqCst) {
            return None;
        }
        self.hit(fault)
    }
}

pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
}

impl FaultProxy {
    pub fn start(upstream: u16, seed: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            seed,
            upstream: upstream.into(),
            is_calm: false.into(),
            is_over: false.into(),
            faults: 0.into(),
            streams: Mutex::default(),
        });
        let for_thread = shared.clone();
        thread::spawn(move || accept(&listener, &for_thread));
        FaultProxy { port, shared }
    }

    pub fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the server is from now on.
    pub fn lead_to(&self, upstream: u16) {
        self.shared.upstream.store(upstream, SeqCst);
    }

    pub fn faults(&self) -> u64 {
        self.shared.faults.load(SeqCst)
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
        for (_, ends) in self.shared.streams.lock().expect("nobody panics with it").drain() {
            close(&ends[0], &ends[1]);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0_u64.. {
        let Ok((client, _)) = listener.accept() else { return };
        if shared.is_over.load(SeqCst) {
            return;
        }
        let mut dice = Dice(shared.seed.wrapping_mul(1_000_003).wrapping_add(number));
        if dice.roll(12) == 0 && !shared.is_calm.load(SeqCst) {
            shared.hit(Fault::Refused);
            continue;
        }
        // A server that is just being restarted refuses.
        let Ok(server) = TcpStream::connect(("127.0.0.1", shared.upstream.load(SeqCst))) else { continue };
        if join(number, client, server, dice, shared).is_err() {
            return;
        }
    }
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
    shared.streams.lock().expect("nobody panics with it").insert(number, ends);
    let pairs = [(client.try_clone()?, server.try_clone()?), (server, client)];
    for (from, to) in pairs {
        let (dice, shared) = (Dice(dice.roll(u64::MAX)), shared.clone());
        thread::spawn(move || {
            // Whatever ends one direction ends the connection.
            let _ = pump(&from, &to, dice, &shared);
            close(&from, &to);
            shared.streams.lock().expect("nobody panics with it").remove(&number);
        });
    }
    Ok(())
}

fn close(from: &TcpStream, to: &TcpStream) {
    // One that has ended already is as good.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, mut dice: Dice, shared: &Shared) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let count = from.read(&mut buffer)?;
        let (data, half) = (&buffer[..count], &buffer[..count / 2]);
        if count == 0 {
            return Ok(());
        }
        match shared.fault(&mut dice) {
            None => to.write_all(data)?,
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
            Some(Fault::Cut) => return to.write_all(half),
            Some(Fault::Reset) => {
                to.write_all(half)?;
                return reset(from, to);
            }
            Some(Fault::Swallowed | Fault::Refused) => {
                thread::sleep(Duration::from_millis(300));
                return reset(from, to);
            }
        }
    }
}

/// Has both ends of the connection end by RST and not by FIN.
fn reset(from: &TcpStream, to: &TcpStream) -> io::Result<()> {
    for stream in [from, to] {
        let now = libc::linger { l_onoff: 1, l_linger: 0 };
        let size = libc::socklen_t::try_from(size_of::<libc::linger>()).expect("small");
        // SAFETY: the descriptor is open; the option's value is of its type.
        let result = unsafe {
            libc::setsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_LINGER,
                (&raw const now).cast(),
                size,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
