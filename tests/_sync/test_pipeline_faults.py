# Generated from tests/_async/test_pipeline_faults.py by scripts/generate.py: edit that file, not this one.
"""
Pipelines whose connection breaks, whose server is silent, or whose caller is interrupted.
"""

from __future__ import annotations

import pytest

from coredis.exceptions import ConnectionError, ConnectionLostError, ProtocolError, RequestTimeoutError
from tests._sync.waiting import until
from tests.support.blocking import Interrupted, Redis, connect, interrupted_after, open_resources, settle
from tests.support.proxy import FaultProxy
from tests.support.scripted import ScriptedServer, Silence

plain_and_transaction = pytest.mark.parametrize("transaction", [False, True], ids=["plain", "transaction"])
raising = pytest.mark.parametrize("raise_on_error", [False, True], ids=["quiet", "raising"])


def sent(proxy: FaultProxy, name: bytes) -> int:
    return sum(words[0] == name for words in proxy.commands)


def rehearse(client: Redis[bytes]) -> None:
    """
    Have the connection on which the next transaction will be executed, and MULTI tried on it.
    """
    with client.pipeline() as pipe:
        pipe.echo("rehearsed")


class TestLostConnection:
    @raising
    def test_known_results_are_kept(self, client: Redis[bytes], proxy: FaultProxy, raise_on_error: bool) -> None:
        """
        Replies that came before the end count; the rest may have run, and nothing is sent again.
        """
        with connect(proxy) as faulty:
            faulty.ping()
            pipe = faulty.pipeline(transaction=False, raise_on_error=raise_on_error)
            handles = [pipe.incr("n") for _ in range(10)]
            proxy.cut_after(len(b":1\r\n") * 4)
            if raise_on_error:
                with pytest.raises(ConnectionLostError) as caught:
                    pipe.execute()
                assert caught.value.may_have_run
            else:
                pipe.execute()
            assert b"PONG" == faulty.ping()

        known = [handle.result() for handle in handles if handle.error is None]
        assert [1, 2, 3, 4] == known
        for handle in handles[4:]:
            assert isinstance(handle.error, ConnectionLostError)
            assert handle.error.may_have_run
        assert 10 == len(pipe.results)
        assert 10 == sent(proxy, b"INCR")
        assert b"10" == client.get("n")

    @pytest.mark.parametrize("kept", [1, 998, 1000, 1001, 2500, 4999])
    def test_in_the_middle_of_many(self, proxy: FaultProxy, kept: int) -> None:
        """
        Wherever among the chunks it happens: what has a result has the right one, what was sent may have run, and the rest
        has not.
        """
        with connect(proxy) as faulty:
            faulty.ping()
            pipe = faulty.pipeline(transaction=False)
            handles = [pipe.incrby("n", 1_000_000) if not number else pipe.incr("n") for number in range(5000)]
            proxy.cut_after(len(b":1000000\r\n") * kept)
            with pytest.raises(ConnectionError) as caught:
                pipe.execute()

        assert caught.value.may_have_run
        known = [handle.result() for handle in handles if handle.error is None]
        assert [1_000_000 + number for number in range(len(known))] == known
        assert len(known) <= kept
        rest = [handle.error for handle in handles[len(known) :]]
        assert {type(caught.value)} == set(map(type, rest))
        outcomes = [error.may_have_run for error in rest if isinstance(error, ConnectionError)]
        assert sorted(outcomes, reverse=True) == outcomes
        assert sent(proxy, b"INCR") + 1 <= len(known) + sum(outcomes) <= kept + 2000  # two chunks are in flight at most
        assert 1 == sent(proxy, b"INCRBY")

    def test_between_two_chunks(self) -> None:
        """
        The first chunk is answered, and before the third can be sent the connection is unusable: what the first one gave
        is kept, the second, which was sent, may have run, and the third has not.
        """
        count = 0

        def answer(_: list[bytes]) -> bytes | Silence:
            nonlocal count
            count += 1
            if count < 1500:
                return Silence()
            return b"".join(b":%d\r\n" % number for number in range(1, count)) + b"?\r\n"

        with ScriptedServer(answer) as server:
            with connect(server, stream_timeout=5) as client:
                pipe = client.pipeline(transaction=False)
                handles = [pipe.incr("n") for _ in range(3000)]
                with pytest.raises(ProtocolError) as caught:
                    pipe.execute()

        assert caught.value.may_have_run
        known = [handle.result() for handle in handles if handle.error is None]
        assert list(range(1, len(known) + 1)) == known
        assert 1000 <= len(known) < 1500
        errors = [handle.error for handle in handles[len(known) :]]
        assert {ProtocolError} == set(map(type, errors))
        outcomes = [error.may_have_run for error in errors if isinstance(error, ProtocolError)]
        assert [True] * (2000 - len(known)) + [False] * 1000 == outcomes

    @raising
    def test_transaction(self, client: Redis[bytes], proxy: FaultProxy, raise_on_error: bool) -> None:
        """
        Without the reply to EXEC nothing is known of any command, and it is not sent again.
        """
        with connect(proxy) as faulty:
            rehearse(faulty)
            before = sent(proxy, b"EXEC")
            pipe = faulty.pipeline(raise_on_error=raise_on_error)
            handles = [pipe.incr("n") for _ in range(10)]
            proxy.swallow(command="EXEC")
            if raise_on_error:
                with pytest.raises(ConnectionLostError):
                    pipe.execute()
            else:
                pipe.execute()
            assert b"PONG" == faulty.ping()

        for handle in handles:
            assert isinstance(handle.error, ConnectionLostError)
            assert handle.error.may_have_run
        assert (1, 10) == (sent(proxy, b"EXEC") - before, sent(proxy, b"INCR"))
        assert b"10" == client.get("n")

    def test_before_the_transaction(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        Lost while MULTI is tried for the first time: nothing has run, and the error says so.
        """
        with connect(proxy) as faulty:
            faulty.ping()
            proxy.swallow(command="EXEC")
            pipe = faulty.pipeline()
            handle = pipe.incr("n")
            with pytest.raises(ConnectionLostError) as caught:
                pipe.execute()
            assert not caught.value.may_have_run
            assert handle.error is caught.value
            handle = pipe.incr("n")
            pipe.execute()

        assert 1 == handle.result()

    def test_while_watching(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        A connection that is lost while keys are watched is not replaced by one on which they are not.
        """
        with connect(proxy) as faulty:
            pipe = faulty.pipeline()
            with pytest.raises(ConnectionError):
                with pipe.watch("n"):
                    pipe.incr("n")
                    proxy.reset_all()
                    until(lambda: not proxy.live)
            assert b"PONG" == faulty.ping()
            assert client.get("n") is None
            with pipe.watch("n"):
                pipe.incr("n")
        assert (1,) == pipe.results

    @plain_and_transaction
    def test_nobody_there(self, transaction: bool) -> None:
        """
        What could not be sent has certainly not run.
        """
        with ScriptedServer() as gone:
            pass
        with connect(gone) as client:
            pipe = client.pipeline(transaction)
            handle = pipe.incr("n")
            with pytest.raises(ConnectionError) as caught:
                pipe.execute()
        assert not caught.value.may_have_run
        assert handle.error is caught.value


class TestTime:
    def test_silence(self, proxy: FaultProxy) -> None:
        """
        No reply within ``stream_timeout``: every command may have run; the client goes on elsewhere.
        """
        with connect(proxy, stream_timeout=0.3) as slow:
            slow.ping()
            proxy.pause("to_client")
            pipe = slow.pipeline(transaction=False)
            handles = [pipe.incr("n"), pipe.incr("n")]
            with pytest.raises(RequestTimeoutError):
                pipe.execute()
            proxy.resume("to_client")
            assert b"here" == slow.echo("here")

        for handle in handles:
            assert isinstance(handle.error, RequestTimeoutError)
            assert handle.error.may_have_run

    def test_silent_transaction(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        No reply to EXEC: the same.
        """
        with connect(proxy, stream_timeout=0.3) as slow:
            rehearse(slow)
            before = sent(proxy, b"EXEC")
            proxy.swallow(command="EXEC", then="stay")
            pipe = slow.pipeline()
            handle = pipe.incr("n")
            with pytest.raises(RequestTimeoutError) as caught:
                pipe.execute()
            assert 2 == slow.incr("n")

        assert caught.value.may_have_run
        assert handle.error is caught.value
        assert 1 == sent(proxy, b"EXEC") - before
        assert b"2" == client.get("n")

    def test_what_was_answered(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        What came before time was up is known.
        """
        with connect(proxy, stream_timeout=0.3) as slow:
            slow.ping()
            proxy.swallow(2, command="INCR", then="stay")
            pipe = slow.pipeline(transaction=False, raise_on_error=False)
            first, lost = pipe.incr("n"), pipe.incr("n")
            pipe.execute()
        assert 1 == first.result()
        assert isinstance(lost.error, RequestTimeoutError)
        assert lost.error.may_have_run
        assert b"2" == client.get("n")


class TestInterrupted:
    @plain_and_transaction
    @pytest.mark.parametrize("seconds", [0.001, 0.005, 0.01, 0.02, 0.05])
    def test_right_replies_afterwards(self, proxy: FaultProxy, transaction: bool, seconds: float) -> None:
        """
        A pipeline that is broken off anywhere leaves nothing open, and nobody gets its replies.
        """
        before = open_resources()
        with connect(proxy) as client:
            client.ping()
            proxy.latency(0.01)
            pipe = client.pipeline(transaction)
            for number in range(3000):
                pipe.echo(f"theirs {number}")
            with pytest.raises(Interrupted):
                interrupted_after(seconds, pipe.execute)
            proxy.latency(0.0)

            for number in range(20):
                assert f"{number}".encode() == client.echo(f"{number}")
            with pipe:
                ours = [pipe.echo(f"ours {number}") for number in range(2500)]
            assert [f"ours {number}".encode() for number in range(2500)] == [handle.result() for handle in ours]
        settle(before)

    def test_while_blocking(self, client: Redis[bytes]) -> None:
        """
        The connection it waited on is not used again.
        """
        pipe = client.pipeline(transaction=False)
        pipe.blpop(["l"], 30)
        pipe.get("k")
        with pytest.raises(Interrupted):
            interrupted_after(0.05, pipe.execute)
        with client.pipeline() as pipe:
            pipe.set("k", "v")
        assert b"v" == client.get("k")

    def test_while_watching(self, client: Redis[bytes]) -> None:
        """
        Interrupted inside of the block: nothing is executed, and the keys are watched no more.
        """

        def forever() -> None:
            with client.pipeline() as pipe, pipe.watch("n"):
                pipe.set("n", "from the block")
                client.blpop(["l"], 30)

        with pytest.raises(Interrupted):
            interrupted_after(0.05, forever)
        client.set("n", 1)
        with client.pipeline() as pipe:
            number = pipe.incr("n")
        assert 2 == number.result()
