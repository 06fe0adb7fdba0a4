"""
Patterns of use built on the commands: the blocking flavour.
"""
