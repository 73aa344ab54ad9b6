"""The command `webrtc-async`."""

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT."""
