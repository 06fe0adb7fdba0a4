"""
Tests on real servers. Authored here for one flavour, generated for the other.
"""
