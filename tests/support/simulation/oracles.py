"""
Judge a world by what its server knows: was everything delivered given to the application, or is it accounted for?

* ack: every entry of a stream was given to somebody, or is pending for a session that has ended, or the server has forgotten
  who had it. What the server delivered to a session that lives was given by that session.
  With taking over, nothing stays pending. A dead letter is written once (more often only after accidents), and no entry is
  given more often than was asked for.
* noack: every reply with an entry that was not given is counted in ``possibly_lost``.
* plain: every reader was given every entry.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from coredis._core.consumer.limits import REPLY_BYTES
from tests.support.memory.stream import Stream
from tests.support.simulation.plan import FORGETTING, HARMLESS, LOSING_NOTHING
from tests.support.simulation.sessions import Place, Session

if TYPE_CHECKING:
    from tests.support.simulation.world import World


def unfinished(world: World) -> str | None:
    """
    Say what is still missing, for a world that has become quiet; None: nothing.
    """
    if world.producer.left or world.producer.task is not None:
        return "the producer has not finished"
    for reader in world.readers:
        if not reader.nothing or reader.held or reader.ending or reader.absent:
            return f"{reader.host} has not come to rest ({len(reader.held)} to acknowledge, {reader.errors} errors)"
    world.journal.catch_up()
    if world.plan.mode == "plain":
        return _plain(world)
    return _Judge(world).reason()


def _plain(world: World) -> str | None:
    for key, stream in _streams(world):
        life = world.journal.life(key)
        for reader in world.readers:
            for identifier in stream.order:
                where = (key, (life, identifier))
                if where not in world.journal.revived and not reader.session.has(*where):
                    return f"{reader.host} was not given {key!r} {identifier}"
    return None


def _streams(world: World) -> list[tuple[bytes, Stream]]:
    found = [(name.encode(), world.server.get(0, name.encode())) for name in world.plan.streams]
    return [(key, stream) for key, stream in found if isinstance(stream, Stream)]


class _Judge:
    """
    Goes through the journal from the beginning.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._lives: dict[bytes, int] = defaultdict(int)
        self._pending: dict[tuple[bytes, Place], tuple[Session | None, int]] = {}  # for whom, and delivered when
        self._removed: set[tuple[bytes, Place]] = set()
        self._restorable: set[tuple[int, bytes]] = set()
        self._kept: dict[
            tuple[int, bytes], tuple[dict[tuple[bytes, Place], tuple[Session | None, int]], set[tuple[bytes, Place]]]
        ] = {}
        self._forgotten: set[tuple[bytes, Place]] = set()
        self._replies: dict[int, dict[tuple[int, int], list[tuple[bytes, Place]]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def reason(self) -> str | None:
        """
        Say what was lost, or is not where it should be.
        """
        self._restorable = {
            (event.command, event.key) for event in self._world.journal.events if event.kind == "restored"
        }
        for number, event in enumerate(self._world.journal.events):
            self._remember(number)
            place = (self._lives[event.key], event.identifier)
            where = (event.key, place)
            if event.kind == "removed":
                self._removed.add(where)
            elif event.kind == "delivered":
                session = self._session(event.connection)
                if event.pending:
                    self._pending[where] = session, number
                elif session is not None:
                    # On a cluster one read may be several commands, and no more than one is lost with a connection.
                    command = 0 if self._world.plan.primaries else event.command
                    self._replies[id(session)][event.connection, command].append(where)
            elif event.kind == "acknowledged":
                self._pending.pop(where, None)
                if where not in self._removed and not self._given(where):
                    return f"{where} was acknowledged, but nobody was given it"
                journal = self._world.journal
                if where not in self._removed and where not in journal.acknowledged and where not in journal.letters:
                    return f"{where} was acknowledged, but nobody asked for that, and there is no dead letter"
            elif event.kind in ("destroyed", "gone"):
                self._forget(event.key)
            elif event.kind == "restored":
                self._restore(event.key, event.command)
            if event.kind == "gone":
                self._lives[event.key] += 1
        return self._unread() or self._losses() or self._left() or self._letters() or self._counters()

    def _remember(self, number: int) -> None:
        """
        Keep what is known of a stream at a moment to which a failover will take it back.
        """
        for when, key in self._restorable:
            if when == number:
                self._kept[when, key] = (
                    {where: found for where, found in self._pending.items() if where[0] == key},
                    {where for where in self._removed if where[0] == key},
                )

    def _restore(self, key: bytes, when: int) -> None:
        pending, removed = self._kept[when, key]
        self._pending = {where: found for where, found in self._pending.items() if where[0] != key} | pending
        self._removed = {where for where in self._removed if where[0] != key} | removed

    def _session(self, connection: int) -> Session | None:
        """
        Find out whose connection it was.
        """
        link = self._world.network.all_links.get(connection)
        if link is None:
            return None
        mine = [
            session
            for session in self._world.sessions
            if session.owner == link.owner and session.since_link < connection
        ]
        return mine[-1] if mine else None

    def _given(self, where: tuple[bytes, Place]) -> bool:
        return where in self._world.journal.letters or any(session.has(*where) for session in self._world.sessions)

    def _forget(self, key: bytes) -> None:
        """
        The server has forgotten who has which entries of a stream.
        """
        lone = len(self._world.sessions) == 1
        for where, _ in list(self._pending.items()):
            if where[0] == key:
                del self._pending[where]
                if not lone:
                    self._forgotten.add(where)

    def _unread(self) -> str | None:
        for key, stream in _streams(self._world):
            group = stream.groups.get(b"g")
            if stream.order and (group is None or group.last < stream.newest):
                return f"{key!r} has entries that nobody asks for"
        return None

    def _losses(self) -> str | None:
        if self._world.plan.mode == "noack":
            return self._uncounted()
        for key, stream in _streams(self._world):
            life = self._world.journal.life(key)
            for identifier in stream.order:
                where = (key, (life, identifier))
                if self._given(where) or where in self._forgotten or where in self._world.journal.revived:
                    continue
                if where not in self._pending:
                    return f"{where} was given to nobody, and is pending for nobody"
                session, number = self._pending[where]
                if self._world.plan.claim_idle is not None:
                    return f"{where} is pending for {session and session.owner}, and nobody takes it over"
                if session is not None and session.alive:
                    return f"{where} is pending for {session.owner}, which lives and was not given it"
                if (heir := self._heir(session, number)) is not None:
                    return f"{where} is the backlog of {heir.owner}, which was not given it"
        return None

    def _left(self) -> str | None:
        if self._world.plan.claim_idle is None:
            return None
        for key, stream in _streams(self._world):
            group = stream.groups.get(b"g")
            pending = [] if group is None else [found for found in group.pending if found in stream.entries]
            if not self._world.plan.own_acknowledgements:
                # Who is not told of an acknowledgement, and a failover loses it, holds the entry still.
                life, revived = self._world.journal.life(key), self._world.journal.revived
                pending = [found for found in pending if (key, (life, found)) not in revived]
            if pending:
                return f"{pending} of {key!r} are pending, and nobody takes them over"
        return None

    def _letters(self) -> str | None:
        world = self._world
        accidents = not HARMLESS.issuperset(world.plan.faults)
        for where, count in world.journal.letters.items():
            if count > 1 + (len(world.history) if accidents else 0):
                return f"{count} dead letters were written of {where}"
        if world.plan.max_deliveries is None or world.plan.release or FORGETTING.intersection(world.plan.faults):
            return None
        # Who has lost a reply does not know whether the server had counted a delivery in it, and then rather gives an entry.
        unknown = sum(fault not in LOSING_NOTHING for _, fault in world.history)
        for where, count in world.journal.gives.items():
            if count > world.plan.max_deliveries + unknown:
                return f"{where} was given {count} times"
        return None

    def _heir(self, session: Session | None, number: int) -> Session | None:
        """
        Find the session that began with what was pending for this one.
        """
        if session is None:
            return None
        later = [
            other
            for other in self._world.sessions
            if other.consumer == session.consumer and other.alive and other.backlog and other.since_event > number
        ]
        return later[0] if later else None

    def _uncounted(self) -> str | None:
        counted = {id(session): session.lost for session in self._world.sessions if session.lost is not None}
        for reader in self._world.readers:
            statistics = reader.consumer.statistics
            counted[id(reader.session)] = statistics.possibly_lost - reader.session.lost_before
        for session in self._world.sessions:
            lost = [
                places
                for places in self._replies[id(session)].values()
                if not all(session.has(*where) for where in places)
            ]
            if id(session) in counted and len(lost) > counted[id(session)]:
                return f"{session.owner} lost {lost} and counted {counted[id(session)]}"
        return None

    def _counters(self) -> str | None:
        if not HARMLESS.issuperset(self._world.plan.faults) or self._world.plan.max_reply_bytes < REPLY_BYTES:
            return None
        for reader in self._world.readers:
            statistics = reader.consumer.statistics
            if statistics.possibly_lost or statistics.recovered or statistics.reconnects:
                return f"{reader.host} counts accidents where there were none: {statistics}"
        return None
