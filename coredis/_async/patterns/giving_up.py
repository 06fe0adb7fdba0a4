"""
Give up entries that were delivered too often: to a stream of dead letters, or to the application.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, AnyStr, Generic

from coredis._async.patterns.pending import PendingEntries
from coredis._core.command import Command
from coredis._core.consumer.deadletters import Errors, Suspect, fields
from coredis._core.consumer.reads import Membership
from coredis._runtime import aio as rt
from coredis.exceptions import AuthorizationError
from coredis.tokens import PureToken
from coredis.types import DeadLetter
from coredis.typing import StringT

if TYPE_CHECKING:
    from coredis._async.patterns.host import ConsumerHost


class GivingUp(Generic[AnyStr]):
    """
    Where a group consumer puts what it gives up.

    Attributes:
        destination: the stream of dead letters, encoded; or what to call with each
        most: how often an entry is delivered before that
        errors: what went wrong with entries here
    """

    def __init__(
        self,
        client: ConsumerHost[AnyStr],
        membership: Membership,
        pending: PendingEntries[AnyStr],
        delete: bool,
        most: int,
        destination: bytes | Callable[[DeadLetter[AnyStr]], object],
        names: tuple[StringT, StringT],
    ) -> None:
        """
        Args:
            client: whose server has the streams
            membership: who we are
            pending: our pending entries
            delete: whether the entry is deleted from its stream when it is acknowledged
            most: how often an entry is delivered
            destination: see above
            names: of the group and the consumer, as the application says them
        """
        self._client: ConsumerHost[AnyStr] = client
        self._membership = membership
        self._pending: PendingEntries[AnyStr] = pending
        self._delete = delete
        self.destination: bytes | Callable[[DeadLetter[AnyStr]], object] = destination
        self._names = names
        self.most = most
        self.errors = Errors()

    async def tell(self, suspect: Suspect[AnyStr]) -> None:
        """
        Tell the application of an entry that is to be given up, if that is what becomes of it.

        Raises:
            Exception: what the application's function raised; the entry is not to be given up
        """
        if callable(self.destination):
            await rt.call(self.destination, self._letter(suspect))

    async def bury(self, suspect: Suspect[AnyStr]) -> None:
        """
        Give up one entry, after ``tell``: write what it was unless the application was told, and only then acknowledge it.

        In one transaction where both streams can be in one; otherwise one after the other, so that a crash in between leaves
        two dead letters rather than none.

        Raises:
            ConnectionError: it may have been done; whether the entry is still pending tells
        """
        name, identifier = suspect.key
        letter = self._letter(suspect)
        if callable(self.destination):
            await self._pending.acknowledge({name: (identifier,)})
        elif not self._client.atomic((name, self.destination)) or not await self._bury_at_once(suspect, letter):
            once = await self._pending.has("XADD", "IDMP")
            await self._client.issue(self._addition(self.destination, letter, suspect, once))
            await self._pending.acknowledge({name: (identifier,)})
        self.errors.forget(name, (identifier,))

    async def _bury_at_once(self, suspect: Suspect[AnyStr], letter: DeadLetter[AnyStr]) -> bool:
        """
        Write and acknowledge in one transaction; False when that cannot be done, and nothing was.

        A transaction does not undo the acknowledgement when the letter cannot be written, so the destination is looked at
        before: it is a stream, or nothing yet.
        """
        assert not callable(self.destination)
        name, identifier = suspect.key
        whole = self._delete and await self._pending.has("XACKDEL")
        try:
            await self._client.xlen(self.destination)
        except AuthorizationError:
            return False  # we may write there, and not ask
        pipeline = self._client.pipeline(transaction=True)
        pipeline.issue(self._addition(self.destination, letter, suspect, False))
        if whole:  # what other groups still need is kept
            pipeline.xackdel(name, self._membership.group, [identifier], condition=PureToken.ACKED)
        else:
            pipeline.xack(name, self._membership.group, [identifier])
            if self._delete:
                pipeline.xdel(name, [identifier])
        await pipeline.execute()
        return True

    def _letter(self, suspect: Suspect[AnyStr]) -> DeadLetter[AnyStr]:
        (stream, entry), deliveries = suspect.item, suspect.deliveries
        assert deliveries is not None
        group, consumer = self._names
        return DeadLetter(stream, entry, group, consumer, deliveries, self.errors.name(suspect.key))

    def _addition(
        self, destination: bytes, letter: DeadLetter[AnyStr], suspect: Suspect[AnyStr], once: bool
    ) -> Command[AnyStr]:
        words: tuple[bytes | str | int, ...] = ("XADD", destination)
        if once:
            # The server knows the same letter again, whoever sends it.
            words += ("IDMP", self._membership.group, b"%b %b" % suspect.key)
        words += ("*", *fields(letter, suspect.key, self._membership))
        return Command(words, self._client.replies.text, keys=(1,), idempotent=once)
