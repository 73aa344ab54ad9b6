"""The command `webrtc-async`."""

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 plus the number of SIGINT."""
