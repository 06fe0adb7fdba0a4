"""
The commands of consumers, word by word. Those of plans are in ``test_cursors``.
"""

from __future__ import annotations

from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import Cursor, Kind, Phase, Plan
from coredis._core.consumer.reads import Membership, acknowledgement_words, commands

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


def test_only_a_read_that_waits_blocks() -> None:
    """
    Where history is read in turns, new entries are not waited for.
    """
    planned = Plan((STANDING,), Kind.NEW, (b">",), waits=False, complete=False)

    assert (("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 1, "STREAMS", b"a", b">"),) == commands(
        planned, MEMBER, 1, 500
    )


def test_history_takes_nothing_over() -> None:
    """
    It is about this member's own entries, whatever the server can do.
    """
    takeover = Takeover(5000)
    takeover.native = True
    planned = Plan((STANDING,), Kind.HISTORY, (b"0-0",), waits=False, complete=False)

    assert (("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 1, "STREAMS", b"a", b"0-0"),) == commands(
        planned, MEMBER, 1, None, takeover
    )


def test_looking_never_waits() -> None:
    """
    XAUTOCLAIM has no such option; where the server takes over itself, it only cleans.
    """
    takeover = Takeover(5000)
    planned = Plan((STANDING,), Kind.CLAIM, (b">",), waits=False, complete=False)
    assert (("XAUTOCLAIM", b"a", b"g", b"c", 5000, b"0-0", "COUNT", 9),) == commands(planned, MEMBER, 9, 500, takeover)

    takeover.native = True

    assert (("XAUTOCLAIM", b"a", b"g", b"c", 2**53, b"0-0", "COUNT", 9),) == commands(planned, MEMBER, 9, 500, takeover)
