//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use crate::app::Config;
use crate::phone::Phone;

pub const HELP: &str = "\
im-server: the IM server that the im-client demo starts by itself, and a fixture for tests.
Serves Socket.IO 2.x (EIO=3) and 3.x/4.x (EIO=4) clients on one port. Not for production.

im-server [options]
  --host HOST            address to listen on (127.0.0.1)
  --port PORT            0: a free one (7001)
  --path PATH            HTTP path of Socket.IO (/ws)
  --data FILE            keep messages, groups and tokens in FILE; without it they are lost at the end
  --sso-timeout SECONDS  how long an sso socket may wait (60)
  --user ID:TOKEN        accept TOKEN for the user ID under --strict; repeatable
  --strict               accept only tokens of --user or issued by a QR login
                         (otherwise any token but `bad` and `expired`, 20001, and `relogin`, 401)
  --require-device-type  a chat client must send deviceType
  --exit-with-stdin      end when stdin closes
  --quiet                nothing on stderr

im-server phone --url URL --device-id ID --user ID [--fail]
  plays the phone that scans the QR code of the device: logs USER in there and prints the token;
  waits up to 3 seconds for the device to wait for it

im-server with COMMAND [ARGUMENT...]
  runs COMMAND beside a server on a free port, whose URL it has in IM_ROOT; ends with it, and with its exit code

Whoever writes to the user `echo` gets the same back.
When ready it prints {\"port\":PORT} on stdout. SIGTERM and SIGINT end it.
HTTP next to Socket.IO, JSON in and out, no password:
  POST /phone/qrlogin {device_id, user_id, fail?}
  POST /group {groupId, members, whoami, type: create|update|destroy}
  POST /sys {to?, payload}    POST /kick {userId}
  GET /messages    GET /stats    GET /healthz
";

#[derive(Debug)]
pub enum Command {
    Serve(Box<Config>),
    Phone(Phone),
    /// The command to run beside the server.
    With(Vec<OsString>),
    Help,
}

/// The error names the flag.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments = Arguments(arguments.into_iter().collect::<Vec<_>>().into_iter());
    let first = arguments.0.as_slice().first();
    if first.is_some_and(|first| first == "phone") {
        arguments.0.next();
        return phone(arguments);
    }
    if first.is_some_and(|first| first == "with") {
        let command: Vec<_> = arguments.0.skip(1).collect();
        return if command.is_empty() {
            Err("with: a command is missing".into())
        } else {
            Ok(Command::With(command))
        };
    }
    serve(arguments)
}

fn serve(mut arguments: Arguments) -> Result<Command, String> {
    let mut config = Config::default();
    while let Some(flag) = arguments.flag()? {
        match flag.as_str() {
            "--host" => config.host = arguments.text(&flag)?,
            "--port" => config.port = arguments.number(&flag)?,
            "--path" => {
                let path = arguments.text(&flag)?;
                if !path.starts_with('/') || path == "/" {
                    return Err(format!("{flag}: {path:?} must be `/` and a name"));
                }
                config.path = path.trim_end_matches('/').to_owned();
            }
            "--data" => config.data = Some(arguments.value(&flag)?.into()),
            "--sso-timeout" => {
                let seconds: f64 = arguments.number(&flag)?;
                config.sso_timeout = Duration::try_from_secs_f64(seconds)
                    .map_err(|error| format!("{flag}: {seconds}: {error}"))?;
            }
            "--user" => {
                let user = arguments.text(&flag)?;
                match user.split_once(':') {
                    Some((id, token)) if !id.is_empty() && !token.is_empty() => {
                        config.users.insert(id.to_owned(), token.to_owned());
                    }
                    // Not repeated in the error: it may hold a token.
                    _ => return Err(format!("{flag}: must be ID:TOKEN")),
                }
            }
            "--strict" => config.strict = true,
            "--require-device-type" => config.require_device_type = true,
            "--exit-with-stdin" => config.exit_with_stdin = true,
            "--quiet" => config.quiet = true,
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{flag}: unknown flag")),
        }
    }
    Ok(Command::Serve(Box::new(config)))
}

fn phone(mut arguments: Arguments) -> Result<Command, String> {
    let (mut url, mut device_id, mut user, mut fail) = (None, None, None, false);
    while let Some(flag) = arguments.flag()? {
        match flag.as_str() {
            "--url" => url = Some(arguments.text(&flag)?),
            "--device-id" => device_id = Some(arguments.text(&flag)?),
            "--user" => user = Some(arguments.text(&flag)?),
            "--fail" => fail = true,
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("{flag}: unknown flag of `phone`")),
        }
    }
    let missing = |flag: &str| format!("{flag}: `phone` needs it");
    Ok(Command::Phone(Phone {
        url: url.ok_or_else(|| missing("--url"))?,
        device_id: device_id.ok_or_else(|| missing("--device-id"))?,
        user: user.ok_or_else(|| missing("--user"))?,
        fail,
    }))
}

struct Arguments(std::vec::IntoIter<OsString>);

impl Arguments {
    fn flag(&mut self) -> Result<Option<String>, String> {
        let Some(flag) = self.0.next() else {
            return Ok(None);
        };
        flag.into_string().map(Some).map_err(|flag| format!("{}: unknown flag", flag.display()))
    }

    fn value(&mut self, flag: &str) -> Result<OsString, String> {
        self.0.next().ok_or_else(|| format!("{flag}: a value is missing"))
    }

    fn text(&mut self, flag: &str) -> Result<String, String> {
        let value = self.value(flag)?;
        value.into_string().map_err(|value| format!("{flag}: {} is not UTF-8", value.display()))
    }

    fn number<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, flag: &str) -> Result<T, String> {
        let text = self.text(flag)?;
        text.parse().map_err(|error| format!("{flag}: {text:?}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, Command};

    fn error(line: &str) -> String {
        parse(line.split_whitespace().map(Into::into)).unwrap_err()
    }

    #[test]
    fn errors_name_the_flag() {
        for (line, flag) in [
            ("--port x", "--port"),
            ("--port 70000", "--port"),
            ("--host", "--host"),
            ("--path ws", "--path"),
            ("--sso-timeout -1", "--sso-timeout"),
            ("--user 111", "--user"),
            ("--verbose", "--verbose"),
            ("serve", "serve"),
            ("phone --url u --user 1", "--device-id"),
            ("phone --port 1", "--port"),
            ("with", "with"),
        ] {
            assert!(error(line).starts_with(&format!("{flag}: ")), "{line}: {}", error(line));
        }
    }

    #[test]
    fn all_flags() {
        let line = "--host ::1 --port 0 --path /im/ --data f --sso-timeout 0.5 --user a:b:c --strict \
                    --require-device-type --exit-with-stdin --quiet";
        let Ok(Command::Serve(config)) = parse(line.split_whitespace().map(Into::into)) else {
            panic!("not parsed");
        };
        assert_eq!((config.host.as_str(), config.port), ("::1", 0));
        assert_eq!(config.path, "/im");
        assert_eq!(config.users["a"], "b:c");
        assert_eq!(config.sso_timeout.as_millis(), 500);
    }
}
