//! Events beyond their callback, and the parts that are not fields.

use std::{
    ffi::{c_char, c_void},
    mem::ManuallyDrop,
    sync::Arc,
};

use super::{
    emit::im_client_reply,
    guard::{guard, remember},
    process::is_from_before_a_fork,
    types::{im_blob, im_event, im_status},
};
use crate::client::{Event, Failed, Status};

/// The event behind C's pointer; the reference is C's, and stays so.
///
/// # Safety
/// `event` is NULL or a valid event of this library.
unsafe fn borrow(event: *const im_event) -> Result<ManuallyDrop<Arc<Event>>, Failed> {
    if event.is_null() {
        return Err(Failed::new(Status::InvalidArgument, "the argument \"event\" is NULL"));
    }
    // SAFETY: every `im_event` is the first field of an `Event` inside an `Arc`, which is alive by this function's contract.
    Ok(ManuallyDrop::new(unsafe { Arc::from_raw(event.cast::<Event>()) }))
}

/// Keeps an event (and its strings) beyond the callback; gives the same pointer, or NULL for NULL. Any thread. Each call
/// needs its `im_event_release`.
///
/// # Safety
/// `event` is NULL or a valid event.
#[no_mangle]
pub unsafe extern "C" fn im_event_retain(event: *const im_event) -> *const im_event {
    // SAFETY: by this function's contract.
    match unsafe { borrow(event) } {
        Ok(kept) => {
            std::mem::forget(Arc::clone(&kept));
            event
        }
        Err(failed) => {
            remember(failed);
            std::ptr::null()
        }
    }
}

/// Gives back an event that was kept, or that `im_client_poll` gave; NULL is allowed. Any thread. In a forked child an event
/// of the parent's is only forgotten: a polled message is the parent's to receipt.
///
/// # Safety
/// `event` is NULL or was kept with `im_event_retain` or given by `im_client_poll`, which this call undoes.
#[no_mangle]
pub unsafe extern "C" fn im_event_release(event: *const im_event) {
    // SAFETY: by this function's contract.
    if let Ok(kept) = unsafe { borrow(event) } {
        if is_from_before_a_fork(kept.client()) {
            // What its last reference does takes locks of the parent's client.
            return;
        }
        drop(ManuallyDrop::into_inner(kept));
    }
}

/// As `im_event_release`, for an event of `im_client_poll` that nobody has seen: it does not count as delivered, whoever else
/// still has it. So a message is not receipted, and is shown again where the server sends it again.
///
/// # Safety
/// As for `im_event_release`.
#[no_mangle]
pub unsafe extern "C" fn im_event_discard(event: *const im_event) {
    // SAFETY: by this function's contract.
    if let Ok(unseen) = unsafe { borrow(event) } {
        if is_from_before_a_fork(unseen.client()) {
            return;
        }
        unseen.forget_delivery();
        drop(ManuallyDrop::into_inner(unseen));
    }
}

/// As `im_client_reply`, for the question that this event is.
///
/// # Safety
/// `event` is a valid event; `json` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_event_reply(event: *const im_event, json: *const c_char) -> im_status {
    // SAFETY: by this function's contract.
    match unsafe { borrow(event) } {
        // SAFETY: by this function's contract.
        Ok(event) => unsafe { im_client_reply(event.client(), event.ack_id(), json) },
        Err(failed) => guard(|| Err(failed)),
    }
}

/// All arguments of an event as a JSON array, NUL-terminated; built on the first call and owned by the event. NULL for NULL.
/// Any thread.
///
/// # Safety
/// `event` is NULL or a valid event.
#[no_mangle]
pub unsafe extern "C" fn im_event_args(event: *const im_event) -> *const c_char {
    // SAFETY: by this function's contract.
    guard(|| Ok(unsafe { borrow(event) }?.arguments().as_ptr()))
}

/// Binary attachment `index` (from 0) of an event; its bytes are owned by the event. `IM_ERROR_NOT_FOUND` where there is none.
///
/// # Safety
/// `event` is NULL or a valid event, `blob` is NULL or may be written to.
#[no_mangle]
pub unsafe extern "C" fn im_event_blob(
    event: *const im_event,
    index: usize,
    blob: *mut im_blob,
) -> im_status {
    guard(|| {
        // SAFETY: by this function's contract.
        let event = unsafe { borrow(event) }?;
        // SAFETY: by this function's contract.
        let target = unsafe { blob.as_mut() }
            .ok_or_else(|| Failed::new(Status::InvalidArgument, "the argument \"blob\" is NULL"))?;
        let data = event.blob(index).ok_or_else(|| {
            let count = event.view().blob_count;
            Failed::new(Status::NotFound, format!("no attachment {index}: the event has {count}"))
        })?;
        *target = im_blob { data: data.as_ptr().cast::<c_void>(), len: data.len() };
        Ok(Status::Ok as im_status)
    })
}
