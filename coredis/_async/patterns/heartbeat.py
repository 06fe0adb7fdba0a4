"""
Renew the leases of a consumer while the application is busy with what it got: in a task, or in a thread.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, AnyStr, Final, Generic

from coredis._runtime import aio as rt
from coredis.exceptions import RedisError, RequestTimeoutError

if TYPE_CHECKING:
    from coredis._async.patterns.member import Member

logger: Final = logging.getLogger("coredis.streams")


class Heartbeat(Generic[AnyStr]):
    """
    Beats until it is stopped, its client is closed, or its consumer is gone.
    """

    def __init__(self, consumer: Member[AnyStr], seconds: float) -> None:
        """
        Args:
            consumer: whose leases to renew; it is not kept alive
            seconds: between two beats
        """
        # A strong reference would keep a consumer that was dropped without being closed, and with it its connection.
        self._consumer: Callable[[], Member[AnyStr] | None] = weakref.ref(consumer)
        self._seconds = seconds
        self._closings = consumer.client.closings
        self._stopping = rt.Event()
        self._running = rt.spawn(self._beat)

    async def stop(self) -> None:
        """
        Beat no more.
        """
        self._stopping.set()
        await rt.join(self._running)

    def over(self, consumer: Member[AnyStr]) -> bool:
        """
        Tell whether the client has been closed since.
        """
        return self._closings != consumer.client.closings

    async def _beat(self) -> None:
        while not await self._stopping.wait(rt.now() + self._seconds):
            consumer = self._consumer()
            if consumer is None or self.over(consumer):
                return  # a renewal would open a connection again
            try:
                await consumer.renew()
            except (RedisError, RequestTimeoutError) as error:
                logger.warning("leases could not be renewed: %s", type(error).__name__)
            del consumer
