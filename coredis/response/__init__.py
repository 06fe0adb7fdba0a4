"""
Reply types under the address they had in coredis 6.
"""
