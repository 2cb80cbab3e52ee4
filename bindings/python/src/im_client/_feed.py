"""From the library into a stream: what both kinds of stream have in common."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING

from ._base import BATCH, Subscription
from ._event import Event
from .errors import ImError, invalid

if TYPE_CHECKING:
    from ._base import BaseClient


class Feed(Subscription):
    """One subscription of a stream's. It does not keep the stream: a loop that is left is forgotten with its stream."""

    def __init__(self, stream: AnyStream, client: BaseClient, event: str | None) -> None:
        self._stream = weakref.ref(stream)
        super().__init__(client, event)

    def heard(self, pointer: int) -> None:
        stream = self._stream()
        if stream is None:
            return
        try:
            stream._put(Event(self.client, pointer))
        except Exception as error:
            self.client._report(error, None)

    def freed(self) -> None:
        super().freed()
        stream = self._stream()
        if stream is not None:
            stream._feed_ended(self)


class AnyStream:
    """Its feeds, and its end."""

    # Until it is whole.
    _over = True

    def __init__(self, client: BaseClient, events: tuple[str, ...], limit: int) -> None:
        if not isinstance(limit, int) or limit < 1:
            raise invalid(f'the argument "limit" is {limit!r}, not a number from 1')
        self._client = client
        self._limit = limit
        self._feeds: set[Feed] = set()
        self._over = False
        # First, so that what is being taken in one go ends before this may have too much of it.
        client._streams[id(self)] = weakref.ref(self)
        client._room_taken()
        try:
            for event in events or (None,):
                self._feeds.add(Feed(self, client, event))
        except BaseException:
            self.close()
            raise

    def __del__(self) -> None:
        """A loop that was left: nobody will ask for more."""
        self.close()

    @property
    def full(self) -> bool:
        """Whether as many events wait as may."""
        return self.room <= 0

    @property
    def room(self) -> int:
        """So many events more may wait."""
        return BATCH if self._over else self._limit - self._waiting()

    def _waiting(self) -> int:
        raise NotImplementedError

    def _put(self, event: Event) -> None:
        raise NotImplementedError

    def _end(self) -> None:
        """No more will come."""
        raise NotImplementedError

    def _feed_ended(self, feed: Feed) -> None:
        self._feeds.discard(feed)
        if not self._feeds:
            self._end()

    def close(self) -> None:
        """Ends it at once; what waits is dropped."""
        if self._over:
            return
        self._over = True
        self._client._streams.pop(id(self), None)
        _off(self._feeds)
        self._end()
        self._client._room_made()


def _off(feeds: set[Feed]) -> None:
    for feed in tuple(feeds):
        # It may have ended with off(), or with the client.
        with contextlib.suppress(ImError):
            feed.off()
