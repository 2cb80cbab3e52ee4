//! The promises of the ABI, shown in C: each program of tests/c is compiled against the header and the shared library, and run
//! against the official servers. Every program prints a line `ok <program>: <case>` per case.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Instant, SystemTime},
};

use super::support::{command, socketio, target_dir, torture};

/// How long a program may take; each ends much sooner.
pub const LIMIT: u64 = 150;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c")
}

/// What is needed to link against a build of the library, gone with the test.
pub struct Build {
    place: tempfile::TempDir,
    flags: &'static [&'static str],
}

impl Build {
    /// `library` is the folder of libim_client.so; the program finds it under its SONAME.
    pub fn new(library: &Path, flags: &'static [&'static str]) -> Self {
        let place = tempfile::tempdir().expect("a temporary folder");
        let library = library.join("libim_client.so");
        assert!(library.is_file(), "{} is not there", library.display());
        for name in ["libim_client.so", "libim_client.so.0"] {
            std::os::unix::fs::symlink(&library, place.path().join(name)).expect("a link can be made");
        }
        Build { place, flags }
    }

    /// Compiles a program of tests/c without a warning.
    pub fn program(&self, name: &str) -> PathBuf {
        let (output, place) = (self.place.path().join(name), self.place.path());
        let mut compile = Command::new("cc");
        compile.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-pthread"]).args(self.flags);
        compile.arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"));
        // A program may put a function of its own in the place of the system's.
        compile.arg("-rdynamic");
        compile.arg(folder().join(name).with_extension("c")).arg("-o").arg(&output);
        // One of them is not linked with the library: it loads it.
        compile.arg("-L").arg(place).args(["-Wl,--as-needed", "-lim_client"]);
        compile.arg(format!("-Wl,-rpath,{}", place.display()));
        run(compile);
        output
    }
}

/// Runs a command to its end; shows all its output where it fails.
fn run(mut command_line: Command) -> String {
    // cargo puts its own folders in front of the program's: not the library that the program was linked with.
    command_line.env_remove("LD_LIBRARY_PATH");
    let shown = format!("{command_line:?}");
    let output =
        command(command_line, LIMIT + torture::scale(LIVES, 0) / 10 + torture::scale(CARELESS, 0) / 1000);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{shown}\n{}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// The cases of a program, as they stand in its source.
pub fn cases_of(name: &str) -> Vec<String> {
    let source = std::fs::read_to_string(folder().join(name).with_extension("c")).expect("it is there");
    let named = source.split("CASE(").skip(1).filter_map(|rest| rest.split_once(')'));
    named.map(|(case, _)| case.to_owned()).filter(|case| case != "function").collect()
}

/// Runs some cases of a compiled program, or all, against a server of each generation: each says that it is ok.
pub fn runs(
    mut program: impl FnMut() -> Command,
    name: &str,
    generations: &[u32],
    flags: &[&str],
    cases: &[&str],
) {
    let known = cases_of(name);
    let wanted: Vec<&str> = match cases {
        [] => known.iter().map(String::as_str).collect(),
        some => some.to_vec(),
    };
    assert!(!wanted.is_empty(), "{name} has no case");
    for generation in generations {
        let server = socketio(*generation, flags);
        let mut line = program();
        line.arg(server.root()).args(cases);
        let output = run(line);
        let passed: Vec<&str> =
            output.lines().filter_map(|line| line.strip_prefix(&format!("ok {name}: "))).collect();
        assert_eq!(passed, wanted, "{name} against Socket.IO {generation}:\n{output}");
    }
}

/// Where cargo has just built the library for these tests.
pub fn library() -> PathBuf {
    target_dir().join("deps")
}

/// Compiles a program and runs some of its cases, or all, against a server of each generation.
pub fn shows(name: &str, generations: &[u32], flags: &[&str], cases: &[&str]) {
    let build = Build::new(&library(), &[]);
    let program = build.program(name);
    runs(|| Command::new(&program), name, generations, flags, cases);
}

/// `test: program, generations, flags of the server, cases (none: all);`
macro_rules! programs {
    ($($test:ident: $program:literal, $generations:expr, $flags:expr, $cases:expr;)+) => {
        $(
            #[test]
            fn $test() {
                shows($program, &$generations, &$flags, &$cases);
            }
        )+

        /// Programs and their cases that are run; an empty list is all.
        pub const ALL: &[(&str, &[&str])] = &[$(($program, &$cases)),+];
    };
}

pub const BOTH: [u32; 2] = [2, 4];
/// For what never reaches the wire.
pub const ONE: [u32; 1] = [4];
/// The link is lost after a second without a beat. Shorter, and a busy machine would lose it by itself.
const QUICK_BEATS: [&str; 4] = ["--ping-interval", "300", "--ping-timeout", "700"];
/// As by default, the timeout is the shorter of the two.
const SHORT_TIMEOUT: [&str; 4] = ["--ping-interval", "2000", "--ping-timeout", "1000"];
const LATE_CONNECT: [&str; 2] = ["--connect-delay", "300"];

programs! {
    promise_1_threads: "threads", BOTH, [], [
        "events_at_the_same_moment_do_not_wait_for_one_another",
        "calls_due_at_the_same_moment_do_not_wait_for_one_another",
        "user_code_never_runs_on_the_network_thread",
        "one_client_has_one_callback_at_a_time",
        "at_most_16_threads_and_idle_ones_end",
        "three_threads_are_enough_where_nothing_blocks",
        "every_function_works_on_many_threads_at_once",
    ];
    promise_1_heartbeats: "threads", BOTH, QUICK_BEATS, [
        "a_blocked_callback_delays_no_heartbeat_and_no_other_client",
    ];
    promise_2_reentrancy: "reentrancy", BOTH, [], [];
    promise_3_destroy: "destroy", BOTH, [], [];
    promise_3_destroy_async: "destroy_async", BOTH, [], [];
    promise_4_off: "off", BOTH, [], [];
    promise_5_once: "once", BOTH, [], [];
    promise_6_early: "early", BOTH, [], [];
    promise_7_order: "order", BOTH, LATE_CONNECT, [];
    promise_8_bounded: "bounded", BOTH, [], [
        "a_full_send_queue_refuses_and_keeps_what_it_took",
        "a_full_receive_queue_pauses_and_drops_nothing",
        "after_max_pause_it_disconnects_and_comes_back",
        "closing_and_destroying_work_while_reading_is_paused",
    ];
    promise_8_a_long_pause: "bounded", BOTH, QUICK_BEATS, ["the_link_survives_a_pause"];
    promise_8_beats_in_a_pause: "bounded", BOTH, SHORT_TIMEOUT, [
        "the_link_survives_a_pause_that_begins_between_two_beats",
        "the_link_survives_the_end_of_a_pause_between_two_beats",
    ];
    promise_10_fork: "fork", BOTH, [], [];
    promise_11_exit: "exit", BOTH, [], [];
    promise_11_shutdown: "shutdown", BOTH, [], [];
    promise_12_strings: "strings", BOTH, [], [];
    promise_12_handles: "handles", ONE, [], [];
    promise_14_secrets: "secrets", BOTH, [], [];
    secrets_are_wiped: "wiped", BOTH, [], [];
    pull: "pull", BOTH, [], [];
    dispatch: "dispatch", BOTH, [], [];
    polled_events: "polled", BOTH, [], [];
    manual_end: "manual_end", BOTH, [], [];
    the_end_of_a_thread: "thread_end", BOTH, [], [];
    wake: "wake", BOTH, [], [];
    wake_descriptor: "wake_fd", BOTH, [], [];
    the_log: "log", ONE, [], [];
    replies: "reply", BOTH, [], [];
    binary_in_c: "binary", BOTH, [], [];
    a_sleeping_machine: "sleep", ONE, [], [];
    the_store: "store", BOTH, [], [];
    many_reconnects: "reconnects", BOTH, [], [];
    careless_fork_and_exit: "careless_ends", BOTH, [], [];
    load_and_unload: "unload", BOTH, [], [];
}

/// A program of the list that names cases names them all.
#[test]
fn every_case_is_run() {
    for (name, cases) in ALL.iter().filter(|(_, cases)| !cases.is_empty()) {
        for case in cases_of(name) {
            let listed = ALL.iter().any(|(other, cases)| other == name && cases.contains(&case.as_str()));
            assert!(listed, "nobody runs {case} of {name}, which lists {cases:?}");
        }
    }
}

/// How many lives of a client `make torture` wants.
const LIVES: &str = "IM_TORTURE_CYCLES";

#[test]
fn cycles() {
    let (start, each) = (Instant::now(), torture::scale(LIVES, 200));
    shows("cycles", &BOTH, &[], &[]);
    let what =
        "clients made, connected, used and destroyed: threads, descriptors and memory back where they were";
    torture::passed("cycles", what, (2 * each, "lives"), start.elapsed());
}

/// How many calls of careless threads `make torture` wants.
pub const CARELESS: &str = "IM_TORTURE_CALLS";

/// 200 lives of a client leave no memory behind and touch none that is not theirs.
#[test]
fn cycles_under_valgrind() {
    under_valgrind("cycles", &BOTH, 0);
}

/// The programs about manual delivery.
const MANUAL: [&str; 6] = ["pull", "polled", "dispatch", "manual_end", "wake", "wake_fd"];

/// What was taken is given back, whoever took it and however the client ended.
#[test]
fn manual_delivery_under_valgrind() {
    for name in MANUAL {
        under_valgrind(name, &ONE, 0);
    }
}

pub fn under_valgrind(name: &str, generations: &[u32], calls: u64) {
    let build = Build::new(&library(), &[]);
    let program = build.program(name);
    let valgrind = || {
        let mut line = Command::new("valgrind");
        line.args(["--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite,possible"]);
        line.args(["--error-exitcode=9", "--fair-sched=yes"]);
        line.arg(format!("--suppressions={}", folder().join("valgrind.supp").display())).arg(&program);
        line.env(CARELESS, calls.to_string());
        line
    };
    runs(valgrind, name, generations, &[], &[]);
}

fn changed(file: &Path) -> SystemTime {
    let metadata = file.metadata().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    metadata.modified().expect("the system knows when")
}

/// When the last of the library's sources was changed.
fn last_change(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).expect("the sources are there");
    let times = entries.map(|entry| {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            last_change(&path)
        } else {
            changed(&path)
        }
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The folder of the library's own build with a sanitizer, made by `tools/build_<name>.sh` after the last change.
pub fn sanitized(name: &str) -> PathBuf {
    let target = target_dir();
    let library = target.parent().expect("target/debug lies in target").join(name);
    let library = library.join("x86_64-unknown-linux-gnu/debug");
    let file = library.join("libim_client.so");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert!(
        file.is_file() && changed(&file) >= last_change(&sources),
        "{} is not there, or older than the sources: run tools/build_{name}.sh",
        file.display()
    );
    library
}

/// Runs a program with the library's own build with AddressSanitizer, which also looks for leaks at the end.
pub fn under_address_sanitizer(name: &str, generations: &[u32]) {
    let build = Build::new(&sanitized("asan"), &["-fsanitize=address", "-fno-omit-frame-pointer"]);
    let program = build.program(name);
    let sanitized = || {
        let mut line = Command::new(&program);
        line.env("ASAN_OPTIONS", "detect_leaks=1:halt_on_error=1:exitcode=9");
        line
    };
    runs(sanitized, name, generations, &[], &[]);
}

#[test]
fn cycles_under_address_sanitizer() {
    under_address_sanitizer("cycles", &BOTH);
}

#[test]
fn every_end_of_a_client_under_address_sanitizer() {
    under_address_sanitizer("destroy", &ONE);
    under_address_sanitizer("destroy_async", &ONE);
}

#[test]
fn manual_delivery_under_address_sanitizer() {
    for name in MANUAL {
        under_address_sanitizer(name, &ONE);
    }
}

#[test]
fn every_end_of_a_callback_under_address_sanitizer() {
    under_address_sanitizer("off", &ONE);
    under_address_sanitizer("once", &ONE);
    under_address_sanitizer("reply", &ONE);
    under_address_sanitizer("binary", &ONE);
}
