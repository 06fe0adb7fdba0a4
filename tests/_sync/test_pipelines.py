# Generated from tests/_async/test_pipelines.py by scripts/generate.py: edit that file, not this one.
"""
Pipelines and transactions: handles, results, errors that stay with their command, watched keys, size, blocking commands.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import (
    AuthorizationError,
    CommandNotSupportedError,
    CommandSyntaxError,
    ExecAbortError,
    PoolTimeoutError,
    ResponseError,
    WatchError,
    WrongTypeError,
)
from tests._sync.waiting import until
from tests.support.blocking import Redis, connect, sleep, spawn, text
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

plain_and_transaction = pytest.mark.parametrize("transaction", [False, True], ids=["plain", "transaction"])
raising = pytest.mark.parametrize("raise_on_error", [False, True], ids=["quiet", "raising"])


def echoes(proxy: FaultProxy) -> int:
    return sum(words[0] == b"ECHO" for words in proxy.commands)


class TestResults:
    @plain_and_transaction
    def test_typed(self, redis: Redis[Any], transaction: bool) -> None:
        """
        Each handle has what the client's method would have returned, in every decoding and both protocols.
        """
        with redis.pipeline(transaction) as pipe:
            done = pipe.set("k", "v")
            value = pipe.get("k")
            missing = pipe.get("none")
            entry = pipe.xadd("s", {"f": "v"}, identifier="1-0")
            entries = pipe.xrange("s")
            fields = pipe.hset("h", {"a": "1", "b": "2"})
            table = pipe.hgetall("h")
            added = pipe.zadd("z", {"m": 1.5})
            score = pipe.zscore("z", "m")
            members = pipe.zrange("z", 0, -1, withscores=True)
            exists = pipe.expire("k", 100)
            assert 11 == len(pipe)
            assert not any(handle.done() for handle in (done, value, members))

        assert done.result() is True
        assert text(redis, "v") == value.result()
        assert missing.result() is None
        assert text(redis, "1-0") == entry.result()
        (only,) = entries.result()
        assert (text(redis, "1-0"), {text(redis, "f"): text(redis, "v")}) == (only.identifier, only.field_values)
        assert 2 == fields.result()
        assert {text(redis, "a"): text(redis, "1"), text(redis, "b"): text(redis, "2")} == table.result()
        assert (1, 1.5) == (added.result(), score.result())
        assert ((text(redis, "m"), 1.5),) == members.result()
        assert exists.result() is True
        assert (value.result(), entries.result()) == (pipe.results[1], pipe.results[4])
        assert 11 == len(pipe.results)
        assert redis.zrange("z", 0, -1, withscores=True) == members.result()

    @plain_and_transaction
    def test_execute_returns_the_results(self, client: Redis[bytes], transaction: bool) -> None:
        """
        In the order of queueing; the end of the block then sends nothing more.
        """
        with client.pipeline(transaction) as pipe:
            handles = [pipe.incr("n"), pipe.incrby("n", 10), pipe.get("n")]
            results = pipe.execute()

        assert (1, 11, b"11") == results == pipe.results == tuple(handle.result() for handle in handles)
        assert b"11" == client.get("n")

    @plain_and_transaction
    def test_used_again(self, client: Redis[bytes], transaction: bool) -> None:
        """
        After an execution the pipeline is empty; what it gave stays.
        """
        pipe = client.pipeline(transaction)
        first = pipe.incr("n")
        assert (1,) == pipe.execute()
        second = pipe.incr("n")
        assert (2,) == pipe.execute()
        assert (1, 2) == (first.result(), second.result())

        with pipe:
            third = pipe.incr("n")
        assert (3,) == pipe.results
        assert 3 == third.result()

    @plain_and_transaction
    def test_empty(self, proxy: FaultProxy, transaction: bool) -> None:
        """
        Nothing queued, nothing sent.
        """
        with connect(proxy) as client:
            with client.pipeline(transaction) as pipe:
                assert pipe and not len(pipe)
            assert () == pipe.results == pipe.execute()
        assert 0 == proxy.accepted

    def test_before_execution(self, client: Redis[bytes]) -> None:
        """
        There is no result yet, and who asks for one is told so.
        """
        pipe = client.pipeline()
        handle = pipe.get("k")
        with pytest.raises(RuntimeError, match="GET"):
            handle.result()
        with pytest.raises(RuntimeError, match="not been executed"):
            print(pipe.results)
        pipe.reset()
        assert () == pipe.execute()

    def test_on_the_wire(self, proxy: FaultProxy) -> None:
        """
        A plain pipeline is its commands; a transaction has MULTI and EXEC around them, which are tried once on a connection.
        """
        with connect(proxy) as client:
            for transaction in (False, True, True):
                with client.pipeline(transaction) as pipe:
                    pipe.incr("n")
                    pipe.incr("n")
        sent = [words[0] for words in proxy.commands if words[0] in (b"INCR", b"MULTI", b"EXEC")]
        tried, transaction = [b"MULTI", b"EXEC"], [b"MULTI", b"INCR", b"INCR", b"EXEC"]
        assert [b"INCR", b"INCR", *tried, *transaction, *transaction] == sent

    @plain_and_transaction
    def test_exception_in_the_block(self, client: Redis[bytes], transaction: bool) -> None:
        """
        Discards what is queued.
        """
        with pytest.raises(ZeroDivisionError):
            with client.pipeline(transaction) as pipe:
                handle = pipe.set("k", "v")
                raise ZeroDivisionError
        assert not handle.done()
        assert client.get("k") is None

    @plain_and_transaction
    def test_bad_argument(self, client: Redis[bytes], transaction: bool) -> None:
        """
        Fails when it is queued, names itself, and leaves what is queued as it was.
        """
        pipe = client.pipeline(transaction)
        before = pipe.set("k", "v")
        with pytest.raises(ValueError, match="count"):
            pipe.xread({"s": "0"}, count=0)
        with pytest.raises(CommandSyntaxError):
            pipe.xadd("s", {"f": "v"}, limit=1)
        with pytest.raises(TypeError):
            pipe.set("k", object())  # type: ignore[arg-type]
        after = pipe.get("k")

        assert 2 == len(pipe)
        assert (True, b"v") == pipe.execute() == (before.result(), after.result())


class TestErrors:
    @plain_and_transaction
    @raising
    def test_one_of_many(self, redis: Redis[Any], transaction: bool, raise_on_error: bool) -> None:
        """
        A command that fails fails alone: the others have run and their results are known.
        """
        pipe = redis.pipeline(transaction, raise_on_error=raise_on_error)
        first, wrong = pipe.set("k", "text"), pipe.xlen("k")
        number, last = pipe.incr("k"), pipe.get("k")
        if raise_on_error:
            with pytest.raises(WrongTypeError) as caught:
                pipe.execute()
            assert wrong.error is caught.value
        else:
            pipe.execute()
        assert (True, text(redis, "text")) == (first.result(), last.result())
        with pytest.raises(WrongTypeError):
            wrong.result()
        with pytest.raises(ResponseError, match="integer"):
            number.result()
        assert (True, wrong.error, number.error, text(redis, "text")) == pipe.results
        assert text(redis, "text") == redis.get("k")

    @raising
    def test_refused_when_queued(self, redis: Redis[Any], server: Server, raise_on_error: bool) -> None:
        """
        A command the server does not even queue discards the transaction: it has the reason, the others EXECABORT.
        """
        server.command("ACL", "SETUSER", "default", "-get")
        pipe = redis.pipeline(raise_on_error=raise_on_error)
        before, refused, after = pipe.set("k", "v"), pipe.get("k"), pipe.incr("n")
        if raise_on_error:
            with pytest.raises(ExecAbortError) as caught:
                pipe.execute()
            assert refused.error is caught.value.__cause__
        else:
            pipe.execute()

        assert isinstance(before.error, ExecAbortError)
        assert isinstance(after.error, ExecAbortError)
        assert refused.error is not None
        assert "NOPERM" == refused.error.code
        assert (before.error, refused.error, after.error) == pipe.results
        server.command("ACL", "SETUSER", "default", "+get")
        assert redis.get("k") is None
        assert (True, text(redis, "v")) == redis_pair(redis)

    @pytest.mark.parametrize("watching", [False, True], ids=["plain", "watching"])
    def test_no_transactions_allowed(self, client: Redis[bytes], server: Server, watching: bool) -> None:
        """
        Where MULTI is refused nothing is executed: commands sent after it would be, at once and unguarded.
        """
        server.command("ACL", "SETUSER", "ann", "on", "nopass", "~*", "+@all", "-multi")
        with connect(server, username="ann") as restricted:
            pipe = restricted.pipeline()
            for _ in range(2):
                with pytest.raises(AuthorizationError, match="multi"):
                    if watching:
                        with pipe.watch("n"):
                            raise AssertionError("not reached")
                    else:
                        pipe.incr("n")
                        pipe.execute()
            assert None is restricted.get("n")

    def test_transactions_not_allowed_any_more(self, client: Redis[bytes], server: Server) -> None:
        """
        Refused on a connection where it was allowed before: what the commands did is what their handles say.
        """
        server.command("ACL", "SETUSER", "ann", "on", "nopass", "~*", "+@all")
        with connect(server, username="ann") as restricted:
            pipe = restricted.pipeline()
            pipe.incr("n")
            pipe.execute()
            server.command("ACL", "SETUSER", "ann", "-multi")
            number, refused = pipe.incr("n"), pipe.lpush("n", ["x"])
            with pytest.raises(AuthorizationError, match="multi") as caught:
                pipe.execute()
            assert ["MULTI was refused"] == [note[:17] for note in caught.value.__notes__]
            assert 2 == number.result()
            assert isinstance(refused.error, WrongTypeError)

            # While watching MULTI is answered before there is anything to execute, at any time.
            with pytest.raises(AuthorizationError, match="multi"):
                with pipe.watch("n"):
                    raise AssertionError("not reached")

    def test_the_server_lacks_a_command(self, client: Redis[bytes]) -> None:
        """
        As from the client: the version that has it is said; in a transaction as well.
        """
        if client.supports("XCFGSET"):
            pytest.skip("this server has XCFGSET")
        client.xadd("s", {"f": "v"})
        for transaction in (False, True):
            pipe = client.pipeline(transaction, raise_on_error=False)
            lacking, other = pipe.xcfgset("s", idmp_duration=10), pipe.xlen("s")
            pipe.execute()

            assert isinstance(lacking.error, CommandNotSupportedError)
            assert ("XCFGSET", "Redis 8.6") == (lacking.error.command, lacking.error.version)
            if transaction:
                assert isinstance(other.error, ExecAbortError)
            else:
                assert 1 == other.result()

    @plain_and_transaction
    def test_the_server_lacks_an_option(self, client: Redis[bytes], transaction: bool) -> None:
        """
        The option is named, and the error is raised at the end of the block.
        """
        if client.supports("XADD", "IDMP"):
            pytest.skip("this server has XADD IDMP")
        with pytest.raises(CommandNotSupportedError, match=r"XADD IDMP needs Redis 8\.6"):
            with client.pipeline(transaction) as pipe:
                before = pipe.set("k", "v")
                lacking = pipe.xadd("s", {"f": "v"}, idmp=("producer", "1"))
        assert isinstance(lacking.error, CommandNotSupportedError)
        assert before.result() is True
        assert not client.xlen("s")


class TestWatch:
    def test_unchanged(self, redis: Redis[Any]) -> None:
        """
        The transaction is executed at the end of the inner block, once.
        """
        redis.set("n", 5)
        with redis.pipeline() as pipe:
            with pipe.watch("n", "other") as same:
                value = int(redis.get("n") or 0)
                handle = pipe.set("n", value + 1)
                assert same is pipe
            assert handle.result() is True
        assert (True,) == pipe.results
        assert text(redis, "6") == redis.get("n")

    @raising
    def test_changed(self, client: Redis[bytes], raise_on_error: bool) -> None:
        """
        Nothing is executed, and that is an error whatever becomes of other errors.
        """
        with pytest.raises(WatchError):
            with client.pipeline(raise_on_error=raise_on_error) as pipe, pipe.watch("n"):
                client.set("n", 100)
                handle, other = pipe.set("n", 0), pipe.set("m", 0)
        assert isinstance(handle.error, WatchError)
        assert isinstance(other.error, WatchError)
        assert [b"100", None] == list(client.mget(["n", "m"]))

    def test_tried_again(self, client: Redis[bytes]) -> None:
        """
        The same pipeline can watch again.
        """
        pipe = client.pipeline()
        attempts = 0
        while True:
            try:
                with pipe.watch("n"):
                    attempts += 1
                    if attempts < 3:
                        client.incrby("n", 10)
                    pipe.incr("n")
                break
            except WatchError:
                pass
        assert 3 == attempts
        assert (21,) == pipe.results

    def test_exception_inside(self, client: Redis[bytes]) -> None:
        """
        Discards what is queued; the keys are watched no more.
        """
        pipe = client.pipeline()
        with pytest.raises(ZeroDivisionError):
            with pipe.watch("n"):
                pipe.set("n", 1)
                raise ZeroDivisionError
        client.set("n", 7)
        pipe.incr("n")
        assert (8,) == pipe.execute()

    def test_twice(self, client: Redis[bytes]) -> None:
        """
        A second watch inside the first is refused, and so is one behind queued commands, or without a key.
        """
        pipe = client.pipeline()
        with pytest.raises(RuntimeError, match="already"):
            with pipe.watch("a"), pipe.watch("b"):
                raise AssertionError("not reached")
        pipe.get("a")
        with pytest.raises(RuntimeError, match="queued"):
            pipe.watch("a")
        with pytest.raises(ValueError, match="keys"):
            pipe.watch()
        assert (None,) == pipe.execute()

    def test_executed_inside(self, client: Redis[bytes]) -> None:
        """
        That ends the transaction: what is queued after it would not be guarded, and is refused.
        """
        pipe = client.pipeline()
        with pipe.watch("n"):
            pipe.incr("n")
            assert (1,) == pipe.execute()
        assert (1,) == pipe.results
        with pytest.raises(RuntimeError, match="watched no more"):
            with pipe.watch("n"):
                pipe.execute()
                pipe.incr("n")
        with pytest.raises(RuntimeError, match="watched no more"):
            with pipe.watch("n"):
                pipe.execute()
                pipe.incr("n")
                pipe.execute()
        assert b"1" == client.get("n")
        pipe.incr("n")
        assert (2,) == pipe.execute()

    def test_used_after_a_conflict(self, client: Redis[bytes]) -> None:
        """
        The block is over, so what is queued next is an ordinary transaction.
        """
        pipe = client.pipeline()
        with pytest.raises(WatchError):
            with pipe.watch("n"):
                client.set("n", 1)
                pipe.incr("n")
        pipe.incr("n")
        assert (2,) == pipe.execute()

    def test_nothing_queued(self, client: Redis[bytes]) -> None:
        """
        Looking is allowed.
        """
        with client.pipeline() as pipe, pipe.watch("n"):
            client.get("n")
        assert () == pipe.results

    def test_plain_pipeline(self, proxy: FaultProxy) -> None:
        """
        What is queued while watching is a transaction in any case.
        """
        with connect(proxy) as client, client.pipeline(transaction=False) as pipe, pipe.watch("n"):
            pipe.incr("n")
        sent = [words[0] for words in proxy.commands]
        assert [b"WATCH", b"MULTI", b"INCR", b"EXEC"] == sent[-4:]


class TestSize:
    @plain_and_transaction
    def test_many(self, proxy: FaultProxy, transaction: bool) -> None:
        """
        20,000 commands on one connection, each result in its place.
        """
        with connect(proxy) as client, client.pipeline(transaction) as pipe:
            handles = [pipe.echo(f"{number}") for number in range(20_000)]
        assert [f"{number}".encode() for number in range(20_000)] == [handle.result() for handle in handles]
        assert 1 == proxy.accepted

    def test_no_more_than_two_chunks_ahead(self, proxy: FaultProxy) -> None:
        """
        While the server's replies are held back, little is sent.
        """
        with connect(proxy) as client:
            client.ping()
            proxy.pause("to_client")
            pipe = client.pipeline(transaction=False)
            for number in range(20_000):
                pipe.echo(f"{number}")
            running = spawn(pipe.execute)
            until(lambda: echoes(proxy) >= 1000)
            sleep(0.1)
            sent = echoes(proxy)
            proxy.resume("to_client")
            running.join()

        assert 1000 <= sent <= 2000
        assert tuple(f"{number}".encode() for number in range(20_000)) == pipe.results

    def test_large_values(self, client: Redis[bytes]) -> None:
        """
        Replies far larger than the requests arrive whole.
        """
        client.set("k", b"x" * 1_000_000)
        with client.pipeline(transaction=False) as pipe:
            handles = [pipe.get("k") for _ in range(20)]
        assert {1_000_000} == {len(handle.result() or b"") for handle in handles}

    def test_beside_others(self, client: Redis[bytes]) -> None:
        """
        Pipelines and single commands at the same time: nobody gets what is another's.
        """

        def many(name: str, transaction: bool) -> bool:
            with client.pipeline(transaction) as pipe:
                for number in range(3000):
                    pipe.echo(f"{name} {number}")
            return tuple(f"{name} {number}".encode() for number in range(3000)) == pipe.results

        running = [spawn(lambda name=name, kind=kind: many(name, kind)) for name, kind in [("a", False), ("b", True)]]
        running.append(spawn(lambda: many("c", False)))
        for number in range(200):
            assert f"{number}".encode() == client.echo(f"{number}")
        assert [True, True, True] == [handle.join() for handle in running]


class TestBlocking:
    def test_longer_than_the_time_limit(self, server: Server) -> None:
        """
        The time that blocking commands ask for is granted on top of ``stream_timeout``, to all of them together. (A server
        looks for those whose time is up every 100 ms, so each may take so much longer.)
        """
        with connect(server, stream_timeout=0.7) as client:
            with client.pipeline(transaction=False) as pipe:
                before = pipe.set("k", "v")
                first = pipe.xread({"s": "$"}, block=400)
                second = pipe.blpop(["l"], 0.4)
                after = pipe.get("k")
            assert (True, None, None, b"v") == pipe.results
            assert before.result() and after.result()
            assert first.result() is second.result() is None

    def test_others_are_not_held_up(self, client: Redis[bytes]) -> None:
        """
        A pipeline that blocks has a connection of its own, and sees what others add meanwhile.
        """
        pipe = client.pipeline(transaction=False)
        read, length = pipe.xread({"s": "0"}, block=10_000), pipe.xlen("s")
        running = spawn(pipe.execute)
        sleep(0.05)
        assert not running.done
        client.xadd("s", {"f": "v"}, identifier="1-0")
        running.join()

        assert [b"s"] == list(read.result() or {})
        assert 1 == length.result()

    def test_wait_behind_a_write(self, proxy: FaultProxy) -> None:
        """
        WAIT speaks of the writes of its own connection, so it goes where they went.
        """
        with connect(proxy, stream_timeout=1) as client, client.pipeline(transaction=False) as pipe:
            entry, replicas = pipe.xadd("s", {"f": "v"}), pipe.wait(1, 1200)
        assert entry.result()
        assert 0 == replicas.result()
        (connection,) = proxy.connections
        assert [b"XADD", b"WAIT"] == [words[0] for words in connection.commands][-2:]

    def test_in_a_transaction(self, server: Server) -> None:
        """
        Nothing blocks there: the server answers at once.
        """
        with connect(server, stream_timeout=0.5) as client, client.pipeline() as pipe:
            read = pipe.xread({"s": "$"}, block=0)
        assert read.result() is None


class TestConnections:
    def test_one_connection(self, server: Server) -> None:
        """
        Transactions, blocking pipelines and ordinary commands take turns on it.
        """
        with connect(server, max_connections=1, pool_timeout=2) as client:
            for count in range(1, 4):
                with client.pipeline() as pipe:
                    number = pipe.incr("n")
                assert count == number.result()
                assert client.set("k", count)

    def test_watching_takes_one_more(self, server: Server) -> None:
        """
        While one is watched on, reading needs another; that there is none is said in time.
        """
        with connect(server, max_connections=1, pool_timeout=0.05) as client:
            pipe = client.pipeline()
            with pytest.raises(PoolTimeoutError, match="max_connections"):
                with pipe.watch("n"):
                    client.get("n")
            assert client.get("n") is None

    def test_given_back(self, proxy: FaultProxy) -> None:
        """
        One transaction after the other uses the same connection, failures included.
        """
        with connect(proxy) as client:
            for _ in range(5):
                with client.pipeline(raise_on_error=False) as pipe:
                    pipe.set("k", "v")
                    pipe.xlen("k")
                with pytest.raises(WatchError):
                    with pipe.watch("k"), connect(proxy) as other:
                        other.set("k", "w")
        assert 6 == proxy.accepted


def redis_pair(redis: Redis[Any]) -> tuple[object, ...]:
    with redis.pipeline() as pipe:
        pipe.set("k", "v")
        pipe.get("k")
    return pipe.results
