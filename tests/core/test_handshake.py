"""
What is said first on a connection, and what the answers mean.
"""

from __future__ import annotations

import traceback

import pytest

from coredis import exceptions
from coredis._core.config import Identity
from coredis._core.handshake import ServerInfo, ask, greeting, knows_no_hello, old_greeting, read_answers
from coredis._core.parser import ErrorLine
from coredis.credentials import UserPass, UserPassCredentialProvider

NO_COMMAND = ErrorLine("ERR unknown command 'HELLO', with args beginning with: '3'")
HELLO = {b"server": b"redis", b"version": b"7.0.15", b"proto": 3, b"id": 7, b"mode": b"standalone", b"role": b"master"}
FLAT = [word for pair in (HELLO | {b"proto": 2}).items() for word in pair]


def words(steps: list[tuple[str, tuple[str | int, ...]]]) -> list[tuple[str | int, ...]]:
    """
    Give the commands of a handshake, without what is said of the library.
    """
    return [command for purpose, command in steps if purpose != "library"]


class Giving:
    """
    A provider that gives what it is told.
    """

    def __init__(self, given: object) -> None:
        self.given = given

    def get_credentials(self) -> object:
        """
        Give it.
        """
        return self.given


def test_a_provider_is_asked() -> None:
    """
    What it gives is hidden from then on; None means that there are no credentials.
    """
    credentials = ask(UserPassCredentialProvider("u", "p"))

    assert ("u", "p") == credentials
    assert "'***'" == repr(credentials.password)
    assert None is ask(None)
    assert None is ask(Giving(None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given", [("u", "canary"), "canary", UserPass("u", None), UserPass(["canary"], "p"), UserPass("u", ["canary"])]
)
def test_a_provider_that_gives_something_else(given: object) -> None:
    """
    It is a ``TypeError`` that shows nothing of it, not even in the variables of the traceback.
    """
    with pytest.raises(TypeError, match=r"^credential_provider: get_credentials\(\) must return UserPass") as caught:
        ask(Giving(given))  # type: ignore[arg-type]

    assert "canary" not in "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format_exception_only()
    )
    assert "canary" not in repr(caught.traceback[-1].frame.f_locals)


def test_a_provider_that_is_asynchronous() -> None:
    """
    It is told apart from other mistakes, and nothing is left that was never awaited.
    """

    class Asynchronous:
        async def get_credentials(self) -> UserPass:
            return UserPass("u", "p")

    with pytest.raises(TypeError, match="must not be an `async` function"):
        ask(Asynchronous())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("identity", "credentials", "expected"),
    [
        (Identity(), None, [("HELLO", 3)]),
        (Identity(protocol=2), None, [("HELLO", 2)]),
        (Identity(db=4), None, [("HELLO", 3), ("SELECT", 4)]),
        (Identity(client_name="me"), None, [("HELLO", 3, "SETNAME", "me")]),
        (Identity(), UserPass(None, "p"), [("HELLO", 3, "AUTH", "default", "p")]),
        (Identity(), UserPass("", "p"), [("HELLO", 3, "AUTH", "default", "p")]),
        (
            Identity(1, "me", 2),
            UserPass("u", "p"),
            [("HELLO", 2, "AUTH", "u", "p", "SETNAME", "me"), ("SELECT", 1)],
        ),
    ],
)
def test_hello_does_most(
    identity: Identity, credentials: UserPass | None, expected: list[tuple[str | int, ...]]
) -> None:
    """
    Only the database is chosen apart.
    """
    assert expected == words(greeting(identity, credentials))


@pytest.mark.parametrize(
    ("identity", "credentials", "expected"),
    [
        (Identity(), None, []),
        (Identity(2, "me"), None, [("CLIENT", "SETNAME", "me"), ("SELECT", 2)]),
        (Identity(), UserPass(None, "p"), [("AUTH", "p")]),
        (Identity(), UserPass("u", "p"), [("AUTH", "u", "p")]),
    ],
)
def test_the_old_way_takes_a_command_for_each(
    identity: Identity, credentials: UserPass | None, expected: list[tuple[str | int, ...]]
) -> None:
    """
    Authentication comes first.
    """
    assert expected == words(old_greeting(identity, credentials))


@pytest.mark.parametrize("make", [greeting, old_greeting])
def test_the_library_introduces_itself(make: object) -> None:
    """
    After authentication, before anything else.
    """
    told = [command for purpose, command in make(Identity(), None) if purpose == "library"]  # type: ignore[operator]

    assert [("CLIENT", "SETINFO", "LIB-NAME"), ("CLIENT", "SETINFO", "LIB-VER")] == [command[:3] for command in told]


@pytest.mark.parametrize("reply", [HELLO, FLAT], ids=["map", "list"])
def test_what_the_server_says_of_itself(reply: object) -> None:
    """
    In the shape of either protocol.
    """
    steps = greeting(Identity(), None)

    information = read_answers(steps, [reply, b"OK", b"OK"])

    protocol = 3 if reply is HELLO else 2
    assert ServerInfo("redis", "7.0.15", protocol, 7, "master", "standalone") == information


def test_a_server_may_say_less() -> None:
    """
    What it leaves out is unknown.
    """
    assert ServerInfo() == read_answers(greeting(Identity(), None), [{}, b"OK", b"OK"])
    assert ServerInfo() == read_answers(old_greeting(Identity(), None), [b"OK", b"OK"])


def test_a_server_that_does_not_know_the_library_commands() -> None:
    """
    Those before 7.2; that is no reason to fail.
    """
    refusal = ErrorLine("ERR Unknown subcommand or wrong number of arguments for 'SETINFO'")

    assert 7 == read_answers(greeting(Identity(), None), [HELLO, refusal, refusal]).connection


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("WRONGPASS invalid username-password pair or user is disabled.", exceptions.AuthenticationFailureError),
        ("NOAUTH HELLO must be called with the client already authenticated", exceptions.AuthenticationRequiredError),
        ("LOADING Redis is loading the dataset in memory", exceptions.BusyLoadingError),
        ("ERR max number of clients reached", exceptions.ResponseError),
        ("MASTERDOWN Link with MASTER is down", exceptions.PrimaryDownError),
    ],
)
def test_a_refusal_is_raised(line: str, expected: type[Exception]) -> None:
    """
    As the error of its cause; the library's commands were refused for the same reason.
    """
    steps = greeting(Identity(), UserPass(None, "canary"))

    with pytest.raises(expected) as caught:
        read_answers(steps, [ErrorLine(line)] * 3)

    assert "canary" not in str(caught.value)


def test_a_database_that_does_not_exist() -> None:
    """
    The connection must not be used with another one.
    """
    with pytest.raises(exceptions.ResponseError, match="out of range"):
        read_answers(greeting(Identity(db=99), None), [HELLO, b"OK", b"OK", ErrorLine("ERR DB index is out of range")])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (NO_COMMAND, True),
        (ErrorLine("NOPROTO unsupported protocol version"), True),
        (ErrorLine("NOAUTH x"), False),
        (ErrorLine("WRONGPASS x"), False),
        (ErrorLine("ERR syntax error"), False),
        (HELLO, False),
        (FLAT, False),
    ],
)
def test_only_a_server_without_hello_is_greeted_again(answer: object, expected: bool) -> None:
    """
    Anything else would be refused the old way too.
    """
    assert expected is knows_no_hello(greeting(Identity(), None), [answer, b"OK", b"OK"])


def test_the_old_way_is_not_followed_by_an_older_one() -> None:
    """
    A server that refuses it as well is no Redis.
    """
    assert not knows_no_hello(old_greeting(Identity(), None), [NO_COMMAND, NO_COMMAND])
