"""
URLs of sentinels.
"""

from __future__ import annotations

import pytest

from coredis._core import url as urls
from coredis._core.url import SentinelURL


def test_hosts_service_and_database() -> None:
    """
    Hosts are separated by commas, and their port has a default.
    """
    parsed = urls.parse_sentinel("sentinel://one,two:7,[::1]:8/st%2Fore/3")

    expected = SentinelURL([("one", 26379), ("two", 7), ("::1", 8)], "st/ore", 0, {}, {"db": 3})
    assert expected == parsed


def test_options_of_servers_and_sentinels() -> None:
    """
    User and password are the servers'; what is called sentinel_... is the sentinels'.
    """
    parsed = urls.parse_sentinel(
        "sentinel://ann:p%40ss@one?protocol=2&sentinel_password=x&min_other_sentinels=2&sentinel_connect_timeout=0.5"
    )

    assert {"username": "ann", "password": "p@ss", "protocol": 2} == parsed.options
    assert {"password": "x", "connect_timeout": 0.5} == parsed.sentinel_options
    assert (None, 2) == (parsed.service, parsed.min_other_sentinels)
    assert "x'" not in repr(parsed) and "p@ss" not in repr(parsed)


def test_tls_is_for_both() -> None:
    """
    ``sentinels://`` encrypts all; a setting of the sentinels' own stands beside the common ones.
    """
    parsed = urls.parse_sentinel("sentinels://one?ssl_ca_certs=/ca&sentinel_ssl_certfile=/cert")

    assert {"ssl": True, "ssl_ca_certs": "/ca"} == parsed.options
    assert {"ssl": True, "ssl_ca_certs": "/ca", "ssl_certfile": "/cert"} == parsed.sentinel_options


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://one", "expected sentinel://, sentinels:// to begin with, got 'redis'"),
        ("sentinel://", "expected the host of a sentinel"),
        ("sentinel://one,,two", "expected the host of a sentinel"),
        ("sentinel://one:99999", "ports from 1 to 65535"),
        ("sentinel://one:x", "ports from 1 to 65535"),
        ("sentinel://one/store/x", "expected a database number"),
        ("sentinel://one/store/1/2", "expected /service/db"),
        ("sentinel://one?nonsense=1", "unknown parameter 'nonsense'"),
        ("sentinel://one?sentinel_nonsense=1", "unknown parameter 'nonsense'"),
        ("sentinel://one?sentinel_db=1", "sentinels do not take parameter 'sentinel_db'"),
        ("sentinel://one?min_other_sentinels=x", "'min_other_sentinels' takes one whole number"),
        ("sentinel://one?ssl_ca_certs=/ca", "needs rediss:// or sentinels://"),
        ("sentinels://one?sentinel_ssl_cert_reqs=none", "anybody can pose as the server"),
    ],
)
def test_mistakes(url: str, message: str) -> None:
    """
    Every mistake is named.
    """
    with pytest.raises(ValueError, match=message):
        urls.parse_sentinel(url)


def test_a_client_of_one_server_points_to_the_right_class() -> None:
    """
    ``Redis.from_url`` says who takes such a URL.
    """
    with pytest.raises(ValueError, match=r"that one is for Sentinel\.from_url"):
        urls.parse("sentinel://one/store")


def test_no_message_repeats_the_password() -> None:
    """
    Not even that of a malformed URL.
    """
    for url in ("sentinel://ann:canary@one:x", "sentinel://ann:canary@[one", "sentinel://ann:canary@one/#x"):
        with pytest.raises(ValueError) as caught:
            urls.parse_sentinel(url)
        assert "canary" not in str(caught.value)
