# Generated from tests/_async/test_fault_silence.py by scripts/generate.py: edit that file, not this one.
"""
Servers and networks that say nothing for a while: slow is not dead, and dead is noticed.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests._sync.faulting import expected, fill, readers
from tests._sync.waiting import until
from tests.support.blocking import Redis, connect, gather, sleep, spawn
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

#: How long a server says nothing: more than a slice, less than a slice and the grace (milliseconds).
SILENT = 700
SLICE = 50
#: The shortest grace there is (seconds).
GRACE = 1.0


def test_a_frozen_server(server: Server, client: Redis[Any]) -> None:
    """
    The application's own time-out ends while the server is frozen; the read stays outstanding, and its entry is given then.
    """
    consumers = [
        client.xconsumer(["a"], group="g", consumer="c", timeout=50, block_slice=SLICE),
        client.xconsumer(["a"], a={"identifier": 0}, timeout=50, block_slice=SLICE),
    ]
    for consumer in consumers:
        assert (None, None) == consumer.get_entry()
    server.pause()
    for consumer in consumers:
        assert (None, None) == consumer.get_entry()
        assert (None, None) == consumer.get_entry()
    server.resume()
    fill(client, "a", 1, 1)

    for consumer in consumers:
        until_given(consumer, b"1-0")
        assert 0 == consumer.statistics.reconnects
        consumer.close()


def until_given(consumer: Any, identifier: bytes) -> None:
    """
    Ask for an entry until there is one, and see which.
    """
    for _ in range(100):
        _, entry = consumer.get_entry()
        if entry is not None:
            assert identifier == entry.identifier
            return
    raise AssertionError("nothing was given")


@pytest.mark.parametrize("command", [f"DEBUG SLEEP {SILENT / 1000}", f"CLIENT PAUSE {SILENT} WRITE"])
def test_a_slow_server(server: Server, proxy: FaultProxy, command: str) -> None:
    """
    A server that does nothing for longer than a slice: waits go on, no connection is given up, and what is added then is given
    once.
    """
    with connect(proxy) as client:
        grouped = client.xconsumer(["a"], group="g", consumer="c", timeout=20_000, block_slice=SLICE)
        alone = client.xconsumer(["a"], a={"identifier": 0}, timeout=20_000, block_slice=SLICE)
        fill(client, "a", 1, 1)
        for consumer in (grouped, alone):
            assert b"1-0" == (consumer.get_entry())[1].identifier
        opened = proxy.accepted
        waiting = spawn(grouped.get_entry), spawn(alone.get_entry)
        until(lambda: 2 == len(readers(server)))
        with server.connect() as raw:
            raw.send(f"{command}\r\n".encode())
            sleep(SILENT / 1000)
            assert not any(handle.done for handle in waiting)
            fill(client, "a", 2, 2)

            assert [b"2-0"] * 2 == [(handle.join())[1].identifier for handle in waiting]
        assert opened == proxy.accepted
        for consumer in (grouped, alone):
            assert 0 == consumer.statistics.reconnects
            consumer.close()


def test_a_network_that_drops_everything(server: Server, client: Redis[Any], proxy: FaultProxy) -> None:
    """
    Nothing passes in either direction for longer than slice and grace: the connections are given up in that time, what
    phantoms took is read again, and everything is given once and in order; without acknowledgement the loss is counted.
    """
    with connect(proxy, stream_timeout=GRACE) as faulty:
        common = {"timeout": 20_000, "block_slice": SLICE}
        consumers: dict[str, Any] = {
            "alone": faulty.xconsumer(["alone"], alone={"identifier": 0}, **common),
            "group": faulty.xconsumer(["group"], group="g", consumer="c", **common),
            "noack": faulty.xconsumer(["noack"], group="g", consumer="c", auto_acknowledge=True, **common),
        }

        seen: dict[str, list[bytes]] = {name: [] for name in consumers}

        def read(name: str) -> float:
            while b"9-0" not in seen[name]:
                _, entry = consumers[name].get_entry()
                assert entry is not None
                seen[name].append(entry.identifier)
            return 0.0

        def strike() -> float:
            for name in consumers:
                fill(client, name, 1, 2)
            until(lambda: all(expected(1, 2) == given for given in seen.values()))
            until(lambda: 3 == len(readers(server)))
            opened = proxy.accepted
            proxy.blackhole()
            for name in consumers:
                fill(client, name, 3, 4)
            seconds = 0.0
            while proxy.accepted < opened + 3:
                sleep(0.05)
                seconds += 0.05
            for name in consumers:
                fill(client, name, 5, 6)
            proxy.heal()
            for name in consumers:
                fill(client, name, 7, 9)
            return seconds

        *_, seconds = gather(*[lambda name=name: read(name) for name in consumers], strike)
        assert seconds < SLICE / 1000 + GRACE + 2
        assert expected(1, 9) == seen["alone"]
        assert expected(1, 9) == seen["group"]
        assert sorted(set(seen["noack"])) == seen["noack"]
        assert {*expected(1, 2), *expected(5, 9)} <= set(seen["noack"])
        for name, consumer in consumers.items():
            assert consumer.statistics.reconnects >= 1, name
            consumer.close()
        assert consumers["noack"].statistics.possibly_lost >= 1
        assert 0 == consumers["group"].statistics.possibly_lost
    until(lambda: not proxy.live)
