#!/usr/bin/env bash
# size.sh LIBRARY LIMIT...: prints the size of each library, and fails where one has more bytes than its limit, or its symbols.
set -euo pipefail
[ $# -ge 2 ] && [ $(($# % 2)) -eq 0 ] || { echo "size.sh LIBRARY LIMIT..." >&2; exit 2; }
failed=0
while [ $# -gt 0 ]; do
    library=$1 limit=$2
    shift 2
    bytes=$(stat -Lc %s "$library")
    echo "$library: $bytes bytes, at most $limit"
    if [ "$bytes" -gt "$limit" ]; then
        echo "$library is $((bytes - limit)) bytes too large" >&2
        failed=1
    fi
    # Only what users get counts.
    if [[ $(readelf -SW "$library") == *" .symtab "* ]]; then
        echo "$library is not stripped" >&2
        failed=1
    fi
done
exit $failed
