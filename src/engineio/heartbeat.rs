//! Who pings whom, and when the link is dead.
//!
//! Revision 3: the client sends a ping every `pingInterval`; any packet within `pingTimeout` after it keeps the link alive.
//! Revision 4: the server pings; the link is dead after `pingInterval + pingTimeout` without a ping.
//! While nobody knows the revision, nothing is sent (a revision 4 server closes on a client's ping) and nothing dies; the
//! connect timeout covers that time.

use std::time::{Duration, Instant};

use super::{Handshake, Revision, PING, PONG};

#[derive(Debug)]
pub struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The revision is not known yet.
    Undecided,
    /// Revision 3: the next ping of ours is due then.
    PingDue(Instant),
    /// Revision 3: our ping went out; without any packet the link is dead then.
    PacketDue(Instant),
    /// Revision 4: without a ping of the server the link is dead then.
    ServerPingDue(Instant),
    /// Nobody reads the link, so it can't be called dead; the next unasked beat is due then.
    Paused { next: Instant, revision: Option<Revision> },
}

/// What is to be done at a deadline.
#[derive(Debug, PartialEq, Eq)]
pub enum Beat {
    Nothing,
    /// Send this text frame.
    Send(&'static str),
    /// The server has been silent for too long.
    Dead,
}

impl Heartbeat {
    pub fn new(handshake: &Handshake) -> Self {
        Heartbeat {
            interval: handshake.ping_interval,
            timeout: handshake.ping_timeout,
            state: State::Undecided,
        }
    }

    /// From now on the link is of this revision.
    pub fn decide(&mut self, revision: Revision, now: Instant) {
        self.state = self.fresh(revision, now);
    }

    fn fresh(&self, revision: Revision, now: Instant) -> State {
        match revision {
            Revision::V3 => State::PingDue(now + self.interval),
            Revision::V4 => State::ServerPingDue(now + self.interval + self.timeout),
        }
    }

    /// Any packet came in.
    pub fn on_packet(&mut self, now: Instant) {
        if let State::PacketDue(_) = self.state {
            self.state = State::PingDue(now + self.interval);
        }
    }

    /// The server's ping came in; a pong is due at once.
    pub fn on_ping(&mut self, now: Instant) {
        if let State::ServerPingDue(_) = self.state {
            self.state = self.fresh(Revision::V4, now);
        }
    }

    /// Reading stops: until `resume` the link is not called dead, and we beat unasked so that the server keeps it.
    pub fn pause(&mut self, now: Instant) {
        // The beats go on where they stood: a server waits for the next one from the last one on, not from the pause.
        let (revision, next) = match self.state {
            State::Undecided => (None, now + self.interval),
            State::PingDue(at) => (Some(Revision::V3), at),
            State::PacketDue(at) => (Some(Revision::V3), at - self.timeout + self.interval),
            State::ServerPingDue(at) => (Some(Revision::V4), at - self.timeout),
            State::Paused { .. } => return,
        };
        self.state = State::Paused { next, revision };
    }

    /// Reading goes on; what came meanwhile still lies in the socket, so the waiting starts anew.
    pub fn resume(&mut self, now: Instant) {
        if let State::Paused { revision, next } = self.state {
            self.state = match revision {
                None => State::Undecided,
                Some(Revision::V3) => State::PingDue(next),
                Some(Revision::V4) => self.fresh(Revision::V4, now),
            };
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Undecided => None,
            State::PingDue(at) | State::PacketDue(at) | State::ServerPingDue(at) => Some(at),
            State::Paused { next, .. } => Some(next),
        }
    }

    /// Tells what the time demands; to be asked again until it says `Nothing`.
    pub fn on_time(&mut self, now: Instant) -> Beat {
        match self.state {
            State::PingDue(at) if at <= now => {
                self.state = State::PacketDue(now + self.timeout);
                Beat::Send(PING)
            }
            State::PacketDue(at) | State::ServerPingDue(at) if at <= now => Beat::Dead,
            State::Paused { next, revision } if next <= now => {
                self.state = State::Paused { next: now + self.interval, revision };
                match revision {
                    None => Beat::Nothing,
                    Some(Revision::V3) => Beat::Send(PING),
                    Some(Revision::V4) => Beat::Send(PONG),
                }
            }
            _ => Beat::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat() -> Heartbeat {
        Heartbeat::new(&Handshake {
            sid: "a".into(),
            upgrades: vec![],
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(5),
            max_payload: None,
        })
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn revision_3_pings_and_any_packet_keeps_the_link_alive() {
        let (mut beat, start) = (heartbeat(), Instant::now());
        beat.decide(Revision::V3, start);
        assert_eq!(beat.deadline(), Some(start + seconds(25)));
        assert_eq!(beat.on_time(start + seconds(24)), Beat::Nothing);
        assert_eq!(beat.on_time(start + seconds(25)), Beat::Send("2"));
        assert_eq!(beat.deadline(), Some(start + seconds(30)));
        beat.on_packet(start + seconds(27));
        assert_eq!(beat.deadline(), Some(start + seconds(52)));
        assert_eq!(beat.on_time(start + seconds(52)), Beat::Send("2"));
        assert_eq!(beat.on_time(start + seconds(57)), Beat::Dead);
    }

    #[test]
    fn revision_4_waits_for_the_servers_ping_and_never_pings() {
        let (mut beat, start) = (heartbeat(), Instant::now());
        beat.decide(Revision::V4, start);
        assert_eq!(beat.on_time(start + seconds(29)), Beat::Nothing);
        beat.on_packet(start + seconds(29));
        assert_eq!(beat.on_time(start + seconds(30)), Beat::Dead, "only a ping counts");
        beat.decide(Revision::V4, start);
        beat.on_ping(start + seconds(29));
        assert_eq!(beat.on_time(start + seconds(58)), Beat::Nothing);
        assert_eq!(beat.on_time(start + seconds(59)), Beat::Dead);
    }

    #[test]
    fn an_undecided_link_neither_pings_nor_dies() {
        let mut beat = heartbeat();
        assert_eq!(beat.deadline(), None);
        assert_eq!(beat.on_time(Instant::now() + seconds(1000)), Beat::Nothing);
    }

    #[test]
    fn a_paused_link_beats_unasked_and_does_not_die() {
        for (revision, frame) in [(Revision::V3, "2"), (Revision::V4, "3")] {
            let (mut beat, start) = (heartbeat(), Instant::now());
            beat.decide(revision, start);
            beat.pause(start + seconds(20));
            assert_eq!(beat.on_time(start + seconds(24)), Beat::Nothing);
            assert_eq!(
                beat.on_time(start + seconds(25)),
                Beat::Send(frame),
                "from the last beat, not the pause"
            );
            assert_eq!(beat.on_time(start + seconds(49)), Beat::Nothing);
            assert_eq!(beat.on_time(start + seconds(50)), Beat::Send(frame));
            beat.resume(start + seconds(70));
            assert_eq!(beat.on_time(start + seconds(74)), Beat::Nothing);
            let due = if revision == Revision::V3 { Beat::Send("2") } else { Beat::Nothing };
            assert_eq!(beat.on_time(start + seconds(75)), due);
        }
    }
}
