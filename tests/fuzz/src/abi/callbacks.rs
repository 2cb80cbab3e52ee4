//! What the library calls: functions that call it back, and an account of what was promised and what came.

use std::{
    ffi::{c_char, c_void, CStr},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::im_client::{internals::Status, *};

use super::{count, sane, User, OK};

/// How many calls are still owed.
#[derive(Debug)]
pub struct Account {
    owed: Mutex<i64>,
    even: Condvar,
}

pub static ACKS: Account = Account { owed: Mutex::new(0), even: Condvar::new() };
pub static FREES: Account = Account { owed: Mutex::new(0), even: Condvar::new() };

/// A call that is owed if the function that is about to be called accepts it.
pub struct Expected(&'static Account);

impl Account {
    fn owed(&self) -> MutexGuard<'_, i64> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the call, since its outcome may come before it returns.
    pub fn expect(&'static self) -> Expected {
        self.expect_always();
        Expected(self)
    }

    /// A free function is called also where the call fails that it was given to.
    pub fn expect_always(&self) {
        *self.owed() += 1;
    }

    fn came(&self) {
        let mut owed = self.owed();
        assert!(*owed > 0, "called more often than promised");
        *owed -= 1;
        if *owed == 0 {
            self.even.notify_all();
        }
    }

    /// Waits until nothing is owed; false where it takes longer than this.
    pub fn settle(&self, limit: Duration) -> bool {
        let waited = self.even.wait_timeout_while(self.owed(), limit, |owed| *owed != 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

impl Expected {
    pub fn not(self) {
        self.0.came();
    }
}

/// What a callback does when it is called, as its user data.
pub fn behaviour(choice: u8) -> User {
    usize::from(choice % 8) as User
}

/// Reads all that an event says; gives the number of its question.
pub fn look(event: *const im_event) -> u64 {
    // SAFETY: a valid event, as the library gave it.
    unsafe {
        let event_ref = &*event;
        // A name may have a NUL inside: Socket.IO allows any.
        let name = std::slice::from_raw_parts(event_ref.name.cast::<u8>(), event_ref.name_len + 1);
        assert!(std::str::from_utf8(name).is_ok() && name.ends_with(&[0]));
        assert_eq!(CStr::from_ptr(event_ref.json).count_bytes(), event_ref.json_len);
        assert!(CStr::from_ptr(event_ref.json).to_str().is_ok());
        assert!(!im_event_args(event).is_null());
        count();
        for index in 0..=event_ref.blob_count {
            let mut blob = im_blob { data: std::ptr::null(), len: 0 };
            let status = im_event_blob(event, index, &raw mut blob);
            count();
            assert_eq!(status == OK, index < event_ref.blob_count);
            if status == OK && blob.len > 0 {
                std::hint::black_box(*blob.data.cast::<u8>().add(blob.len - 1));
            }
        }
        event_ref.ack_id
    }
}

/// Reads an event that was polled: an outcome is told by it, and not by its function.
pub fn take(event: *const im_event) -> u64 {
    const KIND_ACK: i32 = 1;
    // SAFETY: a valid event.
    if unsafe { (*event).kind } == KIND_ACK {
        ACKS.came();
    }
    look(event)
}

pub unsafe extern "C" fn on_event(event: *const im_event, user_data: *mut c_void) {
    look(event);
    // SAFETY: the event is the library's until this returns.
    let client = unsafe { (*event).client };
    act(client, event, user_data as usize);
}

pub unsafe extern "C" fn on_ack(_status: im_status, reply: *const im_event, user_data: *mut c_void) {
    ACKS.came();
    if !reply.is_null() {
        look(reply);
        // SAFETY: as above.
        let client = unsafe { (*reply).client };
        act(client, reply, user_data as usize);
    }
}

fn act(client: im_client, event: *const im_event, choice: usize) {
    // SAFETY: texts are NUL-terminated, the event is valid until its callback returns.
    unsafe {
        match choice {
            1 => {
                sane(im_client_destroy(client));
            }
            2 => {
                let kept = im_event_retain(event);
                look(kept);
                im_event_release(kept);
                count();
                count();
            }
            3 => {
                sane(im_event_reply(event, c"1".as_ptr()));
            }
            4 => {
                sane(im_client_off_event(client, (*event).name));
            }
            5 => {
                sane(im_client_close(client));
            }
            6 => {
                // Another thread may have destroyed it.
                let status = sane(im_client_dispatch(client, 0, 1));
                assert!(status == Status::Deadlock as i32 || status == Status::Handle as i32, "{status}");
            }
            _ => {}
        }
    }
}

pub unsafe extern "C" fn on_free(_user_data: *mut c_void) {
    FREES.came();
}

pub unsafe extern "C" fn on_done(_user_data: *mut c_void) {
    ACKS.came();
}

pub unsafe extern "C" fn on_log(_level: i32, line: *const c_char, _user_data: *mut c_void) {
    // SAFETY: the library's text.
    assert!(unsafe { CStr::from_ptr(line) }.to_str().is_ok());
}
