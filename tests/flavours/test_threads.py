"""
Many threads share a blocking client and its few connections.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from coredis import Redis as AsyncRedis
from coredis._core.consumer.buffer import Buffer
from coredis._core.consumer.pieces import Pieces
from coredis._runtime import blocking
from coredis._runtime.blocking import Event, clock
from coredis._sync.connection import Connection
from coredis.exceptions import ConcurrentUseError, ConnectionError
from coredis.sync import Redis
from tests.support.blocking import gather, spawn
from tests.support.servers import Server


def connect(server: Server, **options: Any) -> Redis[bytes]:
    """
    Make a client, not yet connected.
    """
    return Redis(host=server.host, port=server.port, **options)


@pytest.mark.parametrize("atomic", [True, False], ids=["with the lock of Python", "without"])
def test_threads_get_their_own_replies(server: Server, monkeypatch: pytest.MonkeyPatch, atomic: bool) -> None:
    """
    Eight threads, and never more than four connections, which are kept.
    """
    monkeypatch.setattr(blocking, "ATOMIC", atomic)
    names: set[int] = set()

    with connect(server, max_connections=4, client_name="shared") as client:

        def ask(name: int) -> int:
            wrong = 0
            for number in range(200):
                nonce = f"{name}:{number}"
                wrong += nonce.encode() != client.echo(nonce)
                if number % 50 == 0:
                    names.add(client.client_id())
            return wrong

        def look() -> int:
            most = 0
            while not finished.is_set():
                listed = server.command("CLIENT", "LIST")
                assert isinstance(listed, bytes)
                most = max(most, listed.count(b"name=shared "))
                time.sleep(0.005)
            return most

        finished = threading.Event()
        looking = spawn(look)
        try:
            assert 8 * [0] == gather(*(lambda name=name: ask(name) for name in range(8)))
        finally:
            finished.set()

        assert 2 <= looking.join() <= 4
        assert len(names) <= 4  # none has been replaced


@pytest.mark.parametrize("atomic", [True, False], ids=["with the lock of Python", "without"])
def test_threads_change_everywhere(server: Server, monkeypatch: pytest.MonkeyPatch, atomic: bool) -> None:
    """
    Between any two calls, while connections are few, become stale and are closed: no reply reaches another thread, none waits
    for what is free, and there are never more connections than there may be.
    """
    monkeypatch.setattr(blocking, "ATOMIC", atomic)
    usual = sys.getswitchinterval()
    most = 0

    with connect(server, max_connections=2, pool_timeout=20) as client:
        state = client._pool._state

        def ask(name: int) -> int:
            nonlocal most
            wrong = 0
            for number in range(400):
                nonce = f"{name}:{number}"
                try:
                    wrong += nonce.encode() != client.echo(nonce)
                except ConnectionError:
                    pass  # killed once too often
                most = max(most, state.size)
                if not name and number % 20 == 0:
                    server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                    client._pool.close_unused()
            return wrong

        sys.setswitchinterval(1e-6)
        try:
            assert 6 * [0] == gather(*(lambda name=name: ask(name) for name in range(6)))
        finally:
            sys.setswitchinterval(usual)
        assert most <= 2
        assert (0, 0) == (len(state.leased), len(state.waiting))
        assert len(state.idle) == len(state.known) == state.size


def test_closing_wakes_a_blocked_thread(server: Server) -> None:
    """
    Closed by another thread, a command that would wait for ever fails at once, and is not tried again.
    """
    client = connect(server)
    popping = spawn(lambda: client.blpop(["queue"], timeout=0))
    while 1 != client.info("clients")["blocked_clients"]:
        time.sleep(0.005)

    begin = time.monotonic()
    client.close()
    with pytest.raises(ConnectionError):
        popping.join()

    assert time.monotonic() - begin < 0.5
    assert b"again" == client.echo("again")
    client.close()


async def test_an_event_loop_in_the_main_thread(server: Server) -> None:
    """
    A blocking client works beside a running loop, as in a notebook: in a thread of its own, and in that of the loop.
    """

    def use() -> bytes:
        with connect(server) as client:
            return client.echo("thread")

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    assert b"thread" == await asyncio.to_thread(use)
    assert ticks > 0
    ticking.cancel()
    with connect(server) as client:
        assert b"here" == client.echo("here")


async def test_an_event_loop_of_its_own_in_another_thread(server: Server) -> None:
    """
    An asynchronous client does not mind a loop in the main thread either.
    """

    async def use() -> bytes:
        async with AsyncRedis(host=server.host, port=server.port) as client:
            return await client.echo("loop")

    assert b"loop" == await asyncio.to_thread(lambda: asyncio.run(use()))
    assert b"loop" == await use()


def test_two_threads_share_a_loop(server: Server) -> None:
    """
    Whoever comes while the other one waits is refused, and pulls nothing from under it: the loop goes on.
    """
    with connect(server) as client, client.xconsumer(["s"], timeout=10_000) as consumer:
        for number in range(20):
            loop = iter(consumer)
            waiting = spawn(lambda loop=loop: next(loop)[1])
            while consumer._owner is None:
                time.sleep(0.0001)
            for _ in range(3):
                with pytest.raises(ValueError, match="already executing"):
                    next(loop)
            identifier = client.xadd("s", {"number": number})
            assert identifier == waiting.join().identifier
            identifier = client.xadd("s", {"number": number})
            assert identifier == next(loop)[1].identifier


def test_two_threads_read_from_one_consumer(server: Server) -> None:
    """
    However close together they come: one waits, and exactly one is refused.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with connect(server) as client, client.xconsumer(["s"], timeout=10_000) as consumer:
            for _ in range(40):
                together = threading.Barrier(2)

                def read(together: threading.Barrier = together) -> str:
                    together.wait()
                    try:
                        return str(consumer.get_entry()[0])
                    except ConcurrentUseError:
                        client.xadd("s", {"go": "on"})
                        return "refused"

                assert ["b's'", "refused"] == sorted(gather(read, read))
    finally:
        sys.setswitchinterval(usual)


@pytest.mark.parametrize("group", [{}, {"group": "g", "consumer": "c", "max_unacked": 1}], ids=["alone", "group"])
def test_streams_change_while_another_thread_reads(server: Server, group: dict[str, Any]) -> None:
    """
    Wherever the other one is just going through them.
    """
    usual = sys.getswitchinterval()
    with connect(server) as client:
        consumer = client.xconsumer([f"s{number}" for number in range(50)], timeout=1, **group)

        def read() -> int:
            calls = 0
            while not consumer.stopped:
                consumer.get_entry()
                calls += 1
            return calls

        sys.setswitchinterval(1e-6)
        try:
            reading = spawn(read)
            for _ in range(100):
                assert consumer.add_stream("t")
                assert 51 == len(consumer.streams)
                assert consumer.remove_stream("t")
            consumer.stop()
            assert reading.join()
        finally:
            sys.setswitchinterval(usual)
            consumer.close()


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("asked", ["before", "after"])
def test_positions_while_another_thread_reads(
    server: Server, monkeypatch: pytest.MonkeyPatch, prefetch: bool, asked: str
) -> None:
    """
    They are never beyond what the application got, whatever the other thread receives while they are put together.
    """
    with connect(server) as client:
        for number in range(1, 7):
            client.xadd("a", {"n": number}, identifier=f"{number}-0")
        consumer = client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=5 if prefetch else 2, prefetch=prefetch)
        with consumer:
            for _ in range(3):
                consumer.get_entry()
            ask = Buffer.standing

            def meanwhile(buffer: Buffer[bytes], *given: Any) -> Any:
                monkeypatch.undo()
                answer = ask(buffer, *given)
                ((_, entry),) = gather(consumer.get_entry)
                assert entry is not None
                assert b"4-0" == entry.identifier
                return answer if asked == "before" else ask(buffer, *given)

            monkeypatch.setattr(Buffer, "standing", meanwhile)
            assert consumer.positions["a"] in (b"3-0", b"4-0")
            assert {"a": b"4-0"} == consumer.positions


def test_positions_while_another_thread_makes_entries(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nor when the next read has been sent before that.
    """
    with connect(server) as client:
        for number in range(1, 7):
            client.xadd("a", {"n": number}, identifier=f"{number}-0")
        consumer = client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=5, prefetch=True)
        make, positions = Pieces.make, []

        def making(*arguments: Any) -> Any:
            positions.extend(gather(lambda: consumer.positions))
            return make(*arguments)

        monkeypatch.setattr(Pieces, "make", making)
        with consumer:
            assert [b"1-0", b"4-0"] == [consumer.get_entries()[0][1].identifier for _ in range(2)]

    assert [{"a": b"0-0"}, {"a": b"3-0"}] == positions


def test_an_interrupted_thread_does_not_close_what_another_has_by_now(server: Server) -> None:
    """
    It was given back already, and whoever waited for it uses it.
    """
    with connect(server, max_connections=1) as client:
        client.ping()
        pool = client._pool
        mine, other = object(), object()
        taken: list[Connection] = []

        def strike(all_of_them: bool = False) -> None:
            # Another thread is faster than what is left of ``release`` here.
            if not taken:
                connection = pool._state.request(other, True, waited=True)
                assert isinstance(connection, Connection)
                taken.append(connection)
                raise KeyboardInterrupt

        pool._state.line_up(Event(), mine, None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pool, "_wake", strike)
            with pytest.raises(KeyboardInterrupt):
                client.ping()

        assert not taken[0].channel.closed
        assert taken == list(pool._state.leased.values())
        pool._state.surrender(mine)
        pool.release(taken[0])


@pytest.mark.parametrize("options", [{}, {"claim_idle": 60_000}], ids=["plain", "leases"])
@pytest.mark.parametrize("closing", [False, True], ids=["drained", "handed back"])
def test_what_is_withdrawn_is_not_served(server: Server, options: dict[str, Any], closing: bool) -> None:
    """
    Not by a thread that is reading meanwhile, either: whoever has what was drained, or takes over what was handed back, would
    process it, too.
    """
    interval = sys.getswitchinterval()
    with connect(server) as client:
        for _ in range(12):
            client.delete(["a"])
            client.xadd_many("a", [{"number": number} for number in range(300)])
            consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=300, timeout=3000, **options)
            served: list[bytes] = []

            def read(consumer: Any = consumer, served: list[bytes] = served) -> None:
                served.extend(entry.identifier for _, entry in consumer)

            sys.setswitchinterval(1e-5)
            try:
                reading = spawn(read)
                while len(served) < 20:
                    time.sleep(0)
                if closing:
                    consumer.close(release=True)
                else:
                    withdrawn = [entry.identifier for _, entry in consumer.drain()]
                    consumer.stop()
                reading.join()
            finally:
                sys.setswitchinterval(interval)
            if closing:  # what is given back counts as never delivered
                withdrawn = [
                    entry.identifier for entry in client.xpending("a", "g", "-", "+", 300) if not entry.delivered
                ]
            consumer.close()

            assert not set(served) & set(withdrawn)
            assert closing or 300 == len(served) + len(withdrawn)


def between_steps(name: str, number: int, do: Callable[[], object]) -> Callable[..., None]:
    """
    Do something after that call within a function, for ``sys.setprofile``: other threads and signal handlers may run there.
    """
    left = number

    def look(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        caller = frame if event == "c_return" else frame.f_back if event == "return" else None
        if caller is not None and caller.f_code.co_name == name:
            left -= 1
            if not left:
                sys.setprofile(None)
                do()

    return look


@pytest.mark.parametrize("number", range(1, 9))
def test_what_comes_while_it_is_drained_is_not_lost(server: Server, number: int) -> None:
    """
    A thread that waits for entries gets some in the midst of it, and serves one of them.
    """
    with connect(server) as client:
        client.xadd("a", {"n": 0}, identifier="1-0")
        consumer = client.xconsumer(["a"], buffer_size=9, timeout=200, a={"identifier": "0-0"})
        served = [consumer.get_entry()]
        reading = spawn(lambda: served.append(consumer.get_entry()))

        def come() -> None:
            with client.pipeline() as together:
                together.xadd("a", {"n": 1}, identifier="2-0")
                together.xadd("a", {"n": 1}, identifier="3-0")
            reading.join()

        while consumer._owner is None:
            time.sleep(0.001)
        sys.setprofile(between_steps("drain", number, come))
        try:
            drained = consumer.drain()
        finally:
            sys.setprofile(None)
        reading.join()
        found = [*served, *drained, *consumer]
        consumer.close()

        came = client.xlen("a")
        assert [b"%d-0" % (each + 1) for each in range(came)] == [entry.identifier for _, entry in found if entry]


@pytest.mark.parametrize("number", range(1, 13))
def test_draining_ends_no_wait(server: Server, number: int) -> None:
    """
    What was received is drained before it is served, by a signal handler or another thread. Another entry comes in time.
    """
    with connect(server) as client:
        client.xadd("a", {"n": 0}, identifier="1-0")
        consumer = client.xconsumer(["a"], timeout=10_000, a={"identifier": "0-0"})
        consumer.get_entry()
        client.xadd("a", {"n": 1}, identifier="2-0")

        def drain() -> None:
            drained.extend(consumer.drain())
            client.xadd("a", {"n": 2}, identifier="3-0")

        drained: list[Any] = []
        sys.setprofile(between_steps("_read_on", number, drain))
        try:
            served = consumer.get_entry()
        finally:
            sys.setprofile(None)
        consumer.close()

        given = [entry.identifier for _, entry in [*drained, served] if entry is not None]
        assert given in ([b"2-0"], [b"2-0", b"3-0"])
        assert served != (None, None)


@pytest.mark.parametrize("most", [None, 2])
@pytest.mark.parametrize("number", range(1, 9))
def test_what_is_drained_is_not_given_as_well(server: Server, most: int | None, number: int) -> None:
    """
    By a signal handler, or another thread, while several entries are asked for.
    """
    with connect(server) as client:
        client.xadd_many("a", [{"n": number} for number in range(5)])
        consumer = client.xconsumer(["a"], buffer_size=9, a={"identifier": "0-0"})
        served = [consumer.get_entry()]
        drained: list[Any] = []
        sys.setprofile(between_steps("get_entries", number, lambda: drained.extend(consumer.drain())))
        try:
            served += consumer.get_entries(most)
        finally:
            sys.setprofile(None)
        found = [*served, *drained, *consumer]
        consumer.close()

        assert [entry.identifier for entry in client.xrange("a")] == sorted(entry.identifier for _, entry in found)


@pytest.mark.parametrize("options", [{}, {"claim_idle": 60_000}], ids=["plain", "leases"])
@pytest.mark.parametrize("number", range(1, 13))
def test_what_is_handed_back_is_not_served(server: Server, options: dict[str, Any], number: int) -> None:
    """
    By a thread that is just about to do that, and does it in the midst of handing back.
    """
    with connect(server) as client:
        client.xadd_many("a", [{"n": number} for number in range(5)])
        consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=4, **options)
        about, going = threading.Event(), threading.Event()
        served: list[bytes] = []

        def pause() -> None:
            about.set()
            going.wait(5)

        def read() -> None:
            sys.setprofile(between_steps("get_entry", 1, pause))
            _, entry = consumer.get_entry()
            served.extend([] if entry is None else [entry.identifier])

        def go() -> None:
            going.set()
            time.sleep(0.02)

        reading = spawn(read)
        about.wait(5)
        sys.setprofile(between_steps("_release", number, go))
        try:
            consumer.close(release=True)
        finally:
            sys.setprofile(None)
            going.set()
        reading.join()
        handed_back = [entry.identifier for entry in client.xpending("a", "g", "-", "+", 9) if not entry.delivered]

        assert [entry.identifier for entry in client.xrange("a")] == sorted([*served, *handed_back])


def test_whether_leases_hold_is_asked_of_what_is_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A signal handler that drains the consumer just when the clock is asked whether the next entry may be served: it may not.
    """
    with connect(server) as client:
        client.xadd_many("a", [{"number": number} for number in range(4)])
        consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=9, claim_idle=60_000)
        consumer.get_entry()
        now, drained = clock.now, []

        def late() -> float:
            if not drained:
                drained.extend(consumer.drain())
            return now()

        monkeypatch.setattr(blocking, "now", late)

        assert (None, None) == consumer.get_entry()
        assert 3 == len(drained)
        consumer.close()
