"""
Proof by accident: what the client promises, under everything that can go wrong.
"""
