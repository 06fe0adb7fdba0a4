"""
Faults that take a process of their own: a consumer that is killed, a server under a client that goes on.
"""
