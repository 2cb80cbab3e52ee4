//! The state of the process: the handles, and what all clients share. A forked child gets a fresh one; of the old one it
//! touches nothing, no lock included.

use std::sync::{
    atomic::{AtomicPtr, AtomicU32, Ordering},
    Once,
};

use super::{clocks::clocks, exit, types::im_client};
use crate::{
    client::{forget_deferred_in_child, forget_in_child, Client, Failed, Shared, Status},
    sync::{Arc, PoisonError, RwLock},
};

static CURRENT: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());
/// The parent's, so that a leak checker in the child still finds it.
static PARENTS: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());
static FORKS: AtomicU32 = AtomicU32::new(0);
static HOOKS: Once = Once::new();

pub struct Process {
    table: RwLock<Table>,
    shared: Arc<Shared>,
    forks: u8,
}

#[derive(Default)]
struct Table {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Default)]
struct Slot {
    /// Goes up when the slot is taken again, so that a stale handle is noticed.
    generation: u32,
    client: Option<Arc<Client>>,
}

/// The highest that a handle has room for.
const LAST_GENERATION: u32 = 0xff_ffff;

impl Table {
    /// Takes a slot for another client.
    fn take_slot(&mut self) -> (usize, u32) {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[at].generation += 1;
        (at, self.slots[at].generation)
    }

    /// The slot has no client any more.
    fn free_slot(&mut self, at: usize) -> Option<Arc<Client>> {
        // After its last generation it would bring back the handle of its first client.
        if self.slots[at].generation < LAST_GENERATION {
            self.free.push(at);
        }
        self.slots[at].client.take()
    }
}

/// A handle: forks in the highest byte, the generation in the next three, the slot (from 1) in the lower half.
fn handle(forks: u8, generation: u32, slot: usize) -> im_client {
    u64::from(forks) << 56 | u64::from(generation) << 32 | (slot as u64 + 1)
}

/// The current process's state, made on first use.
pub fn process() -> &'static Process {
    let current = CURRENT.load(Ordering::Acquire);
    // SAFETY: once stored, the state is never freed.
    if let Some(current) = unsafe { current.as_ref() } {
        return current;
    }
    // Before the state is there for others, who might fork.
    HOOKS.call_once(|| {
        // SAFETY: the function only stores to atomics and thread-locals.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        exit::install();
    });
    let made = Box::into_raw(Box::new(Process {
        table: RwLock::default(),
        shared: Shared::new(block_signals, clocks),
        forks: now_of_forks(),
    }));
    match CURRENT.compare_exchange(std::ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: just made, and never freed.
        Ok(_) => unsafe { &*made },
        Err(other) => {
            // SAFETY: another thread was first; ours was never shown to anybody.
            drop(unsafe { Box::from_raw(made) });
            // SAFETY: once stored, the state is never freed.
            unsafe { &*other }
        }
    }
}

/// The models begin each of their executions so: what the threads of the one before held is gone with them.
#[cfg(shuttle)]
pub fn forget() {
    CURRENT.store(std::ptr::null_mut(), Ordering::Release);
}

extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::AcqRel);
    PARENTS.store(CURRENT.swap(std::ptr::null_mut(), Ordering::AcqRel), Ordering::Release);
    forget_in_child();
    forget_deferred_in_child();
    exit::forget_in_child();
}

/// The library's threads take no signals: those are for the host's own threads.
fn block_signals() {
    // SAFETY: both sets are local; the calls change this thread's mask alone.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
    }
}

/// Is this handle from before a fork? Asks without a lock.
pub fn is_from_before_a_fork(handle: im_client) -> bool {
    forks_of(handle) < now_of_forks()
}

fn forks_of(handle: im_client) -> u8 {
    (handle >> 56) as u8
}

fn now_of_forks() -> u8 {
    (FORKS.load(Ordering::Acquire) & 0xff) as u8
}

impl Process {
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Makes a client under a new handle.
    pub fn add(
        &self,
        make: impl FnOnce(im_client) -> Result<Arc<Client>, Failed>,
    ) -> Result<im_client, Failed> {
        let (slot, handle) = self.reserve();
        match make(handle) {
            Ok(client) => {
                self.write(|table| table.slots[slot].client = Some(client));
                Ok(handle)
            }
            Err(failed) => {
                self.write(|table| table.free_slot(slot));
                Err(failed)
            }
        }
    }

    fn reserve(&self) -> (usize, im_client) {
        let (slot, generation) = self.write(Table::take_slot);
        (slot, handle(self.forks, generation, slot))
    }

    fn write<R>(&self, change: impl FnOnce(&mut Table) -> R) -> R {
        change(&mut self.table.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The client of a handle.
    pub fn client(&self, handle: im_client) -> Result<Arc<Client>, Failed> {
        let slot = self.slot(handle)?;
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        self.find(&table, slot, handle).ok_or_else(|| no_client(handle))
    }

    /// Takes the client of a handle out; the handle is dead from now on.
    pub fn remove(&self, handle: im_client) -> Result<Arc<Client>, Failed> {
        let slot = self.slot(handle)?;
        self.write(|table| {
            self.find(table, slot, handle)?;
            table.free_slot(slot)
        })
        .ok_or_else(|| no_client(handle))
    }

    fn find(&self, table: &Table, slot: usize, wanted: im_client) -> Option<Arc<Client>> {
        let found = table.slots.get(slot)?;
        (handle(self.forks, found.generation, slot) == wanted).then(|| found.client.clone()).flatten()
    }

    fn slot(&self, handle: im_client) -> Result<usize, Failed> {
        let slot = usize::try_from(handle & 0xffff_ffff).unwrap_or(0);
        match slot.checked_sub(1) {
            Some(_) if forks_of(handle) < self.forks => {
                let message =
                    format!("client {handle} is from before a fork and belongs to the parent process");
                Err(Failed::new(Status::Forked, message))
            }
            Some(slot) => Ok(slot),
            None => Err(no_client(handle)),
        }
    }

    /// All live handles.
    pub fn handles(&self) -> Vec<im_client> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let slots = table.slots.iter().enumerate().filter(|(_, slot)| slot.client.is_some());
        slots.map(|(at, slot)| handle(self.forks, slot.generation, at)).collect()
    }
}

fn no_client(handle: im_client) -> Failed {
    let message = match handle {
        0 => "the client handle is 0".to_owned(),
        _ => format!("client {handle} was destroyed or never existed"),
    };
    Failed::new(Status::Handle, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_handle_is_used_twice() {
        let mut table = Table::default();
        assert_eq!(table.take_slot(), (0, 1));
        table.free_slot(0);
        assert_eq!(table.take_slot(), (0, 2), "a slot is used again");
        table.slots[0].generation = LAST_GENERATION - 1;
        table.free_slot(0);
        let (slot, last) = table.take_slot();
        assert_eq!((slot, handle(0, last, slot) >> 32), (0, u64::from(LAST_GENERATION)));
        table.free_slot(0);
        assert_eq!(table.take_slot(), (1, 1), "but not for ever");
    }
}
