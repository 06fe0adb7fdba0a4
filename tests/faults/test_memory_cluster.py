"""
The cluster in memory answers as the real ones do: redirects, slots that move, failovers, and what is told of changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Final, TypeAlias

import pytest

from tests.support.clusters import Cluster
from tests.support.memory.cluster import MemoryCluster
from tests.support.memory.cluster_differences import ClusterTwins
from tests.support.memory.sequences import Words
from tests.support.memory.server import Event
from tests.support.memory.stream import Stream
from tests.support.resp import encode_command

Opened: TypeAlias = Callable[..., ClusterTwins]

#: Keys of several slots on each node, some of which share one.
KEYS: Final = (b"{k0}a", b"{k0}b", b"{k1}a", b"{k2}a", b"{k2}b", b"{k3}a", b"{k4}a", b"{k5}a")
COMMANDS: Final = 200
#: On the first of the three nodes.
KEY: Final = b"k2"
SLOT: Final = 449
READ_GROUP: Final = (b"XREADGROUP", b"GROUP", b"g", b"a", b"BLOCK", b"0", b"STREAMS", KEY, b">")
READ: Final = (b"XREAD", b"BLOCK", b"0", b"STREAMS", KEY, b"$")

#: What happens to a stream, and whether those who have read it are told.
CHANGES: Final = (
    ((b"XADD", KEY, b"2-1", b"n", b"2"), True),
    ((b"XADD", KEY, b"MAXLEN", b"1", b"2-1", b"n", b"2"), True),
    ((b"XDEL", KEY, b"1-1"), True),
    ((b"XTRIM", KEY, b"MAXLEN", b"0"), True),
    ((b"DEL", KEY), True),
    ((b"SET", KEY, b"text"), True),
    ((b"XACK", KEY, b"g", b"1-1"), False),
    ((b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", KEY, b">"), False),
    ((b"XGROUP", b"CREATE", KEY, b"h", b"0"), False),
    ((b"XGROUP", b"DESTROY", KEY, b"g"), False),
    ((b"XGROUP", b"DELCONSUMER", KEY, b"g", b"a"), False),
)


@pytest.fixture
def opened(cluster: Cluster) -> Iterator[Opened]:
    twins: list[ClusterTwins] = []

    def make(*nodes: int, protocol: int = 3) -> ClusterTwins:
        twins.append(ClusterTwins(cluster, protocol, nodes))
        return twins[-1]

    yield make
    for each in twins:
        each.close()


class Sequence:
    """
    Makes random commands, and moves slots now and then.
    """

    def __init__(self, twins: ClusterTwins, seed: int) -> None:
        self._twins = twins
        self._random = Random(seed)
        self._slot: int | None = None  # is on its way
        self._last = 0

    def step(self) -> None:
        """
        Do one thing.
        """
        random, twins = self._random, self._twins
        connection = random.randrange(6)
        chance = random.random()
        if chance < 0.03:
            self._migrate()
        elif chance < 0.06 and self._slot is not None:
            twins.move_key(self._slot, random.choice(KEYS))
        elif chance < 0.1:
            twins.run(random.choice((b"READONLY", b"READWRITE")), connection=connection)
        elif chance < 0.15:
            twins.run(b"MULTI", connection=connection)
            for _ in range(random.randrange(3)):
                self._command(connection)
            twins.run(b"EXEC", connection=connection)
        else:
            if random.random() < 0.2:
                twins.run(b"ASKING", connection=connection)
            self._command(connection)

    def _migrate(self) -> None:
        if self._slot is not None:
            self._twins.finish_migration(self._slot)
            self._slot = None
        else:
            slot = self._twins.memory.slot(self._random.choice(KEYS))
            owner = self._twins.memory.view.owner(slot).number
            self._twins.begin_migration(slot, (owner + self._random.choice((1, 2))) % 3)
            self._slot = slot

    def _command(self, connection: int) -> None:
        words = self._words()
        # What a replica has got by now nobody knows.
        if connection >= 3:
            words = (b"XADD", self._random.choice(KEYS), b"1-1", b"n", b"1")
        self._twins.run(*words, connection=connection)

    def _words(self) -> Words:
        random = self._random
        key = random.choice(KEYS)
        self._last += 1
        return random.choice(
            (
                (b"XADD", key, b"%d-1" % self._last, b"n", b"1"),
                (b"XADD", key, b"%d-1" % self._last, b"n", b"1"),
                (b"XGROUP", b"CREATE", key, b"g", b"0", b"MKSTREAM"),
                (b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", key, b">"),
                (b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", key, b"0"),
                (b"XREAD", b"STREAMS", key, random.choice(KEYS), b"0", b"0"),
                (b"XACK", key, b"g", b"%d-1" % random.randint(1, self._last)),
                (b"XPENDING", key, b"g"),
                (b"XLEN", key),
                (b"DEL", key),
                (b"EXISTS", key, random.choice(KEYS)),
                (b"XRANGE", key, b"-", b"+"),
                (b"CLUSTER", b"SLOTS"),
                (b"PING",),
            )
        )


@pytest.mark.parametrize("seed", range(2))
def test_random_commands_get_the_same_replies(opened: Opened, seed: int) -> None:
    """
    The same random commands at random nodes get the same replies from both, redirects included, while slots move.
    """
    twins = opened(*range(6), protocol=2 + seed)
    sequence = Sequence(twins, seed)
    for _ in range(COMMANDS):
        sequence.step()


@pytest.mark.parametrize("read", [READ_GROUP, READ], ids=["XREADGROUP", "XREAD"])
def test_a_slot_moves_under_a_blocked_read(opened: Opened, read: Words) -> None:
    """
    A read that waits at the old node is ended as each server words it; one that waits at the new node is served.
    """
    twins = opened(0, 0, 1, 1)
    assert twins.memory.slot(KEY) == SLOT
    twins.run(b"XGROUP", b"CREATE", KEY, b"g", b"$", b"MKSTREAM")
    twins.run(b"XADD", KEY, b"1-1", b"n", b"1")
    twins.run(b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", KEY, b">")
    twins.start(*read, connection=1)

    twins.begin_migration(SLOT, 1)
    twins.move_key(SLOT, KEY)

    ended = twins.settle(*read, connection=1)
    assert ended == (read is READ_GROUP)
    twins.run(*read, connection=0)
    twins.run(b"ASKING", connection=2)
    twins.start(*read, connection=2)
    twins.run(b"ASKING", connection=3)
    twins.run(b"XADD", KEY, b"2-1", b"n", b"2", connection=3)
    assert twins.settle(*read, connection=2)
    twins.run(b"ASKING", connection=2)
    twins.start(*read, connection=2)
    twins.finish_migration(SLOT)
    assert ended or twins.settle(*read, connection=1)
    twins.run(b"XADD", KEY, b"3-1", b"n", b"3", connection=3)
    assert twins.settle(*read, connection=2)
    twins.run(b"XPENDING", KEY, b"g", connection=2)


@pytest.mark.parametrize("read", [READ_GROUP, READ], ids=["XREADGROUP", "XREAD"])
def test_a_slot_moves_at_once_under_a_blocked_read(opened: Opened, read: Words) -> None:
    """
    A read that waits for a slot that moves atomically is told where it is, and so is who has read it.
    """
    twins = opened(0, 0, 0, 1)
    if twins.memory.personality.old_waiting:
        pytest.skip("this server moves slots key by key only")
    twins.run(b"XGROUP", b"CREATE", KEY, b"g", b"$", b"MKSTREAM")
    twins.run(b"CLIENT", b"TRACKING", b"ON", connection=2)
    twins.run(b"XLEN", KEY, connection=2)
    twins.start(*read, connection=1)

    twins.move_at_once(SLOT, 1)

    assert twins.settle(*read, connection=1)
    twins.expect_message(2)
    twins.run(b"XLEN", KEY)
    twins.run(b"XINFO", b"GROUPS", KEY, connection=3)


@pytest.mark.parametrize("read", [READ_GROUP, READ], ids=["XREADGROUP", "XREAD"])
def test_a_failover_under_a_blocked_read(opened: Opened, read: Words) -> None:
    """
    A read that waits at a primary that becomes a replica is ended as each server words it; the new primary has everything.
    """
    twins = opened(0, 0, 0, 3)
    twins.run(b"XGROUP", b"CREATE", KEY, b"g", b"$", b"MKSTREAM")
    twins.run(b"XADD", KEY, b"1-1", b"n", b"1")
    twins.run(b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", KEY, b">")
    twins.run(b"CLIENT", b"TRACKING", b"ON", connection=2)
    twins.run(b"XLEN", KEY, connection=2)
    twins.start(*read, connection=1)

    twins.fail_over(0)

    assert twins.settle(*read, connection=1)
    assert twins.expect_end(1) == twins.memory.personality.force_unblocks
    twins.expect_silence(2)
    twins.run(b"XLEN", KEY)
    twins.run(b"XPENDING", KEY, b"g", connection=3)
    twins.run(b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", KEY, b"0", connection=3)
    twins.run(b"XADD", KEY, b"2-1", b"n", b"2", connection=3)


def test_who_has_read_a_stream_is_told_of_changes(opened: Opened) -> None:
    """
    Whoever has read a stream and tracks it is told once when its entries change, but not when its groups do.
    """
    twins = opened(0, 0)
    twins.run(b"CLIENT", b"TRACKING", b"ON", connection=1)
    for number, (event, told) in enumerate(CHANGES):
        key = b"{%b}%d" % (KEY, number)
        words = tuple(key if word == KEY else word for word in event)
        twins.run(b"XGROUP", b"CREATE", key, b"g", b"0", b"MKSTREAM")
        twins.run(b"XADD", key, b"1-1", b"n", b"1")
        twins.run(b"XLEN", key, connection=1)

        twins.run(*words)
        twins.run(*words)

        if told:
            twins.expect_message(1)
        twins.expect_silence(1)


def test_a_migration_and_an_emptied_server_are_changes(opened: Opened) -> None:
    """
    Whoever tracks what it has read is told when a key has left, and when everything has gone.
    """
    twins = opened(0, 0)
    twins.run(b"CLIENT", b"TRACKING", b"ON", connection=1)
    for _ in range(2):
        twins.run(b"XADD", KEY, b"1-1", b"n", b"1")
        twins.run(b"XLEN", KEY, connection=1)
        twins.run(b"FLUSHALL")
        twins.expect_message(1)
    twins.run(b"XADD", KEY, b"1-1", b"n", b"1")
    twins.run(b"XLEN", KEY, connection=1)
    twins.begin_migration(SLOT, 2)

    twins.move_key(SLOT, KEY)

    twins.expect_message(1)
    twins.finish_migration(SLOT)


def test_what_has_not_reached_a_replica_is_lost_when_it_takes_over_by_force() -> None:
    """
    A replica that lags behind and takes over by force has what there was when it began to lag, and the journal says so.
    """
    journal: list[Event] = []
    cluster = MemoryCluster(journal=journal)
    cluster.command(b"XADD", KEY, b"1-1", b"n", b"1")
    cluster.lag(cluster.view.replicas[0][0])
    known = len(journal)
    cluster.command(b"XADD", KEY, b"2-1", b"n", b"2")

    cluster.fail_over(0, forced=True)

    stream = cluster.get(0, KEY)
    assert isinstance(stream, Stream)
    assert [(1, 1)] == stream.order
    assert [("restored", KEY, known)] == [(event.kind, event.key, event.command) for event in journal[-1:]]


def test_a_node_that_comes_back_refuses_until_it_hears_what_is_true() -> None:
    """
    A primary that was replaced while it was down believes that it still is one, and serves nothing until it knows better.
    """
    cluster = MemoryCluster()
    old = cluster.view.primaries[0]
    cluster.kill(old)
    with pytest.raises(ConnectionRefusedError):
        cluster.connect(old.port)
    cluster.fail_over(0, forced=True)
    cluster.gossip = lambda node: None
    cluster.start(old)
    connection = cluster.connect(old.port)
    answers = []
    for _ in range(2):
        connection.receive(encode_command("XLEN", KEY))
        answers.append(connection.take())
        cluster.tell(old)

    assert [b"-CLUSTERDOWN The cluster is down\r\n", b"-MOVED 449 127.0.0.1:7003\r\n"] == answers
