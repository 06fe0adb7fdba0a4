"""
A signal handler that reads from the very consumer that it interrupts, drains or closes it, at each point of what a blocking
consumer does to give an entry.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import coredis
from coredis.sync import Redis
from tests._sync.streams import fill, numbered
from tests.support.servers import Server
from tests.support.strikes import strike

_FOLDER = Path(coredis.__file__).parent
#: Where the consumers are.
CONSUMERS = str(_FOLDER / "_sync" / "patterns"), str(_FOLDER / "_core" / "consumer")
ALL = 12
#: Not every point on each server, but all of them on one or the other.
STEP = 2
KINDS = pytest.mark.parametrize("kind", ["alone", "in a group"])
PREFETCH = pytest.mark.parametrize("prefetch", [False, True], ids=["", "ahead"])


def reading(client: Redis[bytes], kind: str, prefetch: bool) -> Any:
    """
    Make a consumer of new entries, three at a time.
    """
    client.flushall()
    fill(client, "a", 1, ALL)
    membership: Any = {"a": {"identifier": "0-0"}}
    if kind != "alone":
        client.xgroup_create("a", "g", "0-0")
        membership = {"group": "g", "consumer": "c"}
    return client.xconsumer(["a"], buffer_size=2, prefetch=prefetch, **membership)


def first(server: Server) -> int:
    """
    Give the first point on a server.
    """
    return sum(server.identifier.encode()) % STEP


def take(consumer: Any, into: list[bytes], count: int = 1) -> None:
    """
    Read so many entries, or as many as there are.
    """
    for _ in range(count):
        _, entry = consumer.get_entry()
        if entry is not None:
            into.append(entry.identifier)


@KINDS
@PREFETCH
@pytest.mark.parametrize("count", [1, 5, ALL])
def test_one_that_reads(server: Server, kind: str, prefetch: bool, count: int) -> None:
    """
    Each entry is given once, to the one or the other; and what each gets comes in order. Not within the connection, which is
    used by one at a time.
    """
    point, struck = first(server), True
    with Redis(host=server.host, port=server.port) as client:
        while struck:
            with reading(client, kind, prefetch) as consumer:
                handled: list[bytes] = []
                given: list[bytes] = []
                take(consumer, given, 3)
                struck = strike(
                    point,
                    lambda consumer=consumer, given=given: take(consumer, given),
                    CONSUMERS,
                    lambda consumer=consumer, handled=handled: take(consumer, handled, count),
                )
                take(consumer, given, ALL)

                assert sorted(handled + given, key=_number) == numbered(1, ALL)
                assert handled == sorted(handled, key=_number)
            point += STEP
    assert point > 30


@KINDS
@PREFETCH
def test_one_that_drains(server: Server, kind: str, prefetch: bool) -> None:
    """
    Each entry is given once, and the application stands after all of them.
    """
    point, struck = first(server), True
    with Redis(host=server.host, port=server.port) as client:
        while struck:
            with reading(client, kind, prefetch) as consumer:
                given: list[bytes] = []
                take(consumer, given, 3)
                struck = strike(
                    point,
                    lambda consumer=consumer, given=given: take(consumer, given),
                    action=lambda consumer=consumer, given=given: given.extend(
                        entry.identifier for _, entry in consumer.drain()
                    ),
                )
                assert {"a": max(given, key=_number)} == consumer.positions
                take(consumer, given, ALL)

                assert sorted(given, key=_number) == numbered(1, ALL)
                assert {"a": b"%d-0" % ALL} == consumer.positions
            point += STEP
    assert point > 30


@KINDS
@PREFETCH
def test_one_that_closes(server: Server, kind: str, prefetch: bool) -> None:
    """
    It is the end of reading: what was fetched is given, nothing is skipped, and nothing but that is raised.
    """
    point, struck = first(server), True
    with Redis(host=server.host, port=server.port) as client:
        while struck:
            consumer = reading(client, kind, prefetch)
            given: list[bytes] = []
            take(consumer, given, 3)
            struck = strike(point, lambda consumer=consumer, given=given: take(consumer, given), action=consumer.close)
            consumer.close()
            take(consumer, given, ALL)

            assert numbered(1, len(given)) == given
            assert kind != "alone" or {"a": given[-1]} == consumer.positions
            with consumer:
                again: list[bytes] = []
                take(consumer, again)
                assert again
            point += STEP
    assert point > 30


@pytest.mark.parametrize("options", [{}, {"claim_idle": 60_000}], ids=["", "leases"])
def test_one_that_is_served_while_entries_are_handed_back(server: Server, options: dict[str, Any]) -> None:
    """
    From a loop that has the buffer: each entry is given once, and what was handed back is not, unless the handler got it.
    """
    point, struck = first(server), True
    with Redis(host=server.host, port=server.port) as client:
        while struck:
            client.flushall()
            fill(client, "a", 1, 8)
            with client.xconsumer(["a"], group="g", consumer="c", buffer_size=9, **options) as consumer:
                loop = iter(consumer)
                given = [next(loop)[1].identifier for _ in range(2)]
                struck = strike(
                    point,
                    lambda consumer=consumer: consumer.nack("a", "3-0", "6-0"),
                    CONSUMERS,
                    lambda loop=loop, given=given: given.append(next(loop)[1].identifier),
                )
                while len(given) < (7 if b"3-0" in given else 6):
                    given.append(next(loop)[1].identifier)

                assert [
                    *numbered(1, 2),
                    *([b"3-0"] if b"3-0" in given else []),
                    *numbered(4, 5),
                    *numbered(7, 8),
                ] == given
            point += STEP
    assert point > 20


def _number(identifier: bytes) -> int:
    return int(identifier[:-2])
