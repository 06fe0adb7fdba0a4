# Generated from coredis/_async/commands/streams.py by scripts/generate.py: edit that file, not this one.
"""
Commands about streams: add, remove, read, and what a stream is like. Consumer groups are in ``stream_groups``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import AnyStr

from coredis._queued.commands.base import Commands
from coredis._core.command import Command, key_read
from coredis._core.commands import streams as build
from coredis._core.queue import Queued
from coredis._core.replies.shapes import integer
from coredis.tokens import TokenT
from coredis.types import IdentifierT, PairsT, PositionT, StreamEntry, StreamInfo
from coredis.typing import KeyT, MappingStringKeyT, Parameters, StringT, ValueT


class StreamCommands(Commands[AnyStr]):
    """
    Commands about streams.

    Identifiers of entries are str or bytes (``"1700000000000-0"``), a number (5 is ``5-0``) or a ``StreamEntry``. Where a
    place in a stream is meant, a ``datetime`` will do, too.
    """

    # ------------------------------------------------------------------------------------------- add and remove

    def xadd(
        self,
        key: KeyT,
        field_values: Mapping[MappingStringKeyT, ValueT] | PairsT,
        *,
        identifier: PositionT | None = None,
        nomkstream: bool = False,
        idmpauto: StringT | None = None,
        idmp: tuple[StringT, StringT] | None = None,
        trim_strategy: TokenT | None = None,
        threshold: PositionT | None = None,
        trim_operator: TokenT | None = None,
        limit: int | None = None,
        condition: TokenT | None = None,
    ) -> Queued[AnyStr | None]:
        """
        Append an entry to a stream.

        When the connection breaks before the answer, an entry with an identifier in full, ``idmp`` or ``idmpauto`` is sent
        again by itself, as long as that cannot make a second one. Of any other it is not known whether it was added: the
        error has ``may_have_run``.

        Args:
            key: the stream, which is made if need be
            field_values: a mapping of names to values, or (name, value) pairs, in which a name may occur more than once
            identifier: None for an automatic one; ``"5-1"`` in full; ``"5-*"`` or a ``datetime`` for an automatic sequence
                number in that millisecond. It must be greater than all there have been
            nomkstream: do nothing when there is no such stream
            idmpauto: a producer's name; the server recognises an entry with the same fields and does not add it again.
                Redis 8.6
            idmp: a producer's name, and an identifier of the producer's own for this entry: the server does not add an
                entry twice under the same two, as long as it remembers them (see ``xcfgset``). Redis 8.6
            trim_strategy: ``MAXLEN`` or ``MINID``, to trim the stream after adding
            threshold: how many entries to keep (``MAXLEN``), or the smallest identifier or the time of the oldest entry to
                keep (``MINID``)
            trim_operator: ``=`` for exactly, ``~`` to let the server remove as many as is cheap
            limit: with ``~``: how many entries to examine at most; 0 for no limit
            condition: what trimming does to entries that consumer groups refer to: ``KEEPREF`` keeps the references,
                ``DELREF`` removes them, ``ACKED`` trims only what all groups have acknowledged. Redis 8.2

        Returns:
            the identifier of the entry (for a repeated ``idmp``, of the first one); None with ``nomkstream`` when there
            is no such stream

        Raises:
            ResponseError: the identifier is not greater than the last one
            CommandSyntaxError: arguments that do not go together

        Source: https://redis.io/docs/latest/commands/xadd/
        """
        return self.issue(
            build.add(
                self.replies,
                key,
                field_values,
                identifier,
                nomkstream,
                idmpauto,
                idmp,
                trim_strategy,
                threshold,
                trim_operator,
                limit,
                condition,
            )
        )

    def xdel(self, key: KeyT, identifiers: IdentifierT | Parameters[IdentifierT]) -> Queued[int]:
        """
        Delete entries. Consumer groups go on listing them as pending.

        Args:
            key: the stream
            identifiers: one or more

        Returns:
            how many there were

        Source: https://redis.io/docs/latest/commands/xdel/
        """
        return self.issue(build.delete(key, identifiers))

    def xdelex(
        self, key: KeyT, identifiers: IdentifierT | Parameters[IdentifierT], condition: TokenT | None = None
    ) -> Queued[tuple[int, ...]]:
        """
        Delete entries and say what becomes of references to them in consumer groups. Redis 8.2.

        Args:
            key: the stream
            identifiers: one or more
            condition: ``KEEPREF`` (the default) keeps the references, ``DELREF`` removes them, ``ACKED`` deletes only what
                all groups have acknowledged

        Returns:
            for each identifier 1 (deleted), -1 (no such entry) or 2 (kept, because it is still referred to)

        Source: https://redis.io/docs/latest/commands/xdelex/
        """
        return self.issue(build.delete_extended(key, identifiers, condition))

    def xtrim(
        self,
        key: KeyT,
        trim_strategy: TokenT,
        threshold: PositionT,
        trim_operator: TokenT | None = None,
        limit: int | None = None,
        condition: TokenT | None = None,
    ) -> Queued[int]:
        """
        Remove the oldest entries.

        Args:
            key: the stream
            trim_strategy: ``MAXLEN`` or ``MINID``
            threshold: how many entries to keep (``MAXLEN``), or the smallest identifier or the time of the oldest entry to
                keep (``MINID``)
            trim_operator: ``=`` for exactly, ``~`` to let the server remove as many as is cheap
            limit: with ``~``: how many entries to examine at most; 0 for no limit
            condition: what happens to entries that consumer groups refer to: ``KEEPREF`` keeps the references, ``DELREF``
                removes them, ``ACKED`` trims only what all groups have acknowledged. Redis 8.2

        Returns:
            how many were removed

        Raises:
            CommandSyntaxError: ``limit`` without ``~``

        Source: https://redis.io/docs/latest/commands/xtrim/
        """
        return self.issue(build.trim(key, trim_strategy, threshold, trim_operator, limit, condition))

    # ----------------------------------------------------------------------------------------------------- read

    def xlen(self, key: KeyT) -> Queued[int]:
        """
        Count the entries of a stream.

        Returns:
            the number; 0 when there is no such stream

        Source: https://redis.io/docs/latest/commands/xlen/
        """
        return self.issue(key_read(("XLEN", key), integer))

    def xrange(
        self, key: KeyT, start: PositionT | None = None, end: PositionT | None = None, count: int | None = None
    ) -> Queued[tuple[StreamEntry[AnyStr], ...]]:
        """
        Read a range of entries, the oldest first.

        Args:
            key: the stream
            start: the smallest identifier; ``"(5-1"`` to leave that one out, a ``datetime`` for the first entry of that
                millisecond, None or ``"-"`` for the beginning
            end: the largest identifier; ``"(5-1"`` to leave that one out, a ``datetime`` for the last entry of that
                millisecond, None or ``"+"`` for the end
            count: how many entries at most

        Returns:
            the entries; none when there is no such stream

        Source: https://redis.io/docs/latest/commands/xrange/
        """
        return self.issue(build.scan(self.replies, "XRANGE", key, start, end, count))

    def xrevrange(
        self, key: KeyT, end: PositionT | None = None, start: PositionT | None = None, count: int | None = None
    ) -> Queued[tuple[StreamEntry[AnyStr], ...]]:
        """
        Read a range of entries, the newest first.

        Args:
            key: the stream
            end: the largest identifier, as in ``xrange``
            start: the smallest identifier, as in ``xrange``
            count: how many entries at most

        Returns:
            the entries; none when there is no such stream

        Source: https://redis.io/docs/latest/commands/xrevrange/
        """
        return self.issue(build.scan(self.replies, "XREVRANGE", key, start, end, count))

    def xread(
        self,
        streams: Mapping[MappingStringKeyT, PositionT],
        count: int | None = None,
        block: int | timedelta | None = None,
        max_count: int | None = None,
        max_size: int | None = None,
    ) -> Queued[dict[AnyStr, tuple[StreamEntry[AnyStr], ...]] | None]:
        """
        Read new entries of one or more streams.

        Args:
            streams: for each stream the identifier after which to read. ``"$"`` is the last one at the moment of the call:
                use it once and go on with the last identifier received, or miss what is added between two calls. ``"+"``
                reads the last entry (Redis 7.4, Valkey 8.0). A ``datetime`` reads what was added from then on
            count: how many entries at most, of each stream; without it there is no limit
            block: how long to wait for an entry when there is none: milliseconds or a ``timedelta``; 0 waits for ever,
                None not at all
            max_count: how many entries at most, of all streams together. Redis 8.10
            max_size: how many bytes of reply at most; one entry is returned however large. Redis 8.10

        Returns:
            entries by stream, with the streams that have any; None when there is nothing

        Raises:
            UnblockedError: the wait was ended by CLIENT UNBLOCK ... ERROR, or the server became a replica
            CommandSyntaxError: ``max_count`` is less than ``count``

        Source: https://redis.io/docs/latest/commands/xread/
        """
        return self.issue(build.read(self.replies, streams, count, block, max_count, max_size))

    # ------------------------------------------------------------------------------------ settings and information

    def xsetid(
        self,
        key: KeyT,
        identifier: IdentifierT,
        entriesadded: int | None = None,
        maxdeletedid: IdentifierT | None = None,
    ) -> Queued[bool]:
        """
        Set the last identifier of a stream: for migrations and repairs.

        Args:
            key: the stream, which must exist
            identifier: the new last identifier, not smaller than that of any entry
            entriesadded: how many entries were ever added
            maxdeletedid: the largest identifier that was ever deleted

        Returns:
            True

        Source: https://redis.io/docs/latest/commands/xsetid/
        """
        return self.issue(build.set_identifier(key, identifier, entriesadded, maxdeletedid))

    def xcfgset(
        self, key: KeyT, idmp_duration: int | timedelta | None = None, idmp_maxsize: int | None = None
    ) -> Queued[bool]:
        """
        Set how long a stream remembers the identifiers of idempotent producers (``xadd`` with ``idmp``). Redis 8.6.

        A value that changes makes the stream forget all it remembers; setting the same again does nothing.

        Args:
            key: the stream, which must exist
            idmp_duration: seconds (or a ``timedelta``) from 1 to 86400
            idmp_maxsize: how many identifiers of each producer, from 1 to 10000

        Returns:
            True

        Raises:
            CommandSyntaxError: neither was given

        Source: https://redis.io/docs/latest/commands/xcfgset/
        """
        return self.issue(build.configure(key, idmp_duration, idmp_maxsize))

    def xinfo_stream(self, key: KeyT, full: bool = False, count: int | None = None) -> Queued[StreamInfo]:
        """
        Describe a stream.

        Args:
            key: the stream
            full: with its entries, consumer groups, consumers and what is pending
            count: in the full form: how many entries and pending entries of each group and consumer; 10 unless given, 0
                for all

        Returns:
            every field that the server sends, by name, and its first and last entry or, in the full form, its entries

        Raises:
            ResponseError: there is no such stream
            CommandSyntaxError: ``count`` without ``full``

        Source: https://redis.io/docs/latest/commands/xinfo-stream/
        """
        return self.issue(build.information(self.replies, key, full, count))

    def xinfo_groups(self, key: KeyT) -> Queued[tuple[dict[AnyStr, AnyStr | int | None], ...]]:
        """
        List the consumer groups of a stream.

        Returns:
            for each group a dict of ``name``, ``consumers``, ``pending``, ``last-delivered-id``, and ``entries-read`` and
            ``lag``, which are None where the server cannot tell

        Raises:
            ResponseError: there is no such stream

        Source: https://redis.io/docs/latest/commands/xinfo-groups/
        """
        return self.issue(Command(("XINFO", "GROUPS", key), self.replies.information, keys=(2,), readonly=True))

    def xinfo_consumers(self, key: KeyT, groupname: StringT) -> Queued[tuple[dict[AnyStr, AnyStr | int | None], ...]]:
        """
        List the consumers of a group.

        Returns:
            for each consumer a dict of ``name``, ``pending`` (how many entries), ``idle`` (milliseconds since it last
            tried to read) and ``inactive`` (milliseconds since it last got something, -1 for never; not on Redis 7.0)

        Raises:
            StreamConsumerGroupError: there is no such group
            ResponseError: there is no such stream

        Source: https://redis.io/docs/latest/commands/xinfo-consumers/
        """
        return self.issue(
            Command(("XINFO", "CONSUMERS", key, groupname), self.replies.information, keys=(2,), readonly=True)
        )

    def xinfo_help(self) -> Queued[tuple[AnyStr, ...]]:
        """
        Read the server's help on XINFO, line by line.

        Source: https://redis.io/docs/latest/commands/xinfo-help/
        """
        return self.issue(Command(("XINFO", "HELP"), self.replies.texts, readonly=True))
