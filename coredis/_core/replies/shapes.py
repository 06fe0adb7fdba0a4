"""
Converters for the shapes that many commands share: text, numbers, flags, lists and pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, AnyStr, Final, Generic

from ...exceptions import InvalidResponse
from ...typing import ResponseType
from ..command import Command, Constant, Reply


def integer(reply: Reply) -> int:
    """
    An integer; some are sent as text.
    """
    return int(reply)


def optional_integer(reply: Reply) -> int | None:
    """
    An integer, or None.
    """
    return None if reply is None else int(reply)


def number(reply: Reply) -> float:
    """
    A float: RESP3 sends a double, RESP2 text.
    """
    return float(reply)


def optional_number(reply: Reply) -> float | None:
    """
    A float, or None.
    """
    return None if reply is None else float(reply)


def truth(reply: Reply) -> bool:
    """
    1 or 0, true or false, OK or nothing.
    """
    return bool(reply)


def truths(reply: Reply) -> tuple[bool, ...]:
    """
    A tuple of flags.
    """
    return tuple(map(bool, reply))


def integers(reply: Reply) -> tuple[int, ...]:
    """
    A tuple of integers.
    """
    return tuple(map(int, reply))


def nothing(reply: Reply) -> None:
    """
    A reply of no interest.
    """


def pairs(reply: Reply) -> Iterator[tuple[Reply, Reply]]:
    """
    The items of a map: RESP3 sends a map, RESP2 a flat list of names and values.
    """
    if isinstance(reply, dict):
        return iter(reply.items())
    if isinstance(reply, list) and len(reply) % 2 == 0:
        items = iter(reply)
        return zip(items, items, strict=True)
    raise InvalidResponse(f"expected a map, got {type(reply).__name__}")


def optional_bytes(reply: Reply) -> bytes | None:
    """
    Text that is left as bytes, or None.
    """
    return None if reply is None else bytes(reply)


#: What leaves all replies of one type as they are, so that whoever has many of them need not call it.
UNCHANGED: Final[dict[Callable[[Reply], object], type]] = {
    bytes: bytes,
    optional_bytes: bytes,
    integer: int,
    optional_integer: int,
    number: float,
    optional_number: float,
}


class TextReplies(Generic[AnyStr]):
    """
    Converters for text, raw or decoded.

    Attributes:
        text: one piece of text from bytes
        optional_text: text, or None
        ping: PING without a message, the one command that nothing else belongs to
    """

    text: Callable[[Reply], AnyStr]
    optional_text: Callable[[Reply], AnyStr | None]
    ping: Command[AnyStr]

    def __init__(self, text: Callable[[bytes], AnyStr]) -> None:
        self.text = text
        self.optional_text = optional_bytes if text is bytes else _optional(text)  # type: ignore[assignment]
        self.ping = Constant(("PING",), text)

    def texts(self, reply: Reply) -> tuple[AnyStr, ...]:
        """
        A tuple of text.
        """
        return tuple(map(self.text, reply))

    def optional_texts(self, reply: Reply) -> tuple[AnyStr | None, ...]:
        """
        A tuple of text, None where something is absent.
        """
        return tuple(map(self.optional_text, reply))

    def text_or_integer(self, reply: Reply) -> AnyStr | int:
        """
        A number as it is, anything else as text.
        """
        return reply if isinstance(reply, int) else self.text(reply)

    def response(self, reply: Reply) -> ResponseType:
        """
        Any reply, decoded all the way down where text is decoded.
        """
        if isinstance(reply, bytes):
            return self.text(reply)
        if isinstance(reply, list):
            return [self.response(item) for item in reply]
        if isinstance(reply, dict):
            return {_hashable(self.response(name)): self.response(value) for name, value in reply.items()}
        answer: ResponseType = reply
        return answer


def _optional(text: Callable[[bytes], AnyStr]) -> Callable[[Reply], AnyStr | None]:
    def optional_text(reply: Reply) -> AnyStr | None:
        return None if reply is None else text(reply)

    return optional_text


def _hashable(value: ResponseType) -> ResponseType:
    return repr(value) if isinstance(value, list | dict) else value


def each(convert: Callable[[Reply], Any], reply: Iterable[Reply]) -> tuple[Any, ...]:
    """
    A tuple of converted items.
    """
    return tuple(map(convert, reply))
