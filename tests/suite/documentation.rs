//! The tables of docs/: every test that they name exists and is run, and no feature or complaint goes without one.

use std::{collections::BTreeSet, path::Path, process::Command};

use crate::{
    c_programs::{cases_of, ALL},
    readme::local_event_table::LOCAL_EVENTS,
    support::command,
};

/// The clients that the table of features compares, in its columns.
const CLIENTS: [&str; 8] = ["feature", "ours", "JS 2.5", "JS 4.8", "C++", "Swift", "Java", "Python"];

/// What we do not have; the table says why.
const NOT_OURS: [&str; 2] = ["WebTransport", "permessage-deflate"];

/// So many complaints are in the reference notes.
const COMPLAINTS: usize = 23;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The tests of this binary, as `cargo test --test suite -- --list` has them; none is ignored.
fn of_the_suite() -> BTreeSet<String> {
    let list = |more: &[&str]| {
        let mut line = Command::new(std::env::current_exe().expect("the test knows where it is"));
        line.args(["--list", "--format", "terse"]).args(more);
        let output = command(line, 60);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(list(&["--ignored"]), BTreeSet::new(), "ignored tests prove nothing");
    list(&[])
}

/// The unit tests of a source: the functions behind `#[test]`.
fn unit_tests(source: &str) -> Vec<&str> {
    let behind = source.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn "));
    behind.filter_map(|(_, rest)| rest.split('(').next()).collect()
}

/// The unit tests of a folder: `src/log.rs::losses_are_counted_and_told`.
fn of_the_sources(folder: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(root().join(folder)).expect("the sources are there") {
        let entry = entry.expect("it can be listed");
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            of_the_sources(&name, found);
        } else if name.ends_with(".rs") {
            found.extend(unit_tests(&file(&name)).iter().map(|test| format!("{name}::{test}")));
        }
    }
}

/// The cases of the C programs that are run: `tests/c/once.c::cancel`.
fn of_the_c_programs() -> BTreeSet<String> {
    let run = ALL.iter().flat_map(|(program, cases)| {
        let cases: Vec<String> = match cases {
            [] => cases_of(program),
            some => some.iter().map(|case| (*case).to_owned()).collect(),
        };
        cases.into_iter().map(move |case| format!("tests/c/{program}.c::{case}"))
    });
    run.collect()
}

fn all_tests() -> BTreeSet<String> {
    let mut tests = of_the_suite();
    tests.extend(of_the_c_programs());
    of_the_sources("src", &mut tests);
    tests
}

/// The rows of all tables of a page, without their rules (`|---|`): trimmed cells.
fn rows(page: &str) -> Vec<Vec<String>> {
    let lines = page.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let rows = lines.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    rows.filter(|cells| !cells.iter().all(|cell| cell.chars().all(|c| c == '-'))).collect()
}

/// The tests that a cell names: what stands in backticks and has `::`.
fn tests_of(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains("::")).collect()
}

/// What is wrong with the tests that a cell names.
fn wrong_tests(cell: &str, known: &BTreeSet<String>) -> Vec<String> {
    let missing = |test: &&str| !known.contains(*test);
    tests_of(cell).into_iter().filter(missing).map(|test| format!("there is no test {test}")).collect()
}

/// What is wrong with the table of features.
fn wrong_features(page: &str, known: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut missing: Vec<&str> = NOT_OURS.to_vec();
    let mut headed = false;
    for row in rows(page) {
        if row == CLIENTS {
            headed = true;
            continue;
        }
        let name = &row[0];
        if !headed || row.len() != CLIENTS.len() {
            wrong.push(format!("{name}: {} cells, not those of {CLIENTS:?}", row.len()));
            continue;
        }
        for (client, cell) in CLIENTS.iter().zip(&row).skip(2) {
            if !["yes", "part", "no", "?"].iter().any(|start| cell.starts_with(start)) {
                wrong.push(format!("{name}: {client} is {cell:?}"));
            }
        }
        let ours = &row[1];
        wrong.extend(wrong_tests(ours, known).into_iter().map(|fault| format!("{name}: {fault}")));
        if let Some(at) = missing.iter().position(|missing| missing == name) {
            missing.remove(at);
            if !ours.starts_with("no: ") {
                wrong.push(format!("{name}: ours does not say why not"));
            }
        } else if !ours.starts_with("yes") || tests_of(ours).is_empty() {
            wrong.push(format!("{name}: ours is no \"yes\" that a test proves: {ours:?}"));
        }
    }
    wrong.extend(missing.iter().map(|name| format!("{name} is not named")));
    wrong
}

/// What is wrong with the table of complaints.
fn wrong_complaints(page: &str, known: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let rows: Vec<_> = rows(page).into_iter().filter(|row| row[0] != "#").collect();
    let numbers: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    let wanted: Vec<String> = (1..=COMPLAINTS).map(|number| number.to_string()).collect();
    if numbers != wanted {
        wrong.push(format!("the complaints are {numbers:?}"));
    }
    for row in rows {
        let shown = row.last().map_or("", String::as_str);
        wrong.extend(wrong_tests(shown, known).into_iter().map(|fault| format!("{}: {fault}", row[0])));
        if row.len() != 4 || row.iter().any(String::is_empty) || tests_of(shown).is_empty() {
            wrong.push(format!("{}: no test shows it", row[0]));
        }
    }
    wrong
}

const NONE: [String; 0] = [];

#[test]
fn every_feature_names_tests_that_exist() {
    let known = all_tests();
    let page = file("docs/features.md");
    assert_eq!(wrong_features(&page, &known), NONE);
    assert!(rows(&page).len() > 60, "the table is there");
}

#[test]
fn every_complaint_names_tests_that_exist() {
    assert_eq!(wrong_complaints(&file("docs/complaints.md"), &all_tests()), NONE);
}

#[test]
fn the_readme_links_the_tables() {
    for page in ["docs/features.md", "docs/complaints.md"] {
        assert!(file("README.md").contains(&format!("({page})")), "{page}");
    }
}

/// What the library tells of the connection stands in the table from which the documentation and the header are made.
#[test]
fn every_event_of_the_connection_is_in_the_table() {
    let source = file("src/client/from_network.rs");
    let named = |call: &'static str| source.split(call).skip(1).filter_map(|rest| rest.split('"').next());
    let told = named("self.tell(\"").chain(named("self.tell_text(\""));
    let told: BTreeSet<&str> = told.chain(["outbox", "query", "auth"]).collect();
    let table: BTreeSet<&str> = LOCAL_EVENTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(told, table);
}

// ---- The checks above find what is wrong. ----

fn known() -> BTreeSet<String> {
    ["a::b", "tests/c/x.c::y"].map(String::from).into()
}

fn features(rows: &str) -> Vec<String> {
    let head = "| feature | ours | JS 2.5 | JS 4.8 | C++ | Swift | Java | Python |\n|---|---|---|---|---|---|---|---|\n";
    let rest = "| WebTransport | no: why | no | yes | no | no | no | no |\n\
                | permessage-deflate | no: why | no | yes | no | no | no | no |";
    wrong_features(&format!("{head}{rows}{rest}"), &known())
}

#[test]
fn a_right_row_of_features_is_taken() {
    let right = "| acks | yes `a::b` and `tests/c/x.c::y` | yes | part | no | ? | yes: so | no |\n";
    assert_eq!(features(right), NONE);
}

#[test]
fn a_wrong_row_of_features_is_found() {
    for (row, fault) in [
        ("| x | yes `a::c` | no | no | no | no | no | no |\n", "x: there is no test a::c"),
        ("| x | yes `a::b` `tests/c/x.c::z` | no | no | no | no | no | no |\n", "no test tests/c/x.c::z"),
        ("| x | yes | no | no | no | no | no | no |\n", "x: ours is no \"yes\""),
        ("| x | yes `a` | no | no | no | no | no | no |\n", "x: ours is no \"yes\""),
        ("| x | no: `a::b` | no | no | no | no | no | no |\n", "x: ours is no \"yes\""),
        ("| x | yes `a::b` | no | no | no | no | no |\n", "x: 7 cells"),
        ("| x | yes `a::b` | no | no | no |  | no | no |\n", "x: Swift is \"\""),
    ] {
        let wrong = features(row);
        assert!(wrong.len() == 1 && wrong[0].contains(fault), "{row} {wrong:?}");
    }
    let wrong = wrong_features("", &known());
    assert_eq!(wrong, ["WebTransport is not named", "permessage-deflate is not named"]);
}

#[test]
fn a_wrong_table_of_complaints_is_found() {
    let row = |number: usize, shown: &str| format!("| {number} | c | d | {shown} |\n");
    let rows: Vec<String> = (1..=COMPLAINTS).map(|number| row(number, "`a::b`")).collect();
    let head = "| # | complaint | what we do | shown by |\n|---|---|---|---|\n";
    let faults = |rows: &[String]| wrong_complaints(&format!("{head}{}", rows.concat()), &known());
    assert_eq!(faults(&rows), NONE);
    let mut one = rows.clone();
    one.remove(6);
    assert!(faults(&one)[0].starts_with("the complaints are"), "{:?}", faults(&one));
    for (shown, fault) in [("`a::c`", "7: there is no test a::c"), ("soon", "7: no test shows it")] {
        let mut one = rows.clone();
        one[6] = row(7, shown);
        assert_eq!(faults(&one), [fault]);
    }
}

#[test]
fn unit_tests_are_found_in_their_source() {
    let source = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {}\n    fn none() {}\n    #[test]\n    fn two() {}\n}\n";
    assert_eq!(unit_tests(source), ["one", "two"]);
}
