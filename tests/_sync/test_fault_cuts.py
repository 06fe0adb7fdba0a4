# Generated from tests/_async/test_fault_cuts.py by scripts/generate.py: edit that file, not this one.
"""
A connection that breaks at each byte of the reply that has an entry, in every mode of reading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.blocking import Redis, connect, sleep
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

#: Bytes; no reply here is as long.
LONGEST = 100
#: Entries are taken over after so many milliseconds, the shortest time there is.
IDLE = 100
NOTHING = (None, None)


def cut_at_every_byte(
    proxy: FaultProxy, make: Callable[[str], Any], command: str
) -> dict[str, tuple[Any, list[bytes]]]:
    """
    Have one consumer after the other read the only entry of its stream, and cut the reply to it one byte later each time,
    until one is whole.

    Args:
        proxy: before the server
        make: makes the stream of this name, and a consumer that is to get an entry from it next
        command: whose reply has the entry

    Returns:
        by stream: the consumer whose reply was cut, and what it gave in the call in which that happened
    """
    found: dict[str, tuple[Any, list[bytes]]] = {}
    for count in range(LONGEST):
        consumer = make(f"{count:02}")
        proxy.cut_after(count, command=command)
        _, entry = consumer.get_entry()
        if not consumer.statistics.reconnects:
            assert entry is not None
            consumer.close()
            break
        found[f"{count:02}"] = consumer, [] if entry is None else [entry.identifier]
    assert 40 < len(found) < LONGEST
    return found


def test_acknowledged(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    The entry is pending for the consumer, and is given in the same call; it does not come again.
    """

    def make(stream: str) -> Any:
        consumer = faulty.xconsumer([stream], group="g", consumer="c")
        assert NOTHING == consumer.get_entry()
        client.xadd(stream, {"f": "v"}, identifier="1-0")
        return consumer

    with connect(proxy) as faulty:
        found = cut_at_every_byte(proxy, make, "XREADGROUP")
        for consumer, given in found.values():
            assert [b"1-0"] == given
            assert NOTHING == consumer.get_entry()
            assert 1 == consumer.statistics.recovered
            consumer.close()


def test_without_acknowledgement(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    The entry is lost and counted, and the next one is given.
    """

    def make(stream: str) -> Any:
        consumer = faulty.xconsumer([stream], group="g", consumer="c", auto_acknowledge=True)
        assert NOTHING == consumer.get_entry()
        client.xadd(stream, {"f": "v"}, identifier="1-0")
        return consumer

    with connect(proxy) as faulty:
        found = cut_at_every_byte(proxy, make, "XREADGROUP")
        for stream, (consumer, given) in found.items():
            assert [] == given
            client.xadd(stream, {"f": "v"}, identifier="2-0")
            assert b"2-0" == (consumer.get_entry())[1].identifier
            assert 1 == consumer.statistics.possibly_lost
            consumer.close()


def test_taken_over(server: Server, client: Redis[Any], proxy: FaultProxy) -> None:
    """
    An entry that was taken over in a lost reply is given, once, when it has been idle for long enough again: with
    XREADGROUP CLAIM where the server has it, with XAUTOCLAIM elsewhere.
    """

    def make(stream: str) -> Any:
        client.xadd(stream, {"f": "v"}, identifier="1-0")
        client.xgroup_create(stream, "g", "0")
        client.xreadgroup("g", "dead", {stream: ">"})
        consumer = faulty.xconsumer([stream], group="g", consumer="c", claim_idle=IDLE)
        consumer.__enter__()
        client.xclaim(stream, "g", "dead", 0, ["1-0"], idle=86_400_000, justid=True)
        return consumer

    native = client.supports("XREADGROUP", "CLAIM")
    with connect(proxy) as faulty:
        found = cut_at_every_byte(proxy, make, "XREADGROUP" if native else "XAUTOCLAIM")
        for _ in range(200):
            for consumer, given in found.values():
                _, entry = consumer.get_entry()
                if entry is not None:
                    given.append(entry.identifier)
            if all(given for _, given in found.values()):
                break
            sleep(0.05)
        for consumer, given in found.values():
            assert NOTHING == consumer.get_entry()
            assert [b"1-0"] == given
            assert 1 == consumer.statistics.claimed
            consumer.close()
