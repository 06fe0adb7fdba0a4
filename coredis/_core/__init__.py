"""
What decides: wire format, commands, replies, routing and state machines. No I/O, no clock, no lock, no event loop.
"""
