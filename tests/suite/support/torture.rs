//! The same test is short in `make test` and long in `make torture`.

use std::{env, path::Path, time::Duration};

use serde_json::json;

const ROWS: &str = "IM_TORTURE_ROWS";

/// How often something is tried: by the environment, or so often.
pub fn scale(variable: &str, short: u64) -> u64 {
    env::var(variable).map_or(short, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// Is it `make torture` that runs this? It has one test at a time, and takes its time; `make test` has others beside it, and is short.
pub fn is_torture() -> bool {
    env::var(ROWS).is_ok()
}

/// A row of the table of `make torture`, where that is what runs.
pub fn row(part: &str, what: &str, tried: (u64, &str), failures: u64, lost: u64, time: Duration) {
    write_row(part, what, tried, failures, Some(lost), time);
}

/// The row of a test that ends at its first failure, and has nothing that could be lost.
pub fn passed(part: &str, what: &str, tried: (u64, &str), time: Duration) {
    write_row(part, what, tried, 0, None, time);
}

fn write_row(part: &str, what: &str, tried: (u64, &str), failures: u64, lost: Option<u64>, time: Duration) {
    let rows = json!([{
        "part": part.split('-').next(), "what": what, "tried": tried.0, "unit": tried.1, "failures": failures, "lost": lost,
        "seconds": time.as_secs_f64(),
    }]);
    file(&format!("{part}.json"), &rows.to_string());
}

/// A file beside the rows.
pub fn file(name: &str, text: &str) {
    let Ok(folder) = env::var(ROWS) else { return };
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(Path::new(&folder).join(name), text).expect("the file can be written");
}

/// What a run found wrong, for its row and for whoever reads why it failed.
#[derive(Default)]
pub struct Account {
    failures: Vec<String>,
    lost: Vec<String>,
}

impl Account {
    pub fn holds(&mut self, is_so: bool, otherwise: impl FnOnce() -> String) {
        if !is_so {
            self.failures.push(otherwise());
        }
    }

    /// Was acknowledged, and is not where it should be.
    pub fn lost(&mut self, what: String) {
        self.lost.push(what);
    }

    /// Writes the row, and panics where anything is wrong.
    pub fn close(self, part: &str, what: &str, tried: (u64, &str), time: Duration) {
        let count = |list: &[String]| u64::try_from(list.len()).expect("small");
        row(part, what, tried, count(&self.failures), count(&self.lost), time);
        let Account { failures, lost } = self;
        assert!(failures.is_empty() && lost.is_empty(), "{part}: wrong: {failures:#?}\nlost: {lost:#?}");
    }
}
