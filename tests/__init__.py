"""
The tests of coredis.
"""
