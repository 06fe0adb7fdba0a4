"""
Replies of which entries are made some at a time, in themselves.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from coredis._core import replies
from coredis._core.consumer import arrivals, pieces
from coredis._core.consumer.cursors import Cursor, Kind, Part, Phase, Plan
from coredis._core.consumer.pieces import Pieces
from coredis.exceptions import ProtocolError
from coredis.types import StreamEntry

RAW = replies.raw()
TEXT = replies.decoded("utf-8")


def entry(number: int, name: bytes = b"n") -> list[Any]:
    """
    Give an entry as it was parsed.
    """
    return [b"%d-0" % number, [name, b"%d" % number]]


class Sliced(list[object]):
    """
    Notes how many items are copied out of it.
    """

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.copied += len(found) if isinstance(key, slice) else 0
        return found


def received(answer: dict[bytes, list[Any]]) -> tuple[Pieces[Any], Plan]:
    """
    Give a reply, and the read that has brought it.
    """
    cursors = {name: Cursor(name, name, None, Phase.AFTER) for name in answer}
    read = Plan(Kind.NEW, (Part(tuple(cursors.values()), (b"0-0",) * len(cursors)),), waits=True, complete=True)
    there = {name: raw for name, raw in answer.items() if raw}
    return Pieces(read, arrivals.look([there], cursors), sum(map(len, there.values())), cursors), read


@pytest.mark.parametrize("seed", range(300))
def test_as_if_all_were_made_at_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever a reply has: the same entries in the same order, and what is told of where streams stand is true at every step.
    """
    chance = random.Random(seed)
    monkeypatch.setattr(pieces, "PIECE", chance.randint(1, 7))
    strange = chance.choice([(), (b"n", b"another"), (b"n", b"n", b"n", b"n", b"n", b"another")])
    answer = {
        b"stream %d" % number: [
            entry(place + 1, chance.choice(strange) if strange else b"name %d" % (number * (seed % 2)))
            for place in range(chance.choice([0, 1, 2, 3, 12]))
        ]
        for number in range(chance.randint(1, 6))
    }
    how: Any = chance.choice([RAW, TEXT])
    reply, read = received(answer)
    cursors = reply.cursors
    there = {name: raw for name, raw in answer.items() if raw}
    whole = arrivals.make_apart(arrivals.look([there], cursors), how).items()
    given: list[tuple[Any, StreamEntry[Any]]] = []
    while not reply.finished:
        before = read.standing() | {_bytes(name): _bytes(one.identifier) for name, one in given}
        left = {_bytes(name) for name, _ in whole[len(given) :]}
        assert left == reply.left()
        for told in (reply.standing(), reply.settled().standing()):
            assert {name: before[name] for name in left} == {name: told[name] for name in left}
        assert before == reply.undone().standing()
        streams, entries, reply = reply.make(how, chance.random() < 0.05)
        given += zip(streams, entries, strict=False)

    assert whole == given


def _bytes(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else text


def test_an_entry_that_has_no_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Says nothing of where its stream stands: that is sent to the server again.
    """
    raw = [entry(number) for number in range(1, 2 * pieces.PIECE)]
    raw[1][0] = b"nonsense"
    raw[3][0] = 5
    monkeypatch.setattr(pieces, "PIECE", 4)
    reply, _ = received({b"s": raw, b"t": [entry(1)]})
    *_, reply = reply.make(RAW)
    assert {b"s": b"3-0", b"t": b"1-0"} == reply.undone().standing()
    *_, reply = reply.make(RAW)
    assert {b"s": b"7-0", b"t": b"1-0"} == reply.undone().standing()


def test_each_entry_is_touched_once() -> None:
    """
    Whatever the size of the reply.
    """
    raw = Sliced([entry(number) for number in range(1, 1001)])
    reply, _ = received({b"s": raw})
    given: list[bytes] = []
    while not reply.finished:
        _, entries, reply = reply.make(RAW)
        given += [one.identifier for one in entries]

    assert [b"%d-0" % number for number in range(1, 1001)] == given
    assert 1000 == raw.copied


@pytest.mark.parametrize("strange", [None, [], 5, [5, [b"n", b"v"]], [b"xyz", [b"n", b"v"]]])
@pytest.mark.parametrize("streams", [1, 2])
def test_a_strange_entry_where_a_piece_ends(strange: Any, streams: int) -> None:
    """
    Reading could not go on there.
    """
    raw = [entry(number) for number in range(1, 2 * pieces.PIECE + 2)]
    others = raw.copy() if streams == 2 else []
    (others or raw)[pieces.PIECE // streams - 1] = strange
    reply, _ = received({b"s": raw, b"t": others})
    with pytest.raises((IndexError, ProtocolError, TypeError)):
        reply.make(RAW)
