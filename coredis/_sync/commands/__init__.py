# Generated from coredis/_async/commands/__init__.py by scripts/generate.py: edit that file, not this one.
"""
The command methods, one family of Redis commands per module.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._sync.commands.connection import ConnectionCommands
from coredis._sync.commands.hashes import HashCommands
from coredis._sync.commands.keys import KeyCommands
from coredis._sync.commands.lists import ListCommands
from coredis._sync.commands.scripting import ScriptingCommands
from coredis._sync.commands.server import ServerCommands
from coredis._sync.commands.sets import SetCommands
from coredis._sync.commands.sorted_sets import SortedSetCommands
from coredis._sync.commands.stream_groups import StreamGroupCommands
from coredis._sync.commands.streams import StreamCommands
from coredis._sync.commands.strings import StringCommands


class CommandFamilies(
    StreamCommands[AnyStr],
    StreamGroupCommands[AnyStr],
    ConnectionCommands[AnyStr],
    KeyCommands[AnyStr],
    StringCommands[AnyStr],
    HashCommands[AnyStr],
    ListCommands[AnyStr],
    SetCommands[AnyStr],
    SortedSetCommands[AnyStr],
    ScriptingCommands[AnyStr],
    ServerCommands[AnyStr],
):
    """
    All command methods.
    """


__all__ = ["CommandFamilies"]
