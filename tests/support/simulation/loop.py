"""
What asyncio needs of an event loop, driven by hand: each call of ``step`` runs one callback, and time passes when told.

Tasks and futures are asyncio's own, so a cancellation means here exactly what it means to an application.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Protocol


class Dialer(Protocol):
    """
    Opens connections.
    """

    async def open(
        self, factory: Callable[[], asyncio.Protocol], owner: str, port: int
    ) -> tuple[Any, asyncio.Protocol]: ...


class SteppedLoop(asyncio.AbstractEventLoop):
    """
    An event loop without a loop.

    Attributes:
        now: seconds
        ready: callbacks that can run, in order
        mishaps: what reached the exception handler: a simulation should end with none
    """

    def __init__(self, now: float) -> None:
        self.now = now
        self.ready: deque[asyncio.Handle] = deque()
        self.mishaps: list[dict[str, Any]] = []
        self.dialer: Dialer | None = None
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timer_count = 0
        self._closed = False

    # ------------------------------------------------------------------------------------------------------- driving

    def step(self) -> bool:
        """
        Run the next callback; False: there is none.
        """
        while self.ready:
            handle = self.ready.popleft()
            if not handle.cancelled():
                handle._run()
                return True
        return False

    def next_timer(self) -> float | None:
        """
        When the next timer is due; None: there is none.
        """
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def advance(self, now: float) -> None:
        """
        Let time pass; what is due is ready then.
        """
        self.now = max(self.now, now)
        while self._timers and self._timers[0][0] <= self.now:
            _, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled():
                self.ready.append(timer)

    def close(self) -> None:
        """
        Run nothing any more.
        """
        self._closed = True
        self.ready.clear()
        self._timers.clear()

    # By this it is known that no task runs the loop (see ``Channel._resume``). Nothing calls it.
    run_forever = asyncio.BaseEventLoop.run_forever

    # ------------------------------------------------------------------------------------- what asyncio asks of a loop

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self._closed

    def is_closed(self) -> bool:
        return self._closed

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # nothing here has threads

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timer_count += 1
        heapq.heappush(self._timers, (when, self._timer_count, timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # it is skipped when its turn comes

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.mishaps.append(context)

    async def create_connection(
        self, protocol_factory: Callable[[], asyncio.Protocol], host: Any = None, port: Any = None, **options: Any
    ) -> tuple[Any, asyncio.Protocol]:
        assert self.dialer is not None
        return await self.dialer.open(protocol_factory, host, port)


class NestingLoop(SteppedLoop):
    """
    As if nest_asyncio had changed it: tasks go on in a turn of their own.
    """

    def run_forever(self) -> None:
        raise NotImplementedError
