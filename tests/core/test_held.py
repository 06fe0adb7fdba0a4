"""
What a member of a group holds, and when the leases of that are renewed.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from coredis._core.consumer.held import Held, Renewal, Ripe

#: Milliseconds after which others take over, in these tests.
IDLE = 1000


def holding(**touched: float) -> Held:
    """
    Hold entries of stream ``s``, ``e1`` being ``1-0``, delivered at a time in seconds.
    """
    held = Held()
    held.leases |= {(b"s", b"%b-0" % name[1:].encode()): when for name, when in touched.items()}
    return held


def test_what_is_held_is_known() -> None:
    """
    By stream and identifier.
    """
    held = holding(e1=0.0)

    assert [True, False, False] == [(b"s", b"1-0") in held, (b"s", b"2-0") in held, (b"t", b"1-0") in held]


def test_what_is_let_go_is_forgotten() -> None:
    """
    It may come again, as something new.
    """
    held = holding(e1=0.0, e2=0.0)

    held.let_go(b"s", (b"1-0", b"7-0"), outstanding=False)

    assert {(b"s", b"2-0"): 0.0} == held.leases
    assert (b"s", b"1-0") not in held


def test_what_is_let_go_while_a_read_is_outstanding() -> None:
    """
    The server may have answered that read before it saw the acknowledgement: until its reply is here, the entry must not be
    taken for a new one.
    """
    held = holding(e1=0.0)

    held.let_go(b"s", (b"1-0",), outstanding=True)
    assert {} == held.leases
    assert (b"s", b"1-0") in held
    held.settled((b"t",))
    assert (b"s", b"1-0") in held
    held.settled((b"s",))

    assert (b"s", b"1-0") not in held


def test_old_leases_are_due() -> None:
    """
    The oldest of them counts, wherever it is: a reply may have lain there for a while before it was read.
    """
    held = holding(e1=5.0, e2=1.0)

    assert [False, True] == [held.due(now, 0.5) for now in (1.4, 1.5)]
    assert not Held().due(100.0, 0.5)


def test_renewals_leave_out_young_leases() -> None:
    """
    What was delivered together is renewed together.
    """
    held = holding(e1=0.0, e2=0.0, e3=0.7)

    assert [Renewal(b"s", 100, (b"1-0", b"2-0"))] == held.renewals(0.6, 0.5, IDLE)


def test_renewals_ask_for_nothing_less_than_zero() -> None:
    """
    A lease that is renewed early asks for any idle time.
    """
    assert [Renewal(b"s", 0, (b"1-0",))] == holding(e1=0.0).renewals(0.3, 0.2, IDLE)


def test_what_was_renewed_is_young() -> None:
    """
    What the server did not confirm is held no more.
    """
    held = holding(e1=0.0, e2=0.0, e3=0.4)
    (renewal,) = held.renewals(0.5, 0.5, IDLE)

    held.renewed(renewal, (b"2-0",), 0.6)

    assert {(b"s", b"3-0"): 0.4, (b"s", b"2-0"): 0.6} == held.leases
    assert {(b"s", b"1-0")} == held.lost


def test_what_was_let_go_meanwhile_is_neither_renewed_nor_lost() -> None:
    """
    It was acknowledged between the renewal and its answer.
    """
    held = holding(e1=0.0, e2=0.0)
    (renewal,) = held.renewals(0.5, 0.5, IDLE)
    held.let_go(b"s", (b"1-0", b"2-0"), outstanding=False)

    held.renewed(renewal, (b"1-0",), 0.6)

    assert ({}, set()) == (held.leases, held.lost)


def test_a_stream_is_forgotten() -> None:
    """
    Its group was made anew, and knows nothing of what was held.
    """
    held = holding(e1=0.0)
    held.leases[b"t", b"1-0"] = 0.0
    held.let_go(b"s", (b"9-0",), outstanding=True)

    held.forget(b"s", outstanding=False)

    assert {(b"t", b"1-0"): 0.0} == held.leases
    assert (b"s", b"9-0") not in held


def test_a_stream_is_forgotten_while_a_read_is_outstanding() -> None:
    """
    The old group may have answered that read: what it gave then, and was held, must not be taken for something new.
    """
    held = holding(e1=0.0)
    held.let_go(b"s", (b"9-0",), outstanding=True)

    held.forget(b"s", outstanding=True)

    assert {} == held.leases
    assert [True, True] == [(b"s", b"1-0") in held, (b"s", b"9-0") in held]
    held.settled((b"s",))
    assert [False, False] == [(b"s", b"1-0") in held, (b"s", b"9-0") in held]


def test_everything_is_forgotten() -> None:
    """
    For a new session.
    """
    held = holding(e1=0.0, e2=0.0)
    held.let_go(b"s", (b"1-0",), outstanding=True)
    held.lost.add((b"s", b"3-0"))

    held.clear()

    assert ({}, set(), False) == (held.leases, held.lost, (b"s", b"1-0") in held)


@settings(max_examples=300, deadline=None)
@given(
    idle=st.integers(100, 10_000),
    wait=st.floats(0, 0.25),
    later=st.floats(0.5, 20),
    taken=st.floats(1, 20),
    renewed=st.booleans(),
)
def test_nothing_is_stolen_back(idle: int, wait: float, later: float, taken: float, renewed: bool) -> None:
    """
    Sent at 0, delivered up to a quarter of the idle time later, renewed at some time after half of it: what is still ours has
    been idle for long enough to be renewed; what another one took over after the whole of it has not.
    """
    seconds = idle / 1000
    delivered = 0.0 if renewed else wait * seconds
    held = holding(e1=0.0)
    now = later * seconds
    (renewal,) = held.renewals(now, seconds / 2, idle)

    assert (now - delivered) * 1000 >= renewal.min_idle
    taken_at = delivered + taken * seconds
    if taken_at <= now:
        assert (now - taken_at) * 1000 < renewal.min_idle


def test_what_was_handed_back_for_later() -> None:
    """
    It is held until the rest of the delay is no longer than others wait.
    """
    held = Held()
    held.postpone(b"s", {b"1-0": 5.0, b"2-0": 5.0}, 8.0)
    held.postpone(b"s", {b"3-0": 6.0}, 9.0)

    assert [] == held.ripe(6.9, IDLE)
    assert [Ripe(b"s", 8.0, {b"1-0": 5.0, b"2-0": 5.0})] == held.ripe(7.0, IDLE)
    assert (b"s", b"1-0") in held
    assert 2 == len(held.ripe(20.0, IDLE))


def test_what_was_handed_back_for_later_may_end_otherwise() -> None:
    """
    Acknowledged, taken over by others, or forgotten: then nothing is left to do.
    """
    held = Held()
    held.postpone(b"s", {b"1-0": 5.0, b"2-0": 5.0, b"3-0": 5.0}, 8.0)
    held.let_go(b"s", (b"1-0",), outstanding=False)
    held.renewed(Renewal(b"s", 0, (b"2-0", b"3-0")), (b"3-0",), 6.0)

    assert [Ripe(b"s", 8.0, {b"3-0": 6.0})] == held.ripe(7.5, IDLE)
    held.clear()
    assert [] == held.ripe(7.5, IDLE)
