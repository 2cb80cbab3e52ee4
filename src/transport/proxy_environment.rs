//! The proxy that the environment names, by the rules that curl, Go and Python share.
//!
//! `http_proxy` counts in lower case alone: a web server puts a request's header `Proxy` into `HTTP_PROXY` (CVE-2016-5385).

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Endpoint, Proxy};
use crate::secret::Secret;

/// The proxy for a server; the error names the variable that is wrong and never quotes it.
pub fn proxy_from_environment(
    endpoint: &Endpoint,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, String> {
    let first = |names: &[&'static str]| {
        let found =
            names.iter().find_map(|name| Some((*name, variable(name)?)).filter(|(_, v)| !v.is_empty()));
        found
    };
    let chosen = match endpoint.secure {
        true => first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
        false => first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
    };
    let Some((name, url)) = chosen else { return Ok(None) };
    let exceptions = first(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default();
    if is_this_machine(&endpoint.host) || is_excepted(endpoint, &exceptions) {
        return Ok(None);
    }
    let url = Secret::from(url);
    Proxy::parse(url.trim()).map(Some).map_err(|fault| format!("the environment variable {name}: {fault}"))
}

/// No proxy leads to the machine itself: what it calls localhost is another. Go does so, too.
fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Does `no_proxy` name this server? Entries: `*`, a name (with all below it, with or without a leading dot or `*.`), an
/// address, a network (`10.0.0.0/8`); each but `*` and a network with or without a port.
fn is_excepted(endpoint: &Endpoint, list: &str) -> bool {
    let host = endpoint.host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Ok(network) = entry.parse::<IpNet>() {
            return address.is_some_and(|address| network.contains(&address));
        }
        let (name, port) = split_port(entry);
        port.is_none_or(|port| port == endpoint.port) && names(name, &host, address)
    })
}

fn names(entry: &str, host: &str, address: Option<IpAddr>) -> bool {
    if let Some(address) = address {
        return entry.parse() == Ok(address);
    }
    let name =
        entry.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
    !name.is_empty() && host.strip_suffix(&name).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// `name`, `name:port`, `::1`, `[::1]` or `[::1]:port`.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse().ok()),
        _ => (entry, None),
    };
    (name.trim_start_matches('[').trim_end_matches(']'), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(root: &str, environment: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let proxy = proxy_from_environment(&Endpoint::parse(root).unwrap(), variable)?;
        Ok(proxy.map(|proxy| proxy.to_string()).unwrap_or_default())
    }

    #[test]
    fn each_scheme_has_its_variables() {
        let all = [
            ("http_proxy", "http://a:1"),
            ("HTTP_PROXY", "http://never:1"),
            ("https_proxy", "http://b:1"),
            ("HTTPS_PROXY", "http://c:1"),
            ("all_proxy", "socks5://d:1"),
            ("ALL_PROXY", "e:1"),
        ];
        for (from, plain, secure) in [
            (0, "http://a:1", "http://b:1"),
            (1, "socks5://d:1", "http://b:1"),
            (3, "socks5://d:1", "http://c:1"),
            (4, "socks5://d:1", "socks5://d:1"),
            (5, "http://e:1", "http://e:1"),
            (6, "", ""),
        ] {
            assert_eq!(chosen("ws://im.example", &all[from..]).unwrap(), plain);
            assert_eq!(chosen("wss://im.example", &all[from..]).unwrap(), secure);
        }
        let empty = [("http_proxy", ""), ("all_proxy", "http://d:1")];
        assert_eq!(chosen("http://im.example", &empty).unwrap(), "http://d:1");
    }

    #[test]
    fn no_proxy_makes_exceptions() {
        for (root, list, excepted) in [
            ("http://im.example", "*", true),
            ("http://im.example", "im.example", true),
            ("http://im.example", "IM.Example", true),
            ("http://im.example", "example", true),
            ("http://im.example", ".example", true),
            ("http://im.example", "*.example", true),
            ("http://im.example", "m.example", false),
            ("http://im.example", "other, im.example", true),
            ("http://im.example", "other im.example", true),
            ("http://im.example", "im.example:80", true),
            ("http://im.example", "im.example:81", false),
            ("http://im.example:81", "example:81", true),
            ("http://im.example", "", false),
            ("http://im.example", ",.,", false),
            ("http://10.1.2.3", "10.0.0.0/8", true),
            ("http://11.1.2.3", "10.0.0.0/8", false),
            ("http://10.1.2.3", "10.1.2.3", true),
            ("http://10.1.2.3:9", "10.1.2.3:9", true),
            ("http://10.1.2.3:9", "10.1.2.3:8", false),
            ("http://10.1.2.3", "2.3", false),
            ("http://[fd00::1]:9", "fd00::/8", true),
            ("http://[fd00::1]:9", "fd00::1", true),
            ("http://[fd00::1]:9", "[fd00::1]:9", true),
            ("http://[fd00::1]:9", "[fd00::1]:8", false),
        ] {
            let found = chosen(root, &[("http_proxy", "http://p:1"), ("NO_PROXY", list)]).unwrap();
            assert_eq!(found.is_empty(), excepted, "{root} with no_proxy {list:?}");
        }
    }

    #[test]
    fn this_machine_has_no_proxy() {
        for root in ["http://localhost:1", "http://LOCALHOST:1", "http://127.0.0.9:1", "http://[::1]:1"] {
            assert_eq!(chosen(root, &[("http_proxy", "http://p:1")]).unwrap(), "", "{root}");
        }
    }

    #[test]
    fn a_variable_that_is_wrong_is_named() {
        let error = chosen("wss://im.example", &[("HTTPS_PROXY", "gopher://u:s3cret@p")]).unwrap_err();
        assert!(
            error.contains("HTTPS_PROXY") && error.contains("scheme") && !error.contains("s3cret"),
            "{error}"
        );
        assert_eq!(chosen("ws://im.example", &[("HTTPS_PROXY", "gopher://p")]).unwrap(), "");
    }
}
