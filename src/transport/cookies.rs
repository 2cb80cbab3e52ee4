//! The cookies of one client's server: what a load balancer sets to find its server again is sent back (RFC 6265).
//!
//! Of our own, because a client has one host, so that half of a cookie store (whose cookie is whose) is not needed:
//! `cookie_store` wants `url` and `idna`, and `cookie`, which reads a header and stores nothing, wants `time`.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{
    header::{COOKIE, SET_COOKIE},
    HeaderMap,
};

use super::{cookie_date::cookie_date, Endpoint};
use crate::secret::Secret;

/// RFC 6265, 6.1: so many have to be kept per host, each of this size. Beyond, the oldest goes; a larger one is not kept.
const MOST: usize = 50;
const LARGEST: usize = 4096;
/// A longer path does not count (RFC 6265bis, 5.5).
const LONGEST_PATH: usize = 1024;
/// Cookies that live longer live so long (RFC 6265bis, 5.5), which also keeps sums of times in range.
const LONGEST: u64 = 400 * 24 * 3600;

/// No `Debug`: values are secrets.
struct Cookie {
    name: String,
    value: Secret,
    path: String,
    expires: Option<SystemTime>,
}

impl Cookie {
    fn is_alive(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }

    /// RFC 6265, 5.1.4.
    fn matches(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str())
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'))
    }
}

/// Lives as long as its client, over reconnects and for both transports.
#[derive(Default)]
pub struct CookieJar(Mutex<VecDeque<Cookie>>);

impl CookieJar {
    /// Keeps what an answer to a request of this path sets.
    pub fn keep(&self, endpoint: &Endpoint, path: &str, response: &HeaderMap, now: SystemTime) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for header in response.get_all(SET_COOKIE) {
            let Some(cookie) = header.to_str().ok().and_then(|text| read(text, endpoint, path, now)) else {
                continue;
            };
            // In the place of the one that it replaces: the order is that of first setting.
            let same = kept.iter().position(|other| other.name == cookie.name && other.path == cookie.path);
            match same {
                Some(at) => kept[at] = cookie,
                None => kept.push_back(cookie),
            }
        }
        kept.retain(|cookie| cookie.is_alive(now));
        while kept.len() > MOST {
            kept.pop_front();
        }
    }

    /// Adds the cookies for a path behind those that the caller sends by himself. Where the server has set one of the
    /// caller's anew, the server's counts.
    pub fn add_to(&self, headers: &mut HeaderMap, path: &str, now: SystemTime) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sent: Vec<&Cookie> = Vec::new();
        for cookie in kept.iter().filter(|c| c.is_alive(now) && c.matches(path)) {
            // RFC 6265, 5.4: longer paths first, else the oldest.
            let place = sent.partition_point(|other| other.path.len() >= cookie.path.len());
            sent.insert(place, cookie);
        }
        if sent.is_empty() {
            return;
        }
        let own = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let own = own.split(';').map(str::trim).filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && sent.iter().all(|cookie| cookie.name != name)
        });
        let pairs = sent.iter().flat_map(|cookie| ["; ", &cookie.name, "=", &cookie.value]);
        let parts: Vec<&str> = own.flat_map(|pair| ["; ", pair]).chain(pairs).skip(1).collect();
        // Read from headers, so they can be one again.
        if let Some(value) = Secret::of(&parts).into_header() {
            headers.insert(COOKIE, value);
        }
    }
}

impl std::fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieJar")
    }
}

/// Reads a `Set-Cookie` (RFC 6265, 5.2 and 5.3); nothing where it is not for this server.
fn read(text: &str, endpoint: &Endpoint, request_path: &str, now: SystemTime) -> Option<Cookie> {
    let mut parts = text.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.len() + value.len() > LARGEST {
        return None;
    }
    let (mut path, mut expires, mut max_age) = (None, None, None);
    for attribute in parts {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "path" if value.starts_with('/') && value.len() <= LONGEST_PATH => path = Some(value),
            "domain" if !belongs(&endpoint.host, value) => return None,
            "secure" if !endpoint.secure => return None,
            "expires" => expires = cookie_date(value).map(|at| UNIX_EPOCH + Duration::from_secs(at)),
            "max-age" => max_age = lifetime(value).map(|age| now + age),
            _ => {}
        }
    }
    Some(Cookie {
        name: name.to_owned(),
        value: value.into(),
        path: path.unwrap_or(default_path(request_path)).to_owned(),
        expires: max_age.or(expires),
    })
}

/// Is this `Domain` the host's own, or one above it? A number of an IP address is no domain.
fn belongs(host: &str, domain: &str) -> bool {
    let domain = domain.trim_start_matches('.').to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    let above = || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
    domain.is_empty() || host == domain || (above() && host.parse::<std::net::IpAddr>().is_err())
}

/// Zero and less end the cookie at once; what is no number does not count.
fn lifetime(value: &str) -> Option<Duration> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = if digits.len() < value.len() { 0 } else { value.parse().unwrap_or(u64::MAX) };
    Some(Duration::from_secs(seconds.min(LONGEST)))
}

/// RFC 6265, 5.1.4: the request's path up to its last slash.
fn default_path(request_path: &str) -> &str {
    match request_path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &request_path[..at],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn sent(root: &str, set: &[&str], path: &str, later: u64) -> String {
        sent_beside("", root, set, path, later)
    }

    fn sent_beside(own: &str, root: &str, set: &[&str], path: &str, later: u64) -> String {
        let (jar, endpoint) = (CookieJar::default(), Endpoint::parse(root).unwrap());
        let now = UNIX_EPOCH + NOW;
        for text in set {
            let mut response = HeaderMap::new();
            response.append(SET_COOKIE, text.parse().unwrap());
            jar.keep(&endpoint, "/socket.io/", &response, now);
        }
        let mut headers = HeaderMap::new();
        if !own.is_empty() {
            headers.insert(COOKIE, own.parse().unwrap());
        }
        jar.add_to(&mut headers, path, now + Duration::from_secs(later));
        headers.get(COOKIE).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_back_where_it_belongs() {
        for (set, path, goes_back) in [
            ("io=1", "/socket.io/", true),
            ("io=1; Path=/", "/other/", true),
            ("io=1; Path=/socket.io", "/socket.io/", true),
            ("io=1; Path=/sock", "/socket.io/", false),
            ("io=1", "/socket.iox/", false),
            ("io=1; Path=nonsense", "/socket.io/", true),
            ("io=1; HttpOnly; SameSite=Lax", "/socket.io/", true),
            ("io=1; Domain=chat.example", "/socket.io/", true),
            ("io=1; Domain=.EXAMPLE", "/socket.io/", true),
            ("io=1; Domain=other.example", "/socket.io/", false),
            ("io=1; Domain=hat.example", "/socket.io/", false),
            ("io=1; Secure", "/socket.io/", false),
            ("nonsense", "/socket.io/", false),
            ("=1", "/socket.io/", false),
        ] {
            let expected = if goes_back { "io=1" } else { "" };
            assert_eq!(sent("http://chat.example", &[set], path, 0), expected, "{set}");
        }
        assert_eq!(sent("https://chat.example", &["io=1; Secure"], "/socket.io/", 0), "io=1");
        assert_eq!(sent("http://127.0.0.1", &["io=1; Domain=0.0.1"], "/socket.io/", 0), "");
    }

    #[test]
    fn cookies_end() {
        for (set, later, goes_back) in [
            ("io=1; Max-Age=10", 9, true),
            ("io=1; Max-Age=10", 10, false),
            ("io=1; Max-Age=0", 0, false),
            ("io=1; Max-Age=-5", 0, false),
            ("io=1; Max-Age=99999999999999999999999", 1000, true),
            ("io=1; Max-Age=soon", 1000, true),
            ("io=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0, false),
            ("io=1; Expires=Tue, 14 Nov 2023 22:13:30 GMT", 9, true),
            ("io=1; Expires=Tue, 14 Nov 2023 22:13:30 GMT", 10, false),
            ("io=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=5", 0, true),
            ("io=1; Expires=never", 1000, true),
        ] {
            let expected = if goes_back { "io=1" } else { "" };
            assert_eq!(sent("http://h", &[set], "/socket.io/", later), expected, "{set} after {later} s");
        }
        assert_eq!(sent("http://h", &["io=1", "io=1; Max-Age=0"], "/socket.io/", 0), "");
    }

    #[test]
    fn a_new_value_replaces_the_old_one_and_longer_paths_go_first() {
        let set = ["a=1; Path=/", "b=2; Path=/", "a=3; Path=/", "c=4; Path=/socket.io"];
        assert_eq!(sent("http://h", &set, "/socket.io/", 0), "c=4; a=3; b=2");
    }

    #[test]
    fn the_callers_own_go_first_and_give_way_to_the_servers() {
        let own = "session=x; io=old";
        assert_eq!(
            sent_beside(own, "http://h", &["io=1", "lb=2"], "/socket.io/", 0),
            "session=x; io=1; lb=2"
        );
        assert_eq!(sent_beside(own, "http://h", &[], "/socket.io/", 0), own);
    }

    #[test]
    fn cookies_are_bounded() {
        let many: Vec<String> = (0..=MOST).map(|n| format!("c{n}=1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let sent_back = sent("http://h", &many, "/socket.io/", 0);
        assert_eq!(sent_back.split("; ").count(), MOST);
        assert!(sent_back.starts_with("c1=1; "), "{sent_back}");
        let long_path = format!("io=1; Path=/{}", "x".repeat(LONGEST_PATH));
        assert_eq!(sent("http://h", &[&long_path], "/socket.io/", 0), "io=1");
        let large = format!("io={}", "x".repeat(LARGEST));
        assert_eq!(sent("http://h", &[&large], "/socket.io/", 0), "");
    }
}
