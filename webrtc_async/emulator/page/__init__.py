"""The page that shows what the emulator holds and does, and the JSON that it is drawn from."""
