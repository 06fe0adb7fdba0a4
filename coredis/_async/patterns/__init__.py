"""
Ways of using the commands together: the consumers of streams.
"""
