"""
The decisions of the stream consumers, one small part per module, each without I/O.
"""
