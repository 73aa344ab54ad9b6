"""Records of the emulator's requests and responses."""
