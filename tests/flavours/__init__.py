"""
Tests of what only one flavour has, written by hand for it.
"""
