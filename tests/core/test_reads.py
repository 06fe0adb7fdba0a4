"""
The commands of consumers, word by word. Those of plans are in ``test_cursors``.
"""

from __future__ import annotations

from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import Cursor, Kind, Part, Phase, Plan, plan
from coredis._core.consumer.reads import Membership, acknowledgement_words, commands, tracking_words

MEMBER = Membership(b"g", b"c", False)
STANDING = Cursor(b"a", "a", None, Phase.NEW)


def test_acknowledgements() -> None:
    """
    One command for each stream.
    """
    assert [("XACK", b"a", b"g", b"1-0", b"2-0"), ("XACK", b"b", b"g", b"3-0")] == acknowledgement_words(
        b"g", {b"a": (b"1-0", b"2-0"), b"b": (b"3-0",)}
    )
    assert [] == acknowledgement_words(b"g", {})


def test_a_command_for_each_slot() -> None:
    """
    A part of a read is one command; each has the options of the whole.
    """
    other = Cursor(b"b", "b", None, Phase.NEW, slot=1)
    planned = plan([STANDING, other], scattered=True)
    assert planned is not None

    begin = ("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 2, "STREAMS")
    assert ((*begin, b"a", b">"), (*begin, b"b", b">")) == commands(planned, MEMBER, 2, 500)


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
