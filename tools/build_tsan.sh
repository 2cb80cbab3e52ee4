#!/usr/bin/env bash
# Builds the library with ThreadSanitizer, for the C programs that run under it.
#
# The standard library is built with it too: without, ThreadSanitizer does not see how std's locks and channels order things, and
# reports races that are none. So the compiler is the one that there is a source of the standard library for: Debian's. The
# runtime is gcc's, which the C programs bring, with tests/c/tsan.c. No TLS: none of these programs uses it, and its crates
# take long to build.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools/debian_rust.sh "$target/rust"
RUSTC=$target/rust/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread CARGO_PROFILE_DEV_DEBUG=line-tables-only \
    cargo rustc --locked -p im-client --lib --crate-type cdylib --no-default-features --features polling,store -Zbuild-std=std,panic_unwind \
    --target x86_64-unknown-linux-gnu --target-dir "$target/tsan"
