"""
One measurement of ``growth`` in a process of its own: read streams from end to end, some times, alone or as a member of a
group that holds what it has read for a while. Their names come in on standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import coredis
import coredis.sync
from coredis.patterns.streams import StreamParameters

#: How often the memory is looked at, in entries.
LOOK = 50_000
#: So long others wait before they take over what is held (milliseconds): the leases are renewed, or looked at, all the time.
CLAIM_IDLE = 60_000


class Meter:
    """
    Counts entries, and the processor time and memory that go with them. The first entry of a round starts the clock.
    """

    def __init__(self) -> None:
        self.entries = 0
        self.seconds = 0.0
        self.base = 0
        self.most = 0
        self._begun = 0.0

    @contextmanager
    def round(self) -> Iterator[None]:
        """
        Measure until the end of the block, from its beginning.
        """
        if not self.base:
            self.base = self.most = _resident()
        self._begun = time.process_time()
        yield
        self.seconds += time.process_time() - self._begun
        self.look()

    def look(self) -> None:
        """
        Note how much memory there is.
        """
        self.most = max(self.most, _resident())


def main() -> None:
    """
    Measure, and print the result.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("flavour", choices=("async", "blocking"))
    parser.add_argument("port", type=int)
    parser.add_argument("--buffer", type=int, required=True)
    parser.add_argument("--entries", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--passes", type=int, required=True)
    parser.add_argument("--held", type=int, default=0, help="acknowledge so many at a time; 0: read without a group")
    options = parser.parse_args()
    keys = sys.stdin.read().split("\n")
    read: Callable[..., Any] = _read_async if options.flavour == "async" else _read_blocking
    if options.held:
        read = partial(_hold_async if options.flavour == "async" else _hold_blocking, held=options.held)
    costs, growth = [], 0.0
    for _ in range(options.passes):
        meter = Meter()
        for _ in range(options.rounds):
            done = read(options.port, keys, options.buffer, options.entries, meter)
            if asyncio.iscoroutine(done):
                asyncio.run(done)
        costs.append(meter.seconds / meter.entries * 1e6)
        growth = max(growth, (meter.most - meter.base) / 2**20)
    print(json.dumps({"cpu": min(costs), "memory": growth}))


async def _read_async(port: int, keys: list[str], buffer: int, entries: int, meter: Meter) -> None:
    async with coredis.Redis(port=port) as client:
        consumer = client.xconsumer(keys, buffer_size=buffer, parameters=_from_the_start(keys))
        await consumer.get_entry()
        with meter.round():
            left = entries - 1
            async for _ in consumer:
                left -= 1
                if not left:
                    break
                if not left % LOOK:
                    meter.look()
        meter.entries += entries - 1
        await consumer.close()


def _read_blocking(port: int, keys: list[str], buffer: int, entries: int, meter: Meter) -> None:
    with coredis.sync.Redis(port=port) as client:
        consumer = client.xconsumer(keys, buffer_size=buffer, parameters=_from_the_start(keys))
        consumer.get_entry()
        with meter.round():
            left = entries - 1
            for _ in consumer:
                left -= 1
                if not left:
                    break
                if not left % LOOK:
                    meter.look()
        meter.entries += entries - 1
        consumer.close()


async def _hold_async(port: int, keys: list[str], buffer: int, entries: int, meter: Meter, held: int) -> None:
    async with coredis.Redis(port=port) as client:
        consumer = client.xconsumer(keys, buffer_size=buffer, **_membership())
        stream, entry = await consumer.get_entry()
        assert stream is not None and entry is not None
        unacknowledged = [entry]
        with meter.round():
            async for stream, entry in consumer:
                unacknowledged.append(entry)
                if len(unacknowledged) == held:
                    await consumer.ack(stream, *unacknowledged)
                    unacknowledged.clear()
        meter.entries += entries - 1
        await consumer.close()


def _hold_blocking(port: int, keys: list[str], buffer: int, entries: int, meter: Meter, held: int) -> None:
    with coredis.sync.Redis(port=port) as client:
        consumer = client.xconsumer(keys, buffer_size=buffer, **_membership())
        stream, entry = consumer.get_entry()
        assert stream is not None and entry is not None
        unacknowledged = [entry]
        with meter.round():
            for stream, entry in consumer:
                unacknowledged.append(entry)
                if len(unacknowledged) == held:
                    consumer.ack(stream, *unacknowledged)
                    unacknowledged.clear()
        meter.entries += entries - 1
        consumer.close()


def _membership() -> dict[str, Any]:
    # A new group each time, to which nothing has been delivered.
    return {"group": uuid.uuid4().hex, "consumer": "c", "group_start": "0-0", "claim_idle": CLAIM_IDLE}


def _from_the_start(keys: list[str]) -> dict[str | bytes, StreamParameters]:
    return {key: {"identifier": "0-0"} for key in keys}


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
