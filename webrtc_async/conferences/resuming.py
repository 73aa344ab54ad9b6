"""`client.resume_conference(...)`: a conference of another request, process or machine."""

from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async.conferences.call_options import check_times
from webrtc_async.conferences.conference import Conference
from webrtc_async.conferences.conference_json import read_conference
from webrtc_async.conferences.journal import Journal
from webrtc_async.conferences.ledger import Ledger
from webrtc_async.conferences.live import LiveConference
from webrtc_async.conferences.roster import Roster
from webrtc_async.endpoints import Endpoints


def resume(
    value: object,
    *,
    client: Endpoints,
    background_work: BackgroundWork,
    account_id: str,
    grace: float,
    journal: Journal | None,
) -> LiveConference:
    """Return a conference that goes on; see `AsyncWebRtcClient.resume_conference`."""
    check_times(grace=grace)
    known = value if isinstance(value, Conference) else read_conference(value, account_id)
    return LiveConference(
        roster=Roster(known, Ledger(journal, known.key)),
        client=client,
        background_work=background_work,
        account_id=account_id,
        grace=grace,
        is_resumed=True,
    )
