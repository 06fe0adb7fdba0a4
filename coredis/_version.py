"""
The version of the package, in the one place that both the build and the handshake read.
"""

__version__ = "0.1.0"
