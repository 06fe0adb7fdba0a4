"""
The server in memory answers as the real ones do, byte for byte: what is proved with it holds for them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

import pytest

from coredis._core.capabilities import documented_tokens
from tests.support.memory.differences import Twins
from tests.support.memory.personality import PERSONALITIES
from tests.support.memory.sequences import Sequence, Words
from tests.support.memory.server import MemoryServer
from tests.support.resp import Framer, RawClient, decode, encode_command
from tests.support.servers import Server

COMMANDS = 300
READ_GROUP = (b"XREADGROUP", b"GROUP", b"g", b"a", b"BLOCK", b"0", b"STREAMS", b"s", b">")
READ = (b"XREAD", b"BLOCK", b"0", b"STREAMS", b"s", b"$")


@pytest.fixture
def twins(server: Server, protocol: int) -> Iterator[Twins]:
    twins = Twins(server, protocol, connections=3)
    yield twins
    twins.close()


@pytest.mark.parametrize("seed", range(6))
def test_random_commands_get_the_same_replies(twins: Twins, seed: int) -> None:
    """
    The same random commands get the same replies from both servers, also those that wait.
    """
    sequence = Sequence(seed, twins.memory.personality)
    random = Random(seed)
    waiting: dict[int, Words] = {}
    for _ in range(COMMANDS):
        if random.random() < 0.1:
            connection = random.choice((1, 2))
            if connection not in waiting:
                words = sequence.waiting()
                if twins.start(*words, connection=connection):
                    waiting[connection] = words
        twins.run(*sequence.next())
        for connection, words in list(waiting.items()):
            if twins.settle(*words, connection=connection):
                del waiting[connection]
    twins.run(b"DISCARD")
    for connection, words in waiting.items():
        twins.unblock(connection)

        assert twins.settle(*words, connection=connection)


@pytest.mark.parametrize("read", [READ_GROUP, READ], ids=["XREADGROUP", "XREAD"])
@pytest.mark.parametrize(
    "event",
    [
        (b"DEL", b"s"),
        (b"SET", b"s", b"text"),
        (b"XGROUP", b"DESTROY", b"s", b"g"),
        (b"XGROUP", b"DELCONSUMER", b"s", b"g", b"a"),
        (b"XGROUP", b"SETID", b"s", b"g", b"0"),
        (b"FLUSHALL",),
        (b"UNBLOCK",),
        (b"UNBLOCK", b"ERROR"),
    ],
    ids=lambda event: b"-".join(event).decode(),
)
def test_what_ends_a_blocked_read(twins: Twins, read: Words, event: Words) -> None:
    """
    Whatever happens to a stream or group that somebody waits for, both are told the same, or go on waiting.
    """
    twins.run(b"XGROUP", b"CREATE", b"s", b"g", b"$", b"MKSTREAM")
    twins.run(b"XADD", b"s", b"1-1", b"n", b"1")
    twins.run(b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", b"s", b">")
    twins.start(*read, connection=1)

    if event[0] == b"UNBLOCK":
        twins.unblock(1, *event[1:])
    else:
        twins.run(*event)

    if not twins.settle(*read, connection=1):
        twins.run(b"DEL", b"s")
        twins.run(b"XADD", b"s", b"2-1", b"n", b"2")
        assert twins.settle(*read, connection=1)


def test_those_who_wait_are_served_in_order(twins: Twins) -> None:
    """
    An entry goes to the member of a group that has waited longest, and to everybody who reads without a group.
    """
    twins.run(b"XGROUP", b"CREATE", b"s", b"g", b"$", b"MKSTREAM")
    twins.start(*READ_GROUP, connection=2)
    twins.start(*READ_GROUP, connection=1)

    twins.run(b"XADD", b"s", b"1-1", b"n", b"1")

    assert twins.settle(*READ_GROUP, connection=2)
    assert not twins.settle(*READ_GROUP, connection=1)
    twins.run(b"XADD", b"s", b"2-1", b"n", b"2")
    assert twins.settle(*READ_GROUP, connection=1)


def test_waiting_ends_when_the_time_is_up(twins: Twins) -> None:
    """
    A read that has waited for as long as it said gets nothing.
    """
    words = (b"XREAD", b"BLOCK", b"1", b"STREAMS", b"s", b"$")
    assert twins.start(*words, connection=1)

    twins.memory.advance(int(time.time() * 1000) + 1000)

    assert twins.settle(*words, connection=1)


def test_pending_entries_become_claimable_while_somebody_waits(twins: Twins) -> None:
    """
    A read with CLAIM that waits gets what has been pending for long enough by then.
    """
    if not twins.memory.personality.claim:
        pytest.skip("this server has no XREADGROUP CLAIM")
    twins.run(b"XADD", b"s", b"1-1", b"n", b"1")
    twins.run(b"XGROUP", b"CREATE", b"s", b"g", b"0")
    twins.run(b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", b"s", b">")
    words = (*READ_GROUP[:4], b"BLOCK", b"0", b"CLAIM", b"100", *READ_GROUP[6:])
    assert twins.start(*words, connection=1)

    twins.memory.advance(int(time.time() * 1000) + 1000)

    assert twins.settle(*words, connection=1)


def test_support_is_told_as_the_real_server_tells_it(server: Server) -> None:
    """
    By COMMAND DOCS the server in memory has the same of the options that not every server has.
    """
    commands = (b"XADD", b"XREADGROUP", b"XACKDEL", b"XDELEX", b"XCLAIM", b"XNOTHING")
    optional = {"CLAIM", "IDMP", "IDMPAUTO", "KEEPREF", "DELREF", "ACKED"}
    connection = MemoryServer(PERSONALITIES[server.identifier]).connect()
    with RawClient(server.address) as client:
        for command in commands:
            connection.receive(encode_command("COMMAND", "DOCS", command))
            (frame,) = Framer().feed(connection.take())
            real = documented_tokens(client.command("COMMAND", "DOCS", command), command.decode())
            copied = documented_tokens(decode(frame), command.decode())

            assert (real is None) == (copied is None)
            if real is not None and copied is not None and command in (b"XADD", b"XREADGROUP"):
                assert real & optional == copied & optional
