"""Servers on loopback; each is a process of its own, pinned to a processor."""
