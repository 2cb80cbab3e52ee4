//! What the next connection identifies itself with.

use std::ffi::c_char;

use super::{
    arguments::{optional, required},
    client::with,
    guard::guard,
    types::{im_client, im_status},
};
use crate::client::Status;

const OK: im_status = Status::Ok as im_status;

/// Sets the auth, a JSON object, that the next CONNECT carries (Socket.IO 3 and later read it); NULL sends none. The
/// connection that stands is not touched: `im_client_close` and `im_client_open` make a new one. What is no JSON object is
/// `IM_ERROR_JSON`. Any thread.
///
/// # Safety
/// `auth_json` is NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_set_auth(client: im_client, auth_json: *const c_char) -> im_status {
    guard(|| {
        // SAFETY: by this function's contract.
        let auth = unsafe { optional(auth_json, "auth_json") }?;
        Ok(with(client, |client| client.set_auth(auth).map(|()| OK)))
    })
}

/// Sets the query, a JSON object as in the option `query`, that the next connection's URL carries, in place of the one
/// before. What is none is `IM_ERROR_JSON`; another `userId` than a client with the option `store` was made with is
/// `IM_ERROR_OPTION`. Any thread.
///
/// # Safety
/// `query_json` is NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_set_query(client: im_client, query_json: *const c_char) -> im_status {
    guard(|| {
        // SAFETY: by this function's contract.
        let query = unsafe { required(query_json, "query_json") }?;
        Ok(with(client, |client| client.set_query(query).map(|()| OK)))
    })
}

/// Answers a request event (`event->kind` is `IM_EVENT_KIND_REQUEST`, `event->request` its id) with JSON: for `auth` and
/// `query` an object that holds from now on, or `null`, which leaves things as they are; anything else gives the errors of
/// `im_client_set_auth` and `im_client_set_query`, and the request still waits. The connection attempt waits for it,
/// within its `timeout`. Any thread, inside the callback or later; a second answer gives `IM_ERROR_NOT_FOUND`.
///
/// # Safety
/// `json` is NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn im_client_answer(client: im_client, request: i64, json: *const c_char) -> im_status {
    guard(|| {
        // SAFETY: by this function's contract.
        let json = unsafe { required(json, "json") }?;
        Ok(with(client, |client| client.answer(request, json).map(|()| OK)))
    })
}
