//! Event loops that drive many clients from one thread: epoll in C, asyncio in Python.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::support::{command, im_server, socketio, target_dir, Server};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo has just built the library for these tests.
fn library() -> PathBuf {
    target_dir().join("deps/libim_client.so")
}

/// Runs a program to its end; gives its standard output.
fn run(mut line: Command) -> String {
    line.env_remove("LD_LIBRARY_PATH");
    let shown = format!("{line:?}");
    let output = command(line, 100);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && stderr.is_empty(), "{shown}\n{}\n{stdout}\n{stderr}", output.status);
    stdout
}

fn servers() -> [Server; 3] {
    [socketio(2, &[]), socketio(4, &[]), im_server(&[])]
}

#[test]
fn the_c_example_serves_all_its_users_in_one_thread() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["libim_client.so", "libim_client.so.0"] {
        std::os::unix::fs::symlink(library(), folder.path().join(name)).expect("a link can be made");
    }
    let (program, place) = (folder.path().join("event_loop"), folder.path().display());
    let mut compile = Command::new("cc");
    compile
        .args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program);
    compile.arg(root().join("examples/c/event_loop.c")).arg("-I").arg(root().join("include"));
    compile.arg(format!("-L{place}")).arg(format!("-Wl,-rpath,{place}")).arg("-lim_client");
    run(compile);
    for server in servers() {
        let mut line = Command::new(&program);
        line.arg(server.root()).arg("12");
        let shown = run(line);
        for user in 0..12 {
            let greeting = format!("\"content\":\"hi from {}\"", (user + 11) % 12);
            let own =
                |line: &&str| line.starts_with(&format!("user {user} got ")) && line.contains(&greeting);
            assert_eq!(shown.lines().filter(own).count(), 1, "{shown}");
        }
        assert!(shown.ends_with("12 users, 12 connected, 12 messages stored, 12 received\n"), "{shown}");
    }
}

#[test]
fn the_python_example_serves_all_its_users_in_one_thread() {
    for server in servers() {
        let mut line = Command::new("python3");
        line.arg(root().join("examples/python/event_loop.py"));
        line.env("PYTHONPATH", root().join("bindings/python/src")).env("IM_CLIENT_LIBRARY", library());
        line.args(["--root", &server.root(), "--users", "8"]);
        let shown = run(line);
        for user in 0..8 {
            assert!(shown.contains(&format!("user {user} got 'hi from {}'\n", (user + 7) % 8)), "{shown}");
        }
        assert!(shown.ends_with("8 users, 8 stored, 8 received, 1 thread\n"), "{shown}");
    }
}

/// No thread but the interpreter's own ever runs user code.
#[test]
fn python_runs_everything_on_its_own_thread() {
    for generation in [2, 4] {
        let server = socketio(generation, &[]);
        for case in ["many_clients_in_asyncio", "destroyed_in_a_callback", "shut_down"] {
            python_case(&server, case);
        }
    }
}

/// Measured without manual delivery: an interpreter that is going dies by a callback 30 times of 30.
#[test]
fn python_exits_with_live_clients() {
    let server = socketio(4, &[]);
    for _ in 0..10 {
        python_case(&server, "exit_with_live_clients");
    }
}

fn python_case(server: &Server, case: &str) {
    let mut line = Command::new("python3");
    line.arg(root().join("tests/python/manual_delivery.py")).arg(library()).args([&server.root(), case]);
    let shown = run(line);
    assert!(shown.starts_with(&format!("ok {case} ")), "{shown}");
}
