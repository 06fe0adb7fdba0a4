"""
Opening channels, and closing several.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable

from ..._core.config import TCPAddress, UnixAddress
from ...exceptions import ConnectionError, ConnectTimeoutError
from .. import sockets
from . import clock
from .channel import Channel


def connect(
    address: TCPAddress | UnixAddress, context: ssl.SSLContext | None, keepalive: bool, deadline: float
) -> Channel:
    """
    Connect to a server; all addresses of a host are tried.

    Args:
        address: where
        context: for TLS; the certificate is checked against the host of the address
        keepalive: let the kernel look for dead peers
        deadline: when to give up

    Raises:
        ConnectionError: nobody answers there, or not as wanted
        ConnectTimeoutError: not by then
    """
    try:
        if isinstance(address, UnixAddress):
            connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connected.settimeout(clock.remaining(deadline))
                connected.connect(address.path)
            except BaseException:  # Ctrl-C included: the socket is ours to close, whatever happened
                connected.close()
                raise
            return Channel(connected)
        connected = socket.create_connection((address.host, address.port), clock.remaining(deadline))
        try:
            sockets.prepare(connected, keepalive)
            if context is not None:
                connected.settimeout(clock.remaining(deadline))
                connected = context.wrap_socket(connected, server_hostname=address.host)
        except BaseException:  # as above
            connected.close()
            raise
        return Channel(connected)
    except (TimeoutError, BlockingIOError) as error:  # the latter if there was no time at all
        raise ConnectTimeoutError(f"cannot connect to {address} in time") from error
    except OSError as error:
        raise ConnectionError(f"cannot connect to {address}: {error}") from error


def close_all(channels: Iterable[Channel]) -> None:
    """
    Close channels.
    """
    for channel in channels:
        channel.close()
