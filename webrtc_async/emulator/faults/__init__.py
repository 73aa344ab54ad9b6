"""Faults that can be armed, and the responses they cause."""
