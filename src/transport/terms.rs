//! What long-polling needs to know beside the way to the server.

use std::time::Duration;

use super::Address;

#[derive(Clone, Debug)]
// Without long-polling nobody reads them.
#[cfg_attr(not(feature = "polling"), allow(dead_code))]
pub struct Terms {
    pub address: Address,
    pub max_message: usize,
    /// Upgrade to WebSocket where the server offers it.
    pub upgrade: bool,
    /// For each request.
    pub request_timeout: Option<Duration>,
}
