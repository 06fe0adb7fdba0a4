"""
Tests of the hand-written pair that does the I/O.
"""
