//! The headers that the caller adds to requests.

use http::{
    header::{self, Entry, SEC_WEBSOCKET_PROTOCOL},
    HeaderMap, HeaderName, HeaderValue,
};

use super::Purpose;
use crate::secret::Secret;

/// What the requests themselves own: a second one would break them.
const OWNED: [HeaderName; 4] =
    [header::CONNECTION, header::UPGRADE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
const OWNED_PREFIX: &str = "sec-websocket-";

const NO_NAME: &str =
    "what should be a header's name is none: it is empty, or has a space, a colon or the like in it";

/// The caller's headers for each transport.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    pub websocket: HeaderMap,
    pub polling: HeaderMap,
}

impl Headers {
    pub fn of(&self, purpose: Purpose) -> &HeaderMap {
        match purpose {
            Purpose::WebSocket => &self.websocket,
            Purpose::Http => &self.polling,
        }
    }

    /// Asks for one of these subprotocols; the error says which is wrong and never shows it: some carry a token in one.
    pub fn ask_for_protocols(&mut self, names: &[&str]) -> Result<(), String> {
        for (at, name) in names.iter().enumerate() {
            let number = at + 1;
            // RFC 6455, 4.1: tokens of RFC 9110, as header names are, and each once.
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(format!("number {number} is no name of a subprotocol"));
            }
            if names[..at].contains(name) {
                return Err(format!("number {number} stands there twice"));
            }
        }
        let value = HeaderValue::from_str(&names.join(", ")).map_err(|error| error.to_string())?;
        self.websocket.insert(SEC_WEBSOCKET_PROTOCOL, value);
        Ok(())
    }
}

/// Adds a header to the caller's, unless it has no text; the error names it and never shows its value.
pub fn add_header(headers: &mut HeaderMap, name: &str, value: Option<&str>) -> Result<(), String> {
    // What is no name may be a whole line, with the value in it.
    let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| NO_NAME)?;
    let value = value.ok_or_else(|| format!("{name:?} must be a string"))?;
    if OWNED.contains(&known) || known.as_str().starts_with(OWNED_PREFIX) {
        return Err(format!("{name:?} belongs to the request itself and can't be set"));
    }
    if known == header::PROXY_AUTHORIZATION {
        // It would reach the server and not the proxy.
        return Err(format!("{name:?} is for proxies; give user and password in the option \"proxy\""));
    }
    // Beyond ASCII it is not agreed what the bytes mean (RFC 9110, 5.5).
    let read = value.is_ascii().then(|| Secret::from(value).into_header()).flatten();
    let value =
        read.ok_or_else(|| format!("the value of {name:?} has a character that headers can't carry"))?;
    match headers.entry(known) {
        Entry::Vacant(free) => {
            free.insert(value);
            Ok(())
        }
        Entry::Occupied(_) => Err(format!("{name:?} stands there twice (names are the same in any case)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_header_is_named() {
        let mut headers = HeaderMap::new();
        for (name, value, fault) in [
            ("X-Token", "s3cret", ""),
            ("Host", "other.example", ""),
            ("x-token", "s3cret", "twice"),
            ("Connection", "close", "belongs to the request"),
            ("UPGRADE", "h2c", "belongs to the request"),
            ("Sec-WebSocket-Key", "s3cret", "belongs to the request"),
            ("content-length", "5", "belongs to the request"),
            ("Proxy-Authorization", "s3cret", "option \"proxy\""),
            ("X s3cret", "s3cret", "header's name"),
            ("Authorization: s3cret", "", "header's name"),
            ("", "s3cret", "header's name"),
            ("X-Line", "s3cret\r\nX-Other: 1", "can't carry"),
            ("X-Letter", "s3cret ü", "can't carry"),
        ] {
            let error = add_header(&mut headers, name, Some(value)).err().unwrap_or_default();
            assert!(error.contains(fault) && error.is_empty() == fault.is_empty(), "{name}: {error}");
            let named = fault.is_empty() || fault == "header's name" || error.contains(name);
            assert!(named && !error.contains("s3cret"), "{error}");
        }
        assert_eq!(headers.len(), 2);
        assert!(!format!("{headers:?}").contains("s3cret"));
    }

    #[test]
    fn subprotocols_are_tokens() {
        let mut headers = Headers::default();
        headers.ask_for_protocols(&["a", "b.1"]).unwrap();
        assert_eq!(headers.websocket["sec-websocket-protocol"], "a, b.1");
        assert!(headers.polling.is_empty());
        for (names, fault) in [
            (&["s3cret", "a", "s3cret"][..], "number 3 stands there twice"),
            (&["a", "bearer s3cret"], "number 2 is no name"),
            (&[""], "number 1 is no name"),
            (&["a,s3cret"], "number 1 is no name"),
        ] {
            let error = headers.ask_for_protocols(names).unwrap_err();
            assert!(error.contains(fault) && !error.contains("s3cret"), "{names:?}: {error}");
        }
    }
}
