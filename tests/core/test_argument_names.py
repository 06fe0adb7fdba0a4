"""
A wrong argument of a command is an error that names the parameter it was given for, though commands hold words without names.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from coredis._core.callers import name_of
from coredis.sync import Redis
from tests.support.command_table import SAMPLES

STREAM_SAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("xadd", {"key": "s", "field_values": {"f": 1}, "identifier": "1-1", "trim_strategy": "MINID", "threshold": 1}),
    ("xadd", {"key": "s", "field_values": {"f": 1}, "idmp": ("p", "i"), "trim_strategy": "MAXLEN", "threshold": 1}),
    ("xadd", {"key": "s", "field_values": {"f": 1}, "idmpauto": "p", "condition": "ACKED"}),
    ("xdel", {"key": "s", "identifiers": ["1-1"]}),
    ("xdelex", {"key": "s", "identifiers": ["1-1"], "condition": "ACKED"}),
    ("xtrim", {"key": "s", "trim_strategy": "MAXLEN", "threshold": 1, "trim_operator": "~", "limit": 1}),
    ("xlen", {"key": "s"}),
    ("xrange", {"key": "s", "start": 1, "end": 2, "count": 3}),
    ("xrevrange", {"key": "s", "start": 1, "end": 2, "count": 3}),
    ("xread", {"streams": {"s": 0}, "count": 1, "block": 1, "max_count": 1, "max_size": 1}),
    ("xsetid", {"key": "s", "identifier": 1, "entriesadded": 1, "maxdeletedid": 1}),
    ("xcfgset", {"key": "s", "idmp_duration": 1, "idmp_maxsize": 1}),
    ("xinfo_stream", {"key": "s", "count": 1, "full": True}),
    ("xinfo_groups", {"key": "s"}),
    ("xinfo_consumers", {"key": "s", "groupname": "g"}),
    ("xreadgroup", {"group": "g", "consumer": "c", "streams": {"s": ">"}, "count": 1, "block": 1, "claim": 1}),
    ("xack", {"key": "s", "group": "g", "identifiers": ["1-1"]}),
    ("xackdel", {"key": "s", "group": "g", "identifiers": ["1-1"], "condition": "ACKED"}),
    ("xnack", {"key": "s", "group": "g", "mode": "FAIL", "identifiers": ["1-1"], "retrycount": 1}),
    ("xpending", {"key": "s", "group": "g", "start": 1, "end": 2, "count": 3, "idle": 1, "consumer": "c"}),
    ("xclaim", {"key": "s", "group": "g", "consumer": "c", "min_idle_time": 1, "identifiers": ["1-1"], "time": 1}),
    ("xautoclaim", {"key": "s", "group": "g", "consumer": "c", "min_idle_time": 1, "start": 1, "count": 1}),
    ("xgroup_create", {"key": "s", "groupname": "g", "identifier": 1, "entriesread": 1}),
    ("xgroup_createconsumer", {"key": "s", "groupname": "g", "consumername": "c"}),
    ("xgroup_setid", {"key": "s", "groupname": "g", "identifier": 1, "entriesread": 1}),
    ("xgroup_destroy", {"key": "s", "groupname": "g"}),
    ("xgroup_delconsumer", {"key": "s", "groupname": "g", "consumername": "c"}),
)
# What is taken as true or false, whatever it is.
SWITCHES = frozenset({"bool", "bool | None"})

client = Redis()


class Odd:
    """
    Nothing a server could be told.
    """


def samples() -> list[tuple[str, dict[str, Any]]]:
    """
    Give a good call of every method, its arguments by name.
    """
    found = list(STREAM_SAMPLES)
    for sample in SAMPLES:
        method = getattr(client.pipeline(), sample.method)
        found.append((sample.method, inspect.signature(method).bind(*sample.arguments, **sample.options).arguments))
    return found


def refusal(method: str, arguments: Mapping[str, Any]) -> str:
    """
    Queue a command that cannot be, and give what is said.
    """
    function = getattr(client.pipeline(), method)
    bound = inspect.BoundArguments(inspect.signature(function), dict(arguments))  # type: ignore[arg-type]
    with pytest.raises((TypeError, ValueError)) as caught:
        function(*bound.args, **bound.kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    "wrap", [lambda odd: odd, lambda odd: [odd], lambda odd: (odd,)], ids=["alone", "list", "tuple"]
)
def test_of_every_command(wrap: Any) -> None:
    """
    Every argument of every call, replaced by something senseless, alone and as one of several.
    """
    unnamed = []
    for method, arguments in samples():
        parameters = inspect.signature(getattr(client.pipeline(), method)).parameters
        for name in arguments:
            if parameters[name].annotation in SWITCHES:
                continue
            odd = wrap(Odd())
            said = refusal(
                method,
                {**arguments, name: (odd,) if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL else odd},
            )
            if name not in said:
                unnamed.append((method, name, said))

    assert [] == unnamed


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("set", ("k", None), "value of 'SET'"),
        ("set", (None, None), "key of 'SET'"),
        ("xadd", ("s", {"a": 1, "b": [2]}), "field_values['b'] of 'XADD'"),
        ("xadd", ("s", [("a", 1), ("b", True)]), "field_values[1][1] of 'XADD'"),
        ("xadd", ("s", {None: 1}), "field_values (a name in it) of 'XADD'"),
        ("xadd", ("s", {"a": float("nan")}), "field_values['a'] of 'XADD'"),
        ("xadd", ("s", {"a": "\ud800"}), "field_values['a'] of 'XADD'"),
        ("xadd", ("s", {"a" * 1000: None}), "field_values['aaaaaaaaaaaa...aaaaaaaaaaaaa'] of 'XADD'"),
        ("delete", (["a", None],), "keys[1] of 'DEL'"),
        ("delete", (iter(["a", None]),), "argument 2 of 'DEL'"),  # the iterator is spent
        ("eval", ("return 1", None, [None]), "args[0] of 'EVAL'"),  # and not keys, which nobody gave
        ("execute_command", ("SET", "k", None), "words[2] of 'SET'"),
        ("watch", ("k", None), "keys[1] of 'WATCH'"),
    ],
)
def test_the_place(method: str, arguments: tuple[Any, ...], expected: str) -> None:
    """
    A part of an argument is named by its place.
    """
    with pytest.raises((TypeError, ValueError)) as caught, client.pipeline() as pipe:
        waiting = getattr(pipe, method)(*arguments)
        if method == "watch":
            waiting.__enter__()

    assert expected in str(caught.value)


def test_what_is_not_an_argument() -> None:
    """
    Nobody gave it, so it has no name.
    """
    assert None is name_of(object())


def test_nothing_else_is_said() -> None:
    """
    The error has no other one behind it that would repeat it in a traceback.
    """
    with pytest.raises(TypeError) as caught:
        client.pipeline().set("k", None)  # type: ignore[arg-type]

    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_option_is_named_as_it_was_given() -> None:
    """
    Also where a method takes all options together.
    """
    with pytest.raises(UnicodeEncodeError, match="in idmpauto of 'XADD'"):
        client.xadd("s", {"a": 1}, idmpauto="\ud800")
