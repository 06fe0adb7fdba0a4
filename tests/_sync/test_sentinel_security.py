# Generated from tests/_async/test_sentinel_security.py by scripts/generate.py: edit that file, not this one.
"""
Sentinels with a password and a certificate of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coredis.exceptions import PrimaryNotFoundError
from tests.conftest import StartServer
from tests.support.blocking import Sentinel
from tests.support.certificates import Certificates
from tests.support.programs import Program
from tests.support.sentinels import SERVICE, SentinelProcess
from tests.support.servers import free_port

PASSWORD = "canary"


@pytest.fixture
def address(
    tls_program: Program, start_tls_server: StartServer, certificates: Certificates
) -> Iterator[tuple[str, int]]:
    """
    Where a sentinel listens for TLS that wants a password; its primary has another one.
    """
    primary = start_tls_server(requirepass="other")
    port = free_port()
    settings = (
        f"requirepass {PASSWORD}",
        f"sentinel auth-pass {SERVICE} other",
        f"tls-port {port}",
        f"tls-cert-file {certificates.good.certificate}",
        f"tls-key-file {certificates.good.key}",
        f"tls-ca-cert-file {certificates.authority}",
        "tls-auth-clients no",
    )
    process = SentinelProcess(tls_program, primary, 1, settings)
    yield process.host, port
    process.close()


def test_sentinels_have_credentials_and_tls_of_their_own(
    address: tuple[str, int], certificates: Certificates
) -> None:
    """
    What is said to the sentinels is not said to the servers, and the other way round.
    """
    kwargs: Any = {"password": PASSWORD, "ssl": True, "ssl_ca_certs": certificates.authority}
    with Sentinel([address], sentinel_kwargs=kwargs, password="other").primary_for(SERVICE) as client:
        assert client.ping()


def test_the_same_as_a_url(address: tuple[str, int], certificates: Certificates) -> None:
    """
    TLS with both, and TLS is what the servers' port does not speak here: so it reached the sentinel and was kept to.
    """
    url = (
        f"sentinels://:other@127.0.0.1:{address[1]}/{SERVICE}"
        f"?sentinel_password={PASSWORD}&ssl_ca_certs={certificates.authority}"
    )
    with Sentinel.from_url(url) as sentinel:
        assert "127.0.0.1" == (sentinel.discover_primary())[0]
        with sentinel.primary_for(stream_timeout=0.5) as client:
            with pytest.raises(PrimaryNotFoundError, match="which a sentinel names, cannot be used"):
                client.ping()


@pytest.mark.parametrize("password", [None, "wrong"])
def test_sentinels_that_refuse_us(
    address: tuple[str, int], certificates: Certificates, password: str | None
) -> None:
    """
    A wrong password is told at once, with the sentinel's words and without the password.
    """
    kwargs: Any = {"password": password, "ssl": True, "ssl_ca_certs": certificates.authority}
    with Sentinel([address], sentinel_kwargs=kwargs, password="other").primary_for(SERVICE) as client:
        with pytest.raises(PrimaryNotFoundError, match=r"NOAUTH|WRONGPASS") as caught:
            client.ping()

    assert (False, False) == (caught.value.temporary, "wrong" in str(caught.value).replace("WRONGPASS", ""))


def test_tls_of_the_servers_is_that_of_the_sentinels(address: tuple[str, int]) -> None:
    """
    Without a word about it in ``sentinel_kwargs``, an unknown authority is refused there as well.
    """
    sentinel: Sentinel[bytes] = Sentinel([address], sentinel_kwargs={"password": PASSWORD}, ssl=True)
    with sentinel:
        with pytest.raises(PrimaryNotFoundError, match=r"(?i)certificate"):
            sentinel.discover_primary(SERVICE)
