//! One client for servers and clients that nobody here wrote: the C program of four calls on three servers, and the crate
//! `rust_socketio` on the other side of a Socket.IO 4.8 server.

use std::{
    ffi::CStr,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use ::im_client::*;
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::support::{
    c, command, egg, last_error, outcome, socketio, target_dir, wait_for, wait_until, Outcomes, Server,
    TestClient,
};

/// A child process of which the test reads and writes lines.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Program {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let collected = lines.clone();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                collected.lock().expect("nobody panics with it").push(line);
            }
        });
        Program { stdin: child.stdin.take(), child, lines }
    }

    fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it is open");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("the program reads");
    }

    /// Waits for a line.
    fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        wait_for(&format!("the line {what}; came: {:?}", self.lines()), || {
            self.lines().into_iter().find(|line| holds(line))
        })
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics with it").clone()
    }

    /// Ends the program's input and waits for its end.
    fn end(&mut self) -> ExitStatus {
        drop(self.stdin.take());
        wait_for("the end of the program", || self.child.try_wait().expect("a child can be waited for"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A user of a chat whose server may be any.
fn user(server: &Server, id: &str) -> TestClient {
    TestClient::chat(&server.root(), id)
}

fn message(from: &str, to: &str, content: &str) -> Value {
    json!({ "type": 1, "from": from, "to": to, "content": content })
}

// The C program of four calls.

/// Compiles examples/c/minimal.c against the header and the shared library, as a user of an installed library would.
fn compile_minimal(dir: &TempDir) -> PathBuf {
    let (program, library) = (dir.path().join("minimal"), target_dir().join("libim_client.so"));
    // An installed library has the name that programs look for.
    std::os::unix::fs::symlink(library, dir.path().join("libim_client.so.0"))
        .expect("a new folder is writable");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(root_dir().join("examples/c/minimal.c"))
        .arg("-I")
        .arg(root_dir().join("include"))
        .arg("-L")
        .arg(target_dir())
        .arg(format!("-Wl,-rpath,{}", dir.path().display()))
        .arg("-lim_client");
    let output = command(compiler, 60);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// The program (user 111) says hi to user 222, is answered, and prints the answer.
fn the_c_program_chats_through(server: &Server) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut minimal = Command::new(compile_minimal(&dir));
    let other = user(server, "222");
    minimal.arg(server.root());
    let mut minimal = Program::start(minimal);
    let said = other.wait("c_message").json["data"]["payload"].clone();
    assert_eq!((&said["content"], &said["from"]), (&json!("hi"), &json!("111")));
    let outcomes = Outcomes::default();
    other.send_message(&message("222", "111", "hello 😀"), 0, &outcomes);
    assert_eq!(outcome(&outcomes).0, 0);
    // Its receipt says that its callback has returned; ours was the first.
    server.wait_received("c_message_ack", 2);
    minimal.say("");
    assert!(minimal.end().success());
    let line = minimal.wait("with the answer", |line| line.starts_with("c_message "));
    let printed: Value = serde_json::from_str(&line["c_message ".len()..]).expect("JSON");
    assert_eq!(printed["data"]["payload"]["content"], "hello 😀");
}

#[test]
fn the_c_program_of_four_calls_chats_through_socket_io_2() {
    the_c_program_chats_through(&socketio(2, &[]));
}

#[test]
fn the_c_program_of_four_calls_chats_through_socket_io_4() {
    the_c_program_chats_through(&socketio(4, &[]));
}

/// This server drops a message without `typeu` silently, so the program sends it.
#[test]
fn the_c_program_of_four_calls_chats_through_egg() {
    the_c_program_chats_through(&egg(&[]));
}

// The peer.

/// The crate `rust_socketio` as a user of the chat, connected.
fn peer(server: &Server, id: &str) -> Program {
    let program = target_dir().join("peer");
    assert!(program.is_file(), "the peer is not built: cargo build -p peer");
    let mut command = Command::new(program);
    command.arg(format!("{}/?token=t&userId={id}", server.root())).arg("/chat");
    let peer = Program::start(command);
    peer.wait("connect", |line| line == r#"["connect"]"#);
    peer
}

/// What has to pass through unchanged: JSON texts of which JavaScript and Rust write the same bytes.
const TEXTS: [&str; 15] = [
    r#""ä€中""#,
    r#""😀👩‍👩‍👧 𝕏""#,
    r#""quote \" backslash \\ slash /""#,
    r#""\n\r\t\b\f""#,
    "\"\\u0000\\u001e\u{7f}\"",
    "\"\u{2028}\u{2029}\"",
    r#""""#,
    r#""42[\"c\",1]""#,
    "[0,-1,0.1,-2.5]",
    "[9007199254740991,-9007199254740991]",
    "1.5e-7",
    "[true,false,null]",
    "[]",
    "{}",
    r#"{"a":{"ключ":[{"":"x"}]},"b":[[],{}]}"#,
];

/// Numbers that the two write in different ways.
const NUMBERS: [&str; 5] = ["1e308", "5e-324", "1e21", "1e-9", "-0.0"];

/// Lets the server say an event to everybody in the namespace: its name and its arguments.
fn emit_args(client: &TestClient, args: &str) {
    let event = "tell_all";
    // SAFETY: both have their lengths.
    let sent = unsafe {
        im_client_emit_args(
            client.handle,
            event.as_ptr().cast(),
            event.len(),
            args.as_ptr().cast(),
            args.len(),
            std::ptr::null(),
            0,
            0,
        )
    };
    assert_eq!(sent, 0, "{}", last_error());
}

/// The arguments of an event's occurrences, as the very text that a callback gets.
fn texts(client: &TestClient, event: &str) -> Arc<Mutex<Vec<String>>> {
    unsafe extern "C" fn keep(event: *const im_event, texts: *mut std::ffi::c_void) {
        // SAFETY: the event and its strings live through the callback, the list until `free`.
        let (text, texts) = unsafe { (CStr::from_ptr((*event).json), &*texts.cast::<Mutex<Vec<String>>>()) };
        texts.lock().expect("nobody panics with it").push(text.to_str().expect("UTF-8").to_owned());
    }
    unsafe extern "C" fn free(texts: *mut std::ffi::c_void) {
        // SAFETY: made by `Arc::into_raw` below.
        drop(unsafe { Arc::from_raw(texts.cast::<Mutex<Vec<String>>>()) });
    }
    let texts: Arc<Mutex<Vec<String>>> = Arc::default();
    let data = Arc::into_raw(texts.clone()).cast_mut().cast();
    // SAFETY: `keep` and `free` take this pointer.
    let id =
        unsafe { im_client_subscribe(client.handle, c(event).as_ptr(), 0, Some(keep), data, Some(free)) };
    assert!(id > 0, "{}", last_error());
    texts
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

#[test]
fn what_we_emit_reaches_the_peer_byte_for_byte() {
    let server = socketio(4, &[]);
    let (ann, peer) = (user(&server, "ann"), peer(&server, "peer"));
    for text in TEXTS {
        emit_args(&ann, &format!(r#"["peer_hello",{text}]"#));
    }
    let expected: Vec<String> = TEXTS.iter().map(|text| format!(r#"["peer_hello",{text}]"#)).collect();
    wait_until("all events", || peer.lines().len() > TEXTS.len());
    assert_eq!(peer.lines()[1..], expected);
}

#[test]
fn what_the_peer_emits_reaches_us_byte_for_byte() {
    let server = socketio(4, &[]);
    let (ann, mut peer) = (user(&server, "ann"), peer(&server, "peer"));
    let heard = texts(&ann, "peer_hello");
    for text in TEXTS {
        peer.say(&format!(r#"["tell_all","peer_hello",{text}]"#));
    }
    let heard = || heard.lock().expect("nobody panics with it").clone();
    wait_until("all events", || heard().len() == TEXTS.len());
    assert_eq!(heard(), TEXTS);
}

#[test]
fn numbers_keep_their_value_both_ways() {
    let server = socketio(4, &[]);
    let (ann, mut peer) = (user(&server, "ann"), peer(&server, "peer"));
    let heard = texts(&ann, "from_peer");
    for text in NUMBERS {
        emit_args(&ann, &format!(r#"["from_us",{text}]"#));
        peer.say(&format!(r#"["tell_all","from_peer",{text}]"#));
    }
    let told = || -> Vec<f64> {
        let lines = peer.lines();
        let texts = lines.iter().filter_map(|line| line.strip_prefix(r#"["from_us","#)?.strip_suffix(']'));
        texts.map(number).collect()
    };
    let heard = || -> Vec<f64> {
        heard.lock().expect("nobody panics with it").iter().map(|text| number(text)).collect()
    };
    wait_until("all numbers", || told().len() == NUMBERS.len() && heard().len() == NUMBERS.len());
    let expected = NUMBERS.map(number);
    assert_eq!(told(), expected);
    assert_eq!(heard(), expected);
}

#[test]
fn the_peer_and_we_chat() {
    let server = socketio(4, &[]);
    let (ann, mut peer) = (user(&server, "ann"), peer(&server, "bob"));
    let outcomes = Outcomes::default();
    ann.send_message(&message("ann", "bob", "hi 😀"), 0, &outcomes);
    let line = peer.wait("c_message", |line| line.starts_with(r#"["c_message","#));
    let received: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(received[1]["data"]["payload"]["content"], "hi 😀");
    assert_eq!(outcome(&outcomes).0, 0);
    peer.say(&json!(["to", message("bob", "ann", "hi \"ann\"")]).to_string());
    assert_eq!(ann.wait("c_message").json["data"]["payload"]["content"], "hi \"ann\"");
    peer.wait("to_ack", |line| line.starts_with(r#"["to_ack","#));
}

#[test]
fn the_server_relays_between_us_and_the_peer() {
    let server = socketio(4, &[]);
    let (ann, mut peer) = (user(&server, "ann"), peer(&server, "peer"));
    let id = ann.info()["socketId"].as_str().expect("it is connected").to_owned();
    peer.say(&json!(["relay", id, "question", { "ask": "who are you?" }]).to_string());
    assert_eq!(ann.wait("question").json, json!({ "ask": "who are you?" }));
    // The peer takes an event without an argument for something else.
    emit_args(&ann, r#"["answer","ann"]"#);
    peer.wait("answer", |line| line == r#"["answer","ann"]"#);
}

// What the product is built of.

fn cargo(args: &[&str]) -> String {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root_dir()).args(args).arg("--offline");
    let output = command(cargo, 120);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_products_build_never_sees_openssl() {
    let tree = |package: &str| {
        cargo(&["tree", "-p", package, "-e", "normal,build", "--prefix", "none", "-f", "{p}"])
    };
    let foreign = |tree: &str| {
        let names = tree.lines().filter_map(|line| line.split(' ').next());
        names.filter(|name| name.starts_with("openssl-sys") || *name == "native-tls").count()
    };
    let own = tree("im-client");
    assert!(own.contains("rustls v"), "{own}");
    assert_eq!(foreign(&own), 0, "{own}");
    assert!(foreign(&tree("peer")) > 0, "this test would not see it");
}

#[test]
fn a_plain_build_builds_the_product_alone() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let default = metadata["workspace_default_members"].as_array().expect("a list");
    assert_eq!(default.len(), 1, "{default:?}");
    assert!(default[0].as_str().is_some_and(|id| id.contains("im-client")), "{default:?}");
}
