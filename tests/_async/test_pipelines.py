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
from tests._async.waiting import until
from tests.support.aio import Redis, connect, sleep, spawn, text
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

plain_and_transaction = pytest.mark.parametrize("transaction", [False, True], ids=["plain", "transaction"])
raising = pytest.mark.parametrize("raise_on_error", [False, True], ids=["quiet", "raising"])


def echoes(proxy: FaultProxy) -> int:
    return sum(words[0] == b"ECHO" for words in proxy.commands)


class TestResults:
    @plain_and_transaction
    async def test_typed(self, redis: Redis[Any], transaction: bool) -> None:
        """
        Each handle has what the client's method would have returned, in every decoding and both protocols.
        """
        async with redis.pipeline(transaction) as pipe:
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
        assert await redis.zrange("z", 0, -1, withscores=True) == members.result()

    @plain_and_transaction
    async def test_execute_returns_the_results(self, client: Redis[bytes], transaction: bool) -> None:
        """
        In the order of queueing; the end of the block then sends nothing more.
        """
        async with client.pipeline(transaction) as pipe:
            handles = [pipe.incr("n"), pipe.incrby("n", 10), pipe.get("n")]
            results = await pipe.execute()

        assert (1, 11, b"11") == results == pipe.results == tuple(handle.result() for handle in handles)
        assert b"11" == await client.get("n")

    @plain_and_transaction
    async def test_used_again(self, client: Redis[bytes], transaction: bool) -> None:
        """
        After an execution the pipeline is empty; what it gave stays.
        """
        pipe = client.pipeline(transaction)
        first = pipe.incr("n")
        assert (1,) == await pipe.execute()
        second = pipe.incr("n")
        assert (2,) == await pipe.execute()
        assert (1, 2) == (first.result(), second.result())

        async with pipe:
            third = pipe.incr("n")
        assert (3,) == pipe.results
        assert 3 == third.result()

    @plain_and_transaction
    async def test_empty(self, proxy: FaultProxy, transaction: bool) -> None:
        """
        Nothing queued, nothing sent.
        """
        async with connect(proxy) as client:
            async with client.pipeline(transaction) as pipe:
                assert pipe and not len(pipe)
            assert () == pipe.results == await pipe.execute()
        assert 0 == proxy.accepted

    async def test_before_execution(self, client: Redis[bytes]) -> None:
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
        assert () == await pipe.execute()

    async def test_on_the_wire(self, proxy: FaultProxy) -> None:
        """
        A plain pipeline is its commands; a transaction has MULTI and EXEC around them, which are tried once on a connection.
        """
        async with connect(proxy) as client:
            for transaction in (False, True, True):
                async with client.pipeline(transaction) as pipe:
                    pipe.incr("n")
                    pipe.incr("n")
        sent = [words[0] for words in proxy.commands if words[0] in (b"INCR", b"MULTI", b"EXEC")]
        tried, transaction = [b"MULTI", b"EXEC"], [b"MULTI", b"INCR", b"INCR", b"EXEC"]
        assert [b"INCR", b"INCR", *tried, *transaction, *transaction] == sent

    @plain_and_transaction
    async def test_exception_in_the_block(self, client: Redis[bytes], transaction: bool) -> None:
        """
        Discards what is queued.
        """
        with pytest.raises(ZeroDivisionError):
            async with client.pipeline(transaction) as pipe:
                handle = pipe.set("k", "v")
                raise ZeroDivisionError
        assert not handle.done()
        assert await client.get("k") is None

    @plain_and_transaction
    async def test_bad_argument(self, client: Redis[bytes], transaction: bool) -> None:
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
        assert (True, b"v") == await pipe.execute() == (before.result(), after.result())


class TestErrors:
    @plain_and_transaction
    @raising
    async def test_one_of_many(self, redis: Redis[Any], transaction: bool, raise_on_error: bool) -> None:
        """
        A command that fails fails alone: the others have run and their results are known.
        """
        pipe = redis.pipeline(transaction, raise_on_error=raise_on_error)
        first, wrong = pipe.set("k", "text"), pipe.xlen("k")
        number, last = pipe.incr("k"), pipe.get("k")
        if raise_on_error:
            with pytest.raises(WrongTypeError) as caught:
                await pipe.execute()
            assert wrong.error is caught.value
        else:
            await pipe.execute()
        assert (True, text(redis, "text")) == (first.result(), last.result())
        with pytest.raises(WrongTypeError):
            wrong.result()
        with pytest.raises(ResponseError, match="integer"):
            number.result()
        assert (True, wrong.error, number.error, text(redis, "text")) == pipe.results
        assert text(redis, "text") == await redis.get("k")

    @raising
    async def test_refused_when_queued(self, redis: Redis[Any], server: Server, raise_on_error: bool) -> None:
        """
        A command the server does not even queue discards the transaction: it has the reason, the others EXECABORT.
        """
        server.command("ACL", "SETUSER", "default", "-get")
        pipe = redis.pipeline(raise_on_error=raise_on_error)
        before, refused, after = pipe.set("k", "v"), pipe.get("k"), pipe.incr("n")
        if raise_on_error:
            with pytest.raises(ExecAbortError) as caught:
                await pipe.execute()
            assert refused.error is caught.value.__cause__
        else:
            await pipe.execute()

        assert isinstance(before.error, ExecAbortError)
        assert isinstance(after.error, ExecAbortError)
        assert refused.error is not None
        assert "NOPERM" == refused.error.code
        assert (before.error, refused.error, after.error) == pipe.results
        server.command("ACL", "SETUSER", "default", "+get")
        assert await redis.get("k") is None
        assert (True, text(redis, "v")) == await redis_pair(redis)

    @pytest.mark.parametrize("watching", [False, True], ids=["plain", "watching"])
    async def test_no_transactions_allowed(self, client: Redis[bytes], server: Server, watching: bool) -> None:
        """
        Where MULTI is refused nothing is executed: commands sent after it would be, at once and unguarded.
        """
        server.command("ACL", "SETUSER", "ann", "on", "nopass", "~*", "+@all", "-multi")
        async with connect(server, username="ann") as restricted:
            pipe = restricted.pipeline()
            for _ in range(2):
                with pytest.raises(AuthorizationError, match="multi"):
                    if watching:
                        async with pipe.watch("n"):
                            raise AssertionError("not reached")
                    else:
                        pipe.incr("n")
                        await pipe.execute()
            assert None is await restricted.get("n")

    async def test_transactions_not_allowed_any_more(self, client: Redis[bytes], server: Server) -> None:
        """
        Refused on a connection where it was allowed before: what the commands did is what their handles say.
        """
        server.command("ACL", "SETUSER", "ann", "on", "nopass", "~*", "+@all")
        async with connect(server, username="ann") as restricted:
            pipe = restricted.pipeline()
            pipe.incr("n")
            await pipe.execute()
            server.command("ACL", "SETUSER", "ann", "-multi")
            number, refused = pipe.incr("n"), pipe.lpush("n", ["x"])
            with pytest.raises(AuthorizationError, match="multi") as caught:
                await pipe.execute()
            assert ["MULTI was refused"] == [note[:17] for note in caught.value.__notes__]
            assert 2 == number.result()
            assert isinstance(refused.error, WrongTypeError)

            # While watching MULTI is answered before there is anything to execute, at any time.
            with pytest.raises(AuthorizationError, match="multi"):
                async with pipe.watch("n"):
                    raise AssertionError("not reached")

    async def test_the_server_lacks_a_command(self, client: Redis[bytes]) -> None:
        """
        As from the client: the version that has it is said; in a transaction as well.
        """
        if await client.supports("XCFGSET"):
            pytest.skip("this server has XCFGSET")
        await client.xadd("s", {"f": "v"})
        for transaction in (False, True):
            pipe = client.pipeline(transaction, raise_on_error=False)
            lacking, other = pipe.xcfgset("s", idmp_duration=10), pipe.xlen("s")
            await pipe.execute()

            assert isinstance(lacking.error, CommandNotSupportedError)
            assert ("XCFGSET", "Redis 8.6") == (lacking.error.command, lacking.error.version)
            if transaction:
                assert isinstance(other.error, ExecAbortError)
            else:
                assert 1 == other.result()

    @plain_and_transaction
    async def test_the_server_lacks_an_option(self, client: Redis[bytes], transaction: bool) -> None:
        """
        The option is named, and the error is raised at the end of the block.
        """
        if await client.supports("XADD", "IDMP"):
            pytest.skip("this server has XADD IDMP")
        with pytest.raises(CommandNotSupportedError, match=r"XADD IDMP needs Redis 8\.6"):
            async with client.pipeline(transaction) as pipe:
                before = pipe.set("k", "v")
                lacking = pipe.xadd("s", {"f": "v"}, idmp=("producer", "1"))
        assert isinstance(lacking.error, CommandNotSupportedError)
        assert before.result() is True
        assert not await client.xlen("s")


class TestWatch:
    async def test_unchanged(self, redis: Redis[Any]) -> None:
        """
        The transaction is executed at the end of the inner block, once.
        """
        await redis.set("n", 5)
        async with redis.pipeline() as pipe:
            async with pipe.watch("n", "other") as same:
                value = int(await redis.get("n") or 0)
                handle = pipe.set("n", value + 1)
                assert same is pipe
            assert handle.result() is True
        assert (True,) == pipe.results
        assert text(redis, "6") == await redis.get("n")

    @raising
    async def test_changed(self, client: Redis[bytes], raise_on_error: bool) -> None:
        """
        Nothing is executed, and that is an error whatever becomes of other errors.
        """
        with pytest.raises(WatchError):
            async with client.pipeline(raise_on_error=raise_on_error) as pipe, pipe.watch("n"):
                await client.set("n", 100)
                handle, other = pipe.set("n", 0), pipe.set("m", 0)
        assert isinstance(handle.error, WatchError)
        assert isinstance(other.error, WatchError)
        assert [b"100", None] == list(await client.mget(["n", "m"]))

    async def test_tried_again(self, client: Redis[bytes]) -> None:
        """
        The same pipeline can watch again.
        """
        pipe = client.pipeline()
        attempts = 0
        while True:
            try:
                async with pipe.watch("n"):
                    attempts += 1
                    if attempts < 3:
                        await client.incrby("n", 10)
                    pipe.incr("n")
                break
            except WatchError:
                pass
        assert 3 == attempts
        assert (21,) == pipe.results

    async def test_exception_inside(self, client: Redis[bytes]) -> None:
        """
        Discards what is queued; the keys are watched no more.
        """
        pipe = client.pipeline()
        with pytest.raises(ZeroDivisionError):
            async with pipe.watch("n"):
                pipe.set("n", 1)
                raise ZeroDivisionError
        await client.set("n", 7)
        pipe.incr("n")
        assert (8,) == await pipe.execute()

    async def test_twice(self, client: Redis[bytes]) -> None:
        """
        A second watch inside the first is refused, and so is one behind queued commands, or without a key.
        """
        pipe = client.pipeline()
        with pytest.raises(RuntimeError, match="already"):
            async with pipe.watch("a"), pipe.watch("b"):
                raise AssertionError("not reached")
        pipe.get("a")
        with pytest.raises(RuntimeError, match="queued"):
            pipe.watch("a")
        with pytest.raises(ValueError, match="keys"):
            pipe.watch()
        assert (None,) == await pipe.execute()

    async def test_executed_inside(self, client: Redis[bytes]) -> None:
        """
        That ends the transaction: what is queued after it would not be guarded, and is refused.
        """
        pipe = client.pipeline()
        async with pipe.watch("n"):
            pipe.incr("n")
            assert (1,) == await pipe.execute()
        assert (1,) == pipe.results
        with pytest.raises(RuntimeError, match="watched no more"):
            async with pipe.watch("n"):
                await pipe.execute()
                pipe.incr("n")
        with pytest.raises(RuntimeError, match="watched no more"):
            async with pipe.watch("n"):
                await pipe.execute()
                pipe.incr("n")
                await pipe.execute()
        assert b"1" == await client.get("n")
        pipe.incr("n")
        assert (2,) == await pipe.execute()

    async def test_used_after_a_conflict(self, client: Redis[bytes]) -> None:
        """
        The block is over, so what is queued next is an ordinary transaction.
        """
        pipe = client.pipeline()
        with pytest.raises(WatchError):
            async with pipe.watch("n"):
                await client.set("n", 1)
                pipe.incr("n")
        pipe.incr("n")
        assert (2,) == await pipe.execute()

    async def test_nothing_queued(self, client: Redis[bytes]) -> None:
        """
        Looking is allowed.
        """
        async with client.pipeline() as pipe, pipe.watch("n"):
            await client.get("n")
        assert () == pipe.results

    async def test_plain_pipeline(self, proxy: FaultProxy) -> None:
        """
        What is queued while watching is a transaction in any case.
        """
        async with connect(proxy) as client, client.pipeline(transaction=False) as pipe, pipe.watch("n"):
            pipe.incr("n")
        sent = [words[0] for words in proxy.commands]
        assert [b"WATCH", b"MULTI", b"INCR", b"EXEC"] == sent[-4:]


class TestSize:
    @plain_and_transaction
    async def test_many(self, proxy: FaultProxy, transaction: bool) -> None:
        """
        20,000 commands on one connection, each result in its place.
        """
        async with connect(proxy) as client, client.pipeline(transaction) as pipe:
            handles = [pipe.echo(f"{number}") for number in range(20_000)]
        assert [f"{number}".encode() for number in range(20_000)] == [handle.result() for handle in handles]
        assert 1 == proxy.accepted

    async def test_no_more_than_two_chunks_ahead(self, proxy: FaultProxy) -> None:
        """
        While the server's replies are held back, little is sent.
        """
        async with connect(proxy) as client:
            await client.ping()
            proxy.pause("to_client")
            pipe = client.pipeline(transaction=False)
            for number in range(20_000):
                pipe.echo(f"{number}")
            running = spawn(pipe.execute)
            await until(lambda: echoes(proxy) >= 1000)
            await sleep(0.1)
            sent = echoes(proxy)
            proxy.resume("to_client")
            await running.join()

        assert 1000 <= sent <= 2000
        assert tuple(f"{number}".encode() for number in range(20_000)) == pipe.results

    async def test_large_values(self, client: Redis[bytes]) -> None:
        """
        Replies far larger than the requests arrive whole.
        """
        await client.set("k", b"x" * 1_000_000)
        async with client.pipeline(transaction=False) as pipe:
            handles = [pipe.get("k") for _ in range(20)]
        assert {1_000_000} == {len(handle.result() or b"") for handle in handles}

    async def test_beside_others(self, client: Redis[bytes]) -> None:
        """
        Pipelines and single commands at the same time: nobody gets what is another's.
        """

        async def many(name: str, transaction: bool) -> bool:
            async with client.pipeline(transaction) as pipe:
                for number in range(3000):
                    pipe.echo(f"{name} {number}")
            return tuple(f"{name} {number}".encode() for number in range(3000)) == pipe.results

        running = [spawn(lambda name=name, kind=kind: many(name, kind)) for name, kind in [("a", False), ("b", True)]]
        running.append(spawn(lambda: many("c", False)))
        for number in range(200):
            assert f"{number}".encode() == await client.echo(f"{number}")
        assert [True, True, True] == [await handle.join() for handle in running]


class TestBlocking:
    async def test_longer_than_the_time_limit(self, server: Server) -> None:
        """
        The time that blocking commands ask for is granted on top of ``stream_timeout``, to all of them together. (A server
        looks for those whose time is up every 100 ms, so each may take so much longer.)
        """
        async with connect(server, stream_timeout=0.7) as client:
            async with client.pipeline(transaction=False) as pipe:
                before = pipe.set("k", "v")
                first = pipe.xread({"s": "$"}, block=400)
                second = pipe.blpop(["l"], 0.4)
                after = pipe.get("k")
            assert (True, None, None, b"v") == pipe.results
            assert before.result() and after.result()
            assert first.result() is second.result() is None

    async def test_others_are_not_held_up(self, client: Redis[bytes]) -> None:
        """
        A pipeline that blocks has a connection of its own, and sees what others add meanwhile.
        """
        pipe = client.pipeline(transaction=False)
        read, length = pipe.xread({"s": "0"}, block=10_000), pipe.xlen("s")
        running = spawn(pipe.execute)
        await sleep(0.05)
        assert not running.done
        await client.xadd("s", {"f": "v"}, identifier="1-0")
        await running.join()

        assert [b"s"] == list(read.result() or {})
        assert 1 == length.result()

    async def test_wait_behind_a_write(self, proxy: FaultProxy) -> None:
        """
        WAIT speaks of the writes of its own connection, so it goes where they went.
        """
        async with connect(proxy, stream_timeout=1) as client, client.pipeline(transaction=False) as pipe:
            entry, replicas = pipe.xadd("s", {"f": "v"}), pipe.wait(1, 1200)
        assert entry.result()
        assert 0 == replicas.result()
        (connection,) = proxy.connections
        assert [b"XADD", b"WAIT"] == [words[0] for words in connection.commands][-2:]

    async def test_in_a_transaction(self, server: Server) -> None:
        """
        Nothing blocks there: the server answers at once.
        """
        async with connect(server, stream_timeout=0.5) as client, client.pipeline() as pipe:
            read = pipe.xread({"s": "$"}, block=0)
        assert read.result() is None


class TestConnections:
    async def test_one_connection(self, server: Server) -> None:
        """
        Transactions, blocking pipelines and ordinary commands take turns on it.
        """
        async with connect(server, max_connections=1, pool_timeout=2) as client:
            for count in range(1, 4):
                async with client.pipeline() as pipe:
                    number = pipe.incr("n")
                assert count == number.result()
                assert await client.set("k", count)

    async def test_watching_takes_one_more(self, server: Server) -> None:
        """
        While one is watched on, reading needs another; that there is none is said in time.
        """
        async with connect(server, max_connections=1, pool_timeout=0.05) as client:
            pipe = client.pipeline()
            with pytest.raises(PoolTimeoutError, match="max_connections"):
                async with pipe.watch("n"):
                    await client.get("n")
            assert await client.get("n") is None

    async def test_given_back(self, proxy: FaultProxy) -> None:
        """
        One transaction after the other uses the same connection, failures included.
        """
        async with connect(proxy) as client:
            for _ in range(5):
                async with client.pipeline(raise_on_error=False) as pipe:
                    pipe.set("k", "v")
                    pipe.xlen("k")
                with pytest.raises(WatchError):
                    async with pipe.watch("k"), connect(proxy) as other:
                        await other.set("k", "w")
        assert 6 == proxy.accepted


async def redis_pair(redis: Redis[Any]) -> tuple[object, ...]:
    async with redis.pipeline() as pipe:
        pipe.set("k", "v")
        pipe.get("k")
    return pipe.results
