"""
What the tests stand on: servers, faults, scripted peers, leak checks and the flavour pair.
"""
