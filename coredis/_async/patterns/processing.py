"""
Process an entry in a block, and acknowledge it at its end.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING, AnyStr, Final, Generic

from coredis.exceptions import RedisError, RequestTimeoutError
from coredis.types import StreamEntry
from coredis.typing import KeyT

if TYPE_CHECKING:
    from coredis._async.patterns.group_consumer import GroupConsumer

logger: Final = logging.getLogger("coredis.streams")


class Processing(Generic[AnyStr]):
    """
    The block that an entry is processed in.
    """

    def __init__(
        self,
        consumer: GroupConsumer[AnyStr],
        stream: KeyT,
        entry: StreamEntry[AnyStr],
        hand_back: bool,
        delay: int | None,
    ) -> None:
        self._consumer: GroupConsumer[AnyStr] = consumer
        self._stream = stream
        self._entry: StreamEntry[AnyStr] = entry
        self._hand_back = hand_back
        self._delay = delay

    async def __aenter__(self) -> StreamEntry[AnyStr]:
        return self._entry

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            try:
                await self._consumer.ack(self._stream, self._entry)
            except BaseException:  # cancelled or interrupted as well
                # It may be pending still, and nobody but us knows of it. With a lease that is renewed it would stay so.
                if not self._consumer.collects:
                    self._consumer.leave(self._stream, self._entry)
                raise
            return
        # Cancelled and interrupted is not failed: that says nothing against the entry.
        self._consumer.leave(self._stream, self._entry, error if isinstance(error, Exception) else None)
        if self._hand_back:
            try:
                await self._consumer.nack(self._stream, self._entry, delay=self._delay)
            except (RedisError, RequestTimeoutError) as failure:
                # What went wrong with the entry matters more; it is still pending here.
                logger.warning("an entry could not be handed back: %s", type(failure).__name__)
