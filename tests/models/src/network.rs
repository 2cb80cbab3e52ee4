//! In place of a connection's task: plays a model's script to the real client, from one thread, as that task does.

use std::{collections::VecDeque, future::Future, sync::Arc, time::Instant};

use super::{
    link::{Link, Next, State},
    owner::{Connected, Loss, Owner, Reason},
    task::Surroundings,
    Target,
};
use crate::{
    engineio::Revision,
    models::{take_script, Act},
    socketio::{Extent, Received},
};

/// Runs until the client is destroyed, as the real one does.
pub fn run(
    _: Arc<Target>,
    link: Arc<Link>,
    owner: Arc<dyn Owner>,
    _: Surroundings,
) -> impl Future<Output = ()> + Send {
    // At once: another client may be made before this one's task runs.
    let script = VecDeque::from(take_script());
    play(Network { link, owner, connected: false, sent: Vec::new() }, script)
}

async fn play(mut network: Network, mut script: VecDeque<Act>) {
    while !network.link.wish().end {
        match script.pop_front() {
            Some(act) => network.play(act),
            None => network.link.woken().await,
        }
        // Also here another thread may go on.
        shuttle::future::yield_now().await;
    }
    if network.connected {
        network.lose(Reason::ClientDisconnect);
    }
    network.owner.on_end();
}

struct Network {
    link: Arc<Link>,
    owner: Arc<dyn Owner>,
    connected: bool,
    /// Requests that went out, in their order.
    sent: Vec<u64>,
}

impl Network {
    fn play(&mut self, act: Act) {
        match act {
            Act::Connect => self.connect(),
            Act::Write => self.write(),
            Act::Answer => self.answer(),
            Act::Event(name) => {
                self.owner.on_event(received(name, None), self.link.connection());
                self.owner.on_pause();
            }
            Act::Lose => self.lose(Reason::TransportClose),
        }
    }

    fn connect(&mut self) {
        self.link.next_connection();
        self.connected = true;
        self.owner.on_connected(Connected {
            socket_id: "s".into(),
            revision: Revision::V4,
            path: "/".into(),
            transport: "websocket",
            url: String::new(),
            recovered: false,
            max_payload: None,
            attempts: 0,
        });
    }

    fn write(&mut self) {
        while let Next::Frame(frame) = self.link.pop(self.link.wish().closes, Instant::now()) {
            if self.owner.on_sent(&frame, Instant::now()) {
                self.sent.extend(frame.request);
            }
        }
        self.link.all_written();
    }

    /// Answers all that went out, each twice: a server may.
    fn answer(&mut self) {
        for number in std::mem::take(&mut self.sent) {
            self.owner.on_ack(received("", Some(number)));
            self.owner.on_ack(received("", Some(number)));
        }
        self.owner.on_pause();
    }

    fn lose(&mut self, reason: Reason) {
        self.connected = false;
        self.sent.clear();
        self.link.set_state(State::Disconnected);
        self.owner.on_lost(Loss { reason, description: String::new() }, false);
        self.link.drop_where(|frame| frame.connection.is_some() || frame.volatile);
        self.link.all_written();
    }
}

fn received(name: &'static str, id: Option<u64>) -> Received<'static> {
    let extent = Extent { first: None, all: 0..0 };
    Received { name: name.into(), id, data: "".into(), extent, attachments: Vec::new() }
}
