"""
Who gets which connection, decided without one.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coredis._core.pool import PoolState, Verdict

State = PoolState[str, str]


def exclusive(limit: int = 2) -> State:
    """
    Make a pool as the blocking flavour has it.
    """
    return PoolState(limit, multiplexed=False)


def multiplexed(limit: int = 2) -> State:
    """
    Make a pool as the asynchronous flavour has it.
    """
    return PoolState(limit, multiplexed=True)


def opened(state: State, ticket: object, connection: str, *, alone: bool = True) -> str:
    """
    Ask for a connection that has to be opened, and open it.
    """
    assert state.request(ticket, alone) is Verdict.OPEN
    state.opened(ticket, connection)
    return connection


def test_connections_are_opened_up_to_the_limit() -> None:
    """
    Whoever comes later waits.
    """
    state = exclusive(2)

    assert state.request(1, True) is Verdict.OPEN
    assert state.request(2, True) is Verdict.OPEN
    assert state.request(3, True) is Verdict.WAIT
    assert 2 == state.size


def test_a_returned_connection_is_lent_again() -> None:
    """
    No other one is opened.
    """
    state = exclusive()
    opened(state, 1, "a")

    assert state.give_back("a")
    assert "a" == state.request(2, True)
    assert 1 == state.size


def test_the_last_one_returned_is_lent_first() -> None:
    """
    So surplus ones grow old.
    """
    state = exclusive()
    opened(state, 1, "a")
    opened(state, 2, "b")
    state.give_back("b")
    state.give_back("a")

    assert ["a", "b"] == [state.request(3, True), state.request(4, True)]


def test_a_failed_opening_gives_its_place_back() -> None:
    """
    The ticket holds it until it is surrendered.
    """
    state = exclusive(1)
    assert state.request(1, True) is Verdict.OPEN
    assert state.request(2, True) is Verdict.WAIT

    assert state.surrender(1) is None
    assert state.request(2, True) is Verdict.OPEN


@pytest.mark.parametrize("step", ["before", "asked", "opened", "returned", "discarded"])
@pytest.mark.parametrize("alone", [True, False])
def test_surrender_at_any_step_leaves_nothing_behind(step: str, alone: bool) -> None:
    """
    A borrower that is cancelled does not know how far it came; afterwards the whole limit is free again.
    """
    state = exclusive(1) if alone else multiplexed(1)
    held: str | None = None
    if step != "before":
        state.request(1, alone)
    if step in ("opened", "returned", "discarded"):
        state.opened(1, "a")
    if step == "returned":
        state.give_back("a")
    if step == "discarded":
        state.forget("a")

    held = state.surrender(1)

    assert ("a" if (step, alone) == ("opened", True) else None) == held
    assert 1 not in state.leased
    assert 1 not in state.opening
    if held is not None or step in ("before", "asked", "discarded"):
        assert 0 == state.size
        assert state.request(2, alone) is Verdict.OPEN
    else:
        assert "a" == state.request(2, alone)


def test_whoever_was_woken_in_vain_stands_before_those_who_came_later() -> None:
    """
    What they were woken for was taken by somebody who had not waited: that may happen again and again.
    """
    state = exclusive(1)
    arrivals = [state.line_up(name, name, None) for name in "abc"]

    assert "a" == state.waiting.popleft()[1]
    assert arrivals[0] == state.line_up("a again", "a", arrivals[0])
    assert ["a again", "b", "c"] == [waiter for _, waiter, _ in state.waiting]


def test_newcomers_leave_what_is_free_to_those_who_were_woken_in_vain() -> None:
    """
    As many as there are of these, and until they have something or want nothing any more.
    """
    state = exclusive(1)
    opened(state, 1, "a")
    assert state.request(2, True) is Verdict.WAIT
    assert state.request(2, True, waited=True) is Verdict.WAIT
    state.give_back("a")

    assert None is state.lend_idle(3, True)
    assert state.request(3, True) is Verdict.WAIT
    assert "a" == state.request(2, True, waited=True)
    state.give_back("a")
    assert "a" == state.lend_idle(3, True)

    assert state.request(4, True, waited=True) is Verdict.WAIT
    state.surrender(4)
    state.give_back("a")
    assert "a" == state.request(5, True)


def test_nobody_is_in_line_who_has_left() -> None:
    """
    Of their own accord, or with everything else that they hold.
    """
    state = exclusive(1)
    waiters, tickets = ["a", "b", "c"], [object(), object(), object()]
    for waiter, ticket in zip(waiters, tickets, strict=True):
        state.line_up(waiter, ticket, None)

    assert state.leave(waiters[1])
    assert not state.leave(waiters[1])
    assert None is state.surrender(tickets[2])
    assert ["a"] == [waiter for _, waiter, _ in state.waiting]


def test_a_surrendered_leased_connection_is_not_lent_again() -> None:
    """
    Its replies may be outstanding: the one who surrenders gets it back to close it.
    """
    state = exclusive(1)
    opened(state, 1, "a")
    state.give_back("a")
    assert "a" == state.request(2, True)

    assert "a" == state.surrender(2)
    assert [] == state.connections()


def test_surrender_can_be_repeated() -> None:
    """
    An interruption may come during the clean-up as well.
    """
    state = exclusive(1)
    opened(state, 1, "a")

    assert ["a", None, None] == [state.surrender(1) for _ in range(3)]


def test_a_connection_opened_after_surrender_is_leased_all_the_same() -> None:
    """
    So it can be found and closed: nothing is opened that nobody knows.
    """
    state = exclusive(1)
    state.request(1, True)
    state.surrender(1)

    state.opened(1, "a")

    assert ["a"] == state.connections()
    assert "a" == state.surrender(1)


def test_ordinary_commands_share_one_connection() -> None:
    """
    However many callers there are.
    """
    state = multiplexed()
    opened(state, 1, "a", alone=False)

    assert ["a", "a"] == [state.request(2, False), state.request(3, False)]
    assert 1 == state.size


def test_the_shared_connection_is_opened_once() -> None:
    """
    Whoever comes while that happens waits for it.
    """
    state = multiplexed(5)

    assert state.request(1, False) is Verdict.OPEN
    assert state.request(2, False) is Verdict.WAIT
    assert state.request(3, True) is Verdict.OPEN


def test_an_exclusive_use_never_gets_the_shared_connection() -> None:
    """
    A blocking command on it would hold up everybody.
    """
    state = multiplexed(2)
    opened(state, 1, "a", alone=False)

    assert state.request(2, True) is Verdict.OPEN
    assert state.request(3, True) is Verdict.WAIT


def test_without_multiplexing_every_use_is_exclusive() -> None:
    """
    A channel of the blocking flavour serves one thread at a time.
    """
    state = exclusive(2)

    opened(state, 1, "a", alone=False)

    assert state.shared is None
    assert state.request(2, False) is Verdict.OPEN


def test_an_idle_connection_becomes_the_shared_one() -> None:
    """
    Rather than opening another.
    """
    state = multiplexed()
    opened(state, 1, "a")
    state.give_back("a")

    assert "a" == state.request(2, False)
    assert "a" == state.shared
    assert state.request(3, True) is Verdict.OPEN


def test_a_retired_connection_is_shared_no_more() -> None:
    """
    Its callers go on, it does not count against the limit, and it is known until it is closed.
    """
    state = multiplexed(1)
    opened(state, 1, "a", alone=False)

    state.retire("a")

    assert state.request(2, False) is Verdict.OPEN
    assert ["a"] == state.connections()
    state.forget("a")
    assert [] == state.connections()


def test_only_the_shared_connection_retires() -> None:
    """
    Late news of an earlier one changes nothing.
    """
    state = multiplexed()
    opened(state, 1, "a", alone=False)

    state.retire("b")

    assert "a" == state.request(2, False)


@pytest.mark.parametrize("where", ["shared", "leased", "idle", "retired"])
def test_a_closed_connection_is_forgotten_wherever_it_is(where: str) -> None:
    """
    Its place is free again.
    """
    state = multiplexed(1)
    opened(state, 1, "a", alone=where in ("leased", "idle"))
    if where == "idle":
        state.give_back("a")
    if where == "retired":
        state.retire("a")

    state.forget("a")

    assert ([], 0) == (state.connections(), state.size)
    assert state.request(2, True) is Verdict.OPEN


def test_only_a_leased_connection_is_taken_back() -> None:
    """
    A connection given back twice must not be lent to two.
    """
    state = exclusive()
    opened(state, 1, "a")

    assert [True, False] == [state.give_back("a"), state.give_back("a")]
    assert ["a"] == state.idle
    assert not state.give_back("unknown")
    assert not state.give_back("a", 1)


def test_every_connection_is_named_and_can_be_forgotten() -> None:
    """
    Afterwards the pool is as new.
    """
    state = multiplexed(4)
    opened(state, 1, "shared", alone=False)
    opened(state, 2, "leased")
    opened(state, 3, "idle")
    state.give_back("idle")
    state.request(4, True)
    assert "idle" == state.leased[4]
    state.give_back("idle")
    state.request(5, True)
    state.give_back("idle")
    state.retire("shared")

    assert {"shared", "leased", "idle"} == set(state.connections())
    for connection in state.connections():
        state.forget(connection)
    assert ([], 0) == (state.connections(), state.size)
    assert not state.give_back("leased")


class AnyUse(RuleBasedStateMachine):
    """
    Borrowers that ask, open, return, close, and disappear at any moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state: PoolState[int, None] = PoolState(3, multiplexed=True)
        self.tickets = 0
        self.connections = 0
        self.closed: set[int] = set()
        self.asked: list[int] = []
        self.lent: dict[int, int] = {}  # by ticket, exclusively

    @rule(alone=st.booleans())
    def ask(self, alone: bool) -> None:
        self.tickets += 1
        answer = self.state.request(self.tickets, alone)
        if answer is Verdict.OPEN:
            self.asked.append(self.tickets)
        elif isinstance(answer, int):
            assert answer not in self.closed
            assert answer not in self.lent.values()
            if alone:
                assert answer != self.state.shared
                self.lent[self.tickets] = answer
        else:
            opening = any(not alone for alone in self.state.opening.values())
            assert self.state.size >= 3 or (not alone and opening)

    @precondition(lambda self: self.asked)
    @rule()
    def open(self) -> None:
        ticket = self.asked.pop(0)
        alone = self.state.opening[ticket]
        self.connections += 1
        self.state.opened(ticket, self.connections)
        if alone:
            self.lent[ticket] = self.connections

    @precondition(lambda self: self.asked)
    @rule()
    def fail(self) -> None:
        assert self.state.surrender(self.asked.pop()) is None

    @precondition(lambda self: self.lent)
    @rule(told=st.booleans())
    def give_back(self, told: bool) -> None:
        ticket, connection = self.lent.popitem()
        assert self.state.give_back(connection, ticket if told else None)

    @precondition(lambda self: self.lent)
    @rule()
    def disappear(self) -> None:
        ticket, connection = self.lent.popitem()
        assert connection == self.state.surrender(ticket)
        self.closed.add(connection)

    @precondition(lambda self: self.state.connections())
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        connection = data.draw(st.sampled_from(sorted(self.state.connections())))
        self.state.forget(connection)
        self.closed.add(connection)
        self.lent = {ticket: lent for ticket, lent in self.lent.items() if lent != connection}

    @precondition(lambda self: self.state.shared is not None)
    @rule()
    def retire(self) -> None:
        assert self.state.shared is not None
        self.state.retire(self.state.shared)

    @invariant()
    def nothing_is_in_two_places(self) -> None:
        known = self.state.connections()
        assert len(known) == len(set(known))
        assert not self.closed & set(known)
        assert self.lent == self.state.leased
        assert self.state.size <= 3


TestAnyUse = AnyUse.TestCase
TestAnyUse.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
