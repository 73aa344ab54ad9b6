"""Who is measured: each the same work, written as a user of that client would write it.

A contestant runs in a process of its own, in an environment that has what it needs, so these
modules import the standard library and their client, and nothing else.
"""
