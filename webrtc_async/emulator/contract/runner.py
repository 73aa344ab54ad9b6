"""The runner of a case: it compares the responses with the case's expectations."""

import json
from collections.abc import Iterator
from string import Template
from typing import Final, cast

import anyio
from attrs import define, field, frozen

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.contract.case import Case, Step
from webrtc_async.emulator.contract.shape import mismatches
from webrtc_async.emulator.contract.target import NoResponseError, Target

UNKNOWN: Final = "00000000-0000-0000-0000-000000000000"
"""An id of no resource: the service's ids are random UUIDs, and this one is not."""

CLEANUP_TIMEOUT: Final = 60.0
"""Seconds for deleting the resources of a case."""


@frozen(kw_only=True)
class Verdict:
    """The result of a case.

    Attributes:
        case: The case.
        problems: Differences between the responses and the case; empty if it holds.
        skip_reason: Reason that the case did not run; empty if it ran.
        not_deleted: Paths of resources that could not be deleted afterwards.
    """

    case: Case
    problems: tuple[str, ...] = ()
    skip_reason: str = ""
    not_deleted: tuple[str, ...] = ()


async def run(case: Case, target: Target) -> Verdict:
    """Run a case at an open target, and always delete the resources that it created."""
    case_run = _CaseRun(target)
    try:
        problems = await case_run.check(case)
    except NoResponseError as error:
        problems = (str(error),)
    finally:
        # Shielded from Ctrl-C: in a real account a session would remain for nine hours.
        with anyio.move_on_after(CLEANUP_TIMEOUT, shield=True):
            await case_run.delete_created()
    return Verdict(case=case, problems=problems, not_deleted=tuple(case_run.created))


@define
class _CaseRun:
    target: Target
    values: dict[str, str] = field(init=False)
    created: list[str] = field(factory=list[str], init=False)

    def __attrs_post_init__(self) -> None:
        names = ("session", "participant", "other_session", "other_participant")
        self.values = dict.fromkeys(names, UNKNOWN) | {"unknown": UNKNOWN}

    async def check(self, case: Case) -> tuple[str, ...]:
        for step in case.given:
            if problems := await self._take(step):
                return tuple(f"before it, {step.send}: {each}" for each in problems)
        if case.hours:
            assert self.target.advance_clock is not None, "needs a movable clock"  # noqa: S101
            self.target.advance_clock(case.hours)
        if problems := await self._take(case.step):
            return problems
        for step in case.then:
            if problems := await self._take(step):
                return tuple(f"then {step.send}: {each}" for each in problems)
        return ()

    async def delete_created(self) -> None:
        """Delete all created resources, newest first; a 404 means that the case deleted it."""
        for path in reversed(tuple(self.created)):
            try:
                response = await self._send(Step(send=f"DELETE {path}"))
            except NoResponseError:
                continue
            if response.status in {200, 204, 404}:
                self.created.remove(path)

    async def _take(self, step: Step) -> tuple[str, ...]:
        response = await self._send(step)
        self._note_created(step, response)
        problems = tuple(self._problems(step, response))
        if not problems:
            for name, path in step.save.items():
                self.values[name] = str(_at(response, path))
        return problems

    async def _send(self, step: Step) -> WireResponse:
        method, _, path = self._filled(step.send).partition(" ")
        body = self._filled(step.body).encode()
        headers = {"accept": "application/json", **self.target.header_of(step.caller)}
        if body:
            headers["content-type"] = "application/json"
        account = step.account or self.target.account
        return await self.target.send(
            WireRequest(
                method=method,
                target=f"{self.target.base_url}/accounts/{account}{path}",
                headers={**headers, **step.headers},
                content=body,
            )
        )

    def _problems(self, step: Step, response: WireResponse) -> Iterator[str]:
        if response.status != step.status:
            body = response.content[:200].decode("utf-8", "replace")
            yield f"the status is {response.status}, not {step.status}: {body}"
        elif response.status == 204 and response.content:
            yield "the 204 has a body"
        elif step.response is not None:
            found = _json(response)
            if isinstance(found, ValueError):
                yield "the response is not JSON"
            else:
                yield from mismatches(self._shape(step.response), found)

    def _note_created(self, step: Step, response: WireResponse) -> None:
        """Note the resource of every response that looks like a creation, to delete it later."""
        if not step.send.startswith("POST /") or not response.is_success:
            return
        for where, path in (("id", "/sessions"), ("participant.id", "/participants")):
            found = _at(response, where)
            if isinstance(found, str):
                self.created.append(f"{path}/{found}")

    def _shape(self, shape: object) -> object:
        if isinstance(shape, str):
            return self._filled(shape)
        if isinstance(shape, list):
            return [self._shape(each) for each in cast("list[object]", shape)]
        if isinstance(shape, dict):
            fields = cast("dict[str, object]", shape)
            return {name: self._shape(inner) for name, inner in fields.items()}
        return shape

    def _filled(self, text: str) -> str:
        return Template(text).safe_substitute(self.values)


def _json(response: WireResponse) -> object:
    try:
        return json.loads(response.content)
    except ValueError as error:
        return error


def _at(response: WireResponse, path: str) -> object:
    """Return the value at a dotted path in a response, or None."""
    found = _json(response)
    for name in path.split("."):
        found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
    return found
