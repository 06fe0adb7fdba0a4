"""
What a group consumer is made with is checked before anything happens.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from coredis import Redis
from coredis._core.consumer.parameters import (
    GROUP_DEFAULTS,
    GroupOptions,
    check_no_group_options,
    encode_member_name,
)
from coredis.exceptions import CommandSyntaxError
from coredis.patterns.streams import GroupConsumer

DEFAULTS: dict[str, Any] = {
    "auto_acknowledge": False,
    "recover_group": "recreate",
    "ack": "acknowledge",
    "ack_buffer": 0,
    "ack_interval": 1000,
    "claim_idle": None,
    "heartbeat": False,
    "max_deliveries": None,
    "dead_letter": None,
    "on_deleted": None,
}


def checked(**given: Any) -> GroupOptions:
    """
    Check some arguments beside the defaults.
    """
    return GroupOptions.checked(**{**DEFAULTS, **given})


def test_defaults() -> None:
    """
    Nothing beyond reading.
    """
    assert GroupOptions(False, False, 0, 1000, None, False, None) == checked()


def test_everything() -> None:
    """
    What goes together.
    """
    assert GroupOptions(True, True, 9, 50, 100, True, 3) == checked(
        recover_group="raise",
        ack="delete",
        ack_buffer=9,
        ack_interval=50,
        claim_idle=100,
        heartbeat=True,
        max_deliveries=3,
        dead_letter="dead",
        on_deleted=print,
    )


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"recover_group": "ignore"}, ValueError),
        ({"recover_group": None}, ValueError),
        ({"ack": "forget"}, ValueError),
        ({"ack": True}, ValueError),
        ({"ack_buffer": -1}, ValueError),
        ({"ack_buffer": "9"}, TypeError),
        ({"ack_buffer": True}, ValueError),
        ({"ack_interval": 0}, ValueError),
        ({"ack_interval": 1.5}, TypeError),
        ({"claim_idle": 99}, ValueError),
        ({"claim_idle": "60000"}, TypeError),
        ({"max_deliveries": 0}, ValueError),
        ({"max_deliveries": 2.0}, TypeError),
        ({"on_deleted": "print"}, TypeError),
        ({"max_unacked": 0}, ValueError),
        ({"claim_idle": 86_400_001}, ValueError),
        ({"ack_interval": 86_400_001}, ValueError),
        ({"heartbeat": "no"}, TypeError),
        ({"auto_create": 1}, TypeError),
        ({"auto_acknowledge": None}, TypeError),
        ({"start_from_backlog": "yes"}, TypeError),
        ({"max_unacked": -1}, ValueError),
        ({"max_unacked": True}, ValueError),
        ({"max_unacked": 1.5}, TypeError),
    ],
)
def test_a_bad_argument(given: dict[str, Any], kind: type[Exception]) -> None:
    """
    The refusal names it and its value.
    """
    ((name, value),) = given.items()

    with pytest.raises(kind) as caught:
        checked(**given)

    assert str(caught.value).startswith(f"{name}: ")
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"auto_acknowledge": True, "claim_idle": 5000}, "claim_idle: .*5000"),
        ({"auto_acknowledge": True, "max_deliveries": 3, "dead_letter": "dead"}, "max_deliveries: .*3"),
        ({"auto_acknowledge": True, "ack_buffer": 7}, "ack_buffer: .*7"),
        ({"auto_acknowledge": True, "ack": "delete"}, "ack: .*'delete'"),
        ({"auto_acknowledge": True, "max_unacked": 5}, "max_unacked: .*5"),
        ({"heartbeat": True}, "heartbeat: .*True"),
        ({"max_deliveries": 3}, "max_deliveries: .*3.*dead_letter"),
        ({"dead_letter": "dead"}, "dead_letter: .*'dead'.*max_deliveries"),
    ],
)
def test_arguments_that_do_not_go_together(given: dict[str, Any], named: str) -> None:
    """
    The refusal names the one that is too much, its value, and what it lacks.
    """
    with pytest.raises(ValueError, match=named):
        checked(**given)


def test_leases_are_renewed_after_half_of_the_idle_time() -> None:
    """
    In seconds; nothing is renewed where nothing is taken over.
    """
    assert [0.0, 2.5] == [checked(claim_idle=idle).renewal_age for idle in (None, 5000)]


def test_a_delay_is_an_idle_time() -> None:
    """
    Others wait for ``claim_idle``, so an entry that is idle for less takes the rest of it.
    """
    options = checked(claim_idle=5000)

    assert [None, 5000, 4000, 0, -1] == [options.idle_for(delay) for delay in (None, 0, 1000, 5000, 5001)]


@pytest.mark.parametrize(
    ("delay", "kind"), [(86_400_001, ValueError), (-1, ValueError), ("5", TypeError), (True, ValueError)]
)
def test_a_bad_delay(delay: Any, kind: type[Exception]) -> None:
    """
    The refusal names it and its value.
    """
    with pytest.raises(kind, match=f"delay: .*{delay!r}"):
        checked(claim_idle=5000).idle_for(delay)


def test_a_delay_without_taking_over() -> None:
    """
    There is nothing to count it from.
    """
    assert checked().idle_for(None) is None
    with pytest.raises(ValueError, match=r"delay: 7 .*claim_idle"):
        checked().idle_for(7)


def test_options_of_a_group_without_one() -> None:
    """
    What they are by default says nothing; anything else is a mistake.
    """
    check_no_group_options(GROUP_DEFAULTS)

    for name in GROUP_DEFAULTS:
        with pytest.raises(CommandSyntaxError, match=f"{name}: .*'other'"):
            check_no_group_options({name: "other"})


def test_the_defaults_are_those_of_the_consumer() -> None:
    """
    Of both ways to make one.
    """
    for function in (GroupConsumer.__init__, Redis.xconsumer):
        parameters = inspect.signature(function).parameters
        assert {name: parameters[name].default for name in GROUP_DEFAULTS} == dict(GROUP_DEFAULTS)


@pytest.mark.parametrize("name", ["", b""])
def test_an_empty_name(name: Any) -> None:
    """
    Nobody means that.
    """
    with pytest.raises(ValueError, match=f"group: .*{name!r}"):
        encode_member_name("group", name, "utf-8")
