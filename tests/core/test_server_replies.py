"""
What a server tells about itself: RESP2 and RESP3 give the same, raw and decoded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from coredis._core import replies
from coredis._core.replies import server
from coredis.types import RoleInfo, SlowLogInfo

raw = replies.raw()
decoded = replies.decoded("utf-8")


def flat(value: Any) -> Any:
    """
    Make what RESP2 sends of what RESP3 sends: maps become lists.
    """
    if isinstance(value, dict):
        return [flat(part) for item in value.items() for part in item]
    if isinstance(value, list):
        return [flat(part) for part in value]
    return value


INFO = b"""# Server\r
redis_version:8.6\r
redis_git_sha1:00000000\r
redis_build_id:1234567890\r
listener0:name=tcp,bind=*,bind=-::*,port=7702\r
executable:/srv/a=b\r
config_file:\r
\r
# Memory\r
used_memory:1048576\r
used_memory_human:1.00M\r
mem_fragmentation_ratio:1.25\r
used_memory_peak_perc:98.97%\r
negative:-3\r
aof_buffer:007\r
\r
# Modules\r
module:name=one,ver=1,usedby=[],options=[a|b]\r
module:name=two,ver=2,usedby=[],options=[]\r
\r
# Commandstats\r
cmdstat_client|list:calls=2,usec=7,usec_per_call=3.50\r
\r
# Errorstats\r
errorstat_ERR:count=1\r
\r
# Keyspace\r
db0:keys=3,expires=0,avg_ttl=0\r
"""


def test_info() -> None:
    """
    Numbers are numbers, digits that mean none are text, a line with several values is a dict.
    """
    fields = server.info(INFO)

    assert {
        "redis_version": "8.6",
        "redis_git_sha1": "00000000",
        "redis_build_id": "1234567890",
        "listener0": {"name": "tcp", "bind": "* -::*", "port": 7702},
        "executable": "/srv/a=b",
        "config_file": "",
        "used_memory": 1048576,
        "used_memory_human": "1.00M",
        "mem_fragmentation_ratio": 1.25,
        "used_memory_peak_perc": "98.97%",
        "negative": -3,
        "aof_buffer": "007",
        "modules": (
            {"name": "one", "ver": 1, "usedby": "[]", "options": "[a|b]"},
            {"name": "two", "ver": 2, "usedby": "[]", "options": "[]"},
        ),
        "cmdstat_client|list": {"calls": 2, "usec": 7, "usec_per_call": 3.5},
        "errorstat_ERR": {"count": 1},
        "db0": {"keys": 3, "expires": 0, "avg_ttl": 0},
    } == fields


def test_info_of_nothing() -> None:
    """
    A section that does not exist is empty.
    """
    assert {} == server.info(b"")


def test_clients() -> None:
    """
    One dict a line; names stay text even when they are digits, and spaces in a path do no harm.
    """
    lines = (
        b"id=3 addr=/run/my socket:0 laddr=127.0.0.1:1 fd=8 name=42 age=1 db=0 multi=-1 cmd=client|list user=7 resp=2\n"
        b"id=4 addr=[::1]:9 name= flags=N lib-name=coredis(a_v1) lib-ver=1.0 new-field=5\n"
    )

    first, second = server.client_list(lines)

    assert {
        "id": 3,
        "addr": "/run/my socket:0",
        "laddr": "127.0.0.1:1",
        "fd": 8,
        "name": "42",
        "age": 1,
        "db": 0,
        "multi": -1,
        "cmd": "client|list",
        "user": "7",
        "resp": 2,
    } == first
    assert {
        "id": 4,
        "addr": "[::1]:9",
        "name": "",
        "flags": "N",
        "lib-name": "coredis(a_v1)",
        "lib-ver": "1.0",
        "new-field": 5,
    } == second
    assert second == server.client_info(lines.split(b"\n")[1] + b"\n")


def test_no_clients() -> None:
    """
    No line, no client.
    """
    assert () == server.client_list(b"")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            [b"master", 7, [[b"10.0.0.1", b"6380", b"5"]]],
            RoleInfo("master", offset=7, slaves=({"host": "10.0.0.1", "port": 6380, "offset": 5},)),
        ),
        (
            [b"slave", b"10.0.0.1", 6379, b"connected", 12],
            RoleInfo("slave", offset=12, status="connected", host="10.0.0.1", port=6379),
        ),
        ([b"sentinel", [b"one", b"two"]], RoleInfo("sentinel", masters=("one", "two"))),
    ],
)
def test_role(reply: Any, expected: RoleInfo) -> None:
    """
    Each role has its own facts.
    """
    assert expected == server.role(reply)


def test_times() -> None:
    """
    The clock has microseconds and a time zone.
    """
    assert datetime(1970, 1, 1, 0, 0, 5, 43, tzinfo=UTC) == server.moment([b"5", b"43"])
    assert datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC) == server.moment_of_save(5)


SPECIFICATION = {
    b"flags": [b"RO", b"access"],
    b"begin_search": {b"type": b"index", b"spec": {b"index": 1}},
    b"find_keys": {b"type": b"range", b"spec": {b"lastkey": 0, b"keystep": 1, b"limit": 0}},
}
GET = [b"get", 2, [b"readonly", b"fast"], 1, 1, 1, [b"@read"], [], [SPECIFICATION], []]
XGROUP = [b"xgroup", -2, [], 0, 0, 0, [b"@slow"], [], [], [[b"xgroup|help", 2, [b"stale"], 0, 0, 0, [], [], [], []]]]


@pytest.mark.parametrize("form", [flat, lambda reply: reply], ids=["RESP2", "RESP3"])
def test_command_info(form: Any) -> None:
    """
    Commands by name, subcommands inside, unknown names left out.
    """
    found = server.command_infos(form([GET, None, XGROUP]))

    assert ["get", "xgroup"] == list(found)
    assert {
        "name": "get",
        "arity": 2,
        "flags": {"readonly", "fast"},
        "first-key": 1,
        "last-key": 1,
        "step": 1,
        "acl-categories": {"@read"},
        "tips": frozenset(),
        "key-specifications": (
            {
                "flags": ("RO", "access"),
                "begin_search": {"type": "index", "spec": {"index": 1}},
                "find_keys": {"type": "range", "spec": {"lastkey": 0, "keystep": 1, "limit": 0}},
            },
        ),
        "sub-commands": (),
    } == found["get"]
    assert ["xgroup|help"] == [command["name"] for command in found["xgroup"]["sub-commands"]]


DOCS = {
    b"xgroup": {
        b"summary": b"Groups.",
        b"doc_flags": [b"deprecated"],
        b"history": [[b"5.1", b"More."]],
        b"subcommands": {
            b"xgroup|create": {
                b"arguments": [
                    {b"name": b"key", b"type": b"key", b"key_spec_index": 0},
                    {
                        b"name": b"id-selector",
                        b"type": b"oneof",
                        b"arguments": [{b"name": b"new-id", b"token": b"$"}],
                        b"flags": [b"optional"],
                    },
                ]
            }
        },
    }
}


@pytest.mark.parametrize("form", [flat, lambda reply: reply], ids=["RESP2", "RESP3"])
def test_command_docs(form: Any) -> None:
    """
    Names and text are str at every level.
    """
    assert {
        "xgroup": {
            "summary": "Groups.",
            "doc_flags": ("deprecated",),
            "history": (("5.1", "More."),),
            "subcommands": {
                "xgroup|create": {
                    "arguments": (
                        {"name": "key", "type": "key", "key_spec_index": 0},
                        {
                            "name": "id-selector",
                            "type": "oneof",
                            "arguments": ({"name": "new-id", "token": "$"},),
                            "flags": ("optional",),
                        },
                    )
                }
            },
        }
    } == server.command_docs(form(DOCS))


def test_slow_log() -> None:
    """
    The command is a list of words.
    """
    entry = [7, 1700000000, 15, [b"GET", b"a"], b"127.0.0.1:1", b""]

    assert (SlowLogInfo(7, 1700000000, 15, ["GET", "a"], "127.0.0.1:1", ""),) == decoded.slow_log([entry])
    assert [b"GET", b"a"] == raw.slow_log([entry])[0].command


USER = {
    b"flags": [b"on"],
    b"passwords": [b"2d71"],
    b"commands": b"-@all +get",
    b"keys": b"~a*",
    b"channels": b"",
    b"selectors": [{b"commands": b"-@all +set", b"keys": b"~b", b"channels": b""}],
}


@pytest.mark.parametrize("form", [flat, lambda reply: reply], ids=["RESP2", "RESP3"])
def test_acl_user(form: Any) -> None:
    """
    The names of the fields are str, their text follows the client.
    """
    assert {
        "flags": {"on"},
        "passwords": ("2d71",),
        "commands": "-@all +get",
        "keys": "~a*",
        "channels": "",
        "selectors": ({"commands": "-@all +set", "keys": "~b", "channels": ""},),
    } == decoded.acl_user(form(USER))
    assert {b"on"} == (raw.acl_user(form(USER)) or {})["flags"]


def test_no_acl_user() -> None:
    """
    There may be none.
    """
    assert decoded.acl_user(None) is None


LIBRARIES = [
    {
        b"library_name": b"lib",
        b"engine": b"LUA",
        b"functions": [{b"name": b"f", b"description": None, b"flags": [b"no-writes"]}],
    }
]


@pytest.mark.parametrize("form", [flat, lambda reply: reply], ids=["RESP2", "RESP3"])
def test_libraries(form: Any) -> None:
    """
    Libraries and functions by name; code only where asked for.
    """
    assert {
        "lib": {
            "name": "lib",
            "engine": "LUA",
            "functions": {"f": {"name": "f", "description": None, "flags": {"no-writes"}}},
            "library_code": None,
        }
    } == decoded.libraries(form(LIBRARIES))
    assert b"code" == raw.libraries(form([LIBRARIES[0] | {b"library_code": b"code"}]))[b"lib"]["library_code"]


@pytest.mark.parametrize("form", [flat, lambda reply: reply], ids=["RESP2", "RESP3"])
def test_settings(form: Any) -> None:
    """
    Settings by name.
    """
    assert {"maxmemory": "0"} == decoded.settings(form({b"maxmemory": b"0"}))
    assert {b"maxmemory": b"0"} == raw.settings(form({b"maxmemory": b"0"}))
