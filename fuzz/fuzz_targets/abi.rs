#![no_main]

use std::{env, ffi::c_int};

extern "C" {
    fn __lsan_do_recoverable_leak_check() -> c_int;
}

/// Only when every thread of the library has ended: what a thread is about to take over, or to free, would count as lost.
fn nothing_is_lost() {
    // SAFETY: of the sanitizer that every fuzz target is built with.
    assert_eq!(unsafe { __lsan_do_recoverable_leak_check() }, 0, "memory was lost");
}

libfuzzer_sys::fuzz_target!(
    // libFuzzer counts inputs; what counts here are calls.
    init: {
        if let Some(most) = env::var("IM_FUZZ_CALLS").ok().and_then(|calls| calls.parse().ok()) {
            fuzz_targets::stop_after(most, nothing_is_lost);
        }
    },
    |data: &[u8]| fuzz_targets::run("abi", data)
);
