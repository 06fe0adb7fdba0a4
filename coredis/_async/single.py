"""
The engine of a client of one server: one pool, and no decisions about where.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import AnyStr, TypeVar

from coredis._async.client import Client
from coredis._async.connection import Connection
from coredis._async.pool import Pool
from coredis._async.source import Source
from coredis._core.command import Command
from coredis._core.config import ConnectionOptions
from coredis._core.retry import RetryPolicy
from coredis.exceptions import RedisError

R = TypeVar("R")


class SingleClient(Client[AnyStr]):
    """
    Executes commands on one server.
    """

    def __init__(
        self,
        options: ConnectionOptions,
        *,
        max_connections: int,
        encoding: str,
        decode_responses: bool,
        retry_policy: RetryPolicy,
    ) -> None:
        super().__init__(options.times, encoding=encoding, decode_responses=decode_responses, retry_policy=retry_policy)
        self._pool = Pool(options, max_connections)

    def __repr__(self) -> str:
        if not hasattr(self, "_pool"):  # seen in the traceback of a constructor that refused its arguments
            return f"<{type(self).__name__} that was not made>"
        options = self._pool.options
        return f"<{type(self).__name__} {self._pool.place} db={options.identity.db}>"

    def _pools(self) -> Iterable[Pool]:
        return (self._pool,) if hasattr(self, "_pool") else ()

    @property
    def pool(self) -> Pool:
        """
        The connections to the server.
        """
        return self._pool

    def follow(self, source: Source) -> None:
        """
        Ask a source for the server at every connect, instead of connecting to a fixed address. Before the first command.
        """
        self._pool.follow(source)

    @property
    def closings(self) -> int:
        """
        How often the client has been closed.
        """
        return self._pool.closings

    def bind(self) -> None:
        """
        Check that the client may be used here.

        Raises:
            RuntimeError: it belongs to another event loop
        """
        self._pool.bind()

    def way(self, command: Command[object]) -> None:
        """
        Begin the way of a command: there is only one.
        """

    def slot(self, name: bytes) -> int:
        """
        Tell the slot of a key: there are none, so it is always 0.
        """
        return 0

    def atomic(self, names: Iterable[bytes]) -> bool:
        """
        Tell whether these keys may be used together: any may.
        """
        return True

    async def places(self, names: Iterable[bytes], *, patient: bool = True) -> dict[Hashable, list[bytes]]:
        """
        Tell how keys divide into places to read from: there is one.
        """
        return {None: list(names)}

    async def issue_at(self, place: Hashable, command: Command[R]) -> R:
        """
        Execute one command at a place, of which there is one.
        """
        return await self.issue(command)

    async def detach(self, deadline: float, place: Hashable = None) -> Connection:
        """
        Open a connection beside the pool, for one consumer's reads; give it back with ``discard``.
        """
        return await self._pool.detach(deadline)

    async def moved(self, error: RedisError, place: Hashable) -> None:
        """
        Tell what happened to a read: here nothing follows from it.
        """

    def due(self) -> bool:
        """
        Tell whether it is time for ``confirm``: about once a second where a source is followed, and never elsewhere.
        """
        return self._pool.due()

    def due_at(self) -> float:
        """
        Tell when that will be (monotonic seconds); infinity: never, as things are.
        """
        return self._pool.due_at()

    async def confirm(self, deadline: float) -> None:
        """
        Find out whether connections still lead to the right server, and close those that do not, detached ones included.
        """
        await self._pool.confirm(deadline)
