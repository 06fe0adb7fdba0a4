"""
In what the real servers differ, as far as the server in memory knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Personality:
    """
    One product and version.

    Attributes:
        product: as HELLO says it
        version: as HELLO says it
        claim: has XREADGROUP CLAIM
        deletion: has XACKDEL and XDELEX, and the words KEEPREF, DELREF and ACKED
        idmp: has XADD IDMP and XCFGSET
        old_waiting: a blocked read is not simply executed again (Redis 7.0): one whose stream or group is gone is told so in
            words of its own, and what was added and is gone again gives an empty list
        modern: as since Redis 7.2: a consumer exists as soon as it asks, XINFO tells when it was active, CLIENT SETINFO
        latest: XREAD takes the identifier ``+``
        latest_existing: which is the last entry there is; else the last there was, so nothing when that is deleted
        force_unblocks: a primary that becomes a replica ends waiting reads with an error of its own, and their connections
        exact_lag: XINFO GROUPS does not count what was trimmed or deleted as still to be read
    """

    product: str
    version: str
    claim: bool = False
    deletion: bool = False
    idmp: bool = False
    old_waiting: bool = False
    modern: bool = True
    latest: bool = True
    latest_existing: bool = False
    exact_lag: bool = False
    force_unblocks: bool = True


REDIS_7_0: Final = Personality("redis", "7.0.15", old_waiting=True, modern=False, latest=False)
REDIS_8_6: Final = Personality(
    "redis", "8.6.3", claim=True, deletion=True, idmp=True, latest_existing=True, exact_lag=True
)
VALKEY_9_1: Final = Personality("valkey", "9.1.2", force_unblocks=False)

#: By the identifier that the real program has in the tests.
PERSONALITIES: Final = {"redis-7.0": REDIS_7_0, "redis-8.6": REDIS_8_6, "valkey-9.1": VALKEY_9_1}
