"""What stands beside the programs of the pages: by default the embedded IM server, which pages call localhost:7001."""

import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.documentation.programs import Build
from tests.servers.start import im_server, socketio

LOCAL = "http://localhost:7001"
# Gives what a page shows and what stands in its place where it is run.
Story = Callable[[Build], AbstractContextManager[dict[str, str]]]


@contextmanager
def STORY(build: Build) -> Iterator[dict[str, str]]:
    with im_server(build.library) as server:
        yield {LOCAL: server.root}


@contextmanager
def official_server(build: Build) -> Iterator[dict[str, str]]:
    """For what has nothing to do with messages: echo, ask, handshake ... of tests/servers/socketio.js."""
    with socketio(4) as server:
        yield {LOCAL: server.root}


@contextmanager
def own_authority(build: Build) -> Iterator[dict[str, str]]:
    """A server whose certificate a company of its own has signed."""
    certificate, key = build.place / "company.pem", build.place / "company.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with socketio(4, "--cert", str(certificate), "--key", str(key)) as server:
        root = f"https://localhost:{server.port}"
        yield {LOCAL: root, "https://chat.example.com": root, "/etc/my-company/ca.pem": str(certificate)}


class Forward(socketserver.BaseRequestHandler):
    """A proxy that knows CONNECT and nothing else, and leads everywhere to the server of the page."""

    def handle(self) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += self.request.recv(4096)
        host, port = asked.split()[1].decode().rsplit(":", 1)
        with socket.create_connection((host, int(port))) as server:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=copy, args=(server, self.request))
            back.start()
            copy(self.request, server)
            back.join()


def copy(source: socket.socket, to: socket.socket) -> None:
    while data := source.recv(65536):
        to.sendall(data)
    to.shutdown(socket.SHUT_WR)


@contextmanager
def behind_a_proxy(build: Build) -> Iterator[dict[str, str]]:
    with im_server(build.library) as server, socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forward) as proxy:
        threading.Thread(target=proxy.serve_forever).start()
        yield {LOCAL: server.root, "proxy.example.com:3128": f"127.0.0.1:{proxy.server_address[1]}"}
        proxy.shutdown()


PAGES: dict[str, Story] = {
    "concepts/acknowledgements": official_server,
    "concepts/events": official_server,
    "recipes/own-ca": own_authority,
    "recipes/proxies": behind_a_proxy,
}
