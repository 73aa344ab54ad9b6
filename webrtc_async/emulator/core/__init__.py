"""The service's rules and state, without I/O."""
