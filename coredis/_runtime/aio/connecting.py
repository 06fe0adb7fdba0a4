"""
Opening channels, and closing several.
"""

from __future__ import annotations

import asyncio
import contextvars
import ssl
from collections.abc import Iterable

from ..._core.config import TCPAddress, UnixAddress
from ...exceptions import ConnectionError, ConnectTimeoutError
from .. import sockets
from . import clock
from .channel import Channel


async def connect(
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
    loop = asyncio.get_running_loop()

    async def open_transport() -> Channel:
        if isinstance(address, UnixAddress):
            _, unix_channel = await loop.create_unix_connection(lambda: Channel(loop), address.path)
            return unix_channel
        transport, channel = await loop.create_connection(
            lambda: Channel(loop),
            address.host,
            address.port,
            ssl=context,
            server_hostname=address.host if context is not None else None,
        )
        sockets.prepare(transport.get_extra_info("socket"), keepalive)
        return channel

    # In an empty context: a connection outlives the request that happened to open it, and what that held.
    opening = loop.create_task(open_transport(), context=contextvars.Context())
    try:
        async with asyncio.timeout(clock.remaining(deadline)):
            try:
                return await opening
            except BaseException:  # cancelled or too late just when the connection stood: nobody else would close it
                opening.add_done_callback(_close_opened)
                raise
    except TimeoutError as error:
        raise ConnectTimeoutError(f"cannot connect to {address} in time") from error
    except OSError as error:
        raise ConnectionError(f"cannot connect to {address}: {error}") from error


def _close_opened(opening: asyncio.Task[Channel]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def close_all(channels: Iterable[Channel]) -> None:
    """
    Close channels and wait until their sockets are closed.
    """
    closing = list(channels)
    for channel in closing:
        channel.close()
    for channel in closing:
        await channel.wait_closed()
