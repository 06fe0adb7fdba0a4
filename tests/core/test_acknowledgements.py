"""
Acknowledgements are collected, sent together, and kept until they are confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from coredis._core.consumer.acknowledgements import Acknowledgements


def test_they_are_due_by_number() -> None:
    """
    Of all streams together, each entry once.
    """
    collected = Acknowledgements(3, 10.0)

    due = [
        collected.add(name, identifiers, 0.0)
        for name, identifiers in ((b"a", (b"1-0", b"2-0")), (b"a", (b"2-0",)), (b"b", (b"2-0",)))
    ]

    assert [False, False, True] == due
    assert 3 == len(collected)


def test_they_are_due_by_age() -> None:
    """
    Of the oldest one.
    """
    collected = Acknowledgements(100, 10.0)

    assert [False, False, True] == [collected.add(b"a", (b"%d-0" % now,), now) for now in (5.0, 14.9, 15.0)]


def test_they_stay_until_they_are_confirmed() -> None:
    """
    What is sent twice is acknowledged once; what came meanwhile is not confirmed with them.
    """
    collected = Acknowledgements(100, 10.0)
    collected.add(b"a", (b"1-0", b"2-0"), 0.0)
    collected.add(b"b", (b"1-0",), 0.0)
    sent = collected.take()
    assert {b"a": (b"1-0", b"2-0"), b"b": (b"1-0",)} == sent == collected.take()
    collected.add(b"a", (b"3-0",), 0.0)

    collected.confirmed(sent, 8.0)

    assert {b"a": (b"3-0",)} == collected.take()
    assert [False, True] == [collected.add(b"a", (b"3-0",), now) for now in (17.9, 18.0)]


def test_nothing_is_due_when_all_are_confirmed() -> None:
    """
    Nothing is left, however long it takes; confirming twice is confirming once.
    """
    collected = Acknowledgements(1, 1.0)
    collected.add(b"a", (b"1-0",), 0.0)
    sent = collected.take()

    collected.confirmed(sent, 0.0)
    collected.confirmed(sent, 0.0)

    assert (0, {}) == (len(collected), collected.take())


def test_another_thread_adds_while_one_confirms() -> None:
    """
    What is added to a stream at the moment its last one is confirmed is not forgotten.
    """
    collected = Acknowledgements(100, 1.0)
    collected.add(b"a", (b"1-0",), 0.0)
    sent = collected.take()

    class Late(tuple[bytes, ...]):
        """
        Identifiers of the other thread, which is interrupted before it has them.
        """

        __slots__ = ()

        def __iter__(self) -> Iterator[bytes]:
            collected.confirmed(sent, 0.0)
            return super().__iter__()

    collected.add(b"a", Late((b"2-0", b"3-0")), 0.0)

    assert {b"a": (b"2-0", b"3-0")} == collected.take()


def test_they_are_cleared() -> None:
    """
    For another session.
    """
    collected = Acknowledgements(1, 1.0)
    collected.add(b"a", (b"1-0",), 0.0)

    collected.clear()

    assert (0, {}) == (len(collected), collected.take())


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from((b"a", b"b")), st.integers(1, 9)),
            st.tuples(st.sampled_from(("send", "confirm", "lose")), st.just(b""), st.just(0)),
        )
    )
)
def test_each_is_sent_until_it_is_confirmed(steps: list[tuple[str, bytes, int]]) -> None:
    """
    A model: what was added and not in a confirmed sending is what the next sending has.
    """
    collected = Acknowledgements(10, 1.0)
    missing: set[tuple[bytes, bytes]] = set()
    sent: dict[bytes, tuple[bytes, ...]] = {}
    for step, name, number in steps:
        if step == "add":
            collected.add(name, (b"%d-0" % number,), 0.0)
            missing.add((name, b"%d-0" % number))
        elif step == "send":
            sent = collected.take()
        elif step == "confirm":
            collected.confirmed(sent, 0.0)
            missing -= {(stream, identifier) for stream, found in sent.items() for identifier in found}
        else:
            sent = {}

        assert missing == {(stream, each) for stream, found in collected.take().items() for each in found}
        assert len(missing) == len(collected)
