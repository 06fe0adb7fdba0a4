"""
What simulated worlds have found, each as small as it can be told.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

from coredis._core.consumer.phantoms import Phantom
from coredis.exceptions import ClusterDownError, StreamConsumerGroupError
from tests.support.memory.cluster import MemoryCluster
from tests.support.memory.connection import Connection
from tests.support.memory.personality import VALKEY_9_1
from tests.support.memory.stream import Stream
from tests.support.simulation.network import Link
from tests.support.simulation.stage import Stage

ENTRIES = (b"1", b"2")


def filled(stage: Stage) -> None:
    """
    Add the entries, to a stream with a group.
    """
    stage.command(b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM")
    for number in ENTRIES:
        stage.command(b"XADD", b"s", b"%b-1" % number, b"n", number)


def close_none(stage: Stage, meanwhile: Callable[[int, Connection], None], forbidden: bool = False) -> None:
    """
    Have the server find no connection to close, as behind a proxy.

    Args:
        meanwhile: called after each read of new entries, with its number from 1 on and its connection
        forbidden: nobody may ask what is pending
    """
    server = stage.server
    assert not isinstance(server, MemoryCluster)
    execute = server.execute
    reads = itertools.count(1)

    def interfere(connection: Connection, words: list[bytes]) -> None:
        if words[:2] == [b"CLIENT", b"KILL"]:
            words = [*words[:3], b"0"]
        elif words[0] == b"XPENDING" and forbidden:
            words = [b"XPENDING"]
        execute(connection, words)
        if words[0] == b"XREADGROUP" and words[-1] == b">":
            meanwhile(next(reads), connection)

    server.execute = interfere  # type: ignore[method-assign]


def add_two(stage: Stage) -> None:
    """
    Add two entries. Where two reads wait, the one that has waited for longer is given the first.
    """
    for number in (b"3", b"4"):
        stage.command(b"XADD", b"s", b"%b-1" % number, b"n", number)


def test_what_was_acknowledged_unknowingly_is_not_served_from_a_reply_that_was_late() -> None:
    """
    A read that takes over is late, and has brought what is held here; that was acknowledged, and the answer got lost. A renewal
    finds that it is not pending any more: it must not be taken for something new then.
    """
    stage = Stage()
    with stage.open():
        filled(stage)
        consumer = stage.client().xconsumer(["s"], group="g", consumer="c", buffer_size=9, claim_idle=500, timeout=20)
        for _ in ENTRIES:
            stage.run(consumer.get_entry())
        reading = stage.start(consumer.get_entry())
        stage.loop.step()  # the read has been sent, and has not arrived
        stage.let_pass(0.6)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            stage.finish(reading)
        stage.settle()
        stage.command(b"XACK", b"s", b"g", b"1-1", b"2-1")
        stage.let_pass(0.6)

        assert (None, None) == stage.run(consumer.get_entry())
        assert 2 == consumer.statistics.duplicates_suppressed
        stage.run(consumer.close())


def test_a_group_is_made_again_after_what_is_on_its_way() -> None:
    """
    A renewal finds the group gone while a read is out that had been answered before: the new group begins after that.
    """
    stage = Stage(VALKEY_9_1)
    with stage.open():
        filled(stage)
        consumer = stage.client().xconsumer(
            ["s"], group="g", consumer="c", buffer_size=1, prefetch=True, claim_idle=500, timeout=50
        )
        given = [stage.run(consumer.get_entry())]
        stage.settle()
        stage.command(b"XGROUP", b"DESTROY", b"s", b"g")
        stage.let_pass(0.6)
        while (more := stage.run(consumer.get_entry())) != (None, None):
            given.append(more)
            stage.run(consumer.ack("s", more[1]))

        assert list(ENTRIES) == [entry.field_values[b"n"] for _, entry in given]
        assert 1 == consumer.statistics.groups_recreated
        stage.run(consumer.close())


@pytest.mark.parametrize("timeout", [None, 20])
@pytest.mark.parametrize("blocking", [False, True])
def test_redirects_are_no_business_of_the_application(blocking: bool, timeout: int | None) -> None:
    """
    While nodes point at each other, a read asks them a few times and finds nothing, and says after a while that the cluster
    is down, not MOVED; the next one goes on.
    """
    stage = Stage(primaries=2)
    cluster = stage.server
    assert isinstance(cluster, MemoryCluster)
    source, target = cluster.nodes[:2]
    with stage.open():
        stage.command(b"XADD", b"s", b"1-1", b"n", b"1")
        slot = cluster.slot(b"s")
        if cluster.view.owner(slot) is target:
            source, target = target, source
        consumer = stage.client(blocking).xconsumer(["s"], s={"identifier": "0-0"}, timeout=timeout)
        assert (None, None) != stage.run(consumer.get_entry())
        cluster.gossip, before = lambda node: None, cluster.view
        cluster.move_at_once(slot, target)
        target.believe(before)
        with pytest.raises(ClusterDownError, match="MOVED"):
            for _ in range(20):
                assert (None, None) == stage.run(consumer.get_entry())
                assert timeout is not None  # who does not wait is not told that there is nothing
                stage.let_pass(1.0)
        target.believe(cluster.view)
        stage.command(b"XADD", b"s", b"2-1", b"n", b"2")

        _, entry = stage.run(consumer.get_entry())
        assert b"2-1" == entry.identifier
        stage.run(consumer.close())


@pytest.mark.parametrize("blocking", [False, True])
def test_acknowledgements_go_where_the_stream_has_gone(blocking: bool) -> None:
    """
    In a slot that is on its way, those that are sent ahead of a read are introduced as the read is: they arrive.
    """
    stage = Stage(primaries=2)
    cluster = stage.server
    assert isinstance(cluster, MemoryCluster)
    with stage.open():
        for number in (1, 2, 3):
            stage.command(b"XADD", b"s", b"%d-1" % number, b"n", b"1")
        slot = cluster.slot(b"s")
        source = cluster.view.owner(slot)
        target = next(node for node in cluster.nodes[:2] if node is not source)
        consumer = stage.client(blocking).xconsumer(
            ["s"], group="g", consumer="c", group_start="0", ack_buffer=10, ack_interval=60_000
        )
        _, first = stage.run(consumer.get_entry())
        assert b"1-1" == first.identifier
        cluster.begin_migration(slot, target)
        while cluster.move_key(slot):
            pass
        for expected in (b"2-1", b"3-1"):
            _, entry = stage.run(consumer.get_entry())
            assert expected == entry.identifier
            stage.run(consumer.ack("s", entry))
        stage.run(consumer.get_entry())

        assert 2 == consumer.statistics.acknowledged
        stream = cluster.get(0, b"s")
        assert isinstance(stream, Stream)
        assert [(1, 1)] == list(stream.groups[b"g"].pending)
        stage.run(consumer.close())


def test_who_a_redirect_points_to_is_asked_for_the_topology() -> None:
    """
    After a failover of which not all nodes have heard, the topology is not taken back to what was true before.
    """
    stage = Stage(primaries=2)
    cluster = stage.server
    assert isinstance(cluster, MemoryCluster)
    key = next(f"k{number}" for number in range(20) if cluster.holder(b"k%d" % number) is cluster.nodes[1])
    with stage.open():
        client = stage.client()
        stage.run(client.xadd(key, {"n": 1}))
        cluster.gossip = lambda node: None
        cluster.fail_over(1)
        old = cluster.nodes[1]
        before = old.executed
        for _ in range(3):
            stage.run(client.xadd(key, {"n": 1}))
            stage.let_pass(1.0)

        assert 1 == old.executed - before


def test_a_reply_that_nobody_has_looked_at_is_not_late() -> None:
    """
    Another node has told of a change before the call begins, so nothing is waited for; the reply that has been there for
    long is not taken for one that never comes.
    """
    stage = Stage(primaries=2)
    cluster = stage.server
    assert isinstance(cluster, MemoryCluster)
    here, there = cluster.nodes[:2]
    names = [f"k{number}" for number in range(20)]
    streams = [
        *[name for name in names if cluster.holder(name.encode()) is there][:2],
        *[name for name in names if cluster.holder(name.encode()) is here][:2],
    ]
    execute = here.execute

    def change_after_reading(connection: Connection, words: list[bytes]) -> None:
        execute(connection, words)
        if words[0] == b"XREAD" and words[-2] == streams[-1].encode():
            here.execute = execute  # type: ignore[method-assign]
            stage.command(b"XADD", streams[-2].encode(), b"1-1", b"n", b"other")

    here.execute = change_after_reading  # type: ignore[method-assign]
    with stage.open():
        for number in ENTRIES:
            stage.command(b"XADD", streams[0].encode(), b"%b-1" % number, b"n", number)
        consumer = stage.client(blocking=True).xconsumer(
            streams, parameters={stream: {"identifier": "0-0"} for stream in streams}, prefetch=True, timeout=20
        )
        given = []
        for _ in range(3):
            given.append(consumer.get_entry())
            stage.settle()
            stage.let_pass(30.0)

        assert [b"1", b"2", b"other"] == sorted(entry.field_values[b"n"] for _, entry in given)
        assert 0 == consumer.statistics.reconnects
        consumer.close()


def test_a_group_that_is_gone_just_when_the_time_is_up_is_made_again_by_the_next_call() -> None:
    """
    A waiting read is answered that there is no such group, and the time is up: nothing has come, and that is no error.
    """
    stage = Stage(VALKEY_9_1)
    with stage.open():
        filled(stage)
        consumer = stage.client().xconsumer(["s"], group="g", consumer="c", buffer_size=9, timeout=50)
        for _ in ENTRIES:
            stage.run(consumer.get_entry())
        reading = stage.start(consumer.get_entry())
        stage.settle()
        stage.command(b"XGROUP", b"DESTROY", b"s", b"g")
        (answered,) = stage.network.busy()
        stage.network.carry(answered)
        stage.let_pass(0.05)  # and nobody has looked at the answer yet

        assert (None, None) == stage.finish(reading)
        stage.command(b"XADD", b"s", b"3-1", b"n", b"3")
        _, entry = stage.run(consumer.get_entry())
        assert b"3-1" == entry.identifier
        assert 1 == consumer.statistics.groups_recreated
        stage.run(consumer.close())


def test_without_waiting_a_group_that_is_gone_again_and_again_is_told() -> None:
    """
    Who does not wait is not told that there is nothing when nobody knows.
    """
    stage = Stage(VALKEY_9_1)
    server = stage.server
    execute = server.execute  # type: ignore[union-attr]

    def destroy_before_reading(connection: Connection, words: list[bytes]) -> None:
        if words[0] == b"XREADGROUP":
            stage.command(b"XGROUP", b"DESTROY", b"s", b"g")
        execute(connection, words)

    with stage.open():
        filled(stage)
        server.execute = destroy_before_reading  # type: ignore[method-assign, union-attr]
        consumer = stage.client().xconsumer(["s"], group="g", consumer="c", buffer_size=9)
        with pytest.raises(StreamConsumerGroupError):
            stage.run(consumer.get_entry())
        stage.run(consumer.close())


@pytest.mark.parametrize("blocking", [False, True])
def test_where_a_read_was_once_sent_does_not_hold_for_the_next_migration(blocking: bool) -> None:
    """
    A slot went to another node and came back while nobody read, and is on its way again. The node that a redirect pointed to
    then does not have the stream yet: that is no reason to look there again and again, and make the group anew.
    """
    stage = Stage(primaries=2)
    cluster = stage.server
    assert isinstance(cluster, MemoryCluster)
    with stage.open():
        filled(stage)
        slot = cluster.slot(b"s")
        source = cluster.view.owner(slot)
        target = next(node for node in cluster.nodes[:2] if node is not source)
        consumer = stage.client(blocking).xconsumer(["s"], group="g", consumer="c", timeout=20)
        stage.run(consumer.get_entry())
        cluster.begin_migration(slot, target)
        while cluster.move_key(slot):
            pass
        _, entry = stage.run(consumer.get_entry())
        assert ENTRIES[1] == entry.field_values[b"n"]
        cluster.move_at_once(slot, target)
        cluster.move_at_once(slot, source)
        cluster.begin_migration(slot, target)
        stage.command(b"XADD", b"s", b"3-1", b"n", b"3")

        _, entry = stage.run(consumer.get_entry())
        assert b"3-1" == entry.identifier
        assert 0 == consumer.statistics.groups_recreated
        stage.run(consumer.close())


@pytest.mark.parametrize("blocking", [False, True])
def test_what_was_handed_back_for_later_does_not_keep_a_group_from_being_read_that_is_gone(blocking: bool) -> None:
    """
    The stream is deleted while an entry waits for its delay, and so is the entry: there is nothing left to hand back.
    """
    stage = Stage()
    with stage.open():
        filled(stage)
        consumer = stage.client(blocking).xconsumer(
            ["s"], group="g", consumer="c", buffer_size=9, claim_idle=500, timeout=20, prefetch=True
        )
        _, entry = stage.run(consumer.get_entry())
        stage.run(consumer.nack("s", entry, delay=2_000))
        stage.run(consumer.get_entry())
        stage.settle()
        # While this read may still be answered, the group is not made again.
        (waiting,) = [link for link in stage.network.links if link.connection.blocked is not None]
        waiting.mute = waiting.deaf = True
        stage.command(b"DEL", b"s")
        stage.let_pass(1.9)

        for _ in range(3):
            assert (None, None) == stage.run(consumer.get_entry())
        assert {} == consumer._held.postponed
        stage.let_pass(10.0)
        assert (None, None) == stage.run(consumer.get_entry())
        assert 1 == consumer.statistics.groups_recreated
        stage.run(consumer.close())


@pytest.mark.parametrize("blocking", [False, True])
def test_what_a_dead_connection_was_given_while_the_slot_was_moving_is_read(blocking: bool) -> None:
    """
    The node that a slot moves to goes on serving a connection of which the client knows that it is over. Meanwhile the client
    has asked the old node and was sent back, to what it takes for another place: there it is still in doubt.
    """
    stage = Stage(primaries=2)
    cluster = stage.server
    assert isinstance(cluster, MemoryCluster)
    with stage.open():
        filled(stage)
        target = next(node for node in cluster.nodes[:2] if node is not cluster.holder(b"s"))
        consumer = stage.client(blocking).xconsumer(["s"], group="g", consumer="c", timeout=1000, prefetch=True)
        stage.run(consumer.get_entry())
        cluster.begin_migration(cluster.slot(b"s"), target)
        while cluster.move_key(cluster.slot(b"s")):
            pass
        stage.run(consumer.get_entry())
        stage.command(b"XADD", b"s", b"3-1", b"n", b"3")
        stage.run(consumer.get_entry())
        stage.settle()
        (waiting,) = [link for link in stage.network.links if link.connection.blocked is not None]
        assert waiting.connection.server is target
        stage.network.sever(waiting)
        execute = target.execute

        def add_after_reading(connection: Connection, words: list[bytes]) -> None:
            execute(connection, words)
            if words[0] == b"XREADGROUP" and words[-1] == b">":
                target.execute = execute  # type: ignore[method-assign]
                # The first one goes to the dead connection, which has waited for longer.
                for number in (b"4", b"5"):
                    stage.command(b"XADD", b"s", b"%b-1" % number, b"n", number)

        target.execute = add_after_reading  # type: ignore[method-assign]
        given = []
        for _ in range(5):
            _, entry = stage.run(consumer.get_entry())
            given += [] if entry is None else [entry.identifier]

        assert [b"4-1", b"5-1"] == sorted(given)
        stage.run(consumer.close())


@pytest.mark.parametrize(("forbidden", "leaving"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("blocking", [False, True])
def test_what_a_dead_connection_was_given_that_cannot_be_closed_is_read(
    blocking: bool, forbidden: bool, leaving: bool
) -> None:
    """
    Behind a proxy nobody can say which connection it is. What it is given is older than what the next connection gets, and
    comes when the old one's wait must be over; what has come meanwhile does not come again, also where a member may not ask
    what is pending, and where it could not process what it got.
    """
    stage = Stage()

    def meanwhile(read: int, connection: Connection) -> None:
        if read == 4:
            add_two(stage)

    with stage.open():
        filled(stage)
        close_none(stage, meanwhile, forbidden)
        options: dict[str, Any] = {"max_deliveries": 9, "dead_letter": "letters"} if leaving else {}
        consumer = stage.client(blocking).xconsumer(
            ["s"], group="g", consumer="c", timeout=3000, prefetch=True, **options
        )
        given = []
        for number in range(9):
            _, entry = stage.run(consumer.get_entry())
            if entry is not None:
                given.append(entry.identifier)
                if leaving:
                    consumer.leave("s", entry)
            if number == 1:
                stage.settle()
                (waiting,) = [link for link in stage.network.links if link.connection.blocked is not None]
                stage.network.sever(waiting)
            elif number == 2:
                stage.command(b"XADD", b"s", b"5-1", b"n", b"5")

        stage.network.drop_server_end(waiting)
        assert [b"1-1", b"2-1", b"4-1", b"5-1", b"3-1"] == given
        assert {} == consumer._leases
        stage.run(consumer.close())


@pytest.mark.parametrize("blocking", [False, True])
def test_no_account_is_kept_of_streams_that_are_not_in_doubt(blocking: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A node is out of reach for long, so nobody knows what a connection there was given. Meanwhile the application acknowledges
    by itself what comes from another one.
    """
    stage = Stage(primaries=2)
    cluster = stage.server
    assert isinstance(cluster, MemoryCluster)
    away = cluster.holder(b"s")
    other = next(name for name in (b"t", b"u", b"v", b"w") if cluster.holder(name) is not away)
    dial = stage.network.dial

    def refuse(owner: str, port: int) -> Link:
        if port == away.port:
            raise ConnectionRefusedError("out of reach")
        return dial(owner, port)

    with stage.open():
        for name in (b"s", other):
            stage.command(b"XGROUP", b"CREATE", name, b"g", b"0", b"MKSTREAM")
            stage.command(b"XADD", name, b"1-1", b"n", b"1")
        consumer = stage.client(blocking).xconsumer([b"s", other], group="g", consumer="c", timeout=1000)
        for _ in range(3):
            stage.run(consumer.get_entry())
        lost = [link for link in stage.network.links if link.connection.server is away]
        with monkeypatch.context() as patch:
            patch.setattr(stage.network, "dial", refuse)
            for link in lost:
                stage.network.sever(link)
            for number in range(2, 9):
                stage.command(b"XADD", other, b"%d-1" % number, b"n", b"%d" % number)
                _, entry = stage.run(consumer.get_entry())
                assert entry is not None
                stage.command(b"XACK", other, b"g", entry.identifier)
            assert consumer._phantoms
            assert {} == consumer._leases
        stage.command(b"XADD", b"s", b"2-1", b"n", b"2")
        stage.let_pass(1)
        assert b"2-1" == stage.run(consumer.get_entry())[1].identifier
        for link in lost:
            stage.network.drop_server_end(link)
        stage.run(consumer.close())


@pytest.mark.parametrize("blocking", [False, True])
def test_what_nobody_has_seen_does_not_keep_a_member_from_reading_it(blocking: bool) -> None:
    """
    A dead connection was given as much as may be unacknowledged, and all else has been acknowledged behind the consumer's back.
    """
    stage = Stage()

    def meanwhile(read: int, connection: Connection) -> None:
        if read == 3:
            stage.network.sever(stage.network.all_links[connection.number])
        elif read == 4:
            add_two(stage)

    with stage.open():
        filled(stage)
        close_none(stage, meanwhile)
        consumer = stage.client(blocking).xconsumer(["s"], group="g", consumer="c", timeout=3000, max_unacked=1)
        given = []
        for _ in range(9):
            _, entry = stage.run(consumer.get_entry())
            if entry is not None:
                given.append(entry.identifier)
                stage.command(b"XACK", b"s", b"g", entry.identifier)
        for link in [link for link in stage.network.links if link.lost]:
            stage.network.drop_server_end(link)

        assert [b"1-1", b"2-1", b"4-1", b"3-1"] == given
        stage.run(consumer.close())


@pytest.mark.parametrize("blocking", [False, True])
def test_what_is_to_be_read_again_does_not_keep_a_member_from_reading_it(blocking: bool) -> None:
    """
    One dead connection was given as much as may be unacknowledged, which is known; of a later one it is in doubt.
    """
    stage = Stage()
    with stage.open():
        filled(stage)
        consumer = stage.client(blocking).xconsumer(["s"], group="g", consumer="c", timeout=3000, max_unacked=1)
        given = []
        for number in (b"3", b"4", b"5", b"6"):
            _, entry = stage.run(consumer.get_entry())
            given.append(entry.identifier)
            if number == b"6":
                stage.command(b"XACK", b"s", b"g", entry.identifier)
                break
            if number == b"4":
                stage.command(b"XREADGROUP", b"GROUP", b"g", b"c", b"STREAMS", b"s", b">")
            stage.command(b"XADD", b"s", b"%b-1" % number, b"n", number)
            stage.run(consumer.ack("s", entry))
        consumer._phantoms += [
            Phantom(None, None, {b"s": b"2-1"}, -math.inf, sure=True),
            Phantom(None, None, {b"s": b"4-1"}, -math.inf),
        ]
        for _ in range(3):
            _, entry = stage.run(consumer.get_entry())
            given += [] if entry is None else [entry.identifier]

        assert [b"1-1", b"2-1", b"4-1", b"5-1", b"3-1"] == given
        stage.run(consumer.close())
