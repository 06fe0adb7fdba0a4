"""
An event loop that is run within one of its own tasks, as nest_asyncio does it for notebooks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from coredis import Redis
from tests.support.servers import Server


class NestingLoop(asyncio.SelectorEventLoop):
    """
    A loop whose way of running is another one, as nest_asyncio leaves it.
    """

    def run_forever(self) -> None:
        super().run_forever()


def run_within(loop: Any, call: Coroutine[Any, Any, Any]) -> Any:
    """
    Run the loop until a call has ended, in the middle of a task of it.
    """
    outer = asyncio.current_task(loop)
    assert outer is not None
    inner = loop.create_task(call)
    loop.call_later(5, inner.cancel)  # rather than for ever
    asyncio.tasks._leave_task(loop, outer)
    try:
        while not inner.done():
            loop._run_once()
    finally:
        asyncio.tasks._enter_task(loop, outer)
        for _ in range(100):  # the turn we are in counts on callbacks that have been called here
            loop.call_soon(lambda: None)
    return inner.result()


def test_commands_of_a_nested_loop(server: Server) -> None:
    """
    Of several tasks at once, each after a reply of its own: that one runs the loop keeps nothing from being sent or received.
    """

    async def several(client: Redis[bytes]) -> list[bytes]:
        return await asyncio.gather(*[client.echo(b"%d" % number) for number in range(5)])

    async def nested(client: Redis[bytes]) -> list[bytes]:
        await client.ping()
        replies: list[bytes] = run_within(asyncio.get_running_loop(), several(client))
        return replies

    async def main() -> list[list[bytes]]:
        async with Redis(host=server.host, port=server.port) as client:
            return await asyncio.gather(*[nested(client) for _ in range(4)])

    with asyncio.Runner(loop_factory=NestingLoop) as runner:
        assert [[b"0", b"1", b"2", b"3", b"4"]] * 4 == runner.run(main())
