"""
The clients, pool, pipeline, subscriptions and consumers: they connect what the core decides to what the runtime does.
"""
