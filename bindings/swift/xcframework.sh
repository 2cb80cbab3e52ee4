#!/usr/bin/env bash
# xcframework.sh OUT: makes OUT/CImClient.xcframework for Package.swift (IM_CLIENT_XCFRAMEWORK), on a Mac with Xcode, and Rust with
# the targets below. Static libraries: nothing but the `im_` functions is global in them, so they can't clash with another
# Rust library in the same app.
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
[ "$(uname)" = Darwin ] || { echo "xcframework.sh: this needs macOS with Xcode (xcodebuild, lipo)" >&2; exit 1; }
tree=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
target=${CARGO_TARGET_DIR:-$tree/target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is linked, and the oldest system that it runs on: as in Package.swift.
slices="ios:aarch64-apple-ios ios-simulator:aarch64-apple-ios-sim,x86_64-apple-ios macos:aarch64-apple-darwin,x86_64-apple-darwin"
export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0

sdk_of() {
    case $1 in
    ios) echo iphoneos ;;
    ios-simulator) echo iphonesimulator ;;
    macos) echo macosx ;;
    esac
}

oldest_of() {
    case $1 in
    macos) echo "$MACOSX_DEPLOYMENT_TARGET" ;;
    *) echo "$IPHONEOS_DEPLOYMENT_TARGET" ;;
    esac
}

architecture_of() {
    case $1 in
    aarch64-*) echo arm64 ;;
    *) echo x86_64 ;;
    esac
}

# One object of all that the ABI's functions need; only they stay global. `ld -r` of Apple's linker takes the list of what to keep.
# The linker of Xcode 15 and later wants to be told the platform; the slices have the names that it knows.
build() {
    local slice=$1 triple=$2 sdk archive object=$work/$2.o
    sdk=$(sdk_of "$slice")
    (cd "$tree" && cargo rustc --locked --release --lib --crate-type staticlib --target "$triple")
    archive=$target/$triple/release/libim_client.a
    nm -gU "$archive" 2>/dev/null | awk '$3 ~ /^_im_/ {print $3}' | sort -u >"$work/exported"
    [ -s "$work/exported" ] || { echo "$archive has no im_ function" >&2; exit 1; }
    xcrun --sdk "$sdk" ld -r -arch "$(architecture_of "$triple")" \
        -platform_version "$slice" "$(oldest_of "$slice")" "$(xcrun --sdk "$sdk" --show-sdk-version)" \
        -force_load "$archive" -exported_symbols_list "$work/exported" -o "$object"
    mkdir -p "$work/$slice"
    xcrun libtool -static -o "$work/$slice/$triple.a" "$object"
}

# In a folder of the module's name, where clang looks too: Xcode copies the headers of all static libraries into one folder, in which
# two module.modulemap clash. The frameworks are what the library's check of certificates calls.
headers=$work/headers
mkdir -p "$headers/CImClient"
cp "$tree/include/im_client.h" "$headers/CImClient/"
cat >"$headers/CImClient/module.modulemap" <<'END'
module CImClient [system] {
    header "im_client.h"
    link framework "CoreFoundation"
    link framework "Security"
    export *
}
END

libraries=()
for slice in $slices; do
    name=${slice%%:*}
    IFS=, read -ra triples <<<"${slice#*:}"
    for triple in "${triples[@]}"; do build "$name" "$triple"; done
    lipo -create "$work/$name"/*.a -output "$work/$name/libim_client.a"
    libraries+=(-library "$work/$name/libim_client.a" -headers "$headers")
done
rm -rf "$out/CImClient.xcframework"
xcodebuild -create-xcframework "${libraries[@]}" -output "$out/CImClient.xcframework"
echo "$out/CImClient.xcframework"
