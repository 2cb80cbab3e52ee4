//! The messages that the server sends: frames that are made once and written many at a time.

use std::io;

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::frames;

/// As the reference server sends it, 338 bytes.
const ENVELOPE: &str = include_str!("envelope.json");
const BATCH: usize = 64 * 1024;

/// One message, as often as a batch has room for it.
pub struct Messages {
    batch: Vec<u8>,
    length: usize,
}

impl Messages {
    pub fn usual() -> Self {
        Self::of(ENVELOPE.trim_end())
    }

    /// An argument of so many bytes.
    pub fn sized(bytes: usize) -> Self {
        let frame = r#"{"c":""}"#.len();
        Self::of(&format!(r#"{{"c":"{}"}}"#, "x".repeat(bytes.saturating_sub(frame))))
    }

    fn of(argument: &str) -> Self {
        let mut one = Vec::new();
        frames::push_text(&mut one, format!("42[\"c_message\",{argument}]").as_bytes());
        Messages { length: one.len(), batch: one.repeat((BATCH / one.len()).max(1)) }
    }

    pub async fn write(&self, stream: &mut TcpStream, count: u64) -> io::Result<()> {
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        while left > 0 {
            let now = left.min(self.batch.len() / self.length);
            stream.write_all(&self.batch[..now * self.length]).await?;
            left -= now;
        }
        Ok(())
    }
}
