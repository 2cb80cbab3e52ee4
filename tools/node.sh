#!/usr/bin/env bash
# The servers of the tests need Node.js 18 or later and npm; Debian's own do where there are none.
set -euo pipefail
major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
if [ "${major:-0}" -lt 18 ] || ! command -v npm >/dev/null; then
    exec "$(dirname "$0")/packages.sh" nodejs npm
fi
