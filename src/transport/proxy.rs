//! A proxy on the way to the server, as the option `proxy` or the environment names it.

use std::fmt;

use base64::{engine::general_purpose::STANDARD, Engine};
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::endpoint::{bracketed, host_and_port};
use crate::secret::Secret;

/// RFC 1929: the lengths of a user name and a password are single bytes.
const LONGEST_FOR_SOCKS: usize = 255;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    Http,
    /// With TLS to the proxy.
    Https,
    /// Names are looked up here.
    Socks5,
    /// Names are looked up by the proxy.
    Socks5h,
}

impl ProxyKind {
    const ALL: [(&str, ProxyKind); 4] = [
        ("http", ProxyKind::Http),
        ("https", ProxyKind::Https),
        ("socks5", ProxyKind::Socks5),
        ("socks5h", ProxyKind::Socks5h),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    fn port(self) -> u16 {
        match self {
            ProxyKind::Http => 80,
            ProxyKind::Https => 443,
            ProxyKind::Socks5 | ProxyKind::Socks5h => 1080,
        }
    }

    pub fn is_http(self) -> bool {
        matches!(self, ProxyKind::Http | ProxyKind::Https)
    }
}

/// A user name and a password. No `Debug`: both are secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: Secret,
    pub password: Secret,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub kind: ProxyKind,
    pub host: String,
    pub port: u16,
    pub credentials: Option<Credentials>,
}

impl Proxy {
    /// Reads a URL, `http://user:password@host:port`; without a scheme it is `http`, as everywhere. The error never quotes it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let scheme = scheme.to_ascii_lowercase();
        let kind = ProxyKind::ALL.iter().find(|(name, _)| *name == scheme);
        let Some((_, kind)) = kind else {
            return Err("its scheme is none of http, https, socks5, socks5h".into());
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(
                "it must not contain a path; in a password write %2F for /, %3F for ?, %23 for #".into()
            );
        }
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(login), authority),
            None => (None, rest),
        };
        let credentials = login.map(|login| credentials(login, *kind)).transpose()?;
        let (host, port) = host_and_port(authority, kind.port())?;
        Ok(Proxy { kind: *kind, host, port, credentials })
    }

    /// The value of `Proxy-Authorization`.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let Credentials { user, password } = self.credentials.as_ref()?;
        let encoded = Secret::from(STANDARD.encode(Secret::of(&[user, ":", password])));
        Secret::of(&["Basic ", &encoded]).into_header()
    }
}

fn credentials(login: &str, kind: ProxyKind) -> Result<Credentials, String> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let decode = |text: &str| {
        let bytes = Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
        let decoded = std::str::from_utf8(&bytes).map(Secret::from);
        decoded.map_err(|_| "its user name or password is not UTF-8".to_owned())
    };
    let (user, password) = (decode(user)?, decode(password)?);
    if user.is_empty() {
        return Err("its user name is empty".into());
    }
    if kind.is_http() && user.contains(':') {
        return Err("its user name has a colon, which Basic authentication can't carry".into());
    }
    if !kind.is_http() && (user.len().max(password.len()) > LONGEST_FOR_SOCKS || password.is_empty()) {
        return Err(format!("SOCKS takes user names and passwords of 1 to {LONGEST_FOR_SOCKS} bytes"));
    }
    Ok(Credentials { user, password })
}

/// For errors and logs: without its credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = if self.credentials.is_some() { "***@" } else { "" };
        write!(f, "{}://{login}{}:{}", self.kind.name(), bracketed(&self.host), self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_shown_without_their_credentials() {
        for (url, shown, login) in [
            ("http://proxy:3128", "http://proxy:3128", None),
            ("proxy:3128", "http://proxy:3128", None),
            ("HTTP://proxy/", "http://proxy:80", None),
            ("https://proxy", "https://proxy:443", None),
            ("socks5://[::1]", "socks5://[::1]:1080", None),
            ("socks5h://u:p@proxy:9", "socks5h://***@proxy:9", Some(("u", "p"))),
            ("http://u%40x:p%3A%2F@1.2.3.4:8080", "http://***@1.2.3.4:8080", Some(("u@x", "p:/"))),
            ("http://u:p:q@h", "http://***@h:80", Some(("u", "p:q"))),
            ("http://u@h", "http://***@h:80", Some(("u", ""))),
        ] {
            let proxy = Proxy::parse(url).unwrap();
            assert_eq!((proxy.to_string(), format!("{proxy:?}")), (shown.into(), shown.into()), "{url}");
            let read = proxy.credentials.as_ref().map(|c| (&*c.user, &*c.password));
            assert_eq!(read, login, "{url}");
        }
        let proxy = Proxy::parse("http://Aladdin:open%20sesame@h").unwrap();
        // The example of RFC 7617.
        assert_eq!(proxy.authorization().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn what_is_no_proxy_is_named_without_its_secrets() {
        let long = format!("socks5://{}:s3cret@h", "u".repeat(256));
        for (url, fault) in [
            ("ftp://u:s3cret@h", "scheme"),
            ("socks4://h", "scheme"),
            ("http://u:s3cret@h/path", "path"),
            ("http://u:s3/cret@h", "%2F"),
            ("http://:s3cret@h", "user name is empty"),
            ("http://u%3Av:s3cret@h", "colon"),
            ("http://u:s3cret%ff@h", "UTF-8"),
            ("socks5://u@h", "SOCKS"),
            (&long, "SOCKS"),
            ("http://u:s3cret@", "no URL"),
            ("http://u:s3cret@h:0", "port"),
            ("http://u:s3cret@h:port", "port"),
            ("", "no URL"),
        ] {
            let error = Proxy::parse(url).unwrap_err();
            assert!(error.contains(fault) && !error.contains("s3"), "{url}: {error}");
        }
    }
}
