"""
Patterns of use built on the commands: the blocking flavour.
"""

from __future__ import annotations

from ..._lazy import exports

__getattr__, __dir__ = exports(__name__, {}, ("streams",))
