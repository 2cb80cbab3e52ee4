//! Goodbyes of long-polling. A server does not notice by itself that nobody polls any more: it keeps a session that nobody
//! ended until its ping timeout, and a user seems to be there so long.

use std::{
    collections::VecDeque,
    future::{poll_fn, Future},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    task::JoinSet,
    time::{timeout, Instant},
};

use super::{
    http::{Answer, Lane},
    payload::Codec,
    Address, Dialer, Frame, Progress, Step, TransportError, POLLING,
};
use crate::{
    engineio::{self, Handshake, Packet},
    secret::Secret,
};

/// How long a session that nobody said goodbye for is given to hear it.
const FAREWELL: Duration = Duration::from_secs(1);

/// A request on its way, with the connection that it came by.
pub type Exchange = Pin<Box<dyn Future<Output = (Lane, Result<Answer, TransportError>)> + Send>>;

/// The goodbyes of one client that are still being said.
#[derive(Default)]
pub struct Farewells(Mutex<JoinSet<()>>);

impl Farewells {
    /// Says one beside everything else.
    pub fn say(&self, goodbye: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.try_join_next().is_some() {}
        all.spawn_on(
            async move {
                // A server that does not listen any more misses nothing.
                let _ = timeout(FAREWELL, goodbye).await;
            },
            &runtime,
        );
    }

    /// Waits for all that are being said, not beyond a limit: the threads may end with this client.
    pub async fn wait(&self, limit: Duration) {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let end = Instant::now() + limit;
        while let Ok(Some(_)) = tokio::time::timeout_at(end, all.join_next()).await {}
        all.detach_all();
    }
}

/// Posts a close packet; that nobody hears its answer does not matter.
pub async fn say_goodbye(mut lane: Lane, request: Secret, codec: Codec) {
    let close = VecDeque::from([engineio::Frame::Text(engineio::CLOSE.into())]);
    let (body, _) = codec.encode(&close, None);
    let _ = lane.post(&request, body, &Progress::default()).await;
}

/// The first request of a session. Dropped after it was sent, it is finished all the same: its answer opens a session,
/// which has to hear a goodbye.
pub struct Opening<'a> {
    exchange: Option<Exchange>,
    dialer: &'a Arc<Dialer>,
    address: &'a Address,
    progress: &'a Progress,
}

impl<'a> Opening<'a> {
    pub fn new(
        mut lane: Lane,
        dialer: &'a Arc<Dialer>,
        address: &'a Address,
        progress: &'a Progress,
    ) -> Self {
        let (request, told) = (address.request(POLLING, None), progress.clone());
        let exchange: Exchange = Box::pin(async move {
            let answer = lane.get(&request, &told).await;
            (lane, answer)
        });
        Opening { exchange: Some(exchange), dialer, address, progress }
    }

    pub async fn finish(mut self) -> (Lane, Result<Answer, TransportError>) {
        let done = poll_fn(|cx| match &mut self.exchange {
            Some(exchange) => exchange.as_mut().poll(cx),
            None => Poll::Pending,
        })
        .await;
        self.exchange = None;
        done
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
        if self.progress.step() < Step::Upgrade {
            return;
        }
        let address = self.address.clone();
        self.dialer.farewells().say(async move {
            let (lane, answer) = exchange.await;
            if let Some((codec, sid)) = answer.ok().as_ref().and_then(session_of) {
                say_goodbye(lane, address.request(POLLING, Some(&sid)), codec).await;
            }
        });
    }
}

/// The session that an answer opens, and the form of its bodies.
fn session_of(answer: &Answer) -> Option<(Codec, String)> {
    let codec = Codec::of(answer).ok()?;
    let (Frame::Text(first), _) = codec.read(answer).ok()? else { return None };
    match engineio::decode(&first) {
        Ok(Packet::Open(data)) => Some((codec, Handshake::parse(data).ok()?.sid)),
        _ => None,
    }
}
