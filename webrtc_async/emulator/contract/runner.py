"""Runs a case and says where the answers are not what the case expects."""

import json
from collections.abc import Iterator
from string import Template
from typing import Final, cast

import anyio
from attrs import define, field, frozen

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.contract.case import Case, Step
from webrtc_async.emulator.contract.shape import mismatches
from webrtc_async.emulator.contract.target import NoAnswerError, Target

UNKNOWN: Final = "00000000-0000-0000-0000-000000000000"
"""An id that nothing has: the service's are random UUIDs, and this one is not."""

CLEAN_UP: Final = 60.0
"""Seconds that deleting what a case made may take."""


@frozen(kw_only=True)
class Verdict:
    """How a case ended.

    Attributes:
        case: Which.
        problems: Where the answers differ from it; none when it holds.
        skip_reason: Why it was not run; empty when it was.
        not_deleted: What could not be deleted afterwards.
    """

    case: Case
    problems: tuple[str, ...] = ()
    skip_reason: str = ""
    not_deleted: tuple[str, ...] = ()


async def run(case: Case, place: Target) -> Verdict:
    """Run a case at an open place, and delete what it made there, whatever happens."""
    talk = _Talk(place)
    try:
        problems = await talk.hold(case)
    except NoAnswerError as error:
        problems = (str(error),)
    finally:
        # Not cancelled by Ctrl-C: in a real account what is left would stay for nine hours.
        with anyio.move_on_after(CLEAN_UP, shield=True):
            await talk.delete_what_was_made()
    return Verdict(case=case, problems=problems, not_deleted=tuple(talk.made))


@define
class _Talk:
    place: Target
    values: dict[str, str] = field(init=False)
    made: list[str] = field(factory=list[str], init=False)

    def __attrs_post_init__(self) -> None:
        names = ("session", "participant", "other_session", "other_participant")
        self.values = dict.fromkeys(names, UNKNOWN) | {"unknown": UNKNOWN}

    async def hold(self, case: Case) -> tuple[str, ...]:
        for step in case.given:
            if problems := await self._take(step):
                return tuple(f"before it, {step.send}: {each}" for each in problems)
        if case.hours:
            assert self.place.forward is not None, "only for places with a clock"  # noqa: S101
            self.place.forward(case.hours)
        if problems := await self._take(case.asked):
            return problems
        for step in case.then:
            if problems := await self._take(step):
                return tuple(f"then {step.send}: {each}" for each in problems)
        return ()

    async def delete_what_was_made(self) -> None:
        """Delete everything, newest first; a 404 is as good, because some cases delete too."""
        for path in reversed(tuple(self.made)):
            try:
                answer = await self._send(Step(send=f"DELETE {path}"))
            except NoAnswerError:
                continue
            if answer.status in {200, 204, 404}:
                self.made.remove(path)

    async def _take(self, step: Step) -> tuple[str, ...]:
        answer = await self._send(step)
        self._note_what_was_made(step, answer)
        problems = tuple(self._problems(step, answer))
        if not problems:
            for name, where in step.save.items():
                self.values[name] = str(_at(answer, where))
        return problems

    async def _send(self, step: Step) -> WireResponse:
        method, _, path = self._filled(step.send).partition(" ")
        body = self._filled(step.body).encode()
        headers = {"accept": "application/json", **self.place.header_of(step.caller)}
        if body:
            headers["content-type"] = "application/json"
        account = step.account or self.place.account
        return await self.place.send(
            WireRequest(
                method=method,
                target=f"{self.place.base_url}/accounts/{account}{path}",
                headers={**headers, **step.headers},
                content=body,
            )
        )

    def _problems(self, step: Step, answer: WireResponse) -> Iterator[str]:
        if answer.status != step.status:
            said = answer.content[:200].decode("utf-8", "replace")
            yield f"the status is {answer.status}, not {step.status}: {said}"
        elif answer.status == 204 and answer.content:
            yield "a 204 has a body"
        elif step.answer is not None:
            found = _json(answer)
            if isinstance(found, ValueError):
                yield "the answer is no JSON"
            else:
                yield from mismatches(self._shape(step.answer), found)

    def _note_what_was_made(self, step: Step, answer: WireResponse) -> None:
        """Remember what is to be deleted, of whatever answer looks like a creation."""
        if not step.send.startswith("POST /") or not answer.is_success:
            return
        for where, path in (("id", "/sessions"), ("participant.id", "/participants")):
            found = _at(answer, where)
            if isinstance(found, str):
                self.made.append(f"{path}/{found}")

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


def _json(answer: WireResponse) -> object:
    try:
        return json.loads(answer.content)
    except ValueError as error:
        return error


def _at(answer: WireResponse, where: str) -> object:
    """Return the value at dotted names in an answer, or None."""
    found = _json(answer)
    for name in where.split("."):
        found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
    return found
