"""
What a command that fails leaves behind: nothing that only the collector would find.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Iterator

import pytest

import coredis.sync
from coredis import Redis
from coredis.exceptions import ConnectionError, ResponseError
from tests.support.scripted import Reset, ScriptedServer
from tests.support.servers import Server

pytestmark = pytest.mark.filterwarnings("ignore:unclosed client:ResourceWarning")


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """
    Keep the collector out.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_a_client_is_freed_after_an_error(server: Server) -> None:
    """
    And its connection is closed, at once: the error of a command is not in a circle with the frames it came through.
    """
    client = Redis(host=server.host, port=server.port)
    await client.ping()
    with contextlib.suppress(ResponseError):
        await client.execute_command("NOSUCH")
    freed = weakref.ref(client)
    channel = weakref.ref(client._pool._state.shared.channel)  # type: ignore[union-attr]
    del client

    assert freed() is None
    for _ in range(5):
        await asyncio.sleep(0)
    assert channel() is None


def test_a_blocking_client_is_freed_after_an_error(server: Server) -> None:
    """
    The same.
    """
    client = coredis.sync.Redis(host=server.host, port=server.port)
    with contextlib.suppress(ResponseError):
        client.execute_command("NOSUCH")
    freed = weakref.ref(client)
    del client

    assert freed() is None


#: What ends a connection, and what leaves an addition that the server was to remember with an unknown outcome: it does not tell
#: how much it remembers.
INVALID = [b"garbage\r\n"]
UNKNOWN = [Reset(), b"-NOPERM no XINFO\r\n"]


@pytest.mark.parametrize("steps", [INVALID, UNKNOWN], ids=["invalid", "unknown"])
async def test_a_client_is_freed_after_an_error_that_is_kept(steps: list[bytes | Reset]) -> None:
    """
    By the connection that it has ended, or by another error.
    """
    with ScriptedServer(steps) as server:
        async with Redis(host=server.host, port=server.port) as client:
            with contextlib.suppress(ConnectionError):
                await client.xadd("s", {"f": "v"}, idmp=("p", "i"))
        freed = weakref.ref(client)
        del client
        for _ in range(5):  # what is closed is told so by the loop
            await asyncio.sleep(0)

        assert freed() is None


@pytest.mark.parametrize("steps", [INVALID, UNKNOWN], ids=["invalid", "unknown"])
def test_a_blocking_client_is_freed_after_an_error_that_is_kept(steps: list[bytes | Reset]) -> None:
    """
    The same.
    """
    with ScriptedServer(steps) as server:
        with coredis.sync.Redis(host=server.host, port=server.port) as client, contextlib.suppress(ConnectionError):
            client.xadd("s", {"f": "v"}, idmp=("p", "i"))
        freed = weakref.ref(client)
        del client

        assert freed() is None
