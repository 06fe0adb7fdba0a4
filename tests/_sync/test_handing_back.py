# Generated from tests/_async/test_handing_back.py by scripts/generate.py: edit that file, not this one.
"""
What one member of a group hands back, another one takes over.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from coredis.exceptions import AuthorizationError, ConnectionError
from tests._sync.streams import (
    HOUR,
    MINUTE,
    deliver,
    fill,
    hold_longer,
    identifiers,
    idle,
    leave_waiting,
    numbered,
    pending,
    take,
)
from tests._sync.waiting import until
from tests.support.blocking import Interrupted, Redis, connect, interrupted_after, sleep, spawn
from tests.support.proxy import FaultProxy


def taker(client: Redis[Any], name: str = "d", **options: Any) -> Any:
    """
    Make a member that takes over.
    """
    return client.xconsumer(["a"], group="g", consumer=name, claim_idle=MINUTE, **options)


def test_at_once(client: Redis[Any]) -> None:
    """
    The delivery count stays as it is, and whoever begins to take over gets it.
    """
    fill(client, "a", 1, 3)
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=9)
    entries = [entry for _, entry in consumer]

    assert 2 == consumer.nack("a", entries[0], "2")

    assert {b"1-0": (b"c", 1), b"2-0": (b"c", 1), b"3-0": (b"c", 1)} == pending(client)
    assert numbered(1, 2) == identifiers(taker(client))
    assert {b"1-0": (b"d", 2), b"2-0": (b"d", 2), b"3-0": (b"c", 1)} == pending(client)


def test_somebody_waits_for_it(client: Redis[Any], quick_looks: None) -> None:
    """
    A member that waits gets it at its next look.
    """
    fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], group="g", consumer="c")
    take(consumer)
    waiting = taker(client, timeout=10_000, block_slice=50)
    reading = spawn(lambda: take(waiting))
    sleep(0.05)

    assert 1 == consumer.nack("a", "1-0")

    assert [b"1-0"] == reading.join()
    waiting.close()


def test_it_comes_again_even_here(client: Redis[Any], quick_looks: None) -> None:
    """
    What was handed back is held no more.
    """
    fill(client, "a", 1, 1)
    consumer = taker(client, timeout=10_000)
    take(consumer)

    assert 1 == consumer.nack("a", "1-0")

    assert [b"1-0"] == take(consumer)
    consumer.close()


def test_after_a_delay(client: Redis[Any]) -> None:
    """
    The entry is as old as leaves the delay until others take over.
    """
    fill(client, "a", 1, 1)
    consumer = taker(client, "c")
    take(consumer)

    assert 1 == consumer.nack("a", "1-0", delay=50_000)

    assert 10_000 <= (idle(client))[b"1-0"] < MINUTE
    assert [] == identifiers(taker(client))
    assert {b"1-0": (b"c", 1)} == pending(client)


def test_after_a_long_delay(client: Redis[Any], quick_looks: None) -> None:
    """
    Longer than others wait: the lease is renewed until the rest can be left to the server. It comes to whoever takes over.
    """
    fill(client, "a", 1, 2)
    consumer = client.xconsumer(["a"], group="g", consumer="c", claim_idle=200, buffer_size=1, timeout=100)
    other = client.xconsumer(["a"], group="g", consumer="d", claim_idle=200)
    take(consumer, 2)
    consumer.ack("a", "2-0")

    assert 1 == consumer.nack("a", "1-0", "2-0", delay=700)

    for _ in range(3):  # 300 milliseconds
        assert [] == take(consumer)
        assert [] == take(other)
    assert {b"1-0": (b"c", 1)} == pending(client)
    for _ in range(50):
        if consumer._held.postponed:
            assert [] == take(consumer)
    assert {} == consumer._held.leases
    patient = client.xconsumer(["a"], group="g", consumer="d", claim_idle=200, timeout=10_000)
    assert [b"1-0"] == take(patient)
    consumer.close()
    other.close()
    patient.close()


def test_a_long_delay_with_a_heartbeat(client: Redis[Any], quick_looks: None) -> None:
    """
    The consumer need not ask for anything.
    """
    fill(client, "a", 1, 1)
    with client.xconsumer(["a"], group="g", consumer="c", claim_idle=200, heartbeat=True) as consumer:
        take(consumer)
        consumer.nack("a", "1-0", delay=500)
        until(lambda: not consumer._held.postponed)
        other = client.xconsumer(["a"], group="g", consumer="d", claim_idle=200, timeout=10_000)

        assert [b"1-0"] == take(other)
        other.close()


def test_a_long_delay_takes_no_room(client: Redis[Any]) -> None:
    """
    What was handed back is not with the application, though its lease is renewed here.
    """
    fill(client, "a", 1, 2)
    consumer = taker(client, "c", max_unacked=1)
    assert [b"1-0"] == take(consumer, 2)

    consumer.nack("a", "1-0", delay=2 * MINUTE)

    assert [b"2-0"] == take(consumer)
    consumer.close()


def test_a_long_delay_is_over_when_it_is_acknowledged(client: Redis[Any]) -> None:
    """
    Then nothing is kept.
    """
    fill(client, "a", 1, 1)
    consumer = taker(client, "c")
    take(consumer)
    consumer.nack("a", "1-0", delay=2 * MINUTE)

    assert 1 == consumer.ack("a", "1-0")
    assert ({}, {}) == (consumer._held.leases, consumer._held.postponed)


def test_a_renewal_does_not_undo_it(client: Redis[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One that is under way in another task or thread, say of a heartbeat, has the entry in its list already.
    """
    fill(client, "a", 1, 1)
    consumer = taker(client, "c")
    take(consumer)
    client.xclaim("a", "g", "c", 0, ["1-0"], idle=45_000, justid=True)
    hold_longer(consumer, 45)
    xclaim = client.xclaim
    begun: list[Any] = []

    def late(*words: Any, **options: Any) -> Any:
        begun.append(words)
        sleep(0.1)
        return xclaim(*words, **options)

    monkeypatch.setattr(client, "xclaim", late)
    renewing = spawn(consumer.renew)
    until(lambda: begun)

    assert 1 == consumer.nack("a", "1-0")

    renewing.join()
    assert HOUR <= (idle(client))[b"1-0"]
    consumer.close()


def test_what_is_not_ours(client: Redis[Any]) -> None:
    """
    An entry that another member has, or nobody, is left alone.
    """
    deliver(client, "other", 1, 1)
    fill(client, "a", 2, 2)
    consumer = client.xconsumer(["a"], group="g", consumer="c")

    assert 0 == consumer.nack("a", "1-0", "2-0")
    assert 0 == consumer.nack("a")

    assert {b"1-0": (b"other", 1)} == pending(client)
    assert (idle(client))[b"1-0"] < HOUR


KINDS = pytest.mark.parametrize(
    "options",
    [{}, {"claim_idle": MINUTE}, {"prefetch": True}, {"claim_idle": MINUTE, "max_deliveries": 3, "dead_letter": "x"}],
    ids=lambda options: str(list(options)),
)


@KINDS
@pytest.mark.parametrize("way", ["one by one", "in a loop", "several at a time"])
def test_what_was_not_served_yet(client: Redis[Any], options: dict[str, Any], way: str) -> None:
    """
    It is not served, though it was fetched: whoever hands it back may know it from before. Another member gets it at once.
    """
    fill(client, "a", 1, 8)
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=19, **options)
    given = take(consumer, 2)
    if way == "in a loop":
        for _, entry in consumer:
            given.append(entry.identifier)
            if given[-1] == b"3-0":
                assert 3 == consumer.nack("a", "3-0", "5-0", "8-0")
                break
        another = taker(client)
        assert [b"3-0", b"5-0", b"8-0"] == identifiers(another)
    else:
        assert 3 == consumer.nack("a", "1-0", "5-0", "8-0")
        another = taker(client)
        assert [b"1-0", b"5-0", b"8-0"] == identifiers(another)
    assert {"a": given[-1]} == consumer.positions
    if way == "several at a time":
        given += [entry.identifier for _, entry in consumer.get_entries()]
    given += identifiers(consumer)

    assert [*numbered(1, 4), *numbered(6, 7)] == given
    owners = {identifier: owner for identifier, (owner, _) in (pending(client)).items()}
    assert {b"c": 5, b"d": 3} == {name: list(owners.values()).count(name) for name in (b"c", b"d")}
    consumer.close()


@KINDS
def test_within_a_loop_that_goes_on(client: Redis[Any], options: dict[str, Any]) -> None:
    """
    The entry that was just served, one that comes later, and the last one.
    """
    fill(client, "a", 1, 8)
    given: list[bytes] = []
    with client.xconsumer(["a"], group="g", consumer="c", buffer_size=19, **options) as consumer:
        for _, entry in consumer:
            given.append(entry.identifier)
            if given == numbered(1, 2):
                assert 3 == consumer.nack("a", entry, "4-0", "8-0")
            elif len(given) == 6:
                break  # what may come again, comes after these

    # Where it takes over itself, it may get them again at the end; nothing may come in between.
    assert [*numbered(1, 3), *numbered(5, 7)] == given


def test_of_several_streams(client: Redis[Any]) -> None:
    """
    Only that of the stream that is named.
    """
    fill(client, "a", 1, 3)
    fill(client, "{a}b", 1, 3)
    consumer = client.xconsumer(["a", "{a}b"], group="g", consumer="c", buffer_size=9)
    take(consumer)
    given = [(b"a", b"1-0")]
    assert 2 == consumer.nack("{a}b", "1-0", "3-0")
    given += [(stream, entry.identifier) for stream, entry in consumer]

    assert [(b"a", b"1-0"), (b"a", b"2-0"), (b"a", b"3-0"), (b"{a}b", b"2-0")] == sorted(given)


def test_who_acknowledges_on_delivery_keeps_it(client: Redis[Any]) -> None:
    """
    It is nowhere else, and cannot be handed back.
    """
    fill(client, "a", 1, 4)
    consumer = client.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=True, buffer_size=9)
    take(consumer)

    assert 0 == consumer.nack("a", "1-0", "3-0")

    assert numbered(2, 4) == identifiers(consumer)


def test_a_bad_argument(client: Redis[Any]) -> None:
    """
    Nothing is sent.
    """
    with pytest.raises(ValueError, match="delay: 5 "):
        client.xconsumer(["a"], group="g", consumer="c").nack("a", "1-0", delay=5)
    with pytest.raises(ValueError, match=r"delay: .*86400001"):
        taker(client).nack("a", "1-0", delay=24 * HOUR + 1)
    with pytest.raises(ValueError, match=r"entries: .*'x'"):
        taker(client).nack("a", "x")


# ----------------------------------------------------------------------------------------------------------- closing


def test_closing_hands_back_what_was_not_served(client: Redis[Any]) -> None:
    """
    As if it had not been delivered; what the application has, and what others have, stays where it is.
    """
    deliver(client, "other", 1, 1)
    fill(client, "a", 2, 6)
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=9)
    assert numbered(2, 3) == take(consumer, 2)

    consumer.close(release=True)

    assert ([], []) == (consumer.drain(), identifiers(consumer))
    ages = idle(client)
    assert [True] * 3 == [ages[identifier] >= HOUR for identifier in numbered(4, 6)]
    assert [False] * 3 == [ages[identifier] >= HOUR for identifier in numbered(1, 3)]
    assert numbered(4, 6) == identifiers(taker(client))
    mine = {b"1-0": (b"other", 1), b"2-0": (b"c", 1), b"3-0": (b"c", 1)}
    assert {**mine, b"4-0": (b"d", 1), b"5-0": (b"d", 1), b"6-0": (b"d", 1)} == pending(client)


def test_closing_hands_back_everything(client: Redis[Any]) -> None:
    """
    If asked for: what the application has, too, but not what others have.
    """
    deliver(client, "other", 1, 1)
    fill(client, "a", 2, 4)
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=1, ack_buffer=9)
    consumer.ack("a", *take(consumer))
    assert [b"3-0", b"4-0"] == take(consumer, 2)

    consumer.close(release="all")

    assert numbered(3, 4) == identifiers(taker(client))
    assert {b"1-0": (b"other", 1), b"3-0": (b"d", 1), b"4-0": (b"d", 1)} == pending(client)


def test_closing_hands_back_what_is_on_its_way(client: Redis[Any]) -> None:
    """
    A read that was broken off is still outstanding; what it brings is handed back.
    """
    consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=20_000)
    leave_waiting(client, consumer)
    fill(client, "a", 1, 1)
    assert {b"1-0": (b"c", 1)} == pending(client)

    consumer.close(release=True)

    assert [b"1-0"] == identifiers(taker(client))
    assert {b"1-0": (b"d", 1)} == pending(client)


@pytest.mark.parametrize("release", [True, "all"])
def test_closing_is_broken_off(client: Redis[Any], proxy: FaultProxy, release: Any) -> None:
    """
    Whether it was handed back is not known, so it is not served; closing again does what is left.
    """
    fill(client, "a", 1, 3)
    with connect(proxy) as distant:
        consumer = distant.xconsumer(["a"], group="g", consumer="c", buffer_size=9)
        assert [b"1-0"] == take(consumer)
        command = "XNACK" if client.supports("XNACK", None) else "XCLAIM"
        proxy.swallow(command=command, then="stay")
        with pytest.raises(Interrupted):
            interrupted_after(0.2, lambda: consumer.close(release=release))

        assert ([], []) == (identifiers(consumer), consumer.drain())
        proxy.reset_all()
        with suppress(ConnectionError):  # if it is noticed then only
            consumer.close(release=release)
        consumer.close(release=release)

        handed_back = numbered(2, 3) if release is True else numbered(1, 3)
        assert handed_back == [found for found, age in (idle(client)).items() if age >= HOUR]


@pytest.mark.parametrize("release", [True, "all"])
def test_closing_when_a_stream_is_gone(client: Redis[Any], release: Any) -> None:
    """
    Nothing is pending there; what is pending in the others is handed back.
    """
    for stream in ("gone", "a"):
        fill(client, stream, 1, 2)
    consumer = client.xconsumer(["gone", "a"], group="g", consumer="c", buffer_size=9)
    take(consumer)
    client.delete(["gone"])

    consumer.close(release=release)

    assert [True, True] == [age >= HOUR for age in (idle(client)).values()]


@pytest.mark.parametrize("release", [True, "all"])
def test_what_was_handed_back_is_not_taken_again(client: Redis[Any], release: Any) -> None:
    """
    Neither by a heartbeat while closing nor by asking afterwards: it is held no more.
    """
    fill(client, "a", 1, 3)
    options: dict[str, Any] = {"claim_idle": 200, "heartbeat": True, "timeout": 50}
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=9, **options)
    take(consumer)
    consumer.close(release=release)
    sleep(0.15)

    assert [] == take(consumer)

    ages = idle(client)
    assert [release == "all", True, True] == [ages[identifier] >= HOUR for identifier in numbered(1, 3)]


def test_a_bad_release(client: Redis[Any]) -> None:
    """
    Refused, and nothing is closed.
    """
    fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], group="g", consumer="c")

    with pytest.raises(ValueError, match=r"release: .*'yes'"):
        consumer.close(release="yes")  # type: ignore[call-arg]

    assert [b"1-0"] == take(consumer)


def test_closing_wakes_a_reader(client: Redis[Any]) -> None:
    """
    In another task or thread, that waits for entries.
    """
    fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=30_000)
    take(consumer)
    reading = spawn(lambda: identifiers(consumer))
    sleep(0.1)

    consumer.close(release=True)

    assert [] == reading.join()
    until(lambda: reading.done)


def lose_acknowledgement(client: Redis[Any], consumer: Any) -> None:
    """
    Process an entry whose acknowledgement is refused; then it has been idle for an hour, and acknowledging works again.
    """
    fill(client, "a", 1, 1)
    stream, entry = consumer.get_entry()
    client.execute_command("ACL", "SETUSER", "default", "-xack")
    with pytest.raises(AuthorizationError):
        with consumer.processing(stream, entry):
            pass
    client.execute_command("ACL", "SETUSER", "default", "+xack")
    client.xclaim("a", "g", "c", 0, ["1-0"], idle=HOUR, justid=True)


def test_processed_and_not_acknowledged(client: Redis[Any]) -> None:
    """
    It is not held for ever by a member that thinks no more of it: it comes again.
    """
    consumer = taker(client, "c")
    lose_acknowledgement(client, consumer)
    hold_longer(consumer, 50)
    consumer.renew()

    assert [b"1-0"] == identifiers(taker(client))


def test_processed_and_the_acknowledgement_is_kept(client: Redis[Any]) -> None:
    """
    With ``ack_buffer`` what could not be sent is sent with what comes next, so the entry stays with who has processed it.
    """
    consumer = taker(client, "c", ack_buffer=1)
    lose_acknowledgement(client, consumer)

    assert [] == identifiers(consumer)
    assert {} == pending(client)
