"""
A server that damages its replies: the connection is given up, the client goes on, and no reply goes astray.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from coredis import RetryPolicy
from coredis._core.session import MAX_PUSHES
from coredis.exceptions import ConnectionError, InvalidResponse, ProtocolError, RedisError
from tests._async.waiting import until
from tests.support.aio import connect, gather, spawn
from tests.support.scripted import Close, Late, Reset, ScriptedServer

AT_ONCE = RetryPolicy(retries=0)


def bulk(value: bytes) -> bytes:
    """
    Write a value as a server does.
    """
    return b"$%d\r\n%b\r\n" % (len(value), value)


async def test_damaged_replies() -> None:
    """
    Whatever comes in the place of a reply, the next command gets its own, on a new connection.
    """
    chance = random.Random(11)

    def answer(command: list[bytes]) -> bytes | Close:
        if command[0] == b"ECHO":
            return bulk(command[1])
        wire = bytearray(b"*2\r\n$3\r\nabc\r\n*2\r\n:1\r\n+x\r\n")
        for _ in range(chance.randint(1, 4)):
            wire[chance.randrange(len(wire))] = chance.choice(b"\r\n$*|!>-+:09\x00\xff")
        return Close(bytes(wire))

    with ScriptedServer(answer) as server:
        async with connect(server, retry_policy=AT_ONCE) as client:
            failures = 0
            for number in range(200):
                try:
                    await client.execute_command("LRANGE", "l", 0, -1)
                except (RedisError, TypeError):
                    failures += 1
                try:
                    assert b"%d" % number == await client.echo(f"{number}")
                except ConnectionError:  # the end of the connection was not seen yet when this was sent
                    assert b"%d" % number == await client.echo(f"{number}")
        assert failures > 50
        assert server.accepted > 100


async def test_only_its_own_connection_ends() -> None:
    """
    A command that waits on another connection of the same client is not disturbed.
    """

    def answer(command: list[bytes]) -> Any:
        if command[0] == b"BLPOP":
            return Late(0.1, b"*2\r\n$1\r\nl\r\n$1\r\nv\r\n")
        return b"?\r\n" if command[0] == b"GET" else b"+PONG\r\n"

    with ScriptedServer(answer) as server:
        async with connect(server, retry_policy=AT_ONCE) as client:
            waiting = spawn(lambda: client.blpop(["l"], 5))
            await until(lambda: len(server.commands) == 1)
            with pytest.raises(ProtocolError):
                await client.get("k")
            assert b"PONG" == await client.ping()
            assert (b"l", b"v") == tuple(await waiting.join() or ())
        assert 3 == server.accepted


async def test_everybody_on_it_is_told() -> None:
    """
    Those who wait on the same connection get an error each; what was answered before the damage counts.
    """
    count = 0

    def answer(_: list[bytes]) -> bytes:
        nonlocal count
        count += 1
        return {5: b"$-2\r\n"}.get(count, b":%d\r\n" % count)

    async def increment() -> int | None:
        try:
            return await client.incr("n")
        except ProtocolError as error:
            return None if error.may_have_run else -1

    with ScriptedServer(answer) as server:
        async with connect(server, retry_policy=AT_ONCE) as client:
            replies = await gather(*[increment] * 10)

    assert None in replies
    known = [reply for reply in replies if reply is not None]
    assert len(known) == len(set(known))
    assert not {5, -1} & set(known)
    assert {1, 2, 3, 4} <= set(known)


async def test_messages_that_nobody_asked_for() -> None:
    """
    One comes with each reply to a consumer. They do not pile up, however many reads there are.
    """
    reads = 0

    def answer(command: list[bytes]) -> bytes:
        nonlocal reads
        reads += 1
        entry = b"*2\r\n%b*2\r\n$1\r\nn\r\n$1\r\nv\r\n" % bulk(b"%d-0" % reads)
        return b">1\r\n$4\r\nnews\r\n%%1\r\n$1\r\na\r\n*1\r\n%b" % entry

    with ScriptedServer(answer) as server:
        async with connect(server) as client:
            consumer = client.xconsumer(["a"], a={"identifier": "0-0"})
            given = [(await consumer.get_entry())[1].identifier for _ in range(MAX_PUSHES + 2)]
            await consumer.close()
        assert [b"%d-0" % number for number in range(1, MAX_PUSHES + 3)] == given


NESTED = b"*1\r\n" * 1000 + b":1\r\n"


@pytest.mark.parametrize(
    "reply",
    [NESTED, b",inf\r\n", b",nan\r\n", b"+" + b"9" * 5000 + b"\r\n", b"*0\r\n", b"%0\r\n", b"_\r\n", b"+x\r\n"],
    ids=lambda reply: repr(reply[:12]),
)
@pytest.mark.parametrize("words", [("XLEN", "s"), ("LRANGE", "l", 0, -1)], ids=str)
async def test_replies_of_a_strange_shape(words: tuple[Any, ...], reply: bytes) -> None:
    """
    Whatever a well-formed reply cannot be made into is an error of its command alone, in a pipeline too.
    """

    def answer(command: list[bytes]) -> bytes:
        return b"+PONG\r\n" if command[0] == b"PING" else reply

    async def ask(client: Any) -> None:
        await (client.xlen("s") if words[0] == "XLEN" else client.execute_command(*words))

    with ScriptedServer(answer) as server:
        async with connect(server, retry_policy=AT_ONCE) as client:
            if words[0] == "XLEN" or reply is NESTED:
                with pytest.raises(InvalidResponse) as caught:
                    await ask(client)
                assert caught.value.may_have_run
            assert b"PONG" == await client.ping()
            pipe = client.pipeline(transaction=False, raise_on_error=False)
            before, strange, after = pipe.ping(), pipe.execute_command(*words), pipe.ping()
            await pipe.execute()
            assert (b"PONG", b"PONG") == (before.result(), after.result())
            assert (reply is NESTED) is isinstance(strange.error, InvalidResponse)
        assert 1 == server.accepted


@pytest.mark.parametrize("answer", [b":5\r\n", b"_\r\n", b"*1\r\n*0\r\n", b"*1\r\n:5\r\n"], ids=repr)
async def test_a_strange_answer_ahead_of_a_read(answer: bytes) -> None:
    """
    It is an error of that read, which is sent again; what came with it is not lost.
    """
    questions = reads = 0

    def give(command: list[bytes]) -> Any:
        nonlocal questions, reads
        if command[0] == b"XINFO":
            return (
                b"*1\r\n%4\r\n"
                + b"".join([bulk(b"name"), bulk(b"g"), bulk(b"consumers"), b":0\r\n", bulk(b"pending"), b":0\r\n"])
                + bulk(b"last-delivered-id")
                + bulk(b"1-0")
            )
        if command[0] == b"XPENDING":
            questions += 1
            return answer
        if command[0] == b"XREADGROUP":
            reads += 1
            if reads == 1:
                return Reset()
            entries = (
                b"*1\r\n*2\r\n%b*2\r\n$1\r\nn\r\n$1\r\nv\r\n" % bulk(b"2-0") if command[-1] == b"1-0" else b"*0\r\n"
            )
            return b"_\r\n" if command[-1] == b">" else b"%1\r\n$1\r\na\r\n" + entries
        return b":0\r\n"

    with ScriptedServer(give) as server:
        async with connect(server) as client:
            consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=5000)
            _, entry = await consumer.get_entry()
            assert entry is not None
            assert (b"2-0", 1, 3) == (entry.identifier, questions, reads)
            await consumer.close()
