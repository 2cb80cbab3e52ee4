#!/usr/bin/env bash
# Installs the Debian packages that are missing; says so, and does nothing where all are there.
set -euo pipefail
missing=()
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "== Installing from Debian: ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
    echo "This needs root. Run: apt-get install ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# At this runlevel no package starts its service: nginx would take port 80, and the tests start their own.
export RUNLEVEL=1
# Parts of `make test` run side by side.
exec 9>/run/lock/im-client-packages
flock 9
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
