"""Fault rules, and the responses that they cause."""
