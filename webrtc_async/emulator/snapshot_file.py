"""The file that keeps the state of a served emulator."""

import contextlib
import errno
import logging
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from webrtc_async._codec.model_codec import read_json, write_json
from webrtc_async.emulator.emulator import Emulator

SAVE_EVERY: Final = 2.0
"""Seconds between two looks for changes."""

_LOG: Final = logging.getLogger("webrtc_async.emulator")


class SnapshotFile:
    """A context manager that keeps an emulator's state in a file.

    Entering it restores the emulator from the file or writes a new one. Changes are written within
    seconds and at the end. Each write makes a new file, which only its owner can read, and puts it
    in the place of the old one: a process that is killed at any moment leaves a whole file.

    Args:
        emulator: The emulator.
        path: The file; a symbolic link is refused.
    """

    def __init__(self, emulator: Emulator, path: Path) -> None:
        self._emulator = emulator
        self._path = path
        self._file = -1
        self._saved = b""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Restore the emulator from the file, or write a new file.

        Raises:
            OSError: The file cannot be read or written, or another emulator uses it.
            ValueError: It is not a snapshot or has other accounts; the emulator is unchanged.
        """
        self._open()
        try:
            # An empty file is that of a process that was killed at its start.
            if self._saved:
                self._emulator.restore(read_json(self._saved))
            # A directory without space or rights is reported now, not when there is state to lose.
            self._write(write_json(self._emulator.snapshot()))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write the last changes.

        Raises:
            OSError: The file cannot be written; it has the last state that was written.
        """
        try:
            self.save()
        finally:
            self._close()

    def save(self) -> None:
        """Write the state if it has changed.

        Raises:
            OSError: The file cannot be written; it is unchanged.
        """
        with self._lock:
            content = write_json(self._emulator.snapshot())
            if content != self._saved:
                self._write(content)

    @contextlib.contextmanager
    def saving(self, every: float = SAVE_EVERY) -> Generator[None]:
        """Write changes from a thread while the body runs; a failure is logged and tried again."""
        ended = threading.Event()

        def save() -> None:
            while not ended.wait(every):
                try:
                    self.save()
                except OSError as error:
                    _LOG.warning("cannot write %s: %s", self._path, error.strerror)

        thread = threading.Thread(target=save, name="webrtc-emulator-state", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _open(self) -> None:
        """Open and lock the file, and read it; make an empty one if there is none."""
        while self._file == -1:
            # Without blocking, because a pipe would wait for its other end.
            file = os.open(self._path, os.O_RDONLY | os.O_CREAT | _FLAGS, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise OSError(errno.EINVAL, "it is not a regular file")
                _lock(file)
                # Another emulator may have put a new file here since the first line.
                if os.path.samestat(os.fstat(file), os.lstat(self._path)):
                    self._file = file
            except FileNotFoundError:
                continue
            finally:
                if self._file == -1:
                    os.close(file)
        with open(self._file, "rb", closefd=False) as content:
            self._saved = content.read()

    def _write(self, content: bytes) -> None:
        # An unpredictable name, which cannot exist before: nobody else's file or link is followed.
        file, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with open(file, "wb", closefd=False) as written:
                written.write(content)
            os.fsync(file)
            _lock(file)
            os.replace(name, self._path)
        except BaseException:
            os.close(file)
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        self._close()
        self._file, self._saved = file, content

    def _close(self) -> None:
        if self._file != -1:
            os.close(self._file)
            self._file = -1


# Windows has neither.
_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def _lock(file: int) -> None:
    """Lock a file against other emulators, on systems that can."""
    if sys.platform == "win32":  # pragma: no cover
        return
    import fcntl  # noqa: PLC0415  # Windows has none

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise OSError(errno.EBUSY, "another emulator uses it") from None
