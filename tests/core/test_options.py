"""
What a client is made with is checked at once, and each mistake names its parameter.
"""

from __future__ import annotations

import dataclasses
import ssl
import warnings
from pathlib import Path

import pytest

from coredis._core.config import Identity, TCPAddress, Times, TLSOptions, UnixAddress, check_integer, check_seconds
from coredis._core.options import check_encoding, connection_options, times, tls_options
from coredis.credentials import UserPass, UserPassCredentialProvider

GOOD = {
    "host": "localhost",
    "port": 6379,
    "db": 0,
    "unix_socket_path": None,
    "username": None,
    "password": None,
    "credential_provider": None,
    "client_name": None,
    "protocol": 3,
    "times": Times(),
    "socket_keepalive": True,
    "pins": None,
    "tls": None,
}
TLS = (True, None, None, None, None, True, "required")


def options(**changes: object):
    """
    Put options together, some of them changed.
    """
    return connection_options(**(GOOD | changes))


def test_an_address_is_written_so_that_it_can_be_read() -> None:
    """
    One of IPv6 has colons of its own.
    """
    assert ["localhost:6379", "127.0.0.1:7000", "[::1]:7000"] == [
        str(TCPAddress(host, port)) for host, port in (("localhost", 6379), ("127.0.0.1", 7000), ("::1", 7000))
    ]


def test_the_defaults() -> None:
    """
    TCP, no TLS, no credentials, RESP3.
    """
    made = options()

    assert TCPAddress("localhost", 6379) == made.address
    assert Identity(0, None, 3) == made.identity
    assert (None, None, True) == (made.tls, made.credentials, made.keepalive)


def test_a_socket_path_wins_over_host_and_port() -> None:
    """
    Those have defaults, so both may be there.
    """
    assert UnixAddress("/run/x") == options(unix_socket_path="/run/x").address
    assert UnixAddress("/run/x") == options(unix_socket_path=Path("/run/x")).address


def test_a_password_becomes_a_provider() -> None:
    """
    Without a username it is that of the default user.
    """
    assert UserPass(None, "p") == options(password="p").credentials.get_credentials()
    assert UserPass("u", "p") == options(username="u", password="p").credentials.get_credentials()
    assert UserPass(None, "") == options(password="").credentials.get_credentials()


def test_a_username_may_stand_alone() -> None:
    """
    There are users who need no password.
    """
    assert UserPass("u", "") == options(username="u").credentials.get_credentials()


def test_a_wrong_password_is_not_shown() -> None:
    """
    Neither one of the wrong type nor one that cannot be sent.
    """
    for password in (["canary"], "canary\ud800"):
        with pytest.raises((TypeError, ValueError)) as caught:
            options(password=password)

        assert "canary" not in repr(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"host": ""}, "host"),
        ({"host": None}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"db": -1}, "db"),
        ({"db": 2**31}, "db"),
        ({"protocol": 1}, "protocol"),
        ({"protocol": "3"}, "protocol"),
        ({"client_name": ""}, "client_name"),
        ({"client_name": "a b"}, "client_name"),
        ({"client_name": "a\nb"}, "client_name"),
        ({"client_name": "\u00e9"}, "client_name"),
        ({"host": "a b"}, "host"),
        ({"host": "a\0b"}, "host"),
        ({"password": "canary\ud800"}, "password"),
        ({"unix_socket_path": ""}, "unix_socket_path"),
        ({"unix_socket_path": "a\0b"}, "unix_socket_path"),
        ({"protocol": True}, "protocol"),
        ({"protocol": 3.0}, "protocol"),
        ({"credential_provider": UserPassCredentialProvider("u", "p"), "password": "x"}, "credential_provider"),
        ({"credential_provider": UserPassCredentialProvider("u", "p"), "username": "x"}, "credential_provider"),
        ({"unix_socket_path": "/run/x", "tls": TLSOptions()}, "unix_socket_path"),
    ],
)
def test_what_cannot_be(changes: dict[str, object], message: str) -> None:
    """
    It is a ``ValueError`` that begins with the parameter.
    """
    with pytest.raises(ValueError, match=f"^{message}: "):
        options(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"port": "6379"}, "port"),
        ({"port": True}, "port"),
        ({"db": 1.0}, "db"),
        ({"db": None}, "db"),
        ({"credential_provider": "secret"}, "credential_provider"),
        ({"client_name": 5}, "client_name"),
        ({"client_name": b"me"}, "client_name"),
        ({"username": 5, "password": "p"}, "username"),
        ({"password": 5}, "password"),
        ({"socket_keepalive": "no"}, "socket_keepalive"),
        ({"unix_socket_path": 5}, "unix_socket_path"),
        ({"unix_socket_path": b"/run/x"}, "unix_socket_path"),
    ],
)
def test_what_has_the_wrong_type(changes: dict[str, object], message: str) -> None:
    """
    It is a ``TypeError`` that begins with the parameter.
    """
    with pytest.raises(TypeError, match=f"^{message}: "):
        options(**changes)


def test_no_description_shows_a_password() -> None:
    """
    Neither of the options nor of their parts.
    """
    made = options(username="u", password="canary")

    assert "canary" not in repr(made) + str(made) + repr(made.credentials) + repr(made.credentials.get_credentials())
    assert "canary" not in repr({field.name: getattr(made, field.name) for field in dataclasses.fields(made)})


def test_an_address_describes_itself() -> None:
    """
    As it stands in error messages.
    """
    assert ["h:1", "/run/x"] == [str(TCPAddress("h", 1)), str(UnixAddress("/run/x"))]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e9])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_time_limit_is_a_positive_number_of_seconds(value: float, position: int) -> None:
    """
    None is no limit; 0 would be none that can be kept.
    """
    name = ("connect_timeout", "stream_timeout", "pool_timeout")[position]
    values = [None, None, None]
    assert Times(None, None, None) == times(*values)
    values[position] = value  # type: ignore[call-overload]

    with pytest.raises(ValueError, match=f"^{name}: "):
        times(*values)


@pytest.mark.parametrize("value", [True, "1", [1]])
def test_a_time_limit_of_the_wrong_type(value: object) -> None:
    """
    Text is not read as a number.
    """
    with pytest.raises(TypeError, match=r"^x: "):
        check_seconds("x", value)  # type: ignore[arg-type]


def test_a_time_limit_becomes_a_float() -> None:
    """
    Whole seconds are welcome.
    """
    assert isinstance(check_seconds("x", 3), float)


@pytest.mark.parametrize(("request_seconds", "expected"), [(None, 1.0), (0.2, 1.0), (5.0, 5.0)])
def test_a_late_reply_gets_some_grace(request_seconds: float | None, expected: float) -> None:
    """
    At least a second, and no less than an ordinary command has.
    """
    assert expected == Times(request=request_seconds).grace


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (11, ValueError), (True, TypeError), ("5", TypeError)])
def test_a_whole_number_within_limits(value: object, error: type[Exception]) -> None:
    """
    The limits themselves are allowed.
    """
    assert [1, 10] == [check_integer("x", 1, 1, 10), check_integer("x", 10, 1, 10)]
    with pytest.raises(error, match=r"^x: "):
        check_integer("x", value, 1, 10)  # type: ignore[arg-type]


def test_without_tls_there_are_no_settings() -> None:
    """
    Nothing was said of it, so it is off.
    """
    assert tls_options(False, *TLS[1:]) is None


def test_with_tls_everything_is_verified() -> None:
    """
    Unless the user says otherwise.
    """
    made = tls_options(*TLS)

    assert TLSOptions(None, None, None, True, "required") == made


def test_a_ready_context_wins() -> None:
    """
    It says all there is to say, ``ssl=True`` or not.
    """
    context = ssl.create_default_context()

    assert [context] * 2 == [tls_options(ssl, context, *TLS[2:]) for ssl in (False, True)]


def test_settings_beside_a_context_are_a_mistake() -> None:
    """
    They would be ignored, the client's own certificate perhaps, or the authority that was to be trusted.
    """
    with pytest.raises(ValueError, match=r"^ssl_\.\.\.: .*ssl_context"):
        tls_options(True, ssl.create_default_context(), None, None, "ca", True, "required")


@pytest.mark.parametrize(
    "settings",
    [
        ("k", "c", None, True, "required"),
        (None, None, "ca", True, "required"),
        (None, None, None, False, "required"),
        (None, None, None, True, "none"),
    ],
)
def test_settings_without_tls_are_a_mistake(settings: tuple[object, ...]) -> None:
    """
    Somebody believes in an encryption that is not there.
    """
    with pytest.raises(ValueError, match="ssl=True"):
        tls_options(False, None, *settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((True, None, None, None, None, True, "maybe"), "ssl_cert_reqs"),
        ((False, None, None, None, None, True, "maybe"), "ssl_cert_reqs"),
        ((True, None, "k", None, None, True, "required"), "ssl_keyfile"),
    ],
)
def test_settings_that_cannot_be(arguments: tuple[object, ...], message: str) -> None:
    """
    Each names its parameter.
    """
    with pytest.raises(ValueError, match=f"^{message}: "):
        tls_options(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, "no", "ssl"),
        (1, "context", "ssl_context"),
        (2, 5, "ssl_keyfile"),
        (3, 5, "ssl_certfile"),
        (4, 5, "ssl_ca_certs"),
        (5, None, "ssl_check_hostname"),
    ],
)
def test_settings_of_the_wrong_type(position: int, value: object, message: str) -> None:
    """
    None for a switch is not taken for "no": that would verify less than the default.
    """
    arguments = list(TLS)
    arguments[position] = value

    with pytest.raises(TypeError, match=f"^{message}: "):
        tls_options(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(("check_hostname", "verify"), [(False, "required"), (True, "optional"), (True, "none")])
def test_incomplete_verification_is_warned_of(check_hostname: bool, verify: str) -> None:
    """
    It is allowed, and not silently.
    """
    with pytest.warns(UserWarning, match="pose as the server"):
        tls_options(True, None, None, None, None, check_hostname, verify)


def test_complete_verification_is_not_warned_of() -> None:
    """
    A client certificate makes no difference.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tls_options(True, None, "k", "c", "ca", True, "required")


def test_an_encoding_is_known_by_any_name() -> None:
    """
    The usual form is kept.
    """
    assert ["utf-8", "iso8859-1"] == [check_encoding("UTF8"), check_encoding("latin-1")]
    with pytest.raises(ValueError, match=r"^encoding: .*'klingon'"):
        check_encoding("klingon")
    with pytest.raises(TypeError, match=r"^encoding: .*None"):
        check_encoding(None)  # type: ignore[arg-type]
