# Generated from coredis/_async/patterns/__init__.py by scripts/generate.py: edit that file, not this one.
"""
Ways of using the commands together: the consumers of streams.
"""
