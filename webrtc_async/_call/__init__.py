"""One call of an operation, from its first attempt to its outcome."""
