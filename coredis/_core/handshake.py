"""
What is said first on a connection: protocol, identity and database in one round trip.

``HELLO`` does most of it. A server that does not know it (or not this version) is greeted again the old way. The library's name
and version are told as well; servers before 7.2 do not know that command, which is no reason to fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .. import exceptions
from .._version import __version__
from ..credentials import CredentialProvider, UserPass
from .command import Reply
from .config import Identity, check_secret
from .errors import from_line
from .parser import ErrorLine
from .replies.shapes import pairs
from .secrets import hidden

LIBRARY_NAME = "coredis"

Step = tuple[str, tuple[str | int, ...]]  # what the words are for, and the words


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """
    What the server says of itself.

    Attributes:
        product: "redis" or "valkey"; empty when it did not say
        version: as text; empty when it did not say
        protocol: the RESP version in use
        connection: the server's number of this connection (CLIENT ID); None when it did not say
        role: "master" or "replica"; empty when it did not say
        mode: "standalone", "cluster" or "sentinel"; empty when it did not say
    """

    product: str = ""
    version: str = ""
    protocol: int = 2
    connection: int | None = None
    role: str = field(default="")
    mode: str = field(default="")


def ask(provider: CredentialProvider | None) -> UserPass | None:
    """
    Ask a provider for the credentials to use.

    Raises:
        TypeError: it gives something else
        ValueError: it gives what cannot be sent
    """
    given = None if provider is None else provider.get_credentials()
    if given is None:
        return None
    if (
        isinstance(given, UserPass)
        and isinstance(given.username, str | bytes | None)
        and isinstance(given.password, str | bytes)
    ):
        credentials = UserPass(hidden(given.username), hidden(given.password))
        del given  # so that no report of a traceback shows it; below as well
        check_secret("username", credentials.username)
        check_secret("password", credentials.password)
        return credentials
    kind = type(given).__name__
    if kind == "coroutine":
        given.close()
        kind += ": it must not be an `async` function"
    del given
    raise TypeError(f"credential_provider: get_credentials() must return UserPass with text, got {kind}")


def greeting(identity: Identity, credentials: UserPass | None) -> list[Step]:
    """
    Make the commands of a handshake with HELLO (https://redis.io/docs/latest/commands/hello/).
    """
    hello: list[str | int] = ["HELLO", identity.protocol]
    if credentials is not None:
        hello += ["AUTH", hidden(credentials.username or "default"), hidden(credentials.password)]
    if identity.client_name is not None:
        hello += ["SETNAME", identity.client_name]
    return [("hello", tuple(hello)), *_epilogue(identity)]


def old_greeting(identity: Identity, credentials: UserPass | None) -> list[Step]:
    """
    Make the commands of a handshake with a server that does not know HELLO.
    """
    steps: list[Step] = []
    if credentials is not None:
        user = (hidden(credentials.username),) if credentials.username else ()
        steps.append(("auth", ("AUTH", *user, hidden(credentials.password))))
    if identity.client_name is not None:
        steps.append(("name", ("CLIENT", "SETNAME", identity.client_name)))
    return [*steps, *_epilogue(identity)]


def _epilogue(identity: Identity) -> list[Step]:
    steps: list[Step] = [
        ("library", ("CLIENT", "SETINFO", "LIB-NAME", LIBRARY_NAME)),
        ("library", ("CLIENT", "SETINFO", "LIB-VER", __version__)),
    ]
    if identity.db:
        steps.append(("select", ("SELECT", identity.db)))
    if identity.readonly:
        steps.append(("readonly", ("READONLY",)))
    if identity.ask_role:
        steps.append(("role", ("ROLE",)))
    return steps


def knows_no_hello(steps: Sequence[Step], replies: Sequence[Reply]) -> bool:
    """
    Tell whether the answers to ``greeting`` call for ``old_greeting``.
    """
    answer = replies[0]
    return (
        steps[0][0] == "hello"
        and isinstance(answer, ErrorLine)
        and isinstance(from_line(str(answer)), exceptions.UnknownCommandError | exceptions.ProtocolVersionError)
    )


def read_answers(steps: Sequence[Step], replies: Sequence[Reply]) -> ServerInfo:
    """
    Read the answers to a greeting.

    Raises:
        ReplyError: the server refuses us: wrong credentials, no such database, still loading
    """
    information = ServerInfo()
    for (purpose, _), reply in zip(steps, replies, strict=True):
        if isinstance(reply, ErrorLine):
            # Users without the right to ROLE: what HELLO says of it must do.
            if purpose not in ("library", "role"):
                raise from_line(str(reply))
        elif purpose == "hello":
            fields = {bytes(name).decode(): value for name, value in pairs(reply)}
            information = ServerInfo(
                product=_text(fields.get("server")),
                version=_text(fields.get("version")),
                protocol=int(fields.get("proto", 2)),
                connection=fields.get("id"),
                role=_text(fields.get("role")),
                mode=_text(fields.get("mode")),
            )
        elif purpose == "role":
            # https://redis.io/docs/latest/commands/role/; HELLO's word for it is the newer one.
            role = _text(reply[0])
            information = replace(information, role="replica" if role == "slave" else role)
    return information


def _text(value: Reply) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else ""
