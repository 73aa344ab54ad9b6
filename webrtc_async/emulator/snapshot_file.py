"""Snapshot files, from which a restarted emulator continues."""

import tempfile
from pathlib import Path

from webrtc_async._codec.model_codec import read_json, write_json
from webrtc_async.emulator.emulator import Emulator


def load_snapshot(emulator: Emulator, path: Path) -> bool:
    """Restore an emulator from a file; return False if the file does not exist.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a snapshot or has other accounts; nothing has changed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    emulator.restore(read_json(content))
    return True


def save_snapshot(emulator: Emulator, path: Path) -> None:
    """Write an emulator's snapshot to a file that only its owner can read.

    Raises:
        OSError: The file cannot be written; a previous file is unchanged.
    """
    content = write_json(emulator.snapshot())
    # Callback URLs may hold secrets, so nobody else may read the file, nor know its name before:
    # it could be a link to another file.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
