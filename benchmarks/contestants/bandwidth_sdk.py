"""The vendor's last SDK with WebRTC: synchronous, so its callers are threads."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from bandwidth.bandwidth_client import BandwidthClient
from bandwidth.configuration import Environment
from bandwidth.webrtc.models.subscriptions import Subscriptions

from benchmarks.contestants.service import (
    ACCOUNT,
    DEADLINE,
    NAMES,
    PASSWORD,
    USER,
    ServiceAddress,
)


class BandwidthSdk:
    def __init__(self, address: ServiceAddress) -> None:
        self._threads = address.connections
        self._sdk = BandwidthClient(
            timeout=DEADLINE,
            environment=Environment.CUSTOM,
            base_url=f"{address.url}/v1",
            web_rtc_basic_auth_user_name=USER,
            web_rtc_basic_auth_password=PASSWORD,
        ).web_rtc_client.client

    async def run_conferences(self, count: int) -> None:
        """Use a pool of threads; nothing else runs in the event loop."""
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(self._tear_down, pool.map(self._set_up, range(count))))

    def _set_up(self, _: int) -> tuple[str, list[str]]:
        session, ids = self._sdk.create_session(ACCOUNT).body.id, []
        for _ in NAMES:
            ids.append(self._sdk.create_participant(ACCOUNT).body.participant.id)
            everyone = Subscriptions(session_id=session)
            self._sdk.add_participant_to_session(ACCOUNT, session, ids[-1], everyone)
        return session, ids

    def _tear_down(self, conference: tuple[str, list[str]]) -> None:
        session, ids = conference
        for each in ids:
            self._sdk.delete_participant(ACCOUNT, each)
        self._sdk.delete_session(ACCOUNT, session)


@asynccontextmanager
async def connect(address: ServiceAddress) -> AsyncIterator[BandwidthSdk]:
    yield BandwidthSdk(address)
