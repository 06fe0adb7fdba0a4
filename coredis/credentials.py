"""
Where username and password come from, when they are not fixed.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class UserPass(NamedTuple):
    """
    What a connection authenticates with.

    Attributes:
        username: None or "" for the server's default user
        password: the password or token
    """

    username: str | None
    password: str

    def __repr__(self) -> str:
        return "UserPass(***)"


class CredentialProvider(Protocol):
    """
    Gives credentials; asked at every connect, so they may change.
    """

    def get_credentials(self) -> UserPass:
        """
        Give the credentials to use now. Must not block for long: it runs while a connection is being opened.
        """


class UserPassCredentialProvider:
    """
    Fixed credentials.
    """

    __slots__ = ("_credentials",)

    def __init__(self, username: str | None = None, password: str | None = None) -> None:
        self._credentials = UserPass(username, password or "")

    def get_credentials(self) -> UserPass:
        """
        Give the credentials.
        """
        return self._credentials

    def __repr__(self) -> str:
        return "UserPassCredentialProvider(***)"

    def __reduce__(self) -> str:
        raise TypeError("credentials are not pickled: a pickle shows them to whoever reads it")
