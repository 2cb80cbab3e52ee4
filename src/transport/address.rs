//! The request line of an Engine.IO connection.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{engineio::Revision, secret::Secret};

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
    pub query: Secret,
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
    pub fn request(&self, transport: &str, sid: Option<&str>) -> Secret {
        let mut request = self.begin(transport);
        if let Some(sid) = sid {
            push_all(&mut request, &["&sid=", sid]);
        }
        let mark = if self.query.is_empty() { "" } else { "&" };
        Secret::of(&[&request, mark, &self.query])
    }

    /// The same with the values of the caller's query masked.
    pub fn masked(&self, transport: &str) -> String {
        let mut request = self.begin(transport);
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            push_all(&mut request, &["&", pair.split('=').next().unwrap_or_default(), "=***"]);
        }
        request
    }

    fn begin(&self, transport: &str) -> String {
        let mut request = String::with_capacity(self.path.len() + self.query.len() + 80);
        let revision = ["3", "4"][usize::from(self.revision == Revision::V4)];
        push_all(&mut request, &[&self.path, "?EIO=", revision, "&transport=", transport]);
        let stamp = match transport {
            POLLING => {
                // A 2.x server then never answers with a binary body.
                request.push_str("&b64=1");
                &self.timestamps.polling
            }
            _ => &self.timestamps.websocket,
        };
        if let Some(name) = stamp {
            push_all(&mut request, &["&", name, "=", &stamp_of_now()]);
        }
        request
    }
}

/// Every connection makes several: without the machinery of `format!`.
fn push_all(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
}

/// Never the same twice: caches must not answer for the server.
fn stamp_of_now() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}.{:x}", now.as_millis(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_masked() {
        for (query, masked) in [("token=secret&userId=111&x", "&token=***&userId=***&x=***"), ("", "")] {
            let address = Address {
                path: "/".into(),
                revision: Revision::V3,
                query: query.into(),
                timestamps: Timestamps::default(),
            };
            assert_eq!(address.masked(WEBSOCKET), format!("/?EIO=3&transport=websocket{masked}"));
        }
    }

    #[test]
    fn requests_say_what_the_transport_needs() {
        let timestamps = Timestamps { websocket: None, polling: Some("t".into()) };
        let address =
            Address { path: "/ws/".into(), revision: Revision::V4, query: "token=x".into(), timestamps };
        assert_eq!(&*address.request(WEBSOCKET, Some("S")), "/ws/?EIO=4&transport=websocket&sid=S&token=x");
        let polling = address.request(POLLING, None);
        assert!(polling.starts_with("/ws/?EIO=4&transport=polling&b64=1&t="), "{}", &*polling);
        assert_ne!(polling, address.request(POLLING, None));
        assert!(address.masked(WEBSOCKET).ends_with("&token=***"));
    }
}
