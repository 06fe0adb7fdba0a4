"""
What goes on for long takes no more and no more: reads without entries, and connections that are lost again and again.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections import Counter
from typing import Any

import pytest

from coredis import RetryPolicy
from tests._async.faulting import calls
from tests.support.aio import connect, open_resources
from tests.support.servers import Server

#: Rounds that fill caches and free lists, and rounds that are measured.
WARM, MEASURED = 20, 40


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> None:
    """
    Keep nothing in the log.
    """
    caplog.set_level(logging.CRITICAL, "coredis.streams")


def blocks() -> int:
    """
    Count the blocks of memory in use.
    """
    gc.collect()
    return sys.getallocatedblocks()


def objects() -> Counter[str]:
    """
    Count the library's own objects by their types.
    """
    gc.collect()
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one).__module__.startswith("coredis."))


def consumers_of(client: Any, **options: Any) -> list[Any]:
    return [
        client.xconsumer(["a", "b"], **options),
        client.xconsumer(["a", "b"], group="g", consumer="c", claim_idle=60_000, **options),
        client.xconsumer(["a", "b"], group="h", consumer="c", auto_acknowledge=True, **options),
    ]


async def test_idle_reads(server: Server) -> None:
    """
    Reads that bring nothing leave nothing behind.
    """
    async with connect(server) as client:
        consumers = consumers_of(client, timeout=4, block_slice=1)

        async def reads(number: int) -> None:
            enough = calls(server, "xreadgroup") + number
            while calls(server, "xreadgroup") < enough:
                for consumer in consumers:
                    assert (None, None) == await consumer.get_entry()

        await reads(50)
        before, resources = blocks(), open_resources()
        await reads(100)

        assert blocks() - before <= 50
        assert [] == open_resources().beyond(resources)
        for consumer in consumers:
            await consumer.close()


async def test_lost_connections(server: Server) -> None:
    """
    Every connection is lost and replaced again and again, and an entry comes each time: nothing is left behind.
    """
    async with connect(server, retry_policy=RetryPolicy(retries=20, base_delay=0.001)) as client:
        consumers = consumers_of(client, timeout=10_000)
        added = 0

        async def rounds(raw: Any, number: int) -> None:
            nonlocal added
            for _ in range(number):
                added += 1
                raw.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                raw.command("XADD", "a", f"{added}-0", "f", "v")
                for consumer in consumers:
                    _, entry = await consumer.get_entry()
                    assert b"%d-0" % added == entry.identifier
                await consumers[1].ack("a", f"{added}-0")

        with server.connect() as raw:
            for consumer in consumers:
                await consumer.__aenter__()
            await rounds(raw, WARM)
            before, known, sockets = blocks(), objects(), len(open_resources().sockets)
            await rounds(raw, MEASURED)

            # A connection with all that belongs to it is dozens of blocks, and free lists go on growing for a while.
            assert blocks() - before <= 3 * MEASURED * len(consumers)
            assert not objects() - known
            assert sockets == len(open_resources().sockets)
            for consumer in consumers:
                assert consumer.statistics.reconnects >= MEASURED
                await consumer.close()
