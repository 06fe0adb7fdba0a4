"""
What acts: the pair ``aio`` and ``blocking``, the only users of sockets, clocks, locks and event loops.
"""
