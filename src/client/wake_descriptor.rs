//! A file descriptor that is readable while something waits, for an event loop. The system's own kind is opened above.

use std::{
    fs::File,
    io::{Read, Write},
};

/// An eventfd takes and gives numbers of this size; a pipe takes any.
const ONE: [u8; 8] = 1u64.to_ne_bytes();

/// Neither end blocks.
pub struct WakeDescriptor {
    read: File,
    /// Where the end that is written to is another.
    write: Option<File>,
    /// It is readable. So a flood of events costs one system call, not one for each.
    raised: bool,
}

impl WakeDescriptor {
    pub fn new(read: File, write: Option<File>) -> Self {
        WakeDescriptor { read, write, raised: false }
    }

    /// What an event loop watches; -1 where the system has none.
    pub fn number(&self) -> i32 {
        #[cfg(unix)]
        return std::os::fd::AsRawFd::as_raw_fd(&self.read);
        #[cfg(not(unix))]
        return -1;
    }

    /// Makes it readable.
    pub fn raise(&mut self) {
        if !self.raised {
            self.raised = self.write.as_ref().unwrap_or(&self.read).write_all(&ONE).is_ok();
        }
    }

    /// Makes it unreadable.
    pub fn lower(&mut self) {
        if self.raised {
            // A caller who has read it himself has broken the contract, but blocks nobody: it says that nothing is there.
            let _ = self.read.read(&mut [0; ONE.len()]);
            self.raised = false;
        }
    }
}
