# Generated from coredis/_async/commands/connection.py by scripts/generate.py: edit that file, not this one.
"""
Commands about connections.

There is deliberately no method for what would change a connection that others use too (SELECT, AUTH, HELLO, RESET, QUIT,
MONITOR, SUBSCRIBE, CLIENT REPLY, ...): those are options of the client, and ``execute_command`` refuses them as well.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._queued.commands.base import Commands
from coredis._core.command import Command
from coredis._core.commands import connection
from coredis._core.commands.checks import string
from coredis._core.queue import Queued
from coredis._core.replies.server import client_info, client_list
from coredis._core.replies.shapes import integer, truth
from coredis.types import ClientInfo
from coredis.typing import Parameters, StringT


class ConnectionCommands(Commands[AnyStr]):
    """
    Commands about connections.
    """

    def ping(self, message: StringT | None = None) -> Queued[AnyStr]:
        """
        Ask the server for a sign of life.

        Returns:
            ``PONG``, or the message

        Source: https://redis.io/docs/latest/commands/ping/
        """
        return self.issue(
            self.replies.ping if message is None else Command(("PING", message), self.replies.text, (), True)
        )

    def echo(self, message: StringT) -> Queued[AnyStr]:
        """
        Get a message back.

        Source: https://redis.io/docs/latest/commands/echo/
        """
        return self.issue(Command(("ECHO", message), self.replies.text, readonly=True))

    def client_id(self) -> Queued[int]:
        """
        Get the number of a connection of this client.

        The client may use another connection for its next command.

        Source: https://redis.io/docs/latest/commands/client-id/
        """
        return self.issue(Command(("CLIENT", "ID"), integer, idempotent=True))

    def client_getname(self) -> Queued[AnyStr | None]:
        """
        Get the name of a connection of this client, None when it has none.

        Source: https://redis.io/docs/latest/commands/client-getname/
        """
        return self.issue(Command(("CLIENT", "GETNAME"), self.replies.optional_text, idempotent=True))

    def client_setname(self, connection_name: StringT) -> Queued[bool]:
        """
        Name the connection that carries this command.

        The client's option ``client_name`` names all its connections, which is mostly what is wanted.

        Source: https://redis.io/docs/latest/commands/client-setname/
        """
        return self.issue(
            Command(("CLIENT", "SETNAME", string("connection_name", connection_name)), truth, idempotent=True)
        )

    def client_setinfo(self, lib_name: StringT | None = None, lib_ver: StringT | None = None) -> Queued[bool]:
        """
        Tell the server the name or the version of the library that uses the connection; one of them at a time.

        Source: https://redis.io/docs/latest/commands/client-setinfo/
        """
        return self.issue(connection.client_setinfo(lib_name, lib_ver))

    def client_info(self) -> Queued[ClientInfo]:
        """
        Describe the connection that carries this command.

        Source: https://redis.io/docs/latest/commands/client-info/
        """
        return self.issue(Command(("CLIENT", "INFO"), client_info, idempotent=True))

    def client_list(
        self, type_: StringT | None = None, identifiers: Parameters[int] | None = None
    ) -> Queued[tuple[ClientInfo, ...]]:
        """
        Describe the connections of the server.

        Args:
            type_: only ``NORMAL``, ``MASTER``, ``REPLICA`` or ``PUBSUB``
            identifiers: only those with these numbers

        Source: https://redis.io/docs/latest/commands/client-list/
        """
        return self.issue(Command(connection.client_list(type_, identifiers), client_list, idempotent=True))

    def client_kill(
        self,
        *,
        identifier: int | None = None,
        addr: StringT | None = None,
        laddr: StringT | None = None,
        type_: StringT | None = None,
        user: StringT | None = None,
        skipme: bool = True,
        maxage: int | None = None,
    ) -> Queued[int]:
        """
        Close connections, those for which everything given is true.

        Args:
            identifier: the number of the connection
            addr: ``"address:port"`` of the client
            laddr: ``"address:port"`` of the server
            type_: ``NORMAL``, ``MASTER``, ``REPLICA`` or ``PUBSUB``
            user: the name of the user
            skipme: spare the connection that carries this command. If not spared, the answer still arrives
            maxage: older than these seconds

        Returns:
            how many were closed

        Source: https://redis.io/docs/latest/commands/client-kill/
        """
        return self.issue(connection.client_kill(identifier, addr, laddr, type_, user, skipme, maxage))

    def client_unblock(self, client_id: int, unblock_type: StringT | None = None) -> Queued[bool]:
        """
        End the blocking command of another connection.

        Args:
            client_id: the number of that connection
            unblock_type: ``TIMEOUT`` (as if its time had run out, the server's default) or ``ERROR``

        Returns:
            False when it was not blocked

        Source: https://redis.io/docs/latest/commands/client-unblock/
        """
        return self.issue(Command(connection.client_unblock(client_id, unblock_type), truth))

    def client_pause(self, timeout: int, mode: StringT | None = None) -> Queued[bool]:
        """
        Make the server keep all clients waiting.

        A connection on which a command waits carries nothing else meanwhile, so end the pause through a client that has sent
        nothing that waits.

        Args:
            timeout: milliseconds
            mode: ``WRITE`` (only commands that write) or ``ALL`` (the server's default)

        Source: https://redis.io/docs/latest/commands/client-pause/
        """
        return self.issue(Command(connection.client_pause(timeout, mode), truth))

    def client_unpause(self) -> Queued[bool]:
        """
        End a pause.

        Source: https://redis.io/docs/latest/commands/client-unpause/
        """
        return self.issue(Command(("CLIENT", "UNPAUSE"), truth, idempotent=True))

    def client_no_evict(self, enabled: bool | StringT) -> Queued[bool]:
        """
        Protect the connection that carries this command from being closed when clients use too much memory.

        Args:
            enabled: True or ``ON``, False or ``OFF``

        Source: https://redis.io/docs/latest/commands/client-no-evict/
        """
        return self.issue(
            Command(("CLIENT", "NO-EVICT", connection.switch("enabled", enabled)), truth, idempotent=True)
        )
