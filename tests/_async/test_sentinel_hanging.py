"""
A command on its way to a primary that hangs: it leaves once the sentinels name another, and only then.

Sentinels and servers are played here; ``test_sentinel_failovers`` has real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from coredis._async import pool
from coredis._async.sentinel_sources import PrimarySource
from coredis._core import sentinel
from coredis.exceptions import ConnectionError, ConnectionLostError, RequestTimeoutError
from tests._async.waiting import until
from tests.support.aio import Redis, Sentinel, gather, sleep, spawn
from tests.support.fake_sentinels import Node, Story
from tests.support.scripted import Late, ScriptedServer, Silence, Step

#: Seconds, far more than any of these tests takes.
LONG = 30.0
ONE = b":1\r\n"


class Slow(Node):
    """
    A server that does something else with what it is sent, once ``does`` says so.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.does: Step | None = None

    def __call__(self, command: list[bytes]) -> Step:
        if self.does is not None and command[0] != b"ROLE":
            return self.does
        return ONE if command[0] == b"INCR" else super().__call__(command)


class Cast:
    """
    A primary that may be slow, one that may replace it, and a sentinel.
    """

    def __init__(self, running: ExitStack) -> None:
        self.slow = Slow("old")
        self.old = running.enter_context(ScriptedServer(self.slow))
        self.new = running.enter_context(ScriptedServer(Slow("new")))
        self.story = Story(self.old)
        self.sentinel = running.enter_context(ScriptedServer(self.story))

    def client(self, seconds: float = LONG) -> Redis[str]:
        """
        Make a client whose commands may take so long.
        """
        made: Sentinel[str] = Sentinel([self.sentinel.address], decode_responses=True, stream_timeout=seconds)
        return made.primary_for("store")

    def replace(self) -> None:
        """
        Have the sentinel name the other primary.
        """
        self.story.primary, self.story.epoch = self.new, 2

    async def received(self, number: int) -> None:
        """
        Wait until the old primary has been sent so many commands that it is silent about.
        """
        await until(lambda: number <= sum(command[0] != b"ROLE" for command in self.old.commands))


@pytest.fixture
def cast(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    """
    Servers for one test; clients lose their patience and ask again soon.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.05)
    monkeypatch.setattr(pool, "SLOW_SECONDS", 0.05)
    with ExitStack() as running:
        yield Cast(running)


async def test_what_does_no_harm_is_sent_to_the_new_primary(cast: Cast) -> None:
    """
    Long before its time is up, and nobody goes on waiting for the old one.
    """
    cast.slow.does = Silence()
    async with cast.client() as client:
        asking = spawn(lambda: client.get("name"))
        await cast.received(1)
        cast.replace()

        assert "new" == await asking.join()
        assert 0 == cast.old.live


async def test_what_might_be_done_twice_is_not(cast: Cast) -> None:
    """
    The caller learns that its outcome is unknown.
    """
    cast.slow.does = Silence()
    async with cast.client() as client:
        counting = spawn(lambda: client.incr("counter"))
        await cast.received(1)
        cast.replace()

        with pytest.raises(ConnectionLostError) as raised:
            await counting.join()
        assert raised.value.may_have_run
        assert [] == cast.new.commands


async def test_all_who_wait_leave(cast: Cast) -> None:
    """
    Whether they share a connection or have one each.
    """
    cast.slow.does = Silence()
    async with cast.client() as client:
        asking = spawn(lambda: gather(*[lambda: client.get("name") for _ in range(5)]))
        await cast.received(5)
        cast.replace()

        assert ["new"] * 5 == await asking.join()


@pytest.mark.parametrize("silent", [False, True], ids=["sentinels say so", "sentinels are silent"])
async def test_a_primary_that_is_still_the_one_is_waited_for(cast: Cast, silent: bool) -> None:
    """
    Until the time of the command is up, on the same connection.
    """
    cast.slow.does = Silence()
    async with cast.client(0.3) as client:
        asking = spawn(lambda: client.get("name"))
        await cast.received(1)
        cast.story.silent = silent

        with pytest.raises(RequestTimeoutError):
            await asking.join()
        assert 1 == cast.old.accepted


async def test_an_answer_that_comes_late_is_given(cast: Cast) -> None:
    """
    Asking the sentinels meanwhile loses nothing.
    """
    cast.slow.does = Late(0.3, b"$5\r\nafter\r\n")
    async with cast.client() as client:
        asked = spawn(lambda: client.get("name"))
        await cast.received(1)
        before = cast.story.questions

        assert "after" == await asked.join()
        assert cast.story.questions > before


async def test_who_gives_up_leaves_the_others_waiting(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The connection that they share is closed by the last of them, also while that one is asking the sentinels.
    """
    monkeypatch.setattr(sentinel, "CONFIRM_SECONDS", 1.0)
    cast.slow.does = Late(1.1, b"$5\r\nfirst\r\n")
    async with cast.client(1.0) as client:
        monkeypatch.setattr(pool, "SLOW_SECONDS", LONG)
        first = spawn(lambda: client.get("name"))
        await cast.received(1)
        await sleep(0.8)
        monkeypatch.setattr(pool, "SLOW_SECONDS", 0.05)
        cast.slow.does = Late(0.4, b"$6\r\nsecond\r\n")
        second = spawn(lambda: client.get("name"))
        await cast.received(2)
        cast.story.silent = True

        with pytest.raises(RequestTimeoutError):
            await first.join()
        assert "second" == await second.join()


async def test_what_is_answered_soon_asks_nobody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Not even when it is time to ask before the next command: a healthy server is about to answer.
    """
    monkeypatch.setattr(pool, "SLOW_SECONDS", LONG)
    cast.slow.does = Late(0.2, b"$5\r\nafter\r\n")
    async with cast.client() as client:
        assert "after" == await client.get("name")
        assert 1 == cast.story.questions


async def test_a_blocking_command_stays(cast: Cast) -> None:
    """
    It takes its time at a healthy server, too, and one that steps down refuses it, so it can be sent again.
    """
    cast.slow.does = Late(0.3, b"*2\r\n$4\r\nlist\r\n$1\r\nx\r\n")
    async with cast.client() as client:
        popping = spawn(lambda: client.blpop(["list"], timeout=LONG))
        await cast.received(1)
        cast.replace()

        assert ["list", "x"] == list(await popping.join() or ())


async def test_closing_the_client_ends_it(cast: Cast) -> None:
    """
    Whatever it is doing; and it may have run.
    """
    cast.slow.does = Silence()
    client = cast.client()
    counting = spawn(lambda: client.incr("counter"))
    await cast.received(1)
    cast.story.silent = True
    await sleep(0.1)

    await client.close()

    with pytest.raises(ConnectionError) as raised:
        await counting.join()
    assert raised.value.may_have_run
