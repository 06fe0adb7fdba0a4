# Generated from tests/_async/test_fault_storms.py by scripts/generate.py: edit that file, not this one.
"""
Many faults in a row while entries are added and read: connections killed, waits ended from outside.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests._sync.faulting import expected, fill, readers
from tests.support.blocking import Redis, connect, gather, sleep
from tests.support.servers import Server

TOTAL = 200
BUFFER = 2


def named(server: Server, name: str) -> list[int]:
    """
    Give the numbers of the connections of clients of this name.
    """
    listed = server.command("CLIENT", "LIST")
    assert isinstance(listed, bytes)
    return [
        int(line.split(b" ", 1)[0].removeprefix(b"id="))
        for line in listed.splitlines()
        if b" name=%s " % name.encode() in line
    ]


@pytest.mark.parametrize("storm", ["kill", "unblock"])
def test_a_storm(server: Server, client: Redis[Any], storm: str) -> None:
    """
    All connections of the readers and of their acknowledgements are killed ten times a second, or their waits are ended all
    the time, both ways: everything is given once and in order and is acknowledged; what is lost without acknowledgement is
    counted.
    """
    with connect(server, client_name="victim") as victim:
        consumers: dict[str, Any] = {
            "alone": victim.xconsumer(["a"], a={"identifier": 0}, timeout=20_000, buffer_size=BUFFER),
            "group": victim.xconsumer(["a"], group="g", consumer="c", timeout=20_000, buffer_size=BUFFER),
            "noack": victim.xconsumer(
                ["a"], group="h", consumer="c", auto_acknowledge=True, timeout=20_000, buffer_size=BUFFER
            ),
        }
        for name in ("g", "h"):
            client.xgroup_create("a", name, "0", mkstream=True)
        over = False

        def produce() -> list[bytes]:
            nonlocal over
            for number in range(1, TOTAL + 1):
                fill(client, "a", number, number)
                sleep(0.003)
            over = True
            sleep(0.2)
            fill(client, "a", TOTAL + 1, TOTAL + 1)
            return []

        def strike() -> list[bytes]:
            kinds = itertools.cycle(("TIMEOUT", "ERROR"))
            with server.connect() as raw:
                while not over:
                    if storm == "kill":
                        raw.pipeline(("CLIENT", "KILL", "ID", number) for number in named(server, "victim"))
                        sleep(0.1)
                    else:
                        kind = next(kinds)
                        raw.pipeline(("CLIENT", "UNBLOCK", number, kind) for number in readers(server))
                        sleep(0.005)
            return []

        def read(name: str) -> list[bytes]:
            consumer = consumers[name]
            seen: list[bytes] = []
            while b"%d-0" % (TOTAL + 1) not in seen:
                stream, entry = consumer.get_entry()
                assert entry is not None
                seen.append(entry.identifier)
                if name == "group":
                    consumer.ack(stream, entry)
            return seen

        *given, _, _ = gather(*[lambda name=name: read(name) for name in consumers], produce, strike)
        seen: dict[str, list[bytes]] = dict(zip(consumers, given, strict=True))
        statistics = {name: consumer.statistics for name, consumer in consumers.items()}
        for consumer in consumers.values():
            consumer.close()

    everything = expected(1, TOTAL + 1)
    assert everything == seen["alone"]
    assert everything == seen["group"]
    assert 0 == (client.xpending("a", "g")).pending
    order = {identifier: number for number, identifier in enumerate(everything)}
    assert sorted(set(seen["noack"]), key=order.__getitem__) == seen["noack"]
    assert TOTAL + 1 - len(seen["noack"]) <= statistics["noack"].possibly_lost * (BUFFER + 1)
    for counted in statistics.values():
        assert (counted.reconnects >= 2) if storm == "kill" else (0 == counted.reconnects)
