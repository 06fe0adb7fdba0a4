"""
Commands about sets.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._async.commands.base import Commands
from coredis._core.command import Command, key_read, key_rewrite
from coredis._core.commands import sets as build
from coredis._core.commands.keyed import values, with_keys
from coredis._core.replies.shapes import integer, truth, truths
from coredis.typing import KeyT, Parameters, StringT, ValueT


class SetCommands(Commands[AnyStr]):
    """
    Commands about sets.
    """

    async def sadd(self, key: KeyT, members: Parameters[ValueT]) -> int:
        """
        Add members to a set.

        Returns:
            how many of them are new

        Source: https://redis.io/docs/latest/commands/sadd/
        """
        return await self.issue(key_rewrite(("SADD", key, *values("members", members)), integer))

    async def srem(self, key: KeyT, members: Parameters[ValueT]) -> int:
        """
        Remove members from a set.

        Returns:
            how many there were

        Source: https://redis.io/docs/latest/commands/srem/
        """
        return await self.issue(key_rewrite(("SREM", key, *values("members", members)), integer))

    async def smembers(self, key: KeyT) -> set[AnyStr]:
        """
        Get all members of a set.

        Source: https://redis.io/docs/latest/commands/smembers/
        """
        return await self.issue(key_read(("SMEMBERS", key), self.replies.text_set))

    async def sismember(self, key: KeyT, member: ValueT) -> bool:
        """
        Tell whether a set has a member.

        Source: https://redis.io/docs/latest/commands/sismember/
        """
        return await self.issue(key_read(("SISMEMBER", key, member), truth))

    async def smismember(self, key: KeyT, members: Parameters[ValueT]) -> tuple[bool, ...]:
        """
        Tell for each of several members whether a set has it.

        Source: https://redis.io/docs/latest/commands/smismember/
        """
        return await self.issue(key_read(("SMISMEMBER", key, *values("members", members)), truths))

    async def scard(self, key: KeyT) -> int:
        """
        Count the members of a set.

        Source: https://redis.io/docs/latest/commands/scard/
        """
        return await self.issue(key_read(("SCARD", key), integer))

    async def spop(self, key: KeyT, count: int | None = None) -> AnyStr | set[AnyStr] | None:
        """
        Take any member out of a set, or several.

        Args:
            key: the key
            count: how many at most

        Returns:
            the member, None when there is no such key; with ``count`` a set

        Source: https://redis.io/docs/latest/commands/spop/
        """
        return await self.issue(build.spop(key, count, self.replies.taken_from_set(count)))

    async def srandmember(
        self, key: KeyT, count: int | None = None
    ) -> AnyStr | set[AnyStr] | tuple[AnyStr, ...] | None:
        """
        Draw members of a set.

        Args:
            key: the key
            count: how many different ones; a negative number draws as many, the same ones maybe several times

        Returns:
            the member, None when there is no such key; with ``count`` a set, or a tuple when it is negative

        Source: https://redis.io/docs/latest/commands/srandmember/
        """
        return await self.issue(build.srandmember(key, count, self.replies.set_sample(count)))

    async def smove(self, source: KeyT, destination: KeyT, member: ValueT) -> bool:
        """
        Move a member from one set to another.

        Returns:
            False when the source does not have it

        Source: https://redis.io/docs/latest/commands/smove/
        """
        return await self.issue(Command(("SMOVE", source, destination, member), truth, keys=(1, 2)))

    async def sinter(self, keys: Parameters[KeyT]) -> set[AnyStr]:
        """
        Get the members that all sets have.

        Source: https://redis.io/docs/latest/commands/sinter/
        """
        return await self.issue(with_keys(("SINTER",), keys, self.replies.text_set, readonly=True))

    async def sunion(self, keys: Parameters[KeyT]) -> set[AnyStr]:
        """
        Get the members that any of the sets has.

        Source: https://redis.io/docs/latest/commands/sunion/
        """
        return await self.issue(with_keys(("SUNION",), keys, self.replies.text_set, readonly=True))

    async def sdiff(self, keys: Parameters[KeyT]) -> set[AnyStr]:
        """
        Get the members that the first set has and none of the others.

        Source: https://redis.io/docs/latest/commands/sdiff/
        """
        return await self.issue(with_keys(("SDIFF",), keys, self.replies.text_set, readonly=True))

    async def sinterstore(self, keys: Parameters[KeyT], destination: KeyT) -> int:
        """
        Keep the members that all sets have as a set.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/sinterstore/
        """
        return await self.issue(with_keys(("SINTERSTORE", destination), keys, integer, destination=1, idempotent=True))

    async def sunionstore(self, keys: Parameters[KeyT], destination: KeyT) -> int:
        """
        Keep the members that any of the sets has as a set.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/sunionstore/
        """
        return await self.issue(with_keys(("SUNIONSTORE", destination), keys, integer, destination=1, idempotent=True))

    async def sdiffstore(self, keys: Parameters[KeyT], destination: KeyT) -> int:
        """
        Keep the members that the first set has and none of the others as a set.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/sdiffstore/
        """
        return await self.issue(with_keys(("SDIFFSTORE", destination), keys, integer, destination=1, idempotent=True))

    async def sintercard(self, keys: Parameters[KeyT], limit: int | None = None) -> int:
        """
        Count the members that all sets have.

        Args:
            keys: the sets
            limit: stop counting there; 0 for no limit

        Source: https://redis.io/docs/latest/commands/sintercard/
        """
        return await self.issue(build.cardinality("SINTERCARD", keys, limit))

    async def sscan(
        self, key: KeyT, cursor: int = 0, match: StringT | None = None, count: int | None = None
    ) -> tuple[int, set[AnyStr]]:
        """
        Get one page of the members of a set; a member may come more than once.

        Args:
            key: the key
            cursor: 0 to begin, then what the page before gave
            match: only members that match
            count: how many members the server shall look at, about

        Returns:
            the cursor of the next page, 0 after the last one, and members

        Source: https://redis.io/docs/latest/commands/sscan/
        """
        return await self.issue(build.member_scan("SSCAN", key, cursor, match, count, self.replies.set_page))
