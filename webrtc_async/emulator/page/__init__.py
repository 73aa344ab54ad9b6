"""The page that shows an emulator live, and its state as JSON."""
