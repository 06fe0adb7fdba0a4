"""
A consumer in a forked child: it begins afresh, on a connection of the child's own.
"""

from __future__ import annotations

import os

from coredis.sync import Redis
from tests.support.servers import Server


def test_the_childs_consumer_leaves_the_parents_connection_alone(server: Server) -> None:
    """
    Parent and child read with what was one consumer: each gets what it asks for, the parent on its old connection.
    """
    with Redis(host=server.host, port=server.port) as client:
        for number in range(1, 5):
            client.xadd("a", {"number": number}, identifier=f"{number}-0")
        consumer = client.xconsumer(["a"], a={"identifier": "0"}, buffer_size=1)
        with consumer:
            consumer.get_entry()
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    entries = [entry.identifier for _, entry in consumer]
                    status = 0 if entries == [b"1-0", b"2-0", b"3-0", b"4-0"] else 2
                finally:
                    os._exit(status)
            _, code = os.waitpid(child, 0)

            assert 0 == os.waitstatus_to_exitcode(code)
            assert [b"2-0", b"3-0", b"4-0"] == [entry.identifier for _, entry in consumer]
            assert 0 == consumer.statistics.reconnects
