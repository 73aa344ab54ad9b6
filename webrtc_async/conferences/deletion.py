"""The deletion of resources: participants first, then their sessions."""

import logging
from collections.abc import Iterable, MutableSequence, Sequence
from typing import Final

import anyio
from attrs import define, field

from webrtc_async._tasks.slot import Slot
from webrtc_async.conferences.resource import Resource
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import ClientClosedError, NotFoundError, WebRtcError

_log: Final = logging.getLogger("webrtc_async")


@define(eq=False)
class Deletion:
    """The deletion of some resources.

    Attributes:
        client: Sends the requests.
        slots: The queue in front of the requests; a request's deadline starts after it.
        not_deleted: The resources that may still exist, oldest first; shrinks as they are deleted.
        errors: The failures.
        is_done: True once everything was tried, or the rest was reported.
    """

    client: Endpoints
    slots: anyio.CapacityLimiter
    not_deleted: MutableSequence[Resource]
    errors: list[WebRtcError] = field(factory=list[WebRtcError], init=False)
    is_done: bool = field(default=False, init=False)
    _has_no_caller: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Delete all participants concurrently, then their sessions.

        A resource that no longer exists counts as deleted.
        """
        newest_first = list(reversed(self.not_deleted))
        try:
            await self._delete_all(each for each in newest_first if each.kind != "session")
            await self._delete_all(each for each in newest_first if each.kind == "session")
        except BaseException:
            self.end()
            raise
        self.is_done = True
        if self._has_no_caller or any(isinstance(each, ClientClosedError) for each in self.errors):
            log_not_deleted(self.not_deleted)

    def report_to_log(self) -> None:
        """Log what cannot be deleted: nobody waits for the failures any more."""
        if self.is_done:
            log_not_deleted(self.not_deleted)
        self._has_no_caller = True

    def end(self) -> None:
        """Report the resources of a deletion whose task was ended, unless it is done."""
        if not self.is_done:
            self.is_done = True
            log_not_deleted(self.not_deleted)

    async def _delete_all(self, resources: Iterable[Resource]) -> None:
        first, *others = tuple(resources) or (None,)
        if first is None:
            return
        async with anyio.create_task_group() as tasks:
            for each in others:
                tasks.start_soon(self._delete, each)
            await self._delete(first)

    async def _delete(self, resource: Resource) -> None:
        is_session = resource.kind == "session"
        delete = self.client.delete_session if is_session else self.client.delete_participant
        async with Slot(self.slots, object()):
            try:
                await delete(resource.id)
            except NotFoundError:
                pass
            except Exception as error:  # noqa: BLE001  # a user's transport may raise anything
                self.errors.append(as_webrtc_error(error, resource))
                return
        self.not_deleted.remove(resource)


def log_not_deleted(resources: Sequence[Resource]) -> None:
    """Log the resources that remain, for those whose failure no caller gets."""
    if resources:
        listed = ", ".join(map(str, resources))
        _log.warning("Not deleted: %s. The service deletes them after nine hours.", listed)


def as_webrtc_error(error: Exception, resource: Resource) -> WebRtcError:
    """Return the error of a deletion, with the resource that may still exist."""
    if isinstance(error, WebRtcError):
        error.add_note(f"The request was to delete {resource}.")
        return error
    wrapped = WebRtcError(f"{resource} was not deleted ({type(error).__name__}).")
    wrapped.__cause__ = error
    return wrapped
