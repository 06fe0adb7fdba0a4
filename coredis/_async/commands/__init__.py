"""
The command methods, one family of Redis commands per module.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._async.commands.connection import ConnectionCommands
from coredis._async.commands.hashes import HashCommands
from coredis._async.commands.keys import KeyCommands
from coredis._async.commands.lists import ListCommands
from coredis._async.commands.scripting import ScriptingCommands
from coredis._async.commands.server import ServerCommands
from coredis._async.commands.sets import SetCommands
from coredis._async.commands.sorted_sets import SortedSetCommands
from coredis._async.commands.stream_groups import StreamGroupCommands
from coredis._async.commands.streams import StreamCommands
from coredis._async.commands.strings import StringCommands


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
