"""
The connections of one client to one server: opens, lends, takes back and closes them, as ``_core/pool.py`` decides.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from typing import Final

from coredis._async.connection import Connection, open_connection
from coredis._async.source import Source
from coredis._core.command import Reply
from coredis._core.config import ConnectionOptions, TCPAddress
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.pool import LAST, PoolState, Verdict
from coredis._runtime import aio as rt
from coredis.exceptions import ConnectionError, ConnectionLostError, PoolTimeoutError, RequestTimeoutError

#: How long an ordinary command may take before it is asked whether its server has been replaced (seconds).
SLOW_SECONDS: Final = 0.5


class Pool:
    """
    Connections to one server.

    Threads (blocking flavour) and tasks may share a pool. A connection that is lent exclusively belongs to its borrower
    until it is released.
    """

    def __init__(self, options: ConnectionOptions, max_connections: int) -> None:
        self._options = options
        self._grace = options.times.grace
        self._max_connections = max_connections
        self._lock = rt.StateLock()
        self._state: PoolState[Connection, rt.Event] = PoolState(max_connections, multiplexed=rt.MULTIPLEXED)
        # Weakly: a consumer that is forgotten rather than closed sees to its connection itself.
        self._detached: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._home: rt.Home | None = None
        self._plain = False  # whoever finds an idle connection may use it, without looking at anything else
        self.closings = 0  # how often it has been closed: a command that is under way then is not tried again
        self._source: Source | None = None
        self._accepted: frozenset[TCPAddress] = frozenset()  # by the source, when connections were last looked through
        rt.after_fork(self)

    @property
    def options(self) -> ConnectionOptions:
        """
        How connections are opened.
        """
        return self._options

    @property
    def place(self) -> str:
        """
        Where its connections lead, in words.
        """
        return str(self._options.address if self._source is None else self._source)

    # ------------------------------------------------------------------------------------------------------ lending

    async def acquire(self, exclusive: bool, deadline: float) -> Connection:
        """
        Borrow a connection; give it back with ``release``.

        Args:
            exclusive: nobody else may use it meanwhile
            deadline: when to give up

        Raises:
            ConnectionError: none can be opened
            PoolTimeoutError: all are in use until then
            RuntimeError: the client belongs to another event loop
        """
        ticket = object()
        try:
            return self._lend(ticket, exclusive) or await self._obtain(ticket, exclusive, deadline)
        except BaseException:  # cancelled or interrupted as well: whatever has been taken by now goes back
            self._surrender(ticket)
            raise

    def release(self, connection: Connection) -> None:
        """
        Give a borrowed connection back. One with replies outstanding is closed rather than lent again.
        """
        try:
            self._give_back(connection)
        except BaseException:  # interrupted: better one connection less than one that is never free again
            self.discard(connection)
            raise

    def _give_back(self, connection: Connection, ticket: object = None) -> None:
        """
        As ``release``. Interrupted, it is the caller's to find out by the ticket whether the connection is still lent.

        Args:
            connection: what was borrowed
            ticket: with which, if it is at hand
        """
        channel, state = connection.channel, self._state
        if connection.users:
            connection.users -= 1
            if connection is state.shared and (connection.users or not channel.closed):
                if not connection.users and state.waiting:
                    with self._lock:
                        self._wake()
                return
        with self._lock:
            if not channel.closed:
                if state.retired and connection in state.retired and connection.users:
                    return  # others still wait for their replies
                accepted = self._source is None or self._accepts(connection)
                if accepted and not channel.pending and state.give_back(connection, ticket):
                    if state.waiting:
                        self._wake()
                    return
        self.discard(connection)

    def discard(self, connection: Connection) -> None:
        """
        Close a borrowed connection instead of giving it back.
        """
        with self._lock:
            self._state.forget(connection)
            self._detached.discard(connection)
            self._wake()
        connection.channel.close()

    def retire(self, connection: Connection) -> None:
        """
        Lend the shared connection to nobody else: it seems dead. Those who wait on it go on until their time is up.
        """
        with self._lock:
            self._state.retire(connection)
            self._wake()

    async def detach(self, deadline: float) -> Connection:
        """
        Open a connection beside the pool, for a consumer's reads. It does not count against the limit; the pool closes
        it when it closes itself. Give it back with ``discard``.

        Raises:
            ConnectionError: it cannot be opened
        """
        self.bind()
        return await self._connect(deadline, None)

    def lend(self) -> Connection | None:
        """
        Lend the shared connection if it takes a command at once. Whoever leaves it counts its ``users`` down, and calls
        ``left`` as the last one; after a failure they call ``part`` instead.

        Returns:
            None: there is something to wait for, to open or to find out first, which ``exchange`` does
        """
        shared = self._state.shared
        if shared is None or self._source is not None or not shared.channel.takes():
            return None
        shared.users += 1
        return shared

    def left(self, shared: Connection) -> None:
        """
        See to a connection that was shared, and that the last of its ``users`` has just left.
        """
        state = self._state
        if shared is state.shared and shared.channel.session.failure is None:
            if state.waiting:
                with self._lock:
                    self._wake()
        else:
            self.release(shared)

    async def exchange(self, payload: bytes, expected: int, block: float | None, deadline: float) -> Reply:
        """
        Send one command on a borrowed connection and wait for its reply.

        Args:
            payload: the encoded command, and before it what has to introduce it
            expected: how many replies that makes; the last one is the command's
            block: seconds the server may take for a blocking command; None for others
            deadline: when to give up; a blocking command's time begins when it has a connection

        Returns:
            the reply, an error of the server's as an ``ErrorLine``
        """
        state = self._state
        if self._plain and not state.overtaken:
            # Without the lock and without a ticket: all there is to do for most commands of the blocking flavour.
            idle, lent = state.idle, None
            try:
                lent, idle[LAST] = idle[-1] if idle else None, ()
                if lent is not None and not lent.channel.stale():
                    channel = lent.channel
                    if block is not None:
                        deadline = rt.now() + block + self._grace
                    reply = await channel.ask(payload, expected, deadline)
                    session = channel.session
                    if session.failure is None and not (
                        session.pending or (block is not None and _stepped_down(reply))
                    ):
                        # No call between these statements, so nothing can interrupt here: another thread may have it at once.
                        used, lent = lent, None
                        idle.append(used)
                        if state.waiting:
                            with self._lock:
                                self._wake()
                    else:
                        self.discard(lent)
                    return reply
                if lent is not None:
                    self.discard(lent)
            except BaseException:  # interrupted as well
                try:
                    self._put_away(lent)
                except BaseException:  # interrupted on the way
                    self._put_away(lent)
                    raise
                raise
        ticket = object()
        exclusive = block is not None
        connection: Connection | None = None
        try:
            if not self._plain:
                connection = self._lend(ticket, exclusive)
            if connection is None:
                # Waiting for one takes nothing from the time that a command may block.
                connection = await self._obtain(ticket, exclusive, math.inf if exclusive else deadline)
            if block is not None:
                deadline = rt.now() + block + self._grace
            if self._source is None or exclusive:
                reply = await connection.channel.ask(payload, expected, deadline)
            else:
                reply = await self._watch(connection.channel.start(payload, expected, deadline), deadline)
            if exclusive and _stepped_down(reply):
                connection.channel.close()
            # Not ``release``: interrupted at its end, that would close what another thread has by now.
            self._give_back(connection, ticket)
        except BaseException as error:  # cancelled or interrupted as well
            try:
                self._recover(ticket, connection, error)
            except BaseException:  # interrupted on the way
                self._surrender(ticket)
                raise
            raise
        if type(reply) is ErrorLine and self._source is not None:
            self.notice(connection, from_line(str(reply)))
        return reply

    def resize(self, limit: int) -> None:
        """
        Change how many connections there may be. Those there are stay.
        """
        with self._lock:
            self._max_connections = self._state.limit = limit
            self._wake()

    # ------------------------------------------------------------------------------------------- a server that moves

    def follow(self, source: Source) -> None:
        """
        Ask a source for the server at every connect from now on, instead of connecting to a fixed address.
        """
        self._source = source
        self._plain = False

    def due(self) -> bool:
        """
        Tell whether it is time for ``confirm``.
        """
        return self._source is not None and self._source.due()

    def due_at(self) -> float:
        """
        Tell when ``due`` will be true (monotonic seconds); infinity: never, as things are.
        """
        return math.inf if self._source is None else self._source.due_at()

    async def confirm(self, deadline: float) -> None:
        """
        Find out whether the connections still lead to the right server, and close those that do not.
        """
        if self._source is not None and self._source.due():
            await self._source.confirm(deadline)
            self._close_outdated(self._source)

    def misled(self, error: Exception) -> bool:
        """
        Tell whether an error means that the command was not executed, and that it may be at the server there is now.
        """
        return self._source is not None and self._source.misled(error)

    def notice(self, connection: Connection, error: Exception) -> None:
        """
        Learn from an error with which the server answered a command.
        """
        if self._source is not None:
            self._source.reject(connection, error)
            # This server answers, so it will answer the others' commands too: better a refusal than an unknown outcome.
            self._close_outdated(self._source, patient=True)

    def _accepts(self, connection: Connection) -> bool:
        return self._source is None or connection.address in self._source.accepted

    def _close_outdated(self, source: Source, patient: bool = False) -> None:
        """
        Close every connection to an address that is not accepted any more.

        Args:
            source: says what is accepted
            patient: those with callers are only lent to nobody else; otherwise they are closed too: whoever waits there may
                wait for ever, or for something that has no effect
        """
        accepted = source.accepted
        if self._accepted is accepted:
            return
        with self._lock:
            outdated = [
                connection
                for connection in (*self._state.connections(), *self._detached)
                if connection.address not in accepted
            ]
            busy = {*self._state.leased.values(), *self._state.retired}
            if self._state.shared is not None and self._state.shared.users:
                busy.add(self._state.shared)
        for connection in outdated:
            if patient and connection in busy:
                self.retire(connection)
            else:
                self.discard(connection)
        self._accepted = accepted  # not before: what an interruption leaves is looked through again

    # ------------------------------------------------------------------------------------------------------ closing

    def close_unused(self) -> bool:
        """
        Close the connections that nobody uses; True when none is left.
        """
        with self._lock:
            shared, idle = self._state.shared, self._state.idle
            if shared is not None and not shared.users and not shared.channel.pending:
                self.discard(shared)
            while idle:
                # Others may take one from there at any time, which is theirs then.
                unused, idle[LAST] = idle[-1] if idle else None, ()
                if unused is not None:
                    self.discard(unused)
        return not (self._state.size or self._state.retired or self._detached)

    async def close(self) -> None:
        """
        Close every connection. The pool may be used again afterwards.
        """
        here = self._home is None or self._home.here()
        with self._lock:
            self.closings += 1
            connections = [*self._state.connections(), *self._detached]
        # Closed first and forgotten then: what an interrupted close leaves open is found by the next one, or used.
        for connection in connections:
            if here:
                connection.channel.close()
            else:
                connection.channel.close_from_finalizer()  # of an event loop that is gone or runs elsewhere
        with self._lock:
            for connection in connections:
                self._state.forget(connection)
                self._detached.discard(connection)
            self._wake(all_of_them=True)
        self._home, self._plain = None, False
        if here:
            await rt.close_all(connection.channel for connection in connections)
        if self._source is not None:
            await self._source.close()

    def channels(self) -> Iterator[rt.Channel]:
        """
        Every open channel, for the finalizer of a client that was not closed.
        """
        for connection in (*self._state.connections(), *self._detached):
            if not connection.channel.closed:
                yield connection.channel
        if self._source is not None:
            yield from self._source.channels()

    def forget_parent(self) -> None:
        """
        Start afresh in a forked child, leaving the parent's connections alone.
        """
        rt.keep_inherited((*self._state.connections(), *self._detached))
        self._lock = rt.StateLock()
        self._state = PoolState(self._max_connections, multiplexed=rt.MULTIPLEXED)
        self._detached = weakref.WeakSet()
        self._home, self._plain = None, False

    # ------------------------------------------------------------------------------------------------------- inside

    def bind(self) -> None:
        """
        Belong to the running event loop from now on; every use of a connection goes through here.

        Raises:
            RuntimeError: it belongs to another one
        """
        if self._home is None:
            self._home, self._plain = rt.Home(), rt.ATOMIC and not rt.MULTIPLEXED and self._source is None
        elif not self._home.here():
            raise RuntimeError(
                f"this client belongs to another event loop ({self._home!r}) than the running one ({rt.Home()!r}): "
                "close it there first, or make one client per event loop"
            )

    def _lend(self, ticket: object, exclusive: bool) -> Connection | None:
        """
        Lend what is at hand; None: there is something to wait for, to open or to find out first.
        """
        home, source, state = self._home, self._source, self._state
        if home is None or not home.here() or (source is not None and source.due()):
            return None
        shared = state.shared
        if shared is not None and not exclusive:
            if not shared.channel.takes():
                return None
            shared.users += 1
            return shared
        with self._lock:
            connection = state.lend_idle(ticket, exclusive)
        if connection is not None and connection.channel.stale():
            self.discard(connection)
            return None
        return connection

    async def _obtain(self, ticket: object, exclusive: bool, deadline: float) -> Connection:
        """
        Lend, after whatever that takes. What the ticket holds when this fails is the caller's to ``_surrender``.
        """
        self.bind()
        if self._source is not None and self._source.due():
            await self.confirm(deadline)
        shared = self._state.shared
        if shared is not None and not exclusive and not shared.channel.closed:
            shared.users += 1
            return await self._when_writable(shared, deadline) if shared.channel.congested else shared
        return await self._borrow(ticket, exclusive, deadline)

    def part(self, connection: Connection, error: BaseException) -> None:
        """
        Take back the shared connection from somebody who has failed, or does not wait any more.
        """
        if isinstance(error, RequestTimeoutError):
            self.retire(connection)  # slow or dead? Others had better not wait to find out
        self.release(connection)

    def _recover(self, ticket: object, connection: Connection | None, error: BaseException) -> None:
        """
        Take back what was lent to somebody who has failed.
        """
        if connection is not None and connection.users:
            self.part(connection, error)
        else:
            self._surrender(ticket)

    def _put_away(self, lent: Connection | None) -> None:
        """
        Close what was lent without a ticket. If that was given back already, whoever waits for it may not know yet.
        """
        if lent is not None:
            self.discard(lent)
        elif self._state.waiting:
            with self._lock:
                self._wake()

    def _surrender(self, ticket: object) -> None:
        """
        Take back whatever a borrower has by now; a connection is closed, for nobody knows what is under way on it.
        """
        with self._lock:
            held = self._state.surrender(ticket)
            self._wake()
        if held is not None:
            held.channel.close()

    async def _borrow(self, ticket: object, exclusive: bool, deadline: float) -> Connection:
        pool_deadline = 0.0  # known when there is something to wait for
        arrival: int | None = None
        while True:
            waiter: rt.Event | None = None
            shared = self._state.shared
            unused = shared is not None and not shared.users
            with self._lock:
                empty = not self._state.idle
                connection = self._state.request(
                    ticket,
                    exclusive,
                    unused and shared is not None and not shared.channel.pending,
                    arrival is not None,
                )
                if connection is Verdict.WAIT:
                    waiter = rt.Event()
                    arrival = self._state.line_up(waiter, ticket, arrival)
                    if empty and self._state.idle and self._state.leave(waiter):
                        continue  # given back before we were seen to wait for it
            if isinstance(connection, Connection):
                if not connection.channel.stale():
                    if connection is self._state.shared:
                        connection.users += 1
                        with self._lock:
                            self._wake()  # it may have been idle: from now on it is there for all of them
                        return await self._when_writable(connection, deadline)  # many may have waited for it
                    return connection
                self.discard(connection)
            elif waiter is None:
                return await self._connect(deadline, ticket)
            else:
                pool_deadline = pool_deadline or min(deadline, _after(self._options.times.pool))
                # Replies that nobody waits for any more may be all that is in the way, and nobody tells when they have come.
                # What is idle is left to somebody who was overtaken: whatever becomes of them, it does not stay so.
                again = unused or self._state.idle
                await self._wait(waiter, pool_deadline, min(pool_deadline, rt.now() + 0.02) if again else pool_deadline)

    async def _watch(self, started: rt.Started, deadline: float) -> Reply:
        """
        Wait for the last reply to an ordinary command, not longer than its server is the right one.

        One that hangs and has been replaced will not answer in time, or something that has no effect: when the source says so,
        the connections to it are closed, which ends the request. A blocking command is not watched like this: it takes its time
        at a healthy server too, and there it is better refused, when that steps down, than lost.
        """
        patience = rt.now() + SLOW_SECONDS
        while True:
            try:
                return (await started.result(min(deadline, max(patience, self.due_at()))))[-1]
            except RequestTimeoutError:
                if rt.now() >= deadline:
                    raise
            try:
                await self.confirm(deadline)
            except ConnectionError:
                pass  # the client was closed, this connection too: that knows whether the command may have run

    async def _when_writable(self, shared: Connection, deadline: float) -> Connection:
        try:
            if shared.channel.congested:
                await shared.channel.writable(deadline)
        except BaseException:  # cancelled as well
            self.release(shared)
            raise
        return shared

    async def _connect(self, deadline: float, ticket: object) -> Connection:
        """
        Open a connection: for the borrower with this ticket, or detached when there is none.
        """
        closings = self.closings
        if self._source is None:
            connection = await open_connection(self._options, min(deadline, _after(self._options.times.connect)))
        else:
            connection = await self._source.open(self._options, deadline)
        with self._lock:
            wanted = closings == self.closings
            if wanted and ticket is None:
                self._detached.add(connection)
            elif wanted:
                self._state.opened(ticket, connection)
                if connection is self._state.shared:
                    connection.users += 1
                self._wake()
        if not wanted:
            connection.channel.close()
            raise ConnectionLostError("the client was closed")
        if self._source is not None:
            self._close_outdated(self._source)
            if not self._accepts(connection):  # another task or thread has just heard better
                self.discard(connection)
                raise ConnectionLostError(f"{connection.address} has just been replaced")
        return connection

    async def _wait(self, waiter: rt.Event, deadline: float, until: float) -> None:
        try:
            if not await waiter.wait(until):
                if until < deadline:
                    with self._lock:
                        self._state.leave(waiter)
                    return
                raise PoolTimeoutError(
                    f"all {self._max_connections} connections are in use and none became free in time: "
                    "raise max_connections or pool_timeout"
                )
        except BaseException:  # cancelled or interrupted as well: pass on a wake-up that comes too late for us
            with self._lock:
                if not self._state.leave(waiter):
                    self._wake()
            raise

    def _wake(self, all_of_them: bool = False) -> None:
        """
        Let the longest waiting ask again. The lock is held.
        """
        waiting = self._state.waiting
        everybody = all_of_them or self._state.shared is not None
        while waiting:
            waiting.popleft()[1].set()
            if not everybody:
                return


def _stepped_down(reply: Reply) -> bool:
    """
    Tell whether a server becomes a replica: it says so to those who wait and then closes, so the next command would be lost.
    """
    return type(reply) is ErrorLine and str(reply).startswith("UNBLOCKED")


def _after(seconds: float | None) -> float:
    return math.inf if seconds is None else rt.now() + seconds
