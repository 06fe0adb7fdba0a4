"""
What goes wrong in a simulated cluster besides: slots move, nodes end and are replaced, and news travel slowly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.support.memory.cluster import MemoryCluster
from tests.support.memory.nodes import MemoryNode
from tests.support.simulation.faults import Faults
from tests.support.simulation.plan import LETTERS

if TYPE_CHECKING:
    from tests.support.simulation.world import World

#: Seconds until a node has heard what others know, at most; and when news are slow.
_NEWS: Final = 0.3
_SLOW_NEWS: Final = 4.0


class ClusterFaults(Faults):
    """
    The faults of one server, and those of several nodes. A shard in which something is under way is left alone until then.
    """

    def __init__(self, world: World, cluster: MemoryCluster) -> None:
        super().__init__(world)
        self.cluster = cluster
        self._engaged: set[int] = set()  # shards
        self._slow_until = 0.0
        cluster.gossip = self._gossip

    def _gossip(self, node: MemoryNode) -> None:
        world = self.world
        slow = world.loop.now < self._slow_until and not world.quiet
        world.later(world.random.random() * (_SLOW_NEWS if slow else _NEWS), lambda: self.cluster.tell(node))

    def _free(self) -> int | None:
        shards = [number for number in range(len(self.cluster.view.primaries)) if number not in self._engaged]
        return self.world.random.choice(shards) if shards else None

    def _soon(self, function: Callable[[], None], seconds: float) -> None:
        self.world.later(self.world.random.random() * seconds, function)

    # ------------------------------------------------------------------------------------------------- nodes and shards

    def failover(self, forced: bool = False) -> bool:
        shard = self._free()
        if shard is not None:
            self.cluster.fail_over(shard, forced=forced)
            self.world.advance(0.002)  # identifiers are times
        return shard is not None

    def takeover(self) -> bool:
        return self.failover(forced=True)

    def lag(self) -> bool:
        shard = self._free()
        if shard is None:
            return False
        replica = self.cluster.view.replicas[shard][0]
        self.cluster.lag(replica)
        self._soon(lambda: self.cluster.catch_up(replica), 3.0)
        return True

    def node_dies(self) -> bool:
        """
        A primary ends, its replica takes its place some time later, and it comes back as a replica.
        """
        shard = self._free()
        if shard is None:
            return False
        node = self.cluster.view.primaries[shard]
        self._end(shard, node)

        def replace() -> None:
            self.cluster.fail_over(shard, forced=True)
            self.world.advance(0.002)
            self._soon(back, 3.0)

        def back() -> None:
            self.cluster.start(node)
            self._engaged.discard(shard)

        self._soon(replace, 3.0)
        return True

    def shard_dies(self) -> bool:
        """
        A primary ends and nobody takes its place, so that the others refuse everything until it is back.
        """
        shard = self._free()
        if shard is None or any(number != shard for number in self._engaged):
            return False
        node = self.cluster.view.primaries[shard]
        self._end(shard, node)

        def notice() -> None:
            self.cluster.set_down(True)
            self._soon(back, 3.0)

        def back() -> None:
            self.cluster.start(node)
            self.cluster.set_down(False)
            self._engaged.discard(shard)

        self._soon(notice, 3.0)
        return True

    def _end(self, shard: int, node: MemoryNode) -> None:
        self._engaged.add(shard)
        self.cluster.kill(node)
        for link in list(self.world.network.links):
            if link.connection.server is node and self.world.random.random() < 0.5:
                link.forget_inward()

    def restart(self, keep: bool = True) -> bool:
        running = [node for node in self.cluster.nodes if node.running]
        node = self.world.random.choice(running)
        links = [link for link in self.world.network.links if link.connection.server is node]
        self.cluster.restart(node)
        for link in links:
            if self.world.random.random() < 0.5:
                link.forget_inward()
        self.world.advance(0.001)
        return True

    def loading(self) -> bool:
        node = self.world.random.choice(self.cluster.nodes)
        node.refusing = "LOADING Redis is loading the dataset in memory"
        self._soon(lambda: setattr(node, "refusing", ""), 2.0)
        return True

    def slow_news(self) -> bool:
        """
        Nodes hear late of what has changed, and tell their clients what was true before.
        """
        self._slow_until = self.world.loop.now + 10.0
        return True

    # ------------------------------------------------------------------------------------------------------------ slots

    def _move(self) -> tuple[int, int, int] | None:
        """
        Choose a slot, the shard it is in and the one it moves to.
        """
        key = self.world.random.choice([*self.world.plan.streams, LETTERS]).encode()
        slot = self.cluster.slot(key)
        source = self.cluster.view.shard(slot)
        target = self.world.random.choice(
            [number for number in range(len(self.cluster.view.primaries)) if number != source]
        )
        return None if self._engaged.intersection((source, target)) else (slot, source, target)

    def migrate(self) -> bool:
        """
        A slot moves key by key, which takes some time. Now and then its keys have moved and it stays open for good: whoever
        wants one of them is sent there each time (ASK).
        """
        move = self._move()
        if move is None:
            return False
        slot, source, target = move
        self._engaged |= {source, target}
        self.cluster.begin_migration(slot, self.cluster.view.primaries[target])
        # Commands with several keys, one of which does not exist, are refused for as long as it is open.
        alone = 1 == sum(self.cluster.slot(name.encode()) == slot for name in (*self.world.plan.streams, LETTERS))
        stays = alone and self.world.random.random() < 0.3

        def go_on() -> None:
            if stays and self.world.quiet:
                while self.cluster.move_key(slot):
                    pass
                return
            if self.world.random.random() < 0.7 and self.cluster.move_key(slot):
                self._soon(go_on, 0.5)
            elif self.world.random.random() < 0.5 and not self.world.quiet:
                self._soon(go_on, 2.0)
            else:
                self.cluster.finish_migration(slot)
                self._engaged.difference_update((source, target))

        self._soon(go_on, 0.5)
        return True

    def migrate_at_once(self) -> bool:
        move = self._move()
        if move is not None:
            slot, _, target = move
            self.cluster.move_at_once(slot, self.cluster.view.primaries[target])
        return move is not None
