//! Who is online, on which device.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use socketioxide::extract::SocketRef;
use socketioxide::socket::Sid;

/// One connection of each class is allowed to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Desktop,
    Mobile,
}

impl Device {
    /// `deviceType` is `desktop`, or a user agent.
    pub fn from_device_type(text: &str) -> Device {
        const MOBILE: [&str; 6] = ["mobile", "android", "iphone", "ipad", "ios", "harmony"];
        let text = text.to_ascii_lowercase();
        if MOBILE.iter().any(|word| text.contains(word)) {
            Device::Mobile
        } else {
            Device::Desktop
        }
    }
}

#[derive(Clone)]
pub struct Connection {
    pub user: String,
    pub device: Device,
    pub socket: SocketRef,
}

#[derive(Default)]
struct Online {
    /// By order of arrival.
    connections: BTreeMap<u64, Connection>,
    arrivals: u64,
}

#[derive(Default)]
pub struct Presence {
    online: Mutex<Online>,
}

impl Presence {
    fn online(&self) -> MutexGuard<'_, Online> {
        self.online.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Lets a connection in and returns the one it replaces, which no longer counts.
    pub fn arrive(&self, connection: Connection) -> Option<Connection> {
        let mut online = self.online();
        let replaced = online
            .connections
            .iter()
            .find(|(_, old)| old.user == connection.user && old.device == connection.device)
            .map(|(arrival, _)| *arrival);
        let replaced = replaced.and_then(|arrival| online.connections.remove(&arrival));
        online.arrivals += 1;
        let arrival = online.arrivals;
        online.connections.insert(arrival, connection);
        replaced
    }

    /// True if the user is offline now; false too if this connection had been replaced.
    pub fn depart(&self, socket: Sid) -> bool {
        let mut online = self.online();
        let found = online
            .connections
            .iter()
            .find(|(_, connection)| connection.socket.id == socket)
            .map(|(arrival, _)| *arrival);
        let Some(gone) = found.and_then(|arrival| online.connections.remove(&arrival)) else {
            return false;
        };
        !online.connections.values().any(|connection| connection.user == gone.user)
    }

    pub fn all(&self) -> Vec<Connection> {
        self.online().connections.values().cloned().collect()
    }

    pub fn of(&self, user: &str) -> Vec<Connection> {
        let mut connections = self.all();
        connections.retain(|connection| connection.user == user);
        connections
    }

    /// Users in the order of their arrival, each once.
    pub fn users(&self) -> Vec<String> {
        let mut users: Vec<String> = Vec::new();
        for connection in self.online().connections.values() {
            if !users.contains(&connection.user) {
                users.push(connection.user.clone());
            }
        }
        users
    }
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn device_classes() {
        let class = Device::from_device_type;
        assert_eq!(class("desktop"), Device::Desktop);
        assert_eq!(class("Mozilla/5.0 (X11; Linux x86_64)"), Device::Desktop);
        assert_eq!(class("Mozilla/5.0 (iPhone; CPU)"), Device::Mobile);
        assert_eq!(class("MOBILE"), Device::Mobile);
    }
}
