//! Reads what C gives.

use std::{
    ffi::{c_char, CStr, CString},
    time::Duration,
};

use super::types::im_blob;
use crate::client::{Failed, Status};

/// A NUL-terminated string that must be there.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string that lives as long as the call.
pub unsafe fn required<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failed> {
    // SAFETY: as above.
    unsafe { optional(text, name) }?
        .ok_or_else(|| Failed::new(Status::InvalidArgument, format!("the argument \"{name}\" is NULL")))
}

/// A NUL-terminated string that may be NULL.
///
/// # Safety
/// As for `required`.
pub unsafe fn optional<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>, Failed> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, so NUL-terminated by this function's contract.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    utf8(bytes, name).map(Some)
}

/// A string with its length.
///
/// # Safety
/// `text` is NULL or points to `len` bytes that live as long as the call.
pub unsafe fn with_length<'a>(
    text: *const c_char,
    len: usize,
    name: &str,
) -> Result<Option<&'a str>, Failed> {
    if text.is_null() {
        return match len {
            0 => Ok(None),
            _ => Err(Failed::new(Status::InvalidArgument, format!("the argument \"{name}\" is NULL"))),
        };
    }
    if isize::try_from(len).is_err() {
        return Err(Failed::new(Status::InvalidArgument, format!("the length of \"{name}\" is no length")));
    }
    // SAFETY: not NULL and of that length by this function's contract.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) };
    utf8(bytes, name).map(Some)
}

fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, Failed> {
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the argument \"{name}\" is not UTF-8 at byte {}", error.valid_up_to());
        Failed::new(Status::Utf8, message)
    })
}

/// Binary attachments; each may be empty.
///
/// # Safety
/// `blobs` is NULL or has `count` elements, each with its bytes; all live as long as the call.
pub unsafe fn binary<'a>(blobs: *const im_blob, count: usize) -> Result<Vec<&'a [u8]>, Failed> {
    let fault = |what: String| Err(Failed::new(Status::InvalidArgument, what));
    match (count, blobs.is_null()) {
        (0, _) => return Ok(Vec::new()),
        (_, true) => {
            return fault(format!("the argument \"blobs\" is NULL, though \"blob_count\" is {count}"))
        }
        _ => {}
    }
    // SAFETY: so many elements, by this function's contract.
    let blobs = unsafe { std::slice::from_raw_parts(blobs, count) };
    let mut all = Vec::with_capacity(count);
    for (at, blob) in blobs.iter().enumerate() {
        all.push(match (blob.len, blob.data.is_null()) {
            (0, _) => &[][..],
            (_, true) => return fault(format!("the argument \"blobs\": the data of blob {at} is NULL")),
            (len, _) if isize::try_from(len).is_err() => {
                return fault(format!("the argument \"blobs\": the length of blob {at} is no length"))
            }
            // SAFETY: not NULL and of that length by this function's contract.
            (len, _) => unsafe { std::slice::from_raw_parts(blob.data.cast::<u8>(), len) },
        });
    }
    Ok(all)
}

/// An event's name with its length, which must not be empty.
///
/// # Safety
/// As for `with_length`.
pub unsafe fn event_name_with_length<'a>(text: *const c_char, len: usize) -> Result<&'a str, Failed> {
    // SAFETY: as above.
    let name = unsafe { with_length(text, len, "event") }?.filter(|name| !name.is_empty());
    name.ok_or_else(|| Failed::new(Status::InvalidArgument, "the argument \"event\" is NULL or empty"))
}

/// An event's name, which must not be empty.
///
/// # Safety
/// As for `required`.
pub unsafe fn event_name<'a>(text: *const c_char) -> Result<&'a str, Failed> {
    // SAFETY: as above.
    match unsafe { required(text, "event") }? {
        "" => Err(Failed::new(Status::InvalidArgument, "the argument \"event\" is empty")),
        name => Ok(name),
    }
}

/// A timeout in milliseconds: 0 is none of its own, a negative one an error.
pub fn timeout(timeout_ms: i64) -> Result<Option<Duration>, Failed> {
    match u64::try_from(timeout_ms) {
        Ok(0) => Ok(None),
        Ok(ms) => Ok(Some(Duration::from_millis(ms))),
        Err(_) => Err(Failed::new(Status::InvalidArgument, "the argument \"timeout_ms\" is negative")),
    }
}

/// A string for C, freed with `im_string_free`. Our strings have no NUL: JSON escapes it.
pub fn give(text: String) -> *mut c_char {
    CString::new(text).unwrap_or_default().into_raw()
}

/// The callback has to be there.
pub fn function<F>(function: Option<F>) -> Result<F, Failed> {
    function.ok_or_else(|| Failed::new(Status::InvalidArgument, "the argument \"fn\" is NULL"))
}
