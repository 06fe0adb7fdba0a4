"""
Those who read in a simulation, with consumers of either flavour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from coredis._async.patterns.host import ConsumerHost
from coredis.exceptions import AskError, RedisError, StreamConsumerGroupError, UnblockedError
from coredis.patterns.streams import Consumer
from tests.support.memory.identifiers import exact
from tests.support.memory.stream import Stream
from tests.support.simulation.actors import Actor
from tests.support.simulation.sessions import Session, Violation

if TYPE_CHECKING:
    from tests.support.simulation.world import World

GROUP = "g"
#: Commands of one call without any time passing in between; more is a loop without a pause.
MOST_COMMANDS = 100
#: What a read that waits never tells: that a stream or its group is somewhere else, or was gone and can be made again.
_NO_BUSINESS: Final = (AskError, UnblockedError, StreamConsumerGroupError)


class Reader(Actor):
    """
    Reads with a consumer, and acknowledges some time later what it got.

    Attributes:
        session: since the consumer was made or closed
        held: what it got and has not acknowledged, by stream
        absent: streams it does not read at the moment
        changing: leaves a stream, or comes back to it
        ending: what comes next in closing and beginning afresh; empty: neither
    """

    consumer: Consumer[bytes]

    def __init__(self, world: World, name: str, client: ConsumerHost[bytes], host: str, backlog: bool) -> None:
        super().__init__(world, name, client)
        self.host = host
        self.held: list[tuple[bytes, bytes]] = []
        self.nothing = 0  # reads without a result in a row
        self.errors = 0  # failures in a row
        self._acknowledging: list[tuple[bytes, bytes]] = []
        self._began = 0  # how much had happened then
        self._doing = ""
        self.ending = ""
        self.absent: set[str] = set()  # streams it has left
        self.changing: asyncio.Task[bool] | None = None
        self._entered = False
        plan = world.plan
        if plan.mode == "plain":
            self.consumer = client.xconsumer(
                plan.streams,
                parameters={stream: {"identifier": "0-0"} for stream in plan.streams},
                **plan.consumer_options(),
            )
        else:
            self.consumer = client.xconsumer(
                plan.streams,
                group=GROUP,
                consumer=name,
                start_from_backlog=backlog,
                **plan.member_options(),
                **plan.consumer_options(),
            )
        self.session = self._begin(backlog)

    def _begin(self, backlog: bool) -> Session:
        session = Session(
            owner=self.host,
            consumer=self.name.encode(),
            since_link=self.world.network.latest,
            since_event=len(self.world.journal.events),
            backlog=backlog,
            takes_over=self.world.plan.claim_idle is not None,
            disordered=self.world.plan.proxied,
            lost_before=self.consumer.statistics.possibly_lost,
        )
        self.world.sessions.append(session)
        self.world.journal.several |= len(self.world.sessions) > 1
        return session

    def next_call(self) -> Callable[[], Any]:
        self.world.network.hurry.pop(self.host, None)
        if self.ending == "close":
            self._doing = "close"
            return self._close
        if self.ending == "enter":
            self._doing = "enter"
            return self._enter
        if self.world.quiet and self.absent:
            self.change(min(self.absent))
        if self.held and (self.world.quiet or self.random.random() < 0.3):
            stream = self.random.choice(self.held)[0]
            mine = [held for held in self.held if held[0] == stream]
            self._acknowledging = self.random.sample(mine, self.random.randint(1, len(mine)))
            identifiers = [identifier for _, identifier in self._acknowledging]
            if not self.world.quiet and self.random.random() < self.world.plan.handing_back:
                self._doing = "hand back"
                self.session.hand_back(self.world.journal, self._acknowledging)
                delay = self.random.choice((None, (self.world.plan.claim_idle or 0) * self.random.randrange(4)))
                return lambda: self.consumer.nack(stream, *identifiers, delay=delay)  # type: ignore[attr-defined]
            self._doing = "acknowledge"
            self._began = len(self.world.journal.events)
            self.world.journal.acknowledged.update(self.world.journal.places(self._acknowledging))
            if self.world.plan.own_acknowledgements:
                return lambda: self.consumer.ack(stream, *identifiers)
            return lambda: self.client.xack(stream, GROUP, identifiers)
        self._doing = "read"
        if self.world.plan.several:
            most = self.random.choice((None, 1, 2, 5))
            return lambda: self.consumer.get_entries(most)
        return self.consumer.get_entry

    def _close(self) -> Any:
        if self.world.plan.mode == "plain":
            return self.consumer.close()
        return self.consumer.close(release=self.world.plan.release)  # type: ignore[call-arg]

    def _enter(self) -> Any:
        """
        Begin afresh, after a close. What was fetched before and not acknowledged is no business of the new session.
        """
        self._begin_again()
        return self.consumer.__aenter__()

    def _begin_again(self) -> None:
        if not self._entered:
            self._entered = True
            self.session.alive = False
            self.session.lost = self.consumer.statistics.possibly_lost - self.session.lost_before
            self.session = self._begin(self.session.backlog)

    def change(self, stream: str) -> bool:
        """
        Leave a stream or come back to it, whatever else is going on; False: not now.
        """
        if self.changing is not None or self.ending:
            return False
        if stream in self.absent:
            self.changing = self.world.loop.create_task(self.consumer.add_stream(stream))
        elif len(self.absent) + 1 < len(self.world.plan.streams):
            self.absent.add(stream)
            self.changing = self.world.loop.create_task(self.consumer.remove_stream(stream))
            stream = ""
        else:
            return False
        self.changing.add_done_callback(lambda task: self._changed(task, stream))
        return True

    def _changed(self, task: asyncio.Task[bool], added: str) -> None:
        self.changing = None
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.absent.discard(added)
        elif not isinstance(error, RedisError):
            self.world.violations.append(f"{self.name}: {type(error).__name__}: {error}")

    def close(self) -> bool:
        """
        Close the consumer, with the next call; False: that is under way already.
        """
        if self.ending:
            return False
        self.ending = "close"
        return True

    def stop(self) -> bool:
        """
        End the reading while a call may be under way; False: that is so already.
        """
        if not self.close():
            return False
        self.consumer.stop()
        return True

    def _closed(self) -> None:
        self.ending = "rest"
        if self.world.plan.release == "all":
            self.held = []  # it is somebody else's now
        if self.world.plan.mode == "noack" and self.world.plan.drains:
            self._receive(self.consumer.drain())
            self.ending = "enter"

    def _receive(self, entries: list[Any]) -> None:
        for stream, entry in entries:
            self.session.give(self.world.journal, stream, entry)
            if self.world.plan.mode == "ack":
                self.held.append((stream, entry.identifier))

    def succeeded(self, result: Any) -> None:
        self.errors = 0
        if self._doing == "acknowledge" and not (self.world.plan.own_acknowledgements and self.world.plan.ack_buffer):
            self._check_acknowledged()
        if self._doing in ("acknowledge", "hand back"):
            self.held = [held for held in self.held if held not in self._acknowledging]
        elif self._doing == "close":
            self._closed()
        elif self._doing == "enter":
            self.ending, self._entered = "", False
        elif result not in ((None, None), []):
            self.nothing = 0
            self._receive(result if isinstance(result, list) else [result])
        elif self.ending == "rest":
            self.ending = "enter"  # what had been fetched has been served
        else:
            self.nothing += 1

    def _check_acknowledged(self) -> None:
        """
        See whether the server has what it is said to have.

        Raises:
            Violation: an entry is still pending
        """
        for key, identifier in self._acknowledging:
            stream = self.world.server.get(0, key)
            group = stream.groups.get(GROUP.encode()) if isinstance(stream, Stream) else None
            if group is None or exact(identifier) not in group.pending:
                continue
            # Where the group was made again, or a failover lost the acknowledgement, it may have been delivered once more.
            since = [event for event in self.world.journal.events[self._began :] if event.key == key]
            again = any(event.kind == "delivered" and event.identifier == exact(identifier) for event in since)
            if not again and not {"created", "gone", "restored"}.intersection(event.kind for event in since):
                raise Violation(f"{self.host}: {identifier!r} of {key!r} was acknowledged, and is pending")

    def check_hurry(self) -> None:
        """
        See whether the call under way sends one command after the other, without a pause.

        Raises:
            Violation: it does
        """
        _, commands = self.world.network.hurry.get(self.host, (0, 0))
        if commands > MOST_COMMANDS:
            raise Violation(f"{self.host} sends {commands} commands in one call without any pause")

    def check_places(self) -> None:
        """
        See whether the same stream is waited for at two nodes: one of them does not serve it any more.

        Raises:
            Violation: it is
        """
        found: dict[bytes, set[object]] = {}
        for link in self.world.network.links:
            blocked = link.connection.blocked
            if link.owner == self.host and not link.lost and blocked is not None:
                for key in blocked.keys:
                    found.setdefault(key, set()).add(link.connection.server)
        for key, nodes in found.items():
            if len(nodes) > 1:
                raise Violation(f"{self.host} waits for {key!r} at {nodes}")

    def failed(self, error: RedisError | None) -> None:
        if error is not None:
            self.errors += 1
            if self._doing == "read" and self.world.plan.timeout and isinstance(error, _NO_BUSINESS):
                self.world.violations.append(f"{self.name} was told: {type(error).__name__}: {error}")
            if self._doing == "close":
                self._closed()  # reading has ended all the same


class BlockingReader(Reader):
    """
    Reads with the blocking flavour. While one of its calls waits, the world goes on; a signal handler may break it off.
    """

    def _enter(self) -> Any:
        self._begin_again()
        return self.consumer.__enter__()  # type: ignore[attr-defined]

    def begin(self) -> bool:
        return False  # it has turns of its own

    def turn(self) -> None:
        """
        Make one call, from beginning to end.
        """
        call = self.next_call()
        assert call is not None
        try:
            result = call()
        except KeyboardInterrupt:
            self.failed(None)
        except Exception as error:  # which ones are expected is decided there
            self.raised(error)
        else:
            self.returned(result)
