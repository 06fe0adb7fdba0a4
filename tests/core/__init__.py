"""
Tests that need neither a client nor an event loop.
"""
