//! The servers of tests/servers and the embedded one, as child processes on free ports.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
};

use serde_json::Value;

use super::{ports, process::Running, target_dir, wait_for, wait_until};

pub struct Server {
    process: Running,
    ready: Value,
    pub port: u16,
    control_port: u16,
}

impl Server {
    /// A server on a port that no other test had, unless the flags name one.
    fn start(command: impl Fn() -> Command, flags: &[&str]) -> Self {
        loop {
            let server = Self::start_once(command());
            if ports::is_new(server.port) || flags.contains(&"--port") {
                return server;
            }
        }
    }

    fn start_once(command: Command) -> Self {
        let process = Running::start(command);
        let ready: Value = serde_json::from_str(process.first_line()).expect("the ready line is JSON");
        let port = |name: &str| ready[name].as_u64().and_then(|port| u16::try_from(port).ok());
        let own = port("port").expect("the ready line has a port");
        let control_port = port("controlPort").unwrap_or(own);
        Server { process, port: own, control_port, ready }
    }

    pub fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the server said when it was ready.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// An HTTP request to the server's control interface; gives the JSON of the answer.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.control_port)).expect("the control port listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("the request can be written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the answer is text");
        assert!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        let content = answer.split_once("\r\n\r\n").map(|(_, content)| content).unwrap_or_default();
        // A chunked answer has its lengths between; the JSON is what stands from its first to its last bracket.
        let start = content.find(['{', '[']).unwrap_or(0);
        let end = content.rfind(['}', ']']).map_or(content.len(), |end| end + 1);
        serde_json::from_str(&content[start..end]).unwrap_or(Value::Null)
    }

    pub fn post(&self, path: &str, body: Value) -> Value {
        self.request("POST", path, Some(&body))
    }

    pub fn get(&self, path: &str) -> Value {
        self.request("GET", path, None)
    }

    /// Waits until a client is connected and cuts its connection: `close`, or `reset` by TCP.
    pub fn drop_one(&self, how: &str) {
        wait_until("a connection to cut", || {
            self.post("/control/drop", serde_json::json!({ "how": how }))["dropped"] == 1
        });
    }

    /// The counters of a server of tests/servers.
    pub fn stats(&self) -> Value {
        self.get("/control/stats")
    }

    /// The Engine.IO sessions of a `socketio` server at this moment: `{sid, transport, upgraded, deflate, eio, sockets}`.
    pub fn connections(&self) -> Vec<Value> {
        self.get("/control/connections").as_array().cloned().expect("a list")
    }

    /// The events that the server received, by name, in their order: their first arguments.
    pub fn received(&self, name: &str) -> Vec<Value> {
        let stats = self.stats();
        let events = stats["events"].as_array().cloned().unwrap_or_default();
        let named = events.iter().filter(|event| event["name"] == name);
        named.map(|event| event["args"][0].clone()).collect()
    }

    /// Waits until the server has received so many events of a name.
    pub fn wait_received(&self, name: &str, count: usize) -> Vec<Value> {
        wait_for(&format!("{count} × {name} at the server"), || {
            let received = self.received(name);
            (received.len() >= count).then_some(received)
        })
    }
}

pub(super) fn node(script: &str, flags: &[&str]) -> Server {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers");
    assert!(folder.join("node_modules").is_dir(), "the servers are not installed: make servers");
    let command = || {
        let mut command = Command::new("node");
        command.current_dir(&folder).arg(script).args(flags);
        command
    };
    Server::start(command, flags)
}

/// `socket.io` 2.5 (generation 2) or 4.8 (generation 4) from npm.
pub fn socketio(generation: u32, flags: &[&str]) -> Server {
    let generation = generation.to_string();
    node("socketio.js", &[&["--generation", &generation], flags].concat())
}

/// `egg` with `egg-socket.io` 4.1.6 from npm: the server that the reference SDK was written for.
pub fn egg(flags: &[&str]) -> Server {
    node("egg.js", flags)
}

/// The official client of a generation from npm, which says `hello` in a namespace and acknowledges with what it is asked;
/// ready when it is connected.
pub fn official_client(generation: u32, root: &str, flags: &[&str]) -> Running {
    let (folder, generation) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers"), generation.to_string());
    let mut command = Command::new("node");
    command.current_dir(folder).args(["client.js", "--generation", &generation, "--root", root]).args(flags);
    Running::start(command)
}

/// The project's own examples/im-server.
pub fn im_server(flags: &[&str]) -> Server {
    let command = || {
        let mut command = Command::new(target_dir().join("im-server"));
        command.args(["--port", "0", "--exit-with-stdin"]).args(flags);
        command
    };
    Server::start(command, flags)
}
