//! Gives the shared library its SONAME, and with the feature `header` writes the C header and its description for bindings to the
//! build folder (`make header` copies both).

#[cfg(feature = "header")]
#[path = "tools/header.rs"]
mod header;

fn main() {
    // Else any change of any file builds all anew.
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Unloading is not supported: threads and exit hooks of the library must stay valid.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libim_client.so.0");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    #[cfg(feature = "header")]
    header::write();
}
