//! A peer that sends the same without an end, on a thread of its own: its script can read meanwhile, or not.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    thread::JoinHandle,
};

use super::{pause, Peer};

/// So many bytes are written at once, or a little more.
const PIECE: usize = 64 * 1024;

/// Ends when it is dropped, or when the client is gone.
pub struct Flood {
    stops: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    /// Writes piece after piece, with a pause between, in milliseconds.
    fn start(stream: Arc<TcpStream>, piece: Vec<u8>, limit: u64, between: u64) -> Self {
        let stops = Arc::<AtomicBool>::default();
        let over = stops.clone();
        let thread = std::thread::spawn(move || {
            let mut sent = 0;
            while !over.load(Ordering::Acquire) && sent < limit {
                if (&*stream).write_all(&piece).is_err() {
                    return;
                }
                sent += piece.len() as u64;
                pause(between);
            }
        });
        Flood { stops, thread: Some(thread) }
    }

    /// Waits until all is sent, or the client is gone.
    pub fn finish(mut self) {
        self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::Release);
        self.thread.take().map(JoinHandle::join);
    }
}

fn piece_of(unit: &[u8]) -> Vec<u8> {
    unit.repeat(PIECE.div_ceil(unit.len()))
}

impl Peer {
    /// Sends these bytes again and again.
    pub fn flood(&self, unit: &[u8]) -> Flood {
        Flood::start(self.stream(), piece_of(unit), u64::MAX, 0)
    }

    /// Sends a byte again and again, with a pause of so many milliseconds behind each.
    pub fn drip(&self, byte: u8, milliseconds: u64) -> Flood {
        let _ = self.stream().set_nodelay(true);
        Flood::start(self.stream(), vec![byte], u64::MAX, milliseconds)
    }

    /// Sends these bytes so often, or a little more.
    pub fn flood_with(&self, unit: &[u8], times: u64) -> Flood {
        Flood::start(self.stream(), piece_of(unit), times * unit.len() as u64, 0)
    }
}

/// What clients of this listener send has room for some kilobytes, where nobody reads it: the buffers of loopback take megabytes,
/// because its segments are that large.
pub fn make_narrow(listener: &TcpListener) {
    for (level, name, value) in
        [(libc::SOL_SOCKET, libc::SO_RCVBUF, 4096), (libc::IPPROTO_TCP, libc::TCP_MAXSEG, 536)]
    {
        let value: libc::c_int = value;
        let length = libc::socklen_t::try_from(size_of::<libc::c_int>()).expect("small");
        // SAFETY: a socket that is open, and an option of the size that is given.
        let done = unsafe {
            libc::setsockopt(listener.as_raw_fd(), level, name, std::ptr::from_ref(&value).cast(), length)
        };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }
}
