"""
Where a consumer stands in its streams, what it asks for next, and how a lost reply is recovered.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import Cursor, Kind, Part, Phase, Plan, plan, share
from coredis._core.consumer.reads import Membership, Words, commands


def cursor(name: bytes, phase: Phase, position: bytes = b"0-0", **fields: object) -> Cursor:
    """
    Make a cursor in a phase.
    """
    return Cursor(name, name.decode(), None, phase, position, **fields)  # type: ignore[arg-type]


class TestReceived:
    """
    A reply moves the cursor.
    """

    def test_reading_without_a_group_goes_on_after_the_last_entry(self) -> None:
        """
        Nothing new leaves it where it is.
        """
        standing = cursor(b"a", Phase.AFTER, b"5-0")

        standing.received(b"7-1")
        assert (Phase.AFTER, b"7-1") == (standing.phase, standing.position)
        standing.received(None)
        assert (Phase.AFTER, b"7-1") == (standing.phase, standing.position)

    def test_history_goes_on_after_the_last_entry(self) -> None:
        """
        Page by page.
        """
        standing = cursor(b"a", Phase.HISTORY)

        standing.received(b"3-0")

        assert (Phase.HISTORY, b"3-0") == (standing.phase, standing.position)

    def test_history_ends_with_an_empty_page(self) -> None:
        """
        New entries follow.
        """
        standing = cursor(b"a", Phase.HISTORY, b"3-0")

        standing.received(None)

        assert Phase.NEW is standing.phase

    def test_pending_entries_are_asked_for_until_there_are_none(self) -> None:
        """
        Then no more in this call, and never new ones.
        """
        standing = cursor(b"a", Phase.PENDING)

        standing.received(b"3-0")
        assert (Phase.PENDING, b"3-0", False) == (standing.phase, standing.position, standing.asked)
        standing.received(None)
        assert (Phase.PENDING, b"3-0", True) == (standing.phase, standing.position, standing.asked)

    def test_new_entries_raise_the_floor(self) -> None:
        """
        What is not new does not.
        """
        standing = cursor(b"a", Phase.NEW)

        standing.received(None)
        assert b"0-0" == standing.floor
        standing.received(b"9-0")
        assert (Phase.NEW, b"9-0") == (standing.phase, standing.floor)
        standing.received(None)
        assert b"9-0" == standing.floor

    @pytest.mark.parametrize("phase", [Phase.AFTER, Phase.HISTORY, Phase.PENDING, Phase.NEW])
    def test_the_same_entries_twice_change_nothing(self, phase: Phase) -> None:
        """
        So an interruption between reading and recording can be made good by recording again.
        """
        once, twice = cursor(b"a", phase), cursor(b"a", phase)

        once.received(b"4-0")
        twice.received(b"4-0")
        twice.received(b"4-0")

        assert once == twice


class TestLost:
    """
    A reply may be lost with its entries.
    """

    def test_new_entries_that_were_lost_are_this_consumers_pending_ones(self) -> None:
        """
        They are read again from the floor, and come once.
        """
        standing = cursor(b"a", Phase.NEW)
        standing.received(b"5-0")

        standing.lost()

        assert (Phase.HISTORY, b"5-0") == (standing.phase, standing.position)

    @pytest.mark.parametrize("phase", [Phase.UNKNOWN, Phase.AFTER, Phase.HISTORY, Phase.PENDING])
    def test_other_reads_are_simply_made_again(self, phase: Phase) -> None:
        """
        Nothing has changed on the server.
        """
        standing = cursor(b"a", phase, b"5-0")

        standing.lost()

        assert cursor(b"a", phase, b"5-0") == standing

    def test_losing_twice_is_losing_once(self) -> None:
        """
        The recovery may be lost as well.
        """
        standing = cursor(b"a", Phase.NEW)
        standing.received(b"5-0")
        standing.lost()
        standing.received(b"6-0")

        standing.lost()

        assert (Phase.HISTORY, b"6-0") == (standing.phase, standing.position)

    @pytest.mark.parametrize("phase", [Phase.NEW, Phase.HISTORY])
    def test_what_was_missed_before_what_was_received(self, phase: Phase) -> None:
        """
        It is read from there, once more if that is under way, and where new entries begin stays as it is.
        """
        standing = cursor(b"a", phase, b"9-0", floor=b"9-0")

        for after in (b"10-0", b"5-0", b"7-0"):
            standing.missed(after)

        assert (Phase.HISTORY, b"5-0", b"9-0") == (standing.phase, standing.position, standing.floor)

    def test_history_leaves_the_floor_above_what_it_delivered(self) -> None:
        """
        Otherwise the next loss would deliver it again.
        """
        standing = cursor(b"a", Phase.NEW)
        standing.received(b"5-0")
        standing.lost()
        standing.received(b"10-0")
        standing.received(None)
        assert Phase.NEW is standing.phase

        standing.lost()

        assert b"10-0" == standing.position

    def test_history_below_the_floor_does_not_lower_it(self) -> None:
        """
        Identifiers are compared as numbers.
        """
        standing = cursor(b"a", Phase.HISTORY, b"0-0", floor=b"10-0")

        standing.received(b"9-0")

        assert b"10-0" == standing.floor

    def test_reset_forgets_everything(self) -> None:
        """
        The stream is asked about again.
        """
        standing = Cursor(b"a", "a", b"1-0", Phase.NEW, b"2-0", b"3-0", True, True, True)

        standing.reset()

        assert Cursor(b"a", "a", b"1-0") == standing


class TestPlan:
    """
    The next read is decided for all streams of one connection.
    """

    def test_without_a_group_all_streams_are_read_together(self) -> None:
        """
        It may wait, and nothing means that nothing is there.
        """
        cursors = [cursor(b"a", Phase.AFTER, b"1-0"), cursor(b"b", Phase.AFTER, b"2-0")]

        planned = plan(cursors)

        assert planned is not None
        assert (Kind.NEW, (Part(tuple(cursors), (b"1-0", b"2-0")),), True, True) == planned
        assert (b"1-0", b"2-0") == identifiers(planned)

    def test_history_comes_first_and_does_not_wait(self) -> None:
        """
        It never blocks, and nothing in it says nothing of new entries.
        """
        cursors = [cursor(b"a", Phase.NEW), cursor(b"b", Phase.HISTORY, b"2-0")]

        planned = plan(cursors)

        assert planned is not None
        assert (Kind.HISTORY, (Part((cursors[1],), (b"2-0",)),), False, False) == planned
        assert (b"2-0",) == identifiers(planned)

    def test_new_entries_have_their_turn(self) -> None:
        """
        As long as history is left they are not waited for.
        """
        cursors = [cursor(b"a", Phase.NEW), cursor(b"b", Phase.HISTORY)]

        planned = plan(cursors, Kind.HISTORY)

        assert planned is not None
        assert (Kind.NEW, (Part((cursors[0],), (b">",)),), False, False) == planned
        assert (b">",) == identifiers(planned)

    def test_history_alone_takes_every_turn(self) -> None:
        """
        There is nothing to take turns with.
        """
        planned = plan([cursor(b"a", Phase.HISTORY)], Kind.HISTORY)

        assert planned is not None
        assert Kind.HISTORY is planned.kind

    def test_pending_entries_count_as_history(self) -> None:
        """
        Until there are none.
        """
        standing = cursor(b"a", Phase.PENDING, b"4-0")
        planned = plan([standing])
        assert planned is not None
        assert (b"4-0",) == identifiers(planned)

        standing.received(None)

        assert plan([standing]) is None

    def test_pending_streams_that_are_empty_do_not_keep_new_ones_from_waiting(self) -> None:
        """
        They are left out.
        """
        cursors = [cursor(b"a", Phase.PENDING, asked=True), cursor(b"b", Phase.NEW)]

        assert (Kind.NEW, (Part((cursors[1],), (b">",)),), True, True) == plan(cursors)

    def test_no_streams_no_read(self) -> None:
        """
        There is nothing to ask for.
        """
        assert plan([]) is None


class TestClaims:
    """
    Looking for entries to take over is a read of its own.
    """

    def test_it_comes_first_and_takes_turns(self) -> None:
        """
        The read of new entries does not wait meanwhile.
        """
        cursors = [cursor(b"a", Phase.NEW), cursor(b"b", Phase.HISTORY), cursor(b"c", Phase.PENDING)]

        first = plan(cursors, Kind.NEW, claim={b"a", b"c"})
        assert first is not None
        second = plan(cursors[:1], first.kind, claim={b"a"})
        assert second is not None

        assert (Kind.CLAIM, (Part((cursors[0],), (b">",)),)) == first[:2]
        assert (Kind.NEW, False, False) == (second.kind, second.waits, second.complete)

    def test_only_where_new_entries_are_read(self) -> None:
        """
        Whoever reads his own pending entries alone takes over nothing.
        """
        planned = plan([cursor(b"a", Phase.PENDING)], None, claim={b"a"})

        assert planned is not None
        assert Kind.HISTORY is planned.kind

    def test_only_where_it_is_time(self) -> None:
        """
        A stream that is not asked of, and one whose time has not come, do not keep new entries from being waited for.
        """
        cursors = [cursor(b"a", Phase.NEW), cursor(b"b", Phase.NEW), cursor(b"c", Phase.PENDING, asked=True)]

        first = plan(cursors, None, claim={b"b", b"c"})
        second = plan(cursors, None, claim={b"c"})

        assert (Kind.CLAIM, (Part((cursors[1],), (b">",)),), False, False) == first
        assert (Kind.NEW, (Part(tuple(cursors[:2]), (b">", b">")),), True, True) == second

    def test_one_command_for_each_stream(self) -> None:
        """
        XAUTOCLAIM knows one stream, and goes on where it was.
        """
        takeover = Takeover(7000)
        takeover.scanned({b"b": b"5-0"}, 0.0, 0.5)
        planned = plan([cursor(b"a", Phase.NEW), cursor(b"b", Phase.NEW)], None, claim={b"a", b"b"})
        assert planned is not None

        assert (
            ("XAUTOCLAIM", b"a", b"g", b"c", 7000, b"0-0", "COUNT", 3),
            ("XAUTOCLAIM", b"b", b"g", b"c", 7000, b"5-0", "COUNT", 3),
        ) == commands(planned, Membership(b"g", b"c", False), 3, None, takeover)

    def test_the_server_does_it_where_it_can(self) -> None:
        """
        Then the read of new entries says so, and XAUTOCLAIM takes over nothing.
        """
        takeover = Takeover(7000)
        takeover.native = True
        planned = plan([cursor(b"a", Phase.NEW)])
        assert planned is not None

        (spelled,) = commands(planned, Membership(b"g", b"c", False), 3, 50, takeover)

        assert ("COUNT", 3, "BLOCK", 50, "CLAIM", 7000, "STREAMS", b"a", b">") == spelled[4:]
        assert takeover.scan_idle > 10**15


class TestScattered:
    """
    Streams in several slots of a cluster on one connection.
    """

    def test_each_slot_is_a_part_and_nothing_waits(self) -> None:
        """
        Streams of the same slot share a command.
        """
        cursors = [cursor(name, Phase.NEW, slot=slot) for name, slot in ((b"a", 1), (b"b", 2), (b"c", 1))]

        planned = plan(cursors, scattered=True)

        assert planned is not None
        assert [(cursors[0], cursors[2]), (cursors[1],)] == [part.cursors for part in planned.parts]
        assert (False, True) == (planned.waits, planned.complete)

    def test_only_what_may_have_entries_is_asked(self) -> None:
        """
        The others rest until the server tells that they have changed.
        """
        cursors = [cursor(b"a", Phase.NEW, slot=1, ready=False), cursor(b"b", Phase.NEW, slot=2)]

        planned = plan(cursors, scattered=True)
        cursors[1].ready = False

        assert planned is not None
        assert [(cursors[1],)] == [part.cursors for part in planned.parts]
        assert not planned.complete
        assert plan(cursors, scattered=True) is None

    def test_a_stream_that_an_outstanding_read_asks_for_is_left_out(self) -> None:
        """
        It has moved, and the read of where it was has not come back: asked for twice, entries could come twice.
        """
        cursors = [cursor(b"a", Phase.AFTER, busy=True), cursor(b"b", Phase.AFTER)]

        planned = plan(cursors)

        assert planned is not None
        assert [(cursors[1],)] == [part.cursors for part in planned.parts]


class TestWords:
    """
    A plan is spelled out.
    """

    MEMBER = Membership(b"g", b"c", False)
    SILENT = Membership(b"g", b"c", True)

    def test_without_a_group(self) -> None:
        """
        Milliseconds to wait go before the streams.
        """
        planned = plan([cursor(b"a", Phase.AFTER, b"1-0"), cursor(b"b", Phase.AFTER, b"0-0")])
        assert planned is not None

        assert ("XREAD", "COUNT", 5, "BLOCK", 100, "STREAMS", b"a", b"b", b"1-0", b"0-0") == words(
            planned, None, 5, 100
        )
        assert ("XREAD", "COUNT", 5, "STREAMS", b"a", b"b", b"1-0", b"0-0") == words(planned, None, 5, None)

    def test_in_a_group(self) -> None:
        """
        With and without acknowledgement on delivery.
        """
        planned = plan([cursor(b"a", Phase.NEW)])
        assert planned is not None
        begin = ("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 1)

        assert (*begin, "BLOCK", 9, "STREAMS", b"a", b">") == words(planned, self.MEMBER, 1, 9)
        assert (*begin, "NOACK", "STREAMS", b"a", b">") == words(planned, self.SILENT, 1, None)

    def test_history_neither_waits_nor_acknowledges(self) -> None:
        """
        The server would ignore both.
        """
        planned = plan([cursor(b"a", Phase.HISTORY, b"3-0")])
        assert planned is not None

        assert ("XREADGROUP", "GROUP", b"g", b"c", "COUNT", 1, "STREAMS", b"a", b"3-0") == words(
            planned, self.SILENT, 1, 9
        )


def identifiers(planned: Plan) -> tuple[bytes, ...]:
    """
    Give what a read in one part sends for each stream.
    """
    (part,) = planned.parts
    return part.identifiers


def words(planned: Plan, member: Membership | None, count: int, block: int | None) -> Words:
    """
    Spell out a read that is one command.
    """
    (spelled,) = commands(planned, member, count, block)
    return spelled


@settings(max_examples=200, deadline=None)
@given(
    pages=st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), max_size=25),
    before=st.integers(0, 3),
)
def test_whatever_is_lost_each_entry_comes_once_and_in_order(pages: list[tuple[int, bool, bool]], before: int) -> None:
    """
    A model of a group with one consumer: replies are lost before or after the server has run the read.
    """
    standing = cursor(b"a", Phase.HISTORY)
    stream = [*range(1, before + 1)]
    pending = list(stream)  # of an earlier session of this consumer
    undelivered: list[int] = []
    received: list[int] = []

    def read(count: int, ran: bool, arrived: bool) -> None:
        planned = plan([standing])
        assert planned is not None
        (after,) = identifiers(planned)
        if after == b">":
            reply = undelivered[:count]
            if ran:
                del undelivered[:count]
                pending.extend(reply)
        else:
            reply = [entry for entry in pending if entry > int(after.split(b"-")[0])][:count]
        if ran and arrived:
            received.extend(reply)
            standing.received(b"%d-0" % reply[-1] if reply else None)
        else:
            standing.lost()

    for count, ran, arrived in pages:
        stream.append(len(stream) + 1)
        undelivered.append(stream[-1])
        read(count, ran, arrived)
    for _ in range(3 * len(stream) + 3):
        read(2, True, True)

    assert stream == received


class TestShares:
    """
    Of many streams some are asked at a time.
    """

    NEW, HISTORY, PENDING = Phase.NEW, Phase.HISTORY, Phase.PENDING

    def shares(self, phases: list[Phase], number: int, new: int = 2, pending: int = 3) -> list[str]:
        """
        Take so many shares in a row, and say what is in each.
        """
        cursors = [cursor(b"%d" % place, phase) for place, phase in enumerate(phases)]
        start, found = 0, []
        for _ in range(number):
            chosen, start = share(cursors, start, new, pending)
            found.append("".join(one.name.decode() for one in chosen))
        return found

    def test_one_after_the_other(self) -> None:
        """
        And from the beginning again.
        """
        assert ["01", "23", "4", "01"] == self.shares([self.NEW] * 5, 4)

    def test_of_pending_entries_another_number_is_expected(self) -> None:
        """
        There may be few of them, and a backlog of new ones.
        """
        assert ["012", "34", "012"] == self.shares([self.HISTORY] * 5, 3)

    def test_each_is_for_one_kind(self) -> None:
        """
        Those that were passed over come next, so neither kind keeps the other from its turn.
        """
        mixed = [self.HISTORY, self.NEW] * 3

        assert ["024", "13", "24", "35", "4", "5", "024"] == self.shares(mixed, 7)

    def test_what_has_nothing_more_to_ask_for(self) -> None:
        """
        Pending entries alone were wanted, and there are no more; or another read asks for it.
        """
        cursors = [cursor(b"%d" % place, Phase.PENDING, asked=True) for place in range(3)]

        assert ((), 1) == share(cursors, 4, 2, 2)
        cursors.insert(1, cursor(b"new", Phase.AFTER))
        cursors.append(cursor(b"busy", Phase.NEW, busy=True))
        assert ((cursors[1],), 2) == share(cursors, 3, 2, 2)

    @given(
        st.lists(st.sampled_from([Phase.NEW, Phase.HISTORY]), min_size=1, max_size=10),
        st.integers(1, 5),
        st.integers(1, 5),
    )
    def test_everybody_has_a_turn(self, phases: list[Phase], new: int, pending: int) -> None:
        """
        In one round, however few are asked at a time.
        """
        seen = set("".join(self.shares(phases, len(phases), new, pending)))

        assert set(map(str, range(len(phases)))) == seen
