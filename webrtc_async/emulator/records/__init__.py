"""Records of what the emulator was asked and answered."""
