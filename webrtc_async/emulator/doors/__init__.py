"""The ways in to the emulator: in process, ASGI, and a TCP server."""
