"""
What being a member of a group changes in reading: where streams begin, what is done before and after a read.

Besides reading, a member takes over what others left lying. What becomes of what it holds is in ``leasing``, commands about
pending entries are in ``pending``, and the decisions are in ``_core/consumer``.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import AnyStr, Final

from coredis._async.patterns.groups import Groups
from coredis._async.patterns.heartbeat import Heartbeat
from coredis._async.patterns.leasing import Leasing
from coredis._async.patterns.reader import Reader
from coredis._core import identifiers
from coredis._core.command import Reply
from coredis._core.consumer import arrivals
from coredis._core.consumer.acknowledgements import Acknowledgements
from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.conflicts import delivered_since, not_of_one_read
from coredis._core.consumer.cursors import BEGINNING, Cursor, Kind, Phase, Plan
from coredis._core.consumer.deadletters import Suspect
from coredis._core.consumer.held import Held, Key
from coredis._core.consumer.parameters import encode_name
from coredis._core.consumer.phantoms import look_through
from coredis._core.consumer.reads import Membership, Words, pending_words
from coredis._core.identifiers import parse
from coredis._core.parser import ErrorLine
from coredis._runtime import aio as rt
from coredis.exceptions import StreamConsumerGroupError, StreamConsumerInitializationError
from coredis.types import IdentifierT, PositionT, StreamEntry
from coredis.typing import KeyT, StringT

logger: Final = logging.getLogger("coredis.streams")


class Member(Leasing[AnyStr]):
    """
    The reading of a member of a group; what the application can do with it is in ``GroupConsumer``.
    """

    _membership: Membership
    _groups: Groups[AnyStr]
    _on_deleted: Callable[[AnyStr, AnyStr], object] | None
    _deleted: dict[bytes, list[bytes]]
    _notices: list[Key]
    _returning: dict[bytes, list[bytes]]
    _withdrawn: list[tuple[AnyStr, StreamEntry[AnyStr]]]
    _doubtful: set[bytes]
    _unexplained: dict[bytes, float]
    _account: Held | None
    _dubious: dict[bytes, bytes]
    _conflict_told: bool
    _heartbeat: Heartbeat[AnyStr] | None
    group: StringT
    consumer: StringT
    auto_create: bool
    auto_acknowledge: bool
    start_from_backlog: bool
    _acknowledgements: Acknowledgements

    # ------------------------------------------------------------------------------------------------ where streams begin

    def _check_start(self, name: str, identifier: PositionT) -> bytes:
        return identifiers.group_position(name, identifier)

    async def _locate(self, cursors: Iterable[Cursor]) -> None:
        unknown = [cursor for cursor in cursors if cursor.phase is Phase.UNKNOWN]
        if not unknown:
            return
        if self._takeover is not None and not self._takeover.native:
            self._takeover.native = await self._pending.has("XREADGROUP", "CLAIM")
        standing = await self._groups.standing(unknown)
        missing = [cursor for cursor in unknown if standing[cursor.name] is None]
        absent = {cursor.name for cursor in missing}
        if missing:
            if not self.auto_create:
                names = ", ".join(repr(cursor.given) for cursor in missing)
                raise StreamConsumerInitializationError(
                    f"no consumer group {self.group!r} in {names}: create it, or say auto_create=True"
                )
            await self._groups.create(missing)
            for cursor in missing:
                if self._account is not None:
                    self._account.forget(cursor.name, self._outstanding())
            standing.update(await self._groups.standing(missing))
        for cursor in unknown:
            self._dubious.pop(cursor.name, None)
            if cursor.start not in (None, b">"):
                assert cursor.start is not None
                cursor.began = cursor.position = cursor.start
                cursor.phase = Phase.PENDING
                continue
            if not cursor.known:
                cursor.floor = standing[cursor.name] or BEGINNING
            # A group that has just been made has no backlog.
            backlog = self.start_from_backlog and cursor.name not in absent and not cursor.known
            cursor.known = True
            cursor.began = BEGINNING if backlog else cursor.floor
            cursor.position, cursor.phase = BEGINNING, Phase.HISTORY if backlog else Phase.NEW
        self._start_heartbeat()

    # ------------------------------------------------------------------------------------------------------ before a read

    async def _prepare(self) -> None:
        # What an outstanding read brings may come after the place where a group would be made again now.
        doubtful = [
            cursor for cursor in list(self._cursors.values()) if cursor.name in self._doubtful and not cursor.busy
        ]
        if doubtful:
            standing = await self._groups.standing(doubtful)
            for cursor in doubtful:
                if standing[cursor.name] is None:
                    cursor.phase = Phase.UNKNOWN
            self._doubtful.difference_update([cursor.name for cursor in doubtful])
        if self._heartbeat is not None and self._heartbeat.over(self):
            await self._stop_heartbeat()
            self._start_heartbeat()
        await super()._prepare()
        if self._noting and self._takeover is None:
            self._close_account()
        await self._clear_deleted()
        if self._options.delete and len(self._acknowledgements):
            await self.flush()
        if self._takeover is not None:
            await self._look_after()
            self._drop_lost()
            await self._look_ahead(self._takeover)
        if self._suspects:
            await self._judge()
        if not self._buffer and self._room() < 1:
            await self._relieve()

    def _calm(self) -> bool:
        return (
            self._account is None
            and not (self._doubtful or self._unexplained or self._deleted or self._notices or self._suspects)
            and not (self._options.delete and len(self._acknowledgements))
        )

    async def _look_ahead(self, takeover: Takeover) -> None:
        """
        Find out where to go on looking for entries to take over.
        """
        unsure = takeover.unsure(list(self._cursors))
        if unsure:
            found = await self._pending.next_idle(unsure, takeover.idle)
            for name, position in found.items():
                takeover.found(name, position, rt.now(), rt.random())

    def _note_conflict(self) -> None:
        self.statistics.name_conflicts += 1
        if not self._conflict_told:
            self._conflict_told = True
            logger.warning(
                "entries were delivered to consumer %r of group %r that this session did not ask for: another one reads under "
                "this name, or the server still serves the connection of an earlier one",
                self.consumer,
                self.group,
            )

    async def _clear_deleted(self) -> None:
        while self._deleted:
            name, gone = next(iter(self._deleted.items()))
            await self.client.xack(name, self._membership.group, gone)
            number, notices = len(gone), [(name, identifier) for identifier in gone]
            # No call between these statements, so nothing can interrupt here.
            del self._deleted[name]
            self.statistics.deleted_seen += number
            self._notices += notices
        await self._give_notice()

    async def _give_notice(self) -> None:
        """
        Tell the application what was found deleted. An error of its function does not keep the others from being told.
        """
        text, failure = self.client.replies.text, None
        while self._notices:
            name, identifier = self._notices[0]
            if self._on_deleted is not None:
                try:
                    await rt.call(partial(self._on_deleted, text(name)), text(identifier))
                except Exception as error:
                    failure = failure or error
            del self._notices[0]
        if failure is not None:
            raise failure

    async def flush(self) -> int:
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
        count = await self._acknowledge(sent)
        self._acknowledgements.confirmed(sent, rt.now())
        return count

    async def _relieve(self) -> None:
        """
        Too much is unacknowledged: see whether that is still so.
        """
        if len(self._acknowledgements):
            await self.flush()
        allowance = self._allowance
        if self._takeover is None and self._room() < 1 and allowance.recount_due(rt.now()):
            fetched = {cursor.name: cursor.fetched for cursor in list(self._cursors.values())}
            for name, after in self._dubious.items():
                if name in fetched:  # not what nobody has seen: it is not read as long as nothing is
                    began, last = fetched[name]
                    fetched[name] = (began, after if last == b"+" else min(after, last, key=parse))
            pending = await self._pending.count(fetched, allowance.limit or 0)
            allowance.recounted(allowance.fetched if pending is None else pending, rt.now())
        if self._room() < 1 and allowance.tell():
            logger.warning(
                "%s entries are not acknowledged: consumer %r of group %r fetches no more until some are (max_unacked)",
                allowance.limit,
                self.consumer,
                self.group,
            )

    def _room(self) -> float:
        held = self._held
        if held is None or self._takeover is None:
            return self._allowance.room(None)
        return self._allowance.room(len(held.leases) - len(held.postponed))  # of leases account is kept

    def _longest_pause(self) -> float:
        longest = super()._longest_pause()
        return longest if self._takeover is None else min(longest, self._options.renewal_age / 2)

    def _longest_wait(self, cursors: Iterable[Cursor]) -> float:
        if self._takeover is None:
            return self._slice
        due = self._takeover.earliest(cursor.name for cursor in cursors)
        # What is held here must not become claimable while we wait: the server would give it to us again.
        return max(0.001, min(self._slice, self._options.renewal_age / 2, due - rt.now()))

    def _ahead(self, reader: Reader[AnyStr]) -> Mapping[bytes, tuple[bytes, ...]]:
        if self._options.delete or not len(self._acknowledgements):
            return {}
        names, taken = reader.by_name, self._acknowledgements.take()
        return taken if taken.keys() <= names.keys() else {name: taken[name] for name in taken if name in names}

    # ------------------------------------------------------------------------------------------------------- after a read

    def _questions(self, following: Plan) -> Mapping[bytes, Words]:
        """
        After a reply was lost, ask what is pending that we have not got, before it is read and looks new. After a dead
        connection was in doubt, ask what is pending of all that came meanwhile.
        """
        unexplained, dubious = self._unexplained, self._dubious
        if not (unexplained or dubious) or following.kind is not Kind.HISTORY:
            return {}
        questions: dict[bytes, Words] = {}
        for cursor in following.cursors():
            name = cursor.name
            if name in dubious:
                questions[name] = pending_words(self._membership, name, dubious[name], cursor.floor)
            elif name in unexplained:
                questions[name] = pending_words(self._membership, name, cursor.floor)
        return questions

    def _note_answers(self, reader: Reader[AnyStr]) -> None:
        """
        See whether what is pending may have been in the lost reply; or may have been given to a connection that was in doubt.
        """
        for name, pending in reader.answers().items():
            if name in self._dubious:
                again = look_through(
                    name, self._dubious[name], pending, self._account, ErrorLine in map(type, reader.replies())
                )
                if again is not None:
                    self._phantoms.append(again)
                self._dubious.pop(name, None)
                continue
            sent = self._unexplained.get(name)
            if sent is not None and not isinstance(pending, ErrorLine):
                foreign = not_of_one_read([int(idle) for _, _, idle, _ in pending], rt.now() - sent)
                del self._unexplained[name]
                if foreign:
                    self._note_conflict()

    def _note_acknowledged(self, reader: Reader[AnyStr]) -> None:
        self._note_answers(reader)
        answered = reader.acknowledged()
        if not answered:
            return
        sent, count = {name: reader.acknowledging[name] for name in answered}, sum(answered.values())
        reader.acknowledging = {}
        self._acknowledgements.confirmed(sent, rt.now())
        self._note_done(sent, count)

    def _read(
        self, following: Plan, cursors: Mapping[bytes, Cursor], answers: list[Reply]
    ) -> arrivals.Arrivals[AnyStr]:
        if following.kind is not Kind.CLAIM:
            found = arrivals.read(answers, cursors, self.client.replies, self._account)
            if following.kind is Kind.HISTORY:
                self._compare(cursors, found)
        else:
            assert self._held is not None and self._takeover is not None
            found, positions = arrivals.read_claims(answers, cursors, self.client.replies, self._held)
            self._takeover.scanned(positions, rt.now(), rt.random())
        self._deleted |= found.deleted
        return found

    def _compare(self, cursors: Mapping[bytes, Cursor], found: arrivals.Arrivals[AnyStr]) -> None:
        """
        Look for entries in the backlog that came into it after this session had begun.
        """
        for name, cursor in cursors.items():
            backlog = not cursor.asked_new and cursor.phase is Phase.HISTORY
            if backlog and not self._conflict_told and delivered_since(found.last[name], cursor.floor):
                self._note_conflict()

    def _sift(
        self, following: Plan, arrived: arrivals.Arrivals[AnyStr]
    ) -> tuple[Iterable[AnyStr], list[StreamEntry[AnyStr]], list[Suspect[AnyStr]]]:
        if self._giving_up is None:
            return arrived.streams, arrived.entries, []
        most = self._giving_up.most
        history = following.kind is Kind.HISTORY
        lost = {cursor.name: cursor.lost_reads if history else 0 for cursor in following.cursors()}
        fresh: list[tuple[AnyStr, StreamEntry[AnyStr]]] = []
        suspects: list[Suspect[AnyStr]] = []
        for key, item in zip(arrived.keys, arrived.items(), strict=True):
            deliveries = item[1].delivered
            if following.kind is not Kind.NEW:
                suspects.append(Suspect(key, item, None, excused=lost[key[0]]))
            elif deliveries is not None and deliveries >= most:
                suspects.append(Suspect(key, item, deliveries))
            else:
                fresh.append(item)
        return [stream for stream, _ in fresh], [entry for _, entry in fresh], suspects

    def _doubt(self, floors: Mapping[bytes, bytes], sure: bool) -> None:
        # What the dead connection was given after the recovery is pending here, and nobody has seen it.
        if self.auto_acknowledge:
            return
        self.statistics.recovered += 1
        for name, floor in floors.items():
            cursor = self._cursors.get(name)
            if cursor is None:
                continue  # another thread has just removed it
            if sure:
                cursor.missed(floor)
            elif self._takeover is None and parse(floor) < parse(cursor.floor):
                self._dubious[name] = min(floor, self._dubious.get(name, floor), key=parse)
            cursor.lost()
            cursor.lost_reads += 1

    def _open_account(self) -> None:
        """
        Keep account of what comes from now on, while a dead connection may be given something before it. Where leases are kept,
        that is done anyway, and what nobody has a lease of is taken over in its time.
        """
        if self._takeover is None and not (self.auto_acknowledge or self._noting):
            account = self._held or Held()
            # No call between these statements, so nothing can interrupt here.
            self._leases = account.leases
            self._account = account
            self._noting = True

    def _close_account(self) -> None:
        """
        Keep none any more when nothing is in doubt, and nothing is being looked through.
        """
        for name in [name for name in self._dubious if name not in self._cursors]:
            self._dubious.pop(name, None)
        if self._phantoms or self._dubious:
            return
        if not any(cursor.phase is Phase.HISTORY for cursor in list(self._cursors.values())):
            self._leases.clear()
            # No call between these statements.
            self._account = self._held
            self._noting = False

    def _to_note(self, keys: Iterable[Key]) -> Iterable[Key]:
        # Not of other streams: who acknowledges by themselves does not tell, and a place may be out of reach for long.
        if self._takeover is not None:
            return keys
        in_doubt = set(self._dubious).union(*[phantom.floors for phantom in list(self._phantoms)])
        return [key for key in keys if key[0] in in_doubt]

    def _taken(self, following: Plan, arrived: arrivals.Arrivals[AnyStr]) -> None:
        if self._account is not None:
            self._account.settled(cursor.name for cursor in following.cursors())
            self.statistics.duplicates_suppressed += arrived.suppressed
            self.statistics.claimed += arrived.claimed

    def _lose(self, reader: Reader[AnyStr]) -> None:
        lost = reader.plan
        if lost is not None and lost.kind is not Kind.CLAIM:
            for cursor in lost.cursors():
                cursor.lost_reads += 1
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
                    # With leases there are other reasons: what was taken over. So there are with an older connection in doubt.
                    if self._account is None:
                        self._unexplained.setdefault(cursor.name, reader.sent_at)
        elif lost is not None and lost.kind is Kind.HISTORY:
            # It may have been executed, and has renewed the times of what it gave: they tell nothing any more.
            for cursor in lost.cursors():
                self._unexplained.pop(cursor.name, None)
        if lost is not None and lost.kind is Kind.NEW:
            self._open_account()
        super()._lose(reader)  # type: ignore[arg-type]  # see the constructor

    def _vanished(self, error: StreamConsumerGroupError) -> None:
        self._doubtful.update(self._cursors)
        if not self.auto_create or self._options.raises:
            raise error

    async def _acknowledge(self, entries: Mapping[bytes, tuple[bytes, ...]]) -> int:
        count = await self._pending.acknowledge(entries)
        self._note_done(entries, count)
        return count

    def _note_done(self, entries: Mapping[bytes, tuple[bytes, ...]], count: int) -> None:
        self.statistics.acknowledged += count
        for name, found in entries.items():
            self._let_go(name, found)
            if self._giving_up is not None:
                self._giving_up.errors.forget(name, found)
        self._settle(count)  # last, for it wakes who counts

    def _let_go(self, name: bytes, found: tuple[bytes, ...]) -> None:
        if self._account is not None:
            self._account.let_go(name, found, self._outstanding())

    def _named(self, stream: KeyT, entries: tuple[IdentifierT, ...]) -> tuple[bytes, tuple[bytes, ...]]:
        """
        Write a stream and identifiers as the server does.
        """
        name = stream if type(stream) is bytes else encode_name("stream", stream, self.client.encoding)
        if not entries and name not in self._cursors and identifiers.surely_valid(name):
            raise ValueError(f"stream: got {stream!r}, an identifier; the stream comes first, and then its entries")
        return name, identifiers.canonical("entries", entries)

    # ------------------------------------------------------------------------------------------------ opening and closing

    def _start_heartbeat(self) -> None:
        if self._options.heartbeat and self._heartbeat is None and not self._stopped:
            self._heartbeat = Heartbeat(self, self._options.renewal_age / 2)

    async def _stop_heartbeat(self) -> None:
        if self._heartbeat is not None:
            await self._heartbeat.stop()
            self._heartbeat = None

    def forget_parent(self) -> None:
        self._heartbeat = self._renewing = None  # threads and tasks stay with the parent
        self._acknowledgements.clear()
        self._notices = []
        super().forget_parent()

    def _restart(self) -> None:
        super()._restart()
        self._deleted.clear()
        self._unexplained, self._returning, self._withdrawn = {}, {}, []
        self._dubious, self._account, self._noting = {}, self._held, self._takeover is not None
        self._conflict_told = self._deferred = False
        self._suspects = []
        if self._held is not None:
            self._held.clear()
            self._lookout.until = -math.inf
        if self._takeover is not None:
            self._takeover.reset()
