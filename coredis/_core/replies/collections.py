"""
Converters for keys, strings, hashes, lists, sets and sorted sets.

A method that takes a token decides the shape of its result before the request is sent; such converters are chosen by a method
that takes the option and returns the converter (``popped``, ``members_with``, ``hash_sample`` and the like).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import AnyStr

from ...exceptions import InvalidResponse
from ...types import ScoredMember
from ..command import Reply
from ..commands.checks import whole_number
from .shapes import TextReplies, integer, optional_integer, optional_number, pairs

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_in_seconds(reply: Reply) -> datetime | None:
    """
    A moment from seconds since the epoch, in UTC; None from a negative number, which says that there is none.
    """
    return _EPOCH + timedelta(seconds=int(reply)) if int(reply) >= 0 else None


def moment_in_milliseconds(reply: Reply) -> datetime | None:
    """
    A moment from milliseconds since the epoch, in UTC; None from a negative number, which says that there is none.
    """
    return _EPOCH + timedelta(milliseconds=int(reply)) if int(reply) >= 0 else None


def binary(reply: Reply) -> bytes | None:
    """
    Bytes that are no text, or None.
    """
    return None if reply is None else bytes(reply)


def list_of_integers(reply: Reply) -> list[int]:
    """
    A list of integers.
    """
    return list(map(int, reply))


def optional_numbers(reply: Reply) -> tuple[float | None, ...]:
    """
    A tuple of floats, None where something is absent.
    """
    return tuple(map(optional_number, reply))


def count_or_score(increment: bool) -> Callable[[Reply], int | float | None]:
    """
    Choose the converter of ZADD: a count, or with INCR the new score (None when a condition was not met).
    """
    return optional_number if increment else integer


def rank_with(withscore: bool) -> Callable[[Reply], int | tuple[int, float] | None]:
    """
    Choose the converter of ZRANK and ZREVRANK: the rank, or with WITHSCORE rank and score.
    """
    return _rank_and_score if withscore else optional_integer


def positions(count: int | None) -> Callable[[Reply], int | list[int] | None]:
    """
    Choose the converter of LPOS: one position, or with COUNT a list.
    """
    return optional_integer if count is None else list_of_integers


def _rank_and_score(reply: Reply) -> tuple[int, float] | None:
    return None if reply is None else (int(reply[0]), float(reply[1]))


def _couples(reply: Reply) -> list[tuple[Reply, Reply]]:
    # RESP3 sends a list of pairs where RESP2 sends them flattened; of a single pair both send it flat.
    if reply and isinstance(reply[0], list):
        return [(first, second) for first, second in reply]
    return list(pairs(reply))


class CollectionReplies(TextReplies[AnyStr]):
    """
    Converters for what keys hold.
    """

    # ------------------------------------------------------------------------------------------------ plain shapes

    def text_list(self, reply: Reply) -> list[AnyStr]:
        """
        A list of text.
        """
        return list(map(self.text, reply))

    def text_set(self, reply: Reply) -> set[AnyStr]:
        """
        A set of text: RESP3 sends a set, RESP2 a list.
        """
        return set(map(self.text, reply))

    def text_map(self, reply: Reply) -> dict[AnyStr, AnyStr]:
        """
        A dict of text to text.
        """
        text = self.text
        return {text(name): text(value) for name, value in pairs(reply)}

    def scored_members(self, reply: Reply) -> tuple[ScoredMember[AnyStr], ...]:
        """
        A tuple of members with their scores.
        """
        return tuple(ScoredMember(self.text(member), float(score)) for member, score in _couples(reply))

    # --------------------------------------------------------------------------------------- chosen by an option

    def stored(self, get: bool) -> Callable[[Reply], AnyStr | bool | None]:
        """
        Choose the converter of SET: whether it was set, or with GET the value before.
        """
        return self.optional_text if get else bool

    def popped(self, count: int | None) -> Callable[[Reply], AnyStr | list[AnyStr] | None]:
        """
        Choose the converter of LPOP and RPOP: one element, or with a count a list; None when there is no list.
        """
        return self.optional_text if count is None else self._optional_list

    def _optional_list(self, reply: Reply) -> list[AnyStr] | None:
        return None if reply is None else self.text_list(reply)

    def taken_from_set(self, count: int | None) -> Callable[[Reply], AnyStr | set[AnyStr] | None]:
        """
        Choose the converter of SPOP: one member, or with a count a set.
        """
        return self.optional_text if count is None else self.text_set

    def set_sample(self, count: int | None) -> Callable[[Reply], AnyStr | set[AnyStr] | tuple[AnyStr, ...] | None]:
        """
        Choose the converter of SRANDMEMBER: one member, with a count a set, with a negative count (which may draw a member
        several times) a tuple.
        """
        if count is None:
            return self.optional_text
        return self.text_set if whole_number("count", count) >= 0 else self.texts

    def hash_sample(
        self, count: int | None, withvalues: bool
    ) -> Callable[
        [Reply], AnyStr | tuple[AnyStr, ...] | dict[AnyStr, AnyStr] | tuple[tuple[AnyStr, AnyStr], ...] | None
    ]:
        """
        Choose the converter of HRANDFIELD: one field, several, fields with values, and with a negative count (which may draw
        a field several times) pairs.
        """
        if count is None:
            return self.optional_text
        if not withvalues:
            return self.texts
        return self._field_values if whole_number("count", count) >= 0 else self._field_value_pairs

    def _field_value_pairs(self, reply: Reply) -> tuple[tuple[AnyStr, AnyStr], ...]:
        return tuple((self.text(field), self.text(value)) for field, value in _couples(reply))

    def _field_values(self, reply: Reply) -> dict[AnyStr, AnyStr]:
        return dict(self._field_value_pairs(reply))

    def members_with(
        self, withscores: bool
    ) -> Callable[[Reply], tuple[AnyStr, ...] | tuple[ScoredMember[AnyStr], ...]]:
        """
        Choose the converter of a range or an aggregate of sorted sets: members, or members with scores.
        """
        return self.scored_members if withscores else self.texts

    def popped_with_score(
        self, count: int | None
    ) -> Callable[[Reply], ScoredMember[AnyStr] | tuple[ScoredMember[AnyStr], ...] | None]:
        """
        Choose the converter of ZPOPMIN and ZPOPMAX: one member or None, or with a count a tuple.
        """
        return self._only_scored_member if count is None else self.scored_members

    def _only_scored_member(self, reply: Reply) -> ScoredMember[AnyStr] | None:
        members = self.scored_members(reply)
        return members[0] if members else None

    def sorted_set_sample(
        self, count: int | None, withscores: bool
    ) -> Callable[[Reply], AnyStr | tuple[AnyStr, ...] | tuple[ScoredMember[AnyStr], ...] | None]:
        """
        Choose the converter of ZRANDMEMBER: one member, several, or several with scores.
        """
        return self.optional_text if count is None else self.members_with(withscores)

    # ----------------------------------------------------------------------------- popped from one of several keys

    def key_and_element(self, reply: Reply) -> tuple[AnyStr, AnyStr] | None:
        """
        A key and the element popped from it, or None.
        """
        return None if reply is None else (self.text(reply[0]), self.text(reply[1]))

    def key_and_elements(self, reply: Reply) -> tuple[AnyStr, list[AnyStr]] | None:
        """
        A key and the elements popped from it, or None.
        """
        return None if reply is None else (self.text(reply[0]), self.text_list(reply[1]))

    def key_member_score(self, reply: Reply) -> tuple[AnyStr, AnyStr, float] | None:
        """
        A key, the member popped from it, and its score, or None.
        """
        return None if reply is None else (self.text(reply[0]), self.text(reply[1]), float(reply[2]))

    def key_and_scored_members(self, reply: Reply) -> tuple[AnyStr, tuple[ScoredMember[AnyStr], ...]] | None:
        """
        A key and the members popped from it with their scores, or None.
        """
        return None if reply is None else (self.text(reply[0]), self.scored_members(reply[1]))

    # ------------------------------------------------------------------------------------------------- pages of scans

    def key_page(self, reply: Reply) -> tuple[int, tuple[AnyStr, ...]]:
        """
        A page of SCAN: the next cursor, and keys.
        """
        cursor, keys = _page(reply)
        return cursor, self.texts(keys)

    def hash_page(self, novalues: bool) -> Callable[[Reply], tuple[int, dict[AnyStr, AnyStr] | tuple[AnyStr, ...]]]:
        """
        Choose the converter of a page of HSCAN: the next cursor, and fields with values or fields alone.
        """
        return self.key_page if novalues else self.field_value_page

    def field_value_page(self, reply: Reply) -> tuple[int, dict[AnyStr, AnyStr]]:
        """
        A page of HSCAN: the next cursor, and fields with values.
        """
        cursor, fields = _page(reply)
        return cursor, self.text_map(fields)

    def field_value_items(self, reply: Reply) -> tuple[int, tuple[tuple[AnyStr, AnyStr], ...]]:
        """
        A page of HSCAN: the next cursor, and (field, value) pairs.
        """
        cursor, fields = _page(reply)
        return cursor, self._field_value_pairs(fields)

    def set_page(self, reply: Reply) -> tuple[int, set[AnyStr]]:
        """
        A page of SSCAN: the next cursor, and members.
        """
        cursor, members = _page(reply)
        return cursor, self.text_set(members)

    def scored_page(self, reply: Reply) -> tuple[int, tuple[ScoredMember[AnyStr], ...]]:
        """
        A page of ZSCAN: the next cursor, and members with scores.
        """
        cursor, members = _page(reply)
        return cursor, self.scored_members(members)


def _page(reply: Reply) -> tuple[int, Reply]:
    if not isinstance(reply, list) or len(reply) != 2:
        raise InvalidResponse(f"expected a cursor and a page, got {type(reply).__name__}")
    return int(reply[0]), reply[1]
