//! The options about the way to the server: headers, proxy, TLS, the address to come from.

use http::HeaderMap;
use serde_json::{Map, Value};

use super::{
    options::{wrong, Reader},
    Failed, Status,
};
use crate::{
    secret::Secret,
    transport::{add_header, proxy_from_environment, Access, Endpoint, Headers, Proxy, TlsSettings},
};

/// A value that is wrong in a way of its own.
fn refused(name: &str, why: impl std::fmt::Display) -> Failed {
    Failed::new(Status::Option, format!("the option {name:?}: {why}"))
}

impl Reader<'_> {
    pub(super) fn access(&self) -> Result<Access, Failed> {
        let root = self.required("root", "http://localhost:7001")?;
        let endpoint = Endpoint::parse(root).map_err(|what| refused("root", what))?;
        Ok(Access {
            headers: self.headers()?,
            proxy: self.proxy(&endpoint)?,
            tls: self.tls()?,
            local_address: match self.text("localAddress")? {
                None => None,
                Some(text) => Some(text.parse().map_err(|_| wrong("localAddress", "an IP address"))?),
            },
            endpoint,
        })
    }

    fn headers(&self) -> Result<Headers, Failed> {
        let all = match self.0.get("extraHeaders") {
            None => HeaderMap::new(),
            Some(given) => extra_headers("extraHeaders", given)?,
        };
        let mut headers = Headers { websocket: all.clone(), polling: all };
        match self.0.get("transportOptions") {
            None => {}
            Some(Value::Object(given)) => transport_options(given, &mut headers)?,
            Some(_) => return Err(wrong("transportOptions", "an object")),
        }
        let protocols = self.texts("protocols")?;
        if !protocols.is_empty() {
            headers.ask_for_protocols(&protocols).map_err(|what| refused("protocols", what))?;
        }
        Ok(headers)
    }

    fn proxy(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, Failed> {
        match self.0.get("proxy") {
            None => proxy_from_environment(endpoint, |name| std::env::var(name).ok()).map_err(|what| {
                Failed::new(Status::Option, format!("{what} (\"proxy\": \"none\" ignores the environment)"))
            }),
            Some(Value::Bool(false)) => Ok(None),
            Some(Value::String(text)) if text == "none" => Ok(None),
            Some(Value::String(url)) => Proxy::parse(url).map(Some).map_err(|what| refused("proxy", what)),
            Some(_) => Err(wrong("proxy", "a URL like \"http://host:port\", or \"none\" or false")),
        }
    }

    fn tls(&self) -> Result<TlsSettings, Failed> {
        let mut tls = TlsSettings::default();
        for pem in self.texts("ca")? {
            tls.trust(pem).map_err(|what| refused("ca", what))?;
        }
        if let Some(path) = self.text("caFile")? {
            let read = std::fs::read_to_string(path);
            let pem = read.map_err(|error| refused("caFile", format!("{path:?} can't be read: {error}")))?;
            tls.trust(&pem).map_err(|what| refused("caFile", format!("{path:?}: {what}")))?;
        }
        // Some have the key in the same text.
        let chain = Secret::from(self.texts("cert")?.join("\n"));
        match (chain, self.text("key")?) {
            (chain, None) if chain.is_empty() => {}
            (chain, Some(key)) if !chain.is_empty() => tls.identify(&chain, key).map_err(|what| {
                Failed::new(Status::Option, format!("the options \"cert\" and \"key\": {what}"))
            })?,
            (_, None) => return Err(refused("cert", "it needs the option \"key\"")),
            (_, Some(_)) => return Err(refused("key", "it needs the option \"cert\"")),
        }
        for pin in self.texts("pinnedPublicKeys")? {
            tls.pin(pin).map_err(|what| refused("pinnedPublicKeys", what))?;
        }
        if let Some(name) = self.text("servername")? {
            tls.expect_name(name).map_err(|what| refused("servername", what))?;
        }
        if !self.flag("rejectUnauthorized", true)? {
            tls.skip_verification().map_err(|what| refused("rejectUnauthorized", what))?;
        }
        Ok(tls)
    }

    /// A text, or a list of texts with at least one.
    fn texts(&self, name: &str) -> Result<Vec<&str>, Failed> {
        let what = "a string or a list of strings";
        match self.0.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(list)) if !list.is_empty() => {
                list.iter().map(|text| text.as_str().ok_or_else(|| wrong(name, what))).collect()
            }
            Some(_) => Err(wrong(name, what)),
        }
    }
}

/// As in the official clients, the headers of a transport stand in for those of all transports.
fn transport_options(given: &Map<String, Value>, headers: &mut Headers) -> Result<(), Failed> {
    for (transport, options) in given {
        let place = match transport.as_str() {
            "websocket" => &mut headers.websocket,
            "polling" => &mut headers.polling,
            _ => {
                return Err(refused(
                    "transportOptions",
                    format!("{transport:?} is no transport of this library"),
                ))
            }
        };
        let name = format!("transportOptions.{transport}");
        let Value::Object(options) = options else { return Err(wrong(&name, "an object")) };
        for (option, value) in options {
            if option != "extraHeaders" {
                let message = format!("the option {name:?}: {option:?} is not built, only \"extraHeaders\"");
                return Err(Failed::new(Status::Unsupported, message));
            }
            *place = extra_headers(&format!("{name}.{option}"), value)?;
        }
    }
    Ok(())
}

fn extra_headers(name: &str, given: &Value) -> Result<HeaderMap, Failed> {
    let Value::Object(given) = given else { return Err(wrong(name, "an object of strings")) };
    let mut headers = HeaderMap::new();
    for (header, value) in given {
        add_header(&mut headers, header, value.as_str()).map_err(|what| refused(name, what))?;
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::{super::Options, *};

    fn parse(more: &str) -> Result<Options, Failed> {
        Options::parse(&format!("{{\"root\":\"https://h:1\",\"nsp\":\"chat\",{more}}}"))
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        for (more, status, faults) in [
            (r#""extraHeaders":"s3cret""#, Status::Option, &["extraHeaders", "object"][..]),
            (r#""extraHeaders":{"X-A":["s3cret"]}"#, Status::Option, &["extraHeaders", "X-A", "string"]),
            (r#""extraHeaders":{"X-A: s3cret":1}"#, Status::Option, &["extraHeaders", "header's name"]),
            (r#""extraHeaders":{"X-A":"s3cret\n"}"#, Status::Option, &["extraHeaders", "X-A", "character"]),
            (r#""extraHeaders":{"Upgrade":"s3cret"}"#, Status::Option, &["extraHeaders", "Upgrade"]),
            (r#""transportOptions":[]"#, Status::Option, &["transportOptions", "object"]),
            (r#""transportOptions":{"flash":{}}"#, Status::Option, &["transportOptions", "flash"]),
            (r#""transportOptions":{"polling":1}"#, Status::Option, &["transportOptions.polling"]),
            (
                r#""transportOptions":{"websocket":{"extraHeaders":{"a s3cret":"s3cret"}}}"#,
                Status::Option,
                &["transportOptions.websocket.extraHeaders", "header's name"],
            ),
            (r#""transportOptions":{"polling":{"query":{}}}"#, Status::Unsupported, &["polling", "query"]),
            (r#""protocols":[]"#, Status::Option, &["protocols"]),
            (r#""protocols":[1]"#, Status::Option, &["protocols"]),
            (r#""protocols":"a s3cret""#, Status::Option, &["protocols", "number 1"]),
            (r#""proxy":"gopher://u:s3cret@p""#, Status::Option, &["proxy", "scheme"]),
            (r#""proxy":true"#, Status::Option, &["proxy"]),
            (r#""localAddress":"h""#, Status::Option, &["localAddress", "IP address"]),
            #[cfg(feature = "tls")]
            (r#""ca":"s3cret""#, Status::Option, &["ca", "no certificate"]),
            (r#""ca":[]"#, Status::Option, &["ca"]),
            (
                r#""caFile":"/nowhere/ca.pem""#,
                Status::Option,
                &["caFile", "/nowhere/ca.pem", "can't be read"],
            ),
            (r#""key":"s3cret""#, Status::Option, &["key", "\"cert\""]),
            (r#""cert":"s3cret""#, Status::Option, &["cert", "\"key\""]),
            #[cfg(feature = "tls")]
            (r#""cert":"s3cret","key":"s3cret""#, Status::Option, &["cert", "no certificate"]),
            #[cfg(feature = "tls")]
            (r#""pinnedPublicKeys":["s3cret"]"#, Status::Option, &["pinnedPublicKeys", "not sha256/"]),
            #[cfg(feature = "tls")]
            (r#""servername":"a b""#, Status::Option, &["servername", "a b"]),
            (r#""rejectUnauthorized":0"#, Status::Option, &["rejectUnauthorized"]),
            (r#""passphrase":"s3cret""#, Status::Unsupported, &["passphrase", "openssl pkey"]),
            (r#""pfx":"s3cret""#, Status::Unsupported, &["pfx", "openssl pkcs12"]),
            (r#""ciphers":"ALL""#, Status::Unsupported, &["ciphers", "rustls"]),
        ] {
            let failed = parse(more).unwrap_err();
            assert_eq!(failed.status, status, "{more}: {failed}");
            assert!(faults.iter().all(|fault| failed.message.contains(fault)), "{more}: {failed}");
            assert!(!failed.message.contains("s3cret"), "{failed}");
        }
    }

    #[test]
    fn the_headers_of_a_transport_stand_in_for_those_of_all() {
        let own = r#""transportOptions":{"polling":{"extraHeaders":{"X-B":"2"}}}"#;
        let options = parse(&format!(r#""extraHeaders":{{"X-A":"1"}},{own}"#)).unwrap();
        let Headers { websocket, polling } = &options.target.access.headers;
        assert_eq!((websocket.len(), &websocket["x-a"]), (1, &"1".parse().unwrap()));
        assert_eq!((polling.len(), &polling["x-b"]), (1, &"2".parse().unwrap()));
    }

    #[test]
    fn a_proxy_is_named_or_switched_off() {
        for (more, shown) in [
            (r#""proxy":"socks5://u:p@h""#, "Some(socks5://***@h:1080)"),
            (r#""proxy":"none""#, "None"),
            (r#""proxy":false"#, "None"),
        ] {
            assert_eq!(format!("{:?}", parse(more).unwrap().target.access.proxy), shown);
        }
    }
}
