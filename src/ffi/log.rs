//! The log.

use std::ffi::c_void;

use super::{
    callbacks::{log_callback, UserData},
    constants::{IM_LOG_OFF, IM_LOG_TRACE},
    guard::guard,
    process::process,
    types::{im_free_fn, im_log_fn, im_status},
};
use crate::client::{Failed, Status};

/// Sets the function that gets the library's log lines up to a level (`IM_LOG_…`); NULL sets none. Replaceable at any time:
/// after a call with NULL one call of the old one that is just being made may still start, and no other; its `free_fn` comes
/// after that. Lines come on a thread of the library, through a bounded queue;
/// losses are told in a line of their own. `free_fn` (may be NULL) is called once when `user_data` is not used any more,
/// also where this call fails. Tokens, cookies and message contents never appear.
///
/// # Safety
/// `fn` may be called with `user_data` until it is replaced and its last call has returned.
#[no_mangle]
pub unsafe extern "C" fn im_set_log_callback(
    level: i32,
    r#fn: im_log_fn,
    user_data: *mut c_void,
    free_fn: im_free_fn,
) -> im_status {
    let data = UserData::new(user_data, free_fn);
    guard(|| {
        if !(IM_LOG_OFF..=IM_LOG_TRACE).contains(&level) {
            let message = format!("the argument \"level\" is {level}, not 0 to {IM_LOG_TRACE}");
            return Err(Failed::new(Status::InvalidArgument, message));
        }
        let level = u8::try_from(level).unwrap_or_default();
        process().shared().set_log(level, r#fn.map(|function| log_callback(function, data)));
        Ok(Status::Ok as im_status)
    })
}
