"""`client.join(...)`: a participant joins a session that exists already."""

from webrtc_async._config.validation import check_id
from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async.conferences.call_options import check_times
from webrtc_async.conferences.conference import Member
from webrtc_async.conferences.plan import ParticipantSpec, as_spec
from webrtc_async.conferences.setup import Setup
from webrtc_async.conferences.setup_task import SetupTask
from webrtc_async.conferences.subscriptions import SubscribeTo, read_subscriptions
from webrtc_async.endpoints import Endpoints
from webrtc_async.models import Session


async def join_session(
    client: Endpoints,
    background_work: BackgroundWork,
    session_id: str,
    participant: ParticipantSpec | str,
    *,
    subscribe_to: SubscribeTo,
    grace: float,
) -> Member:
    """Create a participant and let it join; see `AsyncWebRtcClient.join`."""
    check_times(grace=grace)
    spec = as_spec(participant)
    subscriptions = read_subscriptions(spec.name, subscribe_to)
    chosen = subscriptions.subscribed_to
    ids = [] if chosen == "everyone" else [each.name for each in chosen]
    setup = Setup(
        client=client,
        slots=background_work.slots,
        participants=(spec,),
        subscriptions_of=lambda _: subscriptions,
        session_plan=Session(id=check_id("session_id", session_id)),
        present={each: check_id("subscribe_to", each) for each in ids},
    )
    task = SetupTask(
        setup=setup, background_work=background_work, name=f"{spec.name} joining", grace=grace
    )
    if not await task.run():
        raise setup.first_failure()
    return setup.members[0]
