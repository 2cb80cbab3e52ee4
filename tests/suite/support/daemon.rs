//! Real programs from Debian between the client and its server and behind it: proxies, a load balancer, Redis.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{ports, wait_for, Authority, Server};

/// Loopback, but an address of their own: a port that was free a moment ago is not taken by a server of another test.
const HOST: &str = "127.0.0.3";
/// A port that was free may be taken all the same.
const TRIES: usize = 5;

/// A program that listens where it is told, and ends with the test.
pub struct Daemon {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Daemon {
    /// Starts what `program` gives for an address to listen on and a folder for its files.
    fn start(program: impl Fn(SocketAddr, &Path) -> Command) -> Self {
        for _ in 0..TRIES {
            let free = TcpListener::bind((HOST, 0)).and_then(|listener| listener.local_addr());
            let address = free.expect("a free port");
            if !ports::is_new(address.port()) {
                continue;
            }
            let folder = tempfile::tempdir().expect("a folder");
            let log = || File::create_new(folder.path().join("log")).expect("a file");
            let mut command = program(address, folder.path());
            let log = log();
            let errors = log.try_clone().expect("a second descriptor");
            command.stdin(Stdio::null()).stdout(log).stderr(errors);
            let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
            let mut daemon = Daemon { child, folder, address };
            if daemon.listens() {
                return daemon;
            }
        }
        panic!("the program found no port in {TRIES} tries");
    }

    /// Waits until it listens; false where it ended.
    fn listens(&mut self) -> bool {
        wait_for("a program that listens", || {
            let over = self.child.try_wait().expect("a child can be waited for").is_some();
            let open = || TcpStream::connect(self.address).is_ok().then_some(true);
            if over {
                Some(false)
            } else {
                open()
            }
        })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Host and port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("the log is text")
    }

    /// Waits until so many lines of its log have this in them.
    pub fn wait_logged(&self, what: &str, count: usize) {
        wait_for(&format!("{count} times {what:?} in the log of {}", self.address), || {
            (self.log().lines().filter(|line| line.contains(what)).count() >= count).then_some(())
        });
    }

    /// tinyproxy: an HTTP proxy; with Basic credentials where they are given.
    pub fn http_proxy(login: Option<(&str, &str)>) -> Self {
        Self::start(|address, folder| {
            let login =
                login.map(|(user, password)| format!("BasicAuth {user} {password}\n")).unwrap_or_default();
            let config = format!("Port {}\nListen {}\nTimeout 600\n{login}", address.port(), address.ip());
            let file = folder.join("tinyproxy.conf");
            std::fs::write(&file, config).expect("a file");
            let mut tinyproxy = Command::new("tinyproxy");
            tinyproxy.args(["-d", "-c"]).arg(file);
            tinyproxy
        })
    }

    /// microsocks: a SOCKS5 proxy; with user and password where they are given.
    pub fn socks_proxy(login: Option<(&str, &str)>) -> Self {
        Self::start(|address, _| {
            let mut microsocks = Command::new("microsocks");
            microsocks.args(["-i", &address.ip().to_string(), "-p", &address.port().to_string()]);
            // Of a name's addresses it tries one, of this one's family: the servers listen on IPv4, and "localhost" may be ::1 first.
            microsocks.args(["-b", "127.0.0.1"]);
            if let Some((user, password)) = login {
                microsocks.args(["-u", user, "-P", password]);
            }
            microsocks
        })
    }

    /// Redis, which keeps nothing on the disk.
    pub fn redis_server() -> Self {
        Self::start(|address, folder| {
            let mut redis = Command::new("redis-server");
            redis.args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()]);
            redis.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder);
            redis
        })
    }

    /// What Redis answers to a command, a line for each item.
    pub fn redis(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-h", HOST, "-p", &self.port().to_string()]).args(words);
        let output = super::command(command, 20);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// OpenSSL's own server, which speaks TLS 1.1 and nothing newer.
    pub fn old_tls_server(pem: &str, key: &str) -> Self {
        Self::start(|address, folder| {
            let (certificate, private) = (folder.join("server.pem"), folder.join("server.key"));
            std::fs::write(&certificate, pem).expect("a file");
            std::fs::write(&private, key).expect("a file");
            let mut openssl = Command::new("openssl");
            openssl.args(["s_server", "-www", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-accept"]);
            openssl.arg(address.to_string()).arg("-cert").arg(certificate).arg("-key").arg(private);
            openssl
        })
    }

    /// haproxy in front of these servers: new clients take turns, and a cookie brings a client back to its server.
    pub fn sticky_balancer(servers: &[&Server]) -> Self {
        let mut backends = String::new();
        for (number, server) in servers.iter().enumerate() {
            backends += &format!("  server s{number} 127.0.0.1:{} cookie s{number}\n", server.port);
        }
        Self::haproxy(move |address, _| {
            format!(
                "  mode http\nfrontend all\n  bind {address}\n  default_backend servers\nbackend servers\n  \
                 balance roundrobin\n  cookie SERVERID insert indirect nocache\n{backends}"
            )
        })
    }

    /// haproxy that takes TLS off what it passes on, and logs each connection at its end; `pem` is its certificate with its key. With an authority, clients have to
    /// show a certificate of it.
    pub fn tls_front(pem: &str, to: &str, clients: Option<&Authority>) -> Self {
        let clients =
            clients.map(|authority| format!("ca-file {} verify required", authority.file().display()));
        let clients = clients.unwrap_or_default();
        Self::haproxy(move |address, folder| {
            let file = folder.join("front.pem");
            std::fs::write(&file, pem).expect("a file");
            format!(
                "  mode tcp\n  log-format \"resumed=%[ssl_fc_is_resumed] sni=%[ssl_fc_sni]\"\nfrontend all\n  \
                 bind {address} ssl crt {} {clients}\n  default_backend servers\nbackend servers\n  \
                 server only {to}\n",
                file.display()
            )
        })
    }

    fn haproxy(config: impl Fn(SocketAddr, &Path) -> String) -> Self {
        Self::start(move |address, folder| {
            let file = folder.join("haproxy.cfg");
            let limits = "  timeout connect 20s\n  timeout client 600s\n  timeout server 600s\n  timeout tunnel 600s\n";
            let log = "global\n  log stdout format raw local0\ndefaults\n  log global\n";
            std::fs::write(&file, format!("{log}{limits}{}", config(address, folder))).expect("a file");
            let mut haproxy = Command::new("haproxy");
            haproxy.args(["-db", "-f"]).arg(file);
            haproxy
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
