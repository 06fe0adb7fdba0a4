"""
Members of a group in every order of calls, against what a group promises: with the server in memory and with the real ones.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

import coredis.sync
from tests.support.blocking import connect
from tests.support.memory.personality import REDIS_7_0, REDIS_8_6, VALKEY_9_1, Personality
from tests.support.servers import Server
from tests.support.simulation.stage import Stage

STREAMS = ("s", "t")
MEMBERS = (0, 1)
MEMBER = st.sampled_from(MEMBERS)
STREAM = st.sampled_from(STREAMS)
OPTIONS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Place(Protocol):
    """
    Where the members are.
    """

    def client(self) -> Any:
        """
        Make a client, to be closed by the caller.
        """

    def break_connections(self, admin: Any) -> None:
        """
        Let all connections break, that of ``admin`` perhaps not.
        """

    def close(self) -> None:
        """
        Be done.
        """


class Members(RuleBasedStateMachine):
    """
    Two members of a group read two streams. The model knows who was given what.

    Every entry is given to one member, in order, and again only after that member has begun afresh with what it left pending.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self._admin = place.client()
        self._admin.delete(list(STREAMS))
        self._clients = [place.client() for _ in MEMBERS]
        self._consumers = [
            client.xconsumer(
                STREAMS,
                group="g",
                consumer=f"c{number}",
                buffer_size=number * 2,
                start_from_backlog=True,
                prefetch=number == 1,
                ack_buffer=number * 2,
            )
            for number, client in enumerate(self._clients)
        ]
        self._order: dict[str, list[bytes]] = defaultdict(list)
        self._owner: dict[tuple[str, bytes], int] = {}
        self._given: list[set[tuple[str, bytes]]] = [set() for _ in MEMBERS]  # in this session
        self._unacknowledged: list[list[tuple[str, bytes]]] = [[] for _ in MEMBERS]
        self._acknowledged: set[tuple[str, bytes]] = set()
        self._deleted: set[tuple[str, bytes]] = set()

    def teardown(self) -> None:
        """
        In the end everything has been given to somebody, and nothing stays pending.
        """
        try:
            for member in MEMBERS:
                while self._read(member):
                    pass
            for stream, identifiers in self._order.items():
                for identifier in identifiers:
                    key = stream, identifier
                    assert key in self._owner or key in self._deleted, f"{key} was given to nobody"
            for member in MEMBERS:
                self.acknowledge(member, 100)
                self._consumers[member].flush()
            for stream in STREAMS:
                if self._admin.exists([stream]):
                    pending = {(stream, entry.identifier) for entry in self._admin.xpending(stream, "g", "-", "+", 100)}
                    assert pending <= self._deleted, f"{pending} stay pending"
        finally:
            for consumer in self._consumers:
                consumer.close()
            for client in (*self._clients, self._admin):
                client.close()
            self._place.close()

    @rule(stream=STREAM, count=st.integers(1, 4))
    def add(self, stream: str, count: int) -> None:
        """
        Add entries.
        """
        for _ in range(count):
            self._order[stream].append(self._admin.xadd(stream, {"n": len(self._order[stream])}))

    @rule(member=MEMBER, breaks=st.booleans())
    def read(self, member: int, breaks: bool) -> None:
        """
        Ask for an entry, and perhaps let connections break after that, when the next read is out already.
        """
        self._read(member)
        if breaks:
            self.break_connections()

    def _read(self, member: int) -> bool:
        """
        Ask for an entry; False: there was none.
        """
        name, entry = self._consumers[member].get_entry()
        if name is None:
            others = self._fetched(1 - member)
            for stream, identifiers in self._order.items():
                free = (
                    {(stream, identifier) for identifier in identifiers} - self._deleted - self._owner.keys() - others
                )
                assert not free, f"{free} could have been read"
            return False
        stream = name.decode()
        key = stream, entry.identifier
        number = int(entry.field_values[b"n"])
        given = [identifier for one, identifier in self._given[member] if one == stream]

        assert self._order[stream][number] == entry.identifier
        assert key not in self._given[member], "it came twice"
        assert key not in self._acknowledged, "it had been acknowledged"
        assert self._owner.setdefault(key, member) == member, "it was given to two members"
        assert all(self._order[stream].index(identifier) < number for identifier in given), "it came out of order"
        self._given[member].add(key)
        if key not in self._unacknowledged[member]:
            self._unacknowledged[member].append(key)
        return True

    def _fetched(self, member: int) -> set[tuple[str, bytes]]:
        """
        List what a member has, perhaps more than it was asked for.
        """
        return {
            (stream, entry.identifier)
            for stream in STREAMS
            if self._admin.exists([stream])
            for entry in self._admin.xpending(stream, "g", "-", "+", 100, consumer=f"c{member}")
        }

    @rule(member=MEMBER, count=st.integers(1, 3))
    def acknowledge(self, member: int, count: int) -> None:
        """
        Acknowledge some of what was given.
        """
        mine = self._unacknowledged[member]
        done, self._unacknowledged[member] = mine[:count], mine[count:]
        for stream, identifier in done:
            answer = self._consumers[member].ack(stream, identifier)
            if member == 1:  # collects them
                assert answer <= 2
            elif (stream, identifier) not in self._deleted:  # which is acknowledged away when it is read again
                assert answer == 1
        self._acknowledged.update(done)

    @rule(member=MEMBER)
    def begin_afresh(self, member: int) -> None:
        """
        Close and enter again: what was not acknowledged comes again, also what had been fetched only.
        """
        consumer = self._consumers[member]
        consumer.close()
        consumer.__enter__()
        self._given[member] = set()
        self._unacknowledged[member] = []

    @precondition(lambda machine: any(machine._order.values()))
    @rule(stream=STREAM, position=st.integers(0, 20))
    def delete(self, stream: str, position: int) -> None:
        """
        Delete an entry.
        """
        if self._order[stream]:
            identifier = self._order[stream][position % len(self._order[stream])]
            self._admin.xdel(stream, [identifier])
            self._deleted.add((stream, identifier))

    @rule()
    def break_connections(self) -> None:
        """
        Everybody has to connect again.
        """
        self._place.break_connections(self._admin)


class InMemory:
    """
    A simulated world.
    """

    def __init__(self, personality: Personality) -> None:
        self._stage = Stage(personality)
        self._open = ExitStack()
        self._open.enter_context(self._stage.open())

    def client(self) -> Any:
        return self._stage.client(blocking=True)

    def break_connections(self, admin: Any) -> None:
        for link in list(self._stage.network.links):
            if not link.gone:
                link.connection.receive(bytes(link.outward))  # it is answered, and the answer does not arrive
            self._stage.network.reset(link)

    def close(self) -> None:
        self._open.close()


class OnServer:
    """
    A real server.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def client(self) -> coredis.sync.Redis[bytes]:
        return connect(self._server)

    def break_connections(self, admin: Any) -> None:
        admin.client_kill(type_="normal", skipme=True)

    def close(self) -> None: ...


@pytest.mark.parametrize("personality", [REDIS_7_0, REDIS_8_6, VALKEY_9_1], ids=lambda one: one.version)
def test_members_of_a_group_in_memory(personality: Personality) -> None:
    """
    Whatever they do in which order, with the server in memory.
    """
    run_state_machine_as_test(
        lambda: Members(InMemory(personality)), settings=settings(OPTIONS, max_examples=200, stateful_step_count=50)
    )


def test_members_of_a_group_on_a_server(server: Server) -> None:
    """
    The same with real servers.
    """
    run_state_machine_as_test(
        lambda: Members(OnServer(server)), settings=settings(OPTIONS, max_examples=50, stateful_step_count=50)
    )
