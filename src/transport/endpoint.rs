//! The server's address from the option `root`, and the URLs made of it.

use std::fmt;

use http::uri::Authority;
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

use crate::secret::Secret;

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Joins names and values to a URL's query.
pub fn encode_query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Secret {
    let mut query = Secret::default();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push("&");
        }
        utf8_percent_encode(name, COMPONENT).for_each(|part| query.push(part));
        query.push("=");
        utf8_percent_encode(value, COMPONENT).for_each(|part| query.push(part));
    }
    query
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    pub secure: bool,
    /// A name or an address, without the brackets of IPv6.
    pub host: String,
    pub port: u16,
}

impl Endpoint {
    /// Reads the option `root`; the error says what is wrong and, where it is known, what to do.
    pub fn parse(root: &str) -> Result<Self, String> {
        // What is wrong is said without quoting: people put tokens in URLs.
        let (scheme, rest) = root
            .split_once("://")
            .ok_or("it has no scheme; write http://, https://, ws:// or wss:// in front")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err("its scheme is none of http, https, ws, wss".into()),
        };
        refuse_path(rest)?;
        let authority = rest.trim_end_matches('/');
        if authority.contains('@') {
            return Err("it must not contain a user name or password".into());
        }
        let (host, port) = host_and_port(authority, [80, 443][usize::from(secure)])?;
        Ok(Endpoint { secure, host, port })
    }

    /// Host and port as a `Host` header and a URL want them.
    pub fn authority(&self) -> HostAndPort<'_> {
        HostAndPort(self)
    }

    /// The URL of a request, as a transport writes it.
    pub fn url(&self, transport: &str, path_and_query: &str) -> String {
        match transport {
            super::POLLING => {
                let scheme = ["http", "https"][usize::from(self.secure)];
                format!("{scheme}://{}{path_and_query}", self.authority())
            }
            _ => self.websocket_url(path_and_query),
        }
    }

    /// Host and port, always with the port, as a proxy wants them.
    pub fn host_with_port(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }

    /// The WebSocket URL of a path (with what follows it).
    pub fn websocket_url(&self, path_and_query: &str) -> String {
        let scheme = ["ws", "wss"][usize::from(self.secure)];
        format!("{scheme}://{}{path_and_query}", self.authority())
    }
}

/// Written where it is wanted: most log lines that name it are not.
pub struct HostAndPort<'a>(&'a Endpoint);

impl fmt::Display for HostAndPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint { secure, host, port } = self.0;
        match host.contains(':') {
            true => write!(f, "[{host}]")?,
            false => f.write_str(host)?,
        }
        match *port == [80, 443][usize::from(*secure)] {
            true => Ok(()),
            false => write!(f, ":{port}"),
        }
    }
}

/// Reads the host, without the brackets of IPv6, and the port of a URL.
pub fn host_and_port(authority: &str, default_port: u16) -> Result<(String, u16), String> {
    let read: Authority = authority.parse().map_err(|error| format!("it is no URL: {error}"))?;
    let host = read.host().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err("it has no host".into());
    }
    let port = match (read.port_u16(), read.port().is_some() || has_colon_port(authority)) {
        (Some(0), _) | (None, true) => return Err("it has no usable port (1 to 65535)".into()),
        (Some(port), _) => port,
        (None, false) => default_port,
    };
    Ok((host.to_owned(), port))
}

/// A host as URLs write it.
pub fn bracketed(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    }
}

fn refuse_path(rest: &str) -> Result<(), String> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let tail = &rest[end..];
    if tail.is_empty() || tail == "/" {
        return Ok(());
    }
    let path = tail.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    Err(match path {
        "" => "it must not contain a query; give it in the option \"query\"",
        _ => "it must not contain a path; give that in the option \"path\", and a namespace in \"nsp\"",
    }
    .into())
}

fn has_colon_port(authority: &str) -> bool {
    authority.rsplit(']').next().unwrap_or(authority).contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_read() {
        for (root, secure, host, port, authority) in [
            ("http://localhost:7001", false, "localhost", 7001, "localhost:7001"),
            ("http://localhost:7001/", false, "localhost", 7001, "localhost:7001"),
            ("https://im.example", true, "im.example", 443, "im.example"),
            ("WS://[::1]:80", false, "::1", 80, "[::1]"),
            ("wss://10.0.0.1:8443", true, "10.0.0.1", 8443, "10.0.0.1:8443"),
        ] {
            let read = Endpoint::parse(root).unwrap();
            assert_eq!((read.secure, &*read.host, read.port), (secure, host, port), "{root}");
            assert_eq!(read.authority().to_string(), authority);
        }
    }

    #[test]
    fn what_is_no_root_is_named() {
        for (root, fault) in [
            ("localhost:7001", "no scheme"),
            ("ftp://a", "scheme is none"),
            ("http://a/s3cret/ws", "path; give that in the option \"path\""),
            ("http://u:p/s3cret@a", "path"),
            ("http://a/chat", "\"nsp\""),
            ("http://a?token=s3cret", "\"query\""),
            ("http://", "no URL"),
            ("http://:80", ""),
            ("http://a:0", "port"),
            ("http://a:99999", "port"),
            ("http://u:s3cret@a", "user name"),
            ("http://a b", "no URL"),
        ] {
            let error = Endpoint::parse(root).unwrap_err();
            assert!(error.contains(fault) && !error.contains("s3cret"), "{root}: {error}");
        }
    }

    #[test]
    fn queries_are_encoded_as_the_reference_does() {
        assert_eq!(&*encode_query([("token", "a b&c=ü"), ("x", "")]), "token=a%20b%26c%3D%C3%BC&x=");
    }
}
