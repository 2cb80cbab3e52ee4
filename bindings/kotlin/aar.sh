#!/usr/bin/env bash
# aar.sh [OUT]: makes im-client.aar (or OUT) for Android.
#
# Needs: ANDROID_NDK_HOME (r27 or later), the Rust targets aarch64-linux-android, armv7-linux-androideabi and
# x86_64-linux-android, and what `make package` needs. The app adds kotlin-stdlib, kotlinx-coroutines-android,
# kotlinx-serialization-json and the Kotlin part of rustls-platform-verifier.
#
# NOT RUN where it was written, for there was no NDK; checked by shellcheck.
set -euo pipefail

out=$(realpath -m "${1:-im-client.aar}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
api=24
# Android 15 loads libraries with pages of 16 KB; linkers before NDK r28 have to be told.
pages=-Wl,-z,max-page-size=16384

: "${ANDROID_NDK_HOME:?set ANDROID_NDK_HOME to the folder of an Android NDK}"
tools=$ANDROID_NDK_HOME/toolchains/llvm/prebuilt/linux-x86_64/bin
[ -x "$tools/clang" ] || { echo "aar.sh: no clang in $tools" >&2; exit 1; }

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# library RUST_TARGET CLANG_TARGET ABI: libim_client.so and the JNI layer for one kind of processor.
library() {
    local rust_target=$1 compiler=$tools/$2$api-clang libraries=$stage/jni/$3 variable
    variable=$(tr 'a-z-' 'A-Z_' <<<"$rust_target")
    env "CARGO_TARGET_${variable}_LINKER=$compiler" "CC_${rust_target//-/_}=$compiler" \
        "AR_${rust_target//-/_}=$tools/llvm-ar" \
        "CARGO_TARGET_${variable}_RUSTFLAGS=-Clink-arg=$pages -Clink-arg=-Wl,-soname,libim_client.so" \
        cargo rustc --locked --release --package im-client --lib --crate-type cdylib \
        --manifest-path "$root/Cargo.toml" --target "$rust_target"
    mkdir -p "$libraries"
    "$tools/llvm-strip" --strip-unneeded -o "$libraries/libim_client.so" "$target/$rust_target/release/libim_client.so"
    "$compiler" -std=c11 -Wall -Wextra -Werror -O2 -fPIC -shared -fvisibility=hidden -I "$root/include" \
        "$here/src/main/jni/im_client_jni.c" -o "$libraries/libim_client_jni.so" \
        -L "$libraries" -lim_client "$pages" -Wl,--no-undefined
}

library aarch64-linux-android aarch64-linux-android arm64-v8a
library armv7-linux-androideabi armv7a-linux-androideabi armeabi-v7a
library x86_64-linux-android x86_64-linux-android x86_64

# The classes, without the desktop's library and what reaches it by JNA.
make -C "$here" package
mkdir "$stage/classes"
(cd "$stage/classes" && jar --extract --file "$(find "$here/target" -maxdepth 1 -name 'im-client-*.jar' ! -name '*-tests.jar')")
rm -rf "$stage"/classes/linux-* "$stage"/classes/im/client/internal/{Jna,LogCallback,EventCallback}*
jar --create --file "$stage/classes.jar" -C "$stage/classes" .

cat >"$stage/AndroidManifest.xml" <<EOF
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="im.client.android">
    <uses-sdk android:minSdkVersion="$api" />
    <uses-permission android:name="android.permission.INTERNET" />
</manifest>
EOF
cp "$here/consumer-rules.pro" "$stage/proguard.txt"
: >"$stage/R.txt"
rm -f "$out"
(cd "$stage" && jar --create --no-manifest --file "$out" AndroidManifest.xml R.txt classes.jar proguard.txt jni)
echo "$out"
