# Generated from coredis/_async/patterns/failures.py by scripts/generate.py: edit that file, not this one.
"""
What a consumer does when a read fails: what ends it, what is tried again and when, and what the application is told.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, AnyStr, Final, Generic

from coredis._sync.patterns.reader import Reader
from coredis._core.consumer.phantoms import Phantom
from coredis._core.consumer.portions import Portions
from coredis._core.consumer.statistics import ConsumerStatistics
from coredis._core.errors import REFUSALS
from coredis._core.redirects import LONGEST_PAUSE
from coredis._core.session import OversizedReplyError
from coredis._runtime import blocking as rt
from coredis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    OutOfMemoryError,
    PersistenceError,
    ProtocolError,
    ReadOnlyError,
    RedisError,
    ReplyError,
    RequestTimeoutError,
    StreamConsumerGroupError,
    TryAgainError,
    UnblockedError,
)

if TYPE_CHECKING:
    from coredis._sync.patterns.host import ConsumerHost

logger: Final = logging.getLogger("coredis.streams")

# What ends one read but not the consumer: the server did nothing, and will do it later.
_PASSING: Final = (*REFUSALS, UnblockedError, OutOfMemoryError, PersistenceError)
# What a server answers whose streams are being taken away, with their groups, or that was told to wake us: nothing is wrong.
# A group that is really gone is made again before the next read, unless that was not wanted and has been raised.
_ELSEWHERE: Final = (AskError, TryAgainError, UnblockedError, StreamConsumerGroupError)
#: So many such answers in a row, or for so long (seconds), say no more than that nothing has come yet. Beyond both is a fault.
MOST_DETOURS: Final = 5
DETOUR_SECONDS: Final = 10.0
#: It is not said more often than this that reading is interrupted (seconds), say by a server that drops each connection.
TELLING_SECONDS: Final = 1.0


class Failures(Generic[AnyStr]):
    """
    What becomes of the reads of a consumer that fail.
    """

    client: ConsumerHost[AnyStr]
    statistics: ConsumerStatistics
    _portions: Portions
    _readers: dict[Hashable, Reader[AnyStr]]
    _arranged: bool  # every stream has its reader
    _seconds: float  # for which the call that is under way waits

    def __init__(self) -> None:
        self._misplaced: list[tuple[RedisError, Hashable]] = []  # what shows that streams are somewhere else
        # Dead connections that servers may go on serving; the readers know this list.
        self._phantoms: list[Phantom] = []
        self._told_at = -math.inf  # when it was last said that reading is interrupted
        self._detours = 0  # how many answers in a row have said that streams are somewhere else
        self._detoured_at = 0.0  # when the first of them did
        # Slots whose last reads in this call were sent elsewhere: how often in a row, when to ask again, and what was said.
        self._redirects: dict[int, tuple[int, float, AskError]] = {}

    def _failed(self, reader: Reader[AnyStr], error: RedisError, closings: int, deadline: float) -> None:
        """
        Note a failed read, to be tried again later, or raise what cannot be got over.

        Args:
            reader: where it failed
            error: how
            closings: how often the client had been closed when the application's call began
            deadline: when the application's time is up
        """
        if closings != self.client.closings:
            self._lose(reader)
            raise error  # closed under way: that is the application's wish
        if isinstance(error, OversizedReplyError):
            self._portions.cut(reader.count)
            self._lose(reader)
            return  # what it had comes again at once, in smaller pieces
        self._note_detour(error)
        lost = isinstance(error, ConnectionError | RequestTimeoutError) and not isinstance(error, ReplyError)
        if reader.lasted and (lost or isinstance(error, ReadOnlyError)):
            reader.attempt = 0  # not one that is lost again and again
        if lost:
            if reader.failure is None and rt.now() - self._told_at >= TELLING_SECONDS:
                self._told_at = rt.now()
                logger.info("reading from %r is interrupted: %s", self.client, error)
            self._lose(reader)
            self._misplaced.append((error, reader.place))
            self._arranged = False
            if isinstance(error, ProtocolError) and error.replies is not None:
                raise error  # trying again brings other entries
        elif isinstance(error, ReadOnlyError) or _demoted(error):
            self._lose(reader)  # whoever is behind the address now is found by connecting again
            self._misplaced.append((error, reader.place))
            self._arranged = False
        else:
            if isinstance(error, StreamConsumerGroupError):
                self._misplaced.append((error, reader.place))
                self._arranged = False
            self._judge_failure(error)
        reader.failure = error
        try:
            reader.retry_at = rt.now() + self._pause(error, reader.attempt, deadline)
        except RedisError:
            if all(other.failure is not None for other in self._readers.values()) and not self._on_the_way(error):
                raise
            reader.retry_at = math.inf  # the others are well, or it is; this one is tried again in the next call
        reader.attempt += 1

    def _on_the_way(self, error: RedisError) -> bool:
        """
        Tell whether a read only has to be sent to another node, or again: when the time is up then, nothing has come. Who does
        not wait wants to know what there is, and is not told that there is nothing.
        """
        lasting = self._detours > MOST_DETOURS and rt.now() - self._detoured_at > DETOUR_SECONDS
        return self._seconds > 0 and isinstance(error, _ELSEWHERE) and not lasting

    def _note_detour(self, error: RedisError) -> None:
        """
        Count the answers in a row that say that streams are somewhere else.
        """
        if not isinstance(error, _ELSEWHERE):
            self._detours = 0
            return
        if not self._detours:
            self._detoured_at = rt.now()
        self._detours += 1

    def _redirected(self, redirect: AskError) -> None:
        """
        Note that a read was sent elsewhere. The first time it goes there at once; nodes that point at each other need time to
        agree, and the place is another one each time, so that its own failures tell nothing.
        """
        before = self._redirects.get(redirect.slot)
        number = 1 if before is None else before[0] + 1
        policy = self.client.retry_policy
        pause = 0.0 if number == 1 else min(LONGEST_PAUSE, policy.pause(number - 2, rt.random()))
        if not self._seconds and number > policy.retries:
            pause = math.inf  # not in this call, which waits for nothing
        self._redirects[redirect.slot] = (number, rt.now() + pause, redirect)

    def _judge_failure(self, error: RedisError) -> None:
        """
        Raise what cannot be got over by trying again.
        """
        if isinstance(error, StreamConsumerGroupError):
            self._vanished(error)
        elif isinstance(error, ReplyError):
            if not isinstance(error, (*_PASSING, *_ELSEWHERE, ReadOnlyError)):
                raise error
        elif not isinstance(error, ConnectionError | RequestTimeoutError):
            raise error

    def _pause(self, error: RedisError, attempt: int, deadline: float) -> float:
        """
        Say how many seconds to wait before trying again, or raise when the time or the patience is at its end.
        """
        policy, now = self.client.retry_policy, rt.now()
        pause = policy.pause(attempt - 1, rt.random()) if attempt else 0.0
        if self._seconds:
            over = now >= deadline
            pause = min(pause, deadline - now)  # once more when the time is up: who waits for so long gets all of it
        else:
            request = self.client.times.request
            over = attempt >= policy.retries or (request is not None and now + pause >= deadline + request)
        if over:
            raise for_application(error) from error.__cause__
        return pause

    def _lose(self, reader: Reader[AnyStr]) -> None:
        """
        Give up the connection, and see to what its last reply may have had.
        """
        if reader.connected:
            self.statistics.reconnects += 1
        reader.drop()  # last: an interruption before it leaves the loss to be found again

    def _vanished(self, error: StreamConsumerGroupError) -> None:
        """
        The server says that there is no such group.
        """
        raise error


def _demoted(error: RedisError) -> bool:
    """
    Tell whether a waiting read was ended because the server has become a replica; it closes the connection next.
    """
    return isinstance(error, UnblockedError) and "instance state changed" in str(error)


def for_application(error: RedisError) -> RedisError:
    """
    Make of a failure what the application is told. That nodes point at each other is not its business.
    """
    if not isinstance(error, AskError):
        return error
    told = ClusterDownError(f"CLUSTERDOWN no node has answered a read yet; the last one said: {error}")
    told.code = "CLUSTERDOWN"
    return told
