"""
Converters from parsed replies to results, one object per way of decoding.

Parsing always yields bytes; what becomes ``str`` is decided here, so undecodable bytes cannot disturb a connection.
RESP2 and RESP3 meet here as well: every converter takes the shapes of both.
"""

from __future__ import annotations

from typing import AnyStr

from .collections import CollectionReplies
from .entries import utf8
from .server import ServerReplies
from .streams import StreamReplies


class Replies(StreamReplies[AnyStr], CollectionReplies[AnyStr], ServerReplies[AnyStr]):
    """
    All converters.
    """


def raw() -> Replies[bytes]:
    """
    Converters that leave text as bytes.
    """
    return Replies(bytes)


def decoded(encoding: str) -> Replies[str]:
    """
    Converters that decode text; what cannot be decoded stays bytes.
    """

    if encoding == "utf-8":
        return Replies(utf8)

    def text(reply: bytes) -> str:
        try:
            return reply.decode(encoding)
        except UnicodeDecodeError:
            return reply  # type: ignore[return-value]

    return Replies(text)
