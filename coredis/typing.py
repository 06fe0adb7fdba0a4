"""
The type names used in public signatures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import AnyStr, TypeAlias, TypedDict, TypeVar, Union

#: Text that names something: a key, a group, a consumer, a field. ``str`` is encoded with the client's encoding.
StringT: TypeAlias = str | bytes
#: The name of a key.
KeyT: TypeAlias = str | bytes
#: Anything that can be stored: text, binary data or a number. ``bool`` and ``None`` are refused.
ValueT: TypeAlias = str | bytes | bytearray | memoryview | int | float
#: The path of a file or socket.
PathT: TypeAlias = str | PathLike[str]
#: Several of something: any iterable but a single string.
Parameters: TypeAlias = Iterable
#: Whatever a command can answer, for commands that have no method of their own.
ResponseType: TypeAlias = Union[
    None, bool, int, float, str, bytes, list["ResponseType"], dict["ResponseType", "ResponseType"], Exception
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
MappingKeyT = TypeVar("MappingKeyT", bound=ValueT)
MappingStringKeyT = TypeVar("MappingStringKeyT", bound=StringT)


class Node(TypedDict):
    """
    Where a server listens.
    """

    host: str
    port: int


__all__ = [
    "AnyStr",
    "KeyT",
    "Mapping",
    "MappingKeyT",
    "MappingStringKeyT",
    "Node",
    "Parameters",
    "PathT",
    "ResponseType",
    "StringT",
    "T",
    "T_co",
    "ValueT",
]
