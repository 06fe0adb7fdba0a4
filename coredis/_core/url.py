"""
Read a connection URL: ``redis://``, ``rediss://`` (TLS) and ``unix://``, every option as a query parameter.

    redis://[[username]:password@]host[:port][/db][?option=value&...]
    unix://[[username]:password@]/path/to/socket[?db=0&...]
    sentinel://[[username]:password@]host[:port][,host[:port]...][/service[/db]][?option=value&sentinel_option=value&...]

The last one, and ``sentinels://`` for TLS, is for ``Sentinel.from_url``: the hosts are sentinels, and what is not called
``sentinel_...`` is for the servers they lead to.

All mistakes are found here, when a client is made, never at the first command. No message repeats the password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from .options import SentinelOptions
from .secrets import hidden

T = TypeVar("T")

SCHEMES: Final = ("redis", "rediss", "unix")
SENTINEL_SCHEMES: Final = ("sentinel", "sentinels")
SENTINEL_PORT: Final = 26379


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


def _list(text: str) -> list[str]:
    # A + in a query is a space, and no digest has one: nobody should have to know that base64 must be percent-encoded.
    return text.replace(" ", "+").split(",")


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
    "ssl_pinned_sha256": _list,
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

_PREFIX: Final = "sentinel_"  # before the options for the sentinels themselves
_OTHERS: Final = "min_other_sentinels"
_OF_SENTINELS: Final = SentinelOptions.__optional_keys__ | {"allow_insecure_tls"}
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
    return _hide(_checked(url, lambda checked: _parse(checked, parameters)))


class SentinelURL(NamedTuple):
    """
    What a URL for ``Sentinel`` says.

    Attributes:
        sentinels: host and port of each
        service: the name of the service; None when it says none
        min_other_sentinels: as the argument of the constructor
        sentinel_options: how to reach the sentinels
        options: how to reach the servers
    """

    sentinels: list[tuple[str, int]]
    service: str | None
    min_other_sentinels: int
    sentinel_options: dict[str, object]
    options: dict[str, object]


def parse_sentinel(url: str) -> SentinelURL:
    """
    Turn a URL into arguments for the constructor of ``Sentinel``.

    Raises:
        TypeError: not a string
        ValueError: as ``parse``
    """
    return _checked(hidden(url), _parse_sentinel)


def _checked(url: str, parse: Callable[[str], T]) -> T:
    url = hidden(url)
    if not isinstance(url, str):
        raise TypeError(f"url: expected str, got {type(url).__name__}")
    try:
        return parse(url)
    except ValueError as error:
        # Without the traceback: the variables in it are parts of the URL.
        raise error.with_traceback(None) from None


def _hide(options: dict[str, object]) -> dict[str, object]:
    return {name: hidden(value) if name in ("username", "password") else value for name, value in options.items()}


def _split(url: str, schemes: Sequence[str]) -> SplitResult:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        known = ", ".join(f"{known}://" for known in schemes)
        hint = "; that one is for Sentinel.from_url" if scheme in SENTINEL_SCHEMES else ""
        found = f"got {scheme!r}" if separator else "there is no :// in it"  # whatever it is, it may have a password
        raise ValueError(f"url: expected {known} to begin with, {found}{hint}")
    if any(letter <= " " or letter == "\x7f" for letter in url):
        # urlsplit would drop some of them silently, in the midst of a password as well.
        raise ValueError("url: spaces and control characters must be percent-encoded")
    try:
        parts = urlsplit(url)
    except ValueError:  # whose message may repeat the password
        raise ValueError(
            "url: malformed; special characters in a username or password must be percent-encoded"
        ) from None
    if parts.fragment:
        raise ValueError("url: a # must be written as %23")
    return parts


def _credentials(parts: SplitResult) -> dict[str, object]:
    options: dict[str, object] = {}
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    return options


def _database(number: str) -> int:
    if not (number.isascii() and number.isdigit()):
        raise ValueError(f"url: expected a database number after the host, got {_shown(number)}")
    return int(number)


def _parse_sentinel(url: str) -> SentinelURL:
    parts = _split(url, SENTINEL_SCHEMES)
    options = _credentials(parts)
    sentinels: list[tuple[str, int]] = []
    for listed in parts.netloc.rpartition("@")[2].split(","):
        try:
            place = urlsplit(f"//{listed}")
            port = SENTINEL_PORT if place.port is None else place.port
        except ValueError:
            hint = _ENCODE if "@" in url else ""
            raise ValueError(f"url: expected host:port,host:port with ports from 1 to 65535{hint}") from None
        if not place.hostname:
            raise ValueError("url: expected the host of a sentinel on each side of a comma")
        sentinels.append((unquote(place.hostname), port))
    service, *numbers = parts.path.strip("/").split("/")
    if len(numbers) > 1:
        raise ValueError("url: expected /service/db after the hosts")
    if numbers:
        options["db"] = _database(numbers[0])
    encrypted = parts.scheme == "sentinels"
    if encrypted:
        options["ssl"] = True
    named = parse_qsl(parts.query, keep_blank_values=True)
    theirs = [(name.removeprefix(_PREFIX), text) for name, text in named if name.startswith(_PREFIX)]
    others = [text for name, text in named if name == _OTHERS]
    own = [(name, text) for name, text in named if not name.startswith(_PREFIX) and name != _OTHERS]
    options |= _read_query(own, encrypted, PARAMETERS)
    for name, _ in theirs:
        if name in PARAMETERS and name not in _OF_SENTINELS:
            raise ValueError(f"url: sentinels do not take parameter {_PREFIX + name!r}")
    sentinel_options = _read_query(theirs, encrypted, PARAMETERS)
    if any(name.startswith("ssl") for name in sentinel_options):
        sentinel_options = {name: value for name, value in options.items() if name.startswith("ssl")} | sentinel_options
    if len(others) > 1 or not all(text.isascii() and text.isdigit() for text in others):
        raise ValueError(f"url: parameter {_OTHERS!r} takes one whole number")
    return SentinelURL(
        sentinels,
        unquote(service) or None,
        int(others[0]) if others else 0,
        _hide(sentinel_options),
        _hide(options),
    )


def _parse(url: str, parameters: Mapping[str, Callable[[str], object]]) -> dict[str, object]:
    parts = _split(url, SCHEMES)
    scheme = parts.scheme
    options = _credentials(parts)
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
            options["db"] = _database(number)
    if scheme == "rediss":
        options["ssl"] = True
    options.update(_read_query(parse_qsl(parts.query, keep_blank_values=True), scheme == "rediss", parameters))
    return options


def _read_query(
    query: Sequence[tuple[str, str]], encrypted: bool, parameters: Mapping[str, Callable[[str], object]]
) -> dict[str, object]:
    options: dict[str, object] = {}
    for name, text in query:
        read = parameters.get(name)
        if read is None:
            raise ValueError(f"url: unknown parameter {_shown(name)}; known are {', '.join(sorted(parameters))}")
        if name in options:
            raise ValueError(f"url: parameter {name!r} stands there twice")
        if name.startswith("ssl_") and not encrypted:
            raise ValueError(f"url: parameter {name!r} needs rediss:// or sentinels://")
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
