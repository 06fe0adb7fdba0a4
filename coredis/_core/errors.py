"""
Turn an error line of the server into the exception of its cause.

Only the first word of the line decides (it is stable across versions and products, the text is not); the few causes that
servers report under the catch-all ``ERR`` are recognised by the beginning of their text.
"""

from __future__ import annotations

from .. import exceptions

BY_CODE: dict[str, type[exceptions.ReplyError]] = {
    "ASK": exceptions.AskError,
    "BUSY": exceptions.BusyError,
    "BUSYGROUP": exceptions.StreamDuplicateConsumerGroupError,
    "CLUSTERDOWN": exceptions.ClusterDownError,
    "CROSSSLOT": exceptions.ClusterCrossSlotError,
    "EXECABORT": exceptions.ExecAbortError,
    "LOADING": exceptions.BusyLoadingError,
    "MASTERDOWN": exceptions.PrimaryDownError,
    "MISCONF": exceptions.PersistenceError,
    "MOVED": exceptions.MovedError,
    "NOAUTH": exceptions.AuthenticationRequiredError,
    "NOGROUP": exceptions.StreamConsumerGroupError,
    "NOKEY": exceptions.NoKeyError,
    "NOPERM": exceptions.AuthorizationError,
    "NOPROTO": exceptions.ProtocolVersionError,
    "NOREPLICAS": exceptions.ReplicationError,
    "NOSCRIPT": exceptions.NoScriptError,
    "NOTBUSY": exceptions.NotBusyError,
    "OOM": exceptions.OutOfMemoryError,
    "READONLY": exceptions.ReadOnlyError,
    "TRYAGAIN": exceptions.TryAgainError,
    "UNBLOCKED": exceptions.UnblockedError,
    "WRONGPASS": exceptions.AuthenticationFailureError,
    "WRONGTYPE": exceptions.WrongTypeError,
}

# Refusals: the server has certainly not executed the command, and a later attempt may succeed (reliability: any command may
# be sent again after one of these). READONLY, MOVED and ASK need another node first and are handled where nodes are known.
REFUSALS: tuple[type[exceptions.ReplyError], ...] = (
    exceptions.BusyLoadingError,
    exceptions.BusyError,
    exceptions.ClusterDownError,
    exceptions.PrimaryDownError,
    exceptions.ReplicationError,
    exceptions.TryAgainError,
)


def from_line(line: str) -> exceptions.ReplyError:
    """
    Make the exception for one error line, given without its leading ``-``.
    """
    code, _, rest = line.partition(" ")
    cause = BY_CODE.get(code)
    if cause is None:
        cause = exceptions.ResponseError
        if code == "ERR" and rest.startswith(("unknown command", "unknown subcommand", "Unknown subcommand")):
            cause = exceptions.UnknownCommandError
        elif code == "ERR" and rest.startswith(("invalid password", "invalid username-password")):
            cause = exceptions.AuthenticationFailureError
    try:
        error = cause(line)
    except (ValueError, IndexError):  # A redirect that names no slot and node is still an error of the server.
        error = exceptions.ResponseError(line)
    error.code = code if code.isupper() and code.isalpha() else "ERR"
    return error
