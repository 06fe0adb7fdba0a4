# Generated from coredis/_async/commands/hashes.py by scripts/generate.py: edit that file, not this one.
"""
Commands about hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import AnyStr

from coredis._sync.commands.base import Commands
from coredis._core.command import key_read, key_rewrite, key_write
from coredis._core.commands import hashes as build
from coredis._core.commands.keyed import values
from coredis._core.replies.shapes import integer, number, truth
from coredis.typing import KeyT, MappingKeyT, Parameters, StringT, ValueT


class HashCommands(Commands[AnyStr]):
    """
    Commands about hashes.
    """

    def hset(self, key: KeyT, field_values: Mapping[MappingKeyT, ValueT]) -> int:
        """
        Set fields of a hash.

        Returns:
            how many of them are new

        Source: https://redis.io/docs/latest/commands/hset/
        """
        return self.issue(build.hset(key, field_values))

    def hsetnx(self, key: KeyT, field: StringT, value: ValueT) -> bool:
        """
        Set a field of a hash unless it exists.

        Source: https://redis.io/docs/latest/commands/hsetnx/
        """
        return self.issue(key_write(("HSETNX", key, field, value), truth))

    def hget(self, key: KeyT, field: StringT) -> AnyStr | None:
        """
        Get a field of a hash, None when there is none.

        Source: https://redis.io/docs/latest/commands/hget/
        """
        return self.issue(key_read(("HGET", key, field), self.replies.optional_text))

    def hmget(self, key: KeyT, fields: Parameters[StringT]) -> tuple[AnyStr | None, ...]:
        """
        Get fields of a hash, None for each that does not exist.

        Source: https://redis.io/docs/latest/commands/hmget/
        """
        return self.issue(key_read(("HMGET", key, *values("fields", fields)), self.replies.optional_texts))

    def hgetall(self, key: KeyT) -> dict[AnyStr, AnyStr]:
        """
        Get all fields of a hash, none when there is no such key.

        Source: https://redis.io/docs/latest/commands/hgetall/
        """
        return self.issue(key_read(("HGETALL", key), self.replies.text_map))

    def hdel(self, key: KeyT, fields: Parameters[StringT]) -> int:
        """
        Delete fields of a hash.

        Returns:
            how many there were

        Source: https://redis.io/docs/latest/commands/hdel/
        """
        return self.issue(key_rewrite(("HDEL", key, *values("fields", fields)), integer))

    def hexists(self, key: KeyT, field: StringT) -> bool:
        """
        Tell whether a hash has a field.

        Source: https://redis.io/docs/latest/commands/hexists/
        """
        return self.issue(key_read(("HEXISTS", key, field), truth))

    def hlen(self, key: KeyT) -> int:
        """
        Count the fields of a hash.

        Source: https://redis.io/docs/latest/commands/hlen/
        """
        return self.issue(key_read(("HLEN", key), integer))

    def hkeys(self, key: KeyT) -> tuple[AnyStr, ...]:
        """
        Get the names of the fields of a hash.

        Source: https://redis.io/docs/latest/commands/hkeys/
        """
        return self.issue(key_read(("HKEYS", key), self.replies.texts))

    def hvals(self, key: KeyT) -> tuple[AnyStr, ...]:
        """
        Get the values of the fields of a hash.

        Source: https://redis.io/docs/latest/commands/hvals/
        """
        return self.issue(key_read(("HVALS", key), self.replies.texts))

    def hincrby(self, key: KeyT, field: StringT, increment: int) -> int:
        """
        Add to a whole number in a hash.

        Source: https://redis.io/docs/latest/commands/hincrby/
        """
        return self.issue(key_write(("HINCRBY", key, field, increment), integer))

    def hincrbyfloat(self, key: KeyT, field: StringT, increment: int | float) -> float:
        """
        Add to a number in a hash.

        Source: https://redis.io/docs/latest/commands/hincrbyfloat/
        """
        return self.issue(key_write(("HINCRBYFLOAT", key, field, increment), number))

    def hstrlen(self, key: KeyT, field: StringT) -> int:
        """
        Get the length of a field in bytes, 0 when there is none.

        Source: https://redis.io/docs/latest/commands/hstrlen/
        """
        return self.issue(key_read(("HSTRLEN", key, field), integer))

    def hrandfield(
        self, key: KeyT, *, count: int | None = None, withvalues: bool = False
    ) -> AnyStr | tuple[AnyStr, ...] | dict[AnyStr, AnyStr] | tuple[tuple[AnyStr, AnyStr], ...] | None:
        """
        Draw fields of a hash.

        Args:
            key: the key
            count: how many different ones; a negative number draws as many, the same ones maybe several times
            withvalues: get their values too

        Returns:
            one field, None when there is no such key; with ``count`` a tuple; with ``withvalues`` a dict, or (field, value)
            pairs when ``count`` is negative

        Source: https://redis.io/docs/latest/commands/hrandfield/
        """
        return self.issue(build.hrandfield(key, count, withvalues, self.replies.hash_sample(count, withvalues)))

    def hscan(
        self,
        key: KeyT,
        cursor: int = 0,
        match: StringT | None = None,
        count: int | None = None,
        novalues: bool = False,
    ) -> tuple[int, dict[AnyStr, AnyStr] | tuple[AnyStr, ...]]:
        """
        Get one page of the fields of a hash; a field may come more than once.

        Args:
            key: the key
            cursor: 0 to begin, then what the page before gave
            match: only fields whose name matches
            count: how many fields the server shall look at, about
            novalues: get names only. Redis 7.4

        Returns:
            the cursor of the next page, 0 after the last one, and fields with their values or names

        Source: https://redis.io/docs/latest/commands/hscan/
        """
        return self.issue(build.hscan(key, cursor, match, count, novalues, self.replies.hash_page(novalues)))
