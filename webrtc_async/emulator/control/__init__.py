"""The control API: the emulator's own routes, without I/O."""
