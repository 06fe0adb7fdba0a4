"""
Consumers in asyncio: what they do with coroutine functions, other threads, signal handlers and cancellation.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

from coredis import Redis
from coredis.types import DeadLetter
from tests._async.streams import MINUTE, deliver, fill, identifiers, numbered, pending, take
from tests.support.aio import connect
from tests.support.servers import Server


@pytest.mark.parametrize("fails", [False, True])
async def test_a_coroutine_function_for_dead_letters(server: Server, fails: bool) -> None:
    """
    It is waited for; the entry is acknowledged when it has ended well, and stays pending otherwise.
    """
    letters: list[DeadLetter[bytes]] = []

    async def bury(letter: DeadLetter[bytes]) -> None:
        await asyncio.sleep(0.001)
        letters.append(letter)
        if fails:
            raise ArithmeticError

    async with connect(server) as client:
        await deliver(client, "c", 1, 1)
        consumer = client.xconsumer(
            ["a"], group="g", consumer="c", start_from_backlog=True, max_deliveries=1, dead_letter=bury
        )
        if fails:
            with pytest.raises(ArithmeticError):
                await consumer.get_entry()
        else:
            assert [] == await identifiers(consumer)

        assert [b"1-0"] == [letter.entry.identifier for letter in letters]
        assert ({b"1-0": (b"c", 2)} if fails else {}) == await pending(client)


async def test_a_coroutine_function_for_what_was_deleted(server: Server) -> None:
    """
    It is waited for.
    """
    told: list[tuple[bytes, bytes]] = []

    async def note(stream: bytes, identifier: bytes) -> None:
        await asyncio.sleep(0.001)
        told.append((stream, identifier))

    async with connect(server) as client:
        await deliver(client, "c", 1, 2)
        await client.xdel("a", ["1-0", "2-0"])
        consumer = client.xconsumer(["a"], group="g", consumer="c", start_from_backlog=True, on_deleted=note)

        assert [] == await identifiers(consumer)

    assert [(b"a", b"1-0"), (b"a", b"2-0")] == told


async def test_cancelled_while_burying(server: Server) -> None:
    """
    The coroutine function is cancelled with the call; the entry is told of again.
    """
    letters: list[DeadLetter[bytes]] = []

    async def bury(letter: DeadLetter[bytes]) -> None:
        letters.append(letter)
        if len(letters) == 1:
            await asyncio.sleep(60)

    async with connect(server) as client:
        await deliver(client, "c", 1, 1)
        consumer = client.xconsumer(
            ["a"], group="g", consumer="c", start_from_backlog=True, max_deliveries=1, dead_letter=bury
        )
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(consumer.get_entry(), 0.2)
        assert {b"1-0": (b"c", 2)} == await pending(client)

        assert [] == await identifiers(consumer)
        assert (2, 1) == (len(letters), consumer.statistics.dead_lettered)


@pytest.mark.parametrize("how", ["thread", "signal"])
async def test_stopping_from_outside_of_the_loop(server: Server, how: str) -> None:
    """
    From a thread or a signal handler, while the event loop sleeps.
    """
    async with connect(server) as client:
        consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=50_000)

        def stop(*_: Any) -> None:
            consumer.stop()

        def strike() -> None:
            signal.raise_signal(signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, stop)
        try:
            if how == "thread":
                acting = threading.Timer(0.1, stop)
                acting.start()
            else:
                asyncio.get_running_loop().call_later(0.1, strike)
            assert [] == await asyncio.wait_for(identifiers(consumer), 20)
            if how == "thread":
                acting.join()
        finally:
            signal.signal(signal.SIGUSR1, before)
        await consumer.close()


async def awaits(coroutine: Any, limit: int) -> bool:
    """
    Run a coroutine and cancel it when it waits for the n-th time; tell whether it waited so often.
    """
    task = asyncio.ensure_future(coroutine)
    for _ in range(limit):
        await asyncio.sleep(0)
        if task.done():
            await task
            return False
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        await task
    return True


async def test_cancelled_at_each_turn_of_the_loop(server: Server) -> None:
    """
    Backlog, taking over, giving up and new entries, cancelled after n turns, for each n until nothing is left to cancel: each
    entry comes once, and there is one dead letter.
    """
    async with connect(server) as client:
        turn, cancelled = 0, True
        while cancelled:
            await client.flushall()
            consumer = await prepared(client)
            seen: list[bytes] = []

            async def read(consumer: Any = consumer, seen: list[bytes] = seen) -> None:
                while found := await take(consumer):
                    seen += found

            cancelled = await awaits(read(), turn)
            await read()
            assert [*numbered(1, 2), *numbered(4, 6)] == sorted(seen)
            assert 1 == await client.xlen("dead") == consumer.statistics.dead_lettered
            assert set(seen) == set(await pending(client))
            await consumer.close()
            turn += 1 + turn // 8  # every one at first, where most happens

        assert turn > 20


async def prepared(client: Redis[Any]) -> Any:
    """
    Make a consumer with something of everything to come: its own pending entries 1 and 2, 3 and 4 of a dead member of which 3
    is to be given up, and the new ones 5 and 6.
    """
    await deliver(client, "c", 1, 2)
    await fill(client, "a", 3, 4)
    await client.xreadgroup("g", "dead", {"a": ">"})
    await client.xclaim("a", "g", "dead", 0, ["3-0"], idle=60 * MINUTE, retrycount=9, justid=True)
    await client.xclaim("a", "g", "dead", 0, ["4-0"], idle=60 * MINUTE, justid=True)
    await fill(client, "a", 5, 6)
    everything: Any = {"claim_idle": MINUTE, "max_deliveries": 5, "dead_letter": "dead", "start_from_backlog": True}
    return client.xconsumer(["a"], group="g", consumer="c", buffer_size=1, **everything)
