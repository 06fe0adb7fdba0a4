"""
Many commands on their way over one connection: in chunks, two of them in flight, the replies handed on as they come.

Begin on several connections and then finish each, and all the nodes work at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from coredis._core.command import Reply
from coredis._core.transaction import chunks
from coredis._runtime import aio as rt
from coredis.exceptions import ConnectionError, RequestTimeoutError

_AHEAD: Final = 2


class Transfer:
    """
    Encoded commands, and what has become of them.

    Args:
        channel: that carries them
        payloads: the commands
        take: called with replies, in the order of the commands
        deadline: when to give up

    Attributes:
        begun: how many commands were handed to the channel; what follows has certainly not run
        taken: how many have been answered
    """

    def __init__(
        self, channel: rt.Channel, payloads: Sequence[bytes], take: Callable[[Sequence[Reply]], None], deadline: float
    ) -> None:
        self.begun = 0
        self.taken = 0
        self._channel = channel
        self._chunks = chunks(payloads)
        self._take = take
        self._deadline = deadline
        self._ahead: list[rt.Started] = []

    async def begin(self) -> None:
        """
        Send the first chunks.

        Raises:
            ConnectionError, RequestTimeoutError: what has been answered by then has been taken
        """
        try:
            await self._send()
        except (ConnectionError, RequestTimeoutError) as error:
            self._salvage(error)
            raise

    async def finish(self) -> None:
        """
        Send the others and wait for all replies.

        Raises:
            ConnectionError, RequestTimeoutError: what has been answered by then has been taken
        """
        try:
            await self._send()
            while self._ahead:
                replies = await self._ahead[0].result(self._deadline)
                del self._ahead[0]
                self._hand_on(replies)
                await self._send()
        except (ConnectionError, RequestTimeoutError) as error:
            self._salvage(error)
            raise

    async def _send(self) -> None:
        while len(self._ahead) < _AHEAD:
            payload, count = next(self._chunks, (b"", 0))
            if not count:
                return
            await self._channel.writable(self._deadline)
            self.begun += count
            try:
                self._ahead.append(self._channel.start(payload, count, self._deadline))
            except (ConnectionError, RequestTimeoutError) as error:
                if not error.may_have_run:
                    self.begun -= count
                raise

    def _hand_on(self, replies: Sequence[Reply]) -> None:
        self.taken += len(replies)
        self._take(replies)

    def _salvage(self, error: ConnectionError | RequestTimeoutError) -> None:
        # Sending may be what failed: what was sent before may have run, and some of its replies may be here.
        error.may_have_run = error.may_have_run or any(request.sent for request in self._ahead)
        for request in self._ahead:
            self._hand_on(request.replies)
        self._ahead = []
