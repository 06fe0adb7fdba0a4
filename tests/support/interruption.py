"""
The one exception for a call that was broken off, whichever flavour it was made in.
"""

from __future__ import annotations


class Interrupted(Exception):
    """
    A call did not finish in the time a test gave it, and was cancelled or struck by Ctrl-C.
    """
