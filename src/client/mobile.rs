//! The life of an app on a phone: networks that change, the background, and sleep.

use std::time::Duration;

use super::{client::Client, sleep_watch::Sleeper, Failed};
use crate::log::Level;

impl Client {
    /// The device is on another network, or says so: the connection is checked, an attempt that waits begins at once.
    pub fn network_changed(&self) {
        self.link.check();
    }

    /// The app goes to the background: a connection that is lost there is not made anew before it comes back.
    pub fn background(&self) {
        self.link.set_background(true);
        self.suspend_store();
    }

    /// The app is back. Where the store can't be had again yet, the connection goes on all the same.
    pub fn foreground(&self) -> Result<(), Failed> {
        let resumed = self.resume_store();
        self.link.set_background(false);
        self.link.check();
        resumed
    }
}

impl Sleeper for Client {
    /// Deadlines are nearer by that, and nobody knows what became of the connection.
    fn slept(&self, time: Duration) {
        self.log(Level::Info, format_args!("the machine slept for {} s", time.as_secs()));
        self.requests().advance(time);
        self.outbox.advance(time);
        self.timer.notify_one();
        self.link.check();
    }
}
