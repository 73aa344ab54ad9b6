"""Benchmarks of webrtc_async beside other clients: `python -m benchmarks`."""
