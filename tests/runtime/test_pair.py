"""
Both halves have the same names with the same parameters, so that generated code finds what authored code used.
"""

from __future__ import annotations

import inspect
import pkgutil
from types import ModuleType

import pytest

from coredis._runtime import aio, blocking
from coredis._runtime.sessions import SessionView

#: What asyncio calls, and what helps the blocking half alone.
AIO_ONLY = {"connection_lost", "connection_made", "data_received", "eof_received", "pause_writing", "resume_writing"}
AIO_ONLY |= {"get_buffer", "buffer_updated"}
AIO_ONLY |= {"watch", "wake", "expire", "loop", "waiter", "deadline"}
BLOCKING_ONLY = {"fileno", "flush", "has_data", "receive", "channel", "unsent"}
BLOCKING_ONLY |= {"ready"}  # a property, where the twin has an attribute
CLASSES = ["Alarm", "Channel", "Event", "Home", "Listening", "Started"]


def exported(module: ModuleType) -> set[str]:
    """
    Give the names a half has for others: whatever it has but its own modules.
    """
    return {
        name
        for name, value in vars(module).items()
        if not (name.startswith("_") or inspect.ismodule(value) or name == "annotations")
    }


def parameters(function: object) -> list[tuple[str, object]]:
    """
    Give name and default of each parameter.
    """
    return [(name, parameter.default) for name, parameter in inspect.signature(function).parameters.items()]  # type: ignore[arg-type]


def members(owner: type) -> dict[str, object]:
    """
    Give the public members a class defines.
    """
    return {name: value for name, value in vars(owner).items() if not name.startswith("_")}


def test_the_modules_have_the_same_names() -> None:
    """
    But for limits of what only one of them does.
    """
    limits = {
        "MAX_PENDING",
        "MAX_POLL_MILLISECONDS",
        "MAX_QUEUED_BYTES",
        "PIECE_BYTES",
        "RECEIVE_BYTES",
    }

    assert exported(aio) - limits == exported(blocking) - limits


@pytest.mark.parametrize("half", [aio, blocking])
def test_all_of_a_half_is_listed(half: ModuleType) -> None:
    """
    And nothing else.
    """
    assert sorted(exported(half)) == sorted(half.__all__)


def test_files_of_the_same_name_have_the_same_job() -> None:
    """
    But for what only one half does.
    """
    ours, theirs = ({module.name for module in pkgutil.iter_modules(half.__path__)} for half in (aio, blocking))

    assert ours - {"resuming"} == theirs - {"polling"}


def test_what_both_channels_inherit_is_defined_once() -> None:
    """
    Neither says anything else about its session.
    """
    for half in (aio, blocking):
        assert issubclass(half.Channel, SessionView)
        assert not members(half.Channel).keys() & members(SessionView).keys()


@pytest.mark.parametrize(
    "name",
    [
        "after_fork",
        "call",
        "caller",
        "close_all",
        "connect",
        "join",
        "keep_inherited",
        "now",
        "random",
        "sleep",
        "spawn",
        "wait_any",
    ],
)
def test_functions_have_the_same_parameters(name: str) -> None:
    """
    One of the two may have to be awaited.
    """
    ours, theirs = getattr(aio, name), getattr(blocking, name)
    if inspect.isbuiltin(ours) and inspect.isbuiltin(theirs):
        assert ours.__name__ == theirs.__name__
    else:
        assert parameters(ours) == parameters(theirs)
    assert not inspect.iscoroutinefunction(theirs)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_the_same_members(name: str) -> None:
    """
    With the same parameters, as methods or as properties.
    """
    ours, theirs = members(getattr(aio, name)), members(getattr(blocking, name))

    assert ours.keys() - AIO_ONLY == theirs.keys() - BLOCKING_ONLY
    for member in ours.keys() & theirs.keys():
        assert isinstance(ours[member], property) is isinstance(theirs[member], property), member
        if inspect.isfunction(ours[member]):
            assert parameters(ours[member]) == parameters(theirs[member]), member


def test_every_name_is_documented() -> None:
    """
    In both halves, for readers of either.
    """
    for module in (aio, blocking):
        for name in exported(module):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                assert inspect.getdoc(value), name


def test_a_state_lock_is_a_context_manager_in_both() -> None:
    """
    And can be used again.
    """
    for module in (aio, blocking):
        lock = module.StateLock()
        for _ in range(2):
            with lock:
                pass
