//! The C header and its description for bindings, written to the build folder.

use std::{env, fs, path::Path};

use serde_json::{json, Value};

#[path = "../src/client/status_table.rs"]
mod status_table;

#[path = "../src/im/event_table.rs"]
mod event_table;

#[path = "../src/client/local_event_table.rs"]
mod local_event_table;

#[allow(dead_code)]
#[path = "../src/client/option_table.rs"]
mod option_table;

#[path = "../src/client/info_table.rs"]
mod info_table;

pub fn write() {
    for file in [
        "tools/header.rs",
        "src/ffi",
        "cbindgen.toml",
        "include/contract.txt",
        "src/client/status_table.rs",
        "src/im/event_table.rs",
        "src/client/local_event_table.rs",
        "src/client/option_table.rs",
        "src/client/info_table.rs",
    ] {
        println!("cargo:rerun-if-changed={file}");
    }
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let mut config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml is readable");
    let contract = fs::read_to_string("include/contract.txt").expect("include/contract.txt is readable");
    config.header = config.header.map(|header| format!("{header}\n\n/*\n{}*/", comment(&contract)));
    config.after_includes = Some(tables());
    // The other files of src/ffi are found from here.
    let builder =
        cbindgen::Builder::new().with_config(config).with_src(Path::new(&root).join("src/ffi/mod.rs"));
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let bindings = builder.generate().expect("src/ffi has a header");
    let header = Path::new(&out).join("im_client.h");
    bindings.write_to_file(&header);
    let header = fs::read_to_string(header).expect("it was just written");
    let text = format!("{:#}\n", description(&header));
    fs::write(Path::new(&out).join("abi.json"), text).expect("the build folder is writable");
}

/// What bindings and documentation are made from, or checked against: bindings/abi.json.
fn description(header: &str) -> Value {
    let options = option_table::OPTIONS.iter().filter_map(|(name, support, meaning)| match support {
        option_table::Support::Built(kind, default) => {
            Some(json!({"name": name, "type": kind, "default": default, "meaning": meaning}))
        }
        _ => None,
    });
    let named = |(name, meaning): &(&str, &str)| json!({"name": name, "meaning": meaning});
    json!({
        "version": env::var("CARGO_PKG_VERSION").expect("cargo sets it"),
        "constants": constants(header),
        "events": event_table::EVENTS.iter().map(|(constant, name, meaning)| {
            json!({"constant": constant, "name": name, "meaning": meaning})
        }).collect::<Vec<_>>(),
        "localEvents": local_event_table::LOCAL_EVENTS.iter().map(named).collect::<Vec<_>>(),
        "options": options.collect::<Vec<_>>(),
        "info": info_table::INFO_FIELDS.iter().map(named).collect::<Vec<_>>(),
        "functions": functions(header),
    })
}

/// `{name, value, meaning}` of each macro that is a number or a text.
fn constants(header: &str) -> Vec<Value> {
    let (mut found, mut meaning) = (Vec::new(), Vec::new());
    for line in header.lines() {
        if let Some((name, value)) = line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) {
            if let Ok(value) = serde_json::from_str::<Value>(value.trim_matches(['(', ')'])) {
                found.push(json!({"name": name, "value": value, "meaning": meaning.join(" ")}));
            }
            meaning.clear();
        } else if let Some(text) = line.trim_start().strip_prefix("/**") {
            meaning = vec![text.trim_end_matches("*/").trim()];
        } else if let Some(text) = line.strip_prefix(" * ") {
            meaning.push(text.trim());
        }
        meaning.retain(|text| !text.is_empty());
    }
    found
}

/// The prototypes, each on one line.
fn functions(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in header.split(';') {
        // What stands before it: the comment, or the end of another thing.
        let start = statement.rfind("*/").map_or(0, |end| end + 2);
        let prototype = statement[start..].split_whitespace().collect::<Vec<_>>().join(" ");
        let name = prototype.split('(').next().and_then(|left| left.rsplit([' ', '*']).next());
        // A comment has a star at the beginning of its lines.
        if name.is_some_and(|name| name.starts_with("im_"))
            && prototype.ends_with(')')
            && !prototype.contains(" * ")
        {
            found.push(prototype);
        }
    }
    found
}

fn comment(text: &str) -> String {
    text.lines().map(|line| format!(" * {line}").trim_end().to_owned() + "\n").collect()
}

/// The macros that come from the library's tables.
fn tables() -> String {
    let version = |part: &str| env::var(format!("CARGO_PKG_VERSION_{part}")).expect("cargo sets it");
    let (major, minor, patch) = (version("MAJOR"), version("MINOR"), version("PATCH"));
    let mut text = format!(
        "\n/** The version of this header; `im_version_number` gives the library's. */\n\
         #define IM_VERSION_MAJOR {major}\n#define IM_VERSION_MINOR {minor}\n#define IM_VERSION_PATCH {patch}\n\
         #define IM_VERSION_NUMBER (IM_VERSION_MAJOR * 10000 + IM_VERSION_MINOR * 100 + IM_VERSION_PATCH)\n"
    );
    for (name, value, meaning) in status_table::STATUSES {
        text += &format!("\n/** {meaning} */\n#define {name} {}\n", parenthesised(value));
    }
    for (constant, wire, meaning) in event_table::EVENTS {
        text += &format!("\n/** {meaning} */\n#define IM_{constant} \"{wire}\"\n");
    }
    for (name, meaning) in local_event_table::LOCAL_EVENTS {
        let constant = name.to_uppercase();
        text +=
            &format!("\n/** The connection's own: {meaning} */\n#define IM_EVENT_{constant} \"{name}\"\n");
    }
    text
}

fn parenthesised(value: i32) -> String {
    match value {
        0.. => value.to_string(),
        _ => format!("({value})"),
    }
}
