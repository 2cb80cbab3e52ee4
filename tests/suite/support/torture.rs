//! The same test is short in `make test` and long in `make torture`.

use std::{env, path::Path, time::Duration};

use serde_json::json;

/// How often something is tried: by the environment, or so often.
pub fn scale(variable: &str, short: u64) -> u64 {
    env::var(variable).map_or(short, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// A row of the table of `make torture`, where that is what runs.
pub fn row(part: &str, what: &str, tried: (u64, &str), failures: u64, lost: u64, time: Duration) {
    let Ok(folder) = env::var("IM_TORTURE_ROWS") else { return };
    let rows = json!([{
        "part": part.split('-').next(), "what": what, "tried": tried.0, "unit": tried.1, "failures": failures, "lost": lost,
        "seconds": time.as_secs_f64(),
    }]);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(Path::new(&folder).join(format!("{part}.json")), rows.to_string())
        .expect("the row can be written");
}
