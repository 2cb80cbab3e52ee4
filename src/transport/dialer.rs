//! How a client reaches its server: TCP, proxy and TLS, with everything that the caller's options say about the way.

use std::{sync::Arc, time::SystemTime};

use http::{header::PROXY_AUTHORIZATION, HeaderMap};
use tokio_socks::{IntoTargetAddr, TargetAddr};

use super::{
    cookies::CookieJar,
    dial::{connect, lookup},
    proxy::ProxyKind,
    tls::{self, TlsCache},
    tunnel::{by_connect, by_socks, proxy_error},
    Access, Endpoint, Farewells, Progress, Proxy, Step, Stream, TransportError,
};
use crate::log::{Level, Log};

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    WebSocket,
    /// Requests of long-polling.
    Http,
}

/// A connection that stands, and how a request has to be written on it: only long-polling asks more than once.
#[cfg_attr(not(feature = "polling"), allow(dead_code))]
pub struct Line {
    pub stream: Stream,
    /// An HTTP proxy reads the requests itself: they name the whole URL (RFC 9112, 3.2.2) and carry `headers`. Never with
    /// `https` or for a WebSocket, which go through a tunnel.
    pub absolute: bool,
    /// For the proxy (`Proxy-Authorization`); empty unless `absolute`.
    pub headers: HeaderMap,
    /// The server asked for a certificate of the client; see `certificate_hint`.
    pub certificate_asked: bool,
}

/// Makes the connections of one client, keeps its cookies, and knows of the goodbyes that are still being said.
pub struct Dialer {
    access: Arc<Access>,
    /// With the caller's settings, where there are any; else shared with all clients.
    tls: Arc<TlsCache>,
    /// For the way to an `https` proxy, of which the caller's settings say nothing.
    proxy_tls: Arc<TlsCache>,
    cookies: CookieJar,
    farewells: Farewells,
    log: Arc<Log>,
}

impl Dialer {
    /// `tls` has no settings and is shared by all clients.
    pub fn new(access: Arc<Access>, tls: Arc<TlsCache>, log: Arc<Log>) -> Self {
        let proxy_tls = tls.clone();
        let tls = match access.tls.are_default() {
            true => tls,
            false => Arc::new(TlsCache::new(access.tls.clone())),
        };
        let (cookies, farewells) = (CookieJar::default(), Farewells::default());
        Dialer { access, tls, proxy_tls, cookies, farewells, log }
    }

    pub fn farewells(&self) -> &Farewells {
        &self.farewells
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.access.endpoint
    }

    /// Opens a connection to the server. Boxed is what not every connection needs: all that are being made take memory at once.
    pub async fn open(&self, purpose: Purpose, progress: &Progress) -> Result<Line, TransportError> {
        let endpoint = self.endpoint();
        let mut headers = HeaderMap::new();
        let mut absolute = false;
        let stream = match &self.access.proxy {
            None => self.dial(&endpoint.host, endpoint.port, progress).await?,
            Some(proxy) if purpose == Purpose::Http && self.forwards_plain_requests() => {
                absolute = true;
                headers.extend(proxy.authorization().map(|value| (PROXY_AUTHORIZATION, value)));
                Box::pin(self.reach(proxy, progress)).await?
            }
            Some(proxy) => Box::pin(self.tunnel(proxy, progress)).await?,
        };
        progress.connected();
        let (stream, certificate_asked) = match endpoint.secure {
            false => (stream, false),
            true => Box::pin(self.secure(stream, progress)).await?,
        };
        Ok(Line { stream, absolute, headers, certificate_asked })
    }

    /// An HTTP proxy reads plain requests and passes them on, also where it makes no tunnel.
    pub fn forwards_plain_requests(&self) -> bool {
        self.access.proxy.as_ref().is_some_and(|proxy| proxy.kind.is_http()) && !self.endpoint().secure
    }

    async fn dial(&self, host: &str, port: u16, progress: &Progress) -> Result<Stream, TransportError> {
        progress.reach(Step::Lookup);
        let addresses = lookup(host, port).await?;
        progress.reach(Step::Connect);
        let stream = connect(&addresses, self.access.local_address).await?;
        Ok(Stream::plain(stream))
    }

    /// Connects to the proxy itself.
    async fn reach(&self, proxy: &Proxy, progress: &Progress) -> Result<Stream, TransportError> {
        self.log
            .write(Level::Debug, format_args!("{}: through the proxy {proxy}", self.endpoint().authority()));
        let stream = self.dial(&proxy.host, proxy.port, progress).await;
        let stream = stream
            .map_err(|error| TransportError { step: error.step, ..proxy_error(proxy, &error.message) })?;
        progress.reach(Step::Proxy);
        if proxy.kind != ProxyKind::Https {
            return Ok(stream);
        }
        let secured = tls::wrap(stream, &proxy.host, &self.proxy_tls).await;
        let (tls, _) = secured.map_err(|error| proxy_error(proxy, &error.message))?;
        Ok(Stream::Tls(Box::new(tls)))
    }

    /// A connection to the server that a proxy makes.
    async fn tunnel(&self, proxy: &Proxy, progress: &Progress) -> Result<Stream, TransportError> {
        if proxy.kind.is_http() {
            return by_connect(self.reach(proxy, progress).await?, proxy, self.endpoint()).await;
        }
        let mut failures = Vec::new();
        for target in self.socks_targets(proxy, progress).await? {
            match by_socks(self.reach(proxy, progress).await?, proxy, target).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failures.push(error.message),
            }
        }
        Err(TransportError::new(Step::Proxy, failures.join("; ")))
    }

    /// What a SOCKS proxy is asked for: one address after the other, or a name that it looks up itself.
    async fn socks_targets(
        &self,
        proxy: &Proxy,
        progress: &Progress,
    ) -> Result<Vec<TargetAddr<'_>>, TransportError> {
        let Endpoint { host, port, .. } = self.endpoint();
        if proxy.kind == ProxyKind::Socks5 {
            progress.reach(Step::Lookup);
            return Ok(lookup(host, *port).await?.into_iter().map(TargetAddr::Ip).collect());
        }
        let target = (host.as_str(), *port).into_target_addr();
        target.map(|target| vec![target]).map_err(|error| proxy_error(proxy, &error.to_string()))
    }

    async fn secure(&self, stream: Stream, progress: &Progress) -> Result<(Stream, bool), TransportError> {
        let host = &self.endpoint().host;
        progress.reach(Step::Tls);
        if !self.access.tls.verifies() {
            self.log.write(
                Level::Error,
                format_args!(
                    "{host}: the server's certificate is NOT verified, because the option \"rejectUnauthorized\" is false: \
                     anybody on the way can read and change everything"
                ),
            );
        }
        let (tls, certificate_asked) = tls::wrap(stream, host, &self.tls).await?;
        Ok((Stream::Tls(Box::new(tls)), certificate_asked))
    }

    /// The words for what a server said in TLS after the handshake: that it does not like our certificate, for example.
    /// Nothing for any other failure.
    pub fn late_tls_failure(&self, error: &std::io::Error) -> Option<String> {
        tls::late_failure(error, &self.access.tls)
    }

    /// The words for a server that closed a connection instead of answering a request.
    pub fn without_answer(&self, certificate_asked: bool) -> String {
        let hint = match self.endpoint().secure {
            false => "; one that expects TLS (https://) does so too",
            true => self.certificate_hint(certificate_asked),
        };
        format!("the server closed the connection without an answer{hint}")
    }

    /// What to add where a connection that TLS had accepted broke before the first answer.
    pub fn certificate_hint(&self, certificate_asked: bool) -> &'static str {
        match certificate_asked {
            true => tls::certificate_hint(&self.access.tls),
            false => "",
        }
    }

    /// The headers of a request beside those of its protocol: the caller's, and the cookies that are kept for this path
    /// (without its query).
    pub fn request_headers(&self, purpose: Purpose, path: &str) -> HeaderMap {
        let mut headers = self.access.headers.of(purpose).clone();
        self.cookies.add_to(&mut headers, path, SystemTime::now());
        headers
    }

    /// Keeps the cookies of an answer to a request of this path (without its query), whatever its status.
    pub fn keep_cookies(&self, path: &str, response: &HeaderMap) {
        self.cookies.keep(self.endpoint(), path, response, SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::transport::{Headers, TlsSettings};

    async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (listener, address)
    }

    fn dialer(root: &str, proxy: &str) -> Dialer {
        let access = Access {
            endpoint: Endpoint::parse(root).unwrap(),
            headers: Headers::default(),
            proxy: Some(Proxy::parse(proxy).unwrap()),
            tls: TlsSettings::default(),
            local_address: None,
        };
        Dialer::new(Arc::new(access), Arc::default(), Arc::default())
    }

    #[tokio::test]
    async fn plain_requests_go_to_an_http_proxy_itself_with_its_credentials() {
        let (listener, address) = listener().await;
        let dialer = dialer("http://im.example", &format!("http://user:s3cret@{address}"));
        let progress = Progress::default();
        let line = dialer.open(Purpose::Http, &progress).await.unwrap();
        assert!(line.absolute);
        // RFC 7617: "user:s3cret".
        assert_eq!(line.headers[PROXY_AUTHORIZATION], "Basic dXNlcjpzM2NyZXQ=");
        // Nothing was asked of the proxy before.
        let (mut proxy, _) = listener.accept().await.unwrap();
        drop(line);
        assert_eq!(proxy.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn everything_else_goes_through_a_tunnel() {
        for (root, purpose) in
            [("http://im.example", Purpose::WebSocket), ("https://im.example", Purpose::Http)]
        {
            let (listener, address) = listener().await;
            let dialer = dialer(root, &format!("http://{address}"));
            let progress = Progress::default();
            let asked = async {
                let (mut proxy, _) = listener.accept().await.unwrap();
                let mut asked = [0; 17];
                proxy.read_exact(&mut asked).await.unwrap();
                proxy.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await.unwrap();
                String::from_utf8_lossy(&asked).into_owned()
            };
            let (opened, asked) = tokio::join!(dialer.open(purpose, &progress), asked);
            assert_eq!(asked, "CONNECT im.example".get(..17).unwrap());
            // The proxy hangs up, which ends TLS and is no matter of a plain line yet.
            match (root.starts_with("https"), opened) {
                (false, Ok(line)) => assert!(!line.absolute && line.headers.is_empty()),
                (true, Err(error)) => assert_eq!(error.step, Step::Tls),
                (_, opened) => panic!("{:?}", opened.map(|line| line.absolute)),
            }
        }
    }
}
