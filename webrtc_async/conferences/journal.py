"""A file that knows what was set up, so that a crash loses nothing and repeats nothing."""

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

import anyio
import anyio.to_thread
from attrs import define, field

from webrtc_async.conferences import journal_lines as lines
from webrtc_async.conferences.conference import Conference
from webrtc_async.conferences.errors import JournalError
from webrtc_async.conferences.resource import Resource

LIFETIME: Final = 9 * 60 * 60.0
"""Seconds after which the service has deleted a session; what is older is set up anew."""


@define(eq=False)
class Journal:
    """A journal of set-ups: JSON lines, appended to, in a file that only its owner may read.

    What is to be created is written before it is, and what was created after it is, so that a
    journal knows everything but what was under way in a crash. A last line that a crash cut short
    is dropped.

    Attributes:
        path: The file; made if it is missing.
        fsync: Whether each line is on the disk, not only with the system, before work goes on;
            without it a crash of the machine may lose the last lines.
        keep_tokens: Whether device tokens are written too: they come only once, so that without
            them a conference that a journal knew has none.
        clock: Tells the seconds since 1970; for tests.
    """

    path: Path = field(converter=Path)
    fsync: bool = field(default=False, kw_only=True)
    keep_tokens: bool = field(default=False, kw_only=True)
    clock: Callable[[], float] = field(default=time.time, kw_only=True, repr=False)
    _file: int | None = field(default=None, init=False, repr=False)
    _size: int = field(default=0, init=False, repr=False)
    _finished: dict[str, int] = field(factory=dict[str, int], init=False, repr=False)
    _unfinished: dict[str, list[Resource]] = field(
        factory=dict[str, list[Resource]], init=False, repr=False
    )
    _synced: int = field(default=0, init=False, repr=False)
    _syncing: anyio.Lock | None = field(default=None, init=False, repr=False)

    def open(self, account_id: str) -> Self:
        """Read what the file knows, and keep it open for the account.

        Raises:
            JournalError: It cannot be read or written, is no journal, is another account's, or is
                in use.
        """
        if self._file is not None:
            raise JournalError(f"the journal {self.path} is in use.")
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            _check_regular(self._file, self.path)
            _lock(self._file, self.path)
            self._load(account_id)
        except OSError as error:
            self.close()
            raise JournalError(
                f"the journal {self.path} cannot be opened: {error.strerror}."
            ) from None
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self._finished.clear()
        self._unfinished.clear()

    @property
    def keys(self) -> tuple[str, ...]:
        """The plans of which something is known to exist, oldest first."""
        return (*self._unfinished, *self._finished)

    def finished(self, key: str) -> Conference | None:
        """Return a plan's conference if it is known to be up.

        Raises:
            JournalError: Its line cannot be read any more.
        """
        if key not in self._finished:
            return None
        assert self._file is not None  # noqa: S101  # nothing is known of a closed journal
        start = self._finished[key]
        line = bytearray()
        while not line.endswith(b"\n"):
            chunk = os.pread(self._file, 4096, start + len(line))
            if not chunk:
                break
            end = chunk.find(b"\n")
            line += chunk if end < 0 else chunk[: end + 1]
        return lines.read_done(bytes(line), f"byte {start} of {self.path}")

    def unfinished(self, key: str) -> tuple[Resource, ...]:
        """Return what is known to exist of a plan whose set-up was not finished."""
        return tuple(self._unfinished.get(key, ()))

    async def begin(self, key: str) -> None:
        """Write that a plan's creates follow.

        Raises:
            JournalError: It cannot be written; nothing may be created.
        """
        await self._write(lines.begun(key, self.clock()))
        self._unfinished[key] = []

    async def record(self, key: str, resource: Resource) -> None:
        """Write what was created.

        Raises:
            JournalError: It cannot be written.
        """
        self._unfinished.setdefault(key, []).append(resource)
        await self._write(lines.created(key, resource))

    async def finish(self, conference: Conference) -> None:
        """Write that a conference is up.

        Raises:
            JournalError: It cannot be written.
        """
        start = self._size
        await self._write(
            lines.done(conference, self.clock(), keep_tokens=self.keep_tokens),
        )
        self._unfinished.pop(conference.key, None)
        self._finished[conference.key] = start

    async def forget(self, key: str) -> None:
        """Write that nothing is left of a plan.

        Raises:
            JournalError: It cannot be written.
        """
        await self._write(lines.gone(key, self.clock()))
        self._unfinished.pop(key, None)
        self._finished.pop(key, None)

    async def _write(self, line: bytes) -> None:
        if self._file is None:
            raise JournalError(f"the journal {self.path} is closed.")
        self._append(line)
        if self.fsync:
            await self._sync()

    def _append(self, line: bytes) -> None:
        assert self._file is not None  # noqa: S101  # the callers have seen to it
        try:
            written = os.write(self._file, line)
            reason: str | None = "there is no room for a line"
        except OSError as error:
            written, reason = 0, error.strerror
        if written < len(line):
            # A line cut short would be taken for the end of a crash.
            os.ftruncate(self._file, self._size)
            raise self._unwritable(reason)
        self._size += written

    async def _sync(self) -> None:
        """Wait until all that is written is on the disk, together with whoever else waits."""
        if self._syncing is None:
            self._syncing = anyio.Lock()
        mine = self._size
        async with self._syncing:
            if self._synced >= mine or self._file is None:
                return
            reached = self._size
            try:
                await anyio.to_thread.run_sync(os.fsync, self._file)
            except OSError as error:
                raise self._unwritable(error.strerror) from None
            self._synced = reached

    def _unwritable(self, reason: str | None) -> JournalError:
        return JournalError(
            f"the journal {self.path} cannot be written: {reason}. Nothing further is begun; when "
            "it can be written, the same call goes on."
        )

    def _load(self, account_id: str) -> None:
        for number, (start, line) in enumerate(self._lines(), 1):
            where = f"line {number} of the journal {self.path}"
            if number == 1:
                lines.check_header(line, account_id, where)
            else:
                self._take(line, start, where)
        assert self._file is not None  # noqa: S101  # it was just opened
        os.ftruncate(self._file, self._size)
        if self._size == 0:
            self._append(lines.header(account_id))

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Read whole lines and where they start; one that a crash cut short is not one."""
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    start, self._size = self._size, self._size + len(line)
                    yield start, line

    def _take(self, line: bytes, start: int, where: str) -> None:
        fields = lines.read(line, where)
        match fields:
            case {"plan": str(key), "begun": _}:
                self._unfinished.setdefault(key, [])
            case {"plan": str(key), "done": int() | float() as at}:
                self._unfinished.pop(key, None)
                if at + LIFETIME > self.clock():
                    self._finished[key] = start
            case {"plan": str(key), "gone": _}:
                self._unfinished.pop(key, None)
                self._finished.pop(key, None)
            case {"plan": str(key)}:
                self._unfinished.setdefault(key, []).append(lines.read_created(fields, where))
            case _:
                raise JournalError(f"{where} says nothing that this version can read.")


def _check_regular(file: int, path: Path) -> None:
    """Refuse devices and pipes, some of which can be read for ever."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise JournalError(f"the journal {path} is not a regular file: take another one.")


def _lock(file: int, path: Path) -> None:
    """Keep other processes from the same journal, where the system can."""
    if sys.platform == "win32":  # pragma: no cover
        return
    import fcntl  # noqa: PLC0415  # Windows has none

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalError(f"the journal {path} is in use by another process.") from None
