"""
The benchmark's floor does what this client does: otherwise it would be no measure.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from bench_streams.drivers import coredis_async, coredis_blocking, floor_async, floor_blocking
from bench_streams.floor import aio
from bench_streams.seeding import fields

from tests.support.servers import Server

LENGTH = 130
DRIVERS = {
    "floor-async": (floor_async.Driver, "bench_streams.floor.aio"),
    "floor-sync": (floor_blocking.Driver, "bench_streams.floor.blocking"),
    "coredis-async": (coredis_async.Driver, "coredis"),
    "coredis-sync": (coredis_blocking.Driver, "coredis.sync"),
}


class Calls:
    """
    Calls methods of a driver, of whichever flavour, and waits for what they give.
    """

    def __init__(self, name: str, server: Server) -> None:
        kind, package = DRIVERS[name]
        self.driver: Any = kind(package, server.address[1])
        self._runner = asyncio.Runner()

    def __call__(self, result: Any) -> Any:
        """
        Wait for what a method gave, if one has to.
        """
        if not inspect.isawaitable(result):
            return result

        async def wait() -> Any:
            return await result

        return self._runner.run(wait())

    def __enter__(self) -> Calls:
        self(self.driver.open())
        return self

    def __exit__(self, *_: object) -> None:
        self(self.driver.close())
        self._runner.close()


@pytest.fixture(params=["floor-async", "floor-sync"])
def floor(request: pytest.FixtureRequest, server: Server) -> Iterator[Calls]:
    """
    The floor, of both flavours.
    """
    with Calls(request.param, server) as calls:
        yield calls


def written(server: Server, key: str) -> list[list[bytes]]:
    """
    The fields of the entries of a stream.
    """
    reply: Any = server.command("XRANGE", key, "-", "+")
    return [words for _, words in reply]


def additions(size: int) -> list[list[bytes]]:
    """
    The fields of the entries that a driver adds.
    """
    return [[word.encode() for pair in fields(number).items() for word in pair] for number in range(size)]


def fill(server: Server, keys: tuple[str, ...]) -> None:
    """
    Add entries to streams, most of them of three fields.
    """
    for key in keys:
        for number in range(LENGTH):
            words = [word for pair in fields(number).items() for word in pair]
            server.command("XADD", key, f"{number + 1}-0", *(words if number % 50 else words[:2]))


@pytest.mark.parametrize(("method", "arguments"), [("add", {}), ("add_pipelined", {"length": 120}), ("add_many", {})])
def test_adds_what_it_is_given(floor: Calls, server: Server, method: str, arguments: dict[str, int]) -> None:
    """
    All of it, in order.
    """
    assert 1200 == floor(getattr(floor.driver, method)(1200, "key", **arguments))
    assert additions(1200) == written(server, "key")


def test_adds_what_many_tasks_give_it(server: Server) -> None:
    """
    All of it.
    """
    with Calls("floor-async", server) as floor:
        assert 1200 == floor(floor.driver.add_tasks(1200, "key", 12))

    assert sorted(additions(100) * 12) == sorted(written(server, "key"))


def test_adds_large_values(floor: Calls, server: Server) -> None:
    """
    Larger than what the kernel takes at a time.
    """
    value_bytes = 8_000_000

    floor(floor.driver.add_big(2, "key", value_bytes))

    assert [[b"payload", b"x" * value_bytes]] * 2 == written(server, "key")


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize("buffer", [0, 9, 99, 999])
def test_consumes_every_entry_once(server: Server, name: str, buffer: int) -> None:
    """
    The entries of several streams, each stream in its order; with the larger buffers it reads ahead.
    """
    keys = ("one", "two")
    fill(server, keys)
    got: dict[bytes, list[tuple[bytes, dict[bytes, bytes]]]] = defaultdict(list)

    async def consume(client: Any) -> None:
        async for stream, entry in client.xconsumer(keys, **options):
            got[stream].append((entry.identifier, entry.field_values))

    options: dict[str, Any] = {key: {"identifier": "0-0"} for key in keys}
    options |= {"buffer_size": buffer, "prefetch": buffer >= 99}
    with Calls(name, server) as calls:
        if name.endswith("async"):
            calls(consume(calls.driver._client))
        else:
            for stream, entry in calls.driver._client.xconsumer(keys, **options):
                got[stream].append((entry.identifier, entry.field_values))

    for key in keys:
        reply: Any = server.command("XRANGE", key, "-", "+")
        expected = [(identifier, dict(zip(words[::2], words[1::2], strict=True))) for identifier, words in reply]
        assert expected == got[key.encode()]


@pytest.mark.parametrize("name", DRIVERS)
def test_coalesced_acknowledgements_arrive(server: Server, name: str) -> None:
    """
    When the consumer has been closed nothing that it gave is pending.
    """
    fill(server, ("key",))
    server.command("XGROUP", "CREATE", "key", "group", "0")

    with Calls(name, server) as calls:
        assert LENGTH == calls(calls.driver.consume_coalesced(LENGTH, "key", "group", 9))

    pending: Any = server.command("XPENDING", "key", "group")
    assert 0 == pending[0]


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize(("acknowledge", "left"), [("none", 0), ("batch", 10), ("each", 0)])
def test_consumes_in_a_group(server: Server, name: str, acknowledge: str, left: int) -> None:
    """
    Batches are acknowledged along with the next read, so the last one is left.
    """
    fill(server, ("key",))
    server.command("XGROUP", "CREATE", "key", "group", "0")

    with Calls(name, server) as calls:
        assert LENGTH == calls(calls.driver.consume_group(LENGTH, "key", "group", 9, acknowledge))

    pending: Any = server.command("XPENDING", "key", "group")
    assert left == pending[0]


@pytest.mark.parametrize("acknowledge", ["none", "batch", "pipe", "each"])
def test_reads_in_a_group(floor: Calls, server: Server, acknowledge: str) -> None:
    """
    By commands, with each way of acknowledging.
    """
    fill(server, ("key",))
    server.command("XGROUP", "CREATE", "key", "group", "0")

    assert LENGTH == floor(floor.driver.read_group(LENGTH, "key", "group", 10, acknowledge))
    pending: Any = server.command("XPENDING", "key", "group")
    assert 0 == pending[0]


def test_reads(floor: Calls, server: Server) -> None:
    """
    One stream as bytes and as text, and several.
    """
    fill(server, ("one", "two"))

    assert LENGTH == floor(floor.driver.read(LENGTH, "one", 10))
    assert LENGTH == floor(floor.driver.read_decoded(LENGTH, "one", 10))
    assert 2 * LENGTH == floor(floor.driver.read_wide(2 * LENGTH, ("one", "two"), 10))


async def test_one_write_for_all_tasks_of_a_turn(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The first command goes at once, those that come meanwhile together.
    """
    async with aio.Redis(port=server.address[1]) as client:
        connection, writes = client._connection, list[bytes]()
        write = connection.write
        monkeypatch.setattr(connection, "write", lambda data: [writes.append(data), write(data)])

        await asyncio.gather(*[client.ping() for _ in range(5)])

        assert [1, 4] == [data.count(b"PING") for data in writes]
    await asyncio.sleep(0)
