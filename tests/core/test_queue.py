"""
Handles for the results of queued commands.
"""

from __future__ import annotations

import pytest

from coredis._core.command import Command
from coredis._core.queue import Queued, first_error, outcomes
from coredis.exceptions import WrongTypeError


def handle(*words: str) -> Queued[object]:
    """
    Make a handle for a command.
    """
    return Queued(Command(words or ("GET", "k"), lambda reply: reply))


def test_before_execution_there_is_no_result() -> None:
    """
    The message names the command and what to wait for.
    """
    queued = handle("GET", "canary")

    assert not queued.done()
    assert queued.error is None
    with pytest.raises(RuntimeError, match="GET is queued and not executed yet") as caught:
        queued.result()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("value", [None, False, 0, b"", [], b"x"])
def test_any_value_is_a_result(value: object) -> None:
    """
    None and False are not mistaken for nothing.
    """
    queued = handle()

    queued.resolve(value)

    assert queued.done()
    assert (value,) == (queued.result(),) == outcomes([queued])
    assert queued.error is None


def test_an_error_is_raised_by_result() -> None:
    """
    And can be looked at without raising it.
    """
    queued = handle()
    error = WrongTypeError("WRONGTYPE x")

    queued.fail(error)

    assert queued.done()
    assert error is queued.error
    assert (error,) == outcomes([queued])
    with pytest.raises(WrongTypeError) as caught:
        queued.result()
    assert error is caught.value


def test_a_later_failure_does_not_hide_a_result() -> None:
    """
    When the connection breaks, the results that came are kept.
    """
    done, failed = handle(), handle()
    done.resolve(1)
    failed.fail(ValueError("first"))

    done.fail(ValueError("second"))
    failed.fail(ValueError("second"))

    assert 1 == done.result()
    assert "first" == str(failed.error)


def test_an_error_can_be_replaced_by_a_better_account() -> None:
    """
    The server's words for what the user asked, for example.
    """
    queued = handle()
    queued.fail(ValueError("first"))

    queued.replace_error(ValueError("better"))

    assert "better" == str(queued.error)


def test_the_first_error_is_found() -> None:
    """
    In the order of the commands.
    """
    handles = [handle() for _ in range(3)]
    handles[0].resolve(1)
    assert first_error(handles) is None

    handles[2].fail(ValueError("last"))
    handles[1].fail(ValueError("middle"))

    assert "middle" == str(first_error(handles))


async def test_a_handle_can_be_awaited() -> None:
    """
    As older code does, once the pipeline has been executed.
    """
    done, failed = handle(), handle()
    done.resolve(b"x")
    failed.fail(WrongTypeError("WRONGTYPE x"))

    assert b"x" == await done
    with pytest.raises(WrongTypeError):
        await failed


def test_a_handle_describes_its_state_and_no_payload() -> None:
    """
    Arguments and results do not belong into logs.
    """
    queued, done, failed = handle("SET", "canary"), handle("SET", "canary"), handle("SET", "canary")
    done.resolve("canary")
    failed.fail(ValueError("canary"))

    assert ["<Queued SET: queued>", "<Queued SET: done>", "<Queued SET: failed>"] == [
        repr(queued),
        repr(done),
        repr(failed),
    ]
    assert "<Command SET with 1 arguments>" == repr(queued.command)
