//! A running server, and a client that speaks raw WebSocket: what is on the wire is what is tested.
#![allow(dead_code)] // each test file uses its part

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{json, Value};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{client_async, WebSocketStream};

pub const PATIENCE: Duration = Duration::from_secs(10);
pub const GENERATIONS: [u8; 2] = [3, 4];

pub struct Server {
    pub child: Child,
    pub port: u16,
}

impl Server {
    pub fn start(flags: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_im-server"))
            .args(["--port", "0", "--exit-with-stdin", "--quiet"])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let port = ready["port"].as_u64().unwrap() as u16;
        Server { child, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.request("GET", path, "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, body) = self.request("POST", path, &body.to_string());
        (status, serde_json::from_str(&body).unwrap())
    }

    pub fn request(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Polls until the condition holds.
    pub async fn until(&self, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let value = self.get(path);
            if condition(&value) {
                return value;
            }
            assert!(tokio::time::Instant::now() < deadline, "{path} stayed {value}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it by closing its stdin.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Client {
    websocket: WebSocketStream<TcpStream>,
    namespace: &'static str,
    /// The JSON of the open packet.
    pub open: Value,
    /// What came after `40/namespace,`.
    pub connect_answer: String,
    events: VecDeque<(String, Value)>,
}

impl Client {
    /// Opens the transport and joins the namespace, in the way of the official client of the generation.
    pub async fn join(server: &Server, eio: u8, namespace: &'static str, query: &str) -> Client {
        let mut client = Client::open(server, eio, namespace, query).await;
        let connect = match eio {
            3 => format!("40{namespace}?{query},"),
            _ => format!("40{namespace},"),
        };
        client.send_packet(&connect).await;
        let accepted = format!("40{namespace},");
        loop {
            let packet = client.packet().await.expect("closed before CONNECT");
            if let Some(answer) = packet.strip_prefix(&accepted) {
                client.connect_answer = answer.to_owned();
                return client;
            }
            assert_eq!((packet.as_str(), eio), ("40", 3), "only 2.x joins the root unasked");
        }
    }

    pub async fn open(server: &Server, eio: u8, namespace: &'static str, query: &str) -> Client {
        let tcp = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        let port = server.port;
        let url = format!("ws://127.0.0.1:{port}/ws/?EIO={eio}&transport=websocket&{query}");
        let (websocket, _) = client_async(url, tcp).await.unwrap();
        let mut client = Client {
            websocket,
            namespace,
            open: Value::Null,
            connect_answer: String::new(),
            events: VecDeque::new(),
        };
        let open = client.packet().await.unwrap();
        client.open = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        client
    }

    pub async fn chat(server: &Server, eio: u8, user: &str) -> Client {
        let query = format!("token=a%20b&userId={user}");
        Client::join(server, eio, "/chat", &query).await
    }

    pub async fn mobile(server: &Server, eio: u8, user: &str) -> Client {
        let query = format!("token=t&userId={user}&deviceType=iphone");
        Client::join(server, eio, "/chat", &query).await
    }

    pub async fn send_packet(&mut self, packet: &str) {
        self.websocket.send(Message::text(packet)).await.unwrap();
    }

    pub async fn emit(&mut self, event: &str, argument: Value) {
        let packet = format!("42{},{}", self.namespace, json!([event, argument]));
        self.send_packet(&packet).await;
    }

    /// The next packet but pings, which are answered; None when the transport has closed.
    pub async fn packet(&mut self) -> Option<String> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.websocket.next()).await;
            let packet = match frame.expect("nothing came") {
                Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
                Some(Ok(Message::Close(_))) | Some(Err(_)) | None => return None,
                Some(Ok(_)) => continue,
            };
            match packet.as_str() {
                "2" => self.send_packet("3").await,
                // Engine.IO close.
                "1" => return None,
                _ => return Some(packet),
            }
        }
    }

    /// The next event of that name. Events that came before it stay for later.
    pub async fn next(&mut self, event: &str) -> Value {
        if let Some(at) = self.events.iter().position(|(name, _)| name == event) {
            return self.events.remove(at).unwrap().1;
        }
        loop {
            let packet = self.packet().await;
            let packet = packet.unwrap_or_else(|| panic!("closed before {event}"));
            let (name, envelope) = self.event(&packet);
            if name == event {
                return envelope;
            }
            self.events.push_back((name, envelope));
        }
    }

    fn event(&self, packet: &str) -> (String, Value) {
        let prefix = format!("42{},", self.namespace);
        let json = packet.strip_prefix(&prefix);
        let json = json.unwrap_or_else(|| panic!("not an event: {packet}"));
        let mut arguments: Vec<Value> = serde_json::from_str(json).unwrap();
        assert_eq!(arguments.len(), 2, "an envelope is one argument: {packet}");
        let envelope = arguments.pop().unwrap();
        assert!(envelope["meta"]["timestamp"].is_u64(), "{packet}");
        (arguments[0].as_str().unwrap().to_owned(), envelope)
    }

    /// Waits for `im_error`, the DISCONNECT and the end of the transport.
    pub async fn refused(&mut self) -> i64 {
        let envelope = self.next("im_error").await;
        assert_eq!(envelope["data"], json!({"action": "IMERROR", "payload": null}));
        self.disconnected().await;
        envelope["code"].as_i64().unwrap()
    }

    pub async fn disconnected(&mut self) {
        let bye = format!("41{},", self.namespace);
        loop {
            let packet = self.packet().await.expect("closed without DISCONNECT");
            if packet == bye {
                break;
            }
            self.event(&packet);
        }
        assert_eq!(self.packet().await, None, "the transport stays open");
    }

    /// True if no such event has come by the time the server has handled everything sent so far.
    pub async fn nothing(&mut self, event: &str) -> bool {
        self.emit("recent_conversation", Value::Null).await;
        self.next("recent_conversation").await;
        !self.events.iter().any(|(name, _)| name == event)
    }
}

pub fn message(from: &str, to: &str, fp: &str) -> Value {
    json!({"type": 1, "from": from, "to": to, "content": format!("text of {fp}"), "fp": fp, "typeu": 1, "time": 1})
}

pub fn payload(envelope: &Value) -> &Value {
    &envelope["data"]["payload"]
}
