"""
Twenty thousand damaged conversations: whatever a server sends, no request gets a reply that is not its own.

What was intact before the damage reaches its request. After that anything may come, but the only exception is
``ProtocolError``; it ends the connection, every waiting request fails, and nothing is accepted any more.
"""

from __future__ import annotations

import random

import pytest
from hiredis import PushNotification

from coredis._core.parser import ErrorLine
from coredis._core.session import Request, Session
from coredis.exceptions import ConnectionLostError, ProtocolError

SEEDS = 8
ROUNDS = 2500  # of each seed

#: Frames, and how many replies they are: out-of-band messages and attributes are none.
FRAMES = [
    (b"+OK\r\n", 1),
    (b":1234567\r\n", 1),
    (b"$5\r\nhello\r\n", 1),
    (b"$-1\r\n", 1),
    (b"$0\r\n\r\n", 1),
    (b"$11\r\n\r\n$5\r\n|1\r\nx\r\n", 1),
    (b"-WRONGTYPE no\r\n", 1),
    (b"*2\r\n$3\r\n1-1\r\n*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$2\r\n\xff\x00\r\n", 1),
    (b"%2\r\n+proto\r\n:3\r\n$4\r\nmode\r\n*0\r\n", 1),
    (b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n5-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n", 1),
    (b"_\r\n", 1),
    (b"#t\r\n", 1),
    (b",1.5\r\n", 1),
    (b"~2\r\n:1\r\n:2\r\n", 1),
    (b"!8\r\nERR\nx\r\ny\r\n", 1),
    (b"=7\r\ntxt:abc\r\n", 1),
    (b"|1\r\n+ttl\r\n:9\r\n:7\r\n", 1),
    (b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", 0),
]
POISON = [
    *(b"\r\n", b"\n", b"$", b"*", b"|", b"!", b">", b"-", b"+", b"9", b"999999999", b"\x00", b"\xff"),
    *(b"$-2\r\n", b"*-2\r\n", b"\r\n*4294967295\r\n", b"\r\n$999999999\r\n"),
]


def damaged(chance: random.Random, wire: bytes, first: int) -> tuple[bytes, int]:
    """
    Damage a conversation in up to three places at or after a position.

    Returns:
        the result, and how many of its bytes at the beginning are intact
    """
    intact = len(wire)
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(first, len(wire))
        intact = min(intact, at)
        size = chance.randint(1, 4)
        kind = chance.randrange(5)
        if kind == 0:
            wire = wire[:at] + wire[at + size :]
        elif kind == 1:
            wire = wire[:at] + chance.choice(POISON) + wire[at:]
        elif kind == 2:
            wire = wire[:at] + chance.randbytes(size) + wire[at + size :]
        elif kind == 3:
            wire = wire[:at] + wire[at : at + 20] + wire[at:]
        else:
            wire = wire[:at]
    return wire, intact


def split(chance: random.Random, wire: bytes) -> list[bytes]:
    """
    Cut as a network might: now into single bytes, now hardly at all.
    """
    largest = chance.choice([1, 3, 10, 50, 1000])
    pieces = []
    while wire:
        size = chance.randint(1, largest)
        pieces.append(wire[:size])
        wire = wire[size:]
    return pieces


def plain(replies: list[object]) -> str:
    """
    Make replies comparable: an error reply is equal to no other.
    """
    return repr([(type(reply).__name__, str(reply)) if isinstance(reply, ErrorLine) else reply for reply in replies])


def answered(wires: list[bytes]) -> list[str]:
    """
    Parse each reply on a connection of its own: what its request should get.
    """
    expected = []
    for wire in wires:
        session, request = Session(), Request(1)
        session.expect(request)
        session.receive([wire])
        expected.append(plain(request.replies))
    return expected


@pytest.mark.parametrize("seed", range(SEEDS))
def test_damage_harms_nothing_before_it(seed: int) -> None:
    """
    Intact replies arrive, everything else fails or is still waited for, and the end is the end.
    """
    chance = random.Random(seed)
    known = dict(zip([wire for wire, _ in FRAMES if _], answered([wire for wire, _ in FRAMES if _]), strict=True))
    broken = completed = 0
    for number in range(ROUNDS):
        frames = chance.choices(FRAMES, k=chance.randint(1, 8))
        original = b"".join(wire for wire, _ in frames)
        wire, intact = damaged(chance, original, chance.randint(0, len(original)))
        ends, position = [], 0
        for frame, replies in frames:
            position += len(frame)
            if replies:
                ends.append((frame, position))
        session = Session()
        requests = [Request(1) for _ in ends]
        for request in requests:
            request.sent = True
            session.expect(request)

        try:
            for piece in split(chance, wire):
                session.receive([piece])
        except ProtocolError as error:
            broken += 1
            session.end(error)
            with pytest.raises(ProtocolError):
                session.expect(Request(1))
        else:
            session.end(ConnectionLostError("gone"))

        assert all(request.done() for request in requests), (seed, number)
        for request, (frame, end) in zip(requests, ends, strict=True):
            if end <= intact:
                completed += 1
                assert known[frame] == plain(request.outcome()), (seed, number, wire)
            elif request.failure is not None:
                assert len(request.replies) < request.expected
        assert not any(isinstance(reply, PushNotification) for request in requests for reply in request.replies)
        assert not session.pending

    assert broken > ROUNDS // 4
    assert completed > ROUNDS // 4
