# Generated from coredis/_async/commands/__init__.py by scripts/generate.py: edit that file, not this one.
"""
The command methods, one family of Redis commands per module.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._queued.commands.connection import ConnectionCommands
from coredis._queued.commands.hashes import HashCommands
from coredis._queued.commands.keys import KeyCommands
from coredis._queued.commands.lists import ListCommands
from coredis._queued.commands.scripting import ScriptingCommands
from coredis._queued.commands.server import ServerCommands
from coredis._queued.commands.sets import SetCommands
from coredis._queued.commands.sorted_sets import SortedSetCommands
from coredis._queued.commands.stream_groups import StreamGroupCommands
from coredis._queued.commands.streams import StreamCommands
from coredis._queued.commands.strings import StringCommands


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
