"""A snapshot in a file, so that an emulator that is started again goes on where it stopped."""

import os
from pathlib import Path

from webrtc_async._codec.model_codec import read_json, write_json
from webrtc_async.emulator.emulator import Emulator


def load_snapshot(emulator: Emulator, path: Path) -> bool:
    """Restore an emulator from a file; return whether there is one.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no snapshot, or not of this emulator, and nothing has changed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    emulator.restore(read_json(content))
    return True


def save_snapshot(emulator: Emulator, path: Path) -> None:
    """Write an emulator's snapshot into a file that only its owner may read.

    Raises:
        OSError: It cannot be written; what was there is there still.
    """
    content = write_json(emulator.snapshot())
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    # Callback URLs may hold secrets.
    with open(beside, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
    beside.replace(path)
