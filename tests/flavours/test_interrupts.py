"""
A blocking client whose thread is interrupted, as by Ctrl-C.
"""

from __future__ import annotations

import gc
import random
import signal
from collections.abc import Callable
from types import FrameType

import pytest

from coredis import RetryPolicy
from coredis._runtime.blocking import Channel, Event
from coredis.sync import Redis
from tests.support.blocking import gather
from tests.support.resources import snapshot
from tests.support.scripted import Reset, ScriptedServer
from tests.support.servers import Server
from tests.support.strikes import strike


class Struck(KeyboardInterrupt):
    """
    What the handler of this test raises.
    """


def check_slots(client: Redis[bytes]) -> None:
    """
    Use both connections of a client at the same time; one that was never given back would be missed.
    """
    assert [None, None] == gather(*2 * [lambda: client.blpop(["none"], timeout=0.02)])


def test_random_interruptions_mix_up_nothing(server: Server) -> None:
    """
    A handler raises after a random number of microseconds, hundreds of times: no caller gets another's reply, and every
    connection is given back or replaced.
    """
    armed = False
    strikes = number = 0
    chance = random.Random(5)

    def raise_struck(_: int, frame: FrameType | None) -> None:
        if armed:
            raise Struck

    before = signal.signal(signal.SIGALRM, raise_struck)
    try:
        with Redis(host=server.host, port=server.port, max_connections=2, pool_timeout=0.5) as client:
            while strikes < 300:
                client.ping()  # connects in peace: a socket that is struck while it is made is closed by its finalizer alone
                number += 1
                reply = None
                try:
                    armed = True
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 4e-4))
                    reply = client.echo(f"{number}")
                    armed = False
                except Struck:
                    armed = False
                    strikes += 1
                assert reply in (None, b"%d" % number)
            signal.setitimer(signal.ITIMER_REAL, 0)
            check_slots(client)
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _command(client: Redis[bytes]) -> object:
    return client.echo("struck")


def _connect(client: Redis[bytes]) -> object:
    client.close()
    return client.echo("struck")


def _pipeline(client: Redis[bytes]) -> object:
    with client.pipeline(transaction=False) as pipe:
        pipe.echo("struck")
    return pipe.results


def _transaction(client: Redis[bytes]) -> object:
    with client.pipeline(transaction=True) as pipe:
        pipe.echo("struck")
    return pipe.results


def _first_transaction(client: Redis[bytes]) -> object:
    client._pool._state.idle[-1].transactions = False
    return _transaction(client)


def _watching(client: Redis[bytes]) -> object:
    with client.pipeline() as pipe, pipe.watch("struck"):
        pipe.echo("struck")
    return pipe.results


def test_no_moment_forgets_who_waits(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Interrupted at each point, one after the other, while another thread waits for the only connection: it is woken.
    """
    ask = Channel.ask

    def ask_while_another_waits(channel: Channel, payload: bytes, expected: int, deadline: float) -> object:
        reply = ask(channel, payload, expected, deadline)
        if b"struck" in payload:
            client._pool._state.line_up(waiter, object(), None)
        return reply

    monkeypatch.setattr(Channel, "ask", ask_while_another_waits)
    struck, point, waits = True, 0, 0
    with Redis(host=server.host, port=server.port, max_connections=1) as client:
        client.ping()
        while struck:
            waiter = Event()
            struck = strike(point, lambda: client.echo("struck"))
            waits += waiter.is_set()
            assert not client._pool._state.waiting
            assert b"%d" % point == client.echo(f"{point}")
            point += 1

    assert 1 < waits < point


# A socket that is struck before anybody owns it is closed by its finalizer, which says so.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("use", [_command, _connect, _pipeline, _transaction, _first_transaction, _watching])
def test_no_moment_leaks_a_connection(server: Server, use: Callable[[Redis[bytes]], object]) -> None:
    """
    Interrupted at each point, one after the other: the only connection there may be is free again each time, and sound.
    """
    struck, point = True, 0
    enabled = gc.isenabled()
    gc.disable()  # or it would hide what is held by nobody and closed by nobody

    try:
        with Redis(host=server.host, port=server.port, max_connections=1, pool_timeout=0.2) as client:
            client.ping()
            before = snapshot()
            while struck:
                struck = strike(point, lambda: use(client))
                assert b"%d" % point == client.echo(f"{point}")
                assert len(snapshot().sockets) <= len(before.sockets)
                point += 1
    finally:
        if enabled:
            gc.enable()

    assert point > 20


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_no_moment_of_a_second_attempt_is_unsafe() -> None:
    """
    The same for an entry that is sent again and then looked for, because each connection breaks after the first attempt.
    """
    added: set[bytes] = set()

    def answer(command: list[bytes]) -> bytes | Reset:
        if command[0] == b"ECHO":
            return b"$%d\r\n%b\r\n" % (len(command[1]), command[1])
        if command[0] == b"XRANGE":
            return b"*1\r\n*2\r\n+%b\r\n*2\r\n+f\r\n+v\r\n" % command[2]
        if command[2] in added:
            return b"-ERR equal or smaller\r\n"
        added.add(command[2])
        return Reset()

    struck, point, policy = True, 0, RetryPolicy(base_delay=0.0)
    with (
        ScriptedServer(answer) as server,
        Redis(host=server.host, port=server.port, max_connections=1, pool_timeout=0.2, retry_policy=policy) as client,
    ):
        while struck:
            identifier = f"{point + 1}-1"
            struck = strike(point, lambda: client.xadd("s", {"f": "v"}, identifier=identifier))  # noqa: B023
            assert b"%d" % point == client.echo(f"{point}")
            point += 1

    assert point > 100
