"""
The commands of consumers, word by word. Those of plans are in ``test_cursors``.
"""

from __future__ import annotations

import pytest

from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import Cursor, Kind, Part, Phase, Plan, plan
from coredis._core.consumer.reads import Membership, Repeated, acknowledgements, commands, tracking_words
from coredis._core.wire import encode

MEMBER = Membership(b"g", b"c", False)
STANDING = Cursor(b"a", "a", None, Phase.NEW)


@pytest.mark.parametrize("identifiers", [(b"1-0",), (b"1-0", b"2-0"), (b"9-0", b"10-0"), (b"1700000000000-1",) * 150])
def test_acknowledgements(identifiers: tuple[bytes, ...]) -> None:
    """
    One command for each stream, whether its identifiers have the same length or not.
    """
    first, second = acknowledgements(b"g", {b"a": identifiers, b"long name": (b"3-0",)})

    assert encode(("XACK", b"a", b"g", *identifiers)) == first
    assert encode(("XACK", b"long name", b"g", b"3-0")) == second
    assert [] == acknowledgements(b"g", {})


def test_a_command_for_each_slot() -> None:
    """
    A part of a read is one command; each has the options of the whole.
    """
    other = Cursor(b"b", "b", None, Phase.NEW, slot=1)
    planned = plan([STANDING, other], scattered=True)
    assert planned is not None

    begin = ("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 2, "STREAMS")
    assert ((*begin, b"a", b">"), (*begin, b"b", b">")) == commands(planned, MEMBER, 2, 500)


@pytest.mark.parametrize("membership", [None, MEMBER, Membership(b"g", b"c", True)], ids=str)
@pytest.mark.parametrize("block", [None, 500])
@pytest.mark.parametrize("names", [b"a", b"ab", b"abcdefghijkl"], ids=str)
def test_a_read_that_is_repeated(membership: Membership | None, block: int | None, names: bytes) -> None:
    """
    Its bytes are those of the command, whatever the identifiers are by then.
    """
    takeover = Takeover(60_000) if membership is MEMBER else None
    if takeover is not None:
        takeover.native = True
    phase = Phase.AFTER if membership is None else Phase.NEW
    cursors = tuple(Cursor(bytes([name]), chr(name), None, phase) for name in names)
    repeated = Repeated(cursors, membership, 7, block, takeover)

    for last in (b"0-0", b"1700000000000-12"):
        for cursor in cursors:
            cursor.received(last)
        planned = plan(cursors)
        assert planned is not None
        (words,) = commands(planned, membership, 7, block, takeover)
        assert encode(words) == repeated.payload(planned.parts[0].identifiers)
        if len(cursors) == 1:
            alone = (planned, encode(words)) if takeover is None else None
            assert alone == repeated.alone(cursors, 7, block)
            assert repeated.alone(cursors, 8, block) is None
            assert repeated.alone(cursors, 7, 400) is None
            assert repeated.alone((*cursors,), 7, block) is None


def test_a_read_that_is_not_repeated() -> None:
    """
    Other streams, another COUNT or BLOCK, or a server that has learned to take over, make it another one.
    """
    cursors = (STANDING,)
    takeover = Takeover(60_000)
    repeated = Repeated(cursors, MEMBER, 7, None, takeover)

    assert repeated.fits(cursors, 7, None, takeover)
    assert not repeated.fits((STANDING, STANDING), 7, None, takeover)
    assert not repeated.fits(cursors, 8, None, takeover)
    assert not repeated.fits(cursors, 7, 500, takeover)
    takeover.native = True
    assert not repeated.fits(cursors, 7, None, takeover)


def test_tracking() -> None:
    """
    It is turned on once; XREAD counts as reading a stream, XREADGROUP does not.
    """
    planned = plan([STANDING], scattered=True)
    assert planned is not None

    assert [("CLIENT", "TRACKING", "ON"), ("XLEN", b"a")] == tracking_words(planned, MEMBER, False)
    assert [("XLEN", b"a")] == tracking_words(planned, MEMBER, True)
    assert [("CLIENT", "TRACKING", "ON")] == tracking_words(planned, None, False)
    assert [] == tracking_words(planned, None, True)


def test_only_a_read_that_waits_blocks() -> None:
    """
    Where history is read in turns, new entries are not waited for.
    """
    planned = Plan(Kind.NEW, (Part((STANDING,), (b">",)),), waits=False, complete=False)

    assert (("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 1, "STREAMS", b"a", b">"),) == commands(
        planned, MEMBER, 1, 500
    )


def test_history_takes_nothing_over() -> None:
    """
    It is about this member's own entries, whatever the server can do.
    """
    takeover = Takeover(5000)
    takeover.native = True
    planned = Plan(Kind.HISTORY, (Part((STANDING,), (b"0-0",)),), waits=False, complete=False)

    assert (("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 1, "STREAMS", b"a", b"0-0"),) == commands(
        planned, MEMBER, 1, None, takeover
    )


def test_looking_never_waits() -> None:
    """
    XAUTOCLAIM has no such option; where the server takes over itself, it only cleans.
    """
    takeover = Takeover(5000)
    planned = Plan(Kind.CLAIM, (Part((STANDING,), (b">",)),), waits=False, complete=False)
    assert (("XAUTOCLAIM", b"a", b"g", b"c", 5000, b"0-0", "COUNT", 9),) == commands(planned, MEMBER, 9, 500, takeover)

    takeover.native = True

    assert (("XAUTOCLAIM", b"a", b"g", b"c", 2**53, b"0-0", "COUNT", 1000),) == commands(
        planned, MEMBER, 9, 500, takeover
    )
