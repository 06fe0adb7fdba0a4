"""
Signs of another session that reads under the same name.
"""

from __future__ import annotations

from coredis._core.consumer.conflicts import delivered_since, not_of_one_read


def test_the_backlog_ends_where_the_session_began() -> None:
    """
    What comes after that was delivered since.
    """
    found = [delivered_since(last, b"5-0") for last in (None, b"4-0", b"5-0", b"5-1", b"10-0")]

    assert [False, False, False, True, True] == found


def test_one_reply_was_delivered_at_one_moment() -> None:
    """
    A little more or less is the same one.
    """
    found = [not_of_one_read(idle, 5.0) for idle in ([], [0], [700, 700], [700, 799], [5099], [0, 101], [4000, 700])]

    assert [False, False, False, False, False, True, True] == found


def test_it_was_delivered_after_it_was_asked_for() -> None:
    """
    Not before.
    """
    assert [False, True] == [not_of_one_read([idle], 5.0) for idle in (5050, 5101)]
