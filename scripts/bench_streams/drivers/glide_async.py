"""
Valkey GLIDE, asynchronous.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from bench_streams.drivers.samples import latency
from bench_streams.seeding import CONSUMER, fields


class Driver:
    """
    One asynchronous client.
    """

    def __init__(self, package: str, port: int) -> None:
        self._glide: Any = importlib.import_module(package)
        self._configuration = self._glide.GlideClientConfiguration(
            [self._glide.NodeAddress("127.0.0.1", port)], request_timeout=10_000
        )

    async def open(self) -> None:
        """
        Connect.
        """
        self._client = await self._glide.GlideClient.create(self._configuration)
        await self._client.ping()

    async def close(self) -> None:
        """
        Disconnect.
        """
        await self._client.close()

    async def read(self, size: int, key: str, count: int) -> int:
        client, done, place = self._client, 0, "0-0"
        options = self._glide.StreamReadOptions(count=count)
        while done < size:
            (entries,) = (await client.xread({key: place}, options)).values()
            done += len(entries)
            place = next(reversed(entries))
        return done

    async def read_wide(self, size: int, keys: tuple[str, ...], count: int) -> int:
        client, done, places = self._client, 0, dict.fromkeys(map(str.encode, keys), b"0-0")
        options = self._glide.StreamReadOptions(count=count)
        while done < size:
            for key, entries in (await client.xread(places, options)).items():
                done += len(entries)
                places[key] = next(reversed(entries))
        return done

    async def read_group(self, size: int, key: str, group: str, count: int, acknowledge: str) -> int:
        client, done = self._client, 0
        options = self._glide.StreamReadGroupOptions(no_ack=acknowledge == "none", count=count)
        while done < size:
            (entries,) = (await client.xreadgroup({key: ">"}, group, CONSUMER, options)).values()
            if acknowledge == "batch":
                await client.xack(key, group, list(entries))
            elif acknowledge == "pipe":
                batch = self._glide.Batch(is_atomic=False)
                for identifier in entries:
                    batch.xack(key, group, [identifier])
                await client.exec(batch, raise_on_error=True)
            elif acknowledge == "each":
                for identifier in entries:
                    await client.xack(key, group, [identifier])
            done += len(entries)
        return done

    async def add(self, size: int, key: str) -> int:
        client = self._client
        for number in range(size):
            await client.xadd(key, list(fields(number).items()))
        return size

    async def add_pipelined(self, size: int, key: str, length: int) -> int:
        client = self._client
        for first in range(0, size, length):
            batch = self._glide.Batch(is_atomic=False)
            for number in range(first, first + length):
                batch.xadd(key, list(fields(number).items()))
            await client.exec(batch, raise_on_error=True)
        return size

    async def add_tasks(self, size: int, key: str, tasks: int) -> int:
        client = self._client

        async def work() -> None:
            for number in range(size // tasks):
                await client.xadd(key, list(fields(number).items()))

        await asyncio.gather(*[work() for _ in range(tasks)])
        return size

    async def add_big(self, size: int, key: str, value_bytes: int) -> int:
        client, value = self._client, b"x" * value_bytes
        for _ in range(size):
            await client.xadd(key, [("payload", value)])
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
        options = self._glide.StreamReadGroupOptions(no_ack=True, block_ms=5000, count=1)
        while len(samples) < size:
            (entries,) = (await client.xreadgroup({key: ">"}, group, CONSUMER, options)).values()
            (pairs,) = entries.values()
            samples.append(latency(pairs[0][1]))
        return samples

    async def connect(self, size: int) -> int:
        # It has one connection for everything, so each is a client.
        self._idle = [await self._glide.GlideClient.create(self._configuration) for _ in range(size)]
        return size
