# Generated from tests/_async/test_additions.py by scripts/generate.py: edit that file, not this one.
"""
Entries whose addition has an unknown outcome: one entry or an exception that says so, and never two entries.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis.exceptions import (
    CommandNotSupportedError,
    ConnectionError,
    ConnectionLostError,
    OutOfMemoryError,
    RequestTimeoutError,
    ResponseError,
)
from tests.support.blocking import Interrupted, Redis, connect, interrupted_after
from tests.support.proxy import FaultProxy
from tests.support.scripted import Close, Reset, ScriptedServer, Silence
from tests.support.servers import Server

QUICK = RetryPolicy(base_delay=0.001, max_delay=0.002)
SMALLER = b"-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n"
NO_SUCH_KEY = b"-ERR no such key\r\n"
OURS = b"*1\r\n*2\r\n$3\r\n5-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
ADDED = b"$3\r\n5-1\r\n"


def memory(seconds: int, identifiers: int) -> bytes:
    """
    Answer XINFO STREAM.
    """
    return b"%%2\r\n+idmp-duration\r\n:%d\r\n+idmp-maxsize\r\n:%d\r\n" % (seconds, identifiers)


def names(where: FaultProxy | ScriptedServer) -> list[bytes]:
    """
    The commands that matter here, in order.
    """
    return [words[0] for words in where.commands if words[0] in (b"XADD", b"XRANGE", b"XINFO")]


class TestChosenIdentifier:
    def test_one_entry(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        The first attempt has made the entry and its reply is lost: the second is refused, and the entry found.
        """
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.ping()
            proxy.swallow(command="XADD")
            assert b"5-1" == faulty.xadd("s", [("f", 1), ("f", 0.5)], identifier="5-1")
            proxy.swallow(command="XADD")
            assert b"7-0" == faulty.xadd("s", {"f": b"\xff"}, identifier=7)

        assert 2 == proxy.struck
        assert [b"XADD", b"XADD", b"XRANGE"] * 2 == names(proxy)
        assert [b"5-1", b"7-0"] == [entry.identifier for entry in client.xrange("s")]

    def test_decoded(self, server: Server, proxy: FaultProxy) -> None:
        """
        What was found is returned as any other identifier.
        """
        with connect(proxy, retry_policy=QUICK, decode_responses=True, protocol=2) as faulty:
            faulty.ping()
            proxy.swallow(command="XADD")
            assert "5-1" == faulty.xadd("s", {"f": "v"}, identifier="5-1")

    def test_others_were_faster(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        The identifier belongs to another entry: the server's refusal is raised.
        """
        client.xadd("s", {"f": "other"}, identifier="5-1")
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.ping()
            proxy.swallow(command="XADD")
            with pytest.raises(ResponseError, match="equal or smaller"):
                faulty.xadd("s", {"f": "v"}, identifier="5-1")

        assert 1 == client.xlen("s")

    def test_overtaken(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        There is no such entry, and none can be added any more: whether there ever was one is not known.
        """
        client.xadd("s", {"f": "other"}, identifier="6-0")
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.ping()
            proxy.swallow(command="XADD")
            with pytest.raises(ConnectionLostError) as caught:
                faulty.xadd("s", {"f": "v"}, identifier="5-1")

        assert caught.value.may_have_run
        assert isinstance(caught.value.__cause__, ResponseError)
        assert 1 == client.xlen("s")

    def test_a_plain_refusal(self, client: Redis[bytes]) -> None:
        """
        Nothing was lost, so nothing is looked up, and the refusal says that nothing was added.
        """
        client.xadd("s", {"f": "v"}, identifier="5-1")
        with pytest.raises(ResponseError) as caught:
            client.xadd("s", {"f": "v"}, identifier="5-1")

        assert not caught.value.may_have_run
        assert 1 == client.xlen("s")

    def test_lost_again_and_again(self) -> None:
        """
        Also when looking is what gets lost.
        """
        with ScriptedServer([Reset(), Reset(), SMALLER, Reset(), OURS]) as server:
            with connect(server, retry_policy=QUICK) as client:
                assert b"5-1" == client.xadd("s", {"f": "v"}, identifier="5-1")
            assert [b"XADD", b"XADD", b"XADD", b"XRANGE", b"XRANGE"] == names(server)

    def test_nobody_tells_why_it_was_refused(self) -> None:
        """
        The entry could not be looked for, so the outcome is unknown; the error tells of the refusal all the same.
        """
        with ScriptedServer([Reset(), SMALLER, b"-NOPERM no XRANGE\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(ConnectionLostError) as caught:
                    client.xadd("s", {"f": "v"}, identifier="5-1")

        assert caught.value.may_have_run
        assert "NOPERM" in str(caught.value.__cause__)
        (note,) = caught.value.__notes__
        assert "sent again, it was refused" in note and "equal or smaller" in note

    def test_it_had_not_run(self) -> None:
        """
        Then the second attempt makes the entry.
        """
        with ScriptedServer([Reset(), b"-LOADING wait\r\n", ADDED]) as server:
            with connect(server, retry_policy=QUICK) as client:
                assert b"5-1" == client.xadd("s", {"f": "v"}, identifier="5-1")

    @pytest.mark.parametrize("answer", [b"-NOPERM no\r\n", b"*0\r\n"], ids=["forbidden", "gone"])
    def test_nothing_to_be_seen(self, answer: bytes) -> None:
        """
        Looking does not tell: the outcome stays unknown.
        """
        with ScriptedServer([Reset(), SMALLER, answer]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(ConnectionLostError) as caught:
                    client.xadd("s", {"f": "v"}, identifier="5-1")

        assert caught.value.may_have_run


class TestRememberedByTheServer:
    @pytest.mark.parametrize("options", [{"idmp": ("p", "i")}, {"idmpauto": "p"}], ids=["idmp", "idmpauto"])
    def test_one_entry(self, client: Redis[bytes], proxy: FaultProxy, options: dict[str, Any]) -> None:
        """
        The second attempt gets the identifier of the first one's entry. A server that remembers nothing says so.
        """
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.ping()
            if not client.supports("XADD", "IDMP"):
                with pytest.raises(CommandNotSupportedError):
                    faulty.xadd("s", {"f": "v"}, **options)
                return
            proxy.swallow(command="XADD")
            identifier = faulty.xadd("s", {"f": "v"}, **options)

        assert 1 == proxy.struck
        assert [b"XADD", b"XINFO", b"XADD"] == names(proxy)
        assert [identifier] == [entry.identifier for entry in client.xrange("s")]

    def test_too_many_others(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        When the producer has meanwhile added as many others as the server remembers, a second attempt would make a second
        entry.
        """
        if not client.supports("XADD", "IDMP"):
            return
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.xadd("s", {"f": "0"}, idmp=("p", "0"))
            client.xcfgset("s", idmp_maxsize=1)
            pipe = faulty.pipeline(transaction=False, raise_on_error=False)
            lost = [pipe.xadd("s", {"f": f"{number}"}, idmp=("p", f"{number}")) for number in (1, 2, 3)]
            proxy.swallow(2, command="XADD")
            pipe.execute()
            assert 4 == client.xlen("s")

            assert [None, True, True] == [handle.error and handle.error.may_have_run for handle in lost]  # type: ignore[attr-defined]
        assert [b"XADD"] * 4 == names(proxy)

    @pytest.mark.parametrize(
        "answer",
        [memory(0, 100), memory(100, 0), b"%0\r\n", b"-NOPERM no\r\n"],
        ids=["too late", "too many", "no memory", "forbidden"],
    )
    def test_perhaps_forgotten(self, answer: bytes) -> None:
        """
        Unless the server is sure to remember, nothing is sent again and the outcome is unknown.
        """
        with ScriptedServer([Reset(), answer]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(ConnectionLostError) as caught:
                    client.xadd("s", {"f": "v"}, idmp=("p", "i"))
            assert [b"XADD", b"XINFO"] == names(server)

        assert caught.value.may_have_run

    @pytest.mark.parametrize(
        "answers",
        [[memory(100, 100)], [NO_SUCH_KEY], [b"-LOADING wait\r\n", memory(100, 100)], [Reset(), memory(100, 100)]],
        ids=["remembers", "no stream", "loading", "lost"],
    )
    def test_surely_remembered(self, answers: list[Any]) -> None:
        """
        The question is asked until there is an answer; without a stream there is no first entry.
        """
        with ScriptedServer([Reset(), *answers, ADDED]) as server:
            with connect(server, retry_policy=QUICK) as client:
                assert b"5-1" == client.xadd("s", {"f": "v"}, idmp=("p", "i"))
            assert [b"XADD", *[b"XINFO"] * len(answers), b"XADD"] == names(server)


class OneEntryEach:
    """
    The answers of a server that takes no identifier twice and whose connection breaks after each new entry.
    """

    def __init__(self) -> None:
        self.added: list[bytes] = []

    def __call__(self, command: list[bytes]) -> bytes | Reset:
        if command[0] == b"ECHO":
            return b"$%d\r\n%b\r\n" % (len(command[1]), command[1])
        identifier = command[2]
        if command[0] == b"XRANGE":
            return b"*1\r\n*2\r\n$%d\r\n%b\r\n*2\r\n+f\r\n+v\r\n" % (len(identifier), identifier)
        if identifier in self.added:
            return SMALLER
        self.added.append(identifier)
        return Reset()


class TestInterrupted:
    # A socket that is struck before anybody owns it is closed by its finalizer, which says so.
    @pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
    def test_at_any_time(self) -> None:
        """
        Interrupted during the first attempt, the second or the look for the entry: nothing is mixed up afterwards.
        """
        answers = OneEntryEach()
        finished = 0
        with ScriptedServer(answers) as server:
            with connect(server, retry_policy=QUICK, max_connections=2) as client:
                for number in range(80):
                    identifier = f"{number + 1}-1"
                    try:
                        added = interrupted_after(
                            number * 0.0002,
                            lambda: client.xadd("s", {"f": "v"}, identifier=identifier),  # noqa: B023
                        )
                    except Interrupted:
                        added = None
                    finished += added is not None
                    assert added in (None, identifier.encode())
                    assert f"{number}".encode() == client.echo(f"{number}")

        assert finished
        assert len(answers.added) == len(set(answers.added))


class TestWhatIsKnown:
    @pytest.mark.parametrize("options", [{}, {"identifier": "5-1"}, {"idmp": ("p", "i")}], ids=str)
    def test_silence(self, options: dict[str, Any]) -> None:
        """
        A reply that does not come in time leaves no time for a second attempt.
        """
        with ScriptedServer([Silence()]) as server:
            with connect(server, retry_policy=QUICK, stream_timeout=0.1) as client:
                with pytest.raises(RequestTimeoutError) as caught:
                    client.xadd("s", {"f": "v"}, **options)
            assert [b"XADD"] == names(server)

        assert caught.value.may_have_run

    def test_an_error_after_a_loss(self) -> None:
        """
        The error of a second attempt says nothing of the first one.
        """
        with ScriptedServer([Reset(), b"-OOM no\r\n", b"-OOM no\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(OutOfMemoryError) as caught:
                    client.set("k", "v")
                assert caught.value.may_have_run
                with pytest.raises(OutOfMemoryError) as caught:
                    client.set("k", "v")
                assert not caught.value.may_have_run

    def test_no_connection_after_a_loss(self) -> None:
        """
        That a second attempt could not be sent says nothing of the first one either.
        """
        greeted: list[bytes] = []

        def answer(command: list[bytes]) -> bytes | Close | Reset:
            if command[0] != b"HELLO":
                return Reset() if command[0] == b"SET" else b"+OK\r\n"
            greeted.append(command[0])
            return b"%1\r\n+proto\r\n:3\r\n" if len(greeted) == 1 else Close()

        with ScriptedServer(answer, handshake_in_script=True) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(ConnectionError) as caught:
                    client.set("k", "v")

        assert len(greeted) > 1
        assert caught.value.may_have_run

    def test_in_a_pipeline(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        Each command has an outcome of its own: known, or perhaps executed. Nothing is sent again.
        """
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.ping()
            pipe = faulty.pipeline(transaction=False, raise_on_error=False)
            handles = [
                pipe.xadd("s", {"f": "v"}, identifier="5-1"),
                pipe.xadd("s", {"f": "v"}, identifier="6-1"),
                pipe.xadd("s", {"f": "v"}),
            ]
            proxy.swallow(2, command="XADD")
            pipe.execute()

        assert b"5-1" == handles[0].result()
        assert [True, True] == [handle.error.may_have_run for handle in handles[1:]]  # type: ignore[union-attr]
        assert [b"XADD"] * 3 == names(proxy)
        assert 3 == client.xlen("s")
