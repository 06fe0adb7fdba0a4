"""
A blocking consumer that is interrupted before entries were made of what it had received, or of all of it. Where it reads ahead,
before and after the next read was sent.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from coredis._core.consumer.pieces import PIECE, Pieces
from coredis._sync.patterns.taking import Taking
from coredis.exceptions import ProtocolError
from coredis.sync import Redis
from tests._sync.streams import fill, identifiers, numbered, take
from tests.support.servers import Server
from tests.support.strikes import strike

BEFORE_AND_AFTER = pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])


@contextmanager
def interrupted(server: Server, monkeypatch: pytest.MonkeyPatch, sent: bool) -> Iterator[Any]:
    """
    Give a consumer that has served 1 to 3 and received 4 to 6, of 9; and perhaps has sent the next read.
    """

    def strike(*_: object) -> None:
        raise KeyboardInterrupt

    with Redis(host=server.host, port=server.port) as client:
        fill(client, "a", 1, 9)
        with client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=5, prefetch=True) as consumer:
            assert numbered(1, 3) == take(consumer, 3)
            with monkeypatch.context() as patch:
                patch.setattr(*((Pieces, "make") if sent else (Taking, "_read_ahead")), strike)
                with pytest.raises(KeyboardInterrupt):
                    consumer.get_entry()
            assert {"a": b"3-0"} == consumer.positions
            yield consumer


@BEFORE_AND_AFTER
def test_they_come_next(server: Server, monkeypatch: pytest.MonkeyPatch, sent: bool) -> None:
    """
    Each once.
    """
    with interrupted(server, monkeypatch, sent) as consumer:
        assert numbered(4, 9) == identifiers(consumer)
        assert 9 == consumer.statistics.delivered


@BEFORE_AND_AFTER
@pytest.mark.parametrize("ending", ["stop", "close", "drain"])
def test_they_have_been_fetched(server: Server, monkeypatch: pytest.MonkeyPatch, sent: bool, ending: str) -> None:
    """
    So they are still given when nothing is read any more, and when everything is taken.
    """
    with interrupted(server, monkeypatch, sent) as consumer:
        ended = getattr(consumer, ending)()
        if ending == "drain":
            assert numbered(4, 6) == [entry.identifier for _, entry in ended]
            assert {"a": b"6-0"} == consumer.positions
            assert numbered(7, 9) == identifiers(consumer)
        else:
            assert numbered(4, 6) == identifiers(consumer)


@BEFORE_AND_AFTER
def test_entering_again_begins_afresh(server: Server, monkeypatch: pytest.MonkeyPatch, sent: bool) -> None:
    """
    As a forked child does, in which they are the parent's.
    """
    with interrupted(server, monkeypatch, sent) as consumer:
        child = os.fork()
        if not child:
            wrong = True
            try:
                wrong = numbered(1, 9) != identifiers(consumer)
            finally:
                os._exit(wrong)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with consumer:
            assert numbered(1, 9) == identifiers(consumer)


@BEFORE_AND_AFTER
@pytest.mark.parametrize("ask", ["get_entry", "drain"])
def test_when_they_cannot_be_made(server: Server, monkeypatch: pytest.MonkeyPatch, sent: bool, ask: str) -> None:
    """
    It is an error, and they are asked for again: what comes after them is not taken before.
    """

    def fail(*_: object) -> None:
        raise LookupError

    with interrupted(server, monkeypatch, sent) as consumer:
        with monkeypatch.context() as patch:
            patch.setattr(Pieces, "make", fail)
            with pytest.raises(ProtocolError, match="LookupError"):
                getattr(consumer, ask)()
        assert {"a": b"3-0"} == consumer.positions
        assert numbered(4, 9) == identifiers(consumer)


def serve_next(consumer: Any, given: list[Any]) -> None:
    """
    Have one more entry served.
    """
    given.append(consumer.get_entry())


def test_between_two_pieces_of_a_reply_of_several_streams(server: Server) -> None:
    """
    As the next test, in which they come in turns.
    """
    with Redis(host=server.host, port=server.port) as client:
        names = [b"a", b"b", b"c"]
        for name in names:
            fill(client, name.decode(), 1, PIECE)
        point, struck = 0, True
        while struck:
            starts: Any = {name.decode(): {"identifier": "0-0"} for name in names}
            with client.xconsumer(names, buffer_size=2 * PIECE, **starts) as consumer:
                given = [consumer.get_entry() for _ in range(PIECE)]
                struck = strike(point, partial(serve_next, consumer, given))
                point += 1

                assert {name: entry.identifier for name, entry in given} == consumer.positions
                given += consumer
        assert [(name, identifier) for identifier in numbered(1, PIECE) for name in names] == [
            (name, entry.identifier) for name, entry in given
        ]
        assert point > 20


def test_between_two_pieces_of_a_reply(server: Server) -> None:
    """
    Interrupted wherever that is possible while the next entries are made: the application stands where it stood, and each entry
    comes once.
    """
    with Redis(host=server.host, port=server.port) as client:
        fill(client, "a", 1, 2 * PIECE + 2)
        point, struck = 0, True
        while struck:
            with client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=3 * PIECE) as consumer:
                given = [consumer.get_entry() for _ in range(PIECE)]
                struck = strike(point, partial(serve_next, consumer, given))
                point += 1

                assert {"a": given[-1][1].identifier} == consumer.positions
                given += consumer
                assert numbered(1, 2 * PIECE + 2) == [entry.identifier for _, entry in given]
        assert point > 20


@pytest.mark.parametrize("served", [0, PIECE])
def test_a_thread_that_drains_what_was_just_made(server: Server, monkeypatch: pytest.MonkeyPatch, served: int) -> None:
    """
    The rest is served at once, and before what comes after it.
    """
    make: Any = Taking._make
    drained: list[bytes] = []

    def make_and_drain(consumer: Any, *given: Any) -> None:
        make(consumer, *given)
        monkeypatch.undo()
        thread = threading.Thread(target=lambda: drained.extend(entry.identifier for _, entry in consumer.drain()))
        thread.start()
        thread.join()

    with Redis(host=server.host, port=server.port) as client:
        fill(client, "a", 1, 3 * PIECE)
        with client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=4 * PIECE) as consumer:
            given = take(consumer, served)
            fill(client, "a", 3 * PIECE + 1, 3 * PIECE + 2)
            monkeypatch.setattr(Taking, "_make", make_and_drain)
            rest = identifiers(consumer)

    assert numbered(served + 1, served + PIECE) == drained
    assert numbered(served + PIECE + 1, 3 * PIECE + 2) == rest
    assert len(given) == served


def test_a_signal_handler_that_reads_while_the_rest_is_drained(server: Server) -> None:
    """
    Wherever it comes: all is given, to the one or to the other, and nothing is served after that.
    """
    with Redis(host=server.host, port=server.port) as client:
        fill(client, "a", 1, 2 * PIECE + 50)
        point, struck = 0, True
        while struck:
            with client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=3 * PIECE) as consumer:
                given = take(consumer, PIECE)
                drained: list[Any] = []
                struck = strike(
                    point,
                    lambda: drained.extend(consumer.drain()),  # noqa: B023
                    action=lambda: given.extend(take(consumer)),  # noqa: B023
                )
                point += 1

                assert [] == identifiers(consumer)
                assert numbered(1, 2 * PIECE + 50) == given + [entry.identifier for _, entry in drained]
        assert point > 20
