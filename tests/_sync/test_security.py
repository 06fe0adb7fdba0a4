# Generated from tests/_async/test_security.py by scripts/generate.py: edit that file, not this one.
"""
Who may connect and who can listen: passwords, users, TLS, and where secrets must not show.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import re
import ssl
import subprocess
import traceback
import warnings
from typing import Any

import pytest

from coredis.sync import RetryPolicy, UserPass, UserPassCredentialProvider
from coredis.exceptions import (
    AuthenticationError,
    AuthenticationFailureError,
    AuthenticationRequiredError,
    AuthorizationError,
    ConnectionError,
    ConnectTimeoutError,
    ReplyError,
)
from tests.conftest import StartServer
from tests.support.blocking import Redis, RedisCluster, Sentinel, connect, gather, open_resources, settle
from tests.support.certificates import Certificates
from tests.support.proxy import FaultProxy
from tests.support.scripted import NO_HELLO, Close, ScriptedServer, Silence
from tests.support.servers import Server

CANARY = "canary-5up3r-s3cret"
USER = "canary-u53r"
AT_ONCE = RetryPolicy(retries=0)


class Rotating:
    """
    Credentials that change: each connect gets the next ones.
    """

    def __init__(self, *credentials: UserPass) -> None:
        self._credentials = credentials
        self.asked = 0

    def get_credentials(self) -> UserPass:
        self.asked += 1
        return self._credentials[min(self.asked, len(self._credentials)) - 1]


class TestAuthentication:
    @pytest.mark.parametrize("protocol", [2, 3])
    def test_password(self, start_server: StartServer, protocol: int) -> None:
        """
        The default user's password: right, wrong and missing.
        """
        server = start_server(requirepass="right")

        with connect(server, password="right", protocol=protocol) as client:
            assert b"default" == client.acl_whoami()
        with connect(server, password="wrong", protocol=protocol) as client:
            with pytest.raises(AuthenticationFailureError) as wrong:
                client.ping()
        with connect(server, protocol=protocol) as client:
            with pytest.raises(AuthenticationRequiredError):
                client.ping()

        assert "WRONGPASS" == wrong.value.code

    @pytest.mark.parametrize("protocol", [2, 3])
    def test_user(self, server: Server, protocol: int) -> None:
        """
        A user of the access control list, with what it may do.
        """
        server.command("ACL", "SETUSER", "ann", "on", ">pass", "~mine:*", "+@read", "+ping", "+acl|whoami")

        with connect(server, username="ann", password="pass", protocol=protocol) as client:
            assert b"ann" == client.acl_whoami()
            assert None is client.get("mine:k")
            with pytest.raises(AuthorizationError):
                client.get("yours:k")
            with pytest.raises(AuthorizationError):
                client.set("mine:k", "v")
        with connect(server, username="bob", password="pass", protocol=protocol) as client:
            with pytest.raises(AuthenticationFailureError):
                client.ping()

    @pytest.mark.parametrize("protocol", [2, 3])
    def test_user_without_password(self, server: Server, protocol: int) -> None:
        """
        There are users who need none; the name alone will do.
        """
        server.command("ACL", "SETUSER", "free", "on", "nopass", "~*", "+@all")

        with connect(server, username="free", protocol=protocol) as client:
            assert b"free" == client.acl_whoami()

    def test_never_tried_again(self, server: Server, proxy: FaultProxy) -> None:
        """
        Wrong credentials do not get better: one attempt, and no connection stays.
        """
        before = open_resources()
        with connect(proxy, username="nobody", password="wrong") as client:
            with pytest.raises(AuthenticationError):
                client.ping()
            settle(before)

            assert 1 == proxy.accepted

    def test_provider(self, server: Server, proxy: FaultProxy) -> None:
        """
        A provider is asked at every connect, so that a password can change while the client lives.
        """
        server.command("ACL", "SETUSER", "ann", "on", ">one", "~*", "+@all")
        provider = Rotating(UserPass("ann", "one"), UserPass("ann", "two"))

        with connect(proxy, credential_provider=provider) as client:
            assert 0 == provider.asked
            client.ping()
            client.ping()
            assert 1 == provider.asked
            server.command("ACL", "SETUSER", "ann", "resetpass", ">two")
            proxy.reset_all()
            assert b"ann" == client.acl_whoami()
            assert 2 == provider.asked

    def test_provider_for_the_default_user(self, start_server: StartServer) -> None:
        """
        No user name means the default user.
        """
        server = start_server(requirepass="right")

        with connect(server, credential_provider=UserPassCredentialProvider(password="right")) as client:
            assert b"default" == client.acl_whoami()

    def test_failing_provider(self, server: Server) -> None:
        """
        What a provider raises reaches the caller, and leaves nothing open.
        """

        class Failing:
            def get_credentials(self) -> UserPass:
                raise LookupError("the vault is closed")

        before = open_resources()
        with connect(server, credential_provider=Failing()) as client:
            for _ in range(2):
                with pytest.raises(LookupError, match="vault"):
                    client.ping()
            settle(before)

    def test_exclusive(self) -> None:
        """
        Credentials come from one source.
        """
        with pytest.raises(ValueError, match="credential_provider"):
            Redis(password="one", credential_provider=UserPassCredentialProvider(None, "two"))


class TestTLS:
    def test_verified(self, start_tls_server: StartServer, certificates: Certificates) -> None:
        """
        Over TLS everything works as without it, for names and addresses that the certificate covers.
        """
        server = start_tls_server()
        authority = certificates.authority

        with Redis(server.host, server.tls_port, ssl=True, ssl_ca_certs=authority) as client:
            client.set("k", b"x" * 100_000)
            assert b"x" * 100_000 == client.get("k")
            assert None is client.blpop(["empty"], timeout=0.01)
        with Redis.from_url(f"rediss://localhost:{server.tls_port}?ssl_ca_certs={authority}") as client:
            assert b"PONG" == client.ping()

    def test_own_context(self, start_tls_server: StartServer, certificates: Certificates) -> None:
        """
        A context of the user's own replaces the options.
        """
        server = start_tls_server()
        context = ssl.create_default_context(cafile=certificates.authority)

        with Redis(server.host, server.tls_port, ssl_context=context) as client:
            assert b"PONG" == client.ping()

    def test_client_certificate(self, start_tls_server: StartServer, certificates: Certificates) -> None:
        """
        A server may want to see a certificate of the client.
        """
        server = start_tls_server(client_certificates=True)
        shown = {
            "ssl_certfile": certificates.client.certificate,
            "ssl_keyfile": certificates.client.key,
        }
        options: dict[str, Any] = {"ssl": True, "ssl_ca_certs": certificates.authority, "retry_policy": AT_ONCE}

        with Redis(server.host, server.tls_port, **options, **shown) as client:
            assert b"PONG" == client.ping()
        with Redis(server.host, server.tls_port, **options) as client:
            with pytest.raises(ConnectionError):
                client.ping()

    @pytest.mark.parametrize("shown", ["wrong_host", "expired", "self_signed"])
    def test_bad_certificate(self, start_tls_server: StartServer, certificates: Certificates, shown: str) -> None:
        """
        A certificate for another host, one that has expired, or one that nobody vouches for ends the connection before the
        password is sent.
        """
        server = start_tls_server(identity=getattr(certificates, shown))
        before = open_resources()

        with Redis(
            server.host, server.tls_port, ssl=True, ssl_ca_certs=certificates.authority, password=CANARY
        ) as client:
            with pytest.raises(ConnectionError, match="certificate") as caught:
                client.ping()
            settle(before)

        assert not caught.value.may_have_run
        seen = str(server.command("INFO", "commandstats"))
        assert "cmdstat_ping:" in seen  # of whoever started the server
        assert not [name for name in ("hello", "auth") if f"cmdstat_{name}:" in seen]

    def test_unknown_authority(self, start_tls_server: StartServer) -> None:
        """
        Without being told whom to trust, only the system's authorities are.
        """
        server = start_tls_server()

        with Redis(server.host, server.tls_port, ssl=True, retry_policy=AT_ONCE) as client:
            with pytest.raises(ConnectionError, match="certificate"):
                client.ping()

    def test_less_verification_warns(self, start_tls_server: StartServer, certificates: Certificates) -> None:
        """
        What is not verified must be asked for, and warns.
        """
        server = start_tls_server(identity=certificates.wrong_host)
        options: dict[str, Any] = {"host": server.host, "port": server.tls_port, "ssl": True}

        with pytest.warns(UserWarning, match="pose as the server"):
            any_host = Redis(**options, ssl_ca_certs=certificates.authority, ssl_check_hostname=False)
        with pytest.warns(UserWarning, match="pose as the server"):
            anybody = Redis(**options, ssl_cert_reqs="none")

        with any_host, anybody:
            assert [b"PONG", b"PONG"] == gather(any_host.ping, anybody.ping)

    def test_warning_names_the_line(self) -> None:
        """
        The warning points to the user's line, whichever way the client is made.
        """
        with pytest.warns(UserWarning, match="pose as the server") as made:
            Redis(ssl=True, ssl_cert_reqs="none")
        with pytest.warns(UserWarning, match="pose as the server") as made_from_url:
            Redis.from_url("rediss://localhost?ssl_cert_reqs=none&allow_insecure_tls=1")

        assert [__file__] * 2 == [warning.filename for warning in (*made, *made_from_url)]

    def test_plain_text_server(self, proxy: FaultProxy) -> None:
        """
        A server without TLS is found out soon, and never sees the password.
        """
        with Redis(
            proxy.host, proxy.port, ssl=True, password=CANARY, connect_timeout=0.3, retry_policy=AT_ONCE
        ) as client:
            with pytest.raises(ConnectionError) as caught:
                client.ping()
            received = b"".join(connection.received for connection in proxy.connections)

        assert not caught.value.may_have_run
        assert received
        assert b"AUTH" not in received
        assert CANARY.encode() not in received

    def test_silent_server(self, proxy: FaultProxy) -> None:
        """
        TLS with somebody who says nothing is over with ``connect_timeout``.
        """
        proxy.blackhole()
        before = open_resources()

        with Redis(
            proxy.host, proxy.port, ssl=True, password=CANARY, connect_timeout=0.1, retry_policy=AT_ONCE
        ) as client:
            with pytest.raises(ConnectTimeoutError):
                client.ping()
            proxy.heal()
            proxy.reset_all()
            settle(before)

    def test_pinned_key(self, start_tls_server: StartServer, certificates: Certificates) -> None:
        """
        A server whose key is pinned is let in, one with another key is not, whoever vouches for it; it never sees the password.
        """
        server = start_tls_server()
        good, other = (_pin(each.certificate) for each in (certificates.good, certificates.client))
        options: dict[str, Any] = {"ssl": True, "ssl_ca_certs": certificates.authority}
        context = ssl.create_default_context(cafile=certificates.authority)

        for pinned in ([good], [other, good]):
            with Redis(server.host, server.tls_port, **options, ssl_pinned_sha256=pinned) as client:
                assert b"PONG" == client.ping()
        url = f"rediss://localhost:{server.tls_port}?ssl_ca_certs={certificates.authority}&ssl_pinned_sha256={good}"
        with Redis.from_url(url) as client:
            assert b"PONG" == client.ping()
        before = server.command("INFO", "commandstats")
        resources = open_resources()
        for ways in (options, {"ssl_context": context}):
            with Redis(
                server.host, server.tls_port, **ways, ssl_pinned_sha256=[other], password=CANARY, retry_policy=AT_ONCE
            ) as client:
                with pytest.raises(ConnectionError, match="public key") as caught:
                    client.ping()
                assert not caught.value.may_have_run
                settle(resources)

        assert _greetings(before) == _greetings(server.command("INFO", "commandstats"))

    @pytest.mark.parametrize(
        "ways", [{"ssl": True}, {"ssl_context": ssl.create_default_context()}], ids=["options", "context"]
    )
    def test_bad_pin(self, ways: dict[str, Any]) -> None:
        """
        What is no digest is an error when the client is made, and so is a pin without TLS.
        """
        with pytest.raises(ValueError, match="ssl_pinned_sha256"):
            Redis(**ways, ssl_pinned_sha256=["abc"])
        with pytest.raises(ValueError, match="ssl_pinned_sha256"):
            Redis(ssl_pinned_sha256=["ab" * 32])
        with pytest.raises(ValueError, match="ssl_pinned_sha256"):
            Redis.from_url("redis://localhost?ssl_pinned_sha256=" + "ab" * 32)
        with pytest.raises(ValueError, match="ssl_pinned_sha256"):
            Sentinel([("localhost", 26379)], ssl_pinned_sha256=["ab" * 32])
        with pytest.raises(ValueError, match="ssl_pinned_sha256"):
            RedisCluster("localhost", ssl_pinned_sha256=["ab" * 32])

    def test_missing_file(self) -> None:
        """
        A file that is not there is an error when the client is made.
        """
        with pytest.raises(OSError):
            Redis(ssl=True, ssl_ca_certs="/nowhere/authority.pem")


def _pin(certificate: str) -> str:
    """
    The digest of a certificate's public key, as openssl computes it.
    """
    public = subprocess.run(
        ["sh", "-c", f"openssl x509 -in '{certificate}' -noout -pubkey | openssl pkey -pubin -outform DER"],
        capture_output=True,
        check=True,
    )
    return hashlib.sha256(public.stdout).hexdigest()


def _greetings(statistics: object) -> list[str]:
    """
    How often somebody has introduced themselves, as INFO commandstats tells.
    """
    return re.findall(r"cmdstat_(?:hello|auth):calls=\d+", str(statistics))


def everything_said(error: BaseException) -> str:
    """
    Write down an exception as an error reporter would: with the local variables of every frame.

    The frames of this file know the secret by themselves, so only those of the library are looked at.
    """
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    texts = [str(error), repr(error), repr(getattr(error, "args", ()))]
    queue: list[traceback.TracebackException | None] = [report]
    while queue:
        part = queue.pop()
        if part is None:
            continue
        queue += [part.__cause__, None if part.__suppress_context__ else part.__context__]
        texts += [str(part), *part.format_exception_only()]
        for frame in part.stack:
            if "coredis" in frame.filename and "/tests/" not in frame.filename:
                texts.append(repr(frame.locals))
    return "\n".join(texts)


class TestSecrets:
    @pytest.mark.parametrize(
        "handshake",
        [
            {"HELLO": b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
            {"HELLO": NO_HELLO, "AUTH": b"-WRONGPASS no\r\n"},
            {"HELLO": b"-NOAUTH no\r\n"},
            {"HELLO": b"-ERR whatever\r\n"},
            {"HELLO": b"$nonsense\r\n"},
            {"HELLO": b"+OK\r\n"},
            {"HELLO": Close()},
            {"HELLO": Silence()},
            {"HELLO": NO_HELLO, "AUTH": Close()},
        ],
        ids=str,
    )
    def test_failing_handshake(self, handshake: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
        """
        However the handshake fails, no error, traceback, log or warning shows who we are.
        """
        caplog.set_level(logging.DEBUG)
        with ScriptedServer(handshake=handshake) as server, warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            with connect(
                server, username=USER, password=CANARY, connect_timeout=0.1, retry_policy=AT_ONCE
            ) as client:
                try:
                    client.get("k")
                except Exception as error:
                    said = everything_said(error)
            assert [CANARY.encode()] == [words[4] for words in server.handshakes if words[0] == b"HELLO"]

        for text in (said, caplog.text, *(str(warning.message) for warning in warned)):
            assert CANARY not in text
            assert USER not in text

    @pytest.mark.parametrize(
        "options",
        [
            {"port": 0},
            {"db": "x"},
            {"client_name": " "},
            {"encoding": "no"},
            {"retry_policy": None},
            {"max_connections": 0},
            {"ssl": True, "ssl_ca_certs": "/nowhere"},
            {"credential_provider": UserPassCredentialProvider(USER, CANARY)},
        ],
        ids=repr,
    )
    def test_failing_constructor(self, options: dict[str, Any]) -> None:
        """
        A wrong option beside a password does not show the password.
        """
        said = []
        for make in (
            lambda: Redis(username=USER, password=CANARY, **options),
            lambda: Redis.from_url("redis://localhost", username=USER, password=CANARY, **options),
            lambda: Redis.from_url(f"redis://{USER}:{CANARY}@localhost", **options),
        ):
            try:
                make()
            except (TypeError, ValueError, OSError) as error:
                said.append(everything_said(error))

        assert said
        assert CANARY not in "".join(said)
        assert USER not in "".join(said)

    @pytest.mark.parametrize(
        "rest",
        [
            "@localhost:x",
            "@localhost/x",
            "@localhost?x=1",
            "@localhost?db=x",
            "#@localhost",
            "\u2100@localhost",
            "/x@h",
        ],
    )
    def test_failing_url(self, rest: str) -> None:
        """
        A mistake in a URL does not show its password.
        """
        for url in (f"redis://{USER}:{CANARY}{rest}", f"redis://localhost?password={CANARY}&username={USER}&db=x"):
            with pytest.raises(ValueError) as caught:
                Redis.from_url(url)
            said = everything_said(caught.value)
            assert CANARY not in said
            assert USER not in said

    def test_rest_of_a_password(self) -> None:
        """
        A password with characters that should have been escaped is not shown in parts either.
        """
        for url in (
            "redis://ann:12/canary@localhost/0",
            "redis://ann:12?canary@localhost",
            "redis://:1#canary@localhost",
        ):
            with pytest.raises(ValueError) as caught:
                Redis.from_url(url)
            assert "canary" not in str(caught.value)

    def test_unencodable_password(self, server: Server) -> None:
        """
        A password that cannot be encoded is an error which does not show it, whoever gives it.
        """
        with pytest.raises(ValueError, match="password") as refused:
            connect(server, password=CANARY + "\ud800")
        with connect(server, credential_provider=Rotating(UserPass("ann", CANARY + "\ud800"))) as client:
            with pytest.raises(ValueError, match="password") as caught:
                client.ping()

        assert CANARY not in everything_said(refused.value) + everything_said(caught.value)

    def test_representations(self, server: Server) -> None:
        """
        Nothing that can be reached from a client shows its credentials.
        """
        server.command("ACL", "SETUSER", USER, "on", f">{CANARY}", "~*", "+@all")
        provider = UserPassCredentialProvider(USER, CANARY)
        for options in ({"username": USER, "password": CANARY}, {"credential_provider": provider}):
            with connect(server, **options) as client:
                client.ping()
                pipe = client.pipeline()
                handle = pipe.get("k")
                shown = [repr(thing) for thing in everything_inside(client)]
                shown += [repr(pipe), repr(handle), repr(handle.command), repr(provider), str(provider)]
                shown += [repr(provider.get_credentials()), str(provider.get_credentials())]
                pipe.execute()
            assert not [text for text in shown if CANARY in text or USER in text]

    def test_not_pickled(self) -> None:
        """
        Neither a client is pickled nor what it authenticates with, and the refusal says nothing.
        """
        client = Redis(username=USER, password=CANARY)

        for thing in (client, client.pipeline(), UserPassCredentialProvider(USER, CANARY)):
            with pytest.raises(TypeError) as caught:
                pickle.dumps(thing)
            assert CANARY not in everything_said(caught.value)

    def test_payload(self, client: Redis[bytes]) -> None:
        """
        Errors of commands do not show what was to be stored.
        """
        with pytest.raises(ReplyError) as caught:
            client.xgroup_setid(CANARY, CANARY, "0")

        assert CANARY not in str(caught.value)


def everything_inside(client: Redis[Any]) -> list[object]:
    """
    Find the library's objects that a client holds, whatever the depth.
    """
    found: list[object] = []
    queue: list[object] = [client]
    while queue:
        thing = queue.pop()
        if any(thing is known for known in found):
            continue
        found.append(thing)
        if isinstance(thing, dict):
            queue += thing.values()
        elif isinstance(thing, list | tuple | set):
            queue += thing
        elif type(thing).__module__.startswith("coredis"):
            queue += getattr(thing, "__dict__", {}).values()
            for owner in type(thing).__mro__:
                names = getattr(owner, "__slots__", ())
                queue += [getattr(thing, name) for name in names if not name.startswith("__") and hasattr(thing, name)]
    # Plain text is what it is; who holds it must not show it.
    return [thing for thing in found if not isinstance(thing, str | bytes | dict | list | set)]
