"""
Real sentinels replace a primary that was killed, stopped for a while, or is healthy; nobody is to notice much.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis import RetryPolicy
from coredis._core import sentinel
from coredis.exceptions import RedisError
from tests._async.waiting import until
from tests.support.aio import Redis, Sentinel, ending, sleep, spawn
from tests.support.resp import ErrorReply
from tests.support.sentinels import SERVICE, Trio
from tests.support.servers import Server

#: Milliseconds a consumer may wait; far more than a failover takes.
PATIENCE = 30_000
END = "end"
#: What is added to a primary that was replaced, and that nobody is to get.
GHOST = "ghost"


def primary_of(trio: Trio, **options: Any) -> Redis[str]:
    """
    Make a client that follows the primary, and is patient.
    """
    options = {"stream_timeout": 20.0, "retry_policy": RetryPolicy(retries=100, max_delay=0.2), **options}
    made: Sentinel[str] = Sentinel(trio.addresses, decode_responses=True, service=SERVICE, **options)
    return made.primary_for()


class Producer:
    """
    Adds numbers to a stream until it is told to stop; those that certainly or perhaps were added may be there.
    """

    def __init__(self, client: Redis[str]) -> None:
        self._client = client
        self.stopping = False
        self.refused: list[RedisError] = []

    async def run(self) -> None:
        number = 0
        while not self.stopping:
            try:
                await self._client.xadd("numbers", {"number": number})
            except RedisError as error:
                self.refused.append(error)
            number += 1
            await sleep(0.01)


async def read_alone(client: Redis[str]) -> list[str]:
    """
    Read the stream from its beginning to the end mark.
    """
    numbers: list[str] = []
    consumer = client.xconsumer(["numbers"], timeout=PATIENCE, buffer_size=10, numbers={"identifier": "0-0"})
    async with consumer:
        while END not in numbers:
            _, entry = await consumer.get_entry()
            assert entry is not None
            numbers.append(entry.field_values["number"])
    return numbers


async def read_in_group(client: Redis[str]) -> list[str]:
    """
    The same as a member of a group that acknowledges.
    """
    numbers: list[str] = []
    consumer = client.xconsumer(["numbers"], group="g", consumer="one", timeout=PATIENCE, buffer_size=10)
    async with consumer:
        while END not in numbers:
            stream, entry = await consumer.get_entry()
            assert stream is not None and entry is not None
            numbers.append(entry.field_values["number"])
            await client.xack(stream, "g", [entry.identifier])
    return numbers


def numbers_at(server: Server) -> list[str]:
    """
    List what a server has, asked directly.
    """
    reply = server.command("XRANGE", "numbers", "-", "+")
    assert isinstance(reply, list)
    return [entry[1][1].decode() for entry in reply]  # type: ignore[index, union-attr]


def last_commands(server: Server) -> set[str]:
    """
    Tell what the clients of a server have asked last: each one's last command.
    """
    listed = server.command("CLIENT", "LIST")
    assert isinstance(listed, bytes)
    return {word.removeprefix("cmd=") for word in listed.decode().split() if word.startswith("cmd=")}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The sentinels of a machine under load are late, and not silent: clients wait for their answers.
    """
    monkeypatch.setattr(sentinel, "CONFIRM_SECONDS", 10.0)


@pytest.mark.parametrize("how", ["killed", "stopped and resumed", "ordered"])
async def test_consumers_survive_a_failover(trio: Trio, how: str) -> None:
    """
    Consumers give everything that the new primary has, with no error; a client that was idle meanwhile never writes to
    the old primary, even while that still believes to be one; and commands are refused at most while their outcome is unknown.
    """
    old = trio.primary
    async with (
        primary_of(trio) as writing,
        primary_of(trio) as alone,
        primary_of(trio) as in_group,
        primary_of(trio) as idle,
        ending(),
    ):
        await idle.set("before", "1")
        await writing.xgroup_create("numbers", "g", "0", mkstream=True)
        producer = Producer(writing)
        producing, reading, working = (
            spawn(producer.run),
            spawn(lambda: read_alone(alone)),
            spawn(lambda: read_in_group(in_group)),
        )
        await sleep(0.1)

        if how == "killed":
            old.kill()
        elif how == "ordered":
            trio.order_failover()
        else:
            old.pause()
        new = trio.wait_for_failover(old)
        if old.paused:
            # Nobody waits for an answer of the old one by now, so what it would still give out reaches nobody.
            await until(lambda: {"xread", "xreadgroup"} <= last_commands(new), trio.state)
            old.resume()
            try:
                old.command("XADD", "numbers", "*", "number", GHOST)
            except ErrorReply:
                pass  # it has been told already that it is a replica
        # It asks a second after its last answer; no failover is faster, but for one that was ordered at the right moment.
        await until(idle.due)
        await idle.set("late", "2")
        late = new.command("GET", "late")
        producer.stopping = True
        await producing.join()
        # Not by a client: until the old primary is told to step down, which takes the sentinels a second or so, it takes what
        # a client that has not asked again yet adds there, and loses it.
        new.command("XADD", "numbers", "*", "number", END)

        there = numbers_at(new)
        read, worked = await reading.join(), await working.join()

        assert b"2" == late
        assert GHOST not in (*read, *worked)
        assert [] == [number for number in there if number not in read]
        assert [] == [number for number in there if number not in worked]
        assert all(getattr(error, "may_have_run", False) for error in producer.refused), producer.refused


async def test_replicas_are_read(trio: Trio) -> None:
    """
    A client of the replicas connects to one, and sees what is written to the primary.
    """
    made: Sentinel[str] = Sentinel(trio.addresses, decode_responses=True)
    async with made.primary_for(SERVICE) as primary, made.replica_for(SERVICE) as replica, made:
        await primary.set("key", "value")
        await primary.execute_command("WAIT", 2, 5000)

        assert "value" == await replica.get("key")
        assert trio.primary.address == await made.discover_primary(SERVICE)
        assert sorted(server.address for server in trio.replicas) == sorted(await made.discover_replicas(SERVICE))


@pytest.mark.parametrize("blocked", [False, True], ids=["READONLY", "UNBLOCKED"])
async def test_a_demotion_is_seen_by_its_refusal(trio: Trio, blocked: bool) -> None:
    """
    A command that a demoted primary refuses is executed when there is a primary again, once, even one that is not idempotent.
    """
    primary = trio.primary
    (other, _) = trio.replicas
    async with primary_of(trio) as client, ending():
        await client.incr("counter")
        await client.execute_command("WAIT", 2, 5000)
        waiting = spawn(lambda: client.blpop(["list"], timeout=20)) if blocked else None
        if blocked:
            await until(lambda: "blpop" in last_commands(primary), trio.state)

        primary.command("REPLICAOF", other.host, other.port)
        demoted = spawn(lambda: client.incr("counter"))
        await sleep(0.05)
        primary.command("REPLICAOF", "NO", "ONE")

        assert 2 == await demoted.join()
        if waiting is not None:
            await client.rpush("list", ["x"])
            assert ["list", "x"] == list(await waiting.join() or ())
