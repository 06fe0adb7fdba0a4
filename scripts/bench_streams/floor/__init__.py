"""
The floor: the least of a client that pure Python with hiredis can do with, and so the most that one can reach.

It has the methods of this client that the benchmark calls, and nothing around them: no retries, no reconnecting, no
deadlines, nothing for calls that are cancelled or interrupted, no pool, no checks of what it is given, no errors for what the
server refuses. It does what is asked of it, and gives the same results, as long as nothing goes wrong.

``requests`` encodes commands, ``entries`` makes entries of replies and ``reads`` knows what a consumer asks for next, for both
flavours; ``aio`` and ``blocking`` are the clients. Unlike those of the library they are written twice, because here each
flavour does what is fastest in it.
"""
