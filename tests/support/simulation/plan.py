"""
What one seed is about: who reads what and how, and which things go wrong how often. Each seed has a few of all the faults,
at rates of its own, because a world in which everything breaks all the time gets nowhere interesting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final, Literal

from coredis._core.consumer.limits import REPLY_BYTES
from tests.support.memory.personality import REDIS_7_0, REDIS_8_6, VALKEY_9_1, Personality

#: The stream of dead letters.
LETTERS: Final = "letters"
#: Faults, and how often at most, per step.
FAULTS: Final = {
    "cancel": 0.10,
    "interrupt": 0.10,
    "reset": 0.02,
    "swallow": 0.015,
    "blackhole": 0.006,
    "sever": 0.008,
    "kill": 0.01,
    "unblock": 0.02,
    "refuse": 0.01,
    "loading": 0.008,
    "restart": 0.006,
    "restart empty": 0.004,
    "flush": 0.005,
    "delete stream": 0.006,
    "destroy group": 0.008,
    "delete entry": 0.02,
    "trim": 0.01,
    "close": 0.01,
    "stop": 0.01,
    "crash": 0.006,
    "join": 0.01,
    "delay": 0.03,
    "stall": 0.01,
    "change streams": 0.02,
}
#: The same for a cluster, which has more to go wrong.
CLUSTER_FAULTS: Final = {
    **{name: rate for name, rate in FAULTS.items() if name not in ("restart empty", "flush")},
    "failover": 0.008,
    "takeover": 0.008,
    "lag": 0.02,
    "node dies": 0.005,
    "shard dies": 0.003,
    "migrate": 0.015,
    "migrate at once": 0.015,
    "slow news": 0.01,
}
#: What the streams of a cluster may be called: two of them are in one slot, most are on several nodes.
NAMES: Final = ("s", "t", "u", "{v}1", "{v}2", "w")
#: Faults that break no connection and take nothing away: with these alone nothing may be counted as lost or recovered. Delays
#: are not among them: several in a row are longer than a late reply is waited for.
HARMLESS: Final = frozenset(
    {"cancel", "interrupt", "unblock", "join", "delete entry", "trim", "lag", "migrate", "migrate at once"}
)
#: Faults by which no session loses a reply that then goes on: those above, and what ends it or changes what it reads.
LOSING_NOTHING: Final = HARMLESS | {"close", "stop", "crash", "change streams"}
#: Faults after which the server no longer knows how often it has delivered an entry.
FORGETTING: Final = frozenset({"destroy group", "delete stream", "flush", "restart empty", "takeover", "node dies"})


@dataclass(slots=True)
class Plan:
    """
    What a seed is about.

    Attributes:
        mode: "ack", "noack" or "plain" (without a group)
        own_acknowledgements: acknowledge with the consumer rather than with the client
        several: entries are asked for several at a time
        handing_back: how often an entry is handed back rather than acknowledged; with ``claim_idle`` only
        release: how consumers are closed
        drains: with NOACK: what is left is taken all at once after closing
        max_unacked: how many entries may be unacknowledged; None: any number
        max_reply_bytes: what a reply may have before it is cut
        max_deliveries: after so many an entry becomes a dead letter; None: never
        blocking: one of the readers uses the blocking flavour
        primaries: of the cluster; 0: it is one server
        proxied: the server sees other addresses than the clients, so they cannot tell it which connection they mean
        shares: of several streams on one connection some are asked at a time, as if they were thousands,
            and of a reply some entries are made at a time
        faults: probability per step, by name
    """

    mode: str
    own_acknowledgements: bool
    ack_buffer: int
    claim_idle: int | None
    max_reply_bytes: int
    several: bool
    prefetch: bool
    handing_back: float
    release: bool | Literal["all"]
    drains: bool
    max_deliveries: int | None
    max_unacked: int | None
    blocking: bool
    personality: Personality
    protocol: int
    streams: list[str]
    consumers: int
    entries: int
    buffer_size: int
    timeout: int | None
    block_slice: int
    backlog: bool
    request_timeout: float
    connections: int
    steps: int
    primaries: int = 0
    shares: bool = False
    proxied: bool = False
    faults: dict[str, float] = field(default_factory=dict)

    def without(self, fault: str) -> Plan:
        """
        Give the same plan with one fault less.
        """
        return replace(self, faults={name: rate for name, rate in self.faults.items() if name != fault})

    def changeable(self) -> bool:
        """
        Tell whether a consumer may leave a stream and come back without missing or repeating anything: not if it would begin
        with its backlog again, nor where nobody takes over what was lost meanwhile.
        """
        return len(self.streams) > 1 and (
            self.mode == "noack" or (self.mode == "ack" and self.claim_idle is not None and not self.backlog)
        )

    def consumer_options(self) -> dict[str, Any]:
        """
        Give what the consumers are made with, but for their names.
        """
        return {
            "buffer_size": self.buffer_size,
            "timeout": self.timeout,
            "block_slice": self.block_slice,
            "prefetch": self.prefetch,
            **({} if self.mode == "noack" else {"max_reply_bytes": self.max_reply_bytes}),
        }

    def member_options(self) -> dict[str, Any]:
        """
        Give what members of the group are made with besides.
        """
        return {
            "auto_acknowledge": self.mode == "noack",
            "ack_buffer": self.ack_buffer if self.mode == "ack" else 0,
            "claim_idle": self.claim_idle,
            "max_deliveries": self.max_deliveries,
            "max_unacked": self.max_unacked,
            "dead_letter": None if self.max_deliveries is None else LETTERS,
        }


def draw(random: Random) -> Plan:
    """
    Make a plan.
    """
    timeout = random.choice((None, 20, 300, 7000))
    mode = random.choice(("ack", "ack", "ack", "noack", "noack", "plain"))
    claim_idle = random.choice((None, None, 500, 3000)) if mode == "ack" else None
    faults = random.sample(sorted(FAULTS), random.choice((0, 1, 1, 2, 2, 3, 4, 6, 9)))
    return Plan(
        mode=mode,
        own_acknowledgements=random.random() < 0.7,
        ack_buffer=random.choice((0, 0, 2, 5)),
        claim_idle=claim_idle,
        several=random.random() < 0.2,
        prefetch=random.random() < 0.2 and mode != "noack",
        handing_back=random.choice((0.0, 0.3)) if claim_idle else 0.0,
        release=random.choice((False, False, True, "all")) if mode == "ack" else False,
        drains=random.random() < 0.5,
        max_deliveries=random.choice((None, 1, 2, 3)) if claim_idle else None,
        blocking=random.random() < 0.3,
        personality=random.choice((REDIS_7_0, REDIS_8_6, VALKEY_9_1)),
        protocol=random.choice((2, 3)),
        streams=["s", "t"][: random.choice((1, 1, 2))],
        consumers=random.choice((1, 1, 2)),
        entries=random.randint(4, 14),
        buffer_size=random.choice((0, 0, 1, 3, 9)),
        timeout=timeout,
        block_slice=random.choice((1000, 5000) if timeout == 7000 else (50, 1000, 5000)),
        backlog=random.random() < 0.5,
        request_timeout=random.choice((1.0, 5.0)),
        connections=random.choice((1, 2, 8)),
        steps=random.choice((150, 300, 300, 600)),
        faults={name: FAULTS[name] * random.random() ** 2 for name in faults},
        max_unacked=random.choice((None, None, 2, 4)) if mode == "ack" else None,
        max_reply_bytes=random.choice((REPLY_BYTES, REPLY_BYTES, 60)),
        shares=random.random() < 0.3,
    )


def draw_cluster(random: Random) -> Plan:
    """
    Make a plan for a cluster.
    """
    plan = draw(random)
    faults = random.sample(sorted(CLUSTER_FAULTS), random.choice((0, 1, 1, 2, 2, 3, 4, 6, 9)))
    return replace(
        plan,
        streams=random.sample(NAMES, random.choice((1, 2, 2, 3, 4))),
        primaries=random.choice((2, 2, 3)),
        faults={name: CLUSTER_FAULTS[name] * random.random() ** 2 for name in faults},
    )


#: By the name of the topology.
DRAWS: Final[dict[str, Callable[[Random], Plan]]] = {"single": draw, "cluster": draw_cluster}


def planned(seed: int, topology: str = "single", changes: Mapping[str, Any] | None = None) -> Plan:
    """
    Make the plan of a seed, and say some of it.
    """
    proxied = Random(f"proxy {seed}").random() < 0.2
    return replace(DRAWS[topology](Random(f"plan {seed}")), **{"proxied": proxied, **(changes or {})})
