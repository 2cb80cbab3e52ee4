//! Writes the C header to the build folder (`make header` copies it to include/), and gives the shared library its SONAME.

use std::{env, fs, path::Path};

#[path = "src/client/status_table.rs"]
mod status_table;

#[path = "src/im/event_table.rs"]
mod event_table;

#[path = "src/client/local_event_table.rs"]
mod local_event_table;

fn main() {
    println!("cargo:rerun-if-changed=src/ffi");
    for file in [
        "cbindgen.toml",
        "include/contract.txt",
        "src/client/status_table.rs",
        "src/im/event_table.rs",
        "src/client/local_event_table.rs",
    ] {
        println!("cargo:rerun-if-changed={file}");
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Unloading is not supported: threads and exit hooks of the library must stay valid.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libim_client.so.0");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    write_header();
}

fn write_header() {
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
    bindings.write_to_file(Path::new(&out).join("im_client.h"));
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
