"""
From entering a consumer to leaving it, and what can be changed in between: stopping, draining, streams, positions, members.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._async.patterns import pruning
from coredis._runtime import aio as rt
from coredis.exceptions import ResponseError, StreamConsumerGroupError
from tests._async.streams import (
    MINUTE,
    clients_of,
    deliver,
    fill,
    identifiers,
    leave_waiting,
    numbered,
    pending,
    take,
    until_it_waits,
    waiting_clients,
)
from tests._async.waiting import until
from tests.support.aio import Redis, connect, sleep, spawn
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

GROUP: dict[str, Any] = {"group": "g", "consumer": "c"}
#: A consumer of each kind that reads stream ``a`` from its beginning.
KINDS = pytest.mark.parametrize("kind", [{"a": {"identifier": 0}}, GROUP, {**GROUP, "claim_idle": MINUTE}])


# ---------------------------------------------------------------------------------------------------------- stopping


@KINDS
async def test_stopping_ends_a_wait(client: Redis[Any], kind: dict[str, Any]) -> None:
    """
    From another task or thread: the iteration ends as if there were nothing more, long before its time is up.
    """
    await fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], timeout=50_000, **kind)
    reading = spawn(lambda: identifiers(consumer))
    await until_it_waits(client)

    consumer.stop()

    assert [b"1-0"] == await reading.join()
    assert (None, None) == await consumer.get_entry()
    await consumer.close()


@KINDS
async def test_what_was_fetched_is_still_served(client: Redis[Any], kind: dict[str, Any]) -> None:
    """
    After stopping and after closing; then there is nothing more, until the consumer is entered again.
    """
    await fill(client, "a", 1, 4)
    consumer = client.xconsumer(["a"], timeout=200, buffer_size=1, **kind)
    assert [b"1-0"] == await take(consumer)
    consumer.stop()

    assert [b"2-0"] == await identifiers(consumer)
    async with consumer:
        first = await take(consumer)
        assert first == ([b"1-0"] if "a" in kind else [b"3-0"])
    assert 1 == len(await identifiers(consumer))
    assert [] == await identifiers(consumer)


@KINDS
async def test_asking_until_it_is_stopped(client: Redis[Any], kind: dict[str, Any]) -> None:
    """
    A loop without an end of its own sees that the consumer was stopped, and lets others run that are to end it even if it
    does not look.
    """
    consumer = client.xconsumer(["a"], timeout=50_000, **kind)
    told: list[bool] = []

    async def ask() -> bool:
        while not consumer.stopped:
            await identifiers(consumer)
        for _ in range(1_000_000):
            if told:
                return True
            await identifiers(consumer)
        return False

    reading = spawn(ask)
    await until_it_waits(client)
    assert not consumer.stopped
    consumer.stop()
    await sleep(0.01)
    told.append(True)

    assert await reading.join()
    await consumer.close()
    async with consumer:
        assert not consumer.stopped


async def test_stopping_while_the_server_is_out_of_reach(start_server: Any) -> None:
    """
    A consumer that tries again and again ends as well.
    """
    server = start_server()
    async with connect(server) as client:
        consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=50_000)
        reading = spawn(consumer.get_entry)
        await until_it_waits(client)
        server.kill()
        await sleep(0.1)

        consumer.stop()

        assert (None, None) == await reading.join()
        await consumer.close()


@pytest.mark.parametrize("kind", [{"a": {"identifier": 0}}, {**GROUP, "start_from_backlog": True}])
async def test_entering_with_a_read_outstanding(client: Redis[Any], kind: dict[str, Any]) -> None:
    """
    It begins afresh even so: the reply to a read that was sent before moves nothing.
    """
    await fill(client, "a", 1, 3)
    consumer = client.xconsumer(["a"], buffer_size=1, prefetch=True, **kind)
    assert numbered(1, 2) == await take(consumer, 2)

    async with consumer:
        again = await identifiers(consumer)

    assert numbered(1, 3) == again


async def test_draining(client: Redis[Any]) -> None:
    """
    What was fetched and not served is given at once, with its streams, and is served no more.
    """
    first, second = "{tag}a", "{tag}b"  # one read brings both, on a cluster as well
    await fill(client, first, 1, 3)
    await fill(client, second, 7, 7)
    places: Any = {stream: {"identifier": 0} for stream in (first, second)}
    consumer = client.xconsumer([first, second], buffer_size=9, parameters=places)
    await take(consumer)
    await consumer.close()

    drained = [(stream, entry.identifier) for stream, entry in consumer.drain()]

    assert [(b"{tag}b", b"7-0"), (b"{tag}a", b"2-0"), (b"{tag}a", b"3-0")] == drained
    assert ([], []) == (consumer.drain(), await identifiers(consumer))


# ----------------------------------------------------------------------------------- without acknowledgement: no copy


def noack(client: Redis[Any], **options: Any) -> Any:
    """
    Make a member whose entries are nowhere else once they are delivered.
    """
    return client.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=True, **options)


@pytest.mark.parametrize("how", ["iterate", "drain", "enter"])
async def test_closing_keeps_what_has_no_copy(client: Redis[Any], how: str) -> None:
    """
    It is still served, or drained, or served after the consumer was entered again.
    """
    await fill(client, "a", 1, 4)
    consumer = noack(client, buffer_size=2)
    assert [b"1-0"] == await take(consumer)
    await consumer.close()

    if how == "iterate":
        assert numbered(2, 3) == await identifiers(consumer)
    elif how == "drain":
        assert numbered(2, 3) == [entry.identifier for _, entry in consumer.drain()]
    else:
        async with consumer:
            assert numbered(2, 4) == await identifiers(consumer)
    assert 0 == consumer.statistics.possibly_lost


@pytest.mark.parametrize("added", [0, 2])
async def test_closing_collects_what_is_on_its_way(client: Redis[Any], added: int) -> None:
    """
    A read that was broken off is answered before its connection is closed, whether there is something or not.
    """
    consumer = noack(client, timeout=50_000, buffer_size=9)
    await leave_waiting(client, consumer)
    if added:
        async with client.pipeline(transaction=True) as pipeline:
            for number in range(1, added + 1):
                pipeline.xadd("a", {"number": number}, identifier=f"{number}-0")
            await pipeline.execute()

    await consumer.close()

    assert numbered(1, added) == await identifiers(consumer)
    assert 0 == consumer.statistics.possibly_lost
    assert [] == await waiting_clients(client)


@pytest.mark.parametrize("release", [True, "all"])
async def test_what_has_no_copy_is_not_handed_back(client: Redis[Any], release: Any) -> None:
    """
    It is not pending anywhere, so it is still served.
    """
    await fill(client, "a", 1, 3)
    consumer = noack(client, buffer_size=9)
    assert [b"1-0"] == await take(consumer)

    await consumer.close(release=release)

    assert numbered(2, 3) == await identifiers(consumer)


async def test_closing_says_what_it_could_not_collect(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    The server does not answer any more: the read may have brought something, and that is counted.
    """
    async with connect(proxy, stream_timeout=0.1) as distant:
        consumer = noack(distant, timeout=50_000)
        await leave_waiting(client, consumer)
        proxy.blackhole()

        await consumer.close()

        assert 1 == consumer.statistics.possibly_lost
        proxy.heal()


# ------------------------------------------------------------------------------------------------------------ streams


@KINDS
async def test_a_waiting_read_takes_in_a_new_stream(client: Redis[Any], kind: dict[str, Any]) -> None:
    """
    At once, and not when its wait is over.
    """
    consumer = client.xconsumer(["a"], timeout=50_000, block_slice=50_000, **kind)
    reading = spawn(consumer.get_entry)
    await until_it_waits(client)

    assert await consumer.add_stream("b")
    await fill(client, "b", 1, 1)

    stream, entry = await reading.join()
    assert entry is not None
    assert (b"b", b"1-0") == (stream, entry.identifier)
    assert {"a", "b"} == consumer.streams
    await consumer.close()


@KINDS
async def test_a_waiting_read_leaves_a_stream_alone(client: Redis[Any], kind: dict[str, Any]) -> None:
    """
    Once it is removed, nothing of it comes any more.
    """
    consumer = client.xconsumer(["a", "b"], timeout=50_000, block_slice=50_000, **kind)
    reading = spawn(consumer.get_entry)
    await until_it_waits(client)
    # On a cluster the other node may not have been asked yet, and what is on its way is still served.
    await until(lambda: all(reader.started for reader in consumer._readers.values()))

    assert await consumer.remove_stream(b"b")
    assert not await consumer.remove_stream("b")
    await fill(client, "b", 1, 1)
    await fill(client, "a", 2, 2)

    stream, entry = await reading.join()
    assert entry is not None
    assert (b"a", b"2-0") == (stream, entry.identifier)
    with pytest.raises(ValueError, match="'a' is the only stream"):
        await consumer.remove_stream("a")
    await consumer.close()


async def test_what_was_fetched_of_a_removed_stream(client: Redis[Any]) -> None:
    """
    It is still served; what comes after it is not, unless the stream is added again.
    """
    stays, goes = b"{tag}a", b"{tag}b"  # one read brings both, on a cluster as well
    for name in (stays, goes):
        await fill(client, name.decode(), 1, 2)
    consumer = client.xconsumer([stays, goes], **GROUP)
    assert [b"1-0"] == await take(consumer)
    await consumer.remove_stream(goes)

    assert [(goes, b"1-0"), (stays, b"2-0")] == [(stream, entry.identifier) async for stream, entry in consumer]
    assert await consumer.add_stream(goes)
    assert [(goes, b"2-0")] == [(stream, entry.identifier) async for stream, entry in consumer]


# ---------------------------------------------------------------------------------------------------------- positions


async def test_going_on_from_positions(redis: Redis[Any]) -> None:
    """
    Kept after each entry, whatever is in the buffer: another consumer goes on with the next one, in each stream.
    """
    for stream in ("a", "b"):
        await fill(redis, stream, 1, 5)
    await fill(redis, "empty", 1, 1)
    positions: Any = {"a": "0", "b": "0", "empty": "1-0"}
    seen: list[Any] = []
    for size in (0, 1, 3, 9, 9):
        places = {stream: {"identifier": identifier} for stream, identifier in positions.items()}
        consumer = redis.xconsumer(list(places), buffer_size=size, parameters=places)
        async with consumer:
            for _ in range(3):
                stream, entry = await consumer.get_entry()
                if stream is not None and entry is not None:
                    seen.append((stream, entry.identifier))
            positions = consumer.positions

    assert 10 == len(seen) == len(set(seen))
    for name in {stream for stream, _ in seen}:
        mine = [identifier for stream, identifier in seen if stream == name]
        assert sorted(mine) == mine


async def test_positions_say_where_reading_began(client: Redis[Any]) -> None:
    """
    Before anything came: after the last entry, or at the beginning of a stream that is not there; unknown before that.
    """
    await fill(client, "a", 1, 3)
    consumer = client.xconsumer(["a", "none"])
    assert {} == consumer.positions

    async with consumer:
        assert {"a": b"3-0", "none": b"0-0"} == consumer.positions


async def test_positions_of_a_group(client: Redis[Any]) -> None:
    """
    The last entry that the application got here; nothing before that.
    """
    await fill(client, "a", 1, 3)
    consumer = client.xconsumer(["a", "none"], buffer_size=9, **GROUP)
    async with consumer:
        assert {} == consumer.positions
        given = [(await take(consumer), consumer.positions) for _ in range(3)]

    assert [([identifier], {"a": identifier}) for identifier in numbered(1, 3)] == given


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("size", [0, 2, 9])
async def test_positions_of_a_backlog(client: Redis[Any], prefetch: bool, size: int) -> None:
    """
    They go on from entry to entry, though the group stands further on.
    """
    await deliver(client, "c", 1, 5)
    await fill(client, "a", 6, 7)
    consumer = client.xconsumer(
        ["a"], group="g", consumer="c", buffer_size=size, start_from_backlog=True, prefetch=prefetch
    )
    async with consumer:
        for number in range(1, 8):
            assert numbered(number, number) == await take(consumer)
            assert {"a": b"%d-0" % number} == consumer.positions


@pytest.mark.parametrize("prefetch", [False, True])
async def test_positions_of_a_group_from_read_to_read(client: Redis[Any], prefetch: bool) -> None:
    """
    A stream stays where it is while entries of another one are served, though new ones of its own are in the buffer.
    """
    positions: dict[str, bytes] = {}
    async with client.xconsumer(["a", "b"], buffer_size=9, timeout=20, prefetch=prefetch, **GROUP) as consumer:
        for number in (1, 2, 3):
            await fill(client, "a", number, number)
            await fill(client, "b", number, number)
            while any(positions.get(name) != b"%d-0" % number for name in ("a", "b")):
                stream, entry = await consumer.get_entry()
                if entry is not None:  # else it was later than the consumer waits for it
                    positions[stream.decode()] = entry.identifier
                assert positions == consumer.positions
            assert [] == await take(consumer)
            assert positions == consumer.positions

    assert {"a": b"3-0", "b": b"3-0"} == positions


# ------------------------------------------------------------------------------------------------- groups and members


async def test_a_vanished_group_is_an_error_once(client: Redis[Any]) -> None:
    """
    If asked for: the next call makes it again.
    """
    await fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], recover_group="raise", **GROUP)
    await take(consumer)
    await client.xgroup_destroy("a", "g")
    await fill(client, "a", 2, 2)

    with pytest.raises(StreamConsumerGroupError):
        await consumer.get_entry()
    assert (0, False) == (consumer.statistics.groups_recreated, bool(await client.xinfo_groups("a")))

    assert [b"2-0"] == await take(consumer)
    assert 1 == consumer.statistics.groups_recreated


async def test_pruning(client: Redis[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Members that are idle go, but neither one with pending entries nor the consumer itself, in each of its streams.
    """
    monkeypatch.setattr(pruning, "SHORTEST_IDLE", 1)
    await deliver(client, "busy", 1, 1)
    await client.xgroup_create("b", "g", "0", mkstream=True)
    for stream in ("a", "b"):
        for member in ("gone", "c"):
            await client.xgroup_createconsumer(stream, "g", member)
    consumer = client.xconsumer(["a", "b"], **GROUP)
    assert [] == await consumer.prune(MINUTE)
    await sleep(0.02)

    assert [b"gone"] == await consumer.prune(10)

    assert {b"busy", b"c"} == {member[b"name"] for member in await client.xinfo_consumers("a", "g")}
    assert {b"c"} == {member[b"name"] for member in await client.xinfo_consumers("b", "g")}
    assert {b"1-0": (b"busy", 1)} == await pending(client)


async def test_pruning_where_something_is_missing(client: Redis[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A stream that is gone, or whose group is, does not keep the others from being pruned; what is no stream is an error.
    """
    monkeypatch.setattr(pruning, "SHORTEST_IDLE", 0)
    consumer = client.xconsumer(["a", "b", "c"], **GROUP)
    await consumer.get_entry()
    for stream in "abc":
        await client.xgroup_createconsumer(stream, "g", "gone")
    await client.delete(["a"])
    await client.xgroup_destroy("b", "g")
    await sleep(0.002)

    assert [b"gone"] == await consumer.prune(1)
    await client.set("a", "text")
    with pytest.raises(ResponseError):
        await consumer.prune(1)


async def test_pruning_what_may_only_wait(client: Redis[Any]) -> None:
    """
    A member looks idle while it waits for entries, so less than a minute is refused.
    """
    with pytest.raises(ValueError, match=r"idle: .*60000.*59999"):
        await client.xconsumer(["a"], **GROUP).prune(59_999)


# -------------------------------------------------------------------------------------------------- half a connection


async def test_the_servers_half_of_a_dead_connection_is_closed(
    server: Server, client: Redis[Any], proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where packets get lost the server goes on serving a connection that is dead, and the entries go there. The next connection
    has it closed, by number and address, and the entries are read again.
    """
    async with connect(proxy, stream_timeout=0.2) as distant:
        consumer = distant.xconsumer(["a"], timeout=30_000, block_slice=20_000, **GROUP)
        reading = spawn(consumer.get_entry)
        await until_it_waits(client)
        (phantom,) = await waiting_clients(client)
        # Through the proxy the server sees another address than we do.
        monkeypatch.setattr(rt.Channel, "local_address", phantom["addr"])
        (reader,) = consumer._readers.values()
        proxy.blackhole()
        reader.deadline = 0.0  # the wait of 20 seconds is over
        consumer._alarm.ring()
        await until(lambda: consumer.statistics.reconnects)
        await fill(client, "a", 1, 1)
        assert {b"1-0": (b"c", 1)} == await pending(client)
        proxy.heal()

        _, entry = await reading.join()
        assert entry is not None
        assert b"1-0" == entry.identifier
        assert phantom["addr"] not in {each["addr"] for each in await clients_of(client)}  # numbers are each node's own
        kills = [command for command in proxy.commands if command[:2] == [b"CLIENT", b"KILL"]]
        assert [
            [b"CLIENT", b"KILL", b"ID", str(phantom["id"]).encode(), b"ADDR", str(phantom["addr"]).encode()]
        ] == kills
        assert 1 == consumer.statistics.recovered
        await consumer.close()


async def test_streams_that_change_while_they_are_arranged(client: Redis[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One that another task or thread adds just then is read, and one that it removes is not missed.
    """
    await fill(client, "c", 1, 1)
    consumer = client.xconsumer(["a", "b"], timeout=10_000)
    places = client.places

    async def late(names: Any, **how: Any) -> Any:
        found = await places(names, **how)
        monkeypatch.undo()
        await consumer.add_stream("c", "0")
        await consumer.remove_stream("b")
        return found

    monkeypatch.setattr(client, "places", late)

    stream, _ = await consumer.get_entry()

    assert b"c" == stream
    await consumer.close()
