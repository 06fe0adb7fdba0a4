# Generated from tests/_async/test_fault_servers.py by scripts/generate.py: edit that file, not this one.
"""
A server that is killed, with and without its data on disk, while entries are added, read and acknowledged.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis.exceptions import ConnectionError
from tests._sync.faulting import calls, fill, reader
from tests.conftest import StartServer
from tests.support.blocking import connect, gather, sleep, spawn

#: Enough of it for a server that starts on a busy machine.
PATIENT = RetryPolicy(retries=1000, base_delay=0.01, max_delay=0.05)
KILLS = 3
#: So many entries are confirmed between two kills.
BETWEEN = 25
LAST = b"9999999999999-0"


def test_with_everything_on_disk(start_server: StartServer) -> None:
    """
    Killed three times with an append-only file that is written always: what was confirmed is there, everything is given once
    and in order, what was acknowledged stays so, and the application does nothing about it.
    """
    server = start_server(appendonly="yes", appendfsync="always")
    confirmed: list[bytes] = []
    delivered: list[bytes] = []
    unknown = 0
    over = False
    with connect(server, retry_policy=PATIENT) as client, connect(server, retry_policy=PATIENT) as producer:
        consumer: Any = client.xconsumer(["a"], group="g", consumer="c", buffer_size=2, timeout=20_000)
        alone: Any = client.xconsumer(["a"], a={"identifier": 0}, buffer_size=2, timeout=20_000)

        def produce() -> None:
            nonlocal unknown
            while not over:
                try:
                    identifier = producer.xadd("a", {"field": "value"})
                except ConnectionError as error:
                    unknown += error.may_have_run
                else:
                    assert identifier is not None
                    confirmed.append(identifier)
                sleep(0.001)
            server.command("XADD", "a", LAST, "the", "last")

        def read() -> list[bytes]:
            while LAST not in delivered:
                stream, entry = consumer.get_entry()
                delivered.append(entry.identifier)
                assert 1 >= consumer.ack(stream, entry)
            return delivered

        def read_alone() -> list[bytes]:
            seen: list[bytes] = []
            while LAST not in seen:
                seen.append((alone.get_entry())[1].identifier)
            return seen

        def kill() -> None:
            nonlocal over
            for _ in range(KILLS):
                enough = len(confirmed) + BETWEEN
                while len(confirmed) < enough or len(delivered) < enough - BETWEEN:
                    sleep(0.002)
                server.kill()
                server.start()
            over = True

        _, _, seen, _ = gather(produce, read, read_alone, kill)
        left = [entry.identifier for _, entry in client.xconsumer(["a"], group="g", consumer="d")]
        pending = client.xpending("a", "g")
        for one in (consumer, alone):
            assert one.statistics.reconnects >= KILLS
            one.close()

    assert sorted(set(delivered), key=_order) == delivered
    assert seen == delivered
    assert set(confirmed) <= set(delivered)
    assert len(delivered) <= len(confirmed) + unknown + 1
    assert [] == left
    assert 0 == pending.pending
    assert 0 == consumer.statistics.groups_recreated


def _order(identifier: bytes) -> list[int]:
    return [int(part) for part in identifier.split(b"-")]


@pytest.mark.parametrize("mode", ["group", "noack"])
def test_with_nothing_on_disk(start_server: StartServer, caplog: pytest.LogCaptureFixture, mode: str) -> None:
    """
    Killed three times with nothing written: each time the group is made again, counted and warned of once, with a handful of
    commands, and what is added then is given once.
    """
    server = start_server()
    caplog.set_level(logging.WARNING, "coredis.streams")
    with connect(server, retry_policy=PATIENT) as client:
        consumer: Any = client.xconsumer(
            ["a", "b"], group="g", consumer="c", auto_acknowledge=mode == "noack", timeout=20_000, block_slice=50
        )
        with consumer:
            for kill in range(1, KILLS + 1):
                reading = spawn(consumer.get_entry)
                reader(server)
                server.kill()
                server.start()
                reader(server)
                sleep(0.2)
                assert calls(server, "xreadgroup") <= 20
                assert calls(server, "xgroup|create") == 2
                assert calls(server, "xinfo|groups") <= 10
                assert not reading.done
                fill(client, "a", 1, 2)

                assert b"1-0" == (reading.join())[1].identifier
                assert b"2-0" == (consumer.get_entry())[1].identifier
                assert 2 * kill == consumer.statistics.groups_recreated
                assert 2 * kill == sum("made again" in record.getMessage() for record in caplog.records)
