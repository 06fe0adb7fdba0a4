"""
The commands of the server in memory, by family.
"""

from __future__ import annotations

from tests.support.memory.commands import (
    claims,
    cluster,
    connections,
    documentation,
    groups,
    information,
    keys,
    reading,
    streams,
)
from tests.support.memory.commands.table import TABLE, Call

__all__ = [
    "TABLE",
    "Call",
    "claims",
    "cluster",
    "connections",
    "documentation",
    "groups",
    "information",
    "keys",
    "reading",
    "streams",
]
