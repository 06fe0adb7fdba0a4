"""
This client, and coredis 6, whose names are the same.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AsyncExitStack
from typing import Any

from bench_streams.drivers.samples import latency
from bench_streams.seeding import AHEAD, CONSUMER, fields


class Driver:
    """
    One asynchronous client.
    """

    def __init__(self, package: str, port: int) -> None:
        self._package: Any = importlib.import_module(package)
        self._port = port

    async def open(self) -> None:
        """
        Connect.
        """
        self._idle: Any = None
        self._client = self._package.Redis(port=self._port)
        await self._client.__aenter__()
        await self._client.ping()

    async def close(self) -> None:
        """
        Disconnect.
        """
        if self._idle is not None:
            await self._idle.__aexit__(None, None, None)
        await self._client.__aexit__(None, None, None)

    async def read(self, size: int, key: str, count: int) -> int:
        return await _read(self._client, size, key, count)

    async def read_decoded(self, size: int, key: str, count: int) -> int:
        async with self._package.Redis(port=self._port, decode_responses=True) as client:
            return await _read(client, size, key, count)

    async def read_wide(self, size: int, keys: tuple[str, ...], count: int) -> int:
        client, done, places = self._client, 0, dict.fromkeys(map(str.encode, keys), b"0-0")
        while done < size:
            for key, entries in (await client.xread(places, count=count)).items():
                done += len(entries)
                places[key] = entries[-1].identifier
        return done

    async def consume(self, size: int, keys: tuple[str, ...], buffer: int) -> int:
        start: dict[str, Any] = {key: {"identifier": "0-0"} for key in keys}
        if hasattr(self._client, "xadd_many") and (buffer + 1) * len(keys) >= AHEAD:  # coredis 6 does not read ahead
            start["prefetch"] = True
        done = 0
        async for _ in self._client.xconsumer(keys, buffer_size=buffer, **start):
            done += 1
            if done == size:
                break
        return done

    async def read_group(self, size: int, key: str, group: str, count: int, acknowledge: str) -> int:
        client, done, noack = self._client, 0, acknowledge == "none"
        while done < size:
            reply = await client.xreadgroup(group, CONSUMER, {key: ">"}, count=count, noack=noack)
            identifiers = [entry.identifier for entry in reply[key.encode()]]
            if acknowledge == "batch":
                await client.xack(key, group, identifiers)
            elif acknowledge == "pipe":
                async with client.pipeline(transaction=False) as pipeline:
                    for identifier in identifiers:
                        pipeline.xack(key, group, [identifier])
            elif acknowledge == "each":
                for identifier in identifiers:
                    await client.xack(key, group, [identifier])
            done += len(identifiers)
        return done

    async def consume_group(self, size: int, key: str, group: str, buffer: int, acknowledge: str) -> int:
        client, done, held = self._client, 0, []
        options: dict[str, Any] = {}
        if acknowledge == "batch" and hasattr(client, "xadd_many"):  # coredis 6 has neither batches nor ack
            options["ack_buffer"] = 2 * (buffer + 1)  # so they are sent along with the next read
        consumer = client.xconsumer(
            [key], group=group, consumer=CONSUMER, buffer_size=buffer, auto_acknowledge=acknowledge == "none", **options
        )
        if options:
            async for batch in consumer.batches():
                await consumer.ack(key, *[entry.identifier for _, entry in batch])
                done += len(batch)
                if done >= size:
                    break
            return done
        async for _, entry in consumer:
            done += 1
            if acknowledge == "each":
                await client.xack(key, group, [entry.identifier])
            elif acknowledge == "batch":
                held.append(entry.identifier)
                if len(held) > buffer:
                    await client.xack(key, group, held)
                    held = []
            if done == size:
                break
        return done

    async def consume_coalesced(self, size: int, key: str, group: str, buffer: int) -> int:
        done = 0
        # Sent along with the next read, for which they need not be all there are.
        consumer = self._client.xconsumer(
            [key], group=group, consumer=CONSUMER, buffer_size=buffer, ack_buffer=2 * (buffer + 1)
        )
        async for stream, entry in consumer:
            await consumer.ack(stream, entry)
            done += 1
            if done == size:
                break
        await consumer.close()
        return done

    async def add(self, size: int, key: str) -> int:
        client = self._client
        for number in range(size):
            await client.xadd(key, fields(number))
        return size

    async def add_pipelined(self, size: int, key: str, length: int) -> int:
        client = self._client
        for first in range(0, size, length):
            async with client.pipeline(transaction=False) as pipeline:
                for number in range(first, first + length):
                    pipeline.xadd(key, fields(number))
        return size

    async def add_tasks(self, size: int, key: str, tasks: int) -> int:
        client = self._client

        async def work() -> None:
            for number in range(size // tasks):
                await client.xadd(key, fields(number))

        await asyncio.gather(*[work() for _ in range(tasks)])
        return size

    async def add_many(self, size: int, key: str) -> int:
        additions = await self._client.xadd_many(key, map(fields, range(size)))
        added: int = additions.added
        return added

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
            samples.append(latency(reply[key.encode()][0].field_values[b"at"]))
        return samples

    async def receive_consuming(self, size: int, key: str, group: str) -> list[float]:
        consumer = self._client.xconsumer([key], group=group, consumer=CONSUMER, auto_acknowledge=True, timeout=5000)
        samples: list[float] = []
        async for _, entry in consumer:
            samples.append(latency(entry.field_values[b"at"]))
            if len(samples) == size:
                break
        return samples

    async def connect(self, size: int) -> int:
        # Each watch has a connection of its own; afterwards they lie idle in the pool.
        self._idle = await self._package.Redis(port=self._port, max_connections=size + 8).__aenter__()
        async with AsyncExitStack() as stack:
            for number in range(size):
                pipeline = await stack.enter_async_context(self._idle.pipeline())
                await stack.enter_async_context(pipeline.watch(f"bench:watched:{number}"))
        return size


async def _read(client: Any, size: int, key: str, count: int) -> int:
    done, place = 0, {key: "0-0"}
    while True:
        (entries,) = (await client.xread(place, count=count)).values()
        done += len(entries)
        if done >= size:
            return done
        place = {key: entries[-1].identifier}
