"""Random operations under random faults, compared with the emulator's true state.

`python tests/faults/stateful_faults.py 100000` continues up to that number of faults, and prints
counts.
"""

import asyncio
import json
import sys
from collections import Counter
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from support.backends import JumpingLoop
from support.http_library import httpx

from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.emulator import Emulator, EmulatorTransport
from webrtc_async.errors import CreateRolledBackError, NotFoundError, WebRtcError
from webrtc_async.errors.outcome import Outcome
from webrtc_async.models import Participant, Session

ACCOUNT = "9900000"
ATTEMPTS = 3

UNSENT = ("refused", "no name", "no connection in time")
LOST = ("lost before acting", "lost after acting", "silent before acting", "silent after acting")
ANSWERED = ("429", "500", "502", "503", "504", "408")
BROKEN = ("cut off", "misfit", "page")
LYING = ("502 after acting", "504 after acting")
"""A gateway's status although the service did act; only creates="never" is safe then."""


class FaultyTransport(httpx.AsyncBaseTransport):
    """A transport to an emulator that applies the next fault."""

    def __init__(self, emulator: Emulator) -> None:
        self.inner = EmulatorTransport(emulator)
        self.faults: list[str] = []
        self.met: list[str] = []
        self.made: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults else "none"
        self.met.append(fault)
        match fault:
            case "refused" | "no name":
                raise httpx.ConnectError(fault)
            case "no connection in time":
                raise httpx.ConnectTimeout(fault)
            case "lost before acting":
                raise httpx.ReadError(fault)
            case "silent before acting":
                await asyncio.sleep(3600)
            case "429" | "500" | "502" | "503" | "504" | "408":
                return httpx.Response(int(fault), json={"message": fault})
        answer = await self.act(request)
        match fault:
            case "lost after acting":
                raise httpx.RemoteProtocolError(fault)
            case "silent after acting":
                await asyncio.sleep(3600)
            case "502 after acting" | "504 after acting":
                return httpx.Response(int(fault[:3]))
            case "cut off":
                return httpx.Response(answer.status_code, content=answer.content[:-9])
            case "misfit":
                return httpx.Response(answer.status_code, content=answer.content + b"]")
            case "page":
                return httpx.Response(answer.status_code, text="<html>welcome</html>")
        return answer

    async def act(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        if request.method == "POST" and answer.status_code == 200:
            self.made[json.loads(request.content)["tag"]] += 1
        return answer


class Faults(RuleBasedStateMachine):
    """One client, one emulator, and the faults between them."""

    counts: ClassVar[Counter[str]] = Counter()
    creates: ClassVar[Any] = "answered"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=JumpingLoop)
        self.emulator = Emulator(seed=1)
        self.transport = FaultyTransport(self.emulator)
        self.client = AsyncWebRtcClient(
            ACCOUNT,
            auth=("user", "password"),
            transport=self.transport,
            # With so many failures the quota would stop every retry; it has tests of its own.
            retry=RetryPolicy(attempts=ATTEMPTS, creates=self.creates),
            retry_quota=RetryQuota(float("inf")),
        )
        self.sessions: dict[str, str] = {}
        self.participants: dict[str, str] = {}
        self.number = 0

    def call(self, faults: list[str], method: str, *args: Any, **kwargs: Any) -> Any:
        """Make a call under faults; return its result, or its error."""
        self.transport.faults, self.transport.met = list(faults), []
        try:
            result = self.runner.run(getattr(self.client, method)(*args, **kwargs))
        except WebRtcError as error:
            result = error
        met = self.transport.met
        self.counts["calls"] += 1
        self.counts["faults"] += sum(fault != "none" for fault in met)
        for number, fault in enumerate(met, 1):
            if fault in UNSENT and number < ATTEMPTS:
                self.counts["unsent"] += 1
                self.counts["unsent and repeated"] += number < len(met)
        self.transport.faults = []
        return result

    def create(
        self, faults: list[str], method: str, kind: type[Any], known: dict[str, str]
    ) -> None:
        """Create under faults, and compare the client's result with the true state."""
        self.number += 1
        tag = f"tag-{self.number}"
        result = self.call(faults, method, kind(tag=tag))
        made = self.transport.made[tag]
        self.counts["creates"] += 1
        self.counts["creates made twice"] += made > 1
        assert made <= 1, (faults, self.transport.met)
        alive = self.alive(method)
        unknown = alive - set(known)
        if not isinstance(result, WebRtcError):
            resource = getattr(result, "participant", result)
            assert unknown == {resource.id}
            known[resource.id] = tag
            return
        if isinstance(result, CreateRolledBackError):
            self.counts["creates rolled back"] += 1
            assert (made, unknown) == (1, set())
        elif result.outcome is Outcome.NOT_SENT:
            assert made == 0
        if result.orphan is None:
            assert unknown == set(), (result, self.transport.met)
        else:
            self.counts["creates reported as unknown"] += 1
            assert result.orphan.tag == tag
        for resource_id in unknown:  # the caller was told of it, and it is dealt with
            known[resource_id] = tag

    def alive(self, method: str) -> set[str]:
        """Return the ids of the existing resources."""
        ids = self.emulator.session_ids if "session" in method else self.emulator.participant_ids
        return set(ids(ACCOUNT))

    faults = st.lists(st.sampled_from([*UNSENT, *LOST, *ANSWERED, *BROKEN]), max_size=ATTEMPTS)

    @rule(faults=faults)
    def create_session(self, faults: list[str]) -> None:
        self.create(faults, "create_session", Session, self.sessions)

    @rule(faults=faults)
    def create_participant(self, faults: list[str]) -> None:
        self.create(faults, "create_participant", Participant, self.participants)

    @rule(faults=faults, data=st.data())
    def delete(self, faults: list[str], data: st.DataObject) -> None:
        method, known = data.draw(
            st.sampled_from(
                [("delete_session", self.sessions), ("delete_participant", self.participants)]
            )
        )
        if not known:
            return
        resource_id = data.draw(st.sampled_from(sorted(known)))
        result = self.call(faults, method, resource_id)
        is_there = resource_id in self.alive(method)
        if not isinstance(result, WebRtcError) or isinstance(result, NotFoundError):
            assert not is_there
        if not is_there:
            del known[resource_id]

    @rule(faults=faults, data=st.data())
    def join(self, faults: list[str], data: st.DataObject) -> None:
        if not (self.sessions and self.participants):
            return
        session_id = data.draw(st.sampled_from(sorted(self.sessions)))
        participant_id = data.draw(st.sampled_from(sorted(self.participants)))
        result = self.call(
            faults,
            "add_participant_to_session",
            session_id=session_id,
            participant_id=participant_id,
        )
        if not isinstance(result, WebRtcError):
            assert participant_id in self.emulator.subscribed_to(ACCOUNT, session_id)

    @rule(faults=faults, data=st.data())
    def read(self, faults: list[str], data: st.DataObject) -> None:
        if self.sessions:
            session_id = data.draw(st.sampled_from(sorted(self.sessions)))
            result = self.call(faults, "list_session_participants", session_id)
            if not isinstance(result, WebRtcError):
                members = self.emulator.subscribed_to(ACCOUNT, session_id)
                assert {each.id for each in result} == set(members)

    def teardown(self) -> None:
        self.runner.run(self.client.aclose())
        # Closing may have deleted known resources; no unknown resource may exist.
        assert self.alive("session") <= set(self.sessions)
        assert self.alive("participant") <= set(self.participants)
        self.runner.close()


class LyingGateways(Faults):
    """The same with gateways that hide a service's success, and creates="never"."""

    counts: ClassVar[Counter[str]] = Counter()
    creates = "never"

    @rule(fault=st.sampled_from(LYING))
    def create_behind_a_lying_gateway(self, fault: str) -> None:
        self.create([fault], "create_session", Session, self.sessions)


def run(machine: type[Faults], examples: int) -> None:
    """Run a state machine for a number of examples."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


def report(counts: Counter[str]) -> str:
    """Return the counts as lines."""
    return "\n".join(f"{counts[name]:>9,} {name}" for name in sorted(counts))


def main(wanted: int) -> None:
    """Run until the number of faults is reached, and print the counts after each round."""
    while Faults.counts["faults"] + LyingGateways.counts["faults"] < wanted:
        run(Faults, 40)
        run(LyingGateways, 10)
        sys.stdout.write(f"By default:\n{report(Faults.counts)}\n")
        sys.stdout.write(f'With creates="never":\n{report(LyingGateways.counts)}\n\n')
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
