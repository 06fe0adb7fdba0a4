"""
The consumer that is a member of a group: what the application can do with it. How it reads is in ``member`` and
``engine``, how it ends in ``leaving``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, AnyStr, ClassVar, Literal

from coredis._async.patterns.giving_up import GivingUp
from coredis._async.patterns.groups import Groups
from coredis._async.patterns.heartbeat import Heartbeat
from coredis._async.patterns.leasing import Lookout
from coredis._async.patterns.leaving import Leaving
from coredis._async.patterns.pending import PendingEntries
from coredis._async.patterns.processing import Processing
from coredis._async.patterns.pruning import prune
from coredis._core import identifiers
from coredis._core.consumer.acknowledgements import Acknowledgements
from coredis._core.consumer.allowance import Allowance
from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.held import Held, Key
from coredis._core.consumer.limits import BUFFERED_BYTES, MAX_UNACKED, REPLY_BYTES
from coredis._core.consumer.parameters import (
    GroupOptions,
    StreamParameters,
    encode_member_name,
    encode_name,
)
from coredis._core.consumer.reads import Membership
from coredis._runtime import aio as rt
from coredis.types import DeadLetter, IdentifierT, PositionT, StreamEntry
from coredis.typing import KeyT, Parameters, StringT

if TYPE_CHECKING:
    from coredis._async.patterns.host import ConsumerHost


class GroupConsumer(Leaving[AnyStr]):
    """
    Reads streams as one member of a consumer group: every entry goes to one member, and is pending there until it is
    acknowledged.

    Acknowledge with ``ack`` or in a ``processing`` block, or have the server take delivery for processing
    (``auto_acknowledge``). What was delivered to a member of this name and not acknowledged comes again with
    ``start_from_backlog``, and goes to others with ``claim_idle``. When a reply may have been lost with a connection, the
    entries in it are read again before new ones.
    """

    DEFAULT_START_ID: ClassVar[bytes] = b">"

    def __init__(
        self,
        client: ConsumerHost[AnyStr],
        streams: Parameters[KeyT],
        group: StringT,
        consumer: StringT,
        buffer_size: int = 0,
        auto_create: bool = True,
        auto_acknowledge: bool = False,
        start_from_backlog: bool = False,
        timeout: int | None = None,
        *,
        group_start: PositionT = "0",
        recover_group: Literal["recreate", "raise"] = "recreate",
        ack: Literal["acknowledge", "delete"] = "acknowledge",
        ack_buffer: int = 0,
        ack_interval: int = 1000,
        claim_idle: int | None = None,
        heartbeat: bool = False,
        max_deliveries: int | None = None,
        dead_letter: KeyT | Callable[[DeadLetter[AnyStr]], object] | None = None,
        on_deleted: Callable[[AnyStr, AnyStr], object] | None = None,
        max_unacked: int | None = MAX_UNACKED,
        parameters: Mapping[KeyT, StreamParameters] | None = None,
        block_slice: int = 5000,
        prefetch: bool = False,
        max_buffered_bytes: int = BUFFERED_BYTES,
        max_reply_bytes: int = REPLY_BYTES,
        **stream_parameters: StreamParameters,
    ) -> None:
        """
        Args:
            client: whose server to read from
            streams: their keys
            group: the name of the consumer group
            consumer: the name of this member, not used by another one at the same time
            buffer_size: how many entries of each stream to fetch beyond the next one; they are pending from then on
            auto_create: make the group, and the stream, where they do not exist
            auto_acknowledge: entries count as processed once they are delivered (NOACK): what a crash prevents from being
                processed is lost
            start_from_backlog: first what is pending for this member, then new entries, in each stream
            timeout: milliseconds to wait for an entry when there is none; None, 0 or less: do not wait
            group_start: where a group begins that is made here: ``"0"`` for all entries there are, ``"$"`` for those to
                come, or after an identifier
            recover_group: what to do when the group is gone while reading (the stream was deleted, say): make it again, after
                the last entry received here if the stream still reaches that far; or raise ``StreamConsumerGroupError``,
                once, before the next call does that. With ``auto_create=False`` it is always an error
            ack: what ``ack`` does: acknowledge; or delete the entry from its stream, too (from Redis 8.2 on only when no other
                group needs it any more)
            ack_buffer: how many acknowledgements to collect before they are sent together; 0: each at once. They are sent
                along with the next read, with ``flush`` and when closing, too
            ack_interval: milliseconds after which the next ``ack`` sends what was collected, however little
            claim_idle: take over entries that were delivered to anybody and not acknowledged for so many milliseconds. It must
                be longer than processing an entry ever takes, unless there is a ``heartbeat``, and the same for all members
            heartbeat: renew the leases of what this consumer holds in the background (a task, or a thread), so that
                processing may take longer than ``claim_idle``. Otherwise they are renewed whenever an entry is asked for.
                It ends when the client is closed, until the next read
            max_deliveries: give up an entry that has been delivered so often, by the server's own count
            dead_letter: where it goes then: a stream, or a function (in the asynchronous flavour it may be a coroutine
                function) that is called with a ``DeadLetter``; then it is acknowledged. It happens at least once
            on_deleted: called with stream and identifier of each pending entry that turns out to have been deleted from its
                stream; it is acknowledged in any case. A function as for ``dead_letter``. When it raises, the others are told
                first; then the reading call raises its first error, and loses nothing
            max_unacked: fetch no more while so many entries are not acknowledged, nor handed back; None: however many. There
                may be one more of each further stream. What was acknowledged by other means than this consumer is noticed
                within a second. With ``claim_idle`` each such entry takes 150 to 200 bytes here, otherwise none
            parameters: by name of the stream: ``{"orders:eu": {"identifier": "0"}}`` reads only what is pending for this
                member, after that identifier; when nothing of it is left there is nothing to wait for, whatever ``timeout``
                says. Default: ``">"``
            block_slice: as ``Consumer``
            prefetch: as ``Consumer``; not with ``auto_acknowledge``, where more would be lost in a crash
            max_buffered_bytes: as ``Consumer``
            max_reply_bytes: as ``Consumer``; not with ``auto_acknowledge``, where nothing is cut, for it would be lost
            stream_parameters: as ``parameters``, for streams whose names are Python names

        Raises:
            TypeError, ValueError: no stream, or a bad argument
        """
        super().__init__(
            client,  # type: ignore[arg-type]  # mypy checks this once for str and once for bytes, but not what super() takes
            streams,
            buffer_size,
            timeout,
            parameters=parameters,
            block_slice=block_slice,
            prefetch=prefetch,
            max_buffered_bytes=max_buffered_bytes,
            max_reply_bytes=max_reply_bytes,
            **stream_parameters,
        )
        options = GroupOptions.checked(
            auto_create=auto_create,
            auto_acknowledge=auto_acknowledge,
            start_from_backlog=start_from_backlog,
            recover_group=recover_group,
            ack=ack,
            ack_buffer=ack_buffer,
            ack_interval=ack_interval,
            claim_idle=claim_idle,
            heartbeat=heartbeat,
            max_deliveries=max_deliveries,
            dead_letter=dead_letter,
            on_deleted=on_deleted,
            prefetch=prefetch,
            max_unacked=max_unacked,
            max_reply_bytes=max_reply_bytes,
        )
        if auto_acknowledge:
            self._portions.never_cut()  # what is cut would be lost
        self.group = group
        self.consumer = consumer
        self.auto_create = auto_create
        self.auto_acknowledge = auto_acknowledge
        self.start_from_backlog = start_from_backlog
        self._options = options
        self._membership: Membership = Membership(
            encode_member_name("group", group, client.encoding),
            encode_member_name("consumer", consumer, client.encoding),
            auto_acknowledge,
        )
        self._groups: Groups[AnyStr] = Groups(
            client, self._membership, identifiers.group_start("group_start", group_start), self.statistics
        )
        self._pending: PendingEntries[AnyStr] = PendingEntries(client, self._membership, options.delete)
        self._allowance = Allowance(None if auto_acknowledge else max_unacked)
        self._acknowledgements = Acknowledgements(options.ack_buffer, options.ack_interval / 1000)
        self._on_deleted: Callable[[AnyStr, AnyStr], object] | None = on_deleted
        self._deleted: dict[bytes, list[bytes]] = {}
        self._returning: dict[bytes, list[bytes]] = {}  # what is being handed back while closing
        self._withdrawn: list[tuple[AnyStr, StreamEntry[AnyStr]]] = []  # what is to be, and out of the buffer already
        self._notices: list[Key] = []  # acknowledged away, and not told yet
        self._doubtful: set[bytes] = set()  # the server missed a group, perhaps in one of these streams
        self._unexplained: dict[bytes, float] = {}  # when a read whose reply was lost had been sent, by stream
        self._conflict_told = False
        self._dubious: dict[bytes, bytes] = {}  # streams to be looked through, and after which identifier
        self._held: Held | None = None
        self._heartbeat: Heartbeat[AnyStr] | None = None
        self._renewing: object = None  # who renews leases
        self._deferred = False
        self._not_before = -math.inf  # when leases may be renewed again after that failed
        self._giving_up: GivingUp[AnyStr] | None = None
        if options.claim_idle is not None:
            self._takeover = Takeover(options.claim_idle)
            self._noting = True
        if options.claim_idle is not None or options.max_deliveries is not None:
            self._held = Held()
            self._leases = self._held.leases
            self._lookout = Lookout(self._held)
            self._attended = options.claim_idle is not None
        self._account: Held | None = self._held  # of what has come; see ``_open_account``
        if options.max_deliveries is not None and dead_letter is not None:
            if not callable(dead_letter) and encode_name("dead_letter", dead_letter, client.encoding) in self._cursors:
                raise ValueError(f"dead_letter: {dead_letter!r} is read by this consumer; its letters would come back")
            self._giving_up = GivingUp(
                client,
                self._membership,
                self._pending,
                options.delete,
                options.max_deliveries,
                dead_letter if callable(dead_letter) else encode_name("dead_letter", dead_letter, client.encoding),
                (group, consumer),
            )

    # ------------------------------------------------------------------------------------------------------ acknowledging

    async def ack(self, stream: KeyT, *entries: IdentifierT) -> int:
        """
        Acknowledge entries: they are pending no more.

        Args:
            stream: whose entries
            entries: identifiers, or the entries themselves

        Returns:
            how many of them were pending in the group; with ``ack_buffer``, how many of all that were sent by this call

        Raises:
            TypeError, ValueError: a bad identifier, or one in the place of the stream; nothing was sent
            ConnectionError: it is not known whether they were acknowledged; it can be done again

        Source: https://redis.io/docs/latest/commands/xack/
        """
        collected = self._acknowledgements
        identifier = identifiers.plain(entries)
        if identifier is not None and collected.limit and type(stream) is bytes:
            # As below, for who goes from entry to entry, where every call counts.
            due = collected.add_one(stream, identifier, rt.now())
        else:
            name, found = self._named(stream, entries)
            if not found:
                return 0
            if not collected.limit:
                return await self._acknowledge({name: found})
            due = collected.add(name, found, rt.now())
        if self._allowance.paused:
            self._wake()
        return await self.flush() if due else 0

    @property
    def collects(self) -> bool:
        """
        Whether acknowledgements are collected (``ack_buffer``): what could not be sent is kept then, and sent with what comes
        next.
        """
        return self._acknowledgements.limit > 0

    async def nack(self, stream: KeyT, *entries: IdentifierT, delay: int | None = None) -> int:
        """
        Hand entries back to the group, for any member that takes over (``claim_idle``), this one included. Their delivery
        counts stay as they are.

        Args:
            stream: whose entries
            entries: identifiers, or the entries themselves
            delay: milliseconds after which they may be taken over, at most a day; None: at once. Needs ``claim_idle``. Of a
                longer delay than that this consumer keeps account, with ``renew``: it must go on asking for entries, or have
                a ``heartbeat``. After a crash or when it is closed before, they may be taken over earlier, ``claim_idle``
                after the last renewal

        Returns:
            how many were handed back; those that are not pending for this member (any more) are left alone

        Raises:
            TypeError, ValueError: a bad argument; nothing was sent
            ConnectionError: it is not known which ones were handed back; it can be done again
        """
        idle = self._options.idle_for(delay)
        name, found = self._named(stream, entries)
        if not found:
            return 0
        await self._take_back(name, found)
        held = self._held
        if held is not None and delay is not None and idle is not None and idle < 0:
            began = rt.now()
            kept = await self._pending.keep(name, found)
            held.postpone(name, dict.fromkeys(kept, began), began + delay / 1000)
            self._wake()
            return len(kept)
        if held is not None:
            held.let_go(name, found, outstanding=False)  # before it may come again, even to us
            await self._renewal_over()
        count = await self._pending.hand_back(name, found, idle, silent=False)
        self._settle(count)
        return count

    def processing(
        self, stream: KeyT, entry: StreamEntry[AnyStr], *, hand_back: bool = False, delay: int | None = None
    ) -> Processing[AnyStr]:
        """
        Give a block to process an entry in: at its end the entry is acknowledged. An exception leaves it pending.

        Args:
            stream: of the entry
            entry: the entry; it is also what the block is given
            hand_back: after an exception, hand it back to the group as ``nack`` does
            delay: as ``nack``

        Raises:
            ValueError: a bad delay
        """
        self._options.idle_for(delay)
        return Processing(self, stream, entry, hand_back, delay)

    def leave(self, stream: KeyT, entry: IdentifierT, error: Exception | None = None) -> None:
        """
        Leave an entry pending that could not be processed: its lease is not renewed any more, so it can be taken over once it
        has been idle for ``claim_idle``. ``processing`` does this.

        Args:
            stream: of the entry
            entry: its identifier, or the entry itself
            error: why, to be told if the entry is given up (``dead_letter``)
        """
        name, found = self._named(stream, (entry,))
        if self._held is not None and self._takeover is not None:  # otherwise it is as any other that is pending
            self._held.let_go(name, found, outstanding=False)
            self._wake()
        if self._giving_up is not None and error is not None:
            self._giving_up.errors.note((name, found[0]), error)

    async def prune(self, idle: int) -> list[AnyStr]:
        """
        Delete members of the group that are gone for long: idle and without pending entries, never this one. Whether an
        entry is pending is checked by the server in the same step, so none is lost. A stream that does not exist, or has
        no such group, is passed over.

        Args:
            idle: milliseconds since a member last tried to read. A member that waits for entries looks idle until its wait
                ends, so make it minutes

        Returns:
            their names; one that was deleted in several streams comes once

        Raises:
            ValueError: ``idle`` is less than a minute
            ReplyError: the server does not allow scripts
        """
        return await prune(self.client, self._cursors, self._membership, idle)

    # ------------------------------------------------------------------------------------------------ opening and closing

    async def add_stream(self, stream: KeyT, identifier: PositionT | None = ">") -> bool:
        """
        Read one more stream from now on. As ``Consumer.add_stream``.

        Raises:
            ValueError: besides, it is where dead letters go
        """
        letters = None if self._giving_up is None else self._giving_up.destination
        if letters == encode_name("stream", stream, self.client.encoding):
            raise ValueError(f"stream: {stream!r} is the dead_letter of this consumer; its letters would come back")
        return await super().add_stream(stream, identifier)

    async def close(self, *, release: bool | Literal["all"] = False) -> None:
        """
        Stop reading, send what is left to acknowledge, and close the connection.

        What was fetched already is still served, or given by ``drain``. Otherwise it stays pending for this member; with
        ``auto_acknowledge`` it is nowhere else, and is kept even when the consumer is entered again.

        Args:
            release: hand back to the group what was fetched and not served, as if it had not been delivered, for whoever
                takes over (``claim_idle``); ``"all"``: everything that is pending for this member. With
                ``auto_acknowledge`` nothing is pending, and nothing is handed back. Once this has begun nothing of it is
                served, though closing is cancelled or fails: closed again, the rest is handed back. A stream or group that
                is gone is passed over: nothing is pending there

        Raises:
            ValueError: ``release`` is none of these
            ConnectionError: not everything could be acknowledged or handed back; reading has ended all the same. What
                was collected to be acknowledged still is, and is sent when the consumer is closed or entered again
        """
        if release not in (False, True, "all"):
            raise ValueError(f"release: expected False, True or 'all', got {release!r}")
        self.stop()
        try:
            await self._collect(bool(release))
            await self.flush()
            if release:
                await self._stop_heartbeat()  # it would renew what is handed back
                await self._release(release == "all")
        finally:
            await self._finish()
