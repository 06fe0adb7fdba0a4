"""
A small simulated world for one call at a time: a server in memory, its network, and nothing that happens by chance.

One thing can go wrong, at a place that is counted: a call is cancelled where it waits for the n-th time, or the connection
breaks when so many bytes have arrived.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from random import Random
from types import coroutine
from typing import Any, Final, Self

import coredis
import coredis.sync
from tests.support.memory.cluster import MemoryCluster
from tests.support.memory.personality import REDIS_8_6, Personality
from tests.support.memory.server import MemoryServer
from tests.support.simulation.clock import replaced
from tests.support.simulation.loop import SteppedLoop
from tests.support.simulation.network import Link, Network
from tests.support.simulation.sockets import Sockets

MOST_STEPS: Final = 20_000
START: Final = 1_000.0
EPOCH: Final = 1_700_000_000_000


class CuttingNetwork(Network):
    """
    A network that breaks a connection when so many bytes have come from the server.

    Attributes:
        left: bytes until then; None: never
    """

    left: int | None = None

    def _carry_inward(self, link: Link) -> None:
        if self.left is None or not link.inward:
            super()._carry_inward(link)
            return
        assert link.client is not None
        piece = bytes(link.inward[: self.left])
        del link.inward[: len(piece)]
        self.left -= len(piece)
        if piece:
            link.client.arrived(piece)
        if not self.left:
            self.left = None
            self.reset(link)


class Stage:
    """
    The world.

    Attributes:
        server: as it knows things
        loop: runs the calls
    """

    def __init__(self, personality: Personality = REDIS_8_6, primaries: int = 0) -> None:
        """
        Args:
            personality: of the servers
            primaries: of a cluster; 0: there is one server
        """
        self.random = Random(0)
        self.server: MemoryServer | MemoryCluster
        if primaries:
            self.server = MemoryCluster(personality, primaries=primaries, now=EPOCH)
        else:
            self.server = MemoryServer(personality, now=EPOCH)
        self.network = CuttingNetwork(self.server, self.random)
        self.loop = SteppedLoop(START)
        self.loop.dialer = self.network
        self.clients: list[Any] = []

    @contextmanager
    def open(self) -> Iterator[Self]:
        """
        Be the world until the end of the block; then everything is closed, and nothing may be left.
        """
        with replaced(self.loop, lambda: 0.5), Sockets(self).installed():
            try:
                yield self
            finally:
                self.network.left = None
                for client in self.clients:
                    self.run(client.close())
                self.settle()
            assert {} == self.server.connections, "connections are left open"
            assert [] == self.loop.mishaps

    def client(self, blocking: bool = False, **options: Any) -> Any:
        """
        Make a client.
        """
        flavour: Any = coredis.sync if blocking else coredis
        if isinstance(self.server, MemoryCluster):
            client = flavour.RedisCluster(
                "server", self.server.nodes[0].port, address_map=lambda announced: ("server", announced[1]), **options
            )
        else:
            client = flavour.Redis("server", **options)
        self.clients.append(client)
        return client

    def command(self, *words: bytes) -> None:
        """
        Have the server do something, past all clients.
        """
        self.server.command(*words)

    def run(self, call: Any) -> Any:
        """
        Run a call to its end and give what it returns; one of the blocking flavour has ended already.
        """
        return self.finish(self.start(call)) if inspect.iscoroutine(call) else call

    def start(self, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """
        Begin a call.
        """
        return self.loop.create_task(call)

    def finish(self, task: asyncio.Task[Any]) -> Any:
        """
        Let the world go on until a call has ended.
        """
        assert self.wait(task.done, None)
        return task.result()

    def cancelled(self, call: Coroutine[Any, Any, Any], point: int, late: bool) -> tuple[bool, Any]:
        """
        Run a call and cancel it where it waits for the n-th time.

        Args:
            call: what to run
            point: n, counted from 0
            late: cancel it when what it waits for has come, and it has not gone on yet

        Returns:
            whether it got there; and what it returned, None if it was cancelled
        """
        watched = _Watched(call, point, late)
        task = watched.task = self.start(watched.run())
        try:
            return watched.reached, self.finish(task)
        except asyncio.CancelledError:
            return watched.reached, None

    def let_pass(self, seconds: float) -> None:
        """
        Let time pass while nothing moves.
        """
        now = self.loop.now + seconds
        self.server.advance(EPOCH + int((now - START) * 1000 + 0.5))
        self.loop.advance(now)

    def settle(self) -> None:
        """
        Let everything arrive that is on its way.
        """
        self.wait(lambda: not (self.loop.ready or self.network.busy() or self.network.dialing), None)

    # ------------------------------------------------------------------------------- as the simulated sockets need it

    def wait(self, awaited: Callable[[], bool], seconds: float | None) -> bool:
        """
        Let the world go on until something holds; False: the time was up.
        """
        deadline = math.inf if seconds is None else self.loop.now + seconds
        for _ in range(MOST_STEPS):
            if awaited():
                return True
            if self.loop.now >= deadline:
                return False
            self._step(deadline)
        raise AssertionError("nothing comes to an end")

    def draw(self, most: int) -> int:
        """
        Choose how many bytes go at once: all of them.
        """
        return most

    def _step(self, deadline: float) -> None:
        if self.loop.step():
            return
        if self.network.dialing:
            self.network.accept()
        elif links := self.network.busy():
            self.network.carry(links[0])
        else:
            times = [deadline, self.loop.next_timer() or math.inf]
            event = self.server.next_event()
            if event is not None:
                times.append(START + (event - EPOCH) / 1000)
            now = min(times) if min(times) < math.inf else self.loop.now + 1.0
            self.let_pass(now - self.loop.now)


class _Watched:
    """
    A call whose waits are counted.
    """

    task: asyncio.Task[Any]

    def __init__(self, call: Coroutine[Any, Any, Any], point: int, late: bool) -> None:
        self._call = call
        self._point = point
        self._late = late
        self.reached = False

    async def run(self) -> Any:
        return await self._counted()

    @coroutine
    def _counted(self) -> Generator[Any, Any, Any]:
        waits = 0
        error: BaseException | None = None
        while True:
            try:
                waiting = self._call.send(None) if error is None else self._call.throw(error)
            except StopIteration as stop:
                return stop.value
            if waits == self._point:
                self.reached = True
                self._cancel(waiting)
            waits += 1
            error = None
            try:
                yield waiting
            except BaseException as raised:  # given to the call
                error = raised

    def _cancel(self, waiting: asyncio.Future[Any] | None) -> None:
        if self._late and waiting is not None:
            # Called before the task is told, because it asked first.
            waiting.add_done_callback(lambda _: self.task.cancel())
        else:
            self.task.get_loop().call_soon(self.task.cancel)
