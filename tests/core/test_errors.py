"""
Every error line becomes the exception of its cause, decided by its first word.
"""

from __future__ import annotations

import pickle

import pytest

from coredis import exceptions
from coredis._core.errors import BY_CODE, from_line

LINES = [
    ("WRONGTYPE Operation against a key holding the wrong kind of value", exceptions.WrongTypeError),
    ("NOGROUP No such key 'k' or consumer group 'g'", exceptions.StreamConsumerGroupError),
    (
        "NOGROUP No such key 'k' or consumer group 'g' in XREADGROUP with GROUP option",
        exceptions.StreamConsumerGroupError,
    ),
    ("NOGROUP No such consumer group 'g' for key name 'k'", exceptions.StreamConsumerGroupError),
    (
        "NOGROUP the consumer group this client was blocked on no longer exists",
        exceptions.StreamConsumerGroupError,
    ),
    ("BUSYGROUP Consumer Group name already exists", exceptions.StreamDuplicateConsumerGroupError),
    ("UNBLOCKED client unblocked via CLIENT UNBLOCK", exceptions.UnblockedError),
    ("UNBLOCKED the stream key no longer exists", exceptions.UnblockedError),
    (
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        exceptions.UnblockedError,
    ),
    ("ERR no such key", exceptions.ResponseError),
    ("ERR Invalid stream ID specified as stream command argument", exceptions.ResponseError),
    ("ERR wrong number of arguments for 'xadd' command", exceptions.ResponseError),
    ("ERR unknown command 'x', with args beginning with: 'a'", exceptions.UnknownCommandError),
    ("ERR unknown subcommand 'x'. Try XINFO HELP.", exceptions.UnknownCommandError),
    ("ERR Unknown subcommand or wrong number of arguments for 'x'", exceptions.UnknownCommandError),
    ("ERR invalid password", exceptions.AuthenticationFailureError),
    ("READONLY You can't write against a read only replica.", exceptions.ReadOnlyError),
    ("MOVED 3999 127.0.0.1:6381", exceptions.MovedError),
    ("ASK 3999 127.0.0.1:6381", exceptions.AskError),
    ("TRYAGAIN Multiple keys request during rehashing of slot", exceptions.TryAgainError),
    ("CROSSSLOT Keys in request don't hash to the same slot", exceptions.ClusterCrossSlotError),
    ("CLUSTERDOWN The cluster is down", exceptions.ClusterDownError),
    ("CLUSTERDOWN Hash slot not served", exceptions.ClusterDownError),
    ("OOM command not allowed when used memory > 'maxmemory'.", exceptions.OutOfMemoryError),
    ("NOREPLICAS Not enough good replicas to write.", exceptions.ReplicationError),
    ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable", exceptions.PersistenceError),
    ("MISCONF Valkey is configured to save RDB snapshots, but it's currently unable", exceptions.PersistenceError),
    ("NOPERM this user has no permissions to run the 'xadd' command", exceptions.AuthorizationError),
    ("NOPERM No permissions to access a key", exceptions.AuthorizationError),
    ("WRONGPASS invalid username-password pair or user is disabled.", exceptions.AuthenticationFailureError),
    ("NOAUTH Authentication required.", exceptions.AuthenticationRequiredError),
    ("EXECABORT Transaction discarded because of previous errors.", exceptions.ExecAbortError),
    ("NOSCRIPT No matching script. Please use EVAL.", exceptions.NoScriptError),
    ("NOSCRIPT No matching script.", exceptions.NoScriptError),
    ("LOADING Redis is loading the dataset in memory", exceptions.BusyLoadingError),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", exceptions.PrimaryDownError),
    ("BUSY Redis is busy running a script.", exceptions.BusyError),
    ("NOTBUSY No scripts in execution right now.", exceptions.NotBusyError),
    ("NOPROTO unsupported protocol version", exceptions.ProtocolVersionError),
    ("NOKEY No such key", exceptions.NoKeyError),
]

UNUSUAL = ["", " ", "ERR", "oops", "my own error", "-", "ERR ", "\u00e9 x", "123 x", "ERROR\tx", "MOVED", "ASK x"]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_a_line_becomes_the_exception_of_its_cause(line: str, expected: type[exceptions.ReplyError]) -> None:
    """
    The exact class, with the whole line as its message and the first word as its code.
    """
    error = from_line(line)

    assert type(error) is expected
    assert line == str(error)
    assert line.split()[0] == error.code


def test_every_code_is_in_the_table_above() -> None:
    """
    A code that is added is to be tested.
    """
    assert set(BY_CODE) <= {line.split()[0] for line, _ in LINES}


@pytest.mark.parametrize("line", UNUSUAL)
def test_an_unusual_line_is_a_plain_response_error(line: str) -> None:
    """
    Scripts and modules may say anything.
    """
    error = from_line(line)

    assert type(error) is exceptions.ResponseError
    assert line == str(error)


def test_an_unknown_code_is_kept() -> None:
    """
    Whoever knows it can ask for it.
    """
    assert "MYERROR" == from_line("MYERROR x").code
    assert "ERR" == from_line("lower case").code


@pytest.mark.parametrize(
    ("line", "slot", "host", "port"),
    [
        ("MOVED 3999 127.0.0.1:6381", 3999, "127.0.0.1", 6381),
        ("ASK 0 ::1:7000", 0, "::1", 7000),
        ("MOVED 16383 example.com:1", 16383, "example.com", 1),
        ("MOVED 1 :6381", 1, "", 6381),
    ],
)
def test_a_redirect_names_slot_and_node(line: str, slot: int, host: str, port: int) -> None:
    """
    An empty host means the node that answered.
    """
    error = from_line(line)

    assert isinstance(error, exceptions.AskError)
    assert (slot, host, port) == (error.slot, error.host, error.port)


@pytest.mark.parametrize("line", ["MOVED", "MOVED 1", "MOVED x h:1", "MOVED 1 h", "MOVED 1 h:x", "ASK 1 h:", "ASK  "])
def test_a_redirect_that_names_nothing_is_still_an_error_reply(line: str) -> None:
    """
    It is no reason to lose the connection.
    """
    error = from_line(line)

    assert type(error) is exceptions.ResponseError
    assert line.split()[0] == error.code


@pytest.mark.parametrize("line", [line for line, _ in LINES])
def test_every_error_is_of_the_library(line: str) -> None:
    """
    One ``except RedisError`` catches them all.
    """
    assert isinstance(from_line(line), exceptions.RedisError)


def test_a_duplicate_group_is_no_missing_group_for_who_asks() -> None:
    """
    BUSYGROUP can be told from NOGROUP, though both are about groups.
    """
    assert not isinstance(from_line("NOGROUP x"), exceptions.StreamDuplicateConsumerGroupError)
    assert isinstance(from_line("BUSYGROUP x"), exceptions.StreamConsumerGroupError)


def test_a_server_that_is_loading_certainly_ran_nothing() -> None:
    """
    It is a kind of connection error, and a reply all the same.
    """
    error = from_line("LOADING x")

    assert isinstance(error, exceptions.ConnectionError)
    assert not error.may_have_run


@pytest.mark.parametrize("line", ["WRONGTYPE x", "MOVED 1 h:1", "BUSYGROUP x", "ERR x"])
def test_an_error_reply_can_be_pickled(line: str) -> None:
    """
    Errors cross process boundaries in pools of workers.
    """
    error = pickle.loads(pickle.dumps(from_line(line)))

    assert (type(from_line(line)), line, line.split()[0]) == (type(error), str(error), error.code)
