//! Careless callers (tests/c/careless.c), as they are, under sanitizers and under valgrind; and what else runs under
//! ThreadSanitizer.

use std::{collections::BTreeSet, path::Path, process::Command, time::Instant};

use super::{
    c_programs::{
        folder, runs, sanitized, shows, under_address_sanitizer, under_valgrind, Build, BOTH, CARELESS,
        LIMIT, ONE,
    },
    support::{command, socketio, torture},
};

/// So many calls are two cases: eight threads make all of them, and then sixty-four on one client half as many.
fn careless(part: &str, how: &str, short: u64, shows: impl FnOnce(u64)) {
    let (start, each) = (Instant::now(), torture::scale(CARELESS, short));
    println!("IM_TORTURE_SEED={}", torture::scale("IM_TORTURE_SEED", 1));
    shows(each);
    let what = format!("threads that call anything with any handle{how}: every outcome and free function called once, nothing left");
    let tried = each / 8 * 8 + each / 2 / 64 * 64;
    torture::row(part, &what, (2 * tried, "calls"), 0, 0, start.elapsed());
}

#[test]
fn callers() {
    careless("careless", "", 12_000, |_| shows("careless", &BOTH, &[], &[]));
}

#[test]
fn callers_under_address_sanitizer() {
    careless("careless-asan", ", under AddressSanitizer", 12_000, |_| {
        under_address_sanitizer("careless", &BOTH)
    });
}

#[test]
fn callers_under_thread_sanitizer() {
    careless("careless-tsan", ", under ThreadSanitizer", 4_000, |calls| {
        under_thread_sanitizer("careless", &BOTH, calls, &[])
    });
}

#[test]
fn callers_under_valgrind() {
    careless("careless-valgrind", ", under valgrind", 600, |calls| under_valgrind("careless", &BOTH, calls));
}

/// A new function of the header can't be forgotten: the careless callers call every one.
#[test]
fn every_function_is_called() {
    let header = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/im_client.h"));
    let header = header.expect("the header is there");
    let code = header.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
    let functions: BTreeSet<&str> = code
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("im_"))
        .collect();
    let calls = std::fs::read_to_string(folder().join("careless_calls.h")).expect("it is there");
    let rows = calls.split("ROW(").skip(1).filter_map(|row| row.split_once(',')).map(|(name, _)| name);
    let called: BTreeSet<&str> = rows.filter(|name| name.starts_with("im_")).collect();
    assert_eq!(called, functions);
}

/// A program that was built with ThreadSanitizer, with a library that was too.
fn thread_sanitized(program: &Path, calls: u64) -> Command {
    // Where the kernel spreads addresses wider than this ThreadSanitizer knows.
    let mut line = Command::new("setarch");
    line.arg("-R").arg(program);
    // Threads that end after destroy_async are joined by the next client or im_shutdown, which a program may do without.
    line.env("TSAN_OPTIONS", "report_thread_leaks=0:halt_on_error=1:exitcode=9:second_deadlock_stack=1")
        .env(CARELESS, calls.to_string());
    line
}

const THREAD_SANITIZER: [&str; 2] =
    ["-fsanitize=thread", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/tsan.c")];

/// Runs a program with the library's own build with ThreadSanitizer: no race, and nothing is suppressed.
fn under_thread_sanitizer(name: &str, generations: &[u32], calls: u64, cases: &[&str]) {
    let build = Build::new(&sanitized("tsan"), &THREAD_SANITIZER);
    let program = build.program(name);
    runs(|| thread_sanitized(&program, calls), name, generations, &[], cases);
}

/// A race made on purpose: the library's thread and the host's write the same without a lock.
#[test]
fn thread_sanitizer_reports_a_race() {
    let build = Build::new(&sanitized("tsan"), &THREAD_SANITIZER);
    let program = build.program("race");
    let server = socketio(4, &[]);
    let mut line = thread_sanitized(&program, 0);
    line.arg(server.root()).env_remove("LD_LIBRARY_PATH");
    let output = command(line, LIMIT);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(9), "{text}");
    assert!(text.contains("WARNING: ThreadSanitizer: data race") && text.contains("race.c"), "{text}");
}

#[test]
fn every_end_of_a_client_under_thread_sanitizer() {
    let names = ["destroy", "off", "destroy_async", "once"];
    let count = if torture::is_torture() { names.len() } else { 2 };
    for name in &names[..count] {
        under_thread_sanitizer(name, &ONE, 0, &[]);
    }
}

/// Those that hold no time: ThreadSanitizer makes everything many times slower.
#[test]
fn threads_under_thread_sanitizer() {
    let cases = [
        "events_at_the_same_moment_do_not_wait_for_one_another",
        "user_code_never_runs_on_the_network_thread",
        "one_client_has_one_callback_at_a_time",
        "every_function_works_on_many_threads_at_once",
    ];
    under_thread_sanitizer("threads", &ONE, 0, &cases);
}
