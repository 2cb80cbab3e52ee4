//! Complaint 23: what a callback of the host language throws kills the connection.

use std::{path::Path, process::Command};

use crate::support::*;

/// Every callback of the program raises; the events, the answers and the heartbeats go on.
#[test]
fn exceptions_in_python_callbacks_kill_nothing() {
    for generation in [2, 4] {
        let server = socketio(generation, &["--ping-interval", "200", "--ping-timeout", "5000"]);
        let mut line = Command::new("python3");
        line.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/raising_callbacks.py"));
        line.arg(target_dir().join("deps/libim_client.so")).arg(server.root());
        line.env_remove("LD_LIBRARY_PATH");
        let output = command(line, 100);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
        assert_eq!(stdout, "ok 100 events, 20 answers, 1 connection\n");
        assert_eq!(stderr.matches("RuntimeError: on purpose").count(), 120, "{stderr}");
    }
}
