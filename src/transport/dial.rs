//! Name lookup and TCP connect by RFC 8305: the addresses alternate between the families, a new attempt starts every
//! 250 ms or as soon as one fails, and the first that connects wins.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{stream::FuturesUnordered, StreamExt};
use tokio::{
    net::{lookup_host, TcpSocket, TcpStream},
    time::sleep,
};

use super::{Step, TransportError};

/// RFC 8305, section 5: the recommended delay between two attempts.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The addresses of a host, in the order in which they are tried.
pub async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
    let failed = |why: String| TransportError::new(Step::Lookup, format!("can't look up {host:?}: {why}"));
    let found = lookup_host((host, port)).await.map_err(|error| failed(error.to_string()))?;
    let addresses = alternate(found.collect());
    match addresses.is_empty() {
        true => Err(failed("it has no address".into())),
        false => Ok(addresses),
    }
}

/// Connects to the first of these addresses that answers, from an address of this machine where one is named.
pub async fn connect(addresses: &[SocketAddr], from: Option<IpAddr>) -> Result<TcpStream, TransportError> {
    let failed = |message: String| TransportError::new(Step::Connect, message);
    let stream = race(addresses, from).await.map_err(failed)?;
    // Chat messages are small and wait for nothing.
    stream.set_nodelay(true).map_err(|error| failed(format!("can't set TCP_NODELAY: {error}")))?;
    Ok(stream)
}

/// Keeps the order of the lookup within a family and lets the families take turns, the first one first.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().copied() else { return addresses };
    let (mut leading, mut other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first.is_ipv6());
    leading.reverse();
    other.reverse();
    let mut order = Vec::with_capacity(leading.len() + other.len());
    while !(leading.is_empty() && other.is_empty()) {
        order.extend(leading.pop());
        order.extend(other.pop());
    }
    order
}

async fn race(addresses: &[SocketAddr], from: Option<IpAddr>) -> Result<TcpStream, String> {
    let mut waiting = addresses.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut failures: Vec<String> = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            running.push(async move { (address, try_one(address, from).await) });
        }
        // Until the next attempt is due, or one has failed.
        tokio::select! {
            done = running.next() => match done {
                Some((_, Ok(stream))) => return Ok(stream),
                Some((address, Err(error))) => failures.push(format!("{address}: {error}")),
                None => return Err(format!("can't connect to {}", failures.join("; "))),
            },
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

async fn try_one(address: SocketAddr, from: Option<IpAddr>) -> Result<TcpStream, String> {
    let told = |error: io::Error| error.to_string();
    let Some(from) = from else { return TcpStream::connect(address).await.map_err(told) };
    if from.is_ipv4() != address.is_ipv4() {
        return Err(format!("the option \"localAddress\" ({from}) is of the other family"));
    }
    let socket = if from.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(told)?;
    socket
        .bind(SocketAddr::new(from, 0))
        .map_err(|error| format!("the option \"localAddress\" ({from}) can't be used: {error}"))?;
    socket.connect(address).await.map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns() {
        let read = |text: &str| text.parse::<SocketAddr>().unwrap();
        let found = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(read).to_vec();
        let order = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"].map(read);
        assert_eq!(alternate(found), order);
        assert!(alternate(vec![]).is_empty());
    }

    #[tokio::test]
    async fn a_dead_first_address_does_not_stop_the_second() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();
        let dead = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let stream = race(&[dead, alive], None).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
        let error = race(&[dead], None).await.unwrap_err();
        assert!(error.contains(&dead.to_string()), "{error}");
    }

    #[tokio::test]
    async fn connections_come_from_the_address_that_is_named() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [listener.local_addr().unwrap()];
        let stream = race(&addresses, Some([127, 0, 0, 7].into())).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip().to_string(), "127.0.0.7");
        for (from, fault) in [("::1", "other family"), ("192.0.2.1", "can't be used")] {
            let error = race(&addresses, Some(from.parse().unwrap())).await.unwrap_err();
            assert!(
                error.contains(from) && error.contains(fault) && error.contains("localAddress"),
                "{error}"
            );
        }
    }
}
