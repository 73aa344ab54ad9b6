"""The command `webrtc-async`."""
