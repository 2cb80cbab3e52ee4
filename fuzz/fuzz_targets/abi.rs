#![no_main]

use std::env;

libfuzzer_sys::fuzz_target!(
    // libFuzzer counts inputs; what counts here are calls.
    init: {
        if let Some(most) = env::var("IM_FUZZ_CALLS").ok().and_then(|calls| calls.parse().ok()) {
            fuzz_targets::stop_after(most);
        }
    },
    |data: &[u8]| fuzz_targets::run("abi", data)
);
