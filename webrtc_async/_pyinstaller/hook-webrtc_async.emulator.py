"""A hook of PyInstaller: the emulator's page and contract are files, and its servers are lazy."""

from importlib.resources import files
from pathlib import Path

from webrtc_async.emulator import _LAZY  # pyright: ignore[reportPrivateUsage]

room = Path(str(files("webrtc_async.emulator")))
hiddenimports = [f"webrtc_async.emulator.{module}" for module in _LAZY.values()]
datas = [
    (str(path), str(Path("webrtc_async", "emulator", path.parent.relative_to(room))))
    for path in room.rglob("*.*")
    if path.suffix not in {".py", ".pyc", ".md"}
]
