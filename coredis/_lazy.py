"""
Let a facade load what it exports when that is first asked for, so that who uses one client does not wait for the others.

Type checkers do not look here: the facade imports the same names for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def exports(
    facade: str, places: Mapping[str, str], modules: Sequence[str], unlisted: Sequence[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """
    Make the ``__getattr__`` and the ``__dir__`` of a facade.

    Args:
        facade: its module's name
        places: by exported name, the module that has it, relative to the facade
        modules: public modules below the facade, which may be used without importing them
        unlisted: such ones that are not in the directory, because loading them warns
    """
    own = vars(sys.modules[facade])

    def load(name: str) -> object:
        if name in places:
            value: object = getattr(import_module(places[name], own["__package__"]), name)
        elif name in modules or name in unlisted:
            value = import_module(f".{name}", own["__package__"])
        else:
            raise AttributeError(f"module {facade!r} has no attribute {name!r}")
        own[name] = value  # found without us from now on
        return value

    def names() -> list[str]:
        return sorted({*own, *places, *modules})

    return load, names
