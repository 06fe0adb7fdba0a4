# Generated from coredis/_async/__init__.py by scripts/generate.py: edit that file, not this one.
"""
The clients, pool, pipeline, subscriptions and consumers: they connect what the core decides to what the runtime does.
"""
