//! `im-server with COMMAND`: a server for as long as a command runs, for a first try of a client and for scripts.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;

use tokio::sync::oneshot;

use crate::app::Config;
use crate::server::Server;

/// The variable in which the command finds the URL of its server.
pub const ROOT_VARIABLE: &str = "IM_ROOT";

/// Serves on a free port until the command has ended.
#[tokio::main(flavor = "current_thread")]
pub async fn run(command: Vec<OsString>) -> io::Result<ExitStatus> {
    let server = Server::bind(Config { port: 0, quiet: true, ..Config::default() }).await?;
    let root = format!("http://127.0.0.1:{}", server.port()?);
    let mut child = std::process::Command::new(&command[0])
        .args(&command[1..])
        .env(ROOT_VARIABLE, root)
        .spawn()
        .map_err(|error| io::Error::other(format!("with {}: {error}", command[0].display())))?;
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || ended.send(child.wait()));
    let mut status = None;
    server.run(async { status = end.await.ok() }).await;
    status.unwrap_or_else(|| Err(io::Error::other("nobody waited for the command")))
}
