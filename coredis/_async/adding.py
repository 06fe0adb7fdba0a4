"""
Add many entries to a stream: in batches, two of them in flight, with an outcome for each entry.

What became of the entries, and which may be sent again, is decided in ``_core/batches.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, AnyStr, Final, Generic, TypeAlias

from coredis._async.client import ASKING, Client
from coredis._async.commands.streams import StreamCommands
from coredis._core.additions import StillUnknown
from coredis._core.commands import streams as build
from coredis._core.entries import PackedAddition, addition_packers
from coredis._core.wire import encode
from coredis._runtime import aio as rt
from coredis.exceptions import (
    ConnectionError,
    ConnectionLostError,
    RedisError,
    RequestTimeoutError,
    StreamAdditionError,
)
from coredis.tokens import TokenT
from coredis.types import PairsT, PositionT, StreamAdditions
from coredis.typing import KeyT, StringT, ValueT

if TYPE_CHECKING:
    from coredis._async.pool import Pool
    from coredis._core.batches import Batch, Batches
    from coredis._core.redirects import Route

FieldsT: TypeAlias = Mapping[Any, ValueT] | PairsT

_AHEAD: Final = 2  # batches in flight: the server works on one while the next is being encoded
_SLOW_SECONDS: Final = 0.05  # an iterable that takes longer for a batch does not hold back what it has given


def _shorter(xadd: Callable[..., Any]) -> Any:
    """
    Give the same method, by a shorter way for additions without options, as ``short_xadd`` does for pipelines.
    """

    @wraps(xadd)
    async def short(self: Client[Any], key: KeyT, field_values: dict[StringT, ValueT], **options: object) -> Any:
        if options or type(field_values) is not dict:
            return await xadd(self, key, field_values, **options)
        payload: bytes | None = None
        if self._encoding == "utf-8":
            try:
                payload = addition_packers[len(field_values)](key, field_values)
                if payload is None:
                    words: tuple[ValueT, ...] = "XADD", key, "*"
                    fields = field_values.copy()  # in one go, because others may change it meanwhile
                    payload = encode(sum(fields.items(), words)) if fields else None
            except (LookupError, RuntimeError, TypeError, ValueError):
                pass  # too many, changed by others just now, or a wrong word, which that method names by its parameter
        if payload is None:
            return await xadd(self, key, field_values.copy())
        made: PackedAddition[Any] = PackedAddition()
        made.convert = self.replies.optional_text
        made._key = key
        made._payload = payload
        return await self.issue(made)

    return short


class StreamProducer(Client[AnyStr]):
    """
    What a client has for those who add much.
    """

    if not TYPE_CHECKING:  # which sees the method as it was
        xadd = _shorter(StreamCommands.xadd)

    async def xadd_many(
        self,
        key: KeyT,
        entries: rt.Series[FieldsT],
        *,
        nomkstream: bool = False,
        idmpauto: StringT | None = None,
        trim_strategy: TokenT | None = None,
        threshold: PositionT | None = None,
        trim_operator: TokenT | None = None,
        limit: int | None = None,
        condition: TokenT | None = None,
        on_batch: Callable[[StreamAdditions[AnyStr]], object] | None = None,
    ) -> StreamAdditions[AnyStr]:
        """
        Append many entries to a stream, in their order, as fast as the server takes them.

        They are sent in batches, the next one while the server works on the last. It is no transaction: entries of others may
        come in between. What a failover or a moving slot refuses is sent again, with all after it, and sentinels are asked
        between batches as between commands. At anything else that goes wrong the call ends; up to two batches are on their way
        then, so entries after the one concerned may have been added. A batch must be answered within
        ``stream_timeout``; for all of them together there is no limit.

        Args:
            key: the stream, which is made if need be
            entries: the fields of each: a mapping of names to values, or (name, value) pairs. Taken as they are sent, so
                there need not be an end to them. Some are taken at a time, at first 1, then 2, 4 and so on, and those are
                sent when all of them have come: one that is slow in coming may hold back those just before it
            nomkstream: as in ``xadd``
            idmpauto: as in ``xadd``. Batches are small then (32 entries), so that the server remembers all that is on its
                way, and are sent again by themselves after a lost connection
            trim_strategy: as in ``xadd``
            threshold: as in ``xadd``
            trim_operator: as in ``xadd``
            limit: as in ``xadd``
            condition: as in ``xadd``
            on_batch: called with the outcomes of each batch as soon as they are known, and not kept after that. Every entry
                that was taken is told of, in order, also when the call ends with an error or is interrupted (in the middle of
                this very function, the same is told again). It may be a coroutine function in the asynchronous flavour only

        Returns:
            the identifiers, in the order of the entries; with ``on_batch`` what it has not been told, which is nothing

        Raises:
            TypeError, ValueError, CommandSyntaxError: wrong arguments other than an entry; nothing was sent
            StreamAdditionError: an entry was not added, or may not have been: refused by the server, without an answer, or not
                to be encoded (a value of a wrong type, or it raised something itself; it was not sent). ``additions`` has the
                outcome of each entry that was taken and not told of before. Its cause is the first error
            Exception: what the iterable raised, after all that it gave before was added; a note says how many that were

        Source: https://redis.io/docs/latest/commands/xadd/
        """
        if isinstance(entries, Mapping | str | bytes) or not isinstance(entries, rt.SERIES):
            raise TypeError(f"entries: expected several entries, got {type(entries).__name__}")
        if on_batch is not None and not callable(on_batch):
            raise TypeError(f"on_batch: expected a function, got {type(on_batch).__name__}")
        command = build.add(
            self.replies,
            key,
            build.LATER,
            None,
            nomkstream,
            idmpauto,
            None,
            trim_strategy,
            threshold,
            trim_operator,
            limit,
            condition,
        )
        from coredis._core.batches import Batches  # who adds one at a time does not wait for it

        job = _Job(Batches(command, self.encoding), rt.Feed(entries), self.way(command), on_batch)
        batches, feed = job.batches, job.feed
        try:
            await self._add(job)
            batches.give_up(feed.held)
            if command.requires:
                for position, error in batches.errors.items():
                    batches.errors[position] = await self.explain(command, error)
        except BaseException as interruption:  # cancelled or interrupted as well: what is known is told all the same
            batches.failure = interruption
            batches.give_up(feed.held)
            interruption.add_note(_summary(batches.outcome()))
            await job.tell()
            raise
        outcome = batches.outcome()
        await job.tell()
        if outcome.errors:
            raise StreamAdditionError(outcome) from next(iter(outcome.errors.values()))
        if feed.failure is not None:
            feed.failure.add_note(_summary(outcome))
            raise feed.failure
        return batches.outcome()

    async def _add(self, job: _Job[AnyStr]) -> None:
        """
        Send everything, and again what may be sent again. Returns when all is added, or no more can be.
        """
        batches, route = job.batches, job.route
        attempt, closings = 0, self.closings
        while True:
            settled = batches.settled
            if await self._carry(job):
                return
            error = batches.conclude()
            if error is None or closings != self.closings:
                return
            if batches.settled > settled:
                attempt = 0
                if route is not None:
                    route.arrived()
            first = batches.outstanding[0]
            assert first.deadline is not None
            remaining = first.deadline - rt.now()
            if route is None:
                refused = self._pool.misled(error)
                pause = self._retry_policy.decide(error, batches.command, attempt, remaining, rt.random(), refused)
            else:
                pause = self.consider(route, error, batches.command, attempt, remaining)
            if pause is None:
                return
            await rt.sleep(pause)
            doubt = first.errors[0]  # of this attempt or an earlier one
            if getattr(doubt, "may_have_run", False) and batches.addition is not None and first.turn is not None:
                try:
                    await self._check_memory(batches.addition, first.turn, ConnectionError(str(doubt)))
                except (RedisError, StillUnknown):
                    return
            attempt += 1

    async def _carry(self, job: _Job[AnyStr]) -> bool:
        """
        Send on one connection until there is no more, or something is in the way.

        Returns:
            False: it is; ``conclude`` tells what
        """
        batches = job.batches
        batches.failure = None
        if not await self._fill(job, 0):
            return True
        first = batches.outstanding[0]
        if first.deadline is None:
            first.deadline = self._limit()
        pool = self._pool if job.route is None else None
        try:
            if pool is None:
                assert job.route is not None
                pool = await self._reach(job.route, first.deadline)
            # Where others send too, a command of theirs could get between ASKING and the command it is for.
            asking = job.route is not None and job.route.asking
            connection = await pool.acquire(asking, first.deadline)
        except RedisError as error:
            batches.failure = error
            return False
        held = True
        try:
            try:
                if await self._send(job, pool, connection.channel, asking):
                    return True
            except RequestTimeoutError as error:
                pool.retire(connection)
                batches.failure = error
            except ConnectionError as error:
                batches.failure = error
            finally:
                pool.release(connection)
                held = False
        except BaseException:
            if held:  # interrupted on the way into release, which knew nothing of it
                pool.discard(connection)
            raise
        answer = batches.first_error() if batches.failure is None else None
        if answer is not None:
            pool.notice(connection, answer)
        return False

    async def _send(self, job: _Job[AnyStr], pool: Pool, channel: rt.Channel, asking: bool) -> bool:
        """
        Keep two batches in flight until there is no more; False: an entry was not added, and nothing is in flight any more.
        """
        batches = job.batches
        ahead = 0
        while await self._fill(job, ahead) or ahead:
            full = True
            if len(batches.outstanding) > ahead:
                batch = batches.outstanding[ahead]
                if batch.deadline is None:
                    batch.deadline = self._limit()
                if pool.due():
                    # With nothing in flight, for it may close the connection.
                    if not await self._settle(job, ahead, ahead):
                        return False
                    ahead = 0
                    await pool.confirm(batch.deadline)
                # Ended before it was used, which the entries may have given much time for, it has carried nothing.
                if not ahead and channel.stale():
                    batches.failure = ConnectionLostError("the connection was closed before anything was sent")
                    return False
                full = not batches.room() or len(batches.outstanding) > ahead + 1
                await self._begin(batches, batch, channel, asking)
                ahead += 1
                if full and ahead < _AHEAD:
                    continue
            # What is slow in coming is waited for with nothing in flight, so that what is known is told at once.
            count = 1 if full else ahead
            if not await self._settle(job, ahead, count):
                return False
            ahead -= count
        return True

    async def _begin(self, batches: Batches[AnyStr], batch: Batch, channel: rt.Channel, asking: bool) -> None:
        assert batch.deadline is not None
        if batch.turn is None and batches.addition is not None:
            batch.turn = self.begin(batches.addition, len(batch.payloads))
        await channel.writable(batch.deadline)
        payload = b"".join(batch.payloads)
        batch.replies_each = 1
        if asking:
            payload = ASKING + ASKING.join(batch.payloads)
            batch.replies_each = 2
        expected = batch.replies_each * len(batch.payloads)
        batch.begun = True
        try:
            batch.request = channel.start(payload, expected, batch.deadline)
        except (ConnectionError, RequestTimeoutError) as error:
            batch.begun = error.may_have_run
            raise

    async def _settle(self, job: _Job[AnyStr], ahead: int, count: int) -> bool:
        """
        Wait for the replies to the oldest batches; False: an entry was not added, and nothing is in flight any more.

        Args:
            job: with the batches
            ahead: how many are in flight
            count: how many of them to wait for
        """
        batches = job.batches
        for number in range(count):
            await self._answered(batches.outstanding[0])
            if not batches.settle():
                for batch in batches.outstanding[1 : ahead - number]:
                    await self._answered(batch)
                return False
            if job.on_batch is not None:
                await job.tell()
        return True

    async def _answered(self, batch: Batch) -> None:
        assert isinstance(batch.request, rt.Started) and batch.deadline is not None
        # Taking the entries of the next batch may have lasted, which is not the server's fault.
        await batch.request.result(batch.deadline if batch.errors else self._limit())

    async def _fill(self, job: _Job[AnyStr], ahead: int) -> bool:
        """
        Take entries for the next batch, unless there is one.

        Args:
            job: with its entries
            ahead: how many batches are in flight

        Returns:
            whether there is one
        """
        batches, feed = job.batches, job.feed
        if len(batches.outstanding) > ahead:
            return True
        until = math.inf if feed.whole else rt.now() + _SLOW_SECONDS
        most = 1
        while batches.refused is None and (feed.held or not feed.ended):
            room = batches.room()
            if not room or (batches.outstanding[ahead:] and rt.now() > until):
                break
            if not feed.held:
                await feed.take(min(most, room))
                most *= 2  # a few at first, for they may be slow in coming
            batches.absorb(feed.held)
        return len(batches.outstanding) > ahead

    def _limit(self) -> float:
        request = self._times.request
        return math.inf if request is None else rt.now() + request


def _summary(outcome: StreamAdditions[Any]) -> str:
    not_added, unknown = len(outcome.not_added), len(outcome.unknown)
    return f"xadd_many: of {outcome.end} entries taken {not_added} were not added and {unknown} may have been"


class _Job(Generic[AnyStr]):
    """
    What one call has to do.
    """

    def __init__(
        self,
        batches: Batches[AnyStr],
        feed: rt.Feed[FieldsT],
        route: Route | None,
        on_batch: Callable[[StreamAdditions[AnyStr]], object] | None,
    ) -> None:
        self.batches: Batches[AnyStr] = batches
        self.feed = feed
        self.route = route
        self.on_batch: Callable[[StreamAdditions[AnyStr]], object] | None = on_batch

    async def tell(self) -> None:
        """
        Tell ``on_batch`` what it has not been told.
        """
        if self.on_batch is not None:
            outcome = self.batches.outcome()
            if outcome.identifiers:
                try:
                    await rt.call(self.on_batch, outcome)
                except Exception:
                    self.batches.forget()
                    raise
                # Interrupted before, it is told again: better twice than not at all.
                self.batches.forget()
