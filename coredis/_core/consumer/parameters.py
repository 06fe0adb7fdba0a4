"""
Read what a consumer is made with: which streams, and where each begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict

from ...types import PositionT
from ...typing import KeyT
from ..commands.checks import several

LONGEST_SLICE = 60_000  # milliseconds: longer than that, a dead connection would go unnoticed for too long


class StreamParameters(TypedDict):
    """
    What can be said of one stream of a consumer.

    Attributes:
        identifier: read after this entry. For a ``Consumer`` also ``"$"``: what is added from the start on. For a
            ``GroupConsumer`` ``">"`` reads what nobody in the group has seen, anything else only this consumer's own pending
            entries after it
    """

    identifier: PositionT


def encode_name(name: str, value: KeyT, encoding: str) -> bytes:
    """
    Make bytes of the name of a stream, group or consumer.

    Raises:
        TypeError: neither str nor bytes
    """
    if isinstance(value, str):
        return value.encode(encoding)
    if isinstance(value, bytes):
        return bytes(value)
    raise TypeError(f"{name}: expected str or bytes, got {type(value).__name__} ({value!r})")


def read_streams(
    streams: Iterable[KeyT],
    parameters: Mapping[KeyT, StreamParameters] | None,
    keywords: Mapping[str, StreamParameters],
    encoding: str,
    check: Callable[[str, PositionT], bytes],
) -> dict[bytes, tuple[KeyT, bytes | None]]:
    """
    Put together where each stream begins.

    Args:
        streams: their names; the same one as str and bytes counts once
        parameters: by name
        keywords: by name as well, from keyword arguments
        encoding: of names given as str
        check: for identifiers, naming the argument

    Returns:
        for each stream, under its name in bytes: the name as given, and the identifier as it is sent, or None

    Raises:
        TypeError, ValueError: no stream, or something said of a stream that is not there, or a bad identifier
    """
    found: dict[bytes, tuple[KeyT, bytes | None]] = {}
    names: tuple[KeyT, ...] = several("streams", streams)
    for given in names:
        found.setdefault(encode_name("streams", given, encoding), (given, None))
    for source, said in (("parameters", parameters or {}), ("", keywords)):
        for given, what in said.items():
            name = encode_name("parameters", given, encoding)
            where = f"{source}[{given!r}]" if source else str(given)
            if name not in found:
                raise ValueError(f"{where}: neither a parameter of the consumer nor one of its streams")
            if not isinstance(what, Mapping) or set(what) - {"identifier"}:
                raise ValueError(f"{where}: expected {{'identifier': ...}}, got {what!r}")
            if "identifier" in what:
                found[name] = (found[name][0], check(f"{where}['identifier']", what["identifier"]))
    return found
