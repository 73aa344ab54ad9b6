"""The clients that are compared: the same work, written as a user of each client writes it.

Each runs in a process and an environment of its own, so these modules import the standard library
and their client, and nothing else.
"""
