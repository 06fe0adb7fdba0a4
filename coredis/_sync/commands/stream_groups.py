# Generated from coredis/_async/commands/stream_groups.py by scripts/generate.py: edit that file, not this one.
"""
Commands about consumer groups of streams: read, acknowledge, hand back, claim, and manage groups and consumers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import AnyStr, Literal, overload

from coredis._sync.commands.base import Commands
from coredis._core.command import Command
from coredis._core.commands import stream_groups as build
from coredis._core.replies.shapes import integer, truth
from coredis.tokens import TokenT
from coredis.types import (
    IdentifierT,
    PositionT,
    StreamEntry,
    StreamPending,
    StreamPendingExt,
)
from coredis.typing import KeyT, MappingStringKeyT, Parameters, StringT


class StreamGroupCommands(Commands[AnyStr]):
    """
    Commands about consumer groups.

    An entry that a group has delivered is *pending*, and belongs to the consumer it was delivered to, until it is
    acknowledged. Anybody may acknowledge or claim it: the server does not check whose it is.
    """

    # ----------------------------------------------------------------------------------------------------- read

    def xreadgroup(
        self,
        group: StringT,
        consumer: StringT,
        streams: Mapping[MappingStringKeyT, PositionT],
        count: int | None = None,
        block: int | timedelta | None = None,
        noack: bool = False,
        max_count: int | None = None,
        max_size: int | None = None,
        claim: int | timedelta | None = None,
    ) -> dict[AnyStr, tuple[StreamEntry[AnyStr], ...]] | None:
        """
        Read as a consumer of a group.

        Entries are delivered when the server runs the command, before the answer arrives: when the connection breaks in
        between they are pending, and are read with the identifier 0. The command is never sent again by itself.

        Args:
            group: the group, which must exist on every stream
            consumer: the consumer, which is made if need be
            streams: for each stream ``">"`` for entries that nobody in the group has got, or an identifier for the
                consumer's own pending entries after it (0 for all of them), which never blocks
            count: how many entries at most, of each stream; without it there is no limit
            block: how long to wait for an entry when there is none: milliseconds or a ``timedelta``; 0 waits for ever,
                None not at all
            noack: new entries count as acknowledged at once
            max_count: how many entries at most, of all streams together. Redis 8.10
            max_size: how many bytes of reply at most; one entry is returned however large. Redis 8.10
            claim: take over pending entries, whoever has them, that have been idle for so long (milliseconds or a
                ``timedelta``), before reading new ones. With it, entries have ``idle`` and ``delivered``. Redis 8.4

        Returns:
            entries by stream; None when there is nothing new. A stream whose pending entries were asked for is always
            there, with ``()`` when there are none. A pending entry that was deleted from the stream has no field values
            and is ``deleted``

        Raises:
            StreamConsumerGroupError: a stream or its group does not exist, or went away while waiting; nothing is delivered
            UnblockedError: the wait was ended by CLIENT UNBLOCK ... ERROR, the server became a replica, or (Redis 7.0)
                the stream went away

        Source: https://redis.io/docs/latest/commands/xreadgroup/
        """
        return self.issue(
            build.read(self.replies, group, consumer, streams, count, block, noack, max_count, max_size, claim)
        )

    # -------------------------------------------------------------------------------- acknowledge and hand back

    def xack(self, key: KeyT, group: StringT, identifiers: IdentifierT | Parameters[IdentifierT]) -> int:
        """
        Acknowledge entries: they are not pending any more.

        Args:
            key: the stream
            group: the group
            identifiers: one or more

        Returns:
            how many were pending; 0 also when there is no such stream or group, and for the second of two attempts

        Source: https://redis.io/docs/latest/commands/xack/
        """
        return self.issue(build.acknowledge(key, group, identifiers))

    def xackdel(
        self,
        key: KeyT,
        group: StringT,
        identifiers: IdentifierT | Parameters[IdentifierT],
        condition: TokenT | None = None,
    ) -> tuple[int, ...]:
        """
        Acknowledge entries and delete them from the stream. Redis 8.2.

        Args:
            key: the stream
            group: the group
            identifiers: one or more
            condition: ``KEEPREF`` (the default) deletes although other groups may still need the entry, ``DELREF`` removes
                it from those as well, ``ACKED`` deletes only what all groups have acknowledged

        Returns:
            for each identifier 1 (acknowledged and deleted), 2 (acknowledged and kept for other groups) or -1 (it was not
            pending, and nothing was done)

        Source: https://redis.io/docs/latest/commands/xackdel/
        """
        return self.issue(build.acknowledge_and_delete(key, group, identifiers, condition))

    def xnack(
        self,
        key: KeyT,
        group: StringT,
        mode: TokenT,
        identifiers: IdentifierT | Parameters[IdentifierT],
        *,
        retrycount: int | None = None,
        force: bool = False,
    ) -> int:
        """
        Hand pending entries back, so that any consumer can claim them at once. Redis 8.8.

        They belong to nobody then, and are had again by ``xreadgroup`` with ``claim``, ``xclaim`` or ``xautoclaim`` only.

        Args:
            key: the stream
            group: the group
            mode: what it means for the count of deliveries: ``SILENT`` takes one back, ``FAIL`` leaves it, ``FATAL`` sets
                the largest number there is
            identifiers: one or more
            retrycount: sets the count of deliveries, whatever the mode
            force: makes entries pending that are not

        Returns:
            how many were handed back; those that were not pending do not count

        Raises:
            StreamConsumerGroupError: there is no such stream or group

        Source: https://redis.io/docs/latest/commands/xnack/
        """
        return self.issue(build.hand_back(key, group, mode, identifiers, retrycount, force))

    # ---------------------------------------------------------------------------------------------------- claim

    @overload
    def xpending(
        self,
        key: KeyT,
        group: StringT,
        start: None = None,
        end: None = None,
        count: None = None,
        idle: None = None,
        consumer: None = None,
    ) -> StreamPending[AnyStr]: ...

    @overload
    def xpending(
        self,
        key: KeyT,
        group: StringT,
        start: PositionT,
        end: PositionT,
        count: int,
        idle: int | timedelta | None = None,
        consumer: StringT | None = None,
    ) -> tuple[StreamPendingExt[AnyStr], ...]: ...

    def xpending(
        self,
        key: KeyT,
        group: StringT,
        start: PositionT | None = None,
        end: PositionT | None = None,
        count: int | None = None,
        idle: int | timedelta | None = None,
        consumer: StringT | None = None,
    ) -> StreamPending[AnyStr] | tuple[StreamPendingExt[AnyStr], ...]:
        """
        Tell what is pending: a summary, or entry by entry when a range is given.

        Args:
            key: the stream
            group: the group
            start: the smallest identifier, ``"-"`` for the first; goes together with ``end`` and ``count``
            end: the largest identifier, ``"+"`` for the last
            count: how many entries at most
            idle: only entries delivered at least so long ago: milliseconds or a ``timedelta``
            consumer: only entries of this consumer

        Returns:
            the summary; with a range, one item for each entry

        Raises:
            StreamConsumerGroupError: there is no such stream or group
            CommandSyntaxError: an incomplete range, or ``idle`` or ``consumer`` without one

        Source: https://redis.io/docs/latest/commands/xpending/
        """
        return self.issue(build.pending(self.replies, key, group, start, end, count, idle, consumer))

    @overload
    def xclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        identifiers: IdentifierT | Parameters[IdentifierT],
        idle: int | timedelta | None = None,
        time: int | datetime | None = None,
        retrycount: int | None = None,
        force: bool = False,
        justid: Literal[False] = False,
        lastid: IdentifierT | None = None,
    ) -> tuple[StreamEntry[AnyStr], ...]: ...

    @overload
    def xclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        identifiers: IdentifierT | Parameters[IdentifierT],
        idle: int | timedelta | None = None,
        time: int | datetime | None = None,
        retrycount: int | None = None,
        force: bool = False,
        *,
        justid: Literal[True],
        lastid: IdentifierT | None = None,
    ) -> tuple[AnyStr, ...]: ...

    @overload
    def xclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        identifiers: IdentifierT | Parameters[IdentifierT],
        idle: int | timedelta | None = None,
        time: int | datetime | None = None,
        retrycount: int | None = None,
        force: bool = False,
        justid: bool = False,
        lastid: IdentifierT | None = None,
    ) -> tuple[AnyStr, ...] | tuple[StreamEntry[AnyStr], ...]: ...

    def xclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        identifiers: IdentifierT | Parameters[IdentifierT],
        idle: int | timedelta | None = None,
        time: int | datetime | None = None,
        retrycount: int | None = None,
        force: bool = False,
        justid: bool = False,
        lastid: IdentifierT | None = None,
    ) -> tuple[AnyStr, ...] | tuple[StreamEntry[AnyStr], ...]:
        """
        Take over pending entries.

        Args:
            key: the stream
            group: the group
            consumer: who gets them; made if need be
            min_idle_time: only entries delivered at least so long ago: milliseconds or a ``timedelta``
            identifiers: one or more
            idle: sets how long ago they were delivered, instead of 0: milliseconds or a ``timedelta``
            time: sets when they were delivered: milliseconds since the epoch or a ``datetime``
            retrycount: sets the count of deliveries, instead of adding one
            force: makes entries pending that are not
            justid: return identifiers only, and do not count it as a delivery
            lastid: raises the group's last delivered identifier to this one

        Returns:
            the entries that were claimed, or with ``justid`` their identifiers. Not those that were delivered too
            recently, are not pending, or were deleted from the stream: the last are no longer pending after this

        Raises:
            StreamConsumerGroupError: there is no such stream or group
            CommandSyntaxError: both ``idle`` and ``time``

        Source: https://redis.io/docs/latest/commands/xclaim/
        """
        return self.issue(
            build.claim(
                self.replies,
                key,
                group,
                consumer,
                min_idle_time,
                identifiers,
                idle,
                time,
                retrycount,
                force,
                justid,
                lastid,
            )
        )

    @overload
    def xautoclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        start: PositionT,
        count: int | None = None,
        justid: Literal[False] = False,
    ) -> tuple[AnyStr, tuple[StreamEntry[AnyStr], ...], tuple[AnyStr, ...]]: ...

    @overload
    def xautoclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        start: PositionT,
        count: int | None = None,
        *,
        justid: Literal[True],
    ) -> tuple[AnyStr, tuple[AnyStr, ...]]: ...

    @overload
    def xautoclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        start: PositionT,
        count: int | None = None,
        justid: bool = False,
    ) -> tuple[AnyStr, tuple[StreamEntry[AnyStr], ...], tuple[AnyStr, ...]] | tuple[AnyStr, tuple[AnyStr, ...]]: ...

    def xautoclaim(
        self,
        key: KeyT,
        group: StringT,
        consumer: StringT,
        min_idle_time: int | timedelta,
        start: PositionT,
        count: int | None = None,
        justid: bool = False,
    ) -> tuple[AnyStr, tuple[StreamEntry[AnyStr], ...], tuple[AnyStr, ...]] | tuple[AnyStr, tuple[AnyStr, ...]]:
        """
        Look through the pending entries of a group and take over those that have been idle for long.

        Args:
            key: the stream
            group: the group
            consumer: who gets them; made if need be
            min_idle_time: only entries delivered at least so long ago: milliseconds or a ``timedelta``
            start: where to begin: 0, or what the previous call returned
            count: how many entries at most, 100 unless given; ten times as many are looked at
            justid: return identifiers only, and do not count it as a delivery

        Returns:
            where to go on (``0-0`` when all were looked at, which an empty result does not mean), the entries, and the
            identifiers of those that were deleted from the stream, which are no longer pending after this. With
            ``justid``: where to go on, and the identifiers

        Raises:
            StreamConsumerGroupError: there is no such stream or group

        Source: https://redis.io/docs/latest/commands/xautoclaim/
        """
        return self.issue(
            build.claim_idle(self.replies, key, group, consumer, min_idle_time, start, count, justid)
        )

    # --------------------------------------------------------------------------------------------------- groups

    def xgroup_create(
        self,
        key: KeyT,
        groupname: StringT,
        identifier: PositionT | None = None,
        mkstream: bool = False,
        entriesread: int | None = None,
    ) -> bool:
        """
        Make a consumer group.

        Args:
            key: the stream
            groupname: the group
            identifier: the entry after which the group begins to read: 0 for the beginning, None or ``"$"`` for entries
                added from now on, a ``datetime`` for those added from then on
            mkstream: make the stream, too, if need be
            entriesread: how many entries are before that place, for the group's ``lag``; -1 for unknown

        Returns:
            True

        Raises:
            StreamDuplicateConsumerGroupError: the group exists already, and was left as it was
            ResponseError: there is no such stream

        Source: https://redis.io/docs/latest/commands/xgroup-create/
        """
        return self.issue(build.create(key, groupname, identifier, mkstream, entriesread))

    def xgroup_setid(
        self,
        key: KeyT,
        groupname: StringT,
        identifier: PositionT | None = None,
        entriesread: int | None = None,
    ) -> bool:
        """
        Move a consumer group to another place. Going back delivers entries again, those that are pending included.

        Args:
            key: the stream
            groupname: the group
            identifier: as in ``xgroup_create``, and ``"-"`` and ``"+"``
            entriesread: how many entries are before that place, for the group's ``lag``; -1 for unknown

        Returns:
            True

        Raises:
            StreamConsumerGroupError: there is no such group
            ResponseError: there is no such stream

        Source: https://redis.io/docs/latest/commands/xgroup-setid/
        """
        return self.issue(build.move(key, groupname, identifier, entriesread))

    def xgroup_destroy(self, key: KeyT, groupname: StringT) -> int:
        """
        Remove a consumer group with its consumers and what is pending.

        Returns:
            1, or 0 when there is no such group

        Raises:
            ResponseError: there is no such stream

        Source: https://redis.io/docs/latest/commands/xgroup-destroy/
        """
        return self.issue(Command(("XGROUP", "DESTROY", key, groupname), integer, keys=(2,), idempotent=True))

    def xgroup_createconsumer(self, key: KeyT, groupname: StringT, consumername: StringT) -> bool:
        """
        Add a consumer to a group.

        Returns:
            True, or False when it was there already

        Raises:
            StreamConsumerGroupError: there is no such group
            ResponseError: there is no such stream

        Source: https://redis.io/docs/latest/commands/xgroup-createconsumer/
        """
        return self.issue(
            Command(("XGROUP", "CREATECONSUMER", key, groupname, consumername), truth, keys=(2,), idempotent=True)
        )

    def xgroup_delconsumer(self, key: KeyT, groupname: StringT, consumername: StringT) -> int:
        """
        Remove a consumer from a group. What it has pending is lost to the group: claim it first.

        Returns:
            how many pending entries were thrown away; 0 also when there is no such consumer

        Raises:
            StreamConsumerGroupError: there is no such group
            ResponseError: there is no such stream

        Source: https://redis.io/docs/latest/commands/xgroup-delconsumer/
        """
        return self.issue(Command(("XGROUP", "DELCONSUMER", key, groupname, consumername), integer, keys=(2,)))

    def xgroup_help(self) -> tuple[AnyStr, ...]:
        """
        Read the server's help on XGROUP, line by line.

        Source: https://redis.io/docs/latest/commands/xgroup-help/
        """
        return self.issue(Command(("XGROUP", "HELP"), self.replies.texts, readonly=True))
