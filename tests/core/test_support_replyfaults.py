"""
Which bytes pass when a fault strikes at a reply.
"""

from __future__ import annotations

import pytest

from tests.support.replyfaults import Armed, Item, Mark, ReplyFault, ReplyFilter
from tests.support.resp import encode_command

REPLIES = b"+A\r\n$2\r\nBB\r\n*1\r\n:3\r\n"


def passed(
    fault: ReplyFault | None, *replies: bytes, commands: tuple[str, ...] = ("ONE", "TWO", "THREE")
) -> list[Item]:
    """
    Run replies through a filter and join the bytes before each mark.
    """
    reply_filter = ReplyFilter(Armed(fault))
    reply_filter.note_request(b"".join(map(encode_command, commands)))
    joined: list[Item] = []
    for item in (item for data in replies for item in reply_filter.pass_replies(data)):
        if joined and isinstance(item, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += item
        else:
            joined.append(item)
    return joined


def bytewise(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


@pytest.mark.parametrize("replies", [[REPLIES], bytewise(REPLIES)], ids=["at once", "bytewise"])
class TestHoweverTheBytesArrive:
    def test_all_pass_without_a_fault(self, replies: list[bytes]) -> None:
        """
        No byte is held back.
        """
        assert [REPLIES] == passed(None, *replies)

    def test_the_next_reply_is_lost_and_the_connection_reset(self, replies: list[bytes]) -> None:
        """
        Nothing follows the reset.
        """
        assert [Mark.RESET] == passed(ReplyFault("swallow"), *replies)

    def test_the_second_reply_is_lost_and_the_connection_stays(self, replies: list[bytes]) -> None:
        """
        The others arrive as if nothing had been.
        """
        assert [b"+A\r\n*1\r\n:3\r\n"] == passed(ReplyFault("swallow", countdown=2, reset=False), *replies)

    def test_the_reply_to_a_command_is_lost(self, replies: list[bytes]) -> None:
        """
        Replies belong to commands in their order.
        """
        assert [b"+A\r\n$2\r\nBB\r\n", Mark.RESET] == passed(ReplyFault("swallow", b"THREE"), *replies)

    @pytest.mark.parametrize("keep", range(len(REPLIES)))
    def test_so_many_bytes_arrive(self, replies: list[bytes], keep: int) -> None:
        """
        The cut is exact at every byte.
        """
        expected: list[Item] = [REPLIES[:keep], Mark.RESET] if keep else [Mark.RESET]

        assert expected == passed(ReplyFault("cut", keep=keep), *replies)

    def test_bytes_are_counted_from_the_reply_to_a_command(self, replies: list[bytes]) -> None:
        """
        What comes before is whole; the count may go on into the following reply.
        """
        assert [b"+A\r\n$2\r\nB", Mark.RESET] == passed(ReplyFault("cut", b"TWO", keep=5), *replies)
        assert [b"+A\r\n$2\r\nBB\r\n*", Mark.RESET] == passed(ReplyFault("cut", b"TWO", keep=9), *replies)


def test_a_push_is_not_a_reply() -> None:
    """
    A push passes and is not counted.
    """
    fault = ReplyFault("swallow", b"ONE", reset=False)

    assert [b">1\r\n+hello\r\n+B\r\n"] == passed(fault, b">1\r\n+hello\r\n+A\r\n+B\r\n")


def test_a_reply_already_begun_is_not_struck() -> None:
    """
    A fault armed in the middle of a reply waits for the next one.
    """
    armed = Armed()
    reply_filter = ReplyFilter(armed)
    first = reply_filter.pass_replies(b"$5\r\nhe")
    armed.fault = ReplyFault("swallow", reset=False)

    rest = reply_filter.pass_replies(b"llo\r\n+lost\r\n+kept\r\n")

    assert b"$5\r\nhello\r\n+kept\r\n" == b"".join(item for item in first + rest if isinstance(item, bytes))
    assert 1 == armed.struck


def test_bytes_that_are_not_resp_pass() -> None:
    """
    An encrypted connection is carried as it is, even while a fault waits.
    """
    assert [b"\x16\x03\x01\r\nmore"] == passed(ReplyFault("swallow"), b"\x16\x03\x01\r\n", b"more")
