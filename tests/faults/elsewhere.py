"""Faults that are not one of a call over a transport, and the tests that hold them."""

from .row import Held

HELD: list[Held] = []
