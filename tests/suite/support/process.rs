//! Child processes that end with the test.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// A child process with a pipe to its standard input, whose end ends it.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    first_line: String,
}

impl Running {
    /// Starts a program that says it is ready by a first line on its standard output.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut first_line = String::new();
        stdout.read_line(&mut first_line).expect("the server says that it is ready");
        // Later output must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        assert!(!first_line.is_empty(), "{command:?} ended before it was ready");
        Running { child, stdin, first_line }
    }

    pub fn first_line(&self) -> &str {
        &self.first_line
    }

    /// Ends it as a crash would, and waits for its end.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("a killed child ends");
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let start = Instant::now();
        while start.elapsed().as_secs() < 3 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, within a limit of time; gives its output.
pub fn command(mut command: Command, seconds: u64) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdout = child.stdout.take().expect("it is piped");
    let mut stderr = child.stderr.take().expect("it is piped");
    let out = std::thread::spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).map(|_| text)
    });
    let err = std::thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).map(|_| text)
    });
    let start = Instant::now();
    let (status, in_time) = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break (status, true);
        }
        if start.elapsed().as_secs() >= seconds {
            let _ = child.kill();
            break (child.wait().expect("a killed child ends"), false);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let read = |thread: std::thread::JoinHandle<std::io::Result<Vec<u8>>>| {
        thread.join().expect("reading does not panic").expect("a pipe is readable")
    };
    let output = Output { status, stdout: read(out), stderr: read(err) };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        in_time,
        "{command:?} did not end within {seconds} s\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// Runs a test in a process of its own, where the network thread is its own too; `name` is the test's whole name. One at a time:
/// those that need it keep a core busy.
pub fn alone(name: &str, test: impl FnOnce()) {
    const ALONE: &str = "IM_TEST_ALONE";
    const LIMIT: u64 = 300;
    static TURN: Mutex<()> = Mutex::new(());
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut line = Command::new(std::env::current_exe().expect("the test knows where it is"));
    line.args(["--exact", name, "--nocapture"]).env(ALONE, "1");
    let output = command(line, LIMIT);
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success() && said[0].contains("1 passed"), "{name}: {}", said.concat());
}

/// The folder with the library that cargo built for these tests: `target/debug`.
pub fn target_dir() -> PathBuf {
    let own = std::env::current_exe().expect("the test knows where it is");
    own.ancestors().nth(2).map(Path::to_owned).expect("it lies in target/<profile>/deps")
}
