"""
One seed's world: its server, network and clock, those who use the library in it, and what happens next.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import coredis.sync
from tests.support.memory.cluster import MemoryCluster
from tests.support.memory.server import MemoryServer
from tests.support.simulation.actors import Actor, Echoer, Producer
from tests.support.simulation.clock import replaced
from tests.support.simulation.cluster_faults import ClusterFaults
from tests.support.simulation.faults import Faults
from tests.support.simulation.loop import NestingLoop, SteppedLoop
from tests.support.simulation.network import Network
from tests.support.simulation.oracles import unfinished
from tests.support.simulation.plan import Plan
from tests.support.simulation.readers import BlockingReader, Reader
from tests.support.simulation.sessions import Journal, Session, Violation
from tests.support.simulation.sockets import Sockets

START = 1_000.0  # seconds: the clock of the library at the beginning
EPOCH = 1_700_000_000_000  # milliseconds: unix time at that moment, at the server
QUIET_STEPS = 20_000  # enough for everything to settle many times over
POLLING_STEPS = 200_000  # the same where streams are asked again and again, as on a cluster without RESP3
QUIET_SECONDS = 300.0


class Stuck(BaseException):
    """
    A blocking call waits for something that never comes.
    """


class Crashed(BaseException):
    """
    The process that waits has died.
    """


class World:
    """
    Everything there is, for one seed.

    Attributes:
        violations: promises that were broken
        quiet: nothing goes wrong any more
    """

    def __init__(self, seed: int, plan: Plan) -> None:
        self.random = Random(f"world {seed}")
        self.plan = plan
        self.journal = Journal()
        # Who comes back to a stream has forgotten where it was: a group that is gone by then is made from its beginning.
        self.journal.several = "change streams" in plan.faults
        self.server: MemoryServer | MemoryCluster
        if plan.primaries:
            self.server = MemoryCluster(
                plan.personality, primaries=plan.primaries, now=EPOCH, journal=self.journal.events
            )
            self._faults: Faults = ClusterFaults(self, self.server)
        else:
            self.server = MemoryServer(plan.personality, now=EPOCH, journal=self.journal.events)
            self._faults = Faults(self)
        self.network = Network(self.server, self.random)
        self.network.proxied = plan.proxied
        self.journal.owners = self.network.owners
        self.loop = NestingLoop(START) if seed % 2 else SteppedLoop(START)
        self.loop.dialer = self.network
        self.sessions: list[Session] = []
        self.violations: list[str] = []
        self.actors: list[Actor] = []
        self.crashed: list[Reader] = []
        self.clients: list[Any] = []
        self.steps = 0
        self._most_steps = POLLING_STEPS if plan.primaries and plan.protocol == 2 else QUIET_STEPS
        self.quiet = False
        self.history: list[tuple[int, str]] = []
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._hosts = 0
        self._deadline = math.inf  # of a blocking call that waits
        self.waiting = False  # a blocking call waits
        self.interrupting = False  # its next wait is broken off
        self.crashing = False  # its process dies in its next wait
        self._fault_rate = sum(plan.faults.values())

    # ------------------------------------------------------------------------------------------------------- running

    def run(self) -> None:
        """
        Run to the end.

        Raises:
            Violation: the library broke a promise
        """
        with replaced(self.loop, self.random.random), Sockets(self).installed():
            try:
                self._people()
                while self.steps < self.plan.steps:
                    self._turn()
                self._calm()
                while (reason := unfinished(self)) is not None:
                    if self._late():
                        raise Violation(f"stuck: {reason}")
                    for _ in range(20):
                        self._turn()
            except Stuck:
                raise Violation(f"stuck in a blocking call: {unfinished(self)}") from None
            finally:
                self._end()
        if self.left:
            raise Violation(f"connections are left open by {self.left}")
        if self.loop.mishaps:
            raise Violation(f"the event loop was told of {self.loop.mishaps}")

    def _people(self) -> None:
        shared = self.client("shared")
        self.producer = Producer(self, "producer", self.client("producer"), self.plan.entries)
        self.actors = [self.producer, Echoer(self, "echo one", shared), Echoer(self, "echo two", shared)]
        for number in range(self.plan.consumers):
            self.join(f"c{number}", self.plan.backlog)

    def client(self, name: str, blocking: bool = False) -> Any:
        """
        Make a client; each connects to a host of its own.
        """
        self._hosts += 1
        host = f"{name}.{self._hosts}"
        options: dict[str, Any] = {
            "protocol": self.plan.protocol,
            "stream_timeout": self.plan.request_timeout,
            "max_connections": self.plan.connections,
        }
        flavour: Any = coredis.sync if blocking else coredis
        if isinstance(self.server, MemoryCluster):
            client = flavour.RedisCluster(
                startup_nodes=[(host, node.port) for node in self.server.nodes[:2]],
                address_map=lambda announced: (host, announced[1]),
                **options,
            )
        else:
            client = flavour.Redis(host, **options)
        self.clients.append(client)
        return client

    def join(self, name: str, backlog: bool) -> None:
        """
        Let one more reader begin.
        """
        # One in the blocking flavour is enough: while it waits, the others are served.
        blocking = self.plan.blocking and not any(isinstance(reader, BlockingReader) for reader in self.readers)
        client = self.client(name, blocking)
        kind = BlockingReader if blocking else Reader
        self.actors.append(kind(self, name, client, f"{name}.{self._hosts}", backlog))

    @property
    def readers(self) -> list[Reader]:
        """
        Those who read.
        """
        return [actor for actor in self.actors if isinstance(actor, Reader)]

    def _late(self) -> bool:
        return self.quiet and (self.steps > self._most_steps or self.loop.now > self.quiet_since + QUIET_SECONDS)

    def _turn(self) -> None:
        """
        Let something happen: a call of the blocking flavour, with all that happens while it waits, or one step.
        """
        if self.plan.blocking and self.random.random() < 0.1:
            for reader in self.readers:
                if isinstance(reader, BlockingReader):
                    try:
                        reader.turn()
                    except Crashed:
                        pass
                    return
        self._step()

    def wait(self, awaited: Callable[[], bool], seconds: float | None) -> bool:
        """
        Let the world go on until somebody who waits has what it waits for; False: the time was up.

        Raises:
            KeyboardInterrupt: a signal handler raised it
        """
        deadline = math.inf if seconds is None else self.loop.now + seconds
        self._deadline = deadline
        self.waiting = True
        try:
            while True:
                if self.crashing:
                    self.crashing = False
                    raise Crashed
                if self.interrupting:
                    self.interrupting = False
                    raise KeyboardInterrupt
                if awaited():
                    return True
                if self.loop.now >= deadline:
                    return False
                if self._late() or self.steps > self.plan.steps + self._most_steps:
                    raise Stuck
                self._step()
        finally:
            self._deadline = math.inf
            self.waiting = False

    def draw(self, most: int) -> int:
        """
        Choose how many bytes go at once.
        """
        return most if most < 2 or self.random.random() < 0.7 else self.random.randint(1, most)

    def _step(self) -> None:
        self.steps += 1
        if self.violations:
            raise Violation(self.violations[0])
        if self.steps % 100 == 0:
            for reader in self.readers:
                reader.check_hurry()
                reader.check_places()
        random = self.random.random
        if self._later and self._later[0][0] <= self.loop.now:
            self._later.pop(0)[1]()
        if not self.quiet and random() < self._fault_rate:
            names, rates = zip(*self.plan.faults.items(), strict=True)
            fault = self.random.choices(names, rates)[0]
            if self._faults.cause(fault):
                self.history.append((self.steps, fault))
            return
        chance = random()
        if self.loop.ready and chance < 0.5:
            self.loop.step()
            return
        if chance < 0.9:
            links = self.network.busy()
            if links:
                self.network.carry(self.random.choice(links))
                return
            if self.network.dialing:
                self.network.accept()
                return
        idle = [actor for actor in self.actors if actor.task is None]
        if idle and random() < 0.6 and self.random.choice(idle).begin():
            return
        if self.loop.step():
            return
        if not self.network.busy() and not self.network.dialing:
            self._pass_time()

    def _pass_time(self) -> None:
        """
        Let time pass until something happens.
        """
        times = [self._deadline] if self._deadline < math.inf else []
        times += [time for time in (self.loop.next_timer(), *(time for time, _ in self._later[:1])) if time is not None]
        event = self.server.next_event()
        if event is not None:
            times.append(START + (event - EPOCH) / 1000)
        # While nobody waits, a blocking reader has its turns now and then, and is not to be late for that.
        idle = 0.1 if self.quiet and self.plan.blocking else 1.0
        self.advance(min(times, default=self.loop.now + idle) - self.loop.now)

    def advance(self, seconds: float) -> None:
        """
        Let time pass, everywhere.
        """
        now = self.loop.now + max(0.0, seconds)
        self.server.advance(EPOCH + int((now - START) * 1000 + 0.5))
        self.loop.advance(now)

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """
        Have something done when so much time has passed.
        """
        self._later.append((self.loop.now + seconds, function))
        self._later.sort(key=lambda item: item[0])

    # -------------------------------------------------------------------------------------------------------- ending

    def _calm(self) -> None:
        """
        From here on nothing goes wrong any more. What is broken stays so, but for refusals.
        """
        self.quiet = True
        self.quiet_since = self.loop.now
        self.network.refusing = False
        self.server.refusing = ""
        self.producer.left = min(self.producer.left, 3)
        self.actors = [actor for actor in self.actors if not isinstance(actor, Echoer) or actor.task is not None]

    def _end(self) -> None:
        """
        Close everything.
        """
        for actor in (*self.actors, *self.crashed):
            actor.cancel()
            if isinstance(actor, Reader) and actor.changing is not None:
                actor.changing.cancel()
        closing = []
        self.interrupting = False
        for client in self.clients:
            if isinstance(client, coredis.Redis | coredis.RedisCluster):
                closing.append(self.loop.create_task(client.close()))
            else:
                client.close()
        while self.loop.step() or not all(task.done() for task in closing):
            if not self.loop.ready:
                self.advance(1.0)
        self.loop.close()
        self.left = [link.owner for link in self.network.links if not link.lost]
