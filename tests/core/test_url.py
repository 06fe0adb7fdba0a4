"""
URLs are read when a client is made, and every mistake in one is a ``ValueError`` that does not repeat the password.
"""

from __future__ import annotations

import traceback

import pytest

from coredis import Redis
from coredis._core.url import CLUSTER_PARAMETERS, PARAMETERS, parse

LOCAL = {"host": "localhost", "port": 6379}

GOOD = [
    ("redis://", LOCAL),
    ("redis://localhost", LOCAL),
    ("redis://example.com", {"host": "example.com", "port": 6379}),
    ("redis://example.com:7000", {"host": "example.com", "port": 7000}),
    ("redis://example.com:7000/", {"host": "example.com", "port": 7000}),
    ("redis://example.com/3", {"host": "example.com", "port": 6379, "db": 3}),
    ("redis://:7000/3", {"host": "localhost", "port": 7000, "db": 3}),
    ("redis://[::1]:7000", {"host": "::1", "port": 7000}),
    ("redis://me:secret@localhost", LOCAL | {"username": "me", "password": "secret"}),
    ("redis://:secret@localhost", LOCAL | {"password": "secret"}),
    ("redis://me@localhost", LOCAL | {"username": "me"}),
    ("redis://a%40b:p%3A%2F%3F%23%40@localhost", LOCAL | {"username": "a@b", "password": "p:/?#@"}),
    ("redis://localhost?password=p%26q", LOCAL | {"password": "p&q"}),
    ("redis://localhost?password=", LOCAL | {"password": ""}),
    ("redis://localhost?db=4", LOCAL | {"db": 4}),
    ("redis://localhost/1?db=4", LOCAL | {"db": 4}),
    ("redis://localhost?protocol=2&decode_responses=1", LOCAL | {"protocol": 2, "decode_responses": True}),
    ("redis://localhost?decode_responses=No", LOCAL | {"decode_responses": False}),
    ("redis://localhost?stream_timeout=0.5", LOCAL | {"stream_timeout": 0.5}),
    ("redis://localhost?stream_timeout=none&pool_timeout=3", LOCAL | {"stream_timeout": None, "pool_timeout": 3.0}),
    ("redis://localhost?max_connections=7", LOCAL | {"max_connections": 7}),
    ("rediss://localhost", LOCAL | {"ssl": True}),
    ("rediss://localhost?ssl_ca_certs=/a%20b.pem", LOCAL | {"ssl": True, "ssl_ca_certs": "/a b.pem"}),
    (
        "rediss://localhost?ssl_check_hostname=off&allow_insecure_tls=1",
        LOCAL | {"ssl": True, "ssl_check_hostname": False},
    ),
    (
        "rediss://localhost?ssl_cert_reqs=none&allow_insecure_tls=1",
        LOCAL | {"ssl": True, "ssl_cert_reqs": "none"},
    ),
    (
        "rediss://localhost?ssl_pinned_sha256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=,ab",
        LOCAL | {"ssl": True, "ssl_pinned_sha256": ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "ab"]},
    ),
    ("unix:///run/redis.sock", {"unix_socket_path": "/run/redis.sock"}),
    ("unix:///run/my%20redis.sock?db=2", {"unix_socket_path": "/run/my redis.sock", "db": 2}),
    (
        "unix://me:secret@/run/redis.sock",
        {"unix_socket_path": "/run/redis.sock", "username": "me", "password": "secret"},
    ),
]

BAD = [
    ("", "redis://"),
    ("localhost", "redis://"),
    ("localhost:6379", "redis://"),
    ("http://localhost", "'http'"),
    ("REDIS://localhost", "'REDIS'"),
    ("redis:/localhost", "redis://"),
    ("redis://localhost:99999", "port"),
    ("redis://localhost:-1", "port"),
    ("redis://localhost:port", "port"),
    ("redis://localhost/notanumber", "'notanumber'"),
    ("redis://localhost/1/2", "'1/2'"),
    ("redis://localhost/-1", "'-1'"),
    ("redis://localhost/\u0663", "database"),
    ("redis://localhost#1", "%23"),
    ("redis://[::1", "malformed"),
    ("redis://localhost?hots=x", "'hots'"),
    ("redis://localhost?host=x", "'host'"),
    ("redis://localhost?db=x", "'db'"),
    ("redis://localhost?db=", "'db'"),
    ("redis://localhost?db=1&db=2", "twice"),
    ("redis://localhost?db=\u0663", "'db'"),
    ("redis://localhost?max_connections=1_0", "'max_connections'"),
    ("redis://localhost\n", "percent-encoded"),
    ("redis://:se\tcret@localhost", "percent-encoded"),
    ("redis:// localhost", "percent-encoded"),
    ("redis://:1/secret@localhost", "percent-encoded"),
    ("redis://localhost?decode_responses=maybe", "true or false"),
    ("redis://localhost?stream_timeout=soon", "'stream_timeout'"),
    ("redis://localhost?ssl_ca_certs=x", "rediss://"),
    ("unix:///run/x?ssl_keyfile=x", "rediss://"),
    ("rediss://localhost?ssl_cert_reqs=none", "allow_insecure_tls"),
    ("rediss://localhost?ssl_cert_reqs=none&allow_insecure_tls=0", "allow_insecure_tls"),
    ("unix://", "unix:///path"),
    ("unix:///", "unix:///path"),
    ("unix://host/run/x", "unix:///path"),
]

# What the constructor refuses, though the URL can be read.
OUT_OF_BOUNDS = [
    "redis://localhost:0",
    "redis://localhost?db=-1",
    "redis://localhost?db=99999999999",
    "redis://localhost?protocol=4",
    "redis://localhost?stream_timeout=0",
    "redis://localhost?stream_timeout=nan",
    "redis://localhost?stream_timeout=inf",
    "redis://localhost?pool_timeout=-1",
    "redis://localhost?max_connections=0",
    "redis://localhost?encoding=klingon",
    "redis://localhost?client_name=a%20b",
    "redis://localhost?client_name=",
    "rediss://localhost?ssl_cert_reqs=perhaps",
    "rediss://localhost?ssl_keyfile=x",
]

SECRETS = [
    "redis://:canary@localhost:99999",
    "redis://:canary@localhost:port",
    "redis://:canary@localhost/x",
    "redis://:canary@localhost#x",
    "redis://:canary@localhost?nothing=1",
    "redis://:canary@localhost?db=x",
    "redis://localhost?password=canary&password=canary",
    "redis://:canary@[::1",
    "redis://:canary\u2100@localhost",
    "redis://:canary\t@localhost",
    "redis://:12canary/3@localhost",
    "redis://:1/canary@localhost",
    "redis://:1?canary@localhost",
    "redis://:1#canary@localhost",
    "redis://:ca/canary@localhost",
    "unix://:canary@host/run/x",
    "unix://:canary@",
    "redis://me:canary@localhost?protocol=5",
    "redis://localhost?password=canary&db=-1",
]


@pytest.mark.parametrize(("url", "expected"), GOOD)
def test_a_good_url(url: str, expected: dict[str, object]) -> None:
    """
    It becomes arguments for the constructor.
    """
    assert expected == parse(url)


@pytest.mark.parametrize(("url", "hint"), BAD)
def test_a_bad_url(url: str, hint: str) -> None:
    """
    It is refused with the reason.
    """
    with pytest.raises(ValueError, match=r"^url: ") as caught:
        parse(url)

    assert hint in str(caught.value)


@pytest.mark.parametrize("url", OUT_OF_BOUNDS)
def test_values_out_of_bounds(url: str) -> None:
    """
    They are refused when the client is made, not at the first command.
    """
    with pytest.raises(ValueError):
        Redis.from_url(url)


@pytest.mark.parametrize("url", SECRETS)
def test_no_message_repeats_the_password(url: str) -> None:
    """
    Nor does the traceback that is printed with it, as long as it shows no local variables.
    """
    with pytest.raises(ValueError) as caught:
        Redis.from_url(url)

    shown = traceback.format_exception_only(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        shown += [str(error), repr(error)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert "canary" not in "".join(shown)


@pytest.mark.parametrize("url", [b"redis://localhost", None, 1])
def test_only_text_is_a_url(url: object) -> None:
    """
    Anything else is a ``TypeError``.
    """
    with pytest.raises(TypeError, match="url: expected str"):
        parse(url)  # type: ignore[arg-type]


def test_every_parameter_is_an_option_of_the_client() -> None:
    """
    So none can be read and then refused by the constructor.
    """
    texts = {bool: "1", int: "3", float: "3", str: "ascii"}
    for name in PARAMETERS.keys() - {"allow_insecure_tls"}:
        kind = {"protocol": int, "db": int, "max_connections": int}.get(name, str)
        if name.startswith("ssl_"):
            continue
        for text in (texts[kind], "1", "3"):
            try:
                Redis.from_url(f"redis://:x@localhost?{name}={text}" if name != "password" else "redis://?password=x")
            except ValueError:
                continue
            break
        else:
            pytest.fail(f"no value is good for {name}")


def test_a_cluster_has_options_of_its_own() -> None:
    """
    A client of one server does not take them.
    """
    url = "redis://localhost?read_from_replicas=1&max_connections_per_node=yes&non_atomic_cross_slot=off"

    expected = {"read_from_replicas": True, "max_connections_per_node": True, "non_atomic_cross_slot": False}
    assert LOCAL | expected == parse(url, CLUSTER_PARAMETERS)
    with pytest.raises(ValueError, match="unknown parameter 'read_from_replicas'"):
        parse(url)
