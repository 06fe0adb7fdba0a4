"""
A signal handler that reads from the very consumer that is just sending a read, at each point of that: nothing comes twice, and
nothing is lost.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from coredis.exceptions import ConnectionLostError
from coredis.sync import Redis
from tests._sync.streams import fill
from tests.support.servers import Server
from tests.support.strikes import strike

KINDS: dict[str, dict[str, Any]] = {
    "alone": {"parameters": {"a": {"identifier": "0"}, "b": {"identifier": "0"}}},
    "in a group": {"group": "g", "consumer": "c"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("several", [False, True], ids=["one stream", "several"])
@pytest.mark.parametrize("reads", [1, 3])
def test_reading_while_a_read_is_sent(server: Server, kind: str, several: bool, reads: int) -> None:
    """
    The handler gets what comes next, once or until it has used that up. The read that it has come upon may be found, or not be.
    """
    streams = ["a", "b"] if several else ["a"]
    options = dict(KINDS[kind])
    if "parameters" in options:
        options["parameters"] = {stream: options["parameters"][stream] for stream in streams}

    def scene(client: Redis[bytes], point: int) -> bool:
        client.flushall()
        for stream in streams:
            fill(client, stream, 1, 12)
        found: list[tuple[bytes, bytes]] = []
        with client.xconsumer(streams, buffer_size=1, timeout=1000, **options) as consumer:

            def take(number: int) -> None:
                for _ in range(number):
                    stream, entry = consumer.get_entry()
                    if stream is not None and entry is not None:
                        found.append((stream, entry.identifier))

            def send() -> None:
                (reader,) = consumer._readers.values()
                latest = reader.sent_at
                with suppress(ConnectionLostError):  # seen by the next call as well
                    if several:
                        consumer._send(reader, 1.0)
                    else:
                        consumer._send_alone(reader, reader.only, latest)

            take(2 * len(streams))
            struck = strike(point, send, action=lambda: take(reads))
            take(12 * len(streams) - len(found))
            assert not consumer.drain()
        assert sorted(found) == sorted((stream.encode(), b"%d-0" % (n + 1)) for stream in streams for n in range(12))
        return struck

    point = 0
    with Redis(host=server.host, port=server.port) as client:
        while scene(client, point):
            point += 1
    assert point > 10
