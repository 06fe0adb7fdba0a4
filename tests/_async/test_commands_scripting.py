"""
Scripts and functions on real servers.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Any

import pytest

from coredis.exceptions import NoScriptError, NotBusyError, ResponseError
from tests.support.aio import Redis, text

CODE = "return {KEYS[1], ARGV[1], 5, false, {ok='fine'}, {1, 'x'}}"
LIBRARY = """#!lua name=lib
redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)
redis.register_function{
    function_name='twice', callback=function(keys, args) return 2 * args[1] end, flags={'no-writes'}
}
"""


def result(redis: Redis[Any]) -> list[Any]:
    """
    What the script returns, as this client returns it.
    """
    return [text(redis, "k"), text(redis, "7"), 5, None, text(redis, "fine"), [1, text(redis, "x")]]


async def test_eval(redis: Redis[Any]) -> None:
    """
    Whatever a script returns comes back, decoded all the way down.
    """
    assert await redis.eval(CODE, ["k"], [7]) == result(redis)
    assert await redis.eval_ro(CODE, "k", "7") == result(redis)
    assert await redis.eval("return 1") == 1
    assert await redis.eval("return #KEYS", [], []) == 0
    with pytest.raises(ResponseError, match="mine"):
        await redis.eval("return redis.error_reply('mine')")
    with pytest.raises(ResponseError):
        await redis.eval_ro("return redis.call('SET', KEYS[1], 1)", ["k"])


async def test_scripts_by_digest(redis: Redis[Any]) -> None:
    """
    A script that the server knows is run by its digest.
    """
    digest = await redis.script_load(CODE)

    assert digest == text(redis, sha1(CODE.encode()).hexdigest())
    assert await redis.script_exists([digest, "0" * 40]) == (True, False)
    assert await redis.evalsha(digest, ["k"], [7]) == result(redis)
    assert await redis.evalsha_ro(digest, ["k"], [7]) == result(redis)
    assert await redis.script_flush("SYNC") is True
    with pytest.raises(NoScriptError):
        await redis.evalsha(digest)
    with pytest.raises(NotBusyError):
        await redis.script_kill()


async def test_functions(redis: Redis[Any]) -> None:
    """
    A library is loaded, described, called and deleted.
    """
    assert await redis.function_load(LIBRARY) == text(redis, "lib")
    with pytest.raises(ResponseError, match="already exists"):
        await redis.function_load(LIBRARY)
    assert await redis.function_load(LIBRARY, replace=True) == text(redis, "lib")

    assert await redis.fcall("put", ["k"], ["v"]) == text(redis, "OK")
    assert await redis.get("k") == text(redis, "v")
    assert await redis.fcall_ro("twice", args=[21]) == 42

    library = (await redis.function_list())[text(redis, "lib")]
    assert library["engine"] == "LUA"
    assert library["library_code"] is None
    assert library["functions"] == {
        text(redis, "put"): {"name": text(redis, "put"), "description": None, "flags": set()},
        text(redis, "twice"): {"name": text(redis, "twice"), "description": None, "flags": {"no-writes"}},
    }
    assert (await redis.function_list("l*", withcode=True))[text(redis, "lib")]["library_code"] == text(redis, LIBRARY)
    assert await redis.function_list("x*") == {}
    assert await redis.function_delete("lib") is True
    assert await redis.function_flush() is True
