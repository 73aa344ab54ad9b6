"""The vendor's last SDK with WebRTC: synchronous, so its callers are threads.

Its HTTP library verifies by REQUESTS_CA_BUNDLE.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from bandwidth.bandwidth_client import BandwidthClient
from bandwidth.configuration import Environment
from bandwidth.webrtc.models.participant import Participant
from bandwidth.webrtc.models.session import Session
from bandwidth.webrtc.models.subscriptions import Subscriptions

from benchmarks.contestants.service import ACCOUNT, DEADLINE, PARTICIPANT, PASSWORD, USER, Place


def set_up(place: Place, *, participants: int) -> dict[str, float]:
    """Set a session up and tear it down, by as many threads as there may be connections."""
    if place.certificate is not None:
        os.environ["REQUESTS_CA_BUNDLE"] = place.certificate
    api = BandwidthClient(
        timeout=DEADLINE,
        environment=Environment.CUSTOM,
        base_url=f"{place.url}/v1",
        web_rtc_basic_auth_user_name=USER,
        web_rtc_basic_auth_password=PASSWORD,
    ).web_rtc_client.client
    wanted = Participant(
        callback_url=PARTICIPANT["callbackUrl"],
        publish_permissions=PARTICIPANT["publishPermissions"],
        tag=PARTICIPANT["tag"],
        device_api_version=PARTICIPANT["deviceApiVersion"],
    )
    wall, cpu = time.perf_counter(), time.process_time()
    session = api.create_session(ACCOUNT, Session(tag="visit-42")).body.id

    def one(_: int) -> None:
        created = api.create_participant(ACCOUNT, wanted).body.participant.id
        api.add_participant_to_session(ACCOUNT, session, created, Subscriptions(session_id=session))
        api.delete_participant(ACCOUNT, created)

    with ThreadPoolExecutor(place.connections) as pool:
        for _ in pool.map(one, range(participants)):
            pass
    api.delete_session(ACCOUNT, session)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
