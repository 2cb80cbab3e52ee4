//! The request line of an Engine.IO connection.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::engineio::Revision;

pub const WEBSOCKET: &str = "websocket";
pub const POLLING: &str = "polling";

/// Everything of a URL behind the host.
#[derive(Clone, Debug)]
pub struct Address {
    /// With the trailing slash, where there is to be one.
    pub path: String,
    /// What `EIO=` asks for.
    pub revision: Revision,
    /// The caller's query, encoded.
    pub query: String,
    /// The parameter that makes every URL another: its name, for WebSocket and for long-polling.
    pub timestamps: Timestamps,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timestamps {
    pub websocket: Option<String>,
    pub polling: Option<String>,
}

impl Address {
    /// Path and query for a transport; `sid` names a session that is there already.
    pub fn request(&self, transport: &str, sid: Option<&str>) -> String {
        self.write(transport, sid, &self.query)
    }

    /// The same with the values of the caller's query masked.
    pub fn masked(&self, transport: &str) -> String {
        self.write(transport, None, &mask(&self.query))
    }

    fn write(&self, transport: &str, sid: Option<&str>, query: &str) -> String {
        let mut request = format!("{}?EIO={}&transport={transport}", self.path, self.revision.number());
        let stamp = match transport {
            POLLING => {
                // A 2.x server then never answers with a binary body.
                request.push_str("&b64=1");
                &self.timestamps.polling
            }
            _ => &self.timestamps.websocket,
        };
        if let Some(name) = stamp {
            request.push_str(&format!("&{name}={}", stamp_of_now()));
        }
        if let Some(sid) = sid {
            request.push_str(&format!("&sid={sid}"));
        }
        if !query.is_empty() {
            request.push('&');
            request.push_str(query);
        }
        request
    }
}

/// Never the same twice: caches must not answer for the server.
fn stamp_of_now() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}.{:x}", now.as_millis(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Replaces the values of a query.
fn mask(query: &str) -> String {
    let masked: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| format!("{}=***", pair.split('=').next().unwrap_or_default()))
        .collect();
    masked.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_masked() {
        assert_eq!(mask("token=secret&userId=111&x"), "token=***&userId=***&x=***");
        assert_eq!(mask(""), "");
    }

    #[test]
    fn requests_say_what_the_transport_needs() {
        let timestamps = Timestamps { websocket: None, polling: Some("t".into()) };
        let address =
            Address { path: "/ws/".into(), revision: Revision::V4, query: "token=x".into(), timestamps };
        assert_eq!(address.request(WEBSOCKET, Some("S")), "/ws/?EIO=4&transport=websocket&sid=S&token=x");
        let polling = address.request(POLLING, None);
        assert!(polling.starts_with("/ws/?EIO=4&transport=polling&b64=1&t="), "{polling}");
        assert_ne!(polling, address.request(POLLING, None));
        assert!(address.masked(WEBSOCKET).ends_with("&token=***"));
    }
}
