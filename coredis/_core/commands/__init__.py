"""
Builders of commands that need more than one expression: checks and optional words. One module per family.
"""
