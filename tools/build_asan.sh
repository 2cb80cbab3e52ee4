#!/usr/bin/env bash
# Builds the library with AddressSanitizer, for the C programs that run under it.
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_PROFILE_DEV_DEBUG=line-tables-only \
    cargo rustc --locked -p im-client --lib --crate-type cdylib --no-default-features --features polling,store,tls \
    --target x86_64-unknown-linux-gnu --target-dir "${CARGO_TARGET_DIR:-target}/asan"
