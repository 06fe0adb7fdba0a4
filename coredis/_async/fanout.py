"""
Many commands for many nodes of a cluster at the same time: started on every node, then collected in order.

Each command has its own route, so each is redirected and tried again on its own, in rounds. Commands for the same node share
a connection and arrive in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coredis._async.client import ASKING
from coredis._async.connection import Connection
from coredis._async.pool import Pool
from coredis._async.transfer import Transfer
from coredis._core.additions import Addition
from coredis._core.command import Command, Reply
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.redirects import Route
from coredis._runtime import aio as rt
from coredis.exceptions import ConnectionError, ConnectionLostError, RedisError, RequestTimeoutError, UnblockedError

if TYPE_CHECKING:
    from coredis._async.clusters import ClusterClient


class Errand:
    """
    One command on its way.

    Attributes:
        reply: of the server, when there is no error
        error: why there is no reply
        attempts: how often it has failed
    """

    __slots__ = ("attempts", "command", "error", "payload", "reply", "route")

    def __init__(self, command: Command[Reply], payload: bytes, route: Route) -> None:
        self.command = command
        self.payload = payload
        self.route = route
        self.reply: Reply = None
        self.error: RedisError | None = None
        self.attempts = 0

    def take(self, reply: Reply) -> None:
        """
        Store what the server answered.
        """
        if isinstance(reply, ErrorLine):
            self.error = from_line(str(reply))
        else:
            self.reply, self.error = reply, None


class _Group:
    """
    The errands to one node in one round.
    """

    def __init__(self, connection: Connection, errands: list[Errand], deadline: float) -> None:
        self._errands = errands
        self._introduced = [errand.route.asking for errand in errands]
        payloads = []
        for errand in errands:
            payloads += [ASKING, errand.payload] if errand.route.asking else [errand.payload]
        self._replies: list[Reply] = []
        self._transfer = Transfer(connection.channel, payloads, self._replies.extend, deadline)
        self._failure: ConnectionError | RequestTimeoutError | None = None

    async def begin(self) -> None:
        """
        Send.
        """
        try:
            await self._transfer.begin()
        except (ConnectionError, RequestTimeoutError) as error:
            self._failure = error

    async def finish(self) -> bool:
        """
        Wait for the replies; False when they did not come in time.
        """
        if self._failure is None:
            try:
                await self._transfer.finish()
            except (ConnectionError, RequestTimeoutError) as error:
                self._failure = error
        position = 0
        for errand, introduced in zip(self._errands, self._introduced, strict=True):
            position += introduced  # the reply to ASKING is of no interest
            if position < len(self._replies):
                errand.take(self._replies[position])
            elif self._failure is not None and position < self._transfer.begun:
                errand.error = self._failure
            else:
                errand.error = ConnectionLostError(f"not sent: {self._failure}")
            position += 1
        return not isinstance(self._failure, RequestTimeoutError)


async def carry_out(
    client: ClusterClient[str] | ClusterClient[bytes], errands: Sequence[Errand], deadline: float
) -> None:
    """
    Carry out all errands. Afterwards each has a reply or an error.

    Args:
        client: whose nodes to use
        errands: in the order in which those of one node are sent
        deadline: when to give up
    """
    closings = client.closings
    pending = list(errands)
    while pending:
        await _round(client, pending, deadline)
        pause, again = 0.0, []
        for errand in pending:
            if errand.error is None:
                continue
            remaining = deadline - rt.now()
            wait = client.consider(errand.route, errand.error, errand.command, errand.attempts, remaining)
            errand.attempts += 1
            if type(errand.command) is Addition and errand.error.may_have_run:
                wait = None  # whether a second attempt is safe has to be asked, which is for the client and not for us
            if wait is not None and closings == client.closings:
                pause = max(pause, wait)
                again.append(errand)
        pending = again
        if pending:
            await rt.sleep(pause)


async def _round(client: ClusterClient[str] | ClusterClient[bytes], errands: Sequence[Errand], deadline: float) -> None:
    nodes = client.nodes
    try:
        topology = await nodes.current(deadline, max(errand.route.outdated for errand in errands))
    except RedisError as error:
        for errand in errands:
            errand.error = error
        return
    groups: dict[Pool, list[Errand]] = {}
    for errand in errands:
        errand.error = None
        try:
            groups.setdefault(nodes.chosen(errand.route, topology), []).append(errand)
        except RedisError as error:
            errand.error = error
    held: list[tuple[Pool, Connection]] = []
    try:
        started: list[tuple[Pool, Connection, _Group]] = []
        # In the same order everywhere: so no two callers hold what the other waits for.
        for pool in sorted(groups, key=lambda pool: str(pool.options.address)):
            # Where others send too, a command of theirs could get between ASKING and the command it is for.
            exclusive = any(errand.command.block is not None or errand.route.asking for errand in groups[pool])
            try:
                held.append((pool, await pool.acquire(exclusive, deadline)))
            except RedisError as error:
                for errand in groups[pool]:
                    errand.error = error
            else:
                started.append((*held[-1], _Group(held[-1][1], groups[pool], deadline)))
        for _, _, group in started:
            await group.begin()
        for pool, connection, group in started:
            if not await group.finish():
                pool.retire(connection)
            if any(type(errand.error) is UnblockedError for errand in groups[pool]):
                connection.channel.close()  # as the server may do any moment: see ``Pool.exchange``
        while held:
            pool, connection = held[-1]
            pool.release(connection)
            del held[-1]
    except BaseException:  # cancelled or interrupted: what is outstanding must not meet the next borrower
        for pool, connection in held:
            pool.discard(connection)
        raise
