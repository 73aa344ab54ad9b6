"""Deleting what exists at the service: participants, then the sessions they were in."""

from collections.abc import Iterable, MutableSequence

import anyio
from attrs import define, field

from webrtc_async._tasks.slot import Slot
from webrtc_async.conferences.background_work import report_left
from webrtc_async.conferences.resource import Resource
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import ClientClosedError, NotFoundError, WebRtcError


@define(eq=False)
class Deletion:
    """The deletion of some resources.

    Attributes:
        client: What deletes.
        places: Where each request waits for its turn, so that none waits within its deadline.
        left: What is not known to be deleted, oldest first; emptied as it goes.
        errors: Why some of it could not be deleted.
    """

    client: Endpoints
    places: anyio.CapacityLimiter
    left: MutableSequence[Resource]
    errors: list[WebRtcError] = field(factory=list[WebRtcError], init=False)

    async def run(self) -> None:
        """Delete participants all at once, and then the sessions that they were in.

        What is gone already is as good as deleted.
        """
        try:
            await self._delete_all(each for each in reversed(self.left) if each.kind != "session")
            await self._delete_all(each for each in reversed(self.left) if each.kind == "session")
        except BaseException:
            report_left(self.left)
            raise
        if any(isinstance(error, ClientClosedError) for error in self.errors):
            report_left(self.left)

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
        async with Slot(self.places, object()):
            try:
                await delete(resource.id)
            except NotFoundError:
                pass
            except Exception as error:  # a user's transport may raise anything
                self.errors.append(_ours(error, resource))
                return
        self.left.remove(resource)


def _ours(error: Exception, resource: Resource) -> WebRtcError:
    if isinstance(error, WebRtcError):
        error.add_note(f"It was to delete {resource}.")
        return error
    ours = WebRtcError(f"{resource} was not deleted ({type(error).__name__}).")
    ours.__cause__ = error
    return ours
