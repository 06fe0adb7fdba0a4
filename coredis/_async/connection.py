"""
A connection to one server, ready for commands: connected, greeted, authenticated.
"""

from __future__ import annotations

import ssl

from coredis._core import handshake
from coredis._core.config import ConnectionOptions, TCPAddress, TLSOptions, UnixAddress
from coredis._core.secrets import hidden
from coredis._core.wire import encode
from coredis._runtime import aio as rt
from coredis._runtime.sockets import tls_context
from coredis.exceptions import ConnectionError, ConnectTimeoutError, RequestTimeoutError


class Connection:
    """
    A channel whose server knows us.

    Attributes:
        address: where the server listens
        channel: where commands are started
        server: what the server says of itself
        users: callers that share it at the moment
        last_used: when it was last given back to its pool (monotonic seconds)
    """

    __slots__ = ("__weakref__", "address", "channel", "last_used", "server", "users")

    def __init__(self, channel: rt.Channel, server: handshake.ServerInfo, address: TCPAddress | UnixAddress) -> None:
        self.address = address
        self.channel = channel
        self.server = server
        self.last_used = rt.now()
        self.users = 0

    def __repr__(self) -> str:
        state = "closed" if self.channel.closed else f"{self.channel.pending} pending"
        return f"<Connection {self.server.connection} {state}>"


def resolve_tls(tls: TLSOptions | ssl.SSLContext | None) -> ssl.SSLContext | None:
    """
    Make a TLS context unless there is one.
    """
    return tls_context(tls) if isinstance(tls, TLSOptions) else tls


async def open_connection(options: ConnectionOptions, deadline: float) -> Connection:
    """
    Connect and introduce ourselves, in one round trip after the connect.

    Args:
        options: where and as whom
        deadline: when to give up

    Raises:
        ConnectionError: no connection, or not within the time (``ConnectTimeoutError``)
        ReplyError: the server refuses us
    """
    tls = options.tls
    assert not isinstance(tls, TLSOptions), "resolved when the client was made"
    channel = await rt.connect(options.address, tls, options.keepalive, deadline)
    try:
        credentials = None if options.credentials is None else options.credentials.get_credentials()
        steps = handshake.greeting(options.identity, credentials)
        replies = await _say(channel, steps, deadline)
        if handshake.knows_no_hello(steps, replies):
            steps = handshake.old_greeting(options.identity, credentials)
            replies = await _say(channel, steps, deadline)
        return Connection(channel, handshake.read_answers(steps, replies), options.address)
    except RequestTimeoutError:
        channel.close()
        raise ConnectTimeoutError(f"no answer from {options.address} in time") from None
    except ConnectionError as error:
        channel.close()
        # Whatever the handshake may have done, the caller's command has not been sent.
        error.may_have_run = False
        raise
    except BaseException:  # cancelled or interrupted as well: the channel is ours to close, whatever happened
        channel.close()
        raise


async def _say(channel: rt.Channel, steps: list[handshake.Step], deadline: float) -> list[object]:
    payload = hidden(b"".join(encode(words) for _, words in steps))
    return await channel.start(payload, len(steps), deadline).result(deadline)
