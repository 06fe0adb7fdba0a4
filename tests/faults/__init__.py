"""
Proof by accident: what the client promises, under everything that can go wrong. In simulated worlds, and with processes that
are killed.
"""
