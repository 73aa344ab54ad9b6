"""A create: its attempts, and what becomes of what it made when nobody got the answer."""

from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

import anyio
from attrs import define, field

from webrtc_async.call import Call
from webrtc_async.compensation import created_id, undoing
from webrtc_async.errors import (
    CreateRolledBackError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.outcome import YOUNG, Orphan, Outcome
from webrtc_async.reaper import UNWINDING, Handle
from webrtc_async.route import ACCOUNT
from webrtc_async.wire import WireRequest, WireResponse

ResultT = TypeVar("ResultT")

UNDOING: Final = 5.0
"""Seconds that deleting what a create made may take."""


@define(kw_only=True, eq=False)
class CreateCall(Call[ResultT]):
    """One call of a create.

    Attributes:
        tag: The tag of what it creates.
    """

    tag: str | None
    _created: str | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._progress.longest_idle = YOUNG

    async def _send(self, request: WireRequest) -> WireResponse:
        """Send a create in a task of the client's, so that it can be followed if this one ends."""
        channel = self.channel
        handle = None
        if channel.create_grace > 0:
            handle = channel.reaper.start(
                partial(super()._send, request), name=self.route.operation
            )
        if handle is None:
            return await super()._send(request)
        try:
            await handle.wait(shielded=False)
        except anyio.get_cancelled_exc_class():
            if self._progress.outcome is not Outcome.NOT_SENT and channel.may_follow:
                name = f"{self.route.operation}, whose caller has gone"
                channel.followed += 1
                if channel.reaper.start(partial(self._follow, handle), name=name) is not None:
                    handle.give_up_after(channel.create_grace)
                    raise
                channel.followed -= 1
            handle.give_up()
            await handle.wait(grace=UNWINDING)
            raise
        return handle.result()

    async def _follow(self, handle: Handle[WireResponse]) -> None:
        """Wait for the answer to a create whose caller has gone, and delete what it made."""
        try:
            await handle.wait()
            if handle.is_given_up:
                content = self._progress.received
            else:
                answer = handle.result()
                content = answer.content if answer.is_success else b""
        except WebRtcError:
            content = self._progress.received
        finally:
            self.channel.followed -= 1
        if (resource_id := created_id(content)) is not None:
            await self._undo(resource_id)

    async def _see_failure(self, error: WebRtcError, response: WireResponse | None) -> None:
        """Undo a create whose answer is broken, if the answer still says what it made."""
        if not isinstance(error, UnknownOutcomeError | UnexpectedResponseError):
            return
        content = self._progress.received if response is None else response.content
        resource_id = created_id(content)
        if resource_id is None:
            return
        undo = partial(self._undo, resource_id)
        handle = self.channel.reaper.start(undo, name=f"undoing a {self.route.operation}")
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
            await self.sibling(delete, values, UNDOING).perform()
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
