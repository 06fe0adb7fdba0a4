# Generated from tests/_async/test_taking_over.py by scripts/generate.py: edit that file, not this one.
"""
Entries that a member of a group has left lying go to another one, and what is being worked on does not.

Entries are made old by XCLAIM IDLE, so that no test waits for them to age.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._core.consumer.held import Held
from coredis._core.consumer.parameters import GroupOptions
from tests._sync.streams import (
    HOUR,
    MINUTE,
    calls,
    deliver,
    fill,
    grow_old,
    hold_longer,
    identifiers,
    idle,
    numbered,
    pending,
    take,
)
from tests.support.blocking import Interrupted, Redis, connect, gather, interrupted_after, sleep, spawn
from tests.support.proxy import FaultProxy
from tests.support.servers import Server


def taker(client: Redis[Any], name: str = "c", claim_idle: int = MINUTE, **options: Any) -> Any:
    """
    Make a member that takes over.
    """
    return client.xconsumer(["a"], group="g", consumer=name, claim_idle=claim_idle, **options)


@pytest.mark.parametrize("buffer_size", [0, 9])
def test_a_dead_members_entries_arrive(client: Redis[Any], buffer_size: int) -> None:
    """
    A fresh consumer looks at once; new entries come as well, and what is young stays where it is.
    """
    deliver(client, "dead", 1, 5)
    grow_old(client, "dead", 1, 4)
    fill(client, "a", 6, 8)
    consumer = taker(client, buffer_size=buffer_size)

    assert sorted([*numbered(1, 4), *numbered(6, 8)]) == sorted(identifiers(consumer))

    assert 4 == consumer.statistics.claimed
    owners = {identifier: owner for identifier, (owner, _) in (pending(client)).items()}
    assert {b"5-0": b"dead"} == {identifier: owner for identifier, owner in owners.items() if owner != b"c"}


def test_one_that_waits_takes_over(client: Redis[Any], quick_looks: None) -> None:
    """
    What grows old while it waits for new entries.
    """
    deliver(client, "dead", 1, 1)
    consumer = taker(client, timeout=10_000, block_slice=50)
    reading = spawn(lambda: take(consumer))
    sleep(0.1)

    grow_old(client, "dead", 1, 1)

    assert [b"1-0"] == reading.join()
    consumer.close()


def test_old_ones_behind_many_young_ones(client: Redis[Any]) -> None:
    """
    A look goes through a part of the pending entries at a time, and goes on where it was.
    """
    deliver(client, "busy", 1, 45)
    grow_old(client, "dead", 41, 43)

    assert numbered(41, 43) == identifiers(taker(client))


def test_a_new_stream_is_looked_at_at_once(client: Redis[Any]) -> None:
    """
    It does not wait for the timer of the others.
    """
    deliver(client, "dead", 1, 1, "b")
    grow_old(client, "dead", 1, 1, "b")
    consumer = taker(client)
    assert [] == take(consumer)

    consumer.add_stream("b")

    assert [b"1-0"] == take(consumer)


def test_deleted_ones_are_removed(client: Redis[Any]) -> None:
    """
    Old or not: the server removes them when it is asked to look, and they are counted and told.
    """
    told: list[tuple[bytes, bytes]] = []
    deliver(client, "dead", 1, 4)
    grow_old(client, "dead", 1, 2)
    client.xdel("a", numbered(2, 3))
    consumer = taker(client, buffer_size=9, on_deleted=lambda stream, identifier: told.append((stream, identifier)))

    assert [b"1-0"] == identifiers(consumer)

    assert [(b"a", b"2-0"), (b"a", b"3-0")] == told
    assert {b"1-0": (b"c", 2), b"4-0": (b"dead", 1)} == pending(client)
    assert (1, 2) == (consumer.statistics.claimed, consumer.statistics.deleted_seen)


def test_waiting_is_not_looking_all_the_time(client: Redis[Any]) -> None:
    """
    With nothing to take over, a wait is a few commands: it ends before a lease could, and a look has its timer.
    """
    consumer = taker(client, claim_idle=200, timeout=500)
    fill(client, "a", 1, 1)
    take(consumer)
    client.config_resetstat()

    assert [] == take(consumer)

    assert calls(client, "xreadgroup") <= 2 + 500 // 50
    assert calls(client, "xautoclaim") <= 2


def test_a_stream_that_was_removed_is_looked_at_no_more(client: Redis[Any]) -> None:
    """
    Even in the middle of a look.
    """
    deliver(client, "busy", 1, 45, "b")
    grow_old(client, "dead", 1, 1, "b")
    consumer = taker(client, timeout=300)
    consumer.add_stream("b")
    assert [b"1-0"] == take(consumer)

    consumer.remove_stream("b")
    client.config_resetstat()
    assert [] == take(consumer)

    assert calls(client, "xreadgroup", "xautoclaim") <= 8


# -------------------------------------------------------------------------------------------- what is being worked on


def test_what_is_held_stays_here(client: Redis[Any], quick_looks: None) -> None:
    """
    While the consumer goes on asking, its leases are renewed: nobody takes over, not even itself, and the delivery count
    stays.
    """
    fill(client, "a", 1, 2)
    one, two = taker(client, "c", buffer_size=0), taker(client, "d", buffer_size=9)
    assert ([b"1-0"], [b"2-0"]) == (take(one), take(two))

    for _ in range(3):
        for consumer, number in ((one, 1), (two, 2)):
            grow_old(client, "c" if number == 1 else "d", number, number, idle=40_000)
            hold_longer(consumer, 40)
            assert [] == take(consumer)
        sleep(0.03)
        assert max((idle(client)).values()) < 40_000

    assert {b"1-0": (b"c", 1), b"2-0": (b"d", 1)} == pending(client)
    assert [(0, 0)] * 2 == [(each.statistics.duplicates_suppressed, each.statistics.taken_over) for each in (one, two)]


@pytest.mark.parametrize("served", [1, 3])
def test_what_others_have_taken_over(client: Redis[Any], served: int) -> None:
    """
    It is not stolen back by a renewal, and is not served from the buffer.
    """
    fill(client, "a", 1, 3)
    consumer = taker(client, claim_idle=200, buffer_size=9)
    assert numbered(1, served) == take(consumer, served)
    sleep(0.21)
    assert tuple(numbered(1, 3)) == client.xclaim("a", "g", "d", 200, numbered(1, 3), justid=True)

    assert [] == take(consumer)

    assert dict.fromkeys(numbered(1, 3), (b"d", 1)) == pending(client)
    assert 3 == consumer.statistics.taken_over


def test_what_a_heartbeat_finds_taken_over(client: Redis[Any]) -> None:
    """
    It is not served either, although entries are served without a look at the leases for a while.
    """
    fill(client, "a", 1, 4)
    consumer = taker(client, buffer_size=9)
    assert numbered(1, 2) == take(consumer, 2)
    client.xclaim("a", "g", "d", 0, ["3-0"], justid=True)
    hold_longer(consumer, 40)
    consumer.renew()

    assert [b"4-0"] == take(consumer)
    assert 1 == consumer.statistics.taken_over


def test_what_is_held_is_not_looked_through_for_every_entry(
    client: Redis[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It would make an entry the dearer the more of them are not acknowledged.
    """
    looks: list[float] = []
    due = Held.due

    def counted(held: Held, now: float, age: float) -> bool:
        looks.append(now)
        return due(held, now, age)

    monkeypatch.setattr(Held, "due", counted)
    fill(client, "a", 1, 300)
    consumer = taker(client, claim_idle=HOUR, buffer_size=99)

    assert numbered(1, 300) == take(consumer, 300)
    assert len(looks) < 10


def test_positions_when_others_have_taken_over(client: Redis[Any]) -> None:
    """
    What was dropped from the buffer was not given to the application.
    """
    fill(client, "a", 1, 4)
    consumer = taker(client, claim_idle=200, buffer_size=9)
    assert [b"1-0"] == take(consumer)
    sleep(0.21)
    client.xclaim("a", "g", "d", 200, numbered(2, 3), justid=True)
    consumer.renew()
    consumer._drop_lost()

    assert {"a": b"1-0"} == consumer.positions
    assert [b"4-0"] == take(consumer)
    consumer.close()


def test_what_others_have_taken_over_before_it_was_looked_at(client: Redis[Any]) -> None:
    """
    A reply that lay there while the application was elsewhere: its leases run from when it was asked for.
    """
    with taker(client, claim_idle=400, timeout=10_000) as consumer:
        number = 0
        while not pending(client):  # a read waits for a while only, and then is not outstanding any more
            take_nothing(consumer)
            number += 1
            fill(client, "a", number, number)
            if not pending(client):
                assert [b"%d-0" % number] == take(consumer)
                consumer.ack("a", f"{number}-0")
        sleep(0.3)
        client.xclaim("a", "g", "d", 0, [f"{number}-0"], justid=True)
        reading = spawn(lambda: take(consumer))
        fill(client, "a", number + 1, number + 1)

        assert [b"%d-0" % (number + 1)] == reading.join()
        assert b"d" == (pending(client))[b"%d-0" % number][0]


def take_nothing(consumer: Any) -> None:
    """
    Leave a read outstanding.
    """
    with pytest.raises(Interrupted):
        interrupted_after(0.02, consumer.get_entry)


def test_two_renewals_at_the_same_time(client: Redis[Any]) -> None:
    """
    The second one finds entries younger than it thought; they are held all the same.
    """
    fill(client, "a", 1, 2)
    consumer = taker(client, claim_idle=200, buffer_size=9)
    assert [b"1-0"] == take(consumer)
    sleep(0.15)

    gather(*[consumer.renew] * 3)

    assert {(b"a", b"1-0"), (b"a", b"2-0")} == set(consumer._held.leases)
    assert 0 == consumer.statistics.taken_over
    assert [b"2-0"] == take(consumer)


@pytest.mark.parametrize("heartbeat", [False, True])
def test_a_heartbeat_keeps_what_takes_long(
    client: Redis[Any], monkeypatch: pytest.MonkeyPatch, heartbeat: bool
) -> None:
    """
    The application is busy and does not ask for more: without a heartbeat its entry grows old.
    """
    monkeypatch.setattr(GroupOptions, "renewal_age", 0.02)
    fill(client, "a", 1, 1)
    consumer = taker(client, heartbeat=heartbeat)
    assert [b"1-0"] == take(consumer)
    grow_old(client, "c", 1, 1, idle=40_000)

    age = 40_000
    for _ in range(1000 if heartbeat else 20):
        if age < 40_000:
            break
        sleep(0.005)
        age = (idle(client))[b"1-0"]

    assert heartbeat is (age < 40_000)
    assert {b"1-0": (b"c", 1)} == pending(client)
    consumer.close()


def test_a_heartbeat_ends_with_its_client(
    server: Server, client: Redis[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It does not connect again; reading once more makes another one.
    """
    monkeypatch.setattr(GroupOptions, "renewal_age", 0.02)
    fill(client, "a", 1, 2)
    other = connect(server)
    consumer = taker(other, heartbeat=True)
    assert [b"1-0"] == take(consumer)
    other.close()
    grow_old(client, "c", 1, 1, idle=40_000)
    sleep(0.1)
    assert 40_000 <= (idle(client))[b"1-0"]

    first = consumer._heartbeat
    assert [b"2-0"] == take(consumer)
    assert first is not consumer._heartbeat is not None
    consumer.close()
    other.close()


def test_entering_leaves_one_heartbeat(client: Redis[Any]) -> None:
    """
    A consumer that was used before it is entered has one already; closing ends it.
    """
    consumer = taker(client, heartbeat=True)
    take(consumer)

    with consumer:
        take(consumer)


def test_acknowledged_while_it_is_taken_over(proxy: FaultProxy, client: Redis[Any], quick_looks: None) -> None:
    """
    The server has answered a look with an entry of our own before it saw its acknowledgement: the entry does not come again.
    """
    with connect(proxy) as distant:
        fill(client, "a", 1, 1)
        consumer = taker(distant)
        assert [b"1-0"] == take(consumer)
        grow_old(client, "c", 1, 1)
        sleep(0.05)
        proxy.pause("to_client")
        for _ in range(100):
            if {b"1-0": (b"c", 1)} != pending(client):
                break  # the look has reached the server
            with pytest.raises(Interrupted):
                interrupted_after(0.1, consumer.get_entry)
        acknowledging = spawn(lambda: consumer.ack("a", "1-0"))
        sleep(0.1)
        proxy.resume("to_client")
        assert 1 == acknowledging.join()

        assert [] == take(consumer, 3)
        assert {} == pending(client)
        assert 1 == consumer.statistics.duplicates_suppressed


# --------------------------------------------------------------------------------------------------- when things break


def test_a_lost_connection_does_not_end_the_wait(proxy: FaultProxy, client: Redis[Any]) -> None:
    """
    Leases are due when the server is out of reach: that is got over like a lost read.
    """
    with connect(proxy) as distant:
        fill(client, "a", 1, 1)
        consumer = taker(distant, claim_idle=100, timeout=5000)
        assert [b"1-0"] == take(consumer)
        sleep(0.06)
        proxy.swallow(command="XCLAIM")
        fill(client, "a", 2, 2)

        assert [b"2-0"] == take(consumer)
        consumer.close()


def test_a_vanished_group_does_not_end_the_wait(client: Redis[Any]) -> None:
    """
    Leases are due when their group is gone: it is made again.
    """
    fill(client, "a", 1, 1)
    consumer = taker(client, claim_idle=100, timeout=5000)
    assert [b"1-0"] == take(consumer)
    sleep(0.06)
    client.delete(["a"])
    fill(client, "a", 9, 9)

    assert [b"9-0"] == take(consumer)
    assert 1 == consumer.statistics.groups_recreated
    consumer.close()


def test_the_same_identifiers_in_a_new_stream(client: Redis[Any]) -> None:
    """
    What was held of the old one does not hide them.
    """
    fill(client, "a", 1, 2)
    consumer = taker(client)
    assert numbered(1, 2) == take(consumer, 2)
    client.delete(["a"])
    fill(client, "a", 1, 1)

    assert numbered(1, 1) == take(consumer, 2)


def test_recovering_does_not_serve_what_is_held(proxy: FaultProxy, client: Redis[Any]) -> None:
    """
    After a lost reply this member's pending entries are read: among them one that was taken over, newer than all of its own.
    """
    with connect(proxy) as distant:
        client.xgroup_create("a", "g", "$", mkstream=True)
        with taker(distant) as consumer:
            fill(client, "a", 1, 1)
            client.xreadgroup("g", "dead", {"a": ">"})
            grow_old(client, "dead", 1, 1)
            assert [b"1-0"] == take(consumer)
            fill(client, "a", 2, 2)
            proxy.swallow(command="XREADGROUP")

            assert [b"2-0"] == identifiers(consumer)
            assert 1 == consumer.statistics.duplicates_suppressed


def test_a_function_that_raises_is_told_of_the_others(client: Redis[Any]) -> None:
    """
    Of each, once; then its first error is raised, and the next call goes on.
    """
    deliver(client, "c", 1, 4)
    client.xdel("a", numbered(1, 3))
    told: list[bytes] = []

    def on_deleted(stream: bytes, identifier: bytes) -> None:
        told.append(identifier)
        raise LookupError(len(told))

    consumer = client.xconsumer(
        ["a"], group="g", consumer="c", start_from_backlog=True, buffer_size=9, on_deleted=on_deleted
    )

    with pytest.raises(LookupError, match="1"):
        consumer.get_entry()

    assert numbered(1, 3) == told
    assert [b"4-0"] == identifiers(consumer)
    assert (numbered(1, 3), 3) == (told, consumer.statistics.deleted_seen)


def test_a_long_list_of_young_entries(client: Redis[Any]) -> None:
    """
    Looking through it does not take a command for every ten of them, and no more is taken over than there is room for.
    """
    client.xgroup_create("a", "g", "$", mkstream=True)
    with client.pipeline(transaction=False) as pipe:
        for number in range(1, 1001):
            pipe.xadd("a", {"number": number}, identifier=f"{number}-0")
    client.xreadgroup("g", "busy", {"a": ">"})
    grow_old(client, "busy", 700, 702)
    consumer = taker(client)
    before = calls(client, "xautoclaim", "xpending")

    assert [b"700-0"] == take(consumer)
    owners = [entry.consumer for entry in client.xpending("a", "g", "700-0", "702-0", 3)]
    assert [b"c", b"busy", b"busy"] == owners
    assert numbered(701, 702) == identifiers(consumer)

    assert 20 > calls(client, "xautoclaim", "xpending") - before
    consumer.close()
