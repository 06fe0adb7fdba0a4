"""
Keys and plain strings.
"""

from __future__ import annotations

from tests.support.memory.commands.table import Call, command
from tests.support.memory.replies import OK, Refused, Reply, Simple
from tests.support.memory.stream import Stream


@command("SET", -3)
def store(call: Call) -> Reply:
    if len(call.words) != 3:
        raise Refused("ERR syntax error")
    call.server.put(call.database, call.words[1], call.words[2])
    return OK


@command("GET", 2)
def fetch(call: Call) -> Reply:
    value = call.server.get(call.database, call.words[1])
    if isinstance(value, Stream):
        raise Refused("WRONGTYPE Operation against a key holding the wrong kind of value")
    return value


@command("DEL", -2)
def delete(call: Call) -> Reply:
    return sum(call.server.remove(call.database, key) for key in call.words[1:])


@command("UNLINK", -2)
def unlink(call: Call) -> Reply:
    return delete(call)


@command("EXISTS", -2)
def exists(call: Call) -> Reply:
    return sum(call.server.get(call.database, key) is not None for key in call.words[1:])


@command("TYPE", 2)
def kind(call: Call) -> Reply:
    value = call.server.get(call.database, call.words[1])
    return Simple(b"none" if value is None else b"stream" if isinstance(value, Stream) else b"string")


@command("FLUSHALL", -1)
def flush_all(call: Call) -> Reply:
    for database in range(16):
        call.server.flush(database)
    return OK


@command("FLUSHDB", -1)
def flush(call: Call) -> Reply:
    call.server.flush(call.database)
    return OK
