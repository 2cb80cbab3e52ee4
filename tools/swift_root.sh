#!/usr/bin/env bash
# A Swift to work with on Debian 12, which has none: Debian 13 in a folder, with its swiftlang. Where the machine has a Swift of
# its own (5.9 or later), that one is used and no folder is made.
#
#   tools/swift_root.sh make         makes the folder, once (2.7 GB, some minutes); quick where it is complete
#   tools/swift_root.sh run CMD...   runs a command there, in the current directory, with this tree at its own path
#   tools/swift_root.sh where        `native`, or the folder
#
# IM_SWIFT_ROOT: the folder, so that several clones can share one; default: swift-root in CARGO_TARGET_DIR. Needs root.
set -euo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$tree/target}
root=${IM_SWIFT_ROOT:-$target/swift-root}
suite=trixie
packages="swiftlang libc6-dev libstdc++-14-dev pkgconf nodejs"
stamp=$root/.im-client-root
needed_kb=$((8 * 1024 * 1024))

native() {
    local version
    [ -z "${IM_SWIFT_ROOT:-}" ] && command -v swift >/dev/null || return 1
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -1)
    [ -n "$version" ] || return 1
    # shellcheck disable=SC2086 # two numbers
    set -- $version
    [ "$1" -gt 5 ] || { [ "$1" -eq 5 ] && [ "$2" -ge 9 ]; }
}

fail() {
    printf 'Swift: %s\n' "$1" >&2
    echo "Swift: to test the other languages alone: make test LANGUAGES=\"c cpp python kotlin\"" >&2
    exit 1
}

complete() {
    [ "$(cat "$stamp" 2>/dev/null)" = "$suite: $packages" ]
}

check_rights() {
    [ "$(id -u)" -eq 0 ] || fail "making and entering a Debian 13 root needs root (chroot, mount)."
    unshare --mount --propagation private true 2>/dev/null ||
        fail "this machine does not allow mounts (unshare --mount was refused). In a container: --cap-add SYS_ADMIN."
}

check_disk() {
    local free_kb
    mkdir -p "$root"
    free_kb=$(df --output=avail -k "$root" | tail -1)
    [ "$free_kb" -ge "$needed_kb" ] ||
        fail "a Debian 13 root needs 8 GB of free disk at $root, and there are $((free_kb / 1024)) MB."
}

# The mounts live in a namespace of this one command: they are gone with it, however it ends.
enter() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec unshare --mount --propagation private bash -euo pipefail -c '
        root=$1 tree=$2 target=$3 here=$4; shift 4
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        for folder in "$tree" "$target"; do
            mkdir -p "$root$folder"
            mount --rbind "$folder" "$root$folder"
        done
        exec chroot "$root" env HOME=/root LANG=C.UTF-8 LD_LIBRARY_PATH= PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin \
            sh -c "cd \"\$1\" && shift && exec \"\$@\"" sh "$here" "$@"
    ' enter "$root" "$tree" "$target" "$PWD" "$@"
}

# What an interrupted run left goes; what is not ours stays.
clear_unfinished() {
    if [ -e "$root/.im-client-begun" ]; then
        rm -rf "$root"
        mkdir -p "$root"
    elif [ -n "$(ls -A "$root")" ]; then
        fail "$root is not empty, and not made by this script; IM_SWIFT_ROOT names a folder of its own."
    fi
}

make_root() {
    check_disk
    "$tree/tools/packages.sh" debootstrap util-linux
    if [ ! -e "$root/.im-client-base" ]; then
        echo "== Debian 13 into $root, for Swift"
        clear_unfinished
        touch "$root/.im-client-begun"
        debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" http://deb.debian.org/debian >"$target/swift-root.log" 2>&1 ||
            fail "debootstrap failed, see $target/swift-root.log"
        touch "$root/.im-client-base"
    fi
    echo "== swiftlang into it"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cd /
    # shellcheck disable=SC2086 # a list
    (enter env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        sh -c 'apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@" && apt-get clean' sh $packages) \
        >>"$target/swift-root.log" 2>&1 || fail "apt-get failed in it, see $target/swift-root.log"
    echo "$suite: $packages" >"$stamp"
}

case ${1:-} in
make)
    native && exit 0
    check_rights
    complete || make_root
    ;;
run)
    shift
    native && exec "$@"
    check_rights
    complete || fail "there is no Swift here yet: make -C bindings/swift root"
    enter "$@"
    ;;
where)
    if native; then echo native; else echo "$root"; fi
    ;;
*)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
