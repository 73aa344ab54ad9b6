"""`CreateCall`: a create, and the deletion of a resource whose id the caller never received.

The service has no idempotency key and no list of sessions, so a lost id is lost. But a response
that arrives too late, or broken, may still hold the id: then the resource can be deleted.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

import anyio
from attrs import define, field

from webrtc_async._call.attempts import Call
from webrtc_async._protocol.route import ACCOUNT, Route
from webrtc_async._protocol.wire import WireResponse
from webrtc_async._transport import OnCallerCancelled, OrphanedRequest
from webrtc_async.errors import (
    CreateRolledBackError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Orphan, Outcome
from webrtc_async.route_table import (
    CREATE_PARTICIPANT,
    CREATE_SESSION,
    DELETE_PARTICIPANT,
    DELETE_SESSION,
)

ResultT = TypeVar("ResultT")

UNDO_DEADLINE: Final = 5.0
"""Deadline of the call that deletes a created resource, in seconds."""

_UNDONE_BY: Final[Mapping[str, tuple[Route[Any, None], str]]] = {
    CREATE_SESSION.operation: (DELETE_SESSION, "session_id"),
    CREATE_PARTICIPANT.operation: (DELETE_PARTICIPANT, "participant_id"),
}

# The service's ids are UUIDs. A quote inside a JSON string follows a backslash, so no tag matches.
_ID: Final = re.compile(rb'"id"\s*:\s*"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"')


def created_id(content: bytes) -> str | None:
    """Return the id in a response body, whole or not; None unless it has exactly one.

    With several ids, the wrong resource could be deleted.
    """
    found = {match.decode("ascii") for match in _ID.findall(content)}
    return found.pop() if len(found) == 1 else None


@define(eq=False)
class CreateCall(Call[ResultT]):
    """One call of a create."""

    _created_id: str | None = field(default=None, init=False)

    def _on_caller_cancelled(self) -> OnCallerCancelled | None:
        return self._follow_if_possible if self.context.create_grace > 0 else None

    def _follow_if_possible(self, orphaned: OrphanedRequest) -> bool:
        """Follow a request whose caller was cancelled; return False if there is no slot for it."""
        context = self.context
        if not context.may_follow:
            return False
        name = f"{self.route.operation}, whose caller was cancelled"
        follow, end = partial(self._follow, orphaned), partial(context.followed.discard, orphaned)
        context.followed.add(orphaned)
        if context.background_tasks.start(follow, name=name, on_end=end) is None:
            end()
            return False
        return True

    async def _follow(self, orphaned: OrphanedRequest) -> None:
        """Wait for the response to a cancelled create, and delete the created resource."""
        resource_id = created_id(await orphaned.finish(self.context.create_grace))
        self.context.followed.discard(orphaned)
        if resource_id is not None:
            await self._undo(resource_id)

    async def _handle_failure(self, error: WebRtcError, response: WireResponse | None) -> None:
        """Delete the created resource if the response is unusable but still holds its id."""
        if not isinstance(error, UnknownOutcomeError | UnexpectedResponseError):
            return
        # No variable holds the body, because a debugger would show its token.
        resource_id = created_id(self._state.received if response is None else response.content)
        if resource_id is None:
            return
        undo = partial(self._undo, resource_id)
        handle = self.context.background_tasks.start(undo, name=f"undoing a {self.route.operation}")
        if handle is None:
            is_gone = await undo()
        else:
            await handle.wait(shielded=False)
            is_gone = handle.has_result and handle.result()
        if not is_gone:
            self._created_id = resource_id
            return
        raise CreateRolledBackError(
            f"the response was unusable ({error.message.rstrip('.')}). The created resource, "
            f"{resource_id}, was deleted. The call can be repeated.",
            resource_id=resource_id,
        ) from error

    async def _undo(self, resource_id: str) -> bool:
        """Delete the created resource; return True once it is gone."""
        delete, name = _UNDONE_BY[self.route.operation]
        try:
            await self.follow_up_call(delete, {name: resource_id}, UNDO_DEADLINE).perform()
        except WebRtcError as error:
            return getattr(error, "status", None) == HTTPStatus.NOT_FOUND
        return True

    def _complete(self, error: WebRtcError) -> None:
        super()._complete(error)
        if self._may_exist(error):
            elapsed = timedelta(seconds=anyio.current_time() - self._started)
            error.orphan = Orphan(
                account_id=str(self.path_values[ACCOUNT]),
                tag=self.tag,
                sent_at=datetime.now(UTC) - elapsed,
                resource_id=self._created_id,
            )

    def _may_exist(self, error: WebRtcError) -> bool:
        """Return True if a resource may exist after this failure."""
        if error.outcome is not Outcome.ANSWERED:
            return error.outcome is Outcome.UNKNOWN
        status = getattr(error, "status", None) or 0
        # A gateway may send 5xx, or 408, while the service goes on to create.
        return status // 100 in {2, 5} or status == HTTPStatus.REQUEST_TIMEOUT
