//! The program. See `im-server --help`.
#![deny(unsafe_code)]

use std::io::{self, Read, Write};
use std::process::{ExitCode, ExitStatus};

use im_server::app::Config;
use im_server::cli::{self, Command};
use im_server::server::Server;
use im_server::with;

const BAD_USAGE: u8 = 2;

fn main() -> ExitCode {
    let result = match cli::parse(std::env::args_os().skip(1)) {
        Err(error) => {
            eprintln!("im-server: {error}\nim-server --help lists the flags");
            return ExitCode::from(BAD_USAGE);
        }
        Ok(Command::Help) => {
            print!("{}", cli::HELP);
            Ok(())
        }
        Ok(Command::Phone(phone)) => phone.scan().map(|token| match token {
            Some(token) => println!("{token}"),
            None => eprintln!("im-server: failure pushed, as told by --fail"),
        }),
        Ok(Command::With(command)) => match with::run(command) {
            Ok(status) => return ExitCode::from(exit_code(status)),
            Err(error) => Err(error.to_string()),
        },
        Ok(Command::Serve(config)) => serve(*config).map_err(|error| error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("im-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Of a command that a signal has ended it is 1.
fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// On one thread: see the crate's documentation for what depends on it.
#[tokio::main(flavor = "current_thread")]
async fn serve(config: Config) -> io::Result<()> {
    let with_stdin = config.exit_with_stdin;
    // Before "ready": whoever reads that line may send a signal at once.
    let signals = Signals::new()?;
    let server = Server::bind(config).await?;
    let mut out = io::stdout();
    // Nobody may be listening, and that is their choice.
    let _ = writeln!(out, "{{\"port\":{}}}", server.port()?).and_then(|()| out.flush());
    let stop = async {
        tokio::select! {
            () = signals.any() => (),
            () = stdin_closed(), if with_stdin => (),
        }
    };
    server.run(stop).await;
    Ok(())
}

/// A thread, because tokio's stdin would keep the runtime from ending.
async fn stdin_closed() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 1024];
        while matches!(io::stdin().read(&mut bytes), Ok(1..)) {}
        let _ = closed.send(());
    });
    let _ = wait.await;
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{signal, SignalKind};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn any(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn any(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
