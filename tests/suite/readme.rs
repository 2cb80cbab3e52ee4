//! The README shows nothing that was not compiled or run.

use std::{path::Path, process::Command};

use crate::{
    info::info_table,
    support::{command, socketio},
};

#[path = "../../src/im/event_table.rs"]
mod event_table;
#[path = "../../src/client/local_event_table.rs"]
pub mod local_event_table;
#[allow(dead_code)]
#[path = "../../src/client/option_table.rs"]
mod option_table;

/// `make test`, which runs this test, and what it runs at its end.
const RUN_AROUND_THIS_TEST: [&str; 3] = ["make demo", "make docs", "make test"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of the README: language and text.
fn blocks() -> Vec<(String, String)> {
    let readme = file("README.md");
    let mut parts = readme.split("```").skip(1);
    let mut blocks = Vec::new();
    while let Some(block) = parts.next() {
        let (language, text) = block.split_once('\n').expect("a block starts with its language");
        blocks.push((language.to_owned(), text.to_owned()));
        parts.next();
    }
    blocks
}

#[test]
fn every_command_runs() {
    let (own, other): (Vec<_>, Vec<_>) =
        blocks().into_iter().partition(|(language, _)| language == "sh" || language == "c");
    assert!(other.is_empty(), "blocks that nobody runs: {other:?}");
    let commands = own.iter().filter(|(language, _)| language == "sh").flat_map(|(_, text)| text.lines());
    let mut count = 0;
    for line in commands {
        if RUN_AROUND_THIS_TEST.contains(&line) {
            continue;
        }
        let mut shell = Command::new("bash");
        shell.current_dir(root()).args(["-euc", line]).env("CARGO_TARGET_DIR", "target");
        let output = command(shell, 900);
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        count += 1;
    }
    assert!(count >= 3, "the README shows {count} commands");
    for program in ["target/minimal", "target/minimal-static"] {
        says_hi(program);
    }
}

/// The smallest program, built as the README says, reaches a server.
fn says_hi(program: &str) {
    let server = socketio(4, &[]);
    let mut minimal = Command::new(root().join(program))
        .arg(server.root())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the program was built");
    let received = server.wait_received("to", 1);
    assert_eq!(received[0]["content"], "hi", "{program}");
    drop(minimal.stdin.take());
    assert!(minimal.wait().expect("it ends").success(), "{program}");
}

#[test]
fn the_smallest_program_is_the_one_in_examples() {
    let minimal = file("examples/c/minimal.c");
    assert!(blocks().contains(&("c".to_owned(), minimal)), "the README shows another program");
}

/// Whatever makes the pages (tools/docs/tables.py), they have every row of the library's tables.
#[test]
fn the_tables_are_those_of_the_library() {
    let has = |page: &str, row: String| {
        assert!(file(page).contains(&row), "{page} lacks the row\n{row}");
    };
    for (name, support, meaning) in option_table::OPTIONS {
        if let option_table::Support::Built(kind, default) = support {
            has("docs/reference/options.md", format!("| `{name}` | {kind} | {default} | {meaning} |"));
        }
    }
    for (constant, wire, meaning) in event_table::EVENTS {
        has("docs/reference/events.md", format!("| `IM_{constant}` | `{wire}` | {meaning} |"));
    }
    for (name, meaning) in info_table::INFO_FIELDS {
        has("docs/reference/info.md", format!("| `{name}` | {meaning} |"));
    }
    for (name, meaning) in local_event_table::LOCAL_EVENTS {
        let constant = format!("IM_EVENT_{}", name.to_uppercase());
        has("docs/reference/events.md", format!("| `{constant}` | `{name}` | {meaning} |"));
    }
}

/// What a page of this repository links to is there.
#[test]
fn every_link_of_the_readme_leads_somewhere() {
    let readme = file("README.md");
    let targets = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own: Vec<&str> = targets.filter(|target| !target.starts_with("http")).collect();
    assert!(own.len() > 20, "{own:?}");
    for target in own {
        let path = target.split('#').next().expect("a text has a beginning");
        assert!(root().join(path).exists(), "the README links to {target}");
    }
}
