//! Plays the phone that scans the QR code: `POST /phone/qrlogin`, in hand-written HTTP, for one request is no reason to
//! carry an HTTP client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

const TIMEOUT: Duration = Duration::from_secs(10);
/// A code is shown, and scanned by a script, before its device has the server's attention: so long the phone tries again.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(50);
const NOBODY_WAITS: u16 = 404;

#[derive(Debug, PartialEq, Eq)]
pub struct Phone {
    pub url: String,
    pub device_id: String,
    pub user: String,
    pub fail: bool,
}

impl Phone {
    /// The token, or none after a login that was to fail. The error says what was tried and what came back.
    pub fn scan(&self) -> Result<Option<String>, String> {
        let body = json!({"device_id": self.device_id, "user_id": self.user, "fail": self.fail});
        let scan = || {
            post(&self.url, "/phone/qrlogin", &body.to_string())
                .map_err(|error| format!("{}: {error}", self.url))
        };
        let begun = Instant::now();
        let (mut status, mut answer) = scan()?;
        while status == NOBODY_WAITS && begun.elapsed() < PATIENCE {
            sleep(PAUSE);
            (status, answer) = scan()?;
        }
        let answer: Value = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
        if status != 200 {
            let error = answer["error"].as_str().map(str::to_owned);
            let error = error.unwrap_or_else(|| answer.to_string());
            return Err(format!("{}: {status}: {error}", self.url));
        }
        Ok(answer["token"].as_str().map(str::to_owned))
    }
}

fn post(url: &str, path: &str, body: &str) -> Result<(u16, String), String> {
    let authority =
        url.strip_prefix("http://").ok_or("the URL must begin with http://")?.trim_end_matches('/');
    let address = match authority.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => authority.to_owned(),
        _ => format!("{authority}:80"),
    };
    let exchange = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response)
    };
    let response = exchange().map_err(|error| error.to_string())?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or("the answer is not HTTP")?, body.to_owned()))
}
