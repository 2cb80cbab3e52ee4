//! From a host to a TCP connection.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::json;

use super::raw_options;
use crate::{support::*, tls::Probe};

#[test]
fn a_name_works_that_has_one_address() {
    let server = RawServer::listen("127.0.0.1:0", |peer| peer.behave(4));
    let root = format!("http://localhost:{}", server.port());
    let client = TestClient::new(json!({ "root": root, "nsp": "room", "path": "/ws" }));
    client.wait("connect");
    let host = server.requests()[0].header("host").map(str::to_owned);
    assert_eq!(host, Some(format!("localhost:{}", server.port())));
}

#[test]
fn an_address_of_ipv6_works() {
    let server = RawServer::listen("[::1]:0", |peer| peer.behave(4));
    let root = format!("http://[::1]:{}", server.port());
    let client = TestClient::new(json!({ "root": root, "nsp": "room", "path": "/ws" }));
    client.wait("connect");
    let host = server.requests()[0].header("host").map(str::to_owned);
    assert_eq!(host, Some(format!("[::1]:{}", server.port())));
}

/// A name with an address of each family, whatever this machine's resolver says of localhost: the probe has its own.
fn works_on_one_family(listen: &str, first: &str) {
    let server = RawServer::listen(listen, |peer| peer.behave(4));
    let root = format!("http://{first}.test:{}", server.port());
    let told = Probe::built().run(&json!({ "root": root, "nsp": "room", "path": "/ws" }), &[]);
    assert_eq!(told.name, "connect", "{}", told.json);
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_server_on_ipv4_alone_is_found_behind_a_name_of_both() {
    works_on_one_family("127.0.0.1:0", "six-then-four");
    works_on_one_family("127.0.0.1:0", "four-then-six");
}

#[test]
fn a_server_on_ipv6_alone_is_found_behind_a_name_of_both() {
    works_on_one_family("[::1]:0", "six-then-four");
    works_on_one_family("[::1]:0", "four-then-six");
}

/// Packets that are dropped rather than refused: the next address is tried all the same.
#[test]
fn an_address_that_does_not_answer_does_not_stop_the_next() {
    let server = RawServer::listen("127.0.0.1:0", |peer| peer.behave(4));
    // A listener whose queue is full answers nobody.
    let deaf = TcpListener::bind(("127.0.0.9", server.port())).expect("another address has this port free");
    let _full: Vec<_> = full(&deaf);
    let root = format!("http://deaf-then-four.test:{}", server.port());
    let told = Probe::built().run(&json!({ "root": root, "nsp": "room", "path": "/ws" }), &[]);
    assert_eq!(told.name, "connect", "{}", told.json);
}

/// Fills a listener's queue of connections that nobody accepts.
fn full(listener: &TcpListener) -> Vec<std::net::TcpStream> {
    let address = listener.local_addr().expect("it is bound");
    let short = std::time::Duration::from_millis(200);
    std::iter::from_fn(|| std::net::TcpStream::connect_timeout(&address, short).ok()).take(5000).collect()
}

/// Both addresses refuse: the error names both.
#[test]
fn where_no_address_works_all_are_told() {
    let port = RawServer::listen("127.0.0.1:0", |_| {}).port();
    let root = format!("http://six-then-four.test:{port}");
    let options = json!({ "root": root, "nsp": "room", "path": "/ws", "reconnection": false });
    let told = Probe::built().run(&options, &[]);
    assert_eq!((&*told.name, &told.json["attempts"][0]["step"]), ("connect_error", &json!("connect")));
    let message = told.json["message"].as_str().unwrap();
    assert!(message.contains(&format!("[::1]:{port}")), "{message}");
    assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
}

/// Nagle's algorithm is off: read from the descriptor that the library, in this process, connected to the server.
#[test]
fn small_packets_are_not_held_back() {
    let server = RawServer::start(|peer| peer.behave(4));
    let client = TestClient::new(raw_options(&server));
    client.wait("connect");
    let found: Vec<bool> = (0..4096).filter(|fd| peer_of(*fd) == Some(server.root())).map(no_delay).collect();
    assert_eq!(found, [true]);
}

/// The root that a descriptor is connected to.
fn peer_of(fd: i32) -> Option<String> {
    // SAFETY: zero is a valid address.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    let mut size = libc::socklen_t::try_from(size_of::<libc::sockaddr_in>()).expect("small");
    // SAFETY: the size is that of the address; a descriptor that is none, or no socket, is an error.
    let done = unsafe { libc::getpeername(fd, std::ptr::from_mut(&mut address).cast(), &raw mut size) };
    let (host, port) =
        (Ipv4Addr::from_bits(u32::from_be(address.sin_addr.s_addr)), u16::from_be(address.sin_port));
    (done == 0 && i32::from(address.sin_family) == libc::AF_INET).then(|| format!("http://{host}:{port}"))
}

fn no_delay(fd: i32) -> bool {
    let mut value: libc::c_int = 0;
    let mut size = libc::socklen_t::try_from(size_of::<libc::c_int>()).expect("small");
    // SAFETY: the size is that of the value.
    let done = unsafe {
        libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_NODELAY,
            std::ptr::from_mut(&mut value).cast(),
            &raw mut size,
        )
    };
    done == 0 && value != 0
}
