"""
Patterns of use built on the commands: the asynchronous flavour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import exports

if TYPE_CHECKING:
    from . import streams as streams

if not TYPE_CHECKING:  # for a type checker the module would have every name
    __getattr__, __dir__ = exports(__name__, {}, ("streams",))
