# Generated from coredis/_async/patterns/group_consumer.py by scripts/generate.py: edit that file, not this one.
"""
The consumer that is a member of a group: what a group makes different from reading alone.

The engine of reading is in ``consumer``. Here is what a member does beside it: acknowledge, hand back, take over what others
left lying, renew the leases of what it holds, and give up what was delivered too often. The decisions are in
``_core/consumer``; commands about pending entries are in ``pending``.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, AnyStr, ClassVar, Final, Literal

from coredis._sync.patterns.consumer import CLOSING_SECONDS, Consumer
from coredis._sync.patterns.giving_up import GivingUp
from coredis._sync.patterns.groups import Groups
from coredis._sync.patterns.heartbeat import Heartbeat
from coredis._sync.patterns.pending import PendingEntries
from coredis._sync.patterns.processing import Processing
from coredis._sync.patterns.pruning import prune
from coredis._sync.patterns.reader import Reader
from coredis._core import identifiers
from coredis._core.command import Reply
from coredis._core.consumer import arrivals
from coredis._core.consumer.acknowledgements import Acknowledgements
from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import BEGINNING, Cursor, Kind, Phase, Plan
from coredis._core.consumer.deadletters import Suspect
from coredis._core.consumer.held import Held
from coredis._core.consumer.parameters import GroupOptions, StreamParameters, encode_name
from coredis._core.consumer.reads import Membership
from coredis._runtime import blocking as rt
from coredis.exceptions import (
    RedisError,
    RequestTimeoutError,
    StreamConsumerGroupError,
    StreamConsumerInitializationError,
)
from coredis.types import DeadLetter, IdentifierT, PositionT, StreamEntry
from coredis.typing import KeyT, Parameters, StringT

if TYPE_CHECKING:
    from coredis._sync.patterns.host import ConsumerHost

logger: Final = logging.getLogger("coredis.streams")

#: After a renewal that failed, the next one is tried so much later (seconds): entries in the buffer do not wait for it.
RENEWAL_PAUSE: Final = 1.0


class GroupConsumer(Consumer[AnyStr]):
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
        parameters: Mapping[KeyT, StreamParameters] | None = None,
        block_slice: int = 5000,
        prefetch: bool = False,
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
                processing may take longer than ``claim_idle``. Otherwise they are renewed whenever an entry is asked for
            max_deliveries: give up an entry that has been delivered so often, by the server's own count
            dead_letter: where it goes then: a stream, or a function (in the asynchronous flavour it may be a coroutine
                function) that is called with a ``DeadLetter``; then it is acknowledged. It happens at least once
            on_deleted: called with stream and identifier of each pending entry that turns out to have been deleted from its
                stream; it is acknowledged in any case
            parameters: by name of the stream: ``{"orders:eu": {"identifier": "0"}}`` reads only what is pending for this
                member, after that identifier. Default: ``">"``
            block_slice: as ``Consumer``
            prefetch: as ``Consumer``; not with ``auto_acknowledge``, where more would be lost in a crash
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
            **stream_parameters,
        )
        options = GroupOptions.checked(
            auto_acknowledge=auto_acknowledge,
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
        )
        self.group = group
        self.consumer = consumer
        self.auto_create = auto_create
        self.auto_acknowledge = auto_acknowledge
        self.start_from_backlog = start_from_backlog
        self._options = options
        self._membership: Membership = Membership(
            encode_name("group", group, client.encoding),
            encode_name("consumer", consumer, client.encoding),
            auto_acknowledge,
        )
        self._groups: Groups[AnyStr] = Groups(
            client, self._membership, identifiers.group_start("group_start", group_start), self.statistics
        )
        self._pending: PendingEntries[AnyStr] = PendingEntries(client, self._membership, options.delete)
        self._acknowledgements = Acknowledgements(options.ack_buffer, options.ack_interval / 1000)
        self._on_deleted: Callable[[AnyStr, AnyStr], object] | None = on_deleted
        self._deleted: dict[bytes, list[bytes]] = {}
        self._doubtful: set[bytes] = set()  # the server missed a group, perhaps in one of these streams
        self._held: Held | None = None
        self._heartbeat: Heartbeat[AnyStr] | None = None
        self._renewing = False
        self._not_before = -math.inf  # when leases may be renewed again after that failed
        self._giving_up: GivingUp[AnyStr] | None = None
        if options.claim_idle is not None:
            self._takeover = Takeover(options.claim_idle)
        if options.claim_idle is not None or options.max_deliveries is not None:
            self._held = Held()
            self._leases = self._held.leases
            self._attended = self._guarded = options.claim_idle is not None
        if options.max_deliveries is not None and dead_letter is not None:
            self._giving_up = GivingUp(
                client,
                self._membership,
                self._pending,
                options.delete,
                options.max_deliveries,
                dead_letter if callable(dead_letter) else encode_name("dead_letter", dead_letter, client.encoding),
                (group, consumer),
            )

    # ----------------------------------------------------------------------------------------- acknowledging

    def ack(self, stream: KeyT, *entries: IdentifierT) -> int:
        """
        Acknowledge entries: they are pending no more.

        Args:
            stream: whose entries
            entries: identifiers, or the entries themselves

        Returns:
            how many of them were pending in the group; with ``ack_buffer``, how many of all that were sent by this call

        Raises:
            TypeError, ValueError: a bad identifier; nothing was sent
            ConnectionError: it is not known whether they were acknowledged; it can be done again

        Source: https://redis.io/docs/latest/commands/xack/
        """
        name, found = self._named(stream, entries)
        if not found:
            return 0
        if not self._acknowledgements.limit:
            return self._acknowledge({name: found})
        self._acknowledgements.add(name, found, rt.now())
        return self.flush() if self._acknowledgements.due(rt.now()) else 0

    def flush(self) -> int:
        """
        Send the acknowledgements that were collected, and wait until the server has them.

        Returns:
            how many of the entries were pending in the group

        Raises:
            ConnectionError: it is not known which ones were acknowledged; they are still collected, and sent again
        """
        sent = self._acknowledgements.take()
        if not sent:
            return 0
        count = self._acknowledge(sent)
        self._acknowledgements.confirmed(sent, rt.now())
        return count

    def nack(self, stream: KeyT, *entries: IdentifierT, delay: int | None = None) -> int:
        """
        Hand entries back to the group, for any member that takes over (``claim_idle``), this one included. Their delivery
        counts stay as they are.

        Args:
            stream: whose entries
            entries: identifiers, or the entries themselves
            delay: milliseconds after which they may be taken over; None: at once. Needs ``claim_idle``, and cannot be longer

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
        if self._held is not None:
            self._held.let_go(name, found, outstanding=False)  # before it may come again, even to us
        return self._pending.hand_back(name, found, idle, silent=False)

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
        if self._held is not None:
            self._held.let_go(name, found, outstanding=False)
        if self._giving_up is not None and error is not None:
            self._giving_up.errors.note((name, found[0]), error)

    def prune(self, idle: int) -> list[AnyStr]:
        """
        Delete members of the group that are gone for long: idle and without pending entries, never this one. Whether an
        entry is pending is checked by the server in the same step, so none is lost.

        Args:
            idle: milliseconds since a member last tried to read. A member that waits for entries looks idle until its wait
                ends, so make it minutes

        Returns:
            their names; one that was deleted in several streams comes once

        Raises:
            ValueError: ``idle`` is less than a minute
            ReplyError: the server does not allow scripts
        """
        return prune(self.client, self._cursors, self._membership, idle)

    # ------------------------------------------------------------------------------------- opening and closing

    def add_stream(self, stream: KeyT, identifier: PositionT | None = ">") -> bool:
        """
        Read one more stream from now on. As ``Consumer.add_stream``.
        """
        return super().add_stream(stream, identifier)

    def close(self, *, release: bool | Literal["all"] = False) -> None:
        """
        Stop reading, send what is left to acknowledge, and close the connection.

        What was fetched already is still served, or given by ``drain``. Otherwise it stays pending for this member; with
        ``auto_acknowledge`` it is nowhere else, and is kept even when the consumer is entered again.

        Args:
            release: hand back to the group what was fetched and not served, as if it had not been delivered, for whoever
                takes over (``claim_idle``); ``"all"``: everything that is pending for this member. With
                ``auto_acknowledge`` nothing is pending, and nothing is handed back

        Raises:
            ValueError: ``release`` is none of these
            ConnectionError: not everything could be acknowledged or handed back; reading has ended all the same. What
                was collected to be acknowledged still is, and is sent when the consumer is closed or entered again
        """
        if release not in (False, True, "all"):
            raise ValueError(f"release: expected False, True or 'all', got {release!r}")
        self.stop()
        try:
            self._collect(bool(release))
            self.flush()
            if release:
                self._stop_heartbeat()  # it would renew what is handed back
                self._release(release == "all")
        finally:
            self._finish()

    def _collect(self, wanted: bool) -> None:
        """
        Have the outstanding reads answered and keep what they bring, where it would be lost otherwise or is to be handed back.
        """
        limit = rt.now() + CLOSING_SECONDS
        while self._owner not in (None, rt.caller()) and rt.now() < limit:
            rt.sleep(0.001)
        for reader in list(self._readers.values()):
            reader.resume()
            if reader.started is None or reader.plan is None or not (wanted or self.auto_acknowledge):
                continue
            if reader.waits and not reader.started.done():
                self._unblock(reader)
            rt.wait_any((reader.started,), rt.now() + CLOSING_SECONDS)
            self._conclude(reader)

    def _conclude(self, reader: Reader[AnyStr]) -> None:
        """
        Keep what an outstanding read has brought; one that has not been answered is lost.
        """
        try:
            self._take(reader)
        except (RedisError, RequestTimeoutError):
            pass
        if reader.plan is not None:
            self._lose(reader)

    def _release(self, everything: bool) -> None:
        if self.auto_acknowledge:
            return  # nothing is pending, and what was fetched is nowhere else
        held = self._held
        if everything:
            if held is not None:
                held.clear()
            for name in self._cursors:
                self._pending.hand_back_all(name)
        else:
            by_stream: dict[bytes, list[bytes]] = {}
            for stream, entry in (*self._items, *(suspect.item for suspect in self._suspects)):
                by_stream.setdefault(self._encoded(stream), []).append(self._encoded(entry.identifier))
            for name, found in by_stream.items():
                if held is not None:
                    held.let_go(name, found, outstanding=False)
                self._pending.hand_back(name, found, None, silent=True)
        self._items = deque()
        self._suspects = []

    def _finish(self) -> None:
        if self.auto_acknowledge:
            for reader in list(self._readers.values()):  # there are some when closing was broken off
                reader.resume()
                if reader.started is not None:
                    self._conclude(reader)
        super()._finish()
        self._deleted.clear()
        self._stop_heartbeat()

    def _stop_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None

    def forget_parent(self) -> None:
        self._heartbeat, self._renewing = None, False  # threads and tasks stay with the parent
        self._acknowledgements.clear()
        super().forget_parent()

    def _restart(self) -> None:
        kept = self._items if self.auto_acknowledge else None
        super()._restart()
        if kept is not None:
            self._items = kept  # there is no other copy
            self._fetched = list(kept)
        self._deleted.clear()
        self._suspects = []
        if self._held is not None:
            self._held.clear()
        if self._takeover is not None:
            self._takeover.reset()

    # ------------------------------------------------------------------------------------------ where streams begin

    def _check_start(self, name: str, identifier: PositionT) -> bytes:
        return identifiers.group_position(name, identifier)

    def _locate(self, cursors: Iterable[Cursor]) -> None:
        unknown = [cursor for cursor in cursors if cursor.phase is Phase.UNKNOWN]
        if not unknown:
            return
        if self._takeover is not None and not self._takeover.native:
            self._takeover.native = self._pending.has("XREADGROUP", "CLAIM")
        standing = self._groups.standing(unknown)
        missing = [cursor for cursor in unknown if standing[cursor.name] is None]
        absent = {cursor.name for cursor in missing}
        if missing:
            if not self.auto_create:
                names = ", ".join(repr(cursor.given) for cursor in missing)
                raise StreamConsumerInitializationError(
                    f"no consumer group {self.group!r} in {names}: create it, or say auto_create=True"
                )
            self._groups.create(missing)
            for cursor in missing:
                if self._held is not None:
                    self._held.forget(cursor.name, self._outstanding())
            standing.update(self._groups.standing(missing))
        for cursor in unknown:
            if cursor.start not in (None, b">"):
                assert cursor.start is not None
                cursor.position, cursor.phase = cursor.start, Phase.PENDING
                continue
            if not cursor.known:
                cursor.floor = standing[cursor.name] or BEGINNING
            # A group that has just been made has no backlog.
            backlog = self.start_from_backlog and cursor.name not in absent and not cursor.known
            cursor.known = True
            cursor.position, cursor.phase = BEGINNING, Phase.HISTORY if backlog else Phase.NEW
        if self._options.heartbeat and self._heartbeat is None and not self._stopped:
            self._heartbeat = Heartbeat(self, self._options.renewal_age / 2)

    # ------------------------------------------------------------------------------------------------------ reading

    def _prepare(self) -> None:
        # What an outstanding read brings may come after the place where a group would be made again now.
        doubtful = [cursor for name, cursor in self._cursors.items() if name in self._doubtful and not cursor.busy]
        if doubtful:
            standing = self._groups.standing(doubtful)
            for cursor in doubtful:
                if standing[cursor.name] is None:
                    cursor.phase = Phase.UNKNOWN
            self._doubtful.difference_update([cursor.name for cursor in doubtful])
        super()._prepare()
        self._clear_deleted()
        if self._options.delete and len(self._acknowledgements):
            self.flush()
        if self._takeover is not None:
            self.renew()
            self._drop_lost()
        if self._suspects:
            self._judge()

    def _attend(self) -> None:
        """
        Renew leases that are due, and drop entries from the buffer that others have taken over.
        """
        if self._items and rt.now() >= self._not_before:  # otherwise it is done before the next read
            try:
                self.renew()
            except (RedisError, RequestTimeoutError):
                self._not_before = rt.now() + RENEWAL_PAUSE
        self._drop_lost()

    def _drop_lost(self) -> None:
        """
        Drop entries from the buffer that others have taken over.
        """
        assert self._held is not None
        lost = list(self._held.lost)
        if lost and self._items:
            gone = set(lost)
            self._items = deque(
                [
                    item
                    for item in self._items
                    if (self._encoded(item[0]), self._encoded(item[1].identifier)) not in gone
                ]
            )
        self._held.lost.difference_update(lost)  # a heartbeat may have found more

    def renew(self) -> None:
        """
        Renew the leases of what this consumer holds, where they are getting old. It is done whenever an entry is asked for;
        call it while processing that takes long, or have a ``heartbeat``.

        Raises:
            ConnectionError: the server cannot be reached
        """
        held, idle, age = self._held, self._options.claim_idle, self._options.renewal_age
        if held is None or idle is None or self._renewing or not held.due(rt.now(), age):
            return
        self._renewing = (
            True  # two at once, one from a heartbeat, would each find the entries younger than they should be
        )
        try:
            self.statistics.taken_over += self._pending.renew(held, age, idle, self._outstanding)
        finally:
            self._renewing = False

    def _judge(self) -> None:
        """
        Serve suspects that have not been delivered too often, and give up the others.
        """
        giving_up, held = self._giving_up, self._held
        assert giving_up is not None and held is not None
        unknown = [suspect.key for suspect in self._suspects if suspect.deliveries is None]
        if unknown:
            counts = self._pending.deliveries(unknown)
            judged: list[Suspect[AnyStr]] = []
            for suspect in self._suspects:
                count = counts.get(suspect.key, 0)
                if suspect.deliveries is not None:
                    judged.append(suspect)
                elif count:
                    judged.append(suspect._replace(deliveries=count - 1))
                else:  # given up after all, or acknowledged elsewhere; or taken over meanwhile (None)
                    held.let_go(suspect.key[0], (suspect.key[1],), outstanding=False)
                    self.statistics.dead_lettered += suspect.tried and count is not None
            self._suspects = judged
        while self._suspects:
            suspect = self._suspects[0]
            assert suspect.deliveries is not None
            if suspect.deliveries < giving_up.most:
                served = (suspect.item,)
                # No call between these statements, so nothing can interrupt here.
                self._items += served
                self.statistics.delivered += 1
                del self._suspects[0]
                continue
            # If this does not come back, the server is asked what became of it.
            self._suspects[0] = suspect._replace(deliveries=None)
            giving_up.tell(suspect)
            self._suspects[0] = suspect._replace(deliveries=None, tried=True)
            giving_up.bury(suspect)
            self.statistics.dead_lettered += 1
            del self._suspects[0]
            held.let_go(suspect.key[0], (suspect.key[1],), outstanding=False)
        self._fetched = list(self._items)

    def _clear_deleted(self) -> None:
        while self._deleted:
            name, gone = next(iter(self._deleted.items()))
            self.client.xack(name, self._membership.group, gone)
            del self._deleted[name]
            self.statistics.deleted_seen += len(gone)
            if self._on_deleted is not None:
                text = self.client.replies.text
                for identifier in gone:
                    self._on_deleted(text(name), text(identifier))

    def _longest_wait(self, cursors: Iterable[Cursor]) -> float:
        if self._takeover is None:
            return self._slice
        due = self._takeover.earliest(cursor.name for cursor in cursors)
        # What is held here must not become claimable while we wait: the server would give it to us again.
        return max(0.001, min(self._slice, self._options.renewal_age / 2, due - rt.now()))

    def _ahead(self, reader: Reader[AnyStr]) -> Mapping[bytes, tuple[bytes, ...]]:
        if self._options.delete or not len(self._acknowledgements):
            return {}
        names = {cursor.name for cursor in reader.cursors}
        return {name: found for name, found in self._acknowledgements.take().items() if name in names}

    def _note_acknowledged(self, reader: Reader[AnyStr]) -> None:
        answered = reader.acknowledged()
        if not answered:
            return
        sent = {name: reader.acknowledging[name] for name in answered}
        reader.acknowledging = {}
        self._acknowledgements.confirmed(sent, rt.now())
        self._note_done(sent, sum(answered.values()))

    def _read(
        self, following: Plan, cursors: Mapping[bytes, Cursor], answers: list[Reply]
    ) -> arrivals.Arrivals[AnyStr]:
        if following.kind is not Kind.CLAIM:
            found = arrivals.read(answers, cursors, self.client.replies, self._held)
        else:
            assert self._held is not None and self._takeover is not None
            found, positions = arrivals.read_claims(answers, cursors, self.client.replies, self._held)
            self._takeover.scanned(positions, rt.now(), rt.random())
        self._deleted |= found.deleted
        return found

    def _sift(
        self, following: Plan, arrived: arrivals.Arrivals[AnyStr]
    ) -> tuple[list[tuple[AnyStr, StreamEntry[AnyStr]]], list[Suspect[AnyStr]]]:
        if self._giving_up is None:
            return arrived.items, []
        most = self._giving_up.most
        fresh: list[tuple[AnyStr, StreamEntry[AnyStr]]] = []
        suspects: list[Suspect[AnyStr]] = []
        for key, item in zip(arrived.keys, arrived.items, strict=True):
            deliveries = item[1].delivered
            if following.kind is not Kind.NEW:
                suspects.append(Suspect(key, item, None))
            elif deliveries is not None and deliveries >= most:
                suspects.append(Suspect(key, item, deliveries))
            else:
                fresh.append(item)
        return fresh, suspects

    def _doubt(self, reader: Reader[AnyStr]) -> None:
        # What the dead connection was given after the recovery is pending here, and nobody has seen it.
        if not self.auto_acknowledge:
            self.statistics.recovered += 1
            for cursor in reader.cursors:
                cursor.lost()

    def _taken(self, following: Plan, arrived: arrivals.Arrivals[AnyStr]) -> None:
        if self._held is not None:
            self._held.settled(cursor.name for cursor in following.cursors())
            self.statistics.duplicates_suppressed += arrived.suppressed
            self.statistics.claimed += arrived.claimed

    def _lose(self, reader: Reader[AnyStr]) -> None:
        lost = reader.plan
        if lost is not None and lost.kind is Kind.NEW:
            if self.auto_acknowledge:
                self.statistics.possibly_lost += 1
                logger.warning(
                    "a connection broke with a read outstanding: entries in its reply, if any, are lost (auto_acknowledge)"
                )
            else:
                self.statistics.recovered += 1
                for cursor in lost.cursors():
                    cursor.lost()
        super()._lose(reader)  # type: ignore[arg-type]  # see the constructor

    def _vanished(self, error: StreamConsumerGroupError) -> None:
        self._doubtful.update(self._cursors)
        if not self.auto_create or self._options.raises:
            raise error

    # ------------------------------------------------------------------------------------------------------- inside

    def _acknowledge(self, entries: Mapping[bytes, tuple[bytes, ...]]) -> int:
        count = self._pending.acknowledge(entries)
        self._note_done(entries, count)
        return count

    def _note_done(self, entries: Mapping[bytes, tuple[bytes, ...]], count: int) -> None:
        self.statistics.acknowledged += count
        for name, found in entries.items():
            self._let_go(name, found)
            if self._giving_up is not None:
                self._giving_up.errors.forget(name, found)

    def _let_go(self, name: bytes, found: tuple[bytes, ...]) -> None:
        if self._held is not None:
            self._held.let_go(name, found, self._outstanding())

    def _outstanding(self) -> bool:
        """
        Tell whether a read is under way whose reply may have entries that were pending when it was sent.
        """
        # With CLAIM, even a read of new entries may.
        native = self._takeover is not None and self._takeover.native
        return any(
            reader.plan is not None and (native or reader.plan.kind is not Kind.NEW)
            for reader in list(self._readers.values())
        )

    def _named(self, stream: KeyT, entries: tuple[IdentifierT, ...]) -> tuple[bytes, tuple[bytes, ...]]:
        """
        Write a stream and identifiers as the server does.
        """
        name = encode_name("stream", stream, self.client.encoding)
        found = [identifiers.entry("entries", entry) for entry in entries]
        return name, tuple([b"%d-%d" % identifiers.parse(identifier) for identifier in found])
