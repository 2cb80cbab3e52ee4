//! The promises of the ABI, shown in C: each program of tests/c is compiled against the header and the shared library, and run
//! against the official servers. Every program prints a line `ok <program>: <case>` per case.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::support::{command, socketio, target_dir};

/// How long a program may take; each ends much sooner.
const LIMIT: u64 = 150;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c")
}

/// What is needed to link against a build of the library, gone with the test.
struct Build {
    place: tempfile::TempDir,
    flags: &'static [&'static str],
}

impl Build {
    /// `library` is the folder of libim_client.so; the program finds it under its SONAME.
    fn new(library: &Path, flags: &'static [&'static str]) -> Self {
        let place = tempfile::tempdir().expect("a temporary folder");
        let library = library.join("libim_client.so");
        assert!(library.is_file(), "{} is not there", library.display());
        for name in ["libim_client.so", "libim_client.so.0"] {
            std::os::unix::fs::symlink(&library, place.path().join(name)).expect("a link can be made");
        }
        Build { place, flags }
    }

    /// Compiles a program of tests/c without a warning.
    fn program(&self, name: &str) -> PathBuf {
        let (output, place) = (self.place.path().join(name), self.place.path());
        let mut compile = Command::new("cc");
        compile.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-pthread"]).args(self.flags);
        compile.arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"));
        compile.arg(folder().join(name).with_extension("c")).arg("-o").arg(&output);
        compile.arg("-L").arg(place).arg("-lim_client").arg(format!("-Wl,-rpath,{}", place.display()));
        run(compile);
        output
    }
}

/// Runs a command to its end; shows all its output where it fails.
fn run(command_line: Command) -> String {
    let shown = format!("{command_line:?}");
    let output = command(command_line, LIMIT);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}\n{}\n{stdout}\n{stderr}", output.status);
    stdout.into_owned()
}

/// Compiles a program and runs some of its cases, or all, against a server of each generation.
fn shows(name: &str, generations: &[u32], flags: &[&str], cases: &[&str]) {
    let build = Build::new(&target_dir(), &[]);
    let program = build.program(name);
    for generation in generations {
        let server = socketio(*generation, flags);
        let mut promised = Command::new(&program);
        promised.arg(server.root()).args(cases);
        let output = run(promised);
        let passed = output.lines().filter(|line| line.starts_with(&format!("ok {name}: "))).count();
        assert!(passed > 0 && passed >= cases.len(), "{name}: only these passed:\n{output}");
    }
}

/// `name: program, generations, flags of the server, cases;`
macro_rules! programs {
    ($($test:ident: $program:literal, $generations:expr, $flags:expr, $cases:expr;)+) => {
        $(
            #[test]
            fn $test() {
                shows($program, &$generations, &$flags, &$cases);
            }
        )+
    };
}

const BOTH: [u32; 2] = [2, 4];
const QUICK_BEATS: [&str; 4] = ["--ping-interval", "200", "--ping-timeout", "300"];
/// As by default, the timeout is the shorter of the two.
const SHORT_TIMEOUT: [&str; 4] = ["--ping-interval", "1000", "--ping-timeout", "300"];

programs! {
    threads: "threads", BOTH, QUICK_BEATS, [];
}
