"""
Commands about strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import AnyStr

from coredis._async.commands.base import Commands
from coredis._core.command import key_read, key_rewrite, key_write
from coredis._core.commands import strings as build
from coredis._core.commands.checks import milliseconds as whole_milliseconds
from coredis._core.commands.checks import natural_integer
from coredis._core.commands.checks import seconds as whole_seconds
from coredis._core.commands.keyed import with_keys
from coredis._core.replies.shapes import integer, number, truth
from coredis.tokens import TokenT
from coredis.typing import KeyT, Parameters, ValueT


class StringCommands(Commands[AnyStr]):
    """
    Commands about strings.
    """

    async def get(self, key: KeyT) -> AnyStr | None:
        """
        Get the value of a key, None when there is no such key.

        Source: https://redis.io/docs/latest/commands/get/
        """
        return await self.issue(key_read(("GET", key), self.replies.optional_text))

    async def set(
        self,
        key: KeyT,
        value: ValueT,
        *,
        condition: TokenT | None = None,
        get: bool = False,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
        keepttl: bool = False,
    ) -> AnyStr | bool | None:
        """
        Set the value of a key.

        Args:
            key: the key
            value: its value
            condition: ``NX`` (only if the key is new) or ``XX`` (only if it exists)
            get: answer with the value before
            ex: seconds to live
            px: milliseconds to live
            exat: the moment of its end, in seconds since the epoch
            pxat: the moment of its end, in milliseconds since the epoch
            keepttl: keep the end the key had

        Returns:
            False when the condition was not met, otherwise True; with ``get`` the value before, None when there was none

        Source: https://redis.io/docs/latest/commands/set/
        """
        return await self.issue(
            build.store(key, value, condition, get, ex, px, exat, pxat, keepttl, self.replies.stored(get))
        )

    async def setex(self, key: KeyT, value: ValueT, seconds: int | timedelta) -> bool:
        """
        Set the value of a key and let it live for some seconds.

        Source: https://redis.io/docs/latest/commands/setex/
        """
        return await self.issue(key_rewrite(("SETEX", key, whole_seconds("seconds", seconds, 1), value), truth))

    async def psetex(self, key: KeyT, milliseconds: int | timedelta, value: ValueT) -> bool:
        """
        Set the value of a key and let it live for some milliseconds. The order of the parameters is the server's, while that of
        ``setex`` is not; name them.

        Source: https://redis.io/docs/latest/commands/psetex/
        """
        return await self.issue(
            key_rewrite(
                ("PSETEX", key, whole_milliseconds("milliseconds", milliseconds, 1), value),
                truth,
            )
        )

    async def setnx(self, key: KeyT, value: ValueT) -> bool:
        """
        Set the value of a key unless it exists.

        Source: https://redis.io/docs/latest/commands/setnx/
        """
        return await self.issue(key_write(("SETNX", key, value), truth))

    async def getdel(self, key: KeyT) -> AnyStr | None:
        """
        Get the value of a key and delete it.

        Source: https://redis.io/docs/latest/commands/getdel/
        """
        return await self.issue(key_write(("GETDEL", key), self.replies.optional_text))

    async def getex(
        self,
        key: KeyT,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
        persist: bool = False,
    ) -> AnyStr | None:
        """
        Get the value of a key and change when it ends.

        Args:
            key: the key
            ex: seconds to live
            px: milliseconds to live
            exat: the moment of its end, in seconds since the epoch
            pxat: the moment of its end, in milliseconds since the epoch
            persist: let it live without end

        Source: https://redis.io/docs/latest/commands/getex/
        """
        return await self.issue(build.getex(key, ex, px, exat, pxat, persist, self.replies.optional_text))

    async def mget(self, keys: Parameters[KeyT]) -> tuple[AnyStr | None, ...]:
        """
        Get the values of several keys, None for each that does not exist or is no string.

        Source: https://redis.io/docs/latest/commands/mget/
        """
        return await self.issue(with_keys(("MGET",), keys, self.replies.optional_texts, readonly=True))

    async def mset(self, key_values: Mapping[KeyT, ValueT]) -> bool:
        """
        Set the values of several keys at once.

        Source: https://redis.io/docs/latest/commands/mset/
        """
        return await self.issue(build.store_several("MSET", key_values, idempotent=True))

    async def msetnx(self, key_values: Mapping[KeyT, ValueT]) -> bool:
        """
        Set the values of several keys unless one of them exists; then none is set.

        Source: https://redis.io/docs/latest/commands/msetnx/
        """
        return await self.issue(build.store_several("MSETNX", key_values, idempotent=False))

    async def incr(self, key: KeyT) -> int:
        """
        Add 1 to a number.

        Source: https://redis.io/docs/latest/commands/incr/
        """
        return await self.issue(key_write(("INCR", key), integer))

    async def incrby(self, key: KeyT, increment: int) -> int:
        """
        Add to a whole number.

        Source: https://redis.io/docs/latest/commands/incrby/
        """
        return await self.issue(key_write(("INCRBY", key, increment), integer))

    async def incrbyfloat(self, key: KeyT, increment: int | float) -> float:
        """
        Add to a number.

        Source: https://redis.io/docs/latest/commands/incrbyfloat/
        """
        return await self.issue(key_write(("INCRBYFLOAT", key, increment), number))

    async def decr(self, key: KeyT) -> int:
        """
        Take 1 from a number.

        Source: https://redis.io/docs/latest/commands/decr/
        """
        return await self.issue(key_write(("DECR", key), integer))

    async def decrby(self, key: KeyT, decrement: int) -> int:
        """
        Take from a whole number.

        Source: https://redis.io/docs/latest/commands/decrby/
        """
        return await self.issue(key_write(("DECRBY", key, decrement), integer))

    async def append(self, key: KeyT, value: ValueT) -> int:
        """
        Append to a string.

        Returns:
            its length in bytes afterwards

        Source: https://redis.io/docs/latest/commands/append/
        """
        return await self.issue(key_write(("APPEND", key, value), integer))

    async def strlen(self, key: KeyT) -> int:
        """
        Get the length of a string in bytes, 0 when there is no such key.

        Source: https://redis.io/docs/latest/commands/strlen/
        """
        return await self.issue(key_read(("STRLEN", key), integer))

    async def getrange(self, key: KeyT, start: int, end: int) -> AnyStr:
        """
        Get a part of a string. Both ends are included and count bytes; negative ones count from its end.

        Source: https://redis.io/docs/latest/commands/getrange/
        """
        return await self.issue(key_read(("GETRANGE", key, start, end), self.replies.text))

    async def setrange(self, key: KeyT, offset: int, value: ValueT) -> int:
        """
        Write over a part of a string, from a byte on.

        Returns:
            its length in bytes afterwards

        Source: https://redis.io/docs/latest/commands/setrange/
        """
        return await self.issue(key_rewrite(("SETRANGE", key, natural_integer("offset", offset), value), integer))
