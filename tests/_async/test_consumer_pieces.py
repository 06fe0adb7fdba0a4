"""
A large reply to a consumer without a group, of which some entries are made at a time.
"""

from __future__ import annotations

import gc
from typing import Any

import pytest

from coredis import RetryPolicy
from coredis._core.consumer.pieces import PIECE, Pieces
from coredis.exceptions import ProtocolError
from coredis.types import StreamEntry
from tests._async.streams import fill, identifiers, numbered, take
from tests.support.aio import Redis, connect
from tests.support.scripted import ScriptedServer

ALL = 6 * PIECE + 50
PREFETCH = pytest.mark.parametrize("prefetch", [False, True], ids=["", "ahead"])


def reading(client: Redis[Any], prefetch: bool = False) -> Any:
    """
    Give a consumer that receives all there is in one reply, or in two.
    """
    return client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=ALL, prefetch=prefetch)


@pytest.fixture
async def filled(client: Redis[Any]) -> Redis[Any]:
    """
    A client of a server that has so many entries.
    """
    await fill(client, "a", 1, ALL)
    return client


@PREFETCH
@pytest.mark.parametrize("served", [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7, ALL - 1, ALL])
async def test_where_the_application_stands(filled: Redis[Any], prefetch: bool, served: int) -> None:
    """
    Is where it is within a piece, between two, and at the end. And whoever begins there gets the rest.
    """
    async with reading(filled, prefetch) as consumer:
        assert numbered(1, served) == await take(consumer, served)
        assert {"a": b"%d-0" % served} == consumer.positions
        rest = consumer.drain()
        assert consumer.positions["a"] in (b"%d-0" % ALL, rest[-1][1].identifier if rest else b"")
        received = [entry.identifier for _, entry in rest]
        assert numbered(served + 1, served + len(rest)) == received
        assert numbered(served + len(rest) + 1, ALL) == await identifiers(consumer)


@PREFETCH
@pytest.mark.parametrize("served", [0, 1, PIECE, PIECE + 20])
async def test_all_that_was_received_is_given_at_once(filled: Redis[Any], prefetch: bool, served: int) -> None:
    """
    To whoever asks for several entries.
    """
    async with reading(filled, prefetch) as consumer:
        await take(consumer, served)
        batch = await consumer.get_entries()

        assert ALL // 2 - served <= len(batch) == (ALL // 2 if prefetch else ALL) - served
        assert numbered(served + 1, served + len(batch)) == [entry.identifier for _, entry in batch]
        assert {"a": batch[-1][1].identifier} == consumer.positions
        assert numbered(served + len(batch) + 1, ALL) == await identifiers(consumer)
        assert ALL == consumer.statistics.delivered


@PREFETCH
@pytest.mark.parametrize("ending", ["stop", "close"])
async def test_the_end_of_reading(filled: Redis[Any], prefetch: bool, ending: str) -> None:
    """
    What was received is served after it.
    """
    consumer = reading(filled, prefetch)
    await take(consumer, 10)
    if ending == "stop":
        consumer.stop()
    else:
        await consumer.close()

    assert numbered(11, ALL // 2 if prefetch else ALL) == await identifiers(consumer)
    await consumer.close()


@PREFETCH
async def test_entering_again_begins_afresh(filled: Redis[Any], prefetch: bool) -> None:
    """
    In the middle of a reply, too.
    """
    consumer = reading(filled, prefetch)
    await take(consumer, PIECE)
    async with consumer:
        assert numbered(1, ALL) == await identifiers(consumer)


@PREFETCH
async def test_entries_that_cannot_be_made(filled: Redis[Any], prefetch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    In the middle of a reply: it is an error, and reading goes on after what was served.
    """

    def fail(*_: object) -> None:
        raise LookupError

    async with reading(filled, prefetch) as consumer:
        assert numbered(1, PIECE) == await take(consumer, PIECE)
        with monkeypatch.context() as patch:
            patch.setattr(Pieces, "make", fail)
            with pytest.raises(ProtocolError, match="LookupError"):
                await consumer.get_entry()
        assert {"a": b"%d-0" % PIECE} == consumer.positions
        assert numbered(PIECE + 1, ALL) == await identifiers(consumer)


@PREFETCH
async def test_no_more_are_made_than_are_served_next(filled: Redis[Any], prefetch: bool) -> None:
    """
    Whatever the size of the reply.
    """
    gc.collect()
    before = sum(type(found) is StreamEntry for found in gc.get_objects())
    async with reading(filled, prefetch) as consumer:
        await consumer.get_entry()

        assert PIECE >= sum(type(found) is StreamEntry for found in gc.get_objects()) - before > 1


async def test_a_signal_handler_that_reads_meanwhile(filled: Redis[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Or another part of the same task: what it takes does not come again.
    """
    make, taken = Pieces.make, []

    async with reading(filled) as consumer:
        await take(consumer, PIECE)

        def make_and_read(*given: Any) -> Any:
            monkeypatch.setattr(Pieces, "make", make)
            made = make(*given)
            taken.extend(entry.identifier for _, entry in consumer.drain())
            return made

        monkeypatch.setattr(Pieces, "make", make_and_read)
        taken += await identifiers(consumer)

    assert numbered(PIECE + 1, ALL) == taken


@pytest.mark.parametrize(
    "strange", [b"_\r\n", b"*0\r\n", b":5\r\n", b"*2\r\n:5\r\n*2\r\n+n\r\n+v\r\n", b"*2\r\n+xyz\r\n*2\r\n+n\r\n+v\r\n"]
)
@pytest.mark.parametrize("at", [PIECE, 2 * PIECE])
async def test_a_strange_entry_where_a_piece_ends(strange: bytes, at: int) -> None:
    """
    It is an error, and everything else is read when the server has come to its senses.
    """
    asked: list[bytes] = []

    def answer(command: list[bytes]) -> bytes:
        if command[0] != b"XREAD":
            return b"+OK\r\n"
        asked.append(command[-1])
        first = int(command[-1].removesuffix(b"-0")) + 1
        if first > ALL:
            return b"*-1\r\n"
        entries = [b"*2\r\n+%d-0\r\n*2\r\n+n\r\n+v\r\n" % number for number in range(first, ALL + 1)]
        if len(asked) == 1:
            entries[at - 1] = strange
        return b"*1\r\n*2\r\n+a\r\n*%d\r\n%b" % (len(entries), b"".join(entries))

    given: list[bytes] = []
    with ScriptedServer(answer) as server:
        async with connect(server, retry_policy=RetryPolicy(retries=0)) as client:
            consumer = reading(client)
            with pytest.raises(ProtocolError):
                while True:
                    _, entry = await consumer.get_entry()
                    given.append(entry.identifier)
            assert numbered(1, at - PIECE) == given
            assert {"a": given[-1] if given else b"0-0"} == consumer.positions
            given += await identifiers(consumer)

    assert numbered(1, ALL) == given
