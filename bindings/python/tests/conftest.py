from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import im_client

from . import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .servers import Server


@pytest.fixture(scope="session", params=[2, 4], ids=["socketio2", "socketio4"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """An official server of each generation; shared, so no test makes it misbehave."""
    with servers.socketio(request.param) as started:
        yield started


@pytest.fixture(params=[2, 4], ids=["socketio2", "socketio4"])
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The same for one test alone."""
    with servers.socketio(request.param) as started:
        yield started


@pytest.fixture(scope="session", params=["egg", "im-server"])
def chat_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that speaks the whole IM protocol; egg is Socket.IO 2.x, the embedded one both."""
    with servers.egg() if request.param == "egg" else servers.im_server() as started:
        yield started


@pytest.fixture(scope="session")
def embedded() -> Iterator[Server]:
    with servers.im_server() as started:
        yield started


@pytest.fixture(scope="session")
def egg() -> Iterator[Server]:
    with servers.egg() as started:
        yield started


@pytest.fixture
def user() -> str:
    return servers.new_user()


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Every test gives its clients back."""
    yield
    servers.until(lambda: im_client.client_count() == 0)
