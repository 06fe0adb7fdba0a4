"""
Commands about sorted sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import AnyStr

from coredis._async.commands.base import Commands
from coredis._core.command import key_read, key_rewrite, key_write
from coredis._core.commands import sorted_sets as build
from coredis._core.commands.keyed import values
from coredis._core.commands.lists import blocking_pop
from coredis._core.commands.sets import cardinality, member_scan
from coredis._core.replies.collections import count_or_score, optional_numbers, rank_with
from coredis._core.replies.shapes import integer, number, optional_number
from coredis.tokens import TokenT
from coredis.types import ScoredMember
from coredis.typing import KeyT, Parameters, StringT, ValueT


class SortedSetCommands(Commands[AnyStr]):
    """
    Commands about sorted sets.
    """

    async def zadd(
        self,
        key: KeyT,
        member_scores: Mapping[StringT, int | float],
        condition: TokenT | None = None,
        comparison: TokenT | None = None,
        change: bool = False,
        increment: bool = False,
    ) -> int | float | None:
        """
        Add members to a sorted set, or change their scores.

        Args:
            key: the key
            member_scores: the score of each member; infinities are allowed
            condition: ``NX`` (only new members) or ``XX`` (only those that exist)
            comparison: ``GT`` or ``LT``: change a score only to a greater or a lesser one
            change: count the members whose score changed, too
            increment: add to the score of the one member instead

        Returns:
            how many members are new; with ``increment`` the new score, None when the condition was not met

        Source: https://redis.io/docs/latest/commands/zadd/
        """
        return await self.issue(
            build.zadd(key, member_scores, condition, comparison, change, increment, count_or_score(increment))
        )

    async def zrem(self, key: KeyT, members: Parameters[ValueT]) -> int:
        """
        Remove members from a sorted set.

        Returns:
            how many there were

        Source: https://redis.io/docs/latest/commands/zrem/
        """
        return await self.issue(key_rewrite(("ZREM", key, *values("members", members)), integer))

    async def zscore(self, key: KeyT, member: ValueT) -> float | None:
        """
        Get the score of a member, None when there is no such member.

        Source: https://redis.io/docs/latest/commands/zscore/
        """
        return await self.issue(key_read(("ZSCORE", key, member), optional_number))

    async def zmscore(self, key: KeyT, members: Parameters[ValueT]) -> tuple[float | None, ...]:
        """
        Get the scores of several members, None for each that does not exist.

        Source: https://redis.io/docs/latest/commands/zmscore/
        """
        return await self.issue(key_read(("ZMSCORE", key, *values("members", members)), optional_numbers))

    async def zcard(self, key: KeyT) -> int:
        """
        Count the members of a sorted set.

        Source: https://redis.io/docs/latest/commands/zcard/
        """
        return await self.issue(key_read(("ZCARD", key), integer))

    async def zcount(self, key: KeyT, min_: ValueT, max_: ValueT) -> int:
        """
        Count the members whose score is in a range.

        Args:
            key: the key
            min_: the least score; ``"(1"`` for more than 1, ``"-inf"`` for any
            max_: the greatest score; ``"(1"`` for less than 1, ``"+inf"`` for any

        Source: https://redis.io/docs/latest/commands/zcount/
        """
        return await self.issue(
            key_read(
                ("ZCOUNT", key, build.bound("min_", min_), build.bound("max_", max_)),
                integer,
            )
        )

    async def zlexcount(self, key: KeyT, min_: ValueT, max_: ValueT) -> int:
        """
        Count the members in a range of text, where all scores are the same.

        Args:
            key: the key
            min_: ``"[a"`` from a on, ``"(a"`` after a, ``"-"`` from the first
            max_: ``"[z"`` up to z, ``"(z"`` before z, ``"+"`` to the last

        Source: https://redis.io/docs/latest/commands/zlexcount/
        """
        return await self.issue(key_read(("ZLEXCOUNT", key, min_, max_), integer))

    async def zincrby(self, key: KeyT, member: ValueT, increment: int | float) -> float:
        """
        Add to the score of a member.

        Returns:
            its score afterwards

        Source: https://redis.io/docs/latest/commands/zincrby/
        """
        return await self.issue(key_write(("ZINCRBY", key, build.score("increment", increment), member), number))

    async def zrank(self, key: KeyT, member: ValueT, withscore: bool = False) -> int | tuple[int, float] | None:
        """
        Get the rank of a member, 0 for the lowest score.

        Args:
            key: the key
            member: the member
            withscore: get its score too. Redis 7.2

        Returns:
            the rank, with ``withscore`` rank and score; None when there is no such member

        Source: https://redis.io/docs/latest/commands/zrank/
        """
        return await self.issue(build.rank("ZRANK", key, member, withscore, rank_with(withscore)))

    async def zrevrank(self, key: KeyT, member: ValueT, withscore: bool = False) -> int | tuple[int, float] | None:
        """
        Get the rank of a member, 0 for the highest score. See ``zrank``.

        Source: https://redis.io/docs/latest/commands/zrevrank/
        """
        return await self.issue(build.rank("ZREVRANK", key, member, withscore, rank_with(withscore)))

    async def zrange(
        self,
        key: KeyT,
        min_: ValueT,
        max_: ValueT,
        sortby: TokenT | None = None,
        rev: bool = False,
        offset: int | None = None,
        count: int | None = None,
        withscores: bool = False,
    ) -> tuple[AnyStr, ...] | tuple[ScoredMember[AnyStr], ...]:
        """
        Get a range of members.

        Args:
            key: the key
            min_: where the range begins: a rank, a score with ``BYSCORE``, text with ``BYLEX``
            max_: where it ends; the end is included, ``"(1"`` and ``"(a"`` exclude it
            sortby: ``BYSCORE`` or ``BYLEX``; by rank if not given
            rev: from the highest to the lowest; then the range, too, begins with the higher of its ends
            offset: with ``count``: how many to leave out at the beginning
            count: with ``offset``: how many to get, a negative number for all
            withscores: get their scores too

        Source: https://redis.io/docs/latest/commands/zrange/
        """
        return await self.issue(
            build.zrange(key, min_, max_, sortby, rev, offset, count, withscores, self.replies.members_with(withscores))
        )

    async def zrangestore(
        self,
        dst: KeyT,
        src: KeyT,
        min_: ValueT,
        max_: ValueT,
        sortby: TokenT | None = None,
        rev: bool = False,
        offset: int | None = None,
        count: int | None = None,
    ) -> int:
        """
        Keep a range of members as a sorted set. See ``zrange``.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/zrangestore/
        """
        return await self.issue(build.zrangestore(dst, src, min_, max_, sortby, rev, offset, count))

    async def zremrangebyrank(self, key: KeyT, start: int, stop: int) -> int:
        """
        Remove the members in a range of ranks. Both ends are included; negative ones count from the highest score.

        Returns:
            how many were removed

        Source: https://redis.io/docs/latest/commands/zremrangebyrank/
        """
        return await self.issue(key_write(("ZREMRANGEBYRANK", key, start, stop), integer))

    async def zremrangebyscore(self, key: KeyT, min_: ValueT, max_: ValueT) -> int:
        """
        Remove the members in a range of scores. See ``zcount``.

        Returns:
            how many were removed

        Source: https://redis.io/docs/latest/commands/zremrangebyscore/
        """
        return await self.issue(
            key_rewrite(
                ("ZREMRANGEBYSCORE", key, build.bound("min_", min_), build.bound("max_", max_)),
                integer,
            )
        )

    async def zremrangebylex(self, key: KeyT, min_: ValueT, max_: ValueT) -> int:
        """
        Remove the members in a range of text. See ``zlexcount``.

        Returns:
            how many were removed

        Source: https://redis.io/docs/latest/commands/zremrangebylex/
        """
        return await self.issue(key_rewrite(("ZREMRANGEBYLEX", key, min_, max_), integer))

    async def zpopmin(
        self, key: KeyT, count: int | None = None
    ) -> ScoredMember[AnyStr] | tuple[ScoredMember[AnyStr], ...] | None:
        """
        Take out the member with the lowest score, or several.

        Args:
            key: the key
            count: how many at most

        Returns:
            the member with its score, None when there is no such key; with ``count`` a tuple

        Source: https://redis.io/docs/latest/commands/zpopmin/
        """
        return await self.issue(build.pop("ZPOPMIN", key, count, self.replies.popped_with_score(count)))

    async def zpopmax(
        self, key: KeyT, count: int | None = None
    ) -> ScoredMember[AnyStr] | tuple[ScoredMember[AnyStr], ...] | None:
        """
        Take out the member with the highest score, or several. See ``zpopmin``.

        Source: https://redis.io/docs/latest/commands/zpopmax/
        """
        return await self.issue(build.pop("ZPOPMAX", key, count, self.replies.popped_with_score(count)))

    async def bzpopmin(self, keys: Parameters[KeyT], timeout: int | float) -> tuple[AnyStr, AnyStr, float] | None:
        """
        Take the member with the lowest score out of the first sorted set that has one, waiting for it.

        Args:
            keys: the sorted sets
            timeout: seconds to wait; 0 waits for ever

        Returns:
            the key, the member and its score, None when the time ran out

        Source: https://redis.io/docs/latest/commands/bzpopmin/
        """
        return await self.issue(blocking_pop("BZPOPMIN", keys, timeout, self.replies.key_member_score))

    async def bzpopmax(self, keys: Parameters[KeyT], timeout: int | float) -> tuple[AnyStr, AnyStr, float] | None:
        """
        Take the member with the highest score out of the first sorted set that has one, waiting for it. See ``bzpopmin``.

        Source: https://redis.io/docs/latest/commands/bzpopmax/
        """
        return await self.issue(blocking_pop("BZPOPMAX", keys, timeout, self.replies.key_member_score))

    async def zmpop(
        self, keys: Parameters[KeyT], where: TokenT, count: int | None = None
    ) -> tuple[AnyStr, tuple[ScoredMember[AnyStr], ...]] | None:
        """
        Take members out of the first sorted set that has some.

        Args:
            keys: the sorted sets
            where: ``MIN`` for the lowest scores or ``MAX`` for the highest
            count: how many at most; one if not given

        Returns:
            the key and the members with their scores, None when all are empty

        Source: https://redis.io/docs/latest/commands/zmpop/
        """
        return await self.issue(build.zmpop(keys, where, count, self.replies.key_and_scored_members))

    async def bzmpop(
        self, keys: Parameters[KeyT], timeout: int | float, where: TokenT, count: int | None = None
    ) -> tuple[AnyStr, tuple[ScoredMember[AnyStr], ...]] | None:
        """
        Take members out of the first sorted set that has some, waiting for them. See ``zmpop``.

        Args:
            keys: the sorted sets
            timeout: seconds to wait; 0 waits for ever
            where: ``MIN`` for the lowest scores or ``MAX`` for the highest
            count: how many at most; one if not given

        Source: https://redis.io/docs/latest/commands/bzmpop/
        """
        return await self.issue(build.zmpop(keys, where, count, self.replies.key_and_scored_members, timeout))

    async def zrandmember(
        self, key: KeyT, count: int | None = None, withscores: bool = False
    ) -> AnyStr | tuple[AnyStr, ...] | tuple[ScoredMember[AnyStr], ...] | None:
        """
        Draw members of a sorted set.

        Args:
            key: the key
            count: how many different ones; a negative number draws as many, the same ones maybe several times
            withscores: get their scores too

        Returns:
            the member, None when there is no such key; with ``count`` a tuple

        Source: https://redis.io/docs/latest/commands/zrandmember/
        """
        return await self.issue(
            build.zrandmember(key, count, withscores, self.replies.sorted_set_sample(count, withscores))
        )

    async def zunion(
        self,
        keys: Parameters[KeyT],
        weights: Parameters[int | float] | None = None,
        aggregate: TokenT | None = None,
        withscores: bool = False,
    ) -> tuple[AnyStr, ...] | tuple[ScoredMember[AnyStr], ...]:
        """
        Get the members that any of the sorted sets has.

        Args:
            keys: the sorted sets
            weights: what to multiply the scores of each with
            aggregate: the score of a member that several have: ``SUM`` (the server's default), ``MIN`` or ``MAX``
            withscores: get their scores too

        Source: https://redis.io/docs/latest/commands/zunion/
        """
        return await self.issue(
            build.combine("ZUNION", keys, weights, aggregate, withscores, self.replies.members_with(withscores))
        )

    async def zinter(
        self,
        keys: Parameters[KeyT],
        weights: Parameters[int | float] | None = None,
        aggregate: TokenT | None = None,
        withscores: bool = False,
    ) -> tuple[AnyStr, ...] | tuple[ScoredMember[AnyStr], ...]:
        """
        Get the members that all sorted sets have. See ``zunion``.

        Source: https://redis.io/docs/latest/commands/zinter/
        """
        return await self.issue(
            build.combine("ZINTER", keys, weights, aggregate, withscores, self.replies.members_with(withscores))
        )

    async def zdiff(
        self, keys: Parameters[KeyT], withscores: bool = False
    ) -> tuple[AnyStr, ...] | tuple[ScoredMember[AnyStr], ...]:
        """
        Get the members that the first sorted set has and none of the others.

        Source: https://redis.io/docs/latest/commands/zdiff/
        """
        return await self.issue(
            build.combine("ZDIFF", keys, None, None, withscores, self.replies.members_with(withscores))
        )

    async def zunionstore(
        self,
        keys: Parameters[KeyT],
        destination: KeyT,
        weights: Parameters[int | float] | None = None,
        aggregate: TokenT | None = None,
    ) -> int:
        """
        Keep the members that any of the sorted sets has as a sorted set. See ``zunion``.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/zunionstore/
        """
        return await self.issue(build.combine_and_store("ZUNIONSTORE", keys, destination, weights, aggregate))

    async def zinterstore(
        self,
        keys: Parameters[KeyT],
        destination: KeyT,
        weights: Parameters[int | float] | None = None,
        aggregate: TokenT | None = None,
    ) -> int:
        """
        Keep the members that all sorted sets have as a sorted set. See ``zunion``.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/zinterstore/
        """
        return await self.issue(build.combine_and_store("ZINTERSTORE", keys, destination, weights, aggregate))

    async def zdiffstore(self, keys: Parameters[KeyT], destination: KeyT) -> int:
        """
        Keep the members that the first sorted set has and none of the others as a sorted set.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/zdiffstore/
        """
        return await self.issue(build.combine_and_store("ZDIFFSTORE", keys, destination))

    async def zintercard(self, keys: Parameters[KeyT], limit: int | None = None) -> int:
        """
        Count the members that all sorted sets have.

        Args:
            keys: the sorted sets
            limit: stop counting there; 0 for no limit

        Source: https://redis.io/docs/latest/commands/zintercard/
        """
        return await self.issue(cardinality("ZINTERCARD", keys, limit))

    async def zscan(
        self, key: KeyT, cursor: int = 0, match: StringT | None = None, count: int | None = None
    ) -> tuple[int, tuple[ScoredMember[AnyStr], ...]]:
        """
        Get one page of the members of a sorted set; a member may come more than once.

        Args:
            key: the key
            cursor: 0 to begin, then what the page before gave
            match: only members that match
            count: how many members the server shall look at, about

        Returns:
            the cursor of the next page, 0 after the last one, and members with their scores

        Source: https://redis.io/docs/latest/commands/zscan/
        """
        return await self.issue(member_scan("ZSCAN", key, cursor, match, count, self.replies.scored_page))
