"""
Read a connection URL: ``redis://``, ``rediss://`` (TLS) and ``unix://``, every option as a query parameter.

    redis://[[username]:password@]host[:port][/db][?option=value&...]
    unix://[[username]:password@]/path/to/socket[?db=0&...]

All mistakes are found here, when a client is made, never at the first command. No message repeats the password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from .secrets import hidden

SCHEMES: Final = ("redis", "rediss", "unix")


def _boolean(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("expected true or false")


def _integer(text: str) -> int:
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise ValueError("expected a whole number")
    return int(text)


def _seconds(text: str) -> float | None:
    return None if text.lower() == "none" else float(text)


# The options a URL may carry, and how their text is read. Bounds are checked by the client's constructor.
PARAMETERS: Final[dict[str, Callable[[str], object]]] = {
    "allow_insecure_tls": _boolean,
    "client_name": str,
    "connect_timeout": _seconds,
    "db": _integer,
    "decode_responses": _boolean,
    "encoding": str,
    "max_connections": _integer,
    "password": str,
    "pool_timeout": _seconds,
    "protocol": _integer,
    "socket_keepalive": _boolean,
    "ssl_ca_certs": str,
    "ssl_cert_reqs": str,
    "ssl_certfile": str,
    "ssl_check_hostname": _boolean,
    "ssl_keyfile": str,
    "stream_timeout": _seconds,
    "username": str,
}

#: The same for a client of a cluster.
CLUSTER_PARAMETERS: Final[dict[str, Callable[[str], object]]] = {
    **PARAMETERS,
    "max_connections_per_node": _boolean,
    "non_atomic_cross_slot": _boolean,
    "read_from_replicas": _boolean,
}


_ENCODE: Final = " (special characters in a password must be percent-encoded)"


def _shown(text: str) -> str:
    # With an @ in it, it may be what follows a /, ? or # in a password.
    return repr(text) if "@" not in text else f"something with an @{_ENCODE}"


def parse(url: str, parameters: Mapping[str, Callable[[str], object]] = PARAMETERS) -> dict[str, object]:
    """
    Turn a URL into arguments for a client's constructor.

    Args:
        url: the URL
        parameters: the options it may carry, and how their text is read

    Raises:
        TypeError: not a string
        ValueError: an unknown scheme or parameter, a bad port, database number or value
    """
    url = hidden(url)
    if not isinstance(url, str):
        raise TypeError(f"url: expected str, got {type(url).__name__}")
    try:
        options = _parse(url, parameters)
    except ValueError as error:
        # Without the traceback: the variables in it are parts of the URL.
        raise error.with_traceback(None) from None
    return {name: hidden(value) if name in ("username", "password") else value for name, value in options.items()}


def _parse(url: str, parameters: Mapping[str, Callable[[str], object]]) -> dict[str, object]:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{known}://" for known in SCHEMES)
        raise ValueError(f"url: expected {known} to begin with, got {scheme if separator else 'none of them'!r}")
    if any(letter <= " " or letter == "\x7f" for letter in url):
        # urlsplit would drop some of them silently, in the midst of a password as well.
        raise ValueError("url: spaces and control characters must be percent-encoded")
    try:
        parts = urlsplit(url)
    except ValueError:  # whose message may repeat the password
        raise ValueError(
            "url: malformed; special characters in a username or password must be percent-encoded"
        ) from None
    options: dict[str, object] = {}
    if parts.fragment:
        raise ValueError("url: a # must be written as %23")
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    if scheme == "unix":
        if parts.hostname or not parts.path.strip("/"):
            raise ValueError("url: expected unix:///path/to/socket")
        options["unix_socket_path"] = unquote(parts.path)
    else:
        options["host"] = unquote(parts.hostname) if parts.hostname else "localhost"
        try:
            options["port"] = 6379 if parts.port is None else parts.port
        except ValueError:
            # With an @ further on, it may be the half of a password that has a / in it.
            hint = _ENCODE if "@" in url else ""
            raise ValueError(f"url: expected a port from 1 to 65535{hint}") from None
        number = parts.path.strip("/")
        if number:
            if not (number.isascii() and number.isdigit()):
                raise ValueError(f"url: expected a database number after the host, got {_shown(number)}")
            options["db"] = int(number)
    if scheme == "rediss":
        options["ssl"] = True
    options.update(_read_query(parts.query, scheme, parameters))
    return options


def _read_query(query: str, scheme: str, parameters: Mapping[str, Callable[[str], object]]) -> dict[str, object]:
    options: dict[str, object] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        read = parameters.get(name)
        if read is None:
            raise ValueError(f"url: unknown parameter {_shown(name)}; known are {', '.join(sorted(parameters))}")
        if name in options:
            raise ValueError(f"url: parameter {name!r} stands there twice")
        if name.startswith("ssl_") and scheme != "rediss":
            raise ValueError(f"url: parameter {name!r} needs rediss://")
        try:
            options[name] = read(text)
        except ValueError as error:
            shown = "a value" if name in ("username", "password") else repr(text)
            raise ValueError(f"url: parameter {name!r} does not take {shown}: {error}") from None
    insecure = options.get("ssl_cert_reqs", "required") != "required" or options.get("ssl_check_hostname") is False
    if insecure and not options.get("allow_insecure_tls"):
        raise ValueError(
            "url: with ssl_cert_reqs or ssl_check_hostname relaxed anybody can pose as the server; "
            "say allow_insecure_tls=1 as well"
        )
    options.pop("allow_insecure_tls", None)
    return options
