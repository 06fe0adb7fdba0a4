"""
What happens in a forked child: it never touches the connections of its parent.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from typing import Protocol


class Forkable(Protocol):
    """
    Something that holds connections.
    """

    def forget_parent(self) -> None:
        """
        Called in the child, before anything else runs there: drop every connection and lock, untouched.
        """


_holders: weakref.WeakSet[Forkable] = weakref.WeakSet()
_inherited: list[object] = []


def after_fork(holder: Forkable) -> None:
    """
    Have ``forget_parent`` called in every forked child from now on, for as long as the holder lives.
    """
    _holders.add(holder)


def keep_inherited(connections: Iterable[object]) -> None:
    """
    Keep connections of the parent for ever, so that not even a finalizer closes or unregisters what the parent uses.
    """
    _inherited.extend(connections)


def _in_child() -> None:
    for holder in list(_holders):
        holder.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
