"""
Patterns of use built on the commands: the asynchronous flavour.
"""
