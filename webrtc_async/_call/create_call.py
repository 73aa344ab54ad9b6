"""A create: its attempts, and what becomes of what it made when nobody got the answer."""

from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

import anyio
from attrs import define, field

from webrtc_async._call.attempts import Call
from webrtc_async._call.compensation import created_id, undoing
from webrtc_async._protocol.route import ACCOUNT
from webrtc_async._protocol.wire import WireResponse
from webrtc_async._transport import OnCallerCancelled, OrphanedRequest
from webrtc_async.errors import (
    CreateRolledBackError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Orphan, Outcome

ResultT = TypeVar("ResultT")

UNDOING: Final = 5.0
"""Seconds that deleting what a create made may take."""


@define(eq=False)
class CreateCall(Call[ResultT]):
    """One call of a create."""

    _created: str | None = field(default=None, init=False)

    def _heir(self) -> OnCallerCancelled | None:
        return self._take_over if self.context.create_grace > 0 else None

    def _take_over(self, left: OrphanedRequest) -> bool:
        """Follow an exchange whose caller has gone, if there is room."""
        context = self.context
        if not context.may_follow:
            return False
        name = f"{self.route.operation}, whose caller has gone"
        if context.background_tasks.start(partial(self._follow, left), name=name) is None:
            return False
        context.followed += 1
        return True

    async def _follow(self, left: OrphanedRequest) -> None:
        """Wait for the answer to a create whose caller has gone, and delete what it made."""
        try:
            content = await left.finish(self.context.create_grace)
        finally:
            self.context.followed -= 1
        if (resource_id := created_id(content)) is not None:
            await self._undo(resource_id)

    async def _see_failure(self, error: WebRtcError, response: WireResponse | None) -> None:
        """Undo a create whose answer is broken, if the answer still says what it made."""
        if not isinstance(error, UnknownOutcomeError | UnexpectedResponseError):
            return
        content = self._state.received if response is None else response.content
        resource_id = created_id(content)
        if resource_id is None:
            return
        undo = partial(self._undo, resource_id)
        handle = self.context.background_tasks.start(undo, name=f"undoing a {self.route.operation}")
        if handle is None:
            is_gone = await undo()
        else:
            await handle.wait(shielded=False)
            is_gone = handle.result()
        if not is_gone:
            self._created = resource_id
            return
        raise CreateRolledBackError(
            f"its answer is of no use ({error.message.rstrip('.')}), so what it had made, "
            f"{resource_id}, was deleted again. It can be repeated.",
            resource_id=resource_id,
        ) from error

    async def _undo(self, resource_id: str) -> bool:
        delete, values = undoing(self.route, resource_id)
        try:
            await self.follow_up_call(delete, values, UNDOING).perform()
        except WebRtcError as error:
            return getattr(error, "status", None) == HTTPStatus.NOT_FOUND
        return True

    def _complete(self, error: WebRtcError, started: float) -> None:
        super()._complete(error, started)
        if self._may_exist(error):
            elapsed = timedelta(seconds=anyio.current_time() - started)
            error.orphan = Orphan(
                account_id=str(self.path_values[ACCOUNT]),
                tag=self.tag,
                sent_at=datetime.now(UTC) - elapsed,
                resource_id=self._created,
            )

    def _may_exist(self, error: WebRtcError) -> bool:
        """Whether a create that failed so may have made something that is still there."""
        if error.outcome is not Outcome.ANSWERED:
            return error.outcome is Outcome.UNKNOWN
        status = getattr(error, "status", None) or 0
        # A gateway may answer 5xx, or 408, for a service that went on to create.
        return status // 100 in {2, 5} or status == HTTPStatus.REQUEST_TIMEOUT
