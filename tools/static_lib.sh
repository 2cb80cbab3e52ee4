#!/usr/bin/env bash
# static_lib.sh LIBDIR OUT: makes OUT from LIBDIR/libim_client.a, with nothing global but the `im_` functions, so that it
# can't clash with another Rust library, or another copy of a crate, in the same program.
set -euo pipefail
input=$1/libim_client.a
output=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Where clang is installed, its plugin for these tools stumbles over the bitcode that rustc leaves in objects; gcc's ignores it.
plugin=(--plugin "$(cc -print-file-name=liblto_plugin.so)")
# One object first, of all that the ABI's functions need: only then may the symbols that its parts share become local.
mapfile -t functions < <(nm "${plugin[@]}" -g --defined-only "$input" 2>/dev/null | awk '$3 ~ /^im_/ {print $3}' | sort -u)
[ ${#functions[@]} -gt 0 ] || { echo "$input has no im_ function" >&2; exit 1; }
ld -r --gc-sections "${functions[@]/#/--undefined=}" "$input" -o "$work/im_client.o"
# The compiler's bitcode beside the code is of no use in a linked object, and confuses tools.
objcopy --wildcard --keep-global-symbol='im_*' --strip-debug \
    --remove-section=.llvmbc --remove-section=.llvmcmd "$work/im_client.o"
rm -f "$output"
ar rcs "${plugin[@]}" "$output" "$work/im_client.o"
