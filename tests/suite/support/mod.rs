//! What the tests share: servers as child processes, a client through the C ABI, waiting for conditions.

mod certificates;
mod client;
mod daemon;
mod fault_proxy;
mod flood;
pub mod footprint;
mod general;
mod http_answer;
mod nginx;
mod polling_server;
mod ports;
mod process;
mod raw_server;
mod secret_watch;
mod server;
pub mod steps;
pub mod torture;

pub use certificates::{localhost, Authority, Certificate};
pub use client::{c, info_of, last_error, outcome, Outcomes, Recorded, TestClient};
pub use daemon::Daemon;
pub use fault_proxy::FaultProxy;
pub use flood::Flood;
pub use general::{args_of, blobs_of, Answer, Answers};
pub use http_answer::HttpAnswer;
pub use nginx::{Nginx, Upgrades};
pub use polling_server::{PollingServer, Turn, TurnKind};
pub use process::{alone, command, target_dir, Running};
pub use raw_server::{
    close_payload, fragment, frame, frame_head, masked, open_packet, pause, Frame, Peer, RawServer, Request,
    BINARY, CLOSE, CONTINUATION, PING, TEXT,
};
pub use server::{egg, im_server, official_client, socketio, Server};

use std::time::{Duration, Instant};

/// How long a test waits for something that has to happen. Long, because machines are slow now and then; nothing waits so
/// long where all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `look` finds something; panics with `what` where it does not.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a condition holds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}
