"""
A connection to one server, ready for commands: connected, greeted, authenticated.
"""

from __future__ import annotations

import ssl

from coredis._core import handshake
from coredis._core.config import ConnectionOptions, TCPAddress, TLSOptions, UnixAddress
from coredis._core.parser import ErrorLine
from coredis._core.secrets import hidden
from coredis._core.session import RefusedError
from coredis._core.wire import encode
from coredis._runtime import aio as rt
from coredis._runtime.sockets import tls_context
from coredis.exceptions import ConnectionError, ConnectionLostError, ConnectTimeoutError, RequestTimeoutError


class Connection:
    """
    A channel whose server knows us.

    Attributes:
        address: where the server listens
        channel: where commands are started
        introduction: what has to be sent right before every command, an encoded command with a reply of its own; mostly empty
        server: what the server says of itself
        transactions: whether the server has been seen to take MULTI on it
        users: callers that share it at the moment
    """

    __slots__ = ("__weakref__", "address", "channel", "introduction", "server", "transactions", "users")

    def __init__(self, channel: rt.Channel, server: handshake.ServerInfo, address: TCPAddress | UnixAddress) -> None:
        self.address = address
        self.channel = channel
        self.introduction = b""
        self.server = server
        self.transactions = False
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
        ConnectionError: no connection, or not within the time (``ConnectTimeoutError``), or to somebody else
        ReplyError: the server refuses us
    """
    tls = options.tls
    assert not isinstance(tls, TLSOptions), "resolved when the client was made"
    channel = await rt.connect(options.address, tls, options.keepalive, deadline)
    try:
        if options.pins:
            _check_pin(channel, options)
        credentials = handshake.ask(options.credentials)
        steps = handshake.greeting(options.identity, credentials)
        replies = await _say(channel, steps, deadline)
        if handshake.knows_no_hello(steps, replies):
            steps = handshake.old_greeting(options.identity, credentials)
            replies = await _say(channel, steps, deadline)
        return Connection(channel, handshake.read_answers(steps, replies), options.address)
    except RequestTimeoutError:
        channel.close()
        raise ConnectTimeoutError(f"no answer from {options.address} in time") from None
    except RefusedError as error:
        channel.close()
        raise ConnectionLostError(
            str(error)
        ) from error  # unlike a breach of the protocol, it may be otherwise next time
    except ConnectionError as error:
        channel.close()
        # Whatever the handshake may have done, the caller's command has not been sent.
        error.may_have_run = False
        raise
    except BaseException:  # cancelled or interrupted as well: the channel is ours to close, whatever happened
        channel.close()
        raise


def _check_pin(channel: rt.Channel, options: ConnectionOptions) -> None:
    from coredis._core.certificates import pin_of  # who pins nothing does not wait for hashlib

    pin = pin_of(channel.certificate())
    if pin not in options.pins:
        shown = pin.hex() or "there is none"
        raise ConnectionError(
            f"cannot connect to {options.address}: the public key of its certificate ({shown}) is not pinned"
        )


async def _say(channel: rt.Channel, steps: list[handshake.Step], deadline: float) -> list[object]:
    payload = hidden(b"".join(encode(words) for _, words in steps))
    started = channel.start(payload, len(steps), deadline)
    try:
        return await started.result(deadline)
    except ConnectionError as error:
        # The same as a ``RefusedError``, which came too late to be one.
        refusal = next((reply for reply in started.replies if isinstance(reply, ErrorLine)), None)
        if refusal is None:
            raise
        raise ConnectionLostError(f"the server ends the connection with an error: {refusal}") from error
