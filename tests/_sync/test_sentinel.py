# Generated from tests/_async/test_sentinel.py by scripts/generate.py: edit that file, not this one.
"""
Whom a client of a sentinel's service asks, what it believes, where it connects, and when it moves on.

Sentinels and servers are played here; ``test_sentinel_failovers`` has real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from coredis.sync import RetryPolicy
from coredis._sync.sentinel_sources import PrimarySource, ReplicaSource
from coredis.exceptions import (
    ConnectionError,
    PrimaryNotFoundError,
    ReadOnlyError,
    ReplicaNotFoundError,
    SentinelError,
    StalePrimaryError,
)
from tests._sync.waiting import until
from tests.support.blocking import Consumer, Redis, Sentinel, connect, gather, sleep, spawn
from tests.support.fake_sentinels import Node, Place, Story
from tests.support.scripted import ScriptedServer

#: So short that a client which cannot find a server says so soon.
HASTY: dict[str, Any] = {"stream_timeout": 2.0, "retry_policy": RetryPolicy(base_delay=0.001, max_delay=0.01)}
#: For sentinels that are silent on purpose.
QUICK: dict[str, Any] = {"stream_timeout": 0.1}


class Play(Protocol):
    """
    Takes a script.
    """

    def __call__(self, script: Story | Node) -> ScriptedServer: ...


@pytest.fixture
def play() -> Iterator[Play]:
    """
    A function that starts a scripted server for this test.
    """
    with ExitStack() as running:
        yield lambda script: running.enter_context(ScriptedServer(script))


def of(*sentinels: ScriptedServer, **options: Any) -> Sentinel[str]:
    """
    Make a ``Sentinel`` whose clients decode and give up soon.
    """
    options = {"decode_responses": True, **HASTY, **options}
    made: Sentinel[str] = Sentinel([sentinel.address for sentinel in sentinels], **options)
    return made


def name_of(client: Redis[str]) -> str | None:
    """
    Ask the server at the other end for its name.
    """
    return client.get("name")


def test_a_client_goes_where_the_sentinel_says(play: Play) -> None:
    """
    The address comes from the sentinel.
    """
    sentinel = play(Story(play(Node("one"))))

    with of(sentinel).primary_for("store") as client:
        assert "one" == name_of(client)


@pytest.mark.parametrize("given", ["mapping", "function"])
def test_an_address_map(play: Play, given: str) -> None:
    """
    Servers are where the map says, the primary and the replicas, also after a failover; the sentinels are where they are.
    """
    heir = Node("two", role="slave")
    one, two, three = play(Node("one")), play(heir), play(Node("three", role="slave"))
    inside = {Place("10.0.0.1", 6379): one, Place("10.0.0.2", 6379): two, Place("10.0.0.3", 6379): three}
    first, second, third = inside
    story = Story(first, replicas=(second, third))
    outside = {(place.host, place.port): server.address for place, server in inside.items()}
    mapping: Any = outside if given == "mapping" else lambda announced: outside[announced]
    made = of(play(story), address_map=mapping, service="store")

    with made, made.primary_for() as primary, made.replica_for() as replica:
        assert one.address == made.discover_primary()
        assert sorted([two.address, three.address]) == sorted(made.discover_replicas())
        assert "one" == name_of(primary)
        assert name_of(replica) in ("two", "three")
        story.primary, story.epoch, story.replicas = second, 2, (first, third)
        heir.role = "master"
        primary.close()

        assert "two" == name_of(primary)


@pytest.mark.parametrize(
    "wrong", [lambda announced: None, lambda announced: {}[announced]], ids=["no address", "fails"]
)
def test_a_bad_address_map(play: Play, wrong: Any) -> None:
    """
    It is not taken for a fault of a sentinel's or a server's, and named; one that is no map at all is refused at once.
    """
    made = of(play(Story(play(Node("one")))), address_map=wrong, service="store")

    with made, made.primary_for() as client:
        for question in (client.ping, made.discover_primary):
            with pytest.raises(SentinelError, match="address_map"):
                question()
    with pytest.raises(TypeError, match="address_map: expected a mapping or a function, got int"):
        Sentinel([("localhost", 1)], address_map=1)  # type: ignore[call-overload]


def test_role_is_asked_in_the_round_trip_of_the_handshake(play: Play) -> None:
    """
    A connect is one ROLE and no more questions to the server.
    """
    node = play(Node("one"))

    with of(play(Story(node))).primary_for("store") as client:
        name_of(client)
    assert [[b"ROLE"], [b"GET", b"name"]] == node.commands


@pytest.mark.parametrize(
    "useless",
    [
        Story(None),
        Story(None, silent=True),
        Story(None, error="NOAUTH Authentication required."),
        Story(None, error="ERR unknown command 'SENTINEL'"),
    ],
    ids=["does not know the service", "silent", "refuses", "is no sentinel"],
)
def test_the_next_sentinel_is_asked(play: Play, useless: Story) -> None:
    """
    A sentinel that gives no useful answer is passed over, whichever is asked first.
    """
    sentinels = play(useless), play(useless), play(Story(play(Node("one"))))

    with of(*sentinels, stream_timeout=10.0, sentinel_kwargs=QUICK).primary_for("store") as client:
        assert "one" == name_of(client)


def test_a_dead_sentinel_is_passed_over(play: Play) -> None:
    """
    A sentinel that cannot be reached is no obstacle.
    """
    alive = play(Story(play(Node("one"))))

    with Sentinel([("127.0.0.1", 1), alive.address], decode_responses=True).primary_for("store") as client:
        assert "one" == name_of(client)


def test_a_useful_sentinel_is_asked_first_next_time(play: Play) -> None:
    """
    Once a sentinel was useful, the useless ones are left alone.
    """
    useless = [Story(None), Story(None), Story(None)]
    useful = Story(play(Node("one")))
    with of(*map(play, [*useless, useful])) as sentinel:
        sentinel.discover_primary("store")
        asked = sum(story.questions for story in useless)

        sentinel.discover_primary("store")

        assert (asked, 2) == (sum(story.questions for story in useless), useful.questions)


def test_the_order_is_random_at_first(play: Play) -> None:
    """
    Clients that start together do not all ask the same sentinel.
    """
    node = play(Node("one"))
    stories = [Story(node), Story(node)]
    sentinels = [play(story) for story in stories]
    for _ in range(60):  # all the same: once in 2**59
        with of(*sentinels) as sentinel:
            sentinel.discover_primary("store")
        if all(story.questions for story in stories):
            break

    assert all(story.questions for story in stories)


def test_an_outdated_sentinel_is_not_believed(play: Play) -> None:
    """
    After an answer of a later failover, one of an earlier failover counts for nothing.
    """
    old, new = play(Node("old")), play(Node("new"))
    ahead, behind = Story(new, epoch=2), Story(old, epoch=1, error="ERR not yet")
    with of(play(ahead), play(behind)).primary_for("store") as client:
        name_of(client)
        ahead.error, behind.error = "ERR gone", ""
        drop_connection(client)

        with pytest.raises(PrimaryNotFoundError, match="is behind the others"):
            name_of(client)


def test_sentinels_that_were_set_up_anew_are_believed(play: Play) -> None:
    """
    When most sentinels count failovers from the beginning again, they are right.
    """
    stories = [Story(play(Node("old")), epoch=7) for _ in range(3)]
    new = play(Node("new"))
    with of(*map(play, stories)).primary_for("store") as client:
        name_of(client)
        for story in stories:
            story.primary, story.epoch = new, 0
        drop_connection(client)

        assert "new" == name_of(client)


def drop_connection(client: Redis[str]) -> None:
    """
    Have the client connect anew, without forgetting what it has heard.
    """
    client.discard(client.pool.acquire(False, 1e12))


def test_a_wrong_role_sends_to_the_next_sentinel(play: Play) -> None:
    """
    A sentinel that names a replica is wrong, and another one knows better.
    """
    wrong, right = Story(play(Node("replica", role="slave"))), Story(play(Node("primary")))

    with of(play(wrong), play(right)).primary_for("store") as client:
        assert "primary" == name_of(client)


def test_no_primary_at_the_address_named(play: Play) -> None:
    """
    When all sentinels name a replica until time is up, the error says so, and nothing was executed.
    """
    sentinel = play(Story(play(Node("replica", role="slave"))))
    with of(sentinel).primary_for("store") as client:
        with pytest.raises(StalePrimaryError, match="is replica, and a sentinel says that it is a master") as caught:
            name_of(client)

    assert (False, True) == (caught.value.may_have_run, isinstance(caught.value, ConnectionError))


def test_a_promotion_is_waited_for(play: Play) -> None:
    """
    A server that is promoted while the client looks for a primary is found within the command's time.
    """
    node = Node("one", role="slave")
    with of(play(Story(play(node))), stream_timeout=10.0).primary_for("store") as client:
        asking = spawn(lambda: name_of(client))
        sleep(0.05)
        node.role = "master"

        assert "one" == asking.join()


def test_a_primary_that_is_down_is_not_tried(play: Play) -> None:
    """
    The sentinels' word that the primary does not answer is enough.
    """
    node = play(Node("one"))
    with of(play(Story(node, flags="master,s_down"))).primary_for("store") as client:
        with pytest.raises(PrimaryNotFoundError, match=r"says that 127.0.0.1:\d+ is down"):
            name_of(client)

    assert 0 == node.accepted


def test_an_unknown_service_is_told_at_once(play: Play) -> None:
    """
    Waiting would not help when no sentinel knows the service.
    """
    story = Story(None)
    with of(play(story), stream_timeout=60.0, retry_policy=RetryPolicy(0)).primary_for("shop") as client:
        with pytest.raises(PrimaryNotFoundError, match=r"'shop'.*does not know it") as caught:
            name_of(client)

    assert (False, 1) == (caught.value.temporary, story.questions)


def test_a_sentinel_that_is_cut_off_is_not_believed(play: Play) -> None:
    """
    ``min_other_sentinels`` says how many others a sentinel must know.
    """
    alone, connected = Story(play(Node("old")), others=0), Story(play(Node("new")), others=1)

    with of(play(alone), play(connected), min_other_sentinels=1).primary_for("store") as client:
        assert "new" == name_of(client)


def test_a_primary_that_was_replaced_is_left(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The sentinels are asked again while a client is in use, although its connection works.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.05)
    old = play(Node("old"))
    story = Story(old)
    with of(play(story)).primary_for("store") as client:
        name_of(client)
        story.primary, story.epoch = play(Node("new")), 2
        sleep(0.06)

        assert "new" == name_of(client)
        assert 0 == old.live


def test_a_replaced_primary_is_left_by_consumers(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A connection beside the pool is closed too when any command hears of the new primary.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.05)
    story = Story(play(Node("old")))
    with of(play(story)).primary_for("store") as client:
        detached = client.detach(1e12)
        story.primary, story.epoch = play(Node("new")), 2
        sleep(0.06)

        name_of(client)

        assert detached.channel.closed


class Endless(Node):
    """
    A server that has an entry for every read, which tells its name.
    """

    def __call__(self, command: list[bytes]) -> Any:
        if command[0] != b"XREAD":
            return super().__call__(command)
        name = super().__call__(command)
        assert isinstance(name, bytes)
        return b"%1\r\n$7\r\nnumbers\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$4\r\nname\r\n" + name


@pytest.mark.parametrize("prefetch", [False, True], ids=["", "reading ahead"])
def test_a_consumer_alone_leaves_a_replaced_primary(
    play: Play, monkeypatch: pytest.MonkeyPatch, prefetch: bool
) -> None:
    """
    A consumer finds out by itself, before it reads, that its primary was replaced, and loses no call by that.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.05)
    old = play(Endless("old"))
    story = Story(old)
    options: dict[str, Any] = {"retry_policy": RetryPolicy(0)}
    with of(play(story), **options).primary_for("store") as client:
        consumer = client.xconsumer(["numbers"], prefetch=prefetch, numbers={"identifier": "0-0"})
        assert ["old"] == names_read(consumer, 1)
        story.primary, story.epoch = play(Endless("new")), 2
        sleep(0.06)

        names = names_read(consumer, 3)

        assert ["new"] * (2 if prefetch else 3) == names[prefetch:]  # one read was under way
        assert 1 == consumer.statistics.reconnects
        until(lambda: not old.live)
        consumer.close()


def test_consumers_do_not_ask_before_every_read(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The sentinels hear of a consumer when it connects, and not again before the period is over.
    """
    monkeypatch.setattr(PrimarySource, "period", 60.0)
    story = Story(play(Endless("one")))
    with of(play(story)).primary_for("store") as client:
        consumer = client.xconsumer(["numbers"], numbers={"identifier": "0-0"})
        names_read(consumer, 1)
        before = story.questions

        names_read(consumer, 20)

        assert before == story.questions
        consumer.close()


def names_read(consumer: Consumer[str], count: int) -> list[str]:
    """
    Read entries, and give the names of the servers that they are from.
    """
    names: list[str] = []
    for _ in range(count):
        _, entry = consumer.get_entry()
        assert entry is not None
        names.append(entry.field_values["name"])
    return names


def test_a_service_works_on_without_its_sentinels(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Sentinels that do not answer any more change nothing, and do not hold up every command.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.05)
    node, story = play(Node("one")), Story(None)
    story.primary = node
    with of(play(story), stream_timeout=5.0).primary_for("store") as client:
        name_of(client)
        story.silent = True
        sleep(0.06)
        before = story.questions

        assert ["one"] * 20 == [name_of(client) for _ in range(20)]
        assert (1, 1) == (story.questions - before, node.accepted)


def test_many_callers_ask_once(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One of them asks the sentinels, for all.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.2)
    node = play(Node("one"))
    story = Story(node)
    with of(play(story), stream_timeout=30.0).primary_for("store") as client:
        name_of(client)
        sleep(0.25)
        monkeypatch.setattr(PrimarySource, "period", 60.0)
        before = story.questions

        gather(*[lambda: name_of(client) for _ in range(20)])

        # Threads need connections of their own, and each connect asks too.
        assert story.questions - before <= node.accepted


def test_a_replica_in_touch_with_its_primary_is_chosen(play: Play) -> None:
    """
    Replicas that are down are never chosen, those that lost the primary only when there is no other.
    """
    good, lagging, down = (play(Node(name, role="slave")) for name in ("good", "lagging", "down"))
    story = Story(play(Node("primary")), (down, lagging, good), lagging=(lagging,), down=(down,))
    for replicas, expected in (((down, lagging, good), "good"), ((down, lagging), "lagging"), ((down,), "primary")):
        story.replicas = replicas
        with of(play(story)).replica_for("store") as client:
            assert expected == name_of(client)

    assert 0 == down.accepted


def test_replicas_serve_without_their_primary(play: Play) -> None:
    """
    Reads from replicas go on while the primary is down.
    """
    story = Story(play(Node("primary")), (play(Node("replica", role="slave")),), flags="master,o_down")

    with of(play(story)).replica_for("store") as client:
        assert "replica" == name_of(client)


def test_another_replica_is_tried(play: Play) -> None:
    """
    A replica that cannot be reached, or was promoted, is passed over.
    """
    gone = ScriptedServer(Node("gone"))
    with gone:
        pass
    promoted, good = play(Node("promoted")), play(Node("good", role="slave"))
    story = Story(play(Node("primary")), (gone, promoted, good))

    with of(play(story), stream_timeout=5.0).replica_for("store") as client:
        assert "good" == name_of(client)


def test_a_replica_client_returns_to_replicas(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The primary stands in only until there is a replica again.
    """
    monkeypatch.setattr(ReplicaSource, "period", 0.05)
    story = Story(play(Node("primary")))
    with of(play(story)).replica_for("store") as client:
        assert "primary" == name_of(client)
        story.replicas = (play(Node("replica", role="slave")),)
        sleep(0.06)

        assert "replica" == name_of(client)


def test_what_a_replica_refuses_is_not_sent_again(play: Play) -> None:
    """
    A write to a replica is a mistake of the caller.
    """

    class Stubborn(Node):
        def __call__(self, command: list[bytes]) -> Any:
            return b"-READONLY You can't write\r\n" if command[0] == b"SET" else super().__call__(command)

    replica = play(Stubborn("replica", role="slave"))
    with of(play(Story(play(Node("primary")), (replica,)))).replica_for("store") as client:
        with pytest.raises(ReadOnlyError):
            client.set("key", "value")

    assert 1 == [command[0] for command in replica.commands].count(b"SET")


def test_no_replica_and_no_primary(play: Play) -> None:
    """
    The error says what was looked for.
    """
    sentinel = play(Story(None, error="NOAUTH Authentication required."))
    with of(sentinel, stream_timeout=60.0).replica_for("store") as client:
        with pytest.raises(ReplicaNotFoundError, match="NOAUTH"):
            name_of(client)


def test_discovery(play: Play) -> None:
    """
    Addresses can be had without connecting to them.
    """
    primary, good, lagging, down = (play(Node(name)) for name in ("primary", "good", "lagging", "down"))
    story = Story(primary, (lagging, down, good), lagging=(lagging,), down=(down,))
    with of(play(story)) as sentinel:
        assert primary.address == sentinel.discover_primary("store")
        assert [good.address, lagging.address] == sentinel.discover_replicas("store")

    assert 0 == primary.accepted


def test_discovery_fails_with_a_reason(play: Play) -> None:
    """
    Each sentinel's reason is in the message.
    """
    with of(play(Story(None)), play(Story(None, error="ERR oops"))) as sentinel:
        for discover in (sentinel.discover_primary, sentinel.discover_replicas):
            with pytest.raises(SentinelError, match=r"(?=.*does not know it)(?=.*ERR oops)"):
                discover("store")


def test_closing_a_client_ends_its_search(play: Play) -> None:
    """
    A command that looks for a primary when its client is closed fails, and leaves nothing open.
    """
    sentinel = play(Story(play(Node("replica", role="slave"))))
    client = of(sentinel, stream_timeout=60.0).primary_for("store")
    asking = spawn(lambda: name_of(client))
    sleep(0.05)

    client.close()

    with pytest.raises(ConnectionError, match="closed"):
        asking.join()
    until(lambda: not sentinel.live)


def test_a_closed_client_can_be_used_again(play: Play) -> None:
    """
    As with any client.
    """
    client = of(play(Story(play(Node("one"))))).primary_for("store")
    names = []
    for _ in range(2):
        with client:
            names.append(name_of(client))

    assert ["one", "one"] == names


def test_a_sentinel_that_is_not_closed_is_told_of(play: Play) -> None:
    """
    Connections of questions are not forgotten in silence.
    """
    sentinel = of(play(Story(play(Node("one")))))
    sentinel.discover_primary("store")

    with pytest.warns(ResourceWarning, match="unclosed <Sentinel"):
        del sentinel
    sleep(0)


def test_clients_are_ordinary_and_typed(play: Play) -> None:
    """
    They are ``Redis`` clients with the options given, those of the call before those of the ``Sentinel``.
    """
    sentinel = of(play(Story(None)), db=2, client_name="all")
    client = sentinel.primary_for("store", db=3)

    assert isinstance(client, Redis)
    assert "<Redis primary of 'store' db=3>" == repr(client)
    assert "<Redis replica of 'store' db=2>" == repr(sentinel.replica_for("store"))
    assert client.decode_responses


def test_a_pipeline_leaves_a_demoted_primary(play: Play) -> None:
    """
    A refusal inside a pipeline is the caller's to handle, and the next command goes to the new primary.
    """

    class Demoted(Node):
        def __call__(self, command: list[bytes]) -> Any:
            return b"-READONLY You can't write\r\n" if command[0] == b"SET" else super().__call__(command)

    story = Story(play(Demoted("old")))
    with of(play(story)).primary_for("store") as client:
        name_of(client)
        story.primary, story.epoch = play(Node("new")), 2
        with client.pipeline(transaction=False, raise_on_error=False) as pipeline:
            refused = pipeline.set("key", "value")

        assert isinstance(refused.error, ReadOnlyError)
        assert "new" == name_of(client)


def test_many_entries_leave_a_demoted_primary(play: Play) -> None:
    """
    What it refuses goes to the new one, with all after it.
    """

    class Demoted(Node):
        def __call__(self, command: list[bytes]) -> Any:
            if command[0] == b"XADD" and command[-1] == b"0":
                return b"$3\r\n1-1\r\n"
            return b"-READONLY You can't write\r\n" if command[0] == b"XADD" else super().__call__(command)

    class Promoted(Node):
        def __call__(self, command: list[bytes]) -> Any:
            return b"$3\r\n2-%s\r\n" % command[-1] if command[0] == b"XADD" else super().__call__(command)

    story = Story(play(Demoted("old")))
    with of(play(story)).primary_for("store") as client:
        name_of(client)
        story.primary, story.epoch = play(Promoted("new")), 2
        additions = client.xadd_many("s", [{"n": number} for number in range(3)])

    assert ("1-1", "2-1", "2-2") == additions.identifiers


def test_many_entries_go_where_the_primary_is_now(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The sentinels are asked in the middle as well: a primary that was replaced may not know it, and goes on accepting.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.05)
    counts = {"old": 0, "new": 0}

    class Accepting(Node):
        def __call__(self, command: list[bytes]) -> Any:
            if command[0] != b"XADD":
                return super().__call__(command)
            counts[self.name] += 1
            return b"$3\r\n1-1\r\n"

    story, new = Story(play(Accepting("old"))), play(Accepting("new"))

    def change(_: object) -> None:
        if story.epoch == 1:
            story.primary, story.epoch = new, 2
            sleep(0.06)

    with of(play(story)).primary_for("store") as client:
        client.xadd_many("s", [{"n": number} for number in range(2500)], on_batch=change)

    assert {"old": 2000, "new": 500} == counts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sentinels": []}, "sentinels: expected at least one"),
        ({"sentinels": "localhost:26379"}, "sentinels: expected pairs of host and port, got 'localhost:26379'"),
        ({"sentinels": [("", 1)]}, "sentinels: expected a name or address"),
        ({"sentinels": [("a", 70000)]}, "sentinels: port: expected 1 to 65535, got 70000"),
        ({"min_other_sentinels": -1}, "min_other_sentinels: expected 0 to"),
        ({"sentinel_kwargs": {"db": 1}}, "sentinel_kwargs: unknown option 'db'"),
        ({"service": ""}, "service: expected a name, got an empty one"),
        ({"unix_socket_path": "/s"}, "unix_socket_path: sentinels tell host and port"),
        ({"stream_timeout": -1}, "stream_timeout: expected more than 0"),
        ({"db": -1}, "db: expected 0 to"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    """
    Mistakes are found when a ``Sentinel`` is made, and named.
    """
    with pytest.raises((TypeError, ValueError), match=message):
        Sentinel(**{"sentinels": [("localhost", 26379)], **arguments})


def test_a_service_must_be_named() -> None:
    """
    Once: when the ``Sentinel`` is made, or when it is asked.
    """
    with pytest.raises(ValueError, match="service: expected a name, here or when the Sentinel is made"):
        Sentinel([("localhost", 26379)]).primary_for()
    named: Sentinel[bytes] = Sentinel([("localhost", 26379)], service="store")
    assert "primary of 'store'" in repr(named.primary_for())


def test_a_client_of_a_fixed_address_is_not_affected(play: Play) -> None:
    """
    An ordinary client asks for no role.
    """
    node = play(Node("one"))
    with connect(node, decode_responses=True) as client:
        name_of(client)

    assert [[b"GET", b"name"]] == node.commands
