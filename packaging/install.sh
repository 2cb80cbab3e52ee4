#!/usr/bin/env bash
# install.sh install|uninstall RELEASE_DIR: puts the headers, both libraries, the pkg-config file, the CMake package and the bill of
# materials below PREFIX, or takes them away again. Environment: PREFIX (/usr/local), LIBDIR (lib; below PREFIX unless it is
# absolute), DESTDIR (put before all, for packagers). For Linux: names of shared libraries are others elsewhere.
#
# Why not cargo-c, which installs C libraries of cargo packages: it is a cargo of its own, which takes minutes to build, and it
# would install the static library as rustc makes it, with the symbols of every crate in it; the one of tools/static_lib.sh has
# only ours. It writes no CMake package either. What is left for us is this list of files.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
action=$1
release=$2
prefix=$(realpath -ms "${PREFIX:-/usr/local}")
case ${LIBDIR:=lib} in
/*) libdir=$(realpath -ms "$LIBDIR") ;;
*) libdir=$(realpath -ms "$prefix/$LIBDIR") ;;
esac
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
library=libim_client.so
soname=$library.${version%%.*}
cmake=$libdir/cmake/im_client
bill=$prefix/share/doc/libim_client/libim_client.cdx.json
filled=$(mktemp)
trap 'rm -f "$filled"' EXIT

# What is the same keeps its time, so that nobody compiles again for it.
put() { # put SOURCE TARGET
    install -C -D -m 644 "$1" "${DESTDIR:-}$2"
}

link() { # link TO TARGET
    ln -sfn "$1" "${DESTDIR:-}$2"
}

# Paths relative to the file itself, so that the tree may be moved. They may have any character: sed would take some for its own.
fill() { # fill TEMPLATE TARGET
    local text
    text=$(<"$root/packaging/$1")
    text=${text//@VERSION@/"$version"}
    text=${text//@SONAME@/"$soname"}
    text=${text//@PREFIX_FROM_HERE@/"$(realpath -ms --relative-to="$(dirname "$2")" "$prefix")"}
    text=${text//@LIBDIR_FROM_PREFIX@/"$(realpath -ms --relative-to="$prefix" "$libdir")"}
    printf '%s\n' "$text" >"$filled"
    put "$filled" "$2"
}

headers() {
    (cd "$root/include" && printf '%s\n' im_client.h im_client.hpp im_client/*.hpp)
}

# The search path of the system's own folders is a cache.
refresh() {
    # After `su` alone the path has no sbin.
    case $libdir in /usr/*) [ -n "${DESTDIR:-}" ] || [ "$(id -u)" -ne 0 ] || PATH=$PATH:/sbin ldconfig ;; esac
}

case $action in
install)
    printf '\n== Installing into %s\n' "${DESTDIR:-}$prefix"
    headers | while read -r header; do put "$root/include/$header" "$prefix/include/$header"; done
    put "$release/libim_client.so" "$libdir/$library.$version"
    link "$library.$version" "$libdir/$soname"
    link "$soname" "$libdir/$library"
    put "$release/libim_client-static.a" "$libdir/libim_client.a"
    put "$release/libim_client.cdx.json" "$bill"
    fill im_client.pc.in "$libdir/pkgconfig/im_client.pc"
    for part in config config-version targets; do
        fill "im_client-$part.cmake.in" "$cmake/im_client-$part.cmake"
    done
    ;;
uninstall)
    {
        headers | while read -r header; do echo "$prefix/include/$header"; done
        printf '%s\n' "$libdir/$library"{,".${version%%.*}",".$version"} "$libdir/libim_client.a" "$bill" \
            "$libdir/pkgconfig/im_client.pc" "$cmake/im_client-"{config,config-version,targets}.cmake
    } | while read -r file; do rm -f "${DESTDIR:-}$file"; done
    for folder in "$prefix/include/im_client" "$cmake" "$(dirname "$bill")"; do
        rmdir --ignore-fail-on-non-empty "${DESTDIR:-}$folder" 2>/dev/null || true
    done
    ;;
*)
    echo "usage: install.sh install|uninstall RELEASE_DIR" >&2
    exit 2
    ;;
esac
refresh
