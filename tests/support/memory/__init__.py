"""
A server in memory that speaks RESP: streams, groups, a few everyday commands, blocking and transactions.

It is a pure state machine: bytes of a connection in, bytes out, and a clock that is handed in. There is no socket, thread or
event loop in it, so a test decides alone in which order things happen. What it answers is compared with the real servers in
``tests/faults/test_memory_server.py`` and ``test_memory_cluster.py``.
"""
