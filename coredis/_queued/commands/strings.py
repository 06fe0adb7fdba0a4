# Generated from coredis/_async/commands/strings.py by scripts/generate.py: edit that file, not this one.
"""
Commands about strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import AnyStr

from coredis._queued.commands.base import Commands
from coredis._core.command import key_read, key_rewrite, key_write
from coredis._core.commands import strings as build
from coredis._core.commands.checks import milliseconds as whole_milliseconds
from coredis._core.commands.checks import natural_integer
from coredis._core.commands.checks import seconds as whole_seconds
from coredis._core.commands.keyed import with_keys
from coredis._core.queue import Queued
from coredis._core.replies.shapes import integer, number, truth
from coredis.tokens import TokenT
from coredis.typing import KeyT, Parameters, ValueT


class StringCommands(Commands[AnyStr]):
    """
    Commands about strings.
    """

    def get(self, key: KeyT) -> Queued[AnyStr | None]:
        """
        Get the value of a key, None when there is no such key.

        Source: https://redis.io/docs/latest/commands/get/
        """
        return self.issue(key_read(("GET", key), self.replies.optional_text))

    def set(
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
    ) -> Queued[AnyStr | bool | None]:
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
        return self.issue(
            build.store(key, value, condition, get, ex, px, exat, pxat, keepttl, self.replies.stored(get))
        )

    def setex(self, key: KeyT, value: ValueT, seconds: int | timedelta) -> Queued[bool]:
        """
        Set the value of a key and let it live for some seconds.

        Source: https://redis.io/docs/latest/commands/setex/
        """
        return self.issue(key_rewrite(("SETEX", key, whole_seconds("seconds", seconds, 1), value), truth))

    def psetex(self, key: KeyT, milliseconds: int | timedelta, value: ValueT) -> Queued[bool]:
        """
        Set the value of a key and let it live for some milliseconds. The order of the parameters is the server's, while that of
        ``setex`` is not; name them.

        Source: https://redis.io/docs/latest/commands/psetex/
        """
        return self.issue(
            key_rewrite(
                ("PSETEX", key, whole_milliseconds("milliseconds", milliseconds, 1), value),
                truth,
            )
        )

    def setnx(self, key: KeyT, value: ValueT) -> Queued[bool]:
        """
        Set the value of a key unless it exists.

        Source: https://redis.io/docs/latest/commands/setnx/
        """
        return self.issue(key_write(("SETNX", key, value), truth))

    def getdel(self, key: KeyT) -> Queued[AnyStr | None]:
        """
        Get the value of a key and delete it.

        Source: https://redis.io/docs/latest/commands/getdel/
        """
        return self.issue(key_write(("GETDEL", key), self.replies.optional_text))

    def getex(
        self,
        key: KeyT,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
        persist: bool = False,
    ) -> Queued[AnyStr | None]:
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
        return self.issue(build.getex(key, ex, px, exat, pxat, persist, self.replies.optional_text))

    def mget(self, keys: Parameters[KeyT]) -> Queued[tuple[AnyStr | None, ...]]:
        """
        Get the values of several keys, None for each that does not exist or is no string.

        Source: https://redis.io/docs/latest/commands/mget/
        """
        return self.issue(with_keys(("MGET",), keys, self.replies.optional_texts, readonly=True))

    def mset(self, key_values: Mapping[KeyT, ValueT]) -> Queued[bool]:
        """
        Set the values of several keys at once.

        Source: https://redis.io/docs/latest/commands/mset/
        """
        return self.issue(build.store_several("MSET", key_values, idempotent=True))

    def msetnx(self, key_values: Mapping[KeyT, ValueT]) -> Queued[bool]:
        """
        Set the values of several keys unless one of them exists; then none is set.

        Source: https://redis.io/docs/latest/commands/msetnx/
        """
        return self.issue(build.store_several("MSETNX", key_values, idempotent=False))

    def incr(self, key: KeyT) -> Queued[int]:
        """
        Add 1 to a number.

        Source: https://redis.io/docs/latest/commands/incr/
        """
        return self.issue(key_write(("INCR", key), integer))

    def incrby(self, key: KeyT, increment: int) -> Queued[int]:
        """
        Add to a whole number.

        Source: https://redis.io/docs/latest/commands/incrby/
        """
        return self.issue(key_write(("INCRBY", key, increment), integer))

    def incrbyfloat(self, key: KeyT, increment: int | float) -> Queued[float]:
        """
        Add to a number.

        Source: https://redis.io/docs/latest/commands/incrbyfloat/
        """
        return self.issue(key_write(("INCRBYFLOAT", key, increment), number))

    def decr(self, key: KeyT) -> Queued[int]:
        """
        Take 1 from a number.

        Source: https://redis.io/docs/latest/commands/decr/
        """
        return self.issue(key_write(("DECR", key), integer))

    def decrby(self, key: KeyT, decrement: int) -> Queued[int]:
        """
        Take from a whole number.

        Source: https://redis.io/docs/latest/commands/decrby/
        """
        return self.issue(key_write(("DECRBY", key, decrement), integer))

    def append(self, key: KeyT, value: ValueT) -> Queued[int]:
        """
        Append to a string.

        Returns:
            its length in bytes afterwards

        Source: https://redis.io/docs/latest/commands/append/
        """
        return self.issue(key_write(("APPEND", key, value), integer))

    def strlen(self, key: KeyT) -> Queued[int]:
        """
        Get the length of a string in bytes, 0 when there is no such key.

        Source: https://redis.io/docs/latest/commands/strlen/
        """
        return self.issue(key_read(("STRLEN", key), integer))

    def getrange(self, key: KeyT, start: int, end: int) -> Queued[AnyStr]:
        """
        Get a part of a string. Both ends are included and count bytes; negative ones count from its end.

        Source: https://redis.io/docs/latest/commands/getrange/
        """
        return self.issue(key_read(("GETRANGE", key, start, end), self.replies.text))

    def setrange(self, key: KeyT, offset: int, value: ValueT) -> Queued[int]:
        """
        Write over a part of a string, from a byte on.

        Returns:
            its length in bytes afterwards

        Source: https://redis.io/docs/latest/commands/setrange/
        """
        return self.issue(key_rewrite(("SETRANGE", key, natural_integer("offset", offset), value), integer))
