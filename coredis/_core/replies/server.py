"""
Converters for what a server tells about itself: INFO, ROLE, CLIENT LIST, COMMAND, CONFIG, SLOWLOG, ACL, FUNCTION.

Descriptions of the server itself (INFO, ROLE, CLIENT, COMMAND) are always ``str``: they are ASCII by design. What a user chose,
such as the names of functions or ACL patterns, follows the client's decoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import AnyStr, cast

from ...types import (
    AclUserValue,
    ClientInfo,
    CommandInfo,
    DocumentValue,
    FunctionDefinition,
    InfoValue,
    LibraryDefinition,
    RoleInfo,
    SlowLogInfo,
)
from ..command import Reply
from .shapes import TextReplies, pairs

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Digits in these are no numbers.
_TEXT_IN_INFO = frozenset(
    {
        "config_file",
        "executable",
        "gcc_version",
        "master_host",
        "master_replid",
        "master_replid2",
        "os",
        "redis_build_id",
        "redis_git_sha1",
        "redis_version",
        "run_id",
        "valkey_version",
    }
)
_TEXT_IN_CLIENT = frozenset({"addr", "capa", "cmd", "events", "flags", "laddr", "lib-name", "lib-ver", "name", "user"})
# "keys=1,expires=0": a line of INFO that holds several values.
_SEVERAL = re.compile(r"[\w.|-]+=[^,=]*(,[\w.|-]+=[^,=]*)*")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FRACTION = re.compile(r"-?[0-9]+\.[0-9]+(e[+-]?[0-9]+)?")


def plain(reply: Reply) -> str:
    """
    Text of the server itself, as ``str`` whatever the client decodes.
    """
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)


def plains(reply: Reply) -> tuple[str, ...]:
    """
    A tuple of the server's own text.
    """
    return tuple(map(plain, reply))


def moment(reply: Reply) -> datetime:
    """
    The server's clock, in UTC: seconds and microseconds.
    """
    return _EPOCH + timedelta(seconds=int(reply[0]), microseconds=int(reply[1]))


def moment_of_save(reply: Reply) -> datetime:
    """
    A moment from seconds since the epoch, in UTC.
    """
    return _EPOCH + timedelta(seconds=int(reply))


# ------------------------------------------------------------------------------------------------------------ INFO


def info(reply: Reply) -> dict[str, InfoValue]:
    """
    The fields of INFO, all sections in one dict.

    ``module`` lines come as one tuple under ``modules``, since each of them has the same name.
    """
    fields: dict[str, InfoValue] = {}
    modules: list[dict[str, int | float | str]] = []
    for line in plain(reply).splitlines():
        name, colon, value = line.partition(":")
        if not colon or line.startswith("#"):
            continue
        if name == "module":
            modules.append(_several(value))
        elif name in _TEXT_IN_INFO:
            fields[name] = value
        elif _SEVERAL.fullmatch(value):
            fields[name] = _several(value)
        else:
            fields[name] = _number(value)
    if modules:
        fields["modules"] = tuple(modules)
    return fields


def _several(line: str) -> dict[str, int | float | str]:
    values: dict[str, int | float | str] = {}
    for item in line.split(","):
        name, _, text = item.partition("=")
        # A listener has one "bind" for each address.
        values[name] = f"{values[name]} {text}" if name in values else _number(text)
    return values


def _number(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    return text


# ------------------------------------------------------------------------------------------------- CLIENT and ROLE


def client_info(reply: Reply) -> ClientInfo:
    """
    One connection.
    """
    return _client(plain(reply).rstrip("\n"))


def client_list(reply: Reply) -> tuple[ClientInfo, ...]:
    """
    Connections, one a line.
    """
    return tuple(map(_client, filter(None, plain(reply).split("\n"))))


def _client(line: str) -> ClientInfo:
    fields: dict[str, int | float | str] = {}
    name = ""
    for word in line.split(" "):
        label, equals, value = word.partition("=")
        if equals:
            name = label
            fields[name] = value if name in _TEXT_IN_CLIENT else _number(value)
        elif name:
            fields[name] = f"{fields[name]} {word}"  # the path of a unix socket may have spaces
    return cast(ClientInfo, fields)


def role(reply: Reply) -> RoleInfo:
    """
    The role of the server in replication.
    """
    kind = plain(reply[0])
    if kind == "master":
        return RoleInfo(kind, offset=int(reply[1]), slaves=tuple(map(_replica, reply[2])))
    if kind == "slave":
        return RoleInfo(kind, offset=int(reply[4]), status=plain(reply[3]), host=plain(reply[1]), port=int(reply[2]))
    return RoleInfo(kind, masters=plains(reply[1]))


def _replica(reply: Reply) -> dict[str, str | int]:
    host, port, offset = reply[:3]
    return {"host": plain(host), "port": int(port), "offset": int(offset)}


# --------------------------------------------------------------------------------------------------------- COMMAND


def command_infos(reply: Reply) -> dict[str, CommandInfo]:
    """
    Commands by name; names the server does not know are left out.
    """
    found = [_command_info(item) for item in reply if item is not None]
    return {command["name"]: command for command in found}


def _command_info(reply: Reply) -> CommandInfo:
    name, arity, flags, first, last, step, categories, tips, specifications, subcommands = reply[:10]
    return {
        "name": plain(name),
        "arity": int(arity),
        "flags": frozenset(plains(flags)),
        "first-key": int(first),
        "last-key": int(last),
        "step": int(step),
        "acl-categories": frozenset(plains(categories)),
        "tips": frozenset(plains(tips)),
        "key-specifications": tuple(map(_key_specification, specifications)),
        "sub-commands": tuple(map(_command_info, subcommands)),
    }


def _key_specification(reply: Reply) -> dict[str, DocumentValue]:
    specification: dict[str, DocumentValue] = {}
    for name, value in _named(reply):
        if name in ("begin_search", "find_keys"):
            step = dict(_named(value))
            specification[name] = {
                "type": plain(step["type"]),
                "spec": {label: _text_or_integer(item) for label, item in _named(step["spec"])},
            }
        elif isinstance(value, list):
            specification[name] = plains(value)
        else:
            specification[name] = _text_or_integer(value)
    return specification


def command_docs(reply: Reply) -> dict[str, dict[str, DocumentValue]]:
    """
    Documentation of commands by name.
    """
    return {name: _document(value) for name, value in _named(reply)}


def _document(reply: Reply) -> dict[str, DocumentValue]:
    document: dict[str, DocumentValue] = {}
    for name, value in _named(reply):
        if name == "subcommands":
            document[name] = {label: _document(item) for label, item in _named(value)}
        elif name == "arguments":
            document[name] = tuple(map(_document, value))
        elif name == "history":
            document[name] = tuple(map(plains, value))
        elif isinstance(value, list):
            document[name] = plains(value)
        else:
            document[name] = _text_or_integer(value)
    return document


def _named(reply: Reply) -> Iterator[tuple[str, Reply]]:
    return ((plain(name), value) for name, value in pairs(reply))


def _text_or_integer(reply: Reply) -> str | int:
    return reply if isinstance(reply, int) else plain(reply)


# -------------------------------------------------------------------------------------- in the client's decoding


class ServerReplies(TextReplies[AnyStr]):
    """
    Converters for what users named or wrote.
    """

    def settings(self, reply: Reply) -> dict[AnyStr, AnyStr]:
        """
        Settings by name.
        """
        return {self.text(name): self.text(value) for name, value in pairs(reply)}

    def command_names(self, reply: Reply) -> set[AnyStr]:
        """
        A set of names.
        """
        return set(map(self.text, reply))

    def slow_log(self, reply: Reply) -> tuple[SlowLogInfo[AnyStr], ...]:
        """
        The log of slow commands, newest first.
        """
        return tuple(
            SlowLogInfo(
                int(number),
                int(start_time),
                int(duration),
                [self.text(word) for word in command],
                self.text(address),
                self.text(name),
            )
            for number, start_time, duration, command, address, name in (entry[:6] for entry in reply)
        )

    def acl_user(self, reply: Reply) -> dict[str, AclUserValue[AnyStr]] | None:
        """
        A user, or None.
        """
        return None if reply is None else dict(self._acl_fields(reply))

    def _acl_fields(self, reply: Reply) -> Iterator[tuple[str, AclUserValue[AnyStr]]]:
        for name, value in _named(reply):
            if name == "flags":
                yield name, set(map(self.text, value))
            elif name == "selectors":
                yield name, tuple({label: self.text(item) for label, item in _named(entry)} for entry in value)
            else:
                yield name, self.texts(value) if isinstance(value, list) else self.text(value)

    def libraries(self, reply: Reply) -> dict[AnyStr, LibraryDefinition[AnyStr]]:
        """
        Libraries of functions by name.
        """
        found = map(self._library, reply)
        return {library["name"]: library for library in found}

    def _library(self, reply: Reply) -> LibraryDefinition[AnyStr]:
        fields = dict(_named(reply))
        functions = map(self._function, fields["functions"])
        return {
            "name": self.text(fields["library_name"]),
            "engine": plain(fields["engine"]),
            "functions": {function["name"]: function for function in functions},
            "library_code": self.optional_text(fields.get("library_code")),
        }

    def _function(self, reply: Reply) -> FunctionDefinition[AnyStr]:
        fields = dict(_named(reply))
        return {
            "name": self.text(fields["name"]),
            "description": self.optional_text(fields["description"]),
            "flags": set(plains(fields["flags"])),
        }
