#!/bin/sh
# cargo calls this with the compiler and its arguments. Only what the targets are about is watched for coverage: libFuzzer clears
# and reads every counter at each execution, and those of tokio and rustls tell nothing of a packet. AddressSanitizer is in all.
for argument; do
    shift
    if [ "$last" = --crate-name ]; then
        crate=$argument
    fi
    last=$argument
    set -- "$@" "$argument"
done
case $crate in
im_client | fuzz_targets | serde_json | base64 | percent_encoding) exec "$@" ;;
esac
for argument; do
    shift
    if [ "$argument" != -Cpasses=sancov-module ]; then
        set -- "$@" "$argument"
    fi
done
exec "$@"
