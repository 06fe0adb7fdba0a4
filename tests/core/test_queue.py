"""
Handles for the results of queued commands.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from coredis._core import replies
from coredis._core.additions import Addition
from coredis._core.command import Command, Reply
from coredis._core.entries import names_known, plain_addition
from coredis._core.parser import ErrorLine
from coredis._core.queue import Queue, Queued, answer_all, failed, outcomes, values
from coredis._core.replies.shapes import UNCHANGED, integer, truth
from coredis._core.wire import encode
from coredis._queued.commands import CommandFamilies
from coredis._sync.pipeline import Pipeline
from coredis.exceptions import InvalidResponse, WrongTypeError
from coredis.sync import Redis
from coredis.types import StreamEntry
from coredis.typing import ValueT
from tests.support.strikes import strike


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


def test_failures_are_found() -> None:
    """
    In the order of the commands, while they are answered or afterwards.
    """
    handles = [handle() for _ in range(4)]

    failures = answer_all(handles, [ErrorLine("ERR first"), 1, ErrorLine("ERR last"), 2])

    assert [handles[0], handles[2]] == failures == failed(handles)
    assert (1, 2) == values([handles[1], handles[3]])


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


@pytest.mark.parametrize(
    ("convert", "reply", "result"),
    [
        (integer, 7, 7),
        (integer, b"7", 7),
        (integer, True, 1),
        (truth, 1, True),
        (replies.raw().text, b"7", b"7"),
        (replies.raw().optional_text, b"7", b"7"),
        (replies.raw().optional_text, None, None),
        (replies.decoded("utf-8").optional_text, b"7", "7"),
        (replies.decoded("utf-8").optional_text, None, None),
        (replies.decoded("latin-1").optional_text, b"\xe9", "\u00e9"),
    ],
)
def test_a_reply_becomes_a_result(convert: Callable[[Reply], object], reply: Reply, result: object) -> None:
    """
    Whether its converter has to be called or leaves it as it is.
    """
    queued = Queued(Command(("GET", "k"), convert))

    answer_all([queued], [reply])

    assert (result, type(result)) == (queued.result(), type(queued.result()))


@pytest.mark.parametrize("convert", UNCHANGED)
def test_an_error_is_no_result(convert: Callable[[Reply], object]) -> None:
    """
    Nor is a reply of another shape.
    """
    refused, odd = (Queued(Command(("GET", "k"), convert)) for _ in range(2))

    answer_all([refused, odd], [ErrorLine("WRONGTYPE no"), [[]]])

    assert WrongTypeError is type(refused.error)
    assert InvalidResponse is type(odd.error)


@pytest.mark.parametrize(("convert", "kind"), UNCHANGED.items())
def test_what_need_not_be_called_changes_nothing(convert: Callable[[Reply], object], kind: type) -> None:
    """
    Of a reply of that type.
    """
    for value in {bytes: [b"", b"\x00x"], int: [0, -1, 2**63], float: [0.5, float("inf")]}[kind]:
        assert (value, kind) == (convert(value), type(convert(value)))


def test_what_is_special_about_commands_is_found() -> None:
    """
    Those that wait, and those that a stream does not take twice.
    """
    queue = Queue("utf-8")
    plain: Command[object] = Command(("GET", "k"), integer)
    waiting: Command[object] = Command(("BLPOP", "k", 2), integer, block=2.0)
    addition: Addition[object] = Addition(("XADD", "s", b"1-1", "f", "v"), integer, producer=None, identifier=2)
    ordinary = plain_addition("s", {"f": "v"}, integer)
    handles = [queue.issue(command) for command in (plain, waiting, addition, ordinary)]

    batch = queue._take()

    assert handles == batch.handles
    assert [command.encoded("utf-8") for command in (plain, waiting, addition, ordinary)] == batch.payloads
    assert [2.0] == batch.blocks
    assert [addition] == batch.additions


def test_what_was_taken_is_queued_no_more() -> None:
    """
    Nor what has been found about it.
    """
    queue = Queue("utf-8")
    queue.issue(Command(("BLPOP", "k", 2), integer, block=2.0))

    assert 1 == len(queue)
    assert 1 == len(queue._take().handles)
    assert ([], [], [], []) == queue._take()
    assert 0 == len(queue)


def test_what_cannot_be_encoded_is_not_queued() -> None:
    """
    And what is queued is what it was then.
    """
    queue = Queue("utf-8")
    fields = {"f": bytearray(b"v")}
    queue.issue(plain_addition("s", {"f": fields["f"]}, integer))

    with pytest.raises(TypeError, match="got NoneType"):
        queue.issue(Command(("GET", None), integer))  # type: ignore[arg-type]
    fields["f"][:] = b"w"

    assert [b"*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nf\r\n$1\r\nv\r\n"] == queue._take().payloads


def test_a_handle_of_a_queue_is_like_any_other() -> None:
    """
    Though it is made in another way.
    """
    queued: Queued[int] = Queue("utf-8").issue(Command(("GET", "k"), integer))

    assert isinstance(queued, Queued)
    assert "<Queued GET: queued>" == repr(queued)
    assert not queued.done()
    assert queued.error is None


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    "fields", [{"f": "\u00e9"}, {b"f": 1}, {"f": 0.5, b"g": b"x"}, dict.fromkeys(map(str, range(30)), "x")]
)
def test_the_shorter_way_to_an_addition_sends_the_same(encoding: str, fields: dict[str | bytes, ValueT]) -> None:
    """
    However often the names have come; and what the caller changes afterwards changes nothing.
    """
    command: Command[object] = Command(("XADD", "s", "*", *itertools.chain.from_iterable(fields.items())), bytes)
    with Redis(encoding=encoding, decode_responses=encoding != "utf-8") as client:
        pipeline = client.pipeline()
        handles = [pipeline.xadd("s", given := dict(fields)) for _ in range(3)]
        given.clear()

        batch = pipeline._take()

    assert [command.encoded(encoding)] * 3 == batch.payloads
    assert [command.encoded(encoding)] * 3 == [handle.command.encoded(encoding) for handle in handles]
    assert handles[2].command is handles[2].command
    assert (1,) == tuple(handles[2].command.keys)
    assert handles == batch.handles


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    "fields", [{"f": "\u00e9"}, {b"f": 1}, {"f": 0.5, b"g": b"x"}, dict.fromkeys(map(str, range(30)), "x")]
)
def test_the_shorter_way_of_a_client_sends_the_same(
    encoding: str, fields: dict[str | bytes, ValueT], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    However often the names have come; and what the caller changes afterwards changes nothing.
    """
    command: Command[object] = Command(("XADD", "s", "*", *itertools.chain.from_iterable(fields.items())), bytes)
    with Redis(encoding=encoding) as client:
        monkeypatch.setattr(client, "issue", lambda command: command)
        for _ in range(3):
            made: Any = client.xadd("s", given := dict(fields))
            given.clear()

            assert command.encoded(encoding) == made.encoded(encoding)
            assert command.encoded(encoding) == encode(made.arguments, encoding)
            assert ("s", "XADD") == (made.word(1), made.name)
            assert (False, False, None, (1,)) == (made.readonly, made.idempotent, made.block, tuple(made.keys))


def test_names_that_never_come_again_are_met_once_by_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing is kept for them.
    """
    with Redis() as client:
        monkeypatch.setattr(client, "issue", lambda command: command)
        client.xadd("s", {"met once by a client": "x"})

    assert ("met once by a client",) not in names_known[0].ready


def test_an_addition_that_others_change_takes_the_longer_way() -> None:
    """
    A thread that adds a field just then does not make it fail.
    """
    fields: dict[str | bytes, ValueT] = {"f": "v"}

    def interfere(key: object, given: dict[str | bytes, ValueT]) -> bytes | None:
        names = iter(given)
        fields["g"] = "w"
        next(names)  # which raises
        return None

    with Redis() as client:
        pipeline = client.pipeline()
        pipeline._packers = [interfere] * 2
        pipeline.xadd("s", fields)

        batch = pipeline._take()

    assert [b"*7\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\ng\r\n$1\r\nw\r\n"] == batch.payloads


def test_an_addition_with_options_takes_the_longer_way() -> None:
    """
    What a stream does not take twice is found.
    """
    with Redis() as client:
        pipeline = client.pipeline()
        identified = pipeline.xadd("s", {"f": "v"}, identifier="1-1")
        pipeline.xadd("s", {"f": "v"}, nomkstream=True)

        batch = pipeline._take()

    assert [identified.command] == batch.additions
    assert batch.payloads[1].startswith(b"*6\r\n$4\r\nXADD\r\n$1\r\ns\r\n$10\r\nNOMKSTREAM\r\n")


def test_the_shorter_way_is_the_same_method() -> None:
    """
    To whoever reads or calls it.
    """
    for name in ("xadd", "xack"):
        longer, shorter = getattr(CommandFamilies, name), getattr(Pipeline, name)
        assert longer is not shorter
        assert inspect.signature(longer) == inspect.signature(shorter)
        assert longer.__doc__ == shorter.__doc__
    with Redis() as client, pytest.raises(TypeError, match="unexpected keyword argument 'other'"):
        client.pipeline().xadd("s", {"f": "v"}, other=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("xadd", ({"f": "v"},), {}),
        ("xadd", ({"f": "v"},), {"identifier": "1-1"}),
        ("xack", ("g", b"1-1"), {}),
        ("xack", ("g", b"1"), {}),
        ("xdel", (b"1-1",), {}),
    ],
)
def test_an_interrupted_command_is_queued_or_not(
    name: str, arguments: tuple[Any, ...], options: dict[str, str]
) -> None:
    """
    Never without what is to be sent for it, or all that follow would get the results of others.
    """
    struck, point = True, 0

    def queue(pipeline: Pipeline[bytes]) -> None:
        getattr(pipeline, name)("s", *arguments, **options)

    with Redis() as client:
        for _ in range(3):  # what is made ready once
            queue(client.pipeline())
        while struck:
            pipeline = client.pipeline()
            pipeline.xlen("s")
            struck = strike(point, lambda pipe=pipeline: queue(pipe))  # type: ignore[misc]
            pipeline.xlen("t")

            batch = pipeline._take()

            assert [handle.command.encoded("utf-8") for handle in batch.handles] == batch.payloads, point
            point += 1
    assert 3 == len(batch.handles)
    assert point > 3


def test_an_interrupted_command_that_waits_gives_no_time() -> None:
    """
    What was not queued is not waited for, or a pipeline with it would wait for ever.
    """
    struck, point = True, 0
    with Redis() as client:
        client.pipeline().blpop(["l"], 0)
        while struck:
            pipeline = client.pipeline()
            struck = strike(point, lambda pipe=pipeline: pipe.blpop(["l"], 0))  # type: ignore[misc]
            batch = pipeline._take()

            assert len(batch.handles) == len(batch.blocks), point
            point += 1
    assert point > 5


class Longer(Queue[bytes], CommandFamilies[bytes]):
    """
    Knows no shorter way.
    """


ENTRY = StreamEntry(b"1700000000000-12", {})


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("key", ["s", b"s", "\u00e9", "x" * 5000, bytearray(b"s")])
@pytest.mark.parametrize(
    "identifiers",
    [
        *([b"1700000000000-12"], ("1700000000000-12",), b"5-1", "5-1", ENTRY, [ENTRY], StreamEntry("5-1", {})),
        *([b"18446744073709551615-1"], b"5-18446744073709551615", [b"1-1", b"2-2"], [5], 5, b"5", {b"1-1"}),
    ],
)
def test_the_shorter_way_to_an_acknowledgement_sends_the_same(encoding: str, key: Any, identifiers: Any) -> None:
    """
    However the entry is given, and whatever came before.
    """
    with Redis(encoding=encoding, decode_responses=encoding != "utf-8") as client:
        longer, pipeline = Longer(encoding), client.pipeline()
        for group in ("g", b"g", "g", "\u00e9"):
            longer.xack(key, group, identifiers)
            pipeline.xack(key, group, identifiers)
            pipeline.xack(key, group, identifiers)

        expected, batch = longer._take(), pipeline._take()

    assert expected.payloads == batch.payloads[::2] == batch.payloads[1::2]
    assert batch.payloads == [handle.command.encoded(encoding) for handle in batch.handles]
    assert all(handle.command.idempotent for handle in batch.handles)
    answer_all(batch.handles, [1, ErrorLine("ERR no")])
    assert 1 == batch.handles[0].result()
    assert "<Queued XACK: failed>" == repr(batch.handles[1])


@pytest.mark.parametrize(
    ("key", "group", "identifiers", "said"),
    [
        *(
            ("s", "g", wrong, "identifiers")
            for wrong in (b"-5", b"5-", b"-", b"5--1", "\u00b2-1", b"", [], None, [None])
        ),
        ("s", None, b"1-1", "group"),
        (None, "g", b"1-1", "key of 'XACK'"),
        ("\ud800", "g", b"1-1", "key of 'XACK'"),
    ],
)
def test_what_is_wrong_with_an_acknowledgement_is_named(key: Any, group: Any, identifiers: Any, said: str) -> None:
    """
    And it is not queued.
    """
    with Redis() as client:
        pipeline = client.pipeline()
        with pytest.raises((TypeError, ValueError), match=said):
            pipeline.xack(key, group, identifiers)

        assert 0 == len(pipeline)
