"""
Whether a failed command is sent again: every decision, exactly.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from coredis import exceptions
from coredis._core.command import Command
from coredis._core.errors import REFUSALS, from_line
from coredis._core.retry import RetryPolicy

READ: Command[object] = Command(("GET", "k"), lambda reply: reply, readonly=True)
IDEMPOTENT: Command[object] = Command(("SET", "k", "v"), lambda reply: reply, idempotent=True)
OTHER: Command[object] = Command(("INCR", "k"), lambda reply: reply)
CONSUMING: Command[object] = Command(("BLPOP", "k", 0), lambda reply: reply, block=math.inf)
COMMANDS = {"read": READ, "idempotent": IDEMPOTENT, "other": OTHER, "consuming": CONSUMING}

POLICY = RetryPolicy(retries=3, base_delay=0.5, max_delay=3.0)


def lost(*, may_have_run: bool) -> exceptions.ConnectionLostError:
    """
    Make the error of a lost connection.
    """
    return exceptions.ConnectionLostError("gone", may_have_run=may_have_run)


@pytest.mark.parametrize(
    ("attempt", "chance", "expected"),
    [
        (0, 1.0, 0.5),
        (1, 1.0, 1.0),
        (2, 1.0, 2.0),
        (3, 1.0, 3.0),
        (50, 1.0, 3.0),
        (10**9, 1.0, 3.0),
        (0, 0.5, 0.25),
        (2, 0.25, 0.5),
        (2, 0.0, 0.0),
    ],
)
def test_the_pause_doubles_up_to_a_limit(attempt: int, chance: float, expected: float) -> None:
    """
    Chance takes it anywhere below.
    """
    assert expected == POLICY.pause(attempt, chance)


@pytest.mark.parametrize(
    ("name", "again"), [("read", True), ("idempotent", True), ("other", False), ("consuming", False)]
)
def test_what_may_have_run_is_sent_again_only_if_that_does_no_harm(name: str, again: bool) -> None:
    """
    Running twice must leave the same state as running once.
    """
    decision = POLICY.decide(lost(may_have_run=True), COMMANDS[name], 0, 10.0, 1.0)

    assert (0.5 if again else None) == decision


@pytest.mark.parametrize(
    ("name", "again"), [("read", True), ("idempotent", True), ("other", True), ("consuming", False)]
)
def test_the_risk_may_be_taken(name: str, again: bool) -> None:
    """
    Not for what is taken and handed over: the first of it would be lost.
    """
    decision = replace(POLICY, retry_unsafe=True).decide(
        lost(may_have_run=True), COMMANDS[name], 0, 10.0, 1.0, risk=True
    )

    assert (0.5 if again else None) == decision


def test_the_risk_is_taken_knowingly() -> None:
    """
    Anything but True and False is refused.
    """
    with pytest.raises(TypeError, match="retry_unsafe"):
        RetryPolicy(retry_unsafe="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "error",
    [
        lost(may_have_run=False),
        exceptions.ConnectionError("refused"),
        exceptions.ConnectTimeoutError("late"),
        *[
            from_line(f"{code} x")
            for code in ("LOADING", "BUSY", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN")
        ],
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_certainly_did_not_run_is_sent_again(name: str, error: Exception) -> None:
    """
    Whatever the command is.
    """
    assert 0.25 == POLICY.decide(error, COMMANDS[name], 0, 10.0, 0.5)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "error",
    [
        exceptions.ProtocolError("garbage", may_have_run=True),
        exceptions.ProtocolError("garbage"),
        exceptions.RequestTimeoutError("late", may_have_run=True),
        exceptions.PoolTimeoutError("late"),
        exceptions.WatchError("changed"),
        ValueError("x"),
        OSError("x"),
        *[
            from_line(line)
            for line in (
                "ERR x",
                "WRONGTYPE x",
                "NOGROUP x",
                "NOAUTH x",
                "WRONGPASS x",
                "NOPERM x",
                "OOM x",
                "MISCONF x",
                "UNBLOCKED x",
                "EXECABORT x",
                "NOSCRIPT x",
                "CROSSSLOT x",
                "READONLY x",
                "MOVED 1 h:1",
                "ASK 1 h:1",
            )
        ],
    ],
    ids=lambda error: getattr(error, "code", "") + type(error).__name__,
)
def test_anything_else_is_for_the_caller(name: str, error: Exception) -> None:
    """
    Trying again would not help, or is not ours to decide.
    """
    assert POLICY.decide(error, COMMANDS[name], 0, 10.0, 0.5) is None


def test_lost_connections_are_counted() -> None:
    """
    After so many attempts the caller is told.
    """
    decisions = [POLICY.decide(lost(may_have_run=False), READ, attempt, 10.0, 1.0) for attempt in range(5)]

    assert [0.5, 1.0, 2.0, None, None] == decisions


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_are_tried_as_long_as_there_is_time(kind: type[exceptions.ReplyError]) -> None:
    """
    A server may take long to load its data.
    """
    assert 3.0 == POLICY.decide(kind("x"), OTHER, 100, 10.0, 1.0)
    assert POLICY.decide(kind("x"), OTHER, 100, 3.0, 1.0) is None


@pytest.mark.parametrize("error", [lost(may_have_run=False), from_line("LOADING x")], ids=["lost", "loading"])
def test_without_time_nothing_is_tried_again(error: Exception) -> None:
    """
    The pause must end before the time of the command does.
    """
    assert POLICY.decide(error, READ, 0, 0.5, 1.0) is None
    assert 0.5 == POLICY.decide(error, READ, 0, 0.5000001, 1.0)
    assert POLICY.decide(error, READ, 0, 0.0, 0.0) is None
    assert POLICY.decide(error, READ, 0, -1.0, 0.0) is None
    assert 0.5 == POLICY.decide(error, READ, 0, math.inf, 1.0)


@pytest.mark.parametrize("error", [lost(may_have_run=False), from_line("LOADING x")], ids=["lost", "loading"])
def test_no_retries_means_none(error: Exception) -> None:
    """
    Refusals are not tried again either.
    """
    assert RetryPolicy(retries=0).decide(error, READ, 0, 10.0, 0.5) is None


@pytest.mark.parametrize("retries", [-1, True, 1.5, "3", None])
def test_a_number_of_retries_must_be_one(retries: object) -> None:
    """
    It is refused when the policy is made.
    """
    with pytest.raises(ValueError, match="retries"):
        RetryPolicy(retries=retries)  # type: ignore[arg-type]


@pytest.mark.parametrize(("base", "highest"), [(-1.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.1, math.nan)])
def test_delays_must_make_sense(base: float, highest: float) -> None:
    """
    The first is not negative and not above the last.
    """
    with pytest.raises(ValueError, match="base_delay"):
        RetryPolicy(base_delay=base, max_delay=highest)


def test_a_policy_is_a_value() -> None:
    """
    It can be compared, hashed and shared, and not be changed.
    """
    assert RetryPolicy() == RetryPolicy()
    assert 1 == len({RetryPolicy(), RetryPolicy()})
    with pytest.raises(AttributeError):
        RetryPolicy().retries = 1  # type: ignore[misc]


def test_reading_implies_idempotent() -> None:
    """
    Unless the command says otherwise.
    """
    assert (True, True, False) == (READ.idempotent, IDEMPOTENT.idempotent, OTHER.idempotent)
    assert not Command(("X",), lambda reply: reply, readonly=True, idempotent=False).idempotent


def test_a_search_that_took_all_the_time_is_not_begun_again() -> None:
    """
    Its reason is told; the next search would only find that time is up. With time left it is begun again.
    """
    error = exceptions.PrimaryNotFoundError("no sentinel names a primary")
    command: Command[object] = Command(("GET", "k"), lambda reply: reply, keys=(1,), readonly=True)

    assert RetryPolicy().decide(error, command, 0, 0.01, 0.0) is None
    assert RetryPolicy().decide(error, command, 0, 0.01, 0.0, refused=True) is None
    assert RetryPolicy().decide(error, command, 0, 1.0, 0.0) == 0.0
