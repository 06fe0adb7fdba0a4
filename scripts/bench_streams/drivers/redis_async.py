"""
redis-py and valkey-py, asynchronous: the names are the same.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AsyncExitStack
from typing import Any

from bench_streams.drivers.samples import latency
from bench_streams.seeding import CONSUMER, fields


class Driver:
    """
    One asynchronous client.
    """

    def __init__(self, package: str, port: int) -> None:
        module: Any = importlib.import_module(f"{package}.asyncio")
        self._class = module.Redis if package == "redis" else module.Valkey
        self._port = port

    async def open(self) -> None:
        """
        Connect.
        """
        # One connection for each task that waits; the default refuses more than 100.
        self._client = self._class(port=self._port, max_connections=1000)
        await self._client.ping()

    async def close(self) -> None:
        """
        Disconnect.
        """
        await self._client.aclose()

    async def read(self, size: int, key: str, count: int) -> int:
        return await _read(self._client, size, key, count)

    async def read_decoded(self, size: int, key: str, count: int) -> int:
        client = self._class(port=self._port, decode_responses=True)
        done = await _read(client, size, key, count)
        await client.aclose()
        return done

    async def read_wide(self, size: int, keys: tuple[str, ...], count: int) -> int:
        client, done, places = self._client, 0, dict.fromkeys(map(str.encode, keys), b"0-0")
        while done < size:
            for key, entries in streams(await client.xread(places, count=count)):
                done += len(entries)
                places[key] = entries[-1][0]
        return done

    async def read_group(self, size: int, key: str, group: str, count: int, acknowledge: str) -> int:
        client, done, noack = self._client, 0, acknowledge == "none"
        while done < size:
            reply = await client.xreadgroup(group, CONSUMER, {key: ">"}, count=count, noack=noack)
            identifiers = [identifier for identifier, _ in streams(reply)[0][1]]
            if acknowledge == "batch":
                await client.xack(key, group, *identifiers)
            elif acknowledge == "pipe":
                pipeline = client.pipeline(transaction=False)
                for identifier in identifiers:
                    pipeline.xack(key, group, identifier)
                await pipeline.execute()
            elif acknowledge == "each":
                for identifier in identifiers:
                    await client.xack(key, group, identifier)
            done += len(identifiers)
        return done

    async def add(self, size: int, key: str) -> int:
        client = self._client
        for number in range(size):
            await client.xadd(key, fields(number))
        return size

    async def add_pipelined(self, size: int, key: str, length: int) -> int:
        client = self._client
        for first in range(0, size, length):
            pipeline = client.pipeline(transaction=False)
            for number in range(first, first + length):
                pipeline.xadd(key, fields(number))
            await pipeline.execute()
        return size

    async def add_tasks(self, size: int, key: str, tasks: int) -> int:
        client = self._client

        async def work() -> None:
            for number in range(size // tasks):
                await client.xadd(key, fields(number))

        await asyncio.gather(*[work() for _ in range(tasks)])
        return size

    async def add_big(self, size: int, key: str, value_bytes: int) -> int:
        client, value = self._client, b"x" * value_bytes
        for _ in range(size):
            await client.xadd(key, {"payload": value})
        return size

    async def ping(self, size: int) -> int:
        client = self._client
        for _ in range(size):
            await client.ping()
        return size

    async def ping_tasks(self, size: int, tasks: int) -> int:
        client = self._client

        async def work() -> None:
            for _ in range(size // tasks):
                await client.ping()

        await asyncio.gather(*[work() for _ in range(tasks)])
        return size

    async def receive(self, size: int, key: str, group: str) -> list[float]:
        client = self._client
        samples: list[float] = []
        while len(samples) < size:
            reply = await client.xreadgroup(group, CONSUMER, {key: ">"}, count=1, block=5000, noack=True)
            samples.append(latency(streams(reply)[0][1][0][1][b"at"]))
        return samples

    async def connect(self, size: int) -> int:
        # Each watch has a connection of its own; afterwards they lie idle in the pool.
        self._idle = self._class(port=self._port, max_connections=size + 8)
        async with AsyncExitStack() as stack:
            for number in range(size):
                pipeline = await stack.enter_async_context(self._idle.pipeline())
                await pipeline.watch(f"bench:watched:{number}")
        return size


async def _read(client: Any, size: int, key: str, count: int) -> int:
    done, place = 0, {key: "0-0"}
    while True:
        entries = streams(await client.xread(place, count=count))[0][1]
        done += len(entries)
        if done >= size:
            return done
        place = {key: entries[-1][0]}


def streams(reply: Any) -> list[tuple[Any, Any]]:
    """
    Give name and entries of each stream, whichever protocol it is: the map of RESP3 has a list of lists of entries.
    """
    if isinstance(reply, dict):
        return [
            (name, entries[0] if entries and isinstance(entries[0], list) else entries)
            for name, entries in reply.items()
        ]
    pairs: list[tuple[Any, Any]] = reply
    return pairs
