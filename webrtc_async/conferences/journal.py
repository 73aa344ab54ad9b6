"""The journal file, which lets a bulk set-up resume after a crash."""

import contextlib
import os
import stat
import sys
import threading
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
from webrtc_async.conferences.journal_lines import Line
from webrtc_async.conferences.resource import Resource

LIFETIME: Final = 9 * 60 * 60.0
"""Seconds after which the service deletes a session; older conferences are set up again."""


@define(eq=False)
class Journal:
    """A journal of set-ups: an append-only file of JSON lines that only its owner may read.

    A line is written before the creates of a plan and after each of them, so that a journal lists
    everything but the requests that were in flight during a crash. A last line that a crash cut
    short is dropped.

    Attributes:
        path: The file; created if it is missing.
        fsync: True to wait until each line is on the disk. Without it, a crash of the machine (not
            of the process) may lose the last lines.
        keep_tokens: True to write device tokens too. The service gives them only once, so without
            this a conference that comes from the journal has none.
        clock: Returns the seconds since 1970; for tests.
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
    # An event loop may end while a thread reads the file.
    _guard: threading.Lock = field(factory=threading.Lock, init=False, repr=False)
    _is_opening: bool = field(default=False, init=False, repr=False)
    _is_given_up: bool = field(default=False, init=False, repr=False)

    def open(self, account_id: str) -> Self:
        """Read the file, and keep it open for the account.

        Raises:
            JournalError: The file cannot be read or written, is not a journal, belongs to another
                account, is in use, or is to have tokens although another user can read it.
        """
        with self._guard:
            if self._file is not None or self._is_opening:
                raise JournalError(f"the journal {self.path} is in use. Wait for that call to end.")
            self._is_opening, self._is_given_up = True, False
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            _check_regular(self._file, self.path)
            _keep_private(self._file, self.path, has_tokens=self.keep_tokens)
            _lock(self._file, self.path)
            self._load(account_id)
        except OSError as error:
            self._is_given_up = True
            raise JournalError(
                f"the journal {self.path} cannot be opened: {error.strerror}. Nothing was sent."
            ) from None
        except BaseException:
            self._is_given_up = True
            raise
        finally:
            with self._guard:
                self._is_opening = False
            if self._is_given_up:
                self.close()
        return self

    def close(self) -> None:
        """Close the file, once it is open; closing it again does nothing."""
        with self._guard:
            self._is_given_up = True
            if self._is_opening:  # in another thread, which closes it in turn
                return
            file, self._file = self._file, None
        if file is not None:
            os.close(file)
        self._finished.clear()
        self._unfinished.clear()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the plans that have resources at the service, oldest first."""
        return (*self._unfinished, *self._finished)

    def finished(self, key: str) -> Conference | None:
        """Return a plan's conference if its set-up was finished.

        Raises:
            JournalError: Its line can no longer be read.
        """
        if key not in self._finished:
            return None
        assert self._file is not None  # noqa: S101  # a closed journal has no keys
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
        """Return the resources of a plan whose set-up was not finished."""
        return tuple(self._unfinished.get(key, ()))

    async def begin(self, key: str) -> None:
        """Write that the creates of a plan follow.

        Raises:
            JournalError: The line cannot be written; nothing may be created.
        """
        await self._write(Line(plan=key, begun=self.clock()))
        self._unfinished[key] = []

    async def record(self, key: str, resource: Resource) -> None:
        """Write that a resource was created.

        Raises:
            JournalError: The line cannot be written.
        """
        self._unfinished.setdefault(key, []).append(resource)
        await self._write(lines.created(key, resource))

    async def finish(self, conference: Conference) -> None:
        """Write that the set-up of a conference is finished.

        Raises:
            JournalError: The line cannot be written.
        """
        start = self._size
        await self._write(lines.done(conference, self.clock(), keep_tokens=self.keep_tokens))
        self._unfinished.pop(conference.key, None)
        self._finished[conference.key] = start

    async def forget(self, key: str) -> None:
        """Write that every resource of a plan is deleted.

        Raises:
            JournalError: The line cannot be written.
        """
        await self._write(Line(plan=key, deleted=self.clock()))
        self._unfinished.pop(key, None)
        self._finished.pop(key, None)

    async def _write(self, line: Line) -> None:
        if self._file is None:
            raise JournalError(f"the journal {self.path} is closed.")
        self._append(line)
        if self.fsync:
            await self._sync()

    def _append(self, line: Line) -> None:
        assert self._file is not None  # noqa: S101  # callers have checked it
        content = lines.write(line)
        try:
            written = os.write(self._file, content)
            reason: str | None = "no space left for a line"
        except OSError as error:
            written, reason = 0, error.strerror
        if written < len(content):
            # A partial line would look like a crash.
            os.ftruncate(self._file, self._size)
            raise self._unwritable(reason)
        self._size += written

    async def _sync(self) -> None:
        """Wait until every written line is on the disk; concurrent callers share one fsync."""
        if self._syncing is None:
            self._syncing = anyio.Lock()
        written = self._size
        async with self._syncing:
            if self._synced >= written or self._file is None:
                return
            reached = self._size
            try:
                await anyio.to_thread.run_sync(os.fsync, self._file)
            except OSError as error:
                raise self._unwritable(error.strerror) from None
            self._synced = reached

    def _unwritable(self, reason: str | None) -> JournalError:
        return JournalError(
            f"the journal {self.path} cannot be written: {reason}. Nothing more is started. Make "
            "it writable, then repeat the call to continue."
        )

    def _load(self, account_id: str) -> None:
        for number, (start, line) in enumerate(self._lines(), 1):
            where = f"line {number} of the journal {self.path}"
            if number == 1:
                lines.check_header(line, account_id, where)
            else:
                self._take(line, start, where)
            if self._is_given_up:
                raise JournalError(f"the journal {self.path} was closed while it was read.")
        assert self._file is not None  # noqa: S101  # open() has just opened it
        os.ftruncate(self._file, self._size)
        if self._size == 0:
            self._append(Line(journal=lines.VERSION, account=account_id))

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Read the complete lines with their offsets; skip a last line that a crash cut short."""
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    start, self._size = self._size, self._size + len(line)
                    yield start, line

    def _take(self, line: bytes, start: int, where: str) -> None:
        match lines.read(line, where):
            case Line(plan=str(key), begun=float()):
                self._unfinished.setdefault(key, [])
            case Line(plan=str(key), session=str(found)):
                self._unfinished.setdefault(key, []).append(Resource("session", found))
            case Line(plan=str(key), participant=str(found), name=str(name)):
                resource = Resource("participant", found, name)
                self._unfinished.setdefault(key, []).append(resource)
            case Line(plan=str(key), done=float(at)):
                self._unfinished.pop(key, None)
                if at + LIFETIME > self.clock():
                    self._finished[key] = start
            case Line(plan=str(key), deleted=float()):
                self._unfinished.pop(key, None)
                self._finished.pop(key, None)
            case _:
                raise JournalError(f"{where} is of an unknown kind. Use a newer version.")


def _check_regular(file: int, path: Path) -> None:
    """Refuse devices and pipes, because some of them have no end."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise JournalError(f"the journal {path} is not a regular file. Choose another path.")


def _keep_private(file: int, path: Path, *, has_tokens: bool) -> None:
    """Let only the owner read a journal that existed before; refuse to write tokens for others."""
    if sys.platform == "win32":  # pragma: no cover
        return
    found = os.fstat(file)
    if found.st_mode & 0o077:
        with contextlib.suppress(PermissionError):  # another user's file
            os.fchmod(file, 0o600)
            found = os.fstat(file)
    if has_tokens and (found.st_mode & 0o077 or found.st_uid != os.geteuid()):
        raise JournalError(
            f"another user can read the journal {path}, so no device tokens are written to it. "
            "Nothing was sent. Choose another path, or leave out keep_tokens."
        )


def _lock(file: int, path: Path) -> None:
    """Lock the journal against other processes, on systems that can."""
    if sys.platform == "win32":  # pragma: no cover
        return
    import fcntl  # noqa: PLC0415  # Windows has none

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalError(
            f"the journal {path} is in use by another process. Wait for it, or choose another path."
        ) from None
