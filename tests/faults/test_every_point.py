"""
Small cases, all of them: a call is cancelled wherever it waits, a reply is cut after every byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from coredis.exceptions import RedisError
from tests.support.memory.stream import Stream
from tests.support.simulation.stage import Stage

MOST_POINTS = 60
MOST_BYTES = 2000
ENTRIES = [b"1", b"2", b"3"]
Case: TypeAlias = Callable[[Stage, "Trouble"], None]


class Trouble:
    """
    Runs the call in which something is to go wrong.
    """

    happened = False

    def run(self, stage: Stage, call: Callable[[], Any]) -> tuple[Any, RedisError | None]:
        """
        Run it, and give what it returned and what it raised.
        """
        raise NotImplementedError


class Cancelled(Trouble):
    """
    It is cancelled where it waits.
    """

    def __init__(self, point: int, late: bool) -> None:
        self._point = point
        self._late = late

    def run(self, stage: Stage, call: Callable[[], Any]) -> tuple[Any, RedisError | None]:
        self.happened, result = stage.cancelled(call(), self._point, self._late)
        return result, None


class Cut(Trouble):
    """
    Its connection breaks when so many bytes have arrived.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def run(self, stage: Stage, call: Callable[[], Any]) -> tuple[Any, RedisError | None]:
        stage.network.left = self._size
        try:
            result, error = stage.run(call()), None
        except RedisError as raised:
            result, error = None, raised
        self.happened = stage.network.left is None
        stage.network.left = None
        return result, error


def group(stage: Stage) -> Any:
    """
    Give the group of the stream.
    """
    stream = stage.server.get(0, b"s")
    assert isinstance(stream, Stream)
    return stream.groups[b"g"]


def filled(stage: Stage) -> None:
    """
    Add the entries, to a stream with a group.
    """
    stage.command(b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM")
    for number in ENTRIES:
        stage.command(b"XADD", b"s", b"%b-1" % number, b"n", number)


def works(stage: Stage, client: Any) -> None:
    """
    See that a client gets its own replies.
    """
    for word in (b"one", b"two"):
        assert word == stage.run(client.echo(word))


def reading(stage: Stage, trouble: Trouble, blocking: bool = False, **options: Any) -> None:
    """
    Every entry comes, once, in order; what cannot come again is counted.
    """
    filled(stage)
    consumer = stage.client(blocking).xconsumer(["s"], group="g", consumer="c", buffer_size=1, **options)
    first, _ = trouble.run(stage, consumer.get_entry)
    given = [] if first in (None, (None, None)) else [first]
    while (more := stage.run(consumer.get_entry())) != (None, None):
        given.append(more)
    numbers = [entry.field_values[b"n"] for _, entry in given]

    if consumer.auto_acknowledge and not isinstance(trouble, Cancelled):
        lost = [number for number in ENTRIES if number not in numbers]
        assert sorted(numbers + lost) == ENTRIES
        assert not lost or consumer.statistics.possibly_lost == 1
    else:
        assert ENTRIES == numbers
        assert consumer.statistics.possibly_lost == 0
    if isinstance(trouble, Cancelled):
        assert (0, 0) == (consumer.statistics.reconnects, consumer.statistics.recovered)
    stage.run(consumer.close())


def acknowledging(stage: Stage, trouble: Trouble, blocking: bool = False) -> None:
    """
    What was acknowledged twice was acknowledged once, and nothing is left.
    """
    filled(stage)
    client = stage.client(blocking)
    consumer = client.xconsumer(["s"], group="g", consumer="c", buffer_size=9, claim_idle=60_000)
    entries = [stage.run(consumer.get_entry())[1] for _ in ENTRIES]
    count, error = trouble.run(stage, lambda: consumer.ack("s", *entries))
    left = len(group(stage).pending)

    assert count in (None, 3, 0)  # 0: sent again, after the first answer was lost
    assert left in (0, 3)
    assert error is None or getattr(error, "may_have_run", False) or left == 3
    stage.run(consumer.ack("s", *entries))
    assert {} == group(stage).pending
    assert (None, None) == stage.run(consumer.get_entry())
    works(stage, client)
    stage.run(consumer.close())


def adding(stage: Stage, trouble: Trouble, blocking: bool = False) -> None:
    """
    There is never more than one entry; one when the call returned, none when it says so.
    """
    client = stage.client(blocking)
    identifier, error = trouble.run(stage, lambda: client.xadd("s", {"n": 1}))
    stage.settle()
    stream = stage.server.get(0, b"s")
    count = len(stream.order) if isinstance(stream, Stream) else 0

    assert count in (0, 1)
    assert identifier is None or count == 1
    assert error is None or getattr(error, "may_have_run", False) or count == 0
    works(stage, client)


def connecting(stage: Stage, trouble: Trouble, blocking: bool = False) -> None:
    """
    A client that could not connect can do so later.
    """
    client = stage.client(blocking)
    trouble.run(stage, client.ping)

    works(stage, client)


def queueing(stage: Stage, trouble: Trouble) -> None:
    """
    Whoever leaves the queue for a connection takes none with him.
    """
    client = stage.client(max_connections=1)
    first = stage.start(client.xread({"s": "$"}, block=20))
    stage.wait(lambda: any(connection.blocked for connection in stage.server.connections.values()), None)
    trouble.run(stage, lambda: client.xread({"s": "$"}, block=20))
    stage.finish(first)

    works(stage, client)
    assert not stage.run(client.xread({"s": "$"}, block=20))
    assert len(stage.server.connections) <= 1


def closing(stage: Stage, trouble: Trouble) -> None:
    """
    A close that was broken off can be done again, and nothing stays open (see ``Stage.open``).
    """
    client = stage.client()
    consumer = client.xconsumer(["s"], group="g", consumer="c")
    stage.run(consumer.get_entry())
    works(stage, client)
    trouble.run(stage, client.close)
    stage.run(client.close())
    stage.settle()

    assert {} == stage.server.connections


def leaving(stage: Stage, trouble: Trouble) -> None:
    """
    A consumer whose close was broken off can be closed again: what was collected is acknowledged, and what was fetched is free.
    """
    filled(stage)
    consumer = stage.client().xconsumer(["s"], group="g", consumer="c", buffer_size=9, ack_buffer=9, claim_idle=60_000)
    _, entry = stage.run(consumer.get_entry())
    stage.run(consumer.ack("s", entry))
    trouble.run(stage, lambda: consumer.close(release=True))
    stage.run(consumer.close(release=True))

    assert [(2, 1), (3, 1)] == sorted(group(stage).pending)
    assert all(pending.delivered < stage.server.now - 60_000 for pending in group(stage).pending.values())


def leaving_what_is_nowhere_else(stage: Stage, trouble: Trouble) -> None:
    """
    Closed while a read is out whose entries are nowhere else, and the close is broken off: what came is served, and
    what did not is counted.
    """
    filled(stage)
    consumer = stage.client().xconsumer(
        ["s"], group="g", consumer="c", buffer_size=9, auto_acknowledge=True, timeout=50
    )
    reading = stage.start(consumer.get_entry())
    stage.wait(lambda: any(b"XREADGROUP" in link.outward for link in stage.network.links), None)
    reading.cancel()
    trouble.run(stage, consumer.close)
    stage.run(consumer.close())
    numbers = [entry.field_values[b"n"] for _, entry in consumer.drain()]

    assert (numbers, consumer.statistics.possibly_lost) in ((ENTRIES, 0), ([], 1))


def reading_without_waiting(stage: Stage, trouble: Trouble) -> None:
    """
    As an application reads that has better things to do.
    """
    reading(stage, trouble)


def reading_and_waiting(stage: Stage, trouble: Trouble) -> None:
    """
    With a wait on the server.
    """
    reading(stage, trouble, timeout=50)


def reading_without_acknowledging(stage: Stage, trouble: Trouble) -> None:
    """
    What the server has given is nowhere else.
    """
    reading(stage, trouble, auto_acknowledge=True, timeout=50)


def reading_and_taking_over(stage: Stage, trouble: Trouble) -> None:
    """
    With a look at what others have left.
    """
    reading(stage, trouble, claim_idle=60_000)


def left_lying(stage: Stage, most: int) -> tuple[Any, Any]:
    """
    Have somebody leave an entry lying; give two members that take it over if it has been delivered less than so many times, and
    else give it up.
    """
    filled(stage)
    stage.command(b"XREADGROUP", b"GROUP", b"g", b"gone", b"COUNT", b"1", b"STREAMS", b"s", b">")
    stage.command(b"XGROUP", b"SETID", b"s", b"g", b"$")
    stage.let_pass(1.0)
    options = {"claim_idle": 500, "max_deliveries": most, "dead_letter": "dead"}
    one, other = (
        stage.client().xconsumer(["s"], group="g", consumer=name, buffer_size=9, **options) for name in ("one", "other")
    )
    return one, other


def giving_up(stage: Stage, trouble: Trouble) -> None:
    """
    Whoever is held up before giving an entry up leaves it to the member that does: there is one dead letter.
    """
    one, other = left_lying(stage, 1)
    trouble.run(stage, one.get_entry)
    stage.let_pass(1.0)
    for consumer in (other, one):
        assert (None, None) == stage.run(consumer.get_entry())
    letters = stage.server.get(0, b"dead")

    assert isinstance(letters, Stream)
    assert 1 == len(letters.order)
    assert {} == group(stage).pending
    for consumer in (one, other):
        stage.run(consumer.close())


def taking_over(stage: Stage, trouble: Trouble) -> None:
    """
    Nor is an entry served that another member has taken over before it was known whether to serve it.
    """
    one, other = left_lying(stage, 9)
    first, _ = trouble.run(stage, one.get_entry)
    if first is None:
        stage.let_pass(1.0)
    given = [stage.run(consumer.get_entry()) for consumer in (other, one)]
    served = [entry.field_values[b"n"] for _, entry in (first or (None, None), *given) if entry is not None]

    assert [b"1"] == served
    for consumer in (one, other):
        stage.run(consumer.close())


def points(troubles: Iterator[Trouble], case: Case) -> int:
    """
    Play a case again and again, with the trouble a little later each time, until it does not come to that.
    """
    for number, trouble in enumerate(troubles):
        stage = Stage()
        with stage.open():
            case(stage, trouble)
        if not trouble.happened:
            return number
    raise AssertionError("there is no end of it")


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize(
    "case",
    [
        reading_without_waiting,
        reading_and_waiting,
        reading_without_acknowledging,
        reading_and_taking_over,
        acknowledging,
        adding,
        connecting,
        queueing,
        closing,
        leaving,
        leaving_what_is_nowhere_else,
        giving_up,
        taking_over,
    ],
    ids=lambda case: case.__name__,
)
def test_cancelled_wherever_it_waits(case: Case, late: bool) -> None:
    """
    Nothing is lost, nothing comes twice, no reply reaches the wrong caller, and nothing stays open.
    """
    found = points((Cancelled(point, late) for point in range(MOST_POINTS)), case)

    assert found


def test_a_renewal_that_was_held_up_proves_nothing() -> None:
    """
    The server has renewed the lease of an entry that is to be given up; until its answer comes, another member has taken the
    entry over and given it up.
    """
    held_up = 0
    for point in range(MOST_POINTS):
        stage = Stage()
        with stage.open():
            one, other = left_lying(stage, 1)
            stage.cancelled(one.get_entry(), point, True)
            stage.settle()
            (pending,) = group(stage).pending.values() or (None,)
            if pending is not None and pending.consumer.name == b"one":
                held_up += 1
                stage.let_pass(0.3)
                before = pending.delivered
                reading = stage.start(one.get_entry())
                stage.wait(lambda pending=pending, before=before: pending.delivered != before, None)  # type: ignore[misc]
                links = stage.network.links[:]
                del stage.network.links[:]
                stage.let_pass(0.6)
                stage.run(other.get_entry())
                stage.network.links.extend(links)
                stage.finish(reading)
                letters = stage.server.get(0, b"dead")

                assert isinstance(letters, Stream)
                assert 1 == len(letters.order)
            for consumer in (one, other):
                stage.run(consumer.close())
    assert held_up


@pytest.mark.parametrize("blocking", [False, True], ids=["async", "blocking"])
@pytest.mark.parametrize("case", ["reading", "noack", "acknowledging", "adding", "connecting"])
def test_cut_after_every_byte(case: str, blocking: bool) -> None:
    """
    The same, when the connection breaks in the middle of a reply.
    """
    cases: dict[str, Case] = {
        "reading": lambda stage, trouble: reading(stage, trouble, blocking, timeout=50),
        "noack": lambda stage, trouble: reading(stage, trouble, blocking, timeout=50, auto_acknowledge=True),
        "acknowledging": lambda stage, trouble: acknowledging(stage, trouble, blocking),
        "adding": lambda stage, trouble: adding(stage, trouble, blocking),
        "connecting": lambda stage, trouble: connecting(stage, trouble, blocking),
    }
    found = points((Cut(size) for size in range(1, MOST_BYTES)), cases[case])

    assert found > 3


def test_a_call_that_is_not_cancelled_returns() -> None:
    """
    The counting of waits changes nothing.
    """
    stage = Stage()
    with stage.open():
        client = stage.client()

        assert (False, b"word") == stage.cancelled(client.echo(b"word"), MOST_POINTS, False)
        with pytest.raises(asyncio.CancelledError):
            stage.finish(_cancelled(stage, client))


def _cancelled(stage: Stage, client: Any) -> asyncio.Task[Any]:
    task = stage.start(client.echo(b"word"))
    task.cancel()
    return task
