#!/usr/bin/env python3
"""What a PC does to be signed in by a phone: shows a QR code, and waits for the token."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from urllib.parse import urlencode

from im_client import EVENT_DISCONNECT, IMERROR, SSO_QRLOGIN, Client, Code, Event

# The code is drawn where this is installed: pip install qrcode
try:
    import qrcode  # type: ignore[import-untyped]
except ImportError:
    qrcode = None


def show(url: str) -> None:
    if qrcode is not None:
        code = qrcode.QRCode()
        code.add_data(url)
        code.print_ascii()
    print(f"url: {url}")


def token_of(event: Event) -> str | None:
    """The token; None after telling what came instead."""
    if event.name == SSO_QRLOGIN and event.code == Code.OK:
        return str(event.payload["token"])
    if event.name == EVENT_DISCONNECT:
        print(f"* disconnected: {event.data['reason']}")
    else:
        print(f"! {event.name} ({event.code}, {event.data['meta'].get('msg')})")
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.environ.get("IM_ROOT", "http://127.0.0.1:7001"), metavar="URL")
    parser.add_argument("--device-id", default=secrets.token_hex(16), metavar="ID")
    given = parser.parse_args()

    show(f"{given.root}/qrlogin?{urlencode({'device_id': given.device_id})}")
    print(f"device id: {given.device_id}", flush=True)
    with Client(given.root, "sso", query={"device_id": given.device_id}) as client:
        # The first of them decides: the server waits for a phone for 60 s, then it leaves.
        event = next(client.events(SSO_QRLOGIN, IMERROR, EVENT_DISCONNECT))
        token = token_of(event)
    if token is None:
        return 1
    print(f"token: {token}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
