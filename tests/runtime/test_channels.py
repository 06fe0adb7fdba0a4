"""
What both halves promise of a channel, run with each: requests out, replies back to whom they belong.
"""

from __future__ import annotations

import socket

import pytest

from coredis._core.parser import ErrorLine
from coredis._core.session import OversizedReplyError
from coredis._runtime import sockets
from coredis.exceptions import ConnectionError, ConnectionLostError, ProtocolError, RequestTimeoutError
from tests.runtime.halves import Half, do, soon, until, words
from tests.support.proxy import FaultProxy
from tests.support.scripted import Close, Late, Reset, ScriptedServer, Silence, Step

PING = words("PING")
PUSH = b">2\r\n+invalidate\r\n*1\r\n+k\r\n"


async def test_a_request_gets_its_reply(half: Half, echoing: ScriptedServer) -> None:
    """
    A list with one reply for each command.
    """
    channel = await half.connect(echoing)

    assert [b"x"] == await do(channel.start(words("ECHO", "x"), 1, soon()).result(soon()))
    assert [b"y", b"z"] == await do(channel.start(words("ECHO", "y") + words("ECHO", "z"), 2).result(soon()))
    assert [[b"ECHO", b"x"], [b"ECHO", b"y"], [b"ECHO", b"z"]] == echoing.commands


async def test_many_requests_are_outstanding_at_once(half: Half, echoing: ScriptedServer) -> None:
    """
    They are answered in order, in whichever order their results are asked for.
    """
    channel = await half.connect(echoing)

    started = [channel.start(words("ECHO", number), 1) for number in range(200)]
    backwards = [await do(request.result(soon())) for request in reversed(started)]

    assert [[b"%d" % number] for number in reversed(range(200))] == backwards
    assert 0 == channel.pending


async def test_a_question_gets_the_reply_to_its_last_command(half: Half, echoing: ScriptedServer) -> None:
    """
    Not a list: what comes before only introduces it.
    """
    channel = await half.connect(echoing)

    assert b"x" == await do(channel.ask(words("ECHO", "x"), 1, soon()))
    assert b"z" == await do(channel.ask(words("ECHO", "y") + words("ECHO", "z"), 2, soon()))
    assert 0 == channel.pending


async def test_a_question_ends_with_its_connection(half: Half) -> None:
    """
    It may have been heard.
    """
    with ScriptedServer([Close()]) as server:
        channel = await half.connect(server)

        with pytest.raises(ConnectionLostError) as caught:
            await do(channel.ask(PING, 1, soon()))

        assert caught.value.may_have_run


async def test_a_question_ends_at_its_deadline(half: Half) -> None:
    """
    It stays outstanding, so that its reply reaches nobody else.
    """
    with ScriptedServer([Silence()]) as server:
        channel = await half.connect(server)

        with pytest.raises(RequestTimeoutError) as caught:
            await do(channel.ask(PING, 1, soon(0.01)))

        assert (True, 1) == (caught.value.may_have_run, channel.pending)


@pytest.mark.parametrize(
    "reply",
    [
        b"$1\r\nx\r\n",
        Late(0.03, b"$1\r\nx\r\n"),
        PUSH + b"$1\r\nx\r\n",
        b"$1\r\nx\r\n" + PUSH,
    ],
    ids=["at once", "late", "after a push", "before a push"],
)
async def test_the_answer_to_a_question_comes_as_it_likes(half: Half, reply: Step) -> None:
    """
    Whatever is received with it or before it. Nor does it matter whether the network takes the question at once.
    """
    with ScriptedServer(lambda command: reply) as server:
        channel = await half.connect(server)

        for size in (1, 1, 8_000_000):
            assert b"x" == await do(channel.ask(words("ECHO", "x" * size), 1, soon()))

        assert 0 == channel.pending


async def test_a_large_answer_and_a_small_one(half: Half, echoing: ScriptedServer) -> None:
    """
    One after the other, on the same connection.
    """
    channel = await half.connect(echoing)

    for size in (1, 300, 20_000, 300_000, 1, 3_000_000, 1, 1):
        assert b"x" * size == await do(channel.ask(words("ECHO", "x" * size), 1, soon()))


async def test_an_answer_that_another_follows_ends_the_connection(half: Half) -> None:
    """
    Nobody has asked for that one.
    """
    with ScriptedServer([b"+x\r\n+y\r\n"]) as server:
        channel = await half.connect(server)

        assert b"x" == await do(channel.ask(PING, 1, soon()))

        assert channel.closed


async def test_a_closed_channel_takes_no_question(half: Half, echoing: ScriptedServer) -> None:
    """
    Nothing was sent, and the error says so.
    """
    channel = await half.connect(echoing)
    channel.close()

    with pytest.raises(ConnectionLostError) as caught:
        await do(channel.ask(PING, 1, soon()))

    assert not caught.value.may_have_run


async def test_a_reply_may_be_measured(half: Half, echoing: ScriptedServer) -> None:
    """
    In bytes, from when that is asked for; one that is complete is never too large.
    """
    channel = await half.connect(echoing)
    await do(channel.start(words("ECHO", "before"), 1).result(soon()))
    channel.measure(1)

    assert [b"12345"] == await do(channel.start(words("ECHO", "12345"), 1).result(soon()))
    assert len(b"$5\r\n12345\r\n") == channel.size


async def test_a_reply_that_is_too_large_ends_the_connection(half: Half) -> None:
    """
    Before all of it has come.
    """
    with ScriptedServer([b"$1000\r\n" + b"x" * 100]) as server:
        channel = await half.connect(server)
        channel.measure(99)

        with pytest.raises(OversizedReplyError, match="99") as caught:
            await do(channel.start(PING, 1).result(soon()))

        assert caught.value.may_have_run
        assert channel.closed


async def test_pending_counts_requests_without_all_their_replies(half: Half) -> None:
    """
    Whether anybody waits for them or not.
    """
    with ScriptedServer([b":1\r\n", Silence(), b":3\r\n"]) as server:
        channel = await half.connect(server)
        assert 0 == channel.pending

        first, second, _ = (channel.start(PING, 1) for _ in range(3))
        assert 3 == channel.pending
        await do(first.result(soon()))
        await do(second.result(soon()))

        assert 1 == channel.pending


async def test_the_oldest_request_is_answered_next(half: Half, echoing: ScriptedServer) -> None:
    """
    Whoever was interrupted before the request was in hand finds it there.
    """
    channel = await half.connect(echoing)
    assert channel.oldest is None

    first, second = channel.start(words("ECHO", 1), 1), channel.start(words("ECHO", 2), 1)
    assert first is channel.oldest
    await do(second.result(soon()))

    assert channel.oldest is None


async def test_an_error_reply_is_a_reply(half: Half) -> None:
    """
    What it means is decided elsewhere.
    """
    with ScriptedServer([b"-ERR no\r\n", b":2\r\n"]) as server:
        channel = await half.connect(server)

        replies = await do(channel.start(PING + PING, 2).result(soon()))

        assert isinstance(replies[0], ErrorLine)
        assert ("ERR no", 2) == (str(replies[0]), replies[1])


async def test_a_wait_ends_at_its_deadline_and_can_be_resumed(half: Half) -> None:
    """
    The same reply comes, to the same request.
    """
    with ScriptedServer([Late(0.15, b"+late\r\n"), b"+next\r\n"]) as server:
        channel = await half.connect(server)
        started = channel.start(PING, 1)

        for _ in range(3):
            with pytest.raises(RequestTimeoutError) as caught:
                await do(started.result(soon(0.01)))
            assert caught.value.may_have_run
        assert not channel.closed

        assert [b"late"] == await do(started.result(soon()))
        assert [b"late"] == await do(started.result(soon()))
        assert [b"next"] == await do(channel.start(PING, 1).result(soon()))


async def test_a_late_reply_reaches_nobody_else(half: Half) -> None:
    """
    Its request is given up, and keeps its place.
    """
    with ScriptedServer([Late(0.05, b"+late\r\n"), Late(0.05, b"+mine\r\n")]) as server:
        channel = await half.connect(server)
        with pytest.raises(RequestTimeoutError):
            await do(channel.start(PING, 1).result(soon(0.01)))

        assert [b"mine"] == await do(channel.start(PING, 1).result(soon()))


@pytest.mark.parametrize("seconds", [0.0, -1.0, -1e6])
async def test_what_is_there_is_taken_however_late_it_is(half: Half, echoing: ScriptedServer, seconds: float) -> None:
    """
    A deadline in the past means: do not wait.
    """
    channel = await half.connect(echoing)
    started = channel.start(words("ECHO", "x"), 1)
    await until(lambda: len(echoing.commands) == 1, half)
    for _ in range(500):
        try:
            assert [b"x"] == await do(started.result(soon(seconds)))
            break
        except RequestTimeoutError:  # on its way from one thread's socket to another's
            await do(half.runtime.sleep(0.001))
    else:
        pytest.fail("it was never taken")


async def test_time_limits_of_several_waits(half: Half, echoing: ScriptedServer) -> None:
    """
    A later one with less time does not wait for an earlier one with more, nor the other way round.
    """
    with ScriptedServer([Silence(), Silence()]) as server:
        channel = await half.connect(server)
        requests = [channel.start(PING, 1) for _ in range(2)]

        for seconds in (0.03, 0.01):
            for request in requests:
                with pytest.raises(RequestTimeoutError):
                    await do(request.result(soon(seconds)))


@pytest.mark.parametrize("end", [Close(), Reset(), Close(b":1\r\n$5\r\nab")], ids=["closed", "reset", "cut"])
async def test_a_lost_connection_fails_all_that_is_pending(half: Half, end: Step) -> None:
    """
    Everything had been sent, so everything may have run.
    """
    with ScriptedServer([Silence(), Silence(), end]) as server:
        channel = await half.connect(server)
        started = [channel.start(PING, 2), channel.start(PING, 1), channel.start(PING, 1)]

        for request in started:
            with pytest.raises(ConnectionLostError) as caught:
                await do(request.result(soon()))
            assert caught.value.may_have_run

        assert (True, 0) == (channel.closed, channel.pending)


async def test_what_had_been_answered_is_kept(half: Half) -> None:
    """
    A loss after a reply does not take it back.
    """
    with ScriptedServer([b":1\r\n", Close()]) as server:
        channel = await half.connect(server)
        answered, lost = channel.start(PING, 1), channel.start(PING, 1)

        with pytest.raises(ConnectionLostError):
            await do(lost.result(soon()))

        assert [1] == await do(answered.result(soon()))


async def test_part_of_a_request_may_have_been_answered(half: Half) -> None:
    """
    Its replies can be looked at.
    """
    with ScriptedServer([b":1\r\n", b":2\r\n", Close()]) as server:
        channel = await half.connect(server)
        started = channel.start(PING * 3, 3)

        with pytest.raises(ConnectionLostError):
            await do(started.result(soon()))

        assert [1, 2] == started.replies


async def test_a_closed_channel_takes_no_requests(half: Half, echoing: ScriptedServer) -> None:
    """
    Nothing was sent, and the error says so. Closing again does nothing.
    """
    channel = await half.connect(echoing)
    channel.close()
    channel.close()
    await do(channel.wait_closed())

    with pytest.raises(ConnectionLostError) as caught:
        channel.start(PING, 1)

    assert not caught.value.may_have_run
    assert (True, True) == (channel.closed, channel.stale())
    await until(lambda: echoing.live == 0, half)
    assert [] == echoing.commands


async def test_closing_fails_what_is_pending(half: Half) -> None:
    """
    It had been sent.
    """
    with ScriptedServer([Silence()]) as server:
        channel = await half.connect(server)
        started = channel.start(PING, 1)
        await until(lambda: len(server.commands) == 1, half)

        channel.close()

        with pytest.raises(ConnectionLostError, match="closed") as caught:
            await do(started.result(soon()))
        assert caught.value.may_have_run


@pytest.mark.parametrize(
    ("unasked", "stale"), [(b"$5\r\nstray\r\n", True), (b">1\r\n+hint\r\n", False), (b">1\r\n+hi", False)]
)
async def test_a_reply_nobody_asked_for_makes_a_channel_stale(half: Half, unasked: bytes, stale: bool) -> None:
    """
    It would be taken for the next one; an out-of-band message, or the beginning of one, would not.
    """
    with ScriptedServer([b"+ready\r\n", b"nt\r\n+x\r\n" if unasked.endswith(b"hi") else b"+x\r\n"]) as server:
        channel = await half.connect(server)
        assert [b"ready"] == await do(channel.start(words("PING"), 1).result(soon()))
        server.push(unasked)
        await do(half.runtime.sleep(0.02))

        if stale:
            await until(channel.stale, half)
            assert channel.closed
        else:
            assert not channel.stale()
            assert [b"x"] == await do(channel.start(words("ECHO", "x"), 1).result(soon()))
        channel.close()


async def test_an_idle_channel_is_not_stale(half: Half, echoing: ScriptedServer) -> None:
    """
    Looking does not disturb it.
    """
    channel = await half.connect(echoing)

    for _ in range(3):
        assert not channel.stale()
        assert [b"x"] == await do(channel.start(words("ECHO", "x"), 1).result(soon()))


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
async def test_an_idle_channel_whose_peer_is_gone_is_stale(half: Half, echoing: ScriptedServer, reset: bool) -> None:
    """
    It is seen without sending anything.
    """
    with FaultProxy(echoing.address) as proxy:
        channel = await half.connect(proxy)
        await do(channel.start(PING, 1).result(soon()))

        if reset:
            proxy.reset_all()
        else:
            proxy.end_all()

        await until(channel.stale, half)


async def test_a_reply_nobody_asked_for_makes_a_channel_unusable(half: Half, echoing: ScriptedServer) -> None:
    """
    It must never be taken for the reply to the next request.
    """
    channel = await half.connect(echoing)
    await do(channel.start(PING, 1).result(soon()))

    echoing.push(b"+surprise\r\n")

    await until(channel.stale, half)


async def test_garbage_fails_all_and_shows_none_of_it(half: Half) -> None:
    """
    What follows cannot be trusted any more.
    """
    with ScriptedServer([b":1\r\n", b"@canary\r\n", b":3\r\n"]) as server:
        channel = await half.connect(server)
        first, second, third = (channel.start(PING, 1) for _ in range(3))

        for request in (second, third):
            with pytest.raises(ProtocolError) as caught:
                await do(request.result(soon()))
            assert caught.value.may_have_run
            assert "canary" not in str(caught.value)
        assert [1] == await do(first.result(soon()))
        with pytest.raises(ProtocolError):
            channel.start(PING, 1)


@pytest.mark.parametrize("error", [MemoryError, RecursionError, TypeError, KeyError])
async def test_any_failure_of_the_parser_ends_the_channel(
    half: Half, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Nothing waits for ever, and nobody gets a reply that is not theirs.
    """

    def stumble(*_: object) -> None:
        raise error("canary")

    with ScriptedServer(2 * [b":1\r\n"]) as server:
        for method in ("parser.Parser.take", "whole.WholeReplies.whole"):
            monkeypatch.setattr(f"coredis._core.{method}", stumble)
        for asking in (False, True):
            channel = await half.connect(server)

            with pytest.raises(ProtocolError, match=error.__name__) as caught:
                if asking:
                    await do(channel.ask(PING, 1, soon()))
                else:
                    await do(channel.start(PING, 1).result(soon()))

            assert (False, True) == ("canary" in str(caught.value), caught.value.may_have_run)
            assert channel.closed


async def test_out_of_band_messages_disturb_nobody(half: Half) -> None:
    """
    Before, between and after replies.
    """
    with ScriptedServer([PUSH + b":1\r\n" + PUSH, PUSH + b":2\r\n"]) as server:
        channel = await half.connect(server)

        assert [1] == await do(channel.start(PING, 1).result(soon()))
        assert [2] == await do(channel.start(PING, 1).result(soon()))


async def test_received_counts_signs_of_life(half: Half) -> None:
    """
    To tell a slow server from a dead connection.
    """
    with ScriptedServer([b"$3\r\n", Silence(), b"abc\r\n"]) as server:
        channel = await half.connect(server)
        assert 0 == channel.received
        started = channel.start(PING, 1)
        with pytest.raises(RequestTimeoutError):
            await do(started.result(soon(0.05)))
        assert 1 == channel.received

        channel.start(PING, 0)
        channel.start(PING, 0)

        assert [b"abc"] == await do(started.result(soon()))
        assert 2 <= channel.received


async def test_a_large_request_and_a_large_reply(half: Half, echoing: ScriptedServer) -> None:
    """
    More than the buffers of the sockets hold.
    """
    value = "x" * 8_000_000
    channel = await half.connect(echoing)

    assert [value.encode()] == await do(channel.start(words("ECHO", value), 1).result(soon()))


async def test_a_reply_in_single_bytes(half: Half, echoing: ScriptedServer) -> None:
    """
    However small the pieces are.
    """
    with FaultProxy(echoing.address) as proxy:
        proxy.slow(1, direction="to_client")
        channel = await half.connect(proxy)

        assert [b"slow"] == await do(channel.start(words("ECHO", "slow"), 1).result(soon()))
        assert b"again" == await do(channel.ask(words("ECHO", "again"), 1, soon()))


async def test_both_sides_of_the_pair_reject_a_dead_socket(half: Half, echoing: ScriptedServer) -> None:
    """
    A request on a connection that was reset fails, sooner or later, and never hangs.
    """
    with FaultProxy(echoing.address) as proxy:
        channel = await half.connect(proxy)
        await do(channel.start(PING, 1).result(soon()))
        proxy.reset_all()

        with pytest.raises(ConnectionError):
            await do(channel.start(PING, 1).result(soon()))


async def test_sockets_are_set_up(half: Half, echoing: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Small writes leave at once, and dead peers are looked for.
    """
    prepared: list[tuple[int, int]] = []

    def note(connected: socket.socket, keepalive: bool) -> None:
        actual(connected, keepalive)
        prepared.append(
            (
                connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            )
        )

    actual = sockets.prepare
    monkeypatch.setattr(sockets, "prepare", note)

    await half.connect(echoing)

    assert [(1, 1)] == prepared
