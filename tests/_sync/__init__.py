# Generated from tests/_async/__init__.py by scripts/generate.py: edit that file, not this one.
"""
Tests on real servers. Authored here for one flavour, generated for the other.
"""
