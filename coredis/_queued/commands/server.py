# Generated from coredis/_async/commands/server.py by scripts/generate.py: edit that file, not this one.
"""
Commands about the server itself.

SHUTDOWN has no method: the server answers it by closing the connection. DEBUG, FAILOVER and other tools of operators go
through ``execute_command`` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import AnyStr

from coredis._queued.commands.base import Commands
from coredis._core.command import Command
from coredis._core.commands import server as build
from coredis._core.commands.checks import string
from coredis._core.commands.keyed import values
from coredis._core.queue import Queued
from coredis._core.replies import server as replies
from coredis._core.replies.shapes import integer, truth
from coredis.tokens import TokenT
from coredis.types import AclUserValue, CommandInfo, DocumentValue, InfoValue, RoleInfo, SlowLogInfo
from coredis.typing import KeyT, MappingKeyT, Parameters, StringT, ValueT


class ServerCommands(Commands[AnyStr]):
    """
    Commands about the server itself.
    """

    def info(self, *sections: StringT) -> Queued[dict[str, InfoValue]]:
        """
        Get facts and statistics of the server.

        Args:
            sections: such as ``"memory"``; the server's default ones if not given, ``"everything"`` for all

        Returns:
            all fields of all sections by name, numbers as numbers. A line that holds several values (``db0``,
            ``cmdstat_get``) is a dict; modules are a tuple of dicts under ``"modules"``

        Source: https://redis.io/docs/latest/commands/info/
        """
        return self.issue(Command(("INFO", *sections), replies.info, idempotent=True))

    def config_get(self, parameters: Parameters[StringT]) -> Queued[dict[AnyStr, AnyStr]]:
        """
        Get settings, by name or by pattern.

        Source: https://redis.io/docs/latest/commands/config-get/
        """
        return self.issue(
            Command(("CONFIG", "GET", *values("parameters", parameters)), self.replies.settings, idempotent=True)
        )

    def config_set(self, parameter_values: Mapping[MappingKeyT, ValueT]) -> Queued[bool]:
        """
        Change settings, all of them or none.

        Source: https://redis.io/docs/latest/commands/config-set/
        """
        return self.issue(build.config_set(parameter_values))

    def config_resetstat(self) -> Queued[bool]:
        """
        Set the statistics of ``info`` back.

        Source: https://redis.io/docs/latest/commands/config-resetstat/
        """
        return self.issue(Command(("CONFIG", "RESETSTAT"), truth, idempotent=True))

    def config_rewrite(self) -> Queued[bool]:
        """
        Write the settings to the server's configuration file.

        Source: https://redis.io/docs/latest/commands/config-rewrite/
        """
        return self.issue(Command(("CONFIG", "REWRITE"), truth, idempotent=True))

    def dbsize(self) -> Queued[int]:
        """
        Count the keys of the database.

        Source: https://redis.io/docs/latest/commands/dbsize/
        """
        return self.issue(Command(("DBSIZE",), integer, readonly=True))

    def flushdb(self, flush_type: TokenT | None = None) -> Queued[bool]:
        """
        Delete all keys of the database.

        Args:
            flush_type: ``SYNC`` or ``ASYNC``; as the server is configured if not given

        Source: https://redis.io/docs/latest/commands/flushdb/
        """
        return self.issue(build.flush("FLUSHDB", flush_type))

    def flushall(self, flush_type: TokenT | None = None) -> Queued[bool]:
        """
        Delete all keys of all databases. See ``flushdb``.

        Source: https://redis.io/docs/latest/commands/flushall/
        """
        return self.issue(build.flush("FLUSHALL", flush_type))

    def time(self) -> Queued[datetime]:
        """
        Get the server's clock, in UTC.

        Source: https://redis.io/docs/latest/commands/time/
        """
        return self.issue(Command(("TIME",), replies.moment, readonly=True))

    def lastsave(self) -> Queued[datetime]:
        """
        Get when the data set was saved to disk last, in UTC.

        Source: https://redis.io/docs/latest/commands/lastsave/
        """
        return self.issue(Command(("LASTSAVE",), replies.moment_of_save, idempotent=True))

    def save(self) -> Queued[bool]:
        """
        Save the data set to disk. The server does nothing else meanwhile: prefer ``bgsave``.

        Source: https://redis.io/docs/latest/commands/save/
        """
        return self.issue(Command(("SAVE",), truth, idempotent=True))

    def bgsave(self, schedule: bool = False) -> Queued[bool]:
        """
        Begin to save the data set to disk.

        Args:
            schedule: if that is not possible just now, do it later

        Source: https://redis.io/docs/latest/commands/bgsave/
        """
        return self.issue(Command(("BGSAVE", "SCHEDULE") if schedule else ("BGSAVE",), truth))

    def role(self) -> Queued[RoleInfo]:
        """
        Get the role of the server in replication.

        Source: https://redis.io/docs/latest/commands/role/
        """
        return self.issue(Command(("ROLE",), replies.role, idempotent=True))

    def replicaof(self, host: StringT | None = None, port: int | None = None) -> Queued[bool]:
        """
        Make the server a replica of another one, or without a host a primary.

        Source: https://redis.io/docs/latest/commands/replicaof/
        """
        return self.issue(build.replicaof(host, port))

    def command_count(self) -> Queued[int]:
        """
        Count the commands of the server.

        Source: https://redis.io/docs/latest/commands/command-count/
        """
        return self.issue(Command(("COMMAND", "COUNT"), integer, idempotent=True))

    def command_list(
        self, module: StringT | None = None, aclcat: StringT | None = None, pattern: StringT | None = None
    ) -> Queued[set[AnyStr]]:
        """
        Get the names of the commands of the server.

        Args:
            module: only those of this module
            aclcat: only those of this category
            pattern: only those whose name matches

        Source: https://redis.io/docs/latest/commands/command-list/
        """
        return self.issue(build.command_list(module, aclcat, pattern, self.replies.command_names))

    def command_info(self, *command_names: StringT) -> Queued[dict[str, CommandInfo]]:
        """
        Describe commands: flags, and where their keys stand.

        Args:
            command_names: all commands if not given

        Returns:
            the descriptions by name; names the server does not know are left out

        Source: https://redis.io/docs/latest/commands/command-info/
        """
        return self.issue(Command(("COMMAND", "INFO", *command_names), replies.command_infos, idempotent=True))

    def command_docs(self, *command_names: StringT) -> Queued[dict[str, dict[str, DocumentValue]]]:
        """
        Get the documentation of commands: summary, arguments, history.

        Args:
            command_names: all commands if not given

        Source: https://redis.io/docs/latest/commands/command-docs/
        """
        return self.issue(Command(("COMMAND", "DOCS", *command_names), replies.command_docs, idempotent=True))

    def command_getkeys(self, command: StringT, arguments: Parameters[ValueT]) -> Queued[tuple[AnyStr, ...]]:
        """
        Let the server find the keys in a command.

        Source: https://redis.io/docs/latest/commands/command-getkeys/
        """
        return self.issue(build.command_getkeys(command, arguments, self.replies.texts))

    def memory_usage(self, key: KeyT, *, samples: int | None = None) -> Queued[int | None]:
        """
        Estimate the bytes a key takes, None when there is no such key.

        Args:
            key: the key
            samples: how many elements of a collection to look at, 0 for all

        Source: https://redis.io/docs/latest/commands/memory-usage/
        """
        return self.issue(build.memory_usage(key, samples))

    def slowlog_get(self, count: int | None = None) -> Queued[tuple[SlowLogInfo[AnyStr], ...]]:
        """
        Get the log of slow commands, newest first.

        Args:
            count: how many, -1 for all

        Source: https://redis.io/docs/latest/commands/slowlog-get/
        """
        return self.issue(build.slowlog_get(count, self.replies.slow_log))

    def slowlog_len(self) -> Queued[int]:
        """
        Count the entries of the log of slow commands.

        Source: https://redis.io/docs/latest/commands/slowlog-len/
        """
        return self.issue(Command(("SLOWLOG", "LEN"), integer, idempotent=True))

    def slowlog_reset(self) -> Queued[bool]:
        """
        Clear the log of slow commands.

        Source: https://redis.io/docs/latest/commands/slowlog-reset/
        """
        return self.issue(Command(("SLOWLOG", "RESET"), truth, idempotent=True))

    def acl_whoami(self) -> Queued[AnyStr]:
        """
        Get the name of the user this client is.

        Source: https://redis.io/docs/latest/commands/acl-whoami/
        """
        return self.issue(Command(("ACL", "WHOAMI"), self.replies.text, idempotent=True))

    def acl_list(self) -> Queued[tuple[AnyStr, ...]]:
        """
        Get the rules of all users, one line a user.

        Source: https://redis.io/docs/latest/commands/acl-list/
        """
        return self.issue(Command(("ACL", "LIST"), self.replies.texts, idempotent=True))

    def acl_getuser(self, username: StringT) -> Queued[dict[str, AclUserValue[AnyStr]] | None]:
        """
        Describe a user, None when there is none of that name.

        Source: https://redis.io/docs/latest/commands/acl-getuser/
        """
        return self.issue(
            Command(("ACL", "GETUSER", string("username", username)), self.replies.acl_user, idempotent=True)
        )

    def acl_setuser(self, username: StringT, *rules: StringT) -> Queued[bool]:
        """
        Create or change a user.

        Args:
            username: the name of the user
            rules: such as ``"on"``, ``">password"``, ``"+@read"``, ``"~prefix:*"``; applied in this order

        Source: https://redis.io/docs/latest/commands/acl-setuser/
        """
        return self.issue(Command(("ACL", "SETUSER", string("username", username), *rules), truth))

    def acl_deluser(self, usernames: Parameters[StringT]) -> Queued[int]:
        """
        Delete users and close their connections.

        Returns:
            how many there were

        Source: https://redis.io/docs/latest/commands/acl-deluser/
        """
        return self.issue(Command(("ACL", "DELUSER", *values("usernames", usernames)), integer, idempotent=True))
