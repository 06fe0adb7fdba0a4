"""
Every error the library raises, as one tree ordered by cause.

``RedisError`` is the root. Below it the branches tell whose turn it is: the connection failed (``ConnectionError``), time ran
out (the ``...TimeoutError`` classes), the server answered with an error (``ReplyError``), the cluster or a sentinel could not
serve, or the library was asked for something it cannot do (``CommandSyntaxError``, ``CommandNotSupportedError``).
A wrong argument is a plain ``TypeError`` or ``ValueError``, raised at the call before anything is sent.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .types import StreamAdditions

# --------------------------------------------------------------------------------------------------------- the root


class RedisError(Exception):
    """
    The root of every error in this library.

    Attributes:
        may_have_run: True when the command may have been executed although there is no result: its reply was lost, or that of
            an earlier attempt which had to be repeated. A server's error of itself says nothing else than that the command
            failed.
    """

    may_have_run: bool = False


# --------------------------------------------------------------------------------- the connection and the clock


class ConnectionError(RedisError, builtins.ConnectionError):
    """
    The server cannot be reached, or a connection broke.

    Attributes:
        may_have_run: True when the server may have executed the command: at least one byte of it left this process and no
            reply came. False only when certainly nothing was executed.
    """

    may_have_run: bool

    def __init__(self, message: str = "", *, may_have_run: bool = False) -> None:
        super().__init__(message)
        self.may_have_run = may_have_run


class ConnectionLostError(ConnectionError):
    """
    An established connection broke before the reply to a command had arrived. See ``may_have_run``.
    """


class ConnectTimeoutError(ConnectionError, builtins.TimeoutError):
    """
    No connection, TLS session or handshake within ``connect_timeout``. Nothing was executed.
    """


class ProtocolError(ConnectionError):
    """
    The server sent bytes that are not valid RESP, or a reply nobody asked for. The connection is closed.

    The message never contains the payload.

    Attributes:
        replies: what the server sent, as it was parsed, where a group consumer with ``auto_acknowledge`` cannot read it: for
            the server these entries are done with, so they are nowhere else. None in any other case
    """

    replies: list[object] | None = None


class RequestTimeoutError(RedisError, builtins.TimeoutError):
    """
    No reply within the request's time (``stream_timeout``).

    Attributes:
        may_have_run: True when the command had been handed to the network.
    """

    may_have_run: bool

    def __init__(self, message: str = "", *, may_have_run: bool = False) -> None:
        super().__init__(message)
        self.may_have_run = may_have_run


class PoolTimeoutError(RedisError, builtins.TimeoutError):
    """
    No connection of the pool became free within ``pool_timeout``. Nothing was sent.
    """


class ConcurrentUseError(RedisError, RuntimeError):
    """
    Two tasks or threads used something at the same time that serves one at a time, a consumer for example.
    """


# ------------------------------------------------------------------------------------------------- asked for wrongly


class CommandSyntaxError(RedisError, ValueError):
    """
    Arguments that do not go together. Nothing was sent.

    Attributes:
        arguments: the names of the arguments in question
    """

    def __init__(self, arguments: set[str] | frozenset[str], message: str) -> None:
        super().__init__(f"{', '.join(sorted(arguments))}: {message}")
        self.arguments = frozenset(arguments)
        self._message = message

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.arguments, self._message)


class CommandNotSupportedError(RedisError):
    """
    The server has no such command, or not with this option.

    Attributes:
        command: the command, or the command and its option, as ``"XADD IDMP"``
        version: the server version that has it, as ``"Redis 8.6"``
    """

    def __init__(self, command: str, version: str) -> None:
        super().__init__(f"{command} needs {version} or later; this server does not have it")
        self.command = command
        self.version = version

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.command, self.version)


class DataError(RedisError, ValueError):
    """
    A value cannot be expressed as asked.
    """


class InvalidResponse(RedisError):
    """
    A well-formed reply has a shape that the command never returns.
    """

    may_have_run = True


class WatchError(RedisError):
    """
    A watched key changed before EXEC; nothing of the transaction was executed.
    """


# ------------------------------------------------------------------------------------------- the server said no


class ReplyError(RedisError):
    """
    The server answered with an error.

    Attributes:
        code: the first word of the server's text, as ``"WRONGTYPE"``
    """

    code: str = "ERR"


class ResponseError(ReplyError):
    """
    The server refused or failed a command.
    """


class UnknownCommandError(ResponseError):
    """
    The server does not know this command or subcommand (``ERR unknown command``).
    """


class WrongTypeError(ResponseError):
    """
    The key holds another kind of value (``WRONGTYPE``).
    """


class NoKeyError(ResponseError):
    """
    The source key does not exist (``NOKEY``).
    """


class UnblockedError(ResponseError):
    """
    A blocking command was ended by the server (``UNBLOCKED``).
    """


class NoScriptError(ResponseError):
    """
    No script with this digest is loaded (``NOSCRIPT``).
    """


class ExecAbortError(ResponseError):
    """
    The transaction was discarded because a queued command was refused (``EXECABORT``).
    """


class ReadOnlyError(ResponseError):
    """
    A write was sent to a read-only replica (``READONLY``). It was not executed.
    """


class NotBusyError(ResponseError):
    """
    No script is running that could be killed (``NOTBUSY``).
    """


class BusyError(ResponseError):
    """
    The server is busy with a long script (``BUSY``). The command was not executed.
    """


class BusyLoadingError(ConnectionError, ResponseError):
    """
    The server is loading its data set (``LOADING``). The command was not executed.
    """


class OutOfMemoryError(ResponseError):
    """
    The server's memory limit is reached (``OOM``). The command was not executed.
    """


class ReplicationError(ResponseError):
    """
    Not enough replicas to accept a write (``NOREPLICAS``). The command was not executed.
    """


class PersistenceError(ResponseError):
    """
    The server cannot persist and so refuses writes (``MISCONF``). The command was not executed.
    """


class PrimaryDownError(ResponseError):
    """
    A replica lost its primary and may not serve stale data (``MASTERDOWN``). The command was not executed.
    """


class AuthenticationError(ResponseError):
    """
    The server does not accept who we are.
    """


class AuthenticationFailureError(AuthenticationError):
    """
    Wrong username or password (``WRONGPASS``).
    """


class AuthenticationRequiredError(AuthenticationError):
    """
    The server wants authentication and none was given (``NOAUTH``).
    """


class AuthorizationError(ResponseError):
    """
    The user may not run this command or touch this key (``NOPERM``).
    """


class ProtocolVersionError(ResponseError):
    """
    The server does not speak the protocol version asked for (``NOPROTO``).
    """


# ------------------------------------------------------------------------------------------------------ streams


class StreamConsumerError(RedisError):
    """
    Something about a stream consumer.
    """


class StreamConsumerInitializationError(StreamConsumerError):
    """
    A consumer cannot start: its stream or consumer group does not exist and may not be created.
    """


class StreamConsumerGroupError(StreamConsumerError, ReplyError):
    """
    The consumer group, or its stream, does not exist (``NOGROUP``).
    """


class StreamDuplicateConsumerGroupError(StreamConsumerGroupError):
    """
    The consumer group exists already (``BUSYGROUP``).
    """


class StreamAdditionError(RedisError):
    """
    Some of the entries given to ``xadd_many`` were not added, or nobody knows whether they were.

    Attributes:
        additions: what became of each entry (of each that had not been told of before)
        may_have_run: whether there are any that may have been added without its being known
    """

    def __init__(self, additions: StreamAdditions[str] | StreamAdditions[bytes]) -> None:
        not_added, unknown = len(additions.not_added), len(additions.unknown)
        position, error = next(iter(additions.errors.items()))
        super().__init__(
            f"entries not added: {not_added}, unknown: {unknown}; the first is entries[{position}]: {error}"
        )
        self.additions = additions
        self.may_have_run = unknown > 0

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.additions,)


# ------------------------------------------------------------------------------------------------------- cluster


class RedisClusterError(RedisError):
    """
    Something about a cluster.
    """


class ClusterError(RedisClusterError):
    """
    The cluster cannot serve.
    """


class ClusterResponseError(ClusterError, ReplyError):
    """
    A node of a cluster answered with an error of its own.
    """


class ClusterCrossSlotError(ClusterResponseError):
    """
    The keys of one command live in several slots (``CROSSSLOT``). Nothing was executed.

    Attributes:
        slots: the slot of each key, when the client saw it itself and sent nothing; else empty
    """

    def __init__(self, message: str, slots: Mapping[bytes, int] | None = None) -> None:
        super().__init__(message)
        self.slots = {} if slots is None else dict(slots)


class ClusterDownError(ClusterResponseError):
    """
    The cluster is down or a slot is not served (``CLUSTERDOWN``). The command was not executed.
    """


class TryAgainError(ClusterResponseError):
    """
    Some keys of the command have moved already and some have not (``TRYAGAIN``). The command was not executed.
    """


class AskError(ClusterResponseError):
    """
    The key is moving: ask the node named, once (``ASK``). The command was not executed.

    Attributes:
        slot: the hash slot
        host: the node to ask; empty when the node that answered means itself
        port: its port
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        _, slot, address = message.split(" ")[:3]
        host, _, port = address.rpartition(":")
        self.slot = int(slot)
        self.host = host
        self.port = int(port)


class MovedError(AskError):
    """
    The slot lives on the node named (``MOVED``). The command was not executed.
    """


# ------------------------------------------------------------------------------------------------------ sentinels


class SentinelError(ConnectionError):
    """
    The sentinels could not lead to a server. Nothing was executed, except perhaps in an earlier attempt: see ``may_have_run``.

    Attributes:
        temporary: False when waiting will not help: every sentinel refuses us or does not know the service
    """

    temporary: bool

    def __init__(self, message: str = "", *, temporary: bool = True) -> None:
        super().__init__(message)
        self.temporary = temporary


class PrimaryNotFoundError(SentinelError):
    """
    No sentinel names a primary that can be reached.
    """


class StalePrimaryError(PrimaryNotFoundError):
    """
    The sentinels name a server that is no primary: it was demoted, or they do not know the new one yet.
    """


class ReplicaNotFoundError(SentinelError):
    """
    No sentinel names a replica that can be reached, and the primary cannot be reached either.
    """
