"""
Which stream commands and options a server has, against what the methods can send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError
from coredis.types import DocumentValue
from tests.core.test_stream_builders import built, cases, words
from tests.support.aio import Redis
from tests.support.servers import Server

#: Commands of the server that have no method, with the reason.
LEFT_OUT = {
    "xidmprecord": "internal: the server writes it to its append-only file, clients have no use for it",
}


def tokens(arguments: DocumentValue) -> Iterator[str]:
    """
    Find the words of a command's options, at any depth, in its documented arguments.
    """
    assert isinstance(arguments, tuple)
    for argument in arguments:
        assert isinstance(argument, dict)
        token = argument.get("token")
        if isinstance(token, str):
            yield token
        yield from tokens(argument.get("arguments", ()))


def sendable() -> dict[str, set[str]]:
    """
    List the words that the methods can send, by command as COMMAND DOCS names it.
    """
    sent: dict[str, set[str]] = {}
    for call, _ in cases():
        name, *rest = [word.decode().lower() for word in words(built(call))]
        if name in ("xgroup", "xinfo"):
            name = f"{name}|{rest.pop(0)}"
        sent.setdefault(name, set()).update(rest)
    return sent


async def test_nothing_is_missing(client: Redis[bytes]) -> None:
    """
    Every stream command of the server, and every word of its options, can be sent by a method.
    """
    listed = {name.decode() for name in await client.command_list(pattern="x*")}
    names = sorted(listed - LEFT_OUT.keys())
    documented = await client.command_docs(*names)
    sent = sendable()

    containers = {name.partition("|")[0] for name in names if "|" in name}
    missing = set(names) - containers - sent.keys()
    for name in sorted(sent.keys() & documented.keys()):
        missing |= {
            f"{name} {token}"
            for token in tokens(documented[name].get("arguments", ()))
            if token.lower() not in sent[name]
        }

    assert not missing
    assert {"xadd", "xgroup|create", "xinfo|stream", "xreadgroup"} <= documented.keys()
    assert {"nomkstream", "maxlen", "~", "*", "limit"} <= {
        token.lower() for token in tokens(documented["xadd"]["arguments"])
    }


CALLS: list[tuple[str, str | None, str, Callable[[Redis[Any]], Any]]] = [
    ("XADD", "KEEPREF", "Redis 8.2", lambda redis: redis.xadd("s", {"f": "v"}, condition="KEEPREF")),
    ("XADD", "DELREF", "Redis 8.2", lambda redis: redis.xadd("s", {"f": "v"}, condition="DELREF")),
    ("XADD", "ACKED", "Redis 8.2", lambda redis: redis.xadd("s", {"f": "v"}, condition="ACKED")),
    ("XADD", "IDMP", "Redis 8.6", lambda redis: redis.xadd("s", {"f": "v"}, idmp=("p", "i"))),
    ("XADD", "IDMPAUTO", "Redis 8.6", lambda redis: redis.xadd("s", {"f": "v"}, idmpauto="p")),
    ("XTRIM", "ACKED", "Redis 8.2", lambda redis: redis.xtrim("s", "MAXLEN", 5, condition="ACKED")),
    ("XDELEX", None, "Redis 8.2", lambda redis: redis.xdelex("s", "1-0")),
    ("XACKDEL", None, "Redis 8.2", lambda redis: redis.xackdel("s", "g", "1-0")),
    ("XREADGROUP", "CLAIM", "Redis 8.4", lambda redis: redis.xreadgroup("g", "c", {"s": ">"}, claim=5)),
    ("XCFGSET", None, "Redis 8.6", lambda redis: redis.xcfgset("s", 100)),
    ("XNACK", None, "Redis 8.8", lambda redis: redis.xnack("s", "g", "SILENT", "1-0")),
    ("XREAD", "MAXCOUNT", "Redis 8.10", lambda redis: redis.xread({"s": 0}, max_count=5)),
    ("XREAD", "MAXSIZE", "Redis 8.10", lambda redis: redis.xread({"s": 0}, max_size=5)),
    ("XREADGROUP", "MAXCOUNT", "Redis 8.10", lambda redis: redis.xreadgroup("g", "c", {"s": ">"}, max_count=5)),
    ("XREADGROUP", "MAXSIZE", "Redis 8.10", lambda redis: redis.xreadgroup("g", "c", {"s": ">"}, max_size=5)),
]


@pytest.mark.parametrize(
    ("command", "option", "version", "call"), CALLS, ids=[" ".join(filter(None, case[:2])) for case in CALLS]
)
async def test_what_the_server_lacks(
    redis: Redis[Any], command: str, option: str | None, version: str, call: Callable[[Redis[Any]], Any]
) -> None:
    """
    A server that has a command or an option runs it; for one that has not, the error names the version that does.
    """
    await redis.xadd("s", {"f": "v"}, identifier="1-0")
    await redis.xgroup_create("s", "g", 0)

    if await redis.supports(command, option):
        await call(redis)
    else:
        with pytest.raises(CommandNotSupportedError, match=f"{version} or later") as caught:
            await call(redis)
        assert (caught.value.command, caught.value.version) == (" ".join(filter(None, (command, option))), version)


async def test_last_entry(redis: Redis[Any], server: Server) -> None:
    """
    The identifier + of XREAD is told by the server's answer, because its documentation does not list it.
    """
    await redis.xadd("s", {"f": "v"}, identifier="1-0")

    if server.program.satisfies("redis-7.4") or server.program.satisfies("valkey-8.0"):
        assert await redis.xread({"s": "+"}) is not None
    else:
        with pytest.raises(CommandNotSupportedError, match=r"Redis 7\.4 or Valkey 8\.0"):
            await redis.xread({"s": "+"})


async def test_after_an_error(redis: Redis[Any], server: Server) -> None:
    """
    Other errors of a command that needs a newer server stay what they are.
    """
    if not await redis.supports("XCFGSET"):
        pytest.skip(f"{server.identifier} has no XCFGSET to fail")

    with pytest.raises(Exception, match="no such key"):
        await redis.xcfgset("absent", 100)
