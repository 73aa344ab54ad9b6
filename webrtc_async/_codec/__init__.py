"""Attrs models to JSON and back, by cattrs."""
