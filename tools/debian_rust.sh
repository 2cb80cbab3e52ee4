#!/usr/bin/env bash
# Puts a Rust compiler that knows aarch64, and the source of its standard library, into FOLDER, beside the machine's own, and says
# nothing where it is there.
#
# The compiler is Debian's (rustc-web, which Debian keeps new enough to build browsers), with its standard libraries of both
# machines. Installed, they would take the place of the machine's own Rust, and arm64 would have to be a foreign architecture
# of it: so the packages are only unpacked, and apt works on lists of its own.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
[ ! -x "$folder/rustc" ] || exit 0
echo "== Unpacking Debian's Rust"

mkdir -p "$folder"/apt/{lists,cache/archives}/partial "$folder"/apt/sources "$folder/debs"
# Where Debian publishes a newer one for a browser; a machine made by debootstrap alone does not know that place.
cp -r /etc/apt/sources.list.d/. "$folder/apt/sources/"
if ! apt-cache policy | grep -q 'n=bookworm-security'; then
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keys] http://deb.debian.org/debian-security bookworm-security main" >"$folder/apt/sources/security.list"
fi
own_lists=(
    -o Dir::Etc::sourceparts="$folder/apt/sources"
    -o APT::Architectures::=amd64 -o APT::Architectures::=arm64
    -o Dir::State="$folder/apt" -o Dir::State::lists="$folder/apt/lists" -o Dir::State::status=/var/lib/dpkg/status
    -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User=root
)
apt-get -qq "${own_lists[@]}" update

# The names have versions in them (libstd-rust-web-1.96, libllvm22), which Debian changes.
needed() {
    apt-cache "${own_lists[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances rustc-web | grep -E "^($1)\$" | sort -u
}
mapfile -t packages < <(needed 'rustc-web|libstd-rust-web-.*|libllvm[0-9]+')
"$(dirname "$0")/packages.sh" libedit2 libxml2 libz3-4 # of libllvm; these may be installed as usual
(cd "$folder/debs" && apt-get -qq "${own_lists[@]}" download "${packages[@]}" libstd-rust-web-dev:arm64 rust-web-src)
for package in "$folder"/debs/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
rm -r "$folder/debs" "$folder/apt"

# A wrapper and not a link: where it finds its libraries is nobody else's business, least of all the programs' that it builds.
cat >"$folder/rustc.new" <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu exec $folder/root/usr/bin/rustc --sysroot $folder/root/usr "\$@"
WRAPPER
chmod +x "$folder/rustc.new"
mv "$folder/rustc.new" "$folder/rustc"
