//! nginx as a reverse proxy before the servers of the tests: tests/servers/nginx.js.

use std::path::PathBuf;

use serde_json::Value;

use super::{server::node, Server};

/// What the proxy does with a request for an upgrade to WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrades {
    Passed,
    /// Its headers are not passed on, as nginx does unless it is told to; the server answers 400.
    Stripped,
    /// 403.
    Refused,
    /// Accepted, and closed when so many bytes have passed behind the 101, both ways together.
    Cut(u32),
    /// As `Cut`, but nothing is closed: nothing passes any more.
    Silenced(u32),
}

pub struct Nginx {
    server: Server,
    log: PathBuf,
}

impl Nginx {
    /// A proxy before a server.
    pub fn before(backend: &Server, upgrades: Upgrades) -> Self {
        let (how, after) = match upgrades {
            Upgrades::Passed => ("passed", 0),
            Upgrades::Stripped => ("stripped", 0),
            Upgrades::Refused => ("refused", 0),
            Upgrades::Cut(after) | Upgrades::Silenced(after) => ("cut", after),
        };
        let after = after.to_string();
        let mut flags = vec!["--upgrades", how, "--cut-after", &after];
        if matches!(upgrades, Upgrades::Silenced(_)) {
            flags.push("--cut-silently");
        }
        Self::start(backend, &flags)
    }

    /// A proxy before two servers. A request without the proxy's cookie goes to the next in turn.
    pub fn sticky(first: &Server, second: &Server) -> Self {
        Self::start(first, &["--second", &second.port.to_string()])
    }

    fn start(backend: &Server, flags: &[&str]) -> Self {
        let backend = backend.port.to_string();
        let server = node("nginx.js", &[&["--backend", &backend], flags].concat());
        let log = server.ready()["accessLog"].as_str().expect("the ready line has the log").into();
        Nginx { server, log }
    }

    pub fn root(&self) -> String {
        self.server.root()
    }

    /// The requests that have ended, in the order of their ends: `{method, uri, status, upgrade, cookie, backend}`.
    pub fn requests(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The status of every request for an upgrade that has ended.
    pub fn upgrades(&self) -> Vec<u64> {
        let requests = self.requests();
        let upgrades = requests.iter().filter(|request| request["upgrade"] == "websocket");
        upgrades.filter_map(|request| request["status"].as_u64()).collect()
    }
}
