"""Uses that type checkers must accept; mypy and pyright check this file, and nothing runs it."""

from collections.abc import Mapping
from typing import assert_type

import httpx
import httpx2

from webrtc_async import (
    AccountsParticipantsResponse,
    ApiError,
    ApiResponse,
    AsyncWebRtcClient,
    BulkResults,
    Conference,
    ConferencePlan,
    ConflictError,
    DeadlineExceededError,
    InDoubt,
    Journal,
    LiveConference,
    Member,
    OAuth2ClientCredentials,
    Outcome,
    Participant,
    ParticipantSpec,
    ParticipantSubscription,
    PublishPermission,
    Resource,
    RetryPolicy,
    Session,
    SetUpDone,
    SetupError,
    SetUpFailed,
    SetupProgress,
    Stage,
    Subscriptions,
    TeardownError,
    TeardownResult,
    TransportError,
    UnexpectedResponseError,
    WebRtcError,
    from_wire,
    to_wire,
)
from webrtc_async.emulator import Emulator, EmulatorTransport
from webrtc_async.route_table import (
    CREATE_SESSION,
    DELETE_SESSION,
    GET_PARTICIPANT_SUBSCRIPTIONS,
    LIST_SESSION_PARTICIPANTS,
)
from webrtc_async.webhooks import ParticipantEvent


async def endpoints(client: AsyncWebRtcClient) -> None:
    assert_type(await client.create_session(), Session)
    assert_type(await client.create_session(Session(tag="a")), Session)
    assert_type(await client.create_session(session=Session(tag="a")), Session)
    assert_type(await client.get_session("s"), Session)
    assert_type(await client.get_session(session_id="s"), Session)
    await client.delete_session("s")
    created = await client.create_participant(
        Participant(tag="a", publish_permissions={PublishPermission.AUDIO})
    )
    assert_type(created, AccountsParticipantsResponse)
    assert_type(created.token, str)
    assert_type(created.participant.id, str)
    assert_type(created.participant.publish_permissions, frozenset[PublishPermission] | None)
    assert_type(await client.get_participant("p"), Participant)
    await client.delete_participant("p")
    assert_type(await client.list_session_participants("s"), list[Participant])
    await client.add_participant_to_session(session_id="s", participant_id="p")
    await client.add_participant_to_session(
        session_id="s", participant_id="p", subscriptions=Subscriptions.everyone("s")
    )
    await client.remove_participant_from_session(session_id="s", participant_id="p")
    found = await client.get_participant_subscriptions(session_id="s", participant_id="p")
    assert_type(found, Subscriptions)
    assert_type(found.participants, tuple[ParticipantSubscription, ...])
    await client.update_participant_subscriptions(
        session_id="s", participant_id="p", subscriptions=Subscriptions.only(["q"])
    )


async def requests(client: AsyncWebRtcClient) -> None:
    created = await client.request(CREATE_SESSION, Session(tag="a"))
    assert_type(created, ApiResponse[Session])
    assert_type(created.data, Session)
    assert_type(created.headers, Mapping[str, str])
    assert_type(created.request_id, str | None)
    assert_type(created.elapsed, float)
    deleted = await client.request(DELETE_SESSION, session_id="s")
    assert_type(deleted, ApiResponse[None])
    listed = await client.request(LIST_SESSION_PARTICIPANTS, session_id="s")
    assert_type(listed.data, list[Participant])
    found = await client.request(GET_PARTICIPANT_SUBSCRIPTIONS, session_id="s", participant_id="p")
    assert_type(found.data, Subscriptions)


def wire_forms(session: Session) -> None:
    assert_type(to_wire(session), dict[str, object])
    assert_type(from_wire(Session, {"id": "s"}), Session)
    assert_type(from_wire(ParticipantEvent, {}), ParticipantEvent)


async def clients() -> None:
    AsyncWebRtcClient("1", auth=OAuth2ClientCredentials("id", "secret"))
    AsyncWebRtcClient.from_env(deadline=5, retry=RetryPolicy(creates="never"))
    service = EmulatorTransport(Emulator())
    async with AsyncWebRtcClient("1", auth=("u", "p"), transport=service) as client:
        assert_type(client, AsyncWebRtcClient)
        patience = RetryPolicy(attempts=5, attempt_timeout=4)
        assert_type(client.with_options(deadline=20, retry=patience), AsyncWebRtcClient)
    AsyncWebRtcClient("1", http_client=httpx.AsyncClient(auth=("u", "p")))
    AsyncWebRtcClient("1", http_client=httpx2.AsyncClient(auth=("u", "p")))
    AsyncWebRtcClient("1", auth=("u", "p"), transport=httpx.AsyncHTTPTransport())
    AsyncWebRtcClient("1", auth=("u", "p"), transport=httpx2.AsyncHTTPTransport())
    AsyncWebRtcClient.from_env(http_library="httpx2")


def errors(refused: ApiError, lost: TransportError) -> None:
    assert_type(refused.status, int)
    assert_type(refused.request_id, str | None)
    assert_type(refused.retry_after, float | None)
    assert_type(lost.outcome, Outcome)
    assert_type(lost.status, int | None)
    assert_type(lost.message, str)
    assert_type(ConflictError("full", status=409, headers={"a": "b"}).headers, Mapping[str, str])
    assert_type(DeadlineExceededError("late", stage=Stage.READING).stage, Stage)
    assert_type(UnexpectedResponseError(message="misfit").problems, tuple[str, ...])


async def conferences(client: AsyncWebRtcClient) -> None:
    async with client.conference(
        [ParticipantSpec("agent", publish_permissions=["AUDIO"]), "caller"],
        subscriptions={"agent": ["caller"], "caller": {"agent": ["mic"]}},
        on_progress=list[SetupProgress]().append,
    ) as conference:
        assert_type(conference, LiveConference)
        assert_type(conference["agent"], Member)
        assert_type(conference["agent"].token, str)
        assert_type(conference.session, Session)
        assert_type(await conference.join("late", subscribe_to="nobody"), Member)
        await conference.subscribe("late", {"agent": "all", "caller": ["mic"]})
        await conference.leave("late")
    opened = await client.open_conference(ConferencePlan(["agent"]), on_error="collect")
    assert_type(opened, LiveConference)
    assert_type(opened.members, tuple[Member, ...])
    assert_type([member.name for member in opened], list[str])
    assert_type(opened.to_json(keep_tokens=True), str)
    resumed = client.resume_conference(opened.to_json())
    assert_type(resumed, LiveConference)
    await resumed.end()
    assert_type(await client.join("s", "coach", subscribe_to={"p": ["mic"]}), Member)


async def many_conferences(client: AsyncWebRtcClient) -> None:
    plans = (ConferencePlan(["a"], subscriptions="nobody", key=str(n)) for n in range(3))
    async with client.set_up(plans, journal="j") as results:
        assert_type(results, BulkResults[SetUpDone | SetUpFailed])
        async for result in results:
            assert_type(result, SetUpDone | SetUpFailed)
            assert_type(result.get(), Conference)
            assert_type(result.in_doubt, tuple[InDoubt, ...])
            match result:
                case SetUpDone():
                    assert_type(result.conference, Conference)
                    async for gone in client.tear_down([result.conference]):
                        assert_type(gone.error, TeardownError | None)
                case SetUpFailed():
                    assert_type(result.error, WebRtcError)
            if isinstance(result, SetUpFailed):
                assert_type(result.error, WebRtcError)
            else:
                assert_type(result, SetUpDone)
    async for gone in client.tear_down(Journal("j")):
        assert_type(gone, TeardownResult)


def setup_errors(error: SetupError) -> None:
    assert_type(error.not_deleted, tuple[Resource, ...])
    assert_type(error.in_doubt, tuple[InDoubt, ...])
    assert_type(error.maybe_created, tuple[WebRtcError, ...])
