"""
What goes wrong in a simulated world, one method for each fault of a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.memory.replies import NO_ARRAY, Refused
from tests.support.memory.stream import Stream
from tests.support.simulation.network import Link
from tests.support.simulation.readers import GROUP, BlockingReader

if TYPE_CHECKING:
    from tests.support.simulation.world import World


class Faults:
    """
    Each method lets something go wrong, and tells whether there was something to go wrong.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    def cause(self, fault: str) -> bool:
        """
        Let a fault of a plan happen.
        """
        happened: bool = getattr(self, fault.replace(" ", "_"))()
        return happened

    def _link(self) -> Link | None:
        links = [link for link in self.world.network.links if not link.lost]
        return self.world.random.choice(links) if links else None

    def cancel(self) -> bool:
        busy = [actor for actor in self.world.actors if actor.task is not None]
        return bool(busy) and self.world.random.choice(busy).cancel()

    def interrupt(self) -> bool:
        """
        A signal handler raises in a call of the blocking flavour.
        """
        self.world.interrupting = self.world.plan.blocking
        return self.world.interrupting

    def reset(self) -> bool:
        link = self._link()
        if link is not None:
            self.world.network.reset(link)
        return link is not None

    def sever(self) -> bool:
        link = self._link()
        if link is not None:
            self.world.network.sever(link)
        return link is not None

    def swallow(self) -> bool:
        link = self._link()
        if link is None:
            return False
        link.mute = True
        link.forget_inward()
        self.world.later(self.world.random.random() * 2, lambda: self.world.network.reset(link))
        return True

    def blackhole(self) -> bool:
        link = self._link()
        if link is None:
            return False
        link.mute = True
        link.deaf = self.world.random.random() < 0.7
        return True

    def kill(self) -> bool:
        connections = list(self.world.server.connections.values())
        if connections:
            self.world.random.choice(connections).close()
        return bool(connections)

    def unblock(self) -> bool:
        blocked = [
            connection for connection in self.world.server.connections.values() if connection.blocked is not None
        ]
        if not blocked:
            return False
        answer: Any = NO_ARRAY
        if self.world.random.random() < 0.5:
            answer = Refused("UNBLOCKED client unblocked via CLIENT UNBLOCK")
        self.world.server.unblock(self.world.random.choice(blocked), answer)
        return True

    def refuse(self) -> bool:
        self.world.network.refusing = True
        self.world.later(self.world.random.random() * 3, self._accept_again)
        return True

    def _accept_again(self) -> None:
        self.world.network.refusing = False

    def loading(self) -> bool:
        self.world.server.refusing = "LOADING Redis is loading the dataset in memory"
        self.world.later(self.world.random.random() * 2, self._loaded)
        return True

    def _loaded(self) -> None:
        self.world.server.refusing = ""

    def restart(self, keep: bool = True) -> bool:
        self.world.server.restart(keep)
        for link in list(self.world.network.links):
            if self.world.random.random() < 0.5:
                link.forget_inward()
        self.world.advance(0.001)
        return True

    def restart_empty(self) -> bool:
        return self.restart(keep=False)

    def flush(self) -> bool:
        self._administer(b"FLUSHALL")
        return True

    def delete_stream(self) -> bool:
        self._administer(b"DEL", self._key())
        return True

    def destroy_group(self) -> bool:
        key = self._key()
        if self.world.server.get(0, key) is None:
            return False
        self._administer(b"XGROUP", b"DESTROY", key, GROUP.encode())
        return True

    def delete_entry(self) -> bool:
        key = self._key()
        stream = self.world.server.get(0, key)
        if not isinstance(stream, Stream) or not stream.order:
            return False
        self._administer(b"XDEL", key, b"%d-%d" % self.world.random.choice(stream.order))
        return True

    def trim(self) -> bool:
        self._administer(b"XTRIM", self._key(), b"MAXLEN", b"%d" % self.world.random.randint(0, 5))
        return True

    def _key(self) -> bytes:
        return self.world.random.choice(self.world.plan.streams).encode()

    def _administer(self, *words: bytes) -> None:
        self.world.server.command(*words)
        # Identifiers are times: a stream that is made anew in the same millisecond would give the same ones again.
        self.world.advance(0.002)

    def close(self) -> bool:
        return bool(self.world.readers) and self.world.random.choice(self.world.readers).close()

    def stop(self) -> bool:
        """
        A reader is stopped from outside, whatever it is doing; it closes its consumer then, and begins afresh.
        """
        return bool(self.world.readers) and self.world.random.choice(self.world.readers).stop()

    def change_streams(self) -> bool:
        """
        A reader leaves one of its streams, or comes back to it, while it may be reading.
        """
        if not self.world.plan.changeable():
            return False
        readers = [reader for reader in self.world.readers if not isinstance(reader, BlockingReader)]
        if not readers:
            return False
        return self.world.random.choice(readers).change(self.world.random.choice(self.world.plan.streams))

    def crash(self) -> bool:
        """
        A process with a consumer dies: its code stops wherever it is, and its connections end, sooner or later.
        """
        if not self.world.readers:
            return False
        victim = self.world.random.choice(self.world.readers)
        victim.session.alive = False
        self.world.actors.remove(victim)
        self.world.crashed.append(victim)
        if victim.task is not None:
            victim.task.remove_done_callback(victim._done)
        if isinstance(victim, BlockingReader):
            self.world.crashing = self.world.waiting
        self.world.network.dead.add(victim.host)
        for link in list(self.world.network.links):
            if link.owner == victim.host:
                self.world.network.hang_up(link)
        self.world.join(victim.name, backlog=self.world.random.random() < 0.7)
        return True

    def join(self) -> bool:
        if len(self.world.readers) >= 3:
            return False
        self.world.join(f"c{len(self.world.sessions)}", self.world.plan.backlog)
        return True

    def delay(self) -> bool:
        self.world.advance(self.world.random.choice((0.001, 0.02, 0.5)))
        return True

    def stall(self) -> bool:
        """
        Nothing moves for longer than a late reply is waited for.
        """
        self.world.advance(self.world.random.choice((2.0, 6.0, 15.0)))
        return True
