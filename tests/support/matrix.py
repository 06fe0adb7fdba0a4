"""
What authored tests need to know about the client they run on.
"""

from __future__ import annotations

from typing import Protocol


class Decodes(Protocol):
    """
    A client, as far as its text goes.
    """

    @property
    def decode_responses(self) -> bool: ...


def text(client: Decodes, value: str) -> str | bytes:
    """
    Give a text as this client returns it: ``str`` when it decodes, else bytes.
    """
    return value if client.decode_responses else value.encode()
