//! Makes src/sync.rs take shuttle's locks and threads.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(shuttle)");
    println!("cargo:rustc-cfg=shuttle");
}
