"""
What acts: the pair ``aio`` and ``blocking``, the only users of sockets, clocks, locks and event loops.

Files of the same name have the same job in both halves. ``resuming`` is the asynchronous half's alone, ``polling`` the blocking
one's. What stands beside the two is the same in both.
"""
