"""
A signal handler that raises while a command of a task is written. It may do so anywhere, and the loop may go on: no reply may
reach somebody else's caller.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from coredis import Redis
from tests.support.scripted import ScriptedServer
from tests.support.strikes import strike

KEYS = "xyz"


def echo(words: list[bytes]) -> bytes:
    """
    Answer with the last word.
    """
    return b"$%d\r\n%b\r\n" % (len(words[-1]), words[-1])


async def others_after(server: ScriptedServer, how: str, point: int) -> tuple[bool, list[Any]]:
    """
    Interrupt a command in its first step, at some point.

    Returns:
        whether there was one, and what commands get that come then
    """
    async with Redis(host=server.host, port=server.port) as client:
        await client.get("warm")
        before: list[asyncio.Future[Any]] = []
        if how == "after others":
            # Two are there already, and what comes now is queued for the next write.
            before = [asyncio.ensure_future(client.get(key)) for key in "ab"]
            await asyncio.sleep(0)
        pipeline = client.pipeline(transaction=False)
        pipeline.get("struck")
        call: Any = pipeline.execute() if how == "pipeline" else client.get("struck")

        def first_step() -> None:
            try:
                call.send(None)
            except StopIteration:
                pass

        struck = strike(point, first_step)
        call.close()
        await asyncio.gather(*before, return_exceptions=True)
        return struck, await asyncio.gather(*map(client.get, KEYS))


@pytest.mark.parametrize("how", ["alone", "after others", "pipeline"])
def test_raised_in_a_command(how: str) -> None:
    """
    What comes then gets its own replies, on another connection if need be.
    """
    with ScriptedServer(echo) as server:
        point, struck = 0, True
        while struck:
            struck, found = asyncio.run(others_after(server, how, point))
            point += 1

            assert [key.encode() for key in KEYS] == found
        assert point > 10


def test_raised_in_a_write_for_several() -> None:
    """
    Others get their own replies.
    """

    async def scene(point: int) -> bool:
        async with Redis(host=server.host, port=server.port) as client:
            await client.get("warm")
            calls: list[Any] = [client.get(key) for key in KEYS]
            for call in calls:
                call.send(None)
            (channel,) = client._pool.channels()
            struck = strike(point, channel._flush)
            for call in calls:
                call.close()
            assert [key.encode() for key in "uvw"] == await asyncio.gather(*map(client.get, "uvw"))
            return struck

    with ScriptedServer(echo) as server:
        point = 0
        while asyncio.run(scene(point)):
            point += 1
        assert point > 3
