"""
The tests' own RESP: framing and values.
"""

from __future__ import annotations

import pytest

from tests.support.resp import ErrorReply, Framer, NotRESP, Reply, commands_in, decode, encode_command

FRAMES: list[tuple[bytes, Reply]] = [
    (b"+OK\r\n", b"OK"),
    (b":-7\r\n", -7),
    (b"$3\r\na\r\n\r\n", b"a\r\n"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", [[1], b"x"]),
    (b"%1\r\n+k\r\n*1\r\n_\r\n", {b"k": [None]}),
    (b"~2\r\n#t\r\n#f\r\n", [True, False]),
    (b">2\r\n+message\r\n:1\r\n", [b"message", 1]),
    (b"|1\r\n+ttl\r\n:9\r\n+OK\r\n", b"OK"),
    (b"*1\r\n|1\r\n+ttl\r\n:9\r\n:5\r\n", [5]),
    (b",1.5\r\n", 1.5),
    (b"(12345678901234567890\r\n", 12345678901234567890),
    (b"=7\r\ntxt:abc\r\n", b"abc"),
]


@pytest.mark.parametrize(("frame", "value"), FRAMES)
def test_a_frame_becomes_its_value(frame: bytes, value: Reply) -> None:
    """
    Every type of RESP2 and RESP3 is understood.
    """
    assert value == decode(frame)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_frames_are_found_however_the_bytes_arrive(size: int) -> None:
    """
    The cuts between reads do not matter.
    """
    stream = b"".join(frame for frame, _ in FRAMES)
    framer = Framer()

    found = [frame for start in range(0, len(stream), size) for frame in framer.feed(stream[start : start + size])]

    assert [frame for frame, _ in FRAMES] == found
    assert 0 == framer.partial


@pytest.mark.parametrize("frame", [b"-NOGROUP no such group\r\n", b"!21\r\nNOGROUP no such group\r\n"])
def test_an_error_is_a_value_with_a_code(frame: bytes) -> None:
    """
    Both kinds of error reply are values.
    """
    error = decode(frame)

    assert isinstance(error, ErrorReply)
    assert ("NOGROUP", "NOGROUP no such group") == (error.code, str(error))


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00\r\n", b"\r\n", b"$x\r\n"])
def test_other_bytes_are_refused(data: bytes) -> None:
    """
    What is not RESP is noticed.
    """
    with pytest.raises(NotRESP):
        list(Framer().feed(data))


def test_recorded_bytes_become_commands() -> None:
    """
    An unfinished command at the end is left out.
    """
    recorded = encode_command("SET", b"k\r\n", 1) + encode_command("PING") + b"*1\r\n$4\r\nQU"

    assert [[b"SET", b"k\r\n", b"1"], [b"PING"]] == commands_in(recorded)
