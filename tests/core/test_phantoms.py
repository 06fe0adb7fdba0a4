"""
Dead connections that a server may go on serving: what is in doubt of them, and until when.
"""

from __future__ import annotations

import math

import pytest

from coredis._core.consumer.cursors import Cursor, Kind, Part, Phase, Plan
from coredis._core.consumer.phantoms import MOST, Phantom, leave_behind, look_through
from coredis._core.consumer.reads import PAGE
from coredis._core.parser import ErrorLine

SERVER, CLIENT = "there", (7, "here:1")


def cursor(name: bytes, phase: Phase = Phase.NEW, floor: bytes = b"5-0") -> Cursor:
    """
    Make a cursor that has received something.
    """
    return Cursor(name, name.decode(), None, phase, floor=floor)


def read(kind: Kind, *cursors: Cursor) -> Plan:
    """
    Make a read of these streams.
    """
    return Plan(kind, (Part(cursors, (b">",) * len(cursors)),), waits=False, complete=False)


def pending(*identifiers: bytes) -> list[list[object]]:
    """
    Answer what is pending.
    """
    return [[identifier, b"c", 10, 1] for identifier in identifiers]


class TestLeaveBehind:
    """
    What a read that is given up may still do.
    """

    def test_new_entries(self) -> None:
        """
        They are pending, after what had been received. Without a group nothing is.
        """
        phantoms: list[Phantom] = []
        alone = cursor(b"u", Phase.AFTER)

        leave_behind(phantoms, read(Kind.NEW, cursor(b"s"), cursor(b"t", floor=b"6-0"), alone), SERVER, CLIENT, 3.0)

        (phantom,) = phantoms
        assert {b"s": b"5-0", b"t": b"6-0"} == phantom.floors
        assert (SERVER, CLIENT, 3.0, False) == (phantom.server, phantom.client, phantom.until, phantom.sure)

    def test_what_is_taken_over(self) -> None:
        """
        It is taken over once more in its time, so nothing is to be looked through; the connection is to be closed.
        """
        phantoms: list[Phantom] = []

        leave_behind(phantoms, read(Kind.CLAIM, cursor(b"s")), SERVER, CLIENT, 3.0)

        assert [{}] == [phantom.floors for phantom in phantoms]

    def test_what_was_pending(self) -> None:
        """
        It is read again, and that twice does no harm.
        """
        phantoms: list[Phantom] = []

        leave_behind(phantoms, read(Kind.HISTORY, cursor(b"s", Phase.HISTORY)), SERVER, CLIENT, 3.0)

        assert [] == phantoms

    def test_many(self) -> None:
        """
        Some are taken for one, but the oldest is done with in its time.
        """
        phantoms: list[Phantom] = []

        for number in range(10, 30):
            plan = read(Kind.NEW, cursor(b"s", floor=b"%d-0" % number), cursor(b"%d" % number))
            leave_behind(phantoms, plan, SERVER, (number, "here"), float(number))

        assert [b"10-0", b"11-0", b"28-0", b"29-0"] == [phantom.floors[b"s"] for phantom in phantoms]
        assert [10.0, 27.0, 28.0, 29.0] == [phantom.until for phantom in phantoms]
        assert [(10, "here"), None, (28, "here"), (29, "here")] == [phantom.client for phantom in phantoms]
        assert {b"s", *[b"%d" % number for number in range(11, 28)]} == phantoms[1].floors.keys()


class TestRecovered:
    """
    The server has closed the connection, ahead of a read.
    """

    @pytest.mark.parametrize("kind", list(Kind))
    def test_what_is_read_with_that(self, kind: Kind) -> None:
        """
        It has been recovered if its pending entries were asked for; the reply has been dealt with by then.
        """
        phantom = Phantom(SERVER, CLIENT, {b"s": b"5-0"}, 3.0)
        standing = cursor(b"s")
        standing.busy = True

        for _ in range(2):
            phantom.recovered(read(kind, standing), {b"s": standing})

        assert ({} if kind is Kind.HISTORY else {b"s": b"5-0"}) == phantom.floors

    def test_what_is_read_after_that(self) -> None:
        """
        It will be recovered; not what is being read elsewhere, nor what was recovered before.
        """
        later, elsewhere, earlier = cursor(b"s", Phase.HISTORY), cursor(b"t", Phase.HISTORY), cursor(b"u")
        elsewhere.busy = True
        names = (b"s", b"t", b"u", b"v")
        phantom = Phantom(SERVER, CLIENT, dict.fromkeys(names, b"5-0"), 3.0)

        phantom.recovered(read(Kind.NEW, cursor(b"w")), {each.name: each for each in (later, elsewhere, earlier)})

        assert {b"t", b"u", b"v"} == phantom.floors.keys()

    def test_another_one_has_been_taken_for_it_meanwhile(self) -> None:
        """
        That one has not been closed, so all of it is in doubt until both must be done.
        """
        phantoms: list[Phantom] = []
        standing = cursor(b"s", Phase.NEW)
        for until in range(MOST):
            leave_behind(phantoms, read(Kind.NEW, standing), SERVER, CLIENT, float(until))
        closed = phantoms[2]
        leave_behind(phantoms, read(Kind.NEW, cursor(b"t")), SERVER, CLIENT, 9.0)

        closed.recovered(read(Kind.HISTORY, standing), {b"s": standing})

        assert closed in phantoms
        assert ({b"s": b"5-0"}, 2.0) == (closed.floors, closed.until)


class TestLookThrough:
    """
    What is pending is compared with what has been received.
    """

    def test_all_of_it_was_received(self) -> None:
        """
        Then there is nothing to do.
        """
        assert look_through(b"s", b"5-0", pending(b"6-0"), {(b"s", b"6-0")}, False) is None
        assert look_through(b"s", b"5-0", [], set(), False) is None

    @pytest.mark.parametrize(
        ("received", "after"), [([], b"5-0"), ([b"7-0"], b"5-0"), ([b"6-0"], b"6-0"), ([b"6-0", b"8-0"], b"6-0")]
    )
    def test_something_was_not(self, received: list[bytes], after: bytes) -> None:
        """
        It is read from there, at once.
        """
        keys = {(b"s", identifier) for identifier in received} | {(b"t", b"7-0")}

        again = look_through(b"s", b"5-0", pending(b"6-0", b"7-0", b"8-0"), keys, False)

        assert again is not None
        assert ({b"s": after}, -math.inf, True) == (again.floors, again.until, again.sure)

    def test_a_page(self) -> None:
        """
        What comes after it is asked for.
        """
        page = [b"%d-0" % number for number in range(6, 6 + PAGE)]

        again = look_through(b"s", b"5-0", pending(*page), {(b"s", identifier) for identifier in page}, False)

        assert again is not None
        assert ({b"s": page[-1]}, False) == (again.floors, again.sure)

    @pytest.mark.parametrize("refused", [False, True])
    def test_a_refusal(self, refused: bool) -> None:
        """
        Who may not ask reads all of it again; where the read was refused, too, it is asked once more.
        """
        again = look_through(b"s", b"5-0", ErrorLine("NOPERM"), set(), refused)

        assert again is not None
        assert ({b"s": b"5-0"}, not refused) == (again.floors, again.sure)

    @pytest.mark.parametrize("answer", [None, 5, [5], [[]], [[[b"6-0"], b"c", 10, 1]], [[b"s", b"c", 10, 1]] * PAGE])
    def test_a_strange_answer(self, answer: object) -> None:
        """
        It is no identifier to go on from.
        """
        with pytest.raises((TypeError, ValueError)):
            look_through(b"s", b"5-0", answer, {(b"s", b"s")}, False)
