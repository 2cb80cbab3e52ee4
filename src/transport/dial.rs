//! Name lookup and TCP connect by RFC 8305: the addresses alternate between the families, a new attempt starts every
//! 250 ms or as soon as one fails, and the first that connects wins.

use std::{io, net::SocketAddr, time::Duration};

use futures_util::{stream::FuturesUnordered, StreamExt};
use tokio::{
    net::{lookup_host, TcpStream},
    time::{sleep, Instant},
};

use super::{Endpoint, Progress, Step, TransportError};

/// RFC 8305, section 5: the recommended delay between two attempts.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the endpoint.
pub async fn dial(endpoint: &Endpoint, progress: &Progress) -> Result<TcpStream, TransportError> {
    progress.reach(Step::Lookup);
    let addresses = lookup(endpoint).await?;
    progress.reach(Step::Connect);
    let started = Instant::now();
    let stream = race(&addresses).await.map_err(|message| TransportError::new(Step::Connect, message))?;
    progress.connected(started.elapsed());
    // Chat messages are small and wait for nothing.
    stream
        .set_nodelay(true)
        .map_err(|error| TransportError::new(Step::Connect, format!("can't set TCP_NODELAY: {error}")))?;
    Ok(stream)
}

async fn lookup(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, TransportError> {
    let host = endpoint.host.as_str();
    let failed = |why: String| TransportError::new(Step::Lookup, format!("can't look up {host:?}: {why}"));
    let found = lookup_host((host, endpoint.port)).await.map_err(|error| failed(error.to_string()))?;
    let addresses = alternate(found.collect());
    match addresses.is_empty() {
        true => Err(failed("it has no address".into())),
        false => Ok(addresses),
    }
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

async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut waiting = addresses.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut failures: Vec<String> = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            running.push(connect(address));
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

async fn connect(address: SocketAddr) -> (SocketAddr, io::Result<TcpStream>) {
    (address, TcpStream::connect(address).await)
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
        let stream = race(&[dead, alive]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
        let error = race(&[dead]).await.unwrap_err();
        assert!(error.contains(&dead.to_string()), "{error}");
    }
}
