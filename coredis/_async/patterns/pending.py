"""
What a member of a group can do about its pending entries: acknowledge them, renew their leases, hand them back.

Source: https://redis.io/docs/latest/develop/data-types/streams/#consumer-groups
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, AnyStr, Final, Generic

from coredis._core.consumer.held import Held, Key
from coredis._core.consumer.parameters import RELEASED_IDLE, encode_name
from coredis._core.consumer.reads import Membership
from coredis._runtime import aio as rt
from coredis.exceptions import AuthorizationError, ConnectionError, ReplyError, StreamConsumerGroupError
from coredis.tokens import PureToken
from coredis.types import StreamPendingExt

if TYPE_CHECKING:
    from coredis._async.patterns.host import ConsumerHost

_PAGE: Final = 1000


class PendingEntries(Generic[AnyStr]):
    """
    The pending entries of one member of a group.
    """

    def __init__(self, client: ConsumerHost[AnyStr], membership: Membership, delete: bool) -> None:
        """
        Args:
            client: whose server has the streams
            membership: who we are
            delete: whether an entry that is acknowledged is deleted from its stream, too
        """
        self._client: ConsumerHost[AnyStr] = client
        self._group = membership.group
        self._consumer = membership.consumer
        self._delete = delete

    async def acknowledge(self, entries: Mapping[bytes, tuple[bytes, ...]]) -> int:
        """
        Acknowledge entries, by stream.

        Returns:
            how many of them were pending in the group

        Raises:
            ConnectionError: it is not known which ones were acknowledged; it can be done again
        """
        if self._delete:
            return await self._acknowledge_and_delete(entries)
        if len(entries) > 1:
            pipeline = self._client.pipeline(transaction=False)
            handles = [pipeline.xack(name, self._group, identifiers) for name, identifiers in entries.items()]
            try:
                await pipeline.execute()
                return sum(handle.result() for handle in handles)
            except ConnectionError:
                pass  # once more, each with the patience of a single command: a second time changes nothing
        return sum([await self._client.xack(name, self._group, found) for name, found in entries.items()])

    async def _acknowledge_and_delete(self, entries: Mapping[bytes, tuple[bytes, ...]]) -> int:
        total = 0
        at_once = await self.has("XACKDEL")
        for name, identifiers in entries.items():
            if at_once:
                # -1: it was not pending. 2: acknowledged, and kept for other groups.
                codes = await self._client.xackdel(name, self._group, identifiers, condition=PureToken.ACKED)
                total += sum(code > 0 for code in codes)
            else:
                pipeline = self._client.pipeline(transaction=True)
                acknowledged = pipeline.xack(name, self._group, identifiers)
                pipeline.xdel(name, identifiers)
                await pipeline.execute()
                total += acknowledged.result()
        return total

    async def renew(self, held: Held, age: float, idle: int, outstanding: Callable[[], bool]) -> int:
        """
        Renew leases, so that nobody takes over what is held here.

        Args:
            held: what is held; entries that others have taken over are moved to ``held.lost``
            age: of the leases to renew, in seconds
            idle: milliseconds after which others take over
            outstanding: tells whether a read that may have pending entries is under way (see ``Held.let_go``)

        Returns:
            how many entries have been taken over by others
        """
        taken_over = 0
        for renewal in held.renewals(rt.now(), age, idle):
            asked = rt.now()
            try:
                kept = await self._client.xclaim(
                    renewal.name, self._group, self._consumer, renewal.min_idle, renewal.identifiers, justid=True
                )
            except StreamConsumerGroupError:
                # The group is gone, and with it what was pending there: nothing is left to renew, and nobody else has it.
                held.let_go(renewal.name, renewal.identifiers, outstanding())
                raise
            still = {self._encoded(identifier) for identifier in kept}
            refused = [identifier for identifier in renewal.identifiers if identifier not in still]
            pending = await self._ask(renewal.name, refused) if refused else []
            # Ours, and touched later than we know of: by a read of pending entries, or by another renewal at the same time.
            still |= await self._claim_again(
                renewal.name, [entry for entry in pending if self._encoded(entry.consumer) == self._consumer]
            )
            # What is pending no more was acknowledged without our knowing, or the group was made anew: nobody else has it.
            elsewhere = {self._encoded(entry.identifier) for entry in pending} - still
            gone = [found for found in refused if found not in still and found not in elsewhere]
            held.let_go(renewal.name, gone, outstanding())
            held.renewed(renewal, still, asked)  # the reply may have been on its way for long
            taken_over += len(elsewhere)
        return taken_over

    async def deliveries(self, keys: Iterable[Key]) -> dict[Key, int | None]:
        """
        Ask how often entries have been delivered; None: to somebody else. Those that are not pending are left out.
        """
        pipeline = self._client.pipeline(transaction=False)
        handles = {key: pipeline.xpending(key[0], self._group, key[1], key[1], 1) for key in keys}
        await pipeline.execute()
        return {
            key: entry.delivered if self._encoded(entry.consumer) == self._consumer else None
            for key, handle in handles.items()
            for entry in handle.result()
        }

    async def count(self, fetched: Mapping[bytes, tuple[bytes, bytes]], most: int) -> int | None:
        """
        Ask how many entries of these streams are pending for this member; None: we may not ask.

        Args:
            fetched: by stream, after which entry and up to which one the member has fetched: what is pending before that is of
                earlier lives, and after it not fetched yet. Neither counts, unless there would be too much to go through
            most: more need not be counted
        """
        page = most if most <= _PAGE else max(1, _PAGE // len(fetched))
        ranges = self._client.pipeline(transaction=False, raise_on_error=False)
        lists = {
            name: ranges.xpending(name, self._group, b"(" + after, last, page, consumer=self._consumer)
            for name, (after, last) in fetched.items()
        }
        await ranges.execute()
        total = 0
        summaries = self._client.pipeline(transaction=False, raise_on_error=False)
        handles = []
        for name, some in lists.items():
            if isinstance(some.error, AuthorizationError):
                return None
            if isinstance(some.error, StreamConsumerGroupError):
                continue  # it has vanished, and nothing is pending there
            number = len(some.result())
            if number < page or page == most:
                total += number
            else:
                handles.append(summaries.xpending(name, self._group))
        if handles:
            await summaries.execute()
        for handle in handles:
            if isinstance(handle.error, StreamConsumerGroupError):
                continue
            members = handle.result().consumers
            total += sum(count for name, count in members.items() if self._encoded(name) == self._consumer)
        return total

    async def next_idle(self, positions: Mapping[bytes, bytes], idle: int) -> dict[bytes, bytes | None]:
        """
        Ask which entry is the next that has been idle for so long, whoever has it, by stream; None: there is none.

        Args:
            positions: from where on, by stream
            idle: milliseconds
        """
        pipeline = self._client.pipeline(transaction=False, raise_on_error=False)
        handles = {
            name: pipeline.xpending(name, self._group, position, b"+", 1, idle=idle)
            for name, position in positions.items()
        }
        await pipeline.execute()
        found: dict[bytes, bytes | None] = {}
        for name, handle in handles.items():
            if not isinstance(handle.error, ReplyError):  # the group has vanished, or we may not ask
                entries = handle.result()
                found[name] = self._encoded(entries[0].identifier) if entries else None
        return found

    async def hand_back(self, name: bytes, identifiers: Iterable[bytes], idle: int | None, silent: bool) -> int:
        """
        Give entries back to the group, for whoever takes over; those that are not ours (any more) are left alone.

        Args:
            name: the stream
            identifiers: of the entries
            idle: milliseconds they are said to have been idle; None: for so long that anybody may take over
            silent: as if they had not been delivered; otherwise the delivery counts stay

        Returns:
            how many were given back
        """
        pipeline = self._client.pipeline(transaction=False)
        handles = [
            pipeline.xpending(name, self._group, identifier, identifier, 1, consumer=self._consumer)
            for identifier in identifiers
        ]
        await pipeline.execute()
        return await self._release(name, [pending for handle in handles for pending in handle.result()], idle, silent)

    async def keep(self, name: bytes, identifiers: Iterable[bytes]) -> set[bytes]:
        """
        Renew leases of entries that may be ours.

        Returns:
            those that are
        """
        pending = await self._ask(name, identifiers)
        return await self._claim_again(
            name, [entry for entry in pending if self._encoded(entry.consumer) == self._consumer]
        )

    async def hand_back_all(self, name: bytes) -> int:
        """
        Give back every pending entry of this member, as if it had not been delivered.
        """
        start, total = b"-", 0
        while True:
            page = await self._client.xpending(name, self._group, start, b"+", _PAGE, consumer=self._consumer)
            total += await self._release(name, page, None, silent=True)
            if len(page) < _PAGE:
                return total
            start = b"(" + self._encoded(page[-1].identifier)

    async def _release(
        self, name: bytes, pending: Iterable[StreamPendingExt[AnyStr]], idle: int | None, silent: bool
    ) -> int:
        found = list(pending)
        if not found:
            return 0
        if idle is None and await self.has("XNACK"):
            mode = PureToken.SILENT if silent else PureToken.FAIL
            return await self._client.xnack(name, self._group, mode, [entry.identifier for entry in found])
        pipeline = self._client.pipeline(transaction=False)
        handles = [
            # It has been idle for at least as long as the server just said, unless somebody has taken it over since.
            pipeline.xclaim(
                name,
                self._group,
                self._consumer,
                entry.idle,
                [entry.identifier],
                idle=RELEASED_IDLE if idle is None else idle,
                retrycount=max(0, entry.delivered - 1) if silent else None,
                justid=True,
            )
            for entry in found
        ]
        await pipeline.execute()
        return sum(len(handle.result()) for handle in handles)

    async def _ask(self, name: bytes, identifiers: Iterable[bytes]) -> list[StreamPendingExt[AnyStr]]:
        """
        Ask what is pending of these entries, whoever has it.
        """
        pipeline = self._client.pipeline(transaction=False)
        handles = [pipeline.xpending(name, self._group, identifier, identifier, 1) for identifier in identifiers]
        await pipeline.execute()
        return [entry for handle in handles for entry in handle.result()]

    async def _claim_again(self, name: bytes, pending: list[StreamPendingExt[AnyStr]]) -> set[bytes]:
        """
        Renew leases of entries that were ours a moment ago.

        Returns:
            those that still are
        """
        if not pending:
            return set()
        pipeline = self._client.pipeline(transaction=False)
        handles = [
            pipeline.xclaim(name, self._group, self._consumer, entry.idle, [entry.identifier], justid=True)
            for entry in pending
        ]
        await pipeline.execute()
        return {self._encoded(identifier) for handle in handles for identifier in handle.result()}

    async def has(self, command: str, option: str | None = None) -> bool:
        """
        Tell whether the server has a command or an option; where it does not say, it is done without.
        """
        try:
            return await self._client.supports(command, option)
        except ReplyError:
            return False

    def _encoded(self, value: object) -> bytes:
        return encode_name("reply", value, self._client.encoding)  # type: ignore[arg-type]
