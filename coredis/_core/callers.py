"""
Look at who called the library, to say in their words what is wrong. Only ever asked after something has gone wrong.
"""

from __future__ import annotations

import inspect
import reprlib
import sys
from collections.abc import Collection, Iterator, Mapping
from types import FrameType
from typing import Final

_PACKAGE: Final = __name__.partition(".")[0]
_CORE: Final = __name__.rpartition(".")[0]
_DEPTH: Final = 3  # of what is given: field_values, one of its pairs, and the value in it


def _inside() -> list[FrameType]:
    """
    Collect the frames of this package down to the user's code, the innermost first; that of the caller begins.
    """
    frames = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frames.append(frame)
        frame = frame.f_back
    return frames


def levels_to_user() -> int:
    """
    Count the levels from the caller to the user's code, as ``warnings.warn`` wants them.
    """
    return len(_inside()) + 1


def name_of(value: object) -> str | None:
    """
    Name what the user gave, by the parameter of the method that was called, as ``field_values['a']`` or ``keys[2]``.

    Commands hold words without names, because on the way to the server nobody needs them. So the method that built the
    command is looked up among the callers, and the very object among its arguments.

    Args:
        value: what was given, the object itself

    Returns:
        the name; None when no caller has it in a parameter of its own
    """
    for frame in reversed(_inside()):
        if not frame.f_globals["__name__"].startswith(_CORE):
            for name, given in _arguments(frame):
                place = _place(given, value, _DEPTH)
                if place is not None:
                    return name + place
    return None


def _arguments(frame: FrameType) -> Iterator[tuple[str, object]]:
    """
    Give the arguments of a running method, those left at their defaults excepted: these are not the user's.
    """
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames[:count]
    defaults = {}
    if names:
        method = getattr(type(frame.f_locals.get(names[0])), code.co_name, None)
        if inspect.isfunction(method):
            defaults = {name: parameter.default for name, parameter in inspect.signature(method).parameters.items()}
    for name in names:
        given = frame.f_locals.get(name)
        if name == names[-1] and code.co_flags & inspect.CO_VARKEYWORDS and type(given) is dict:
            yield from given.items()  # each of these was given by its own name
        elif given is not defaults.get(name, inspect.Parameter.empty):
            yield name, given


def _place(given: object, value: object, depth: int) -> str | None:
    """
    Find an object in an argument: "" for the argument itself, an index for a part of it.
    """
    if given is value:
        return ""
    if not depth or isinstance(given, str | bytes | bytearray | memoryview):
        return None
    if isinstance(given, Mapping):
        for name, part in given.items():
            if name is value:
                return " (a name in it)"
            place = _place(part, value, depth - 1)
            if place is not None:
                return f"[{reprlib.repr(name)}]{place}"
    elif isinstance(given, Collection):
        for index, part in enumerate(given):
            place = _place(part, value, depth - 1)
            if place is not None:
                return f"[{index}]{place}"
    return None
