"""
A blocking consumer interrupted at each point of what it does beside waiting, one after the other.

Random interruptions of reading are in ``test_interrupted_consumers``; points inside of commands, which a consumer uses as
everybody does, in ``test_interrupts``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import coredis
from coredis.sync import Redis
from tests._sync.streams import HOUR, MINUTE, deliver, fill, grow_old, hold_longer, numbered, pending, take
from tests.support.servers import Server
from tests.support.strikes import strike

_FOLDER = Path(coredis.__file__).parent
#: Where the consumers are.
CONSUMERS = str(_FOLDER / "_sync" / "patterns"), str(_FOLDER / "_core" / "consumer")

# A socket that is struck before anybody owns it is closed by its finalizer, which says so.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def at_each_point(
    server: Server, check: Callable[[Redis[bytes], Callable[[Callable[[], object]], bool]], bool], step: int = 1
) -> int:
    """
    Run a check for each point, on an empty server, until it has none left.

    Args:
        check: gets a client and what strikes a function; returns whether it was struck
        step: check every so many points, other ones on each server

    Returns:
        how many points there were
    """
    point, struck = sum(server.identifier.encode()) % step, True
    with Redis(host=server.host, port=server.port) as client:
        while struck:
            client.flushall()
            struck = check(client, lambda function, point=point: strike(point, function, CONSUMERS))  # type: ignore[misc]
            point += step
    return point


def prepared(client: Redis[bytes], **options: Any) -> Any:
    """
    Make a consumer with something of everything to come: its own pending entries 1 and 2, 3 and 4 of a dead member of which 3
    is to be given up, and the new ones 5 and 6.
    """
    deliver(client, "c", 1, 2)
    fill(client, "a", 3, 4)
    client.xreadgroup("g", "dead", {"a": ">"})
    grow_old(client, "dead", 3, 3, retrycount=9)
    grow_old(client, "dead", 4, 4)
    fill(client, "a", 5, 6)
    everything = {"claim_idle": MINUTE, "max_deliveries": 5, "dead_letter": "dead", "start_from_backlog": True}
    return client.xconsumer(["a"], group="g", consumer="c", **{**everything, **options})


def test_reading(server: Server) -> None:
    """
    Backlog, taking over, giving up and new entries: each is served once, and there is one dead letter.
    """

    def check(client: Redis[bytes], struck_by: Callable[[Callable[[], object]], bool]) -> bool:
        seen: list[bytes] = []

        def read() -> None:
            while found := take(consumer):
                seen.extend(found)

        with prepared(client, buffer_size=1) as consumer:
            struck = struck_by(read)
            read()
            assert [*numbered(1, 2), *numbered(4, 6)] == sorted(seen)
            assert [b"3-0"] == [letter.field_values[b"dead-letter-identifier"] for letter in client.xrange("dead")]
            assert {b"c"} == {owner for owner, _ in pending(client).values()}
            assert set(seen) == set(pending(client))
            assert (5, 1) == (consumer.statistics.delivered, consumer.statistics.dead_lettered)
        return struck

    # All of them took half a minute on each server.
    assert at_each_point(server, check, step=17) > 500


def test_handing_back_what_was_not_served(server: Server) -> None:
    """
    Done again it is done; everything else is served once, and nothing of it that was handed back.
    """

    def check(client: Redis[bytes], struck_by: Callable[[Callable[[], object]], bool]) -> bool:
        fill(client, "a", 1, 6)
        with client.xconsumer(["a"], group="g", consumer="c", buffer_size=9) as consumer:
            seen = take(consumer, 2)
            struck = struck_by(lambda: consumer.nack("a", "2-0", "4-0", "6-0"))
            consumer.nack("a", "2-0", "4-0", "6-0")
            for _, entry in consumer:
                seen.append(entry.identifier)
            assert [b"1-0", b"2-0", b"3-0", b"5-0"] == seen
        with client.xconsumer(["a"], group="g", consumer="d", claim_idle=MINUTE) as another:
            assert [b"2-0", b"4-0", b"6-0"] == take(another, 4)
        return struck

    assert at_each_point(server, check) > 20


@pytest.mark.parametrize("collected", [0, 2])
def test_acknowledging(server: Server, collected: int) -> None:
    """
    Done again it is done, and nothing is acknowledged that was not to be.
    """

    def check(client: Redis[bytes], struck_by: Callable[[Callable[[], object]], bool]) -> bool:
        with prepared(client, ack_buffer=collected, buffer_size=9) as consumer:
            take(consumer, 5)
            struck = struck_by(lambda: consumer.ack("a", "1-0", "5-0"))
            consumer.ack("a", "1-0", "5-0")
            consumer.flush()
            assert {b"2-0", b"4-0", b"6-0"} == set(pending(client))
            assert [] == take(consumer)
        return struck

    assert at_each_point(server, check) > 10


@pytest.mark.parametrize("noack", [False, True], ids=["acknowledged", "noack"])
def test_closing(server: Server, noack: bool) -> None:
    """
    Closed again it is closed: what was not served is handed back, or kept where there is no copy.
    """

    def check(client: Redis[bytes], struck_by: Callable[[Callable[[], object]], bool]) -> bool:
        release = {} if noack else {"release": True}
        fill(client, "a", 1, 4)
        consumer: Any = client.xconsumer(["a"], group="g", consumer="c", buffer_size=2, auto_acknowledge=noack)
        consumer.__enter__()
        assert [b"1-0"] == take(consumer)
        struck = struck_by(lambda: consumer.close(**release))
        consumer.close(**release)
        if noack:
            assert numbered(2, 3) == take(consumer, 9)
        else:
            assert [] == take(consumer)
            found = {
                entry.identifier: (entry.idle >= HOUR, entry.delivered)
                for entry in client.xpending("a", "g", "-", "+", 9)
            }
            assert {b"1-0": (False, 1), b"2-0": (True, 0), b"3-0": (True, 0)} == found
        return struck

    assert at_each_point(server, check) > 10


def test_renewing(server: Server) -> None:
    """
    What another member has taken over is not served, and what is still held is.
    """

    def check(client: Redis[bytes], struck_by: Callable[[Callable[[], object]], bool]) -> bool:
        seen: list[bytes] = []
        fill(client, "a", 1, 4)
        with client.xconsumer(["a"], group="g", consumer="c", buffer_size=9, claim_idle=MINUTE) as consumer:
            take(consumer)
            grow_old(client, "c", 1, 4)
            client.xclaim("a", "g", "d", 0, numbered(2, 3), justid=True)
            hold_longer(consumer, HOUR)
            struck = struck_by(lambda: seen.extend(take(consumer)))
            seen += take(consumer, 3)
            assert [b"4-0"] == seen
            assert {b"1-0": b"c", b"2-0": b"d", b"3-0": b"d", b"4-0": b"c"} == {
                identifier: owner for identifier, (owner, _) in pending(client).items()
            }
        return struck

    assert at_each_point(server, check) > 30


def test_entering_again(server: Server) -> None:
    """
    What is nowhere else is kept, and served in the next life.
    """

    def check(client: Redis[bytes], struck_by: Callable[[Callable[[], object]], bool]) -> bool:
        fill(client, "a", 1, 4)
        consumer: Any = client.xconsumer(["a"], group="g", consumer="c", buffer_size=2, auto_acknowledge=True)
        with consumer:
            assert [b"1-0"] == take(consumer)
        struck = struck_by(consumer.__enter__)
        with consumer:
            assert numbered(2, 4) == take(consumer, 9)
        return struck

    assert at_each_point(server, check) > 10


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("group", [False, True], ids=["alone", "in a group"])
@pytest.mark.parametrize("batches", [False, True], ids=["entries", "batches"])
def test_reading_on(server: Server, prefetch: bool, group: bool, batches: bool) -> None:
    """
    Where nothing but new entries is wanted: each is served once, in order, and acknowledged with the reads that follow.
    """
    options: dict[str, Any] = {"group": "g", "consumer": "c", "ack_buffer": 5} if group else {"a": {"identifier": "0"}}

    def check(client: Redis[bytes], struck_by: Callable[[Callable[[], object]], bool]) -> bool:
        fill(client, "a", 1, 4)
        seen: list[bytes] = []
        with client.xconsumer(["a"], buffer_size=1, prefetch=prefetch, timeout=5, **options) as consumer:
            taken: list[Any] = []  # by reference, so that what is given is seen even if the rest is interrupted

            def read() -> None:
                if batches:
                    taken[:] = consumer.get_entries(1)
                else:
                    taken[:] = [consumer.get_entry()]

            while len(seen) < 2:  # the reply may be later than the consumer waits for it
                seen += take(consumer)
            if group:
                consumer.ack("a", *seen)
            fill(client, "a", 5, 6)
            struck = struck_by(read)
            seen += [entry.identifier for _, entry in taken if entry is not None]
            if not group:
                assert {"a": seen[-1]} == consumer.positions
            attempts = 0
            while len(seen) < 6 and attempts < 1000:
                seen += take(consumer)
                attempts += 1
            seen += take(consumer)
            assert numbered(1, 6) == seen
            assert {"a": b"6-0"} == consumer.positions
            if group:
                assert set(numbered(3, 6)) == set(pending(client))
        return struck

    assert at_each_point(server, check, step=3) > 10
