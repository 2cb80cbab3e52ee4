//! The life of an app on a phone.

use super::{
    client::with,
    types::{im_client, im_status},
};
use crate::client::Status;

const OK: im_status = Status::Ok as im_status;

/// Tells that the device is on another network (the operating system says so): the connection is checked at once, and is lost
/// with `ping timeout` where it shows no sign of life within 3 s, instead of waiting for the heartbeat; the next attempt follows
/// at once. An attempt that waits for its delay begins at once. Nothing that is queued is lost. Any thread; never blocks.
#[no_mangle]
pub extern "C" fn im_client_network_changed(client: im_client) -> im_status {
    with(client, |client| {
        client.network_changed();
        Ok(OK)
    })
}

/// Tells that the app goes to the background, where it may be frozen at any time: a connection that is lost from now on is not
/// made anew before `im_client_foreground`, and the lock of the file in the option `store` is given up, once what is being
/// written is written. Any thread; may wait for the disk where there is a store.
#[no_mangle]
pub extern "C" fn im_client_background(client: im_client) -> im_status {
    with(client, |client| {
        client.background();
        Ok(OK)
    })
}

/// Tells that the app is back: the connection is checked as with `im_client_network_changed`, or made anew at once. Any thread;
/// may wait for the disk where there is a store. `IM_ERROR_SYSTEM` where another process has the store's file by now: all the rest
/// was done, the library tries again every second, and messages can't be sent meanwhile.
#[no_mangle]
pub extern "C" fn im_client_foreground(client: im_client) -> im_status {
    with(client, |client| client.foreground().map(|()| OK))
}
