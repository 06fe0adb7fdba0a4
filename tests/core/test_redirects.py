"""
The way of a command through a cluster: every decision, exactly.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from coredis import exceptions
from coredis._core.command import Command
from coredis._core.config import TCPAddress
from coredis._core.errors import from_line
from coredis._core.redirects import LONGEST_PAUSE, MAX_REDIRECTS, Decision, News, Route
from coredis._core.retry import RetryPolicy
from coredis._core.topology import NodeInfo, Shard, Topology, address_reader

READ: Command[object] = Command(("GET", "k"), lambda reply: reply, readonly=True)
OTHER: Command[object] = Command(("INCR", "k"), lambda reply: reply)
POLICY = RetryPolicy(retries=3, base_delay=0.1, max_delay=5.0)
NEVER = RetryPolicy(retries=0)


def at(port: int, host: str = "h") -> TCPAddress:
    return TCPAddress(host, port)


def info(port: int) -> NodeInfo:
    return NodeInfo(at(port))


TOPOLOGY = Topology(
    (
        Shard(info(7001), (info(7101), info(7201)), ((0, 99),)),
        Shard(info(7002), (), ((100, 199),)),
    )
)


def after(route: Route, error: Exception, **changed: Any) -> Decision:
    """
    Ask for a decision about a read's first failure with much time left.
    """
    given: dict[str, Any] = {
        "command": READ,
        "policy": POLICY,
        "attempt": 0,
        "remaining": 10.0,
        "chance": 1.0,
        "mapped": address_reader(None),
    }
    return route.after(error, **given | changed)


def begun(slot: int | None = 5, **options: Any) -> Route:
    """
    Make a route that has been to its first node.
    """
    route = Route(slot, **options)
    route.choose(TOPOLOGY, 0.0)
    return route


def lost(*, may_have_run: bool) -> exceptions.ConnectionLostError:
    return exceptions.ConnectionLostError("gone", may_have_run=may_have_run)


# ------------------------------------------------------------------------------------------------------------- choosing


def test_the_primary_of_the_slot() -> None:
    """
    Replicas are for those who asked for them.
    """
    assert at(7001) == Route(5).choose(TOPOLOGY, 0.9)
    assert at(7002) == Route(150, replicas=True).choose(TOPOLOGY, 0.9)


@pytest.mark.parametrize(("chance", "port"), [(0.0, 7101), (0.49, 7101), (0.5, 7201), (0.99, 7201)])
def test_one_of_the_replicas(chance: float, port: int) -> None:
    """
    By chance.
    """
    route = Route(5, replicas=True)

    assert at(port) == route.choose(TOPOLOGY, chance)
    assert route.on_replica


@pytest.mark.parametrize(("chance", "port"), [(0.0, 7001), (0.99, 7002)])
def test_any_primary(chance: float, port: int) -> None:
    """
    For what has no keys.
    """
    assert at(port) == Route(None).choose(TOPOLOGY, chance)


def test_a_slot_that_nobody_serves() -> None:
    """
    It may be served again later.
    """
    with pytest.raises(exceptions.ClusterDownError, match="slot 500"):
        Route(500).choose(TOPOLOGY, 0.0)
    with pytest.raises(exceptions.ClusterDownError):
        Route(None).choose(Topology(()), 0.0)


# ------------------------------------------------------------------------------------------------------------ redirects


def test_moved_is_followed_at_once() -> None:
    """
    And the news is good for others.
    """
    route = begun()

    decision = after(route, from_line("MOVED 5 other:7009"))

    assert Decision(0.0, News.DOUBTFUL, (5, at(7009, "other"))) == decision
    assert at(7009, "other") == route.choose(TOPOLOGY, 0.0)
    assert not route.asking


def test_ask_is_followed_once() -> None:
    """
    It says nothing about the topology.
    """
    route = begun()

    assert Decision(0.0, News.NONE, None) == after(route, from_line("ASK 5 other:7009"))
    assert at(7009, "other") == route.choose(TOPOLOGY, 0.0)
    assert route.asking


@pytest.mark.parametrize("line", ["MOVED 5 :7009", "ASK 5 :7009", "MOVED 5 ?:7009"])
def test_a_host_left_out_is_the_one_that_answered(line: str) -> None:
    """
    Not the one first asked.
    """
    route = begun()
    after(route, from_line("MOVED 5 second:7008"))
    route.choose(TOPOLOGY, 0.0)

    after(route, from_line(line))

    assert at(7009, "second") == route.choose(TOPOLOGY, 0.0)


def test_redirects_are_mapped() -> None:
    """
    As addresses of the topology are.
    """
    route = begun()

    after(route, from_line("MOVED 5 inside:7009"), mapped=address_reader({("inside", 7009): ("outside", 17009)}))

    assert at(17009, "outside") == route.choose(TOPOLOGY, 0.0)


@pytest.mark.parametrize("line", ["MOVED 5 h:7001", "ASK 5 h:7001", "READONLY You can't"])
def test_redirects_end(line: str) -> None:
    """
    Five are followed, with pauses from the second on; the sixth is the caller's.
    """
    route = begun()

    pauses = []
    for attempt in range(MAX_REDIRECTS + 1):
        pauses.append(after(route, from_line(line), attempt=attempt).pause)
        route.choose(TOPOLOGY, 0.0)

    assert pauses[-1] is None
    assert None not in pauses[:-1]
    assert sorted(pauses[:-1]) == pauses[:-1]  # type: ignore[type-var]


def test_redirects_need_no_retries() -> None:
    """
    They are how a cluster works; a policy that retries nothing follows them too.
    """
    assert 0.0 == after(begun(), from_line("MOVED 5 h:7002"), policy=NEVER).pause


def test_moved_after_ask_is_not_introduced() -> None:
    """
    ASKING is for the node that ASK named.
    """
    route = begun()
    after(route, from_line("ASK 5 h:7002"))
    route.choose(TOPOLOGY, 0.0)

    after(route, from_line("MOVED 5 h:7001"))

    assert not route.asking


# ------------------------------------------------------------------------------------------------------------- refusals


def test_tryagain_waits_where_it_is() -> None:
    """
    The keys are on their way to the node that was named by ASK.
    """
    route = begun()
    after(route, from_line("ASK 5 h:7002"))
    route.choose(TOPOLOGY, 0.0)

    assert Decision(0.1, News.NONE, None) == after(route, from_line("TRYAGAIN x"))
    assert at(7002) == route.choose(TOPOLOGY, 0.0)
    assert route.asking


@pytest.mark.parametrize("line", ["CLUSTERDOWN x", "LOADING x", "MASTERDOWN x"])
def test_a_node_that_cannot_serve_is_asked_about(line: str) -> None:
    """
    Perhaps another one serves the slot by now; for as long as the command has time.
    """
    route = begun()
    after(route, from_line("MOVED 5 h:7002"))
    route.choose(TOPOLOGY, 0.0)

    decision = after(route, from_line(line), attempt=1000)

    assert Decision(LONGEST_PAUSE, News.WRONG, None) == decision
    assert at(7001) == route.choose(TOPOLOGY, 0.0)


def test_a_demoted_primary() -> None:
    """
    It refuses writes, and ends what is blocked.
    """
    for line in ("READONLY x", "UNBLOCKED force unblock from blocking operation, instance state changed (x)"):
        assert News.WRONG is after(begun(), from_line(line)).news
        assert after(begun(), from_line(line)).pause is not None


def test_client_unblock_is_the_callers() -> None:
    """
    Somebody asked for it.
    """
    assert Decision(None) == after(begun(), from_line("UNBLOCKED client unblocked via CLIENT UNBLOCK"))


@pytest.mark.parametrize("line", ["TRYAGAIN x", "CLUSTERDOWN x", "LOADING x", "BUSY x", "NOREPLICAS x"])
def test_refusals_end_with_the_time_or_the_policy(line: str) -> None:
    """
    A pause longer than the time left is not begun.
    """
    assert after(begun(), from_line(line), remaining=0.1).pause is None
    assert after(begun(), from_line(line), policy=NEVER).pause is None
    assert 0.1 == after(begun(), from_line(line), command=OTHER).pause


@pytest.mark.parametrize("line", ["ERR x", "WRONGTYPE x", "NOGROUP x", "NOPERM x", "OOM x", "MISCONF x"])
def test_other_errors_are_the_callers(line: str) -> None:
    """
    Another node would say the same.
    """
    assert Decision(None) == after(begun(), from_line(line))


# ---------------------------------------------------------------------------------------------------------- connections


def test_what_did_not_reach_a_node_is_sent_again() -> None:
    """
    For as long as there is time: that is how a failover is survived.
    """
    decision = after(begun(), lost(may_have_run=False), command=OTHER, attempt=1000)

    assert Decision(LONGEST_PAUSE, News.WRONG, None) == decision


@pytest.mark.parametrize(("command", "attempt", "again"), [(READ, 0, True), (READ, 3, False), (OTHER, 0, False)])
def test_what_may_have_run(command: Command[object], attempt: int, again: bool) -> None:
    """
    Only if it does no harm, and not for ever: it may be what kills the node.
    """
    decision = after(begun(), lost(may_have_run=True), command=command, attempt=attempt)

    assert again == (decision.pause is not None)
    assert News.WRONG is decision.news


@pytest.mark.parametrize("address", [None, at(7001)])
@pytest.mark.parametrize(("risk", "attempt", "again"), [(True, 0, True), (True, 3, False), (False, 0, False)])
def test_what_is_sent_again_at_a_risk(address: TCPAddress | None, risk: bool, attempt: int, again: bool) -> None:
    """
    A single command of those who asked for it, and as often as any.
    """
    policy = replace(POLICY, retry_unsafe=True)
    route = begun() if address is None else begun(None, address=address)

    decision = after(route, lost(may_have_run=True), command=OTHER, attempt=attempt, policy=policy, risk=risk)

    assert again == (decision.pause is not None)


def test_a_lost_target_is_forgotten() -> None:
    """
    The topology knows better by then.
    """
    route = begun()
    after(route, from_line("MOVED 5 h:7002"))
    route.choose(TOPOLOGY, 0.0)

    after(route, lost(may_have_run=False))

    assert at(7001) == route.choose(TOPOLOGY, 0.0)


def test_garbage_is_the_callers() -> None:
    """
    Whoever talks so is no node.
    """
    assert Decision(None) == after(begun(), exceptions.ProtocolError("garbage"))


def test_a_node_that_does_not_answer_is_asked_about() -> None:
    """
    The command's time is up, but others follow.
    """
    assert Decision(None, News.DOUBTFUL) == after(begun(), exceptions.RequestTimeoutError("late"))
    assert Decision(None) == after(begun(), exceptions.PoolTimeoutError("full"))


def test_a_command_for_any_node_goes_to_another_one() -> None:
    """
    As long as there is another one.
    """
    route = begun(None)
    assert at(7001) == route.node

    after(route, lost(may_have_run=False))
    assert at(7002) == route.choose(TOPOLOGY, 0.0)

    after(route, lost(may_have_run=False))
    assert at(7001) == route.choose(TOPOLOGY, 0.0)


@pytest.mark.parametrize("error", [lost(may_have_run=True), from_line("LOADING x"), from_line("MASTERDOWN x")])
def test_a_replica_that_fails_is_replaced(error: Exception) -> None:
    """
    At once, by the others first and then by the primary.
    """
    route = begun(replicas=True)
    assert at(7101) == route.node

    for port in (7201, 7001):
        assert 0.0 == after(route, error).pause
        assert at(port) == route.choose(TOPOLOGY, 0.0)

    assert not route.on_replica


def test_one_node_only() -> None:
    """
    What is for one node is not redirected; the policy alone decides.
    """
    route = Route(None, address=at(7777))
    assert at(7777) == route.choose(TOPOLOGY, 0.0)

    assert after(route, from_line("MOVED 5 h:7002")).pause is None
    assert 0.1 == after(route, lost(may_have_run=False)).pause
    assert after(route, lost(may_have_run=False), attempt=3).pause is None
    assert at(7777) == route.choose(TOPOLOGY, 0.0)


def test_without_limit() -> None:
    """
    A command without a deadline is tried again for ever.
    """
    assert LONGEST_PAUSE == after(begun(), from_line("CLUSTERDOWN x"), remaining=math.inf, attempt=10**6).pause
