# Generated from tests/_async/test_giving_up.py by scripts/generate.py: edit that file, not this one.
"""
An entry that was delivered too often is given up: to a stream of dead letters, or to the application.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import ReplyError, WrongTypeError
from coredis.types import DeadLetter
from tests._sync.streams import HOUR, MINUTE, deliver, fill, grow_old, identifiers, numbered, pending, take
from tests.support.blocking import Redis, connect, text
from tests.support.proxy import FaultProxy
from tests.support.servers import Server, requires


class Failure(Exception):
    """
    What goes wrong in these tests.
    """


def consumer_of(client: Redis[Any], most: int = 2, **options: Any) -> Any:
    """
    Make a member that gives up after so many deliveries, and begins with its backlog.
    """
    options = {"dead_letter": "dead", "start_from_backlog": True, "buffer_size": 9, **options}
    return client.xconsumer(["a"], group="g", consumer="c", max_deliveries=most, **options)


def test_after_so_many_deliveries(redis: Redis[Any]) -> None:
    """
    By the count of the server, which restarts of the consumer do not reset: the entry goes to the dead letters with what is
    known of it, and is pending no more.
    """
    redis.xgroup_create("a", "g", "0", mkstream=True)
    redis.xadd("a", [("f", "1"), ("g", "2"), ("f", "3")], identifier="1-0")
    consumer = consumer_of(redis)
    for failure in (Failure, ValueError):
        with consumer:
            stream, entry = consumer.get_entry()
            with pytest.raises(failure):
                with consumer.processing(stream, entry):
                    raise failure
    assert 2 == consumer.statistics.delivered
    fill(redis, "a", 2, 2)

    with consumer:
        assert [text(redis, "2-0")] == identifiers(consumer)

    (letter,) = redis.xrange("dead")
    about = ("stream", "a"), ("identifier", "1-0"), ("group", "g"), ("consumer", "c"), ("deliveries", "2")
    fields = [*((f"dead-letter-{name}", value) for name, value in about), ("dead-letter-error", "ValueError")]
    assert [
        (text(redis, name), text(redis, value)) for name, value in [*fields, ("f", "1"), ("g", "2"), ("f", "3")]
    ] == list(letter.pairs)
    assert 1 == (redis.xpending("a", "g")).pending
    assert (1, 3) == (consumer.statistics.dead_lettered, consumer.statistics.delivered)


def test_to_the_application(redis: Redis[Any]) -> None:
    """
    A function gets the same; when it comes back the entry is acknowledged.
    """
    letters: list[DeadLetter[Any]] = []
    deliver(redis, "c", 1, 1)
    consumer = consumer_of(redis, 1, dead_letter=letters.append)

    assert [] == identifiers(consumer)

    (letter,) = letters
    stream, entry, *others = letter
    assert (text(redis, "a"), text(redis, "1-0"), {text(redis, "number"): text(redis, "1")}) == (
        stream,
        entry.identifier,
        entry.field_values,
    )
    assert ["g", "c", 1, ""] == others
    assert 0 == (redis.xpending("a", "g")).pending
    assert 1 == consumer.statistics.dead_lettered


def test_the_applications_function_fails(client: Redis[Any]) -> None:
    """
    Its error is the application's; the entry stays pending and is tried again when others have been served.
    """
    letters: list[DeadLetter[bytes]] = []

    def bury(letter: DeadLetter[bytes]) -> None:
        letters.append(letter)
        if len(letters) < 3:
            raise Failure

    deliver(client, "c", 1, 1)
    fill(client, "a", 2, 2)
    consumer = consumer_of(client, 1, dead_letter=bury)
    for _ in range(2):
        with pytest.raises(Failure):
            consumer.get_entry()
    assert b"1-0" in pending(client)

    assert [b"2-0"] == take(consumer)
    assert 2 == len(letters)
    assert [] == identifiers(consumer)

    assert [b"1-0"] * 3 == [letter.entry.identifier for letter in letters]
    assert {b"2-0": (b"c", 1)} == pending(client)
    assert 1 == consumer.statistics.dead_lettered


def test_a_function_that_always_fails(client: Redis[Any]) -> None:
    """
    It keeps nothing else from being served: neither what is pending nor what is new. Each entry has its turn with it.
    """
    told: list[bytes] = []

    def fail(letter: DeadLetter[bytes]) -> None:
        told.append(letter.entry.identifier)
        raise Failure

    deliver(client, "c", 1, 5)
    grow_old(client, "c", 1, 2, retrycount=7)
    fill(client, "a", 6, 7)
    consumer = consumer_of(client, 5, dead_letter=fail)

    served: list[bytes] = []
    for _ in range(9):
        try:
            served += take(consumer)
        except Failure:
            pass

    assert (numbered(3, 7), 0) == (served, consumer.statistics.dead_lettered)
    assert set(numbered(1, 2)) == set(told)


@pytest.mark.parametrize("buffer_size", [0, 9])
def test_taken_over_too_often(client: Redis[Any], buffer_size: int) -> None:
    """
    An entry that kills each member that gets it is given up by whoever takes it over, and does not hide the entries behind it.
    """
    deliver(client, "dead", 1, 4)
    grow_old(client, "dead", 1, 4)
    for number in (1, 3):
        grow_old(client, "dead", number, number, retrycount=5)
    fill(client, "a", 5, 6)
    consumer = consumer_of(client, 5, claim_idle=MINUTE, start_from_backlog=False, buffer_size=buffer_size)

    assert [b"2-0", b"4-0", b"5-0", b"6-0"] == sorted(identifiers(consumer))

    letters = client.xrange("dead")
    assert numbered(1, 3)[::2] == [letter.field_values[b"dead-letter-identifier"] for letter in letters]
    assert [b"5"] * 2 == [letter.field_values[b"dead-letter-deliveries"] for letter in letters]
    assert {b"2-0", b"4-0", b"5-0", b"6-0"} == set(pending(client))
    assert (2, 4) == (consumer.statistics.dead_lettered, consumer.statistics.delivered)


@pytest.mark.parametrize("swallowed", ["EXEC", "XPENDING"])
def test_an_unknown_outcome_is_found_out(proxy: FaultProxy, swallowed: str) -> None:
    """
    The reply to giving up, or to the question before it, is lost: there is exactly one dead letter.
    """
    with connect(proxy) as client:
        deliver(client, "c", 1, 3)
        consumer = consumer_of(client, 1, timeout=2000)
        with consumer:
            proxy.swallow(command=swallowed)
            fill(client, "a", 4, 4)

            assert [b"4-0"] == take(consumer)

        letters = client.xrange("dead")
        assert numbered(1, 3) == [letter.field_values[b"dead-letter-identifier"] for letter in letters]
        assert 3 == consumer.statistics.dead_lettered
        assert {b"4-0": (b"c", 1)} == pending(client)


def test_a_lost_reply_is_no_delivery(proxy: FaultProxy) -> None:
    """
    The server counts a reply that this session has lost; what was in it is given out all the same, and given up later.
    """
    with connect(proxy) as client:
        client.xgroup_create("a", "g", "$", mkstream=True)
        fill(client, "a", 1, 3)
        consumer = consumer_of(client, 1, timeout=5000, start_from_backlog=False)
        with consumer:
            proxy.swallow(command="XREADGROUP")

            assert numbered(1, 3) == take(consumer, 3)

            assert 1 == consumer.statistics.reconnects
            assert 0 == consumer.statistics.dead_lettered
        assert [] == identifiers(consumer_of(client, 1))
        assert 3 == client.xlen("dead")


def test_a_cut_reply_is_no_delivery(client: Redis[Any]) -> None:
    """
    Nor is one that was cut because it was too large: the entries come again in smaller pieces, and none is a dead letter.
    """
    client.xgroup_create("a", "g", "$", mkstream=True)
    for number in range(1, 61):
        client.xadd("a", {"data": "x" * 100_000}, identifier=f"{number}-0")
    consumer = consumer_of(client, 1, buffer_size=59, start_from_backlog=False, max_reply_bytes=1_000_000)

    assert numbered(1, 60) == identifiers(consumer)

    assert 0 == consumer.statistics.dead_lettered


def test_an_unknown_acknowledgement(proxy: FaultProxy) -> None:
    """
    The application was told, and the reply to the acknowledgement is lost: it is not told again.
    """
    letters: list[DeadLetter[bytes]] = []
    with connect(proxy) as client:
        deliver(client, "c", 1, 1)
        consumer = consumer_of(client, 1, dead_letter=letters.append, timeout=100)
        proxy.swallow(command="XACK")

        assert [] == identifiers(consumer)

        assert 1 == len(letters) == consumer.statistics.dead_lettered
        assert {} == pending(client)
        consumer.close()


def test_acknowledged_while_it_is_judged(client: Redis[Any]) -> None:
    """
    By somebody else: it is neither served nor given up, nor counted as if it had been.
    """
    told: list[bytes] = []

    def fail(letter: DeadLetter[bytes]) -> None:
        told.append(letter.entry.identifier)
        raise Failure

    deliver(client, "c", 1, 2)
    consumer = consumer_of(client, 1, dead_letter=fail)
    with pytest.raises(Failure):
        consumer.get_entry()
    client.xack("a", "g", numbered(1, 1))

    with pytest.raises(Failure):
        consumer.get_entry()

    assert (numbered(1, 2), 0) == (told, consumer.statistics.dead_lettered)


def test_taken_over_while_it_is_judged(client: Redis[Any]) -> None:
    """
    Giving up did not reach the server, and somebody else has the entry by now: it is the other's to give up.
    """
    deliver(client, "c", 1, 1)
    consumer = consumer_of(client, 1, dead_letter="{a}dead")
    client.execute_command("ACL", "SETUSER", "default", "-exec")
    with pytest.raises(ReplyError):
        consumer.get_entry()
    client.execute_command("ACL", "SETUSER", "default", "+exec")
    client.xclaim("a", "g", "d", 0, ["1-0"], justid=True)

    assert [] == identifiers(consumer)

    assert 0 == consumer.statistics.dead_lettered
    assert ({b"1-0": (b"d", 2)}, 0) == (pending(client), client.xlen("{a}dead"))


def test_with_deleting(client: Redis[Any]) -> None:
    """
    What is given up is deleted from its stream where acknowledging does that.
    """
    deliver(client, "c", 1, 2)
    client.xack("a", "g", ["2-0"])

    assert [] == identifiers(consumer_of(client, 1, ack="delete"))

    assert [b"2-0"] == [entry.identifier for entry in client.xrange("a")]
    assert (1, {}) == (client.xlen("dead"), pending(client))


@pytest.mark.parametrize("ack", ["acknowledge", "delete"])
def test_a_letter_that_cannot_be_written(client: Redis[Any], ack: str) -> None:
    """
    Where the destination is no stream, the error is told, and the entry is neither acknowledged nor deleted.
    """
    deliver(client, "c", 1, 1)
    client.set("dead", "no stream")
    consumer = consumer_of(client, 1, ack=ack)

    for _ in range(2):
        with pytest.raises(WrongTypeError):
            consumer.get_entry()

    assert ([b"1-0"], 1) == (list(pending(client)), client.xlen("a"))
    client.delete(["dead"])
    assert [] == identifiers(consumer)
    assert (1, 1) == (client.xlen("dead"), consumer.statistics.dead_lettered)


def test_deleting_keeps_what_another_group_needs(client: Redis[Any], server: Server) -> None:
    """
    Where the server knows which groups still need an entry, giving it up deletes it only when no other one does.
    """
    requires(server, "redis-8.2", feature="XACKDEL")
    deliver(client, "c", 1, 1)
    client.xgroup_create("a", "other", "0")

    assert [] == identifiers(consumer_of(client, 1, ack="delete"))

    assert (1, 1, {}) == (client.xlen("a"), client.xlen("dead"), pending(client))


def test_an_interrupted_session_gives_up_later(client: Redis[Any]) -> None:
    """
    Delivered for the last time and never acknowledged: the next session gives it up, and tells of no error.
    """
    deliver(client, "c", 1, 1)
    assert [b"1-0"] == take(consumer_of(client))

    assert [] == identifiers(consumer_of(client))

    (letter,) = client.xrange("dead")
    assert (b"2", b"") == (letter.field_values[b"dead-letter-deliveries"], letter.field_values[b"dead-letter-error"])


def test_what_was_deleted_is_told(redis: Redis[Any]) -> None:
    """
    Pending entries that no longer exist are told of once, each, and acknowledged away.
    """
    told: list[tuple[Any, Any]] = []
    deliver(redis, "c", 1, 4)
    redis.xdel("a", ["1-0", "3-0"])
    consumer = redis.xconsumer(
        ["a"], group="g", consumer="c", start_from_backlog=True, on_deleted=lambda *what: told.append(what)
    )

    assert [text(redis, "2-0"), text(redis, "4-0")] == identifiers(consumer)

    assert [(text(redis, "a"), text(redis, identifier)) for identifier in ("1-0", "3-0")] == told
    assert 2 == consumer.statistics.deleted_seen
    assert 2 == (redis.xpending("a", "g")).pending


def test_what_was_deleted_among_what_is_given_up(client: Redis[Any]) -> None:
    """
    It is neither served nor a dead letter: there is nothing left of it.
    """
    deliver(client, "c", 1, 3)
    client.xdel("a", ["2-0"])
    consumer = consumer_of(client, 1, claim_idle=HOUR)

    assert [] == identifiers(consumer)

    assert (2, 1) == (consumer.statistics.dead_lettered, consumer.statistics.deleted_seen)
    assert {} == pending(client)


@pytest.mark.parametrize("stream", ["a", b"a"])
def test_dead_letters_cannot_go_where_they_come_from(client: Redis[Any], stream: Any) -> None:
    """
    They would come back and be given up for ever.
    """
    with pytest.raises(ValueError, match=r"dead_letter: .*a.* is read by this consumer"):
        consumer_of(client, 1, dead_letter=stream)


def test_where_dead_letters_go_is_not_added(client: Redis[Any]) -> None:
    """
    Neither later.
    """
    consumer = client.xconsumer(["a"], group="g", consumer="c", max_deliveries=1, dead_letter="dead")

    with pytest.raises(ValueError, match=r"stream: b'dead'"):
        consumer.add_stream(b"dead")
    assert {"a"} == consumer.streams
