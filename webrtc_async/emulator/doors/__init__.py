"""Access to the emulator: in process, as an ASGI application, and as a TCP server."""
