# Generated from tests/_async/test_adding_many.py by scripts/generate.py: edit that file, not this one.
"""
Many entries added with one call: an outcome for each, also when the connection breaks in the middle.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis.exceptions import (
    CommandNotSupportedError,
    CommandSyntaxError,
    ConnectionError,
    OutOfMemoryError,
    RequestTimeoutError,
    StreamAdditionError,
    WrongTypeError,
)
from coredis.types import StreamAdditions
from tests.support.blocking import Interrupted, Redis, connect, gather, interrupted_after, sleep
from tests.support.proxy import FaultProxy
from tests.support.scripted import Reset, ScriptedServer, Silence

QUICK = RetryPolicy(base_delay=0.001, max_delay=0.002)
ADDED = b"$3\r\n1-1\r\n"
REMEMBERED = b"%2\r\n+idmp-duration\r\n:100\r\n+idmp-maxsize\r\n:100\r\n"


def numbered(count: int) -> list[dict[str, int]]:
    return [{"n": number} for number in range(count)]


def stored(client: Redis[bytes]) -> list[tuple[bytes, int]]:
    """
    Identifier and number of every entry there is.
    """
    return [(entry.identifier, int(entry.field_values[b"n"])) for entry in client.xrange("s")]


def check(additions: StreamAdditions[bytes], client: Redis[bytes]) -> None:
    """
    What is said to be added is there under that identifier, what is said not to be is not, and nothing is there twice.
    """
    entries = stored(client)
    there = {number: identifier for identifier, number in entries}
    assert len(there) == len(entries)
    known = {number: name for number, name in enumerate(additions.identifiers) if name is not None}
    assert known == {number: there[number] for number in known}
    assert not there.keys() & set(additions.not_added)
    assert there.keys() <= known.keys() | set(additions.unknown)
    assert additions.end == additions.added + len(additions.not_added) + len(additions.unknown)


class Struck(BaseException):
    """
    Comes out of an entry as KeyboardInterrupt may, which would end the event loop too.
    """


class TestOutcome:
    def test_identifiers_in_order(self, redis: Redis[Any]) -> None:
        """
        As the client decodes, and the entries are there in the order given, across batches.
        """
        additions = redis.xadd_many("s", numbered(2500))

        entries = redis.xrange("s")
        assert [entry.identifier for entry in entries] == list(additions.identifiers)
        assert list(range(2500)) == [int(next(iter(entry.field_values.values()))) for entry in entries]
        assert (2500, (), ()) == (additions.added, additions.not_added, additions.unknown)

    def test_kinds_of_entries(self, client: Redis[bytes]) -> None:
        """
        Mappings, pairs with repeated names, different fields, from any iterable.
        """
        entries = [{"a": "1"}, [("a", b"1"), ("a", 2.5)], {"a": 1, b"b": "ü"}]
        client.xadd_many("s", iter(entries))

        expected = [((b"a", b"1"),), ((b"a", b"1"), (b"a", b"2.5")), ((b"a", b"1"), (b"b", "ü".encode()))]
        assert expected == [entry.pairs for entry in client.xrange("s")]

    def test_no_entries(self, client: Redis[bytes]) -> None:
        """
        Nothing to do, and nothing done.
        """
        assert (0, (), {}) == client.xadd_many("s", [])
        assert 0 == client.exists(["s"])

    def test_options(self, client: Redis[bytes]) -> None:
        """
        Those of XADD hold for every entry.
        """
        client.xadd_many("s", numbered(20), trim_strategy="MAXLEN", threshold=5)
        absent = client.xadd_many("absent", numbered(3), nomkstream=True)

        assert [15, 16, 17, 18, 19] == [number for _, number in stored(client)]
        assert ((None,) * 3, 0, (0, 1, 2)) == (absent.identifiers, absent.added, absent.not_added)

    def test_large_values(self, client: Redis[bytes]) -> None:
        """
        A batch is bounded in bytes as well.
        """
        sizes: list[int] = []
        client.xadd_many(
            "s", ({"n": b"x" * 100_000} for _ in range(8)), on_batch=lambda batch: sizes.append(batch.added)
        )

        assert (8, 8) == (sum(sizes), client.xlen("s"))
        assert max(sizes) <= 3

    def test_told_batch_by_batch(self, client: Redis[bytes]) -> None:
        """
        Nothing is kept that was told, and not much is taken before it is told: there may be no end to the entries.
        """
        told: list[StreamAdditions[bytes]] = []
        most, taken = 0, 0

        def entries() -> Iterator[dict[str, int]]:
            nonlocal most, taken
            for taken in range(10_000):
                most = max(most, taken - (told[-1].end if told else 0))
                yield {"n": taken}

        additions = client.xadd_many("s", entries(), on_batch=told.append)

        assert (10_000, (), {}) == additions
        assert [batch.end for batch in told[:-1]] == [batch.first for batch in told[1:]]
        assert [identifier for identifier, _ in stored(client)] == [
            identifier for batch in told for identifier in batch.identifiers
        ]
        assert most <= 2000


class TestErrors:
    def test_refused_by_the_server(self, client: Redis[bytes]) -> None:
        """
        Each entry that was sent has the server's error, the exception tells the first one, and nothing more is taken.
        """
        client.set("s", "text")
        entries = iter(numbered(10_000))

        with pytest.raises(StreamAdditionError, match=r"entries not added: 2000, unknown: 0; .*WRONGTYPE") as caught:
            client.xadd_many("s", entries)

        additions = caught.value.additions
        assert [WrongTypeError] * 2000 == [type(error) for error in additions.errors.values()]
        assert tuple(range(2000)) == additions.not_added
        assert not caught.value.may_have_run

    def test_entry_that_cannot_be_encoded(self, client: Redis[bytes]) -> None:
        """
        What comes before it is added, the entry is named, and nothing after it is sent.
        """
        entries: list[Any] = numbered(2100)
        entries[1500] = {"n": None}

        with pytest.raises(StreamAdditionError, match=r"value of field 'n' of entries\[1500\], got NoneType") as caught:
            client.xadd_many("s", entries)

        additions = caught.value.additions
        assert isinstance(caught.value.__cause__, TypeError)
        assert (1500, 1500, ()) == (additions.added, additions.not_added[0], additions.unknown)
        check(additions, client)

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({}, r"field_values: expected at least one field, got none for entries\[1\]"),
            (5, r"field_values: expected a mapping or pairs, got int for entries\[1\]"),
            ([("a",)], r"field_values: expected pairs .* for entries\[1\]"),
            ({None: 1}, r"name of a field of entries\[1\], got NoneType"),
            ({"a": "\ud800"}, r"value of field 'a' of entries\[1\]"),
        ],
    )
    def test_what_is_wrong_with_an_entry(self, client: Redis[bytes], entry: Any, message: str) -> None:
        """
        It is said for an entry as for the arguments of a command.
        """
        with pytest.raises(StreamAdditionError, match=message) as caught:
            client.xadd_many("s", [{"n": 0}, entry, {"n": 2}])

        assert (1, (1,)) == (caught.value.additions.added, caught.value.additions.not_added[:1])
        assert 1 == client.xlen("s")

    @pytest.mark.parametrize("number", [1, 1500])
    def test_entry_that_fails(self, client: Redis[bytes], number: int) -> None:
        """
        It is an entry that cannot be encoded, whatever it raises.
        """

        def pairs() -> Iterator[tuple[str, int]]:
            yield "a", 1
            raise LookupError("no such column")

        entries: list[Any] = [*numbered(number), pairs(), {"n": 9}]
        with pytest.raises(StreamAdditionError, match=rf"the first is entries\[{number}\]: no such column") as caught:
            client.xadd_many("s", entries)

        additions = caught.value.additions
        assert isinstance(caught.value.__cause__, LookupError)
        assert [f"xadd_many: raised by entries[{number}]"] == caught.value.__cause__.__notes__
        assert (number, (number, number + 1), ()) == (additions.added, additions.not_added, additions.unknown)
        check(additions, client)

    def test_entry_that_can_be_read_once(self, client: Redis[bytes]) -> None:
        """
        What is wrong with it is said all the same.
        """
        with pytest.raises(StreamAdditionError, match=r"value of field 'b' of entries\[0\], got object"):
            client.xadd_many("s", [iter([("a", 1), ("b", object())])])  # type: ignore[list-item]

    def test_iterable_that_fails(self, client: Redis[bytes]) -> None:
        """
        What it gave before is added, and its exception is raised.
        """

        def entries() -> Iterator[dict[str, int]]:
            yield from numbered(1200)
            raise LookupError("no more")

        with pytest.raises(LookupError, match="no more") as caught:
            client.xadd_many("s", entries())

        assert ["xadd_many: of 1200 entries taken 0 were not added and 0 may have been"] == caught.value.__notes__
        assert list(range(1200)) == [number for _, number in stored(client)]

    def test_function_that_fails(self, client: Redis[bytes]) -> None:
        """
        Its exception is raised and says how far it came; it is told of each entry once all the same.
        """
        told: list[StreamAdditions[bytes]] = []

        def tell(batch: StreamAdditions[bytes]) -> None:
            told.append(batch)
            if len(told) == 1:
                raise LookupError("enough")

        with pytest.raises(LookupError) as caught:
            client.xadd_many("s", numbered(5000), on_batch=tell)

        # Those of the second batch may have been answered by then, or not.
        unknown = len(told[-1].unknown)
        assert [
            f"xadd_many: of 2000 entries taken 0 were not added and {unknown} may have been"
        ] == caught.value.__notes__
        assert [(0, 1000), (1000, 2000)] == [(batch.first, batch.end) for batch in told]
        assert b"PONG" == client.ping()

    def test_interrupted_before_a_batch_is_written(self, client: Redis[bytes]) -> None:
        """
        A batch that waits to be written with the commands of others is not said to be unsent: it is sent all the same.
        """
        told: list[StreamAdditions[bytes]] = []
        caught: list[Struck] = []

        def pairs() -> Iterator[tuple[str, int]]:
            yield "n", 1000
            raise Struck

        def add() -> None:
            entries: list[Any] = [*numbered(1000), pairs()]
            try:
                client.xadd_many("s", entries, on_batch=told.append)
            except Struck as error:
                caught.append(error)

        client.ping()
        gather(client.ping, add)

        assert 1 == len(caught)
        assert [(0, 1001)] == [(batch.first, batch.end) for batch in told]
        there = {number for _, number in stored(client)}
        assert not there & set(told[0].not_added)

    def test_wrong_arguments(self, client: Redis[bytes]) -> None:
        """
        Nothing is sent.
        """
        wrong: Any = {"n": 1}
        with pytest.raises(TypeError, match="entries: expected several entries, got dict"):
            client.xadd_many("s", wrong)
        with pytest.raises(TypeError, match="on_batch: expected a function, got dict"):
            client.xadd_many("s", [wrong], on_batch=wrong)
        with pytest.raises(CommandSyntaxError, match="threshold"):
            client.xadd_many("s", numbered(3), threshold=5)

        assert 0 == client.exists(["s"])

    def test_option_the_server_lacks(self, redis: Redis[Any]) -> None:
        """
        A producer's name is known to Redis 8.6 only; an entry is not added twice there.
        """
        if redis.supports("XADD", "IDMPAUTO"):
            first = redis.xadd_many("s", numbered(80), idmpauto="producer")
            again = redis.xadd_many("s", numbered(80), idmpauto="producer")
            assert (first.identifiers, 80) == (again.identifiers, redis.xlen("s"))
        else:
            with pytest.raises(StreamAdditionError) as caught:
                redis.xadd_many("s", numbered(3), idmpauto="producer")
            assert {CommandNotSupportedError} == set(map(type, caught.value.additions.errors.values()))

    def test_exception_can_be_pickled(self, client: Redis[bytes]) -> None:
        """
        With the outcome it carries.
        """
        with pytest.raises(StreamAdditionError) as caught:
            client.xadd_many("s", [{}])

        copy = pickle.loads(pickle.dumps(caught.value))
        assert (str(caught.value), (0,)) == (str(copy), copy.additions.not_added)


class TestOrder:
    def test_refused_for_a_while(self) -> None:
        """
        Everything from the first refused entry on is sent again, in order.
        """
        answers = [ADDED, *[b"-LOADING wait\r\n"] * 4, *[ADDED] * 4]
        with ScriptedServer(answers) as server:
            with connect(server, retry_policy=QUICK) as client:
                assert 5 == (client.xadd_many("s", numbered(5))).added
            assert [0, 1, 2, 3, 4, 1, 2, 3, 4] == [int(words[4]) for words in server.commands]

    def test_others_got_through(self) -> None:
        """
        A refused entry is not sent again when one after it was added: it would come too late.
        """
        with ScriptedServer([ADDED, b"-LOADING wait\r\n", ADDED]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(StreamAdditionError) as caught:
                    client.xadd_many("s", numbered(3))

            assert 3 == len(server.commands)
        assert (2, (1,), ()) == (
            caught.value.additions.added,
            caught.value.additions.not_added,
            caught.value.additions.unknown,
        )

    def test_nothing_follows_an_error(self) -> None:
        """
        Beyond what was in flight.
        """
        count = 0

        def answer(_: list[bytes]) -> bytes:
            nonlocal count
            count += 1
            return b"-OOM no\r\n" if count == 500 else ADDED

        with ScriptedServer(answer) as server:
            with connect(server) as client:
                with pytest.raises(StreamAdditionError) as caught:
                    client.xadd_many("s", numbered(9000))

        assert {499: OutOfMemoryError} == {n: type(error) for n, error in caught.value.additions.errors.items()}
        assert 2000 == count == caught.value.additions.end


class TestLostConnection:
    def test_cut_after_every_byte(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        Of the replies to three entries.
        """
        with connect(proxy) as faulty:
            cut, count = True, 0
            while cut:
                client.delete(["s"])
                faulty.ping()
                proxy.cut_after(count, command="XADD")
                try:
                    additions = faulty.xadd_many("s", numbered(3))
                    cut = False
                except StreamAdditionError as error:
                    additions = error.additions  # type: ignore[assignment]
                assert all(isinstance(error, ConnectionError) for error in additions.errors.values())
                check(additions, client)
                assert 3 == additions.end
                count += 1
        assert 40 < count < 110

    @pytest.mark.parametrize("kept", [0, 999, 1000, 2500])
    def test_cut_in_the_middle(self, client: Redis[bytes], proxy: FaultProxy, kept: int) -> None:
        """
        Of several batches.
        """
        with connect(proxy) as faulty:
            identifier = faulty.xadd("s", {"n": -1})
            assert identifier is not None
            client.delete(["s"])
            proxy.cut_after(len(b"$%d\r\n%b\r\n" % (len(identifier), identifier)) * kept + 3)
            with pytest.raises(StreamAdditionError) as caught:
                faulty.xadd_many("s", numbered(5000))
            assert b"PONG" == faulty.ping()

        additions: Any = caught.value.additions
        check(additions, client)
        assert additions.unknown
        assert additions.added <= kept + 1
        assert additions.end <= kept + 3000

    def test_no_answer_in_time(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        What was sent is unknown, the rest is not taken, and the connection is used no more.
        """
        with connect(proxy, stream_timeout=0.3) as faulty:
            faulty.ping()
            proxy.pause("to_client")
            with pytest.raises(StreamAdditionError) as caught:
                faulty.xadd_many("s", numbered(5000))

        additions = caught.value.additions
        assert isinstance(caught.value.__cause__, RequestTimeoutError)
        assert (0, tuple(range(2000)), 2000) == (additions.added, additions.unknown, additions.end)

    def test_between_two_batches(self) -> None:
        """
        The first batch is answered and stays known although the second one ends in garbage.
        """
        count = 0

        def answer(_: list[bytes]) -> bytes | Silence:
            nonlocal count
            count += 1
            return ADDED if count <= 1000 else b"?\r\n" if count == 1500 else Silence()

        with ScriptedServer(answer) as server:
            with connect(server) as client:
                with pytest.raises(StreamAdditionError) as caught:
                    client.xadd_many("s", numbered(3000))

        additions = caught.value.additions
        assert 1000 == additions.added
        assert set(range(1000, 2000)) <= set(additions.unknown)

    def test_server_is_not_there(self) -> None:
        """
        Nothing was sent, and that is known.
        """
        with ScriptedServer([]) as server:
            client = connect(server, retry_policy=QUICK)
        with client:
            with pytest.raises(StreamAdditionError) as caught:
                client.xadd_many("s", numbered(3))

        assert isinstance(caught.value.__cause__, ConnectionError)
        assert ((0, 1, 2), False) == (caught.value.additions.not_added, caught.value.may_have_run)

    def test_ended_while_the_entries_paused(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        A connection that the server ended while there was nothing to send carried nothing, so another one is taken.
        """

        class Pausing:
            number = -1

            def __iter__(self) -> Pausing:
                return self

            def __next__(self) -> dict[str, int]:
                self.number += 1
                if self.number == 3:
                    proxy.end_all()
                if self.number in (1, 3):
                    sleep(0.1)
                if self.number == 4:
                    raise StopIteration
                return {"n": self.number}

        with connect(proxy, retry_policy=QUICK) as faulty:
            additions = faulty.xadd_many("s", Pausing())

        assert 4 == additions.added
        assert list(range(4)) == [number for _, number in stored(client)]

    def test_interrupted(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        What is known by then is told, what was sent is unknown, and the next command gets its own reply.
        """
        told: list[StreamAdditions[bytes]] = []
        with connect(proxy) as faulty:
            faulty.ping()
            proxy.pause("to_client")
            with pytest.raises(Interrupted):
                interrupted_after(0.2, lambda: faulty.xadd_many("s", numbered(5000), on_batch=told.append))
            proxy.resume()
            assert b"PONG" == faulty.ping()

        (batch,) = told
        assert (0, 0, 2000) == (batch.first, batch.added, len(batch.unknown))


class TestRememberedByTheServer:
    def test_replies_are_lost(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        Batches are sent again by themselves, and make one entry of each.
        """
        if not client.supports("XADD", "IDMPAUTO"):
            pytest.skip("this server remembers no producers")
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.ping()
            for nth in (1, 40, 70):
                proxy.swallow(nth, command="XADD")
                additions = faulty.xadd_many("s", ({"n": nth * 1000 + n} for n in range(100)), idmpauto="p")
                assert 100 == additions.added

        assert 3 == proxy.struck
        assert [nth * 1000 + n for nth in (1, 40, 70) for n in range(100)] == [
            number for _, number in stored(client)
        ]

    def test_the_server_may_have_forgotten(self) -> None:
        """
        Then the batch is not sent again.
        """
        forgetful = REMEMBERED.replace(b"maxsize\r\n:100", b"maxsize\r\n:2")
        with ScriptedServer([ADDED, Silence(), Reset(), forgetful]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(StreamAdditionError) as caught:
                    client.xadd_many("s", numbered(3), idmpauto="p")

            assert [b"XADD"] * 3 + [b"XINFO"] == [words[0] for words in server.commands]
        assert (1, (1, 2)) == (caught.value.additions.added, caught.value.additions.unknown)

    def test_lost_and_then_refused(self) -> None:
        """
        The second attempt was refused, so whether the first one made an entry stays unknown.
        """
        with ScriptedServer([Reset(), REMEMBERED, b"-OOM no\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(StreamAdditionError) as caught:
                    client.xadd_many("s", numbered(1), idmpauto="p")

        assert (0,) == caught.value.additions.unknown
