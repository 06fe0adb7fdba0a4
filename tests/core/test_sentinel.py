"""
What the answers of sentinels mean, and whom to believe.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._core import sentinel
from coredis._core.config import TCPAddress
from coredis._core.parser import ErrorLine
from coredis._core.sentinel import Ledger, View
from coredis.exceptions import (
    AuthenticationRequiredError,
    InvalidResponse,
    ReadOnlyError,
    ResponseError,
    UnblockedError,
)

ONE, TWO, THREE = TCPAddress("10.0.0.1", 6379), TCPAddress("10.0.0.2", 6379), TCPAddress("node.three", 6380)


def fields(address: TCPAddress, flags: str, **more: str) -> list[bytes]:
    """
    Make the fields of one server as RESP2 sends them.
    """
    named = {"ip": address.host, "port": str(address.port), "flags": flags}
    named |= {name.replace("_", "-"): value for name, value in more.items()}
    return [word.encode() for item in named.items() for word in item]


def pair(address: TCPAddress) -> list[bytes]:
    return [address.host.encode(), str(address.port).encode()]


def view(epoch: int) -> View:
    return View(ONE, epoch, 2, False)


def as_map(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


@pytest.mark.parametrize("shape", [list, as_map], ids=["resp2", "resp3"])
def test_an_answer_is_read(shape: Any) -> None:
    """
    Both protocols say the same: who is primary, since which failover, and who replicates.
    """
    master = fields(ONE, "master", config_epoch="3", num_other_sentinels="2")
    replicas = [
        fields(TWO, "slave", master_link_status="err"),
        fields(THREE, "slave", master_link_status="ok"),
    ]

    answer = sentinel.read([pair(ONE), shape(master), [shape(each) for each in replicas]])

    assert View(ONE, 3, 2, False, (THREE, TWO), 1) == answer
    assert answer is not None and (THREE,) == answer.best_replicas


@pytest.mark.parametrize("flags", ["master,s_down", "master,s_down,o_down", "master,disconnected"])
def test_a_primary_may_be_down(flags: str) -> None:
    """
    What a sentinel finds down is said to be down.
    """
    answer = sentinel.read([pair(ONE), fields(ONE, flags), []])

    assert answer is not None and answer.down


def test_a_replica_that_is_taking_over_is_not_down() -> None:
    """
    While the address is the new primary's already, the flags are the old one's still.
    """
    replicas = [fields(TWO, "slave,promoted", master_link_status="ok")]

    answer = sentinel.read([pair(TWO), fields(ONE, "master,o_down,failover_in_progress"), replicas])

    assert View(TWO, 0, 0, False) == answer


def test_replicas_that_do_not_answer_are_left_out() -> None:
    """
    Down, for one sentinel or for all, or disconnected.
    """
    replicas = [fields(TWO, flags) for flags in ("slave,s_down", "slave,o_down", "slave,disconnected")]

    answer = sentinel.read([pair(ONE), fields(ONE, "master"), replicas])

    assert answer is not None and () == answer.replicas


def test_an_unknown_service() -> None:
    """
    A sentinel that does not watch it answers with nothing, or an error that says so.
    """
    unknown = ErrorLine("ERR No such master with that name")

    assert sentinel.read([None, unknown, unknown]) is None
    assert sentinel.read([pair(ONE), unknown, unknown]) is None


def test_a_refusal_is_raised() -> None:
    """
    Any other error is the sentinel's refusal.
    """
    refusal = ErrorLine("NOAUTH Authentication required.")
    with pytest.raises(AuthenticationRequiredError):
        sentinel.read([refusal, refusal, refusal])


@pytest.mark.parametrize(
    "reply", [[], [pair(ONE), [], []], [pair(ONE), b"x", []], [7, [], []], [pair(ONE), [b"ip"], []]]
)
def test_an_unexpected_shape_is_noticed(reply: list[Any]) -> None:
    """
    Nothing but the documented errors comes out of it.
    """
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError, InvalidResponse)):
        sentinel.read(reply)


def test_later_failovers_are_believed() -> None:
    """
    An answer of the same failover or a later one, never an earlier one.
    """
    ledger = Ledger()

    assert [True, True, True, False, True] == [ledger.believes(view(epoch)) for epoch in (0, 2, 2, 1, 3)]


def test_a_reset_takes_most_sentinels() -> None:
    """
    Half of them are not enough, and the newest of their answers counts.
    """
    ledger = Ledger()
    ledger.believes(view(9))

    assert ledger.reset([view(1), view(2)], 4) is None
    assert view(2) == ledger.reset([view(1), view(2), view(0)], 4)
    assert [False, True] == [ledger.believes(view(epoch)) for epoch in (1, 2)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ReadOnlyError("READONLY You can't write against a read only replica."), True),
        (UnblockedError("UNBLOCKED force unblock from blocking operation, instance state changed"), True),
        (UnblockedError("UNBLOCKED client unblocked via CLIENT UNBLOCK"), False),
        (UnblockedError("UNBLOCKED the stream key no longer exists"), False),
        (ResponseError("ERR syntax error"), False),
    ],
)
def test_which_errors_mean_a_demotion(error: Exception, expected: bool) -> None:
    """
    A refusal to write, and the end of a blocking command whose server became a replica.
    """
    assert expected == sentinel.demoted(error)
