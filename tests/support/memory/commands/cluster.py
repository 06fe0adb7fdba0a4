"""
What a node of a cluster says of the cluster, and what makes it answer for others.

Sources: https://redis.io/docs/latest/commands/cluster-slots/, https://redis.io/docs/latest/commands/asking/,
https://redis.io/docs/latest/commands/readonly/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.memory.commands.table import Call, command
from tests.support.memory.replies import OK, Pairs, Refused, Reply

if TYPE_CHECKING:
    from tests.support.memory.nodes import MemoryNode


def _node(call: Call) -> MemoryNode:
    node = call.server.node
    if node is None:
        raise Refused("ERR This instance has cluster support disabled")
    return node


@command("CLUSTER SLOTS", 2)
def slots(call: Call) -> Reply:
    return [
        [first, last, *([other.host, other.port, other.name, Pairs()] for other in nodes)]
        for first, last, nodes in _node(call).view.ranges()
    ]


@command("CLUSTER MYID", 2)
def name(call: Call) -> Reply:
    return _node(call).name


@command("ASKING", 1)
def asking(call: Call) -> Reply:
    _node(call)
    call.connection.asking = True
    return OK


@command("READONLY", 1)
def readonly(call: Call) -> Reply:
    _node(call)
    call.connection.readonly = True
    return OK


@command("READWRITE", 1)
def readwrite(call: Call) -> Reply:
    _node(call)
    call.connection.readonly = False
    return OK
