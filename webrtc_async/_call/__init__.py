"""One call: attempts, retries, the undoing of a create, and observers."""
