"""The vendor's last Python SDK with WebRTC, pointed at an emulator over TCP."""

from collections.abc import Iterator

import pytest
from bandwidth.bandwidth_client import BandwidthClient
from bandwidth.configuration import Environment
from bandwidth.webrtc.controllers.api_controller import APIController

from webrtc_async.emulator import Credentials, Emulator
from webrtc_async.emulator.doors.server import EmulatorServer

ACCOUNT = "9900000"


@pytest.fixture(scope="session")
def server() -> Iterator[EmulatorServer]:
    accounts = {ACCOUNT: Credentials(), "9900001": Credentials(have_webrtc=False)}
    with EmulatorServer(Emulator(accounts=accounts)) as running:
        yield running


@pytest.fixture
def emulator(server: EmulatorServer) -> Emulator:
    """The emulator for the SDK, without sessions."""
    server.emulator.reset()
    return server.emulator


@pytest.fixture
def sdk(emulator: Emulator, server: EmulatorServer) -> APIController:
    return controller(server, "password")


@pytest.fixture
def stranger(emulator: Emulator, server: EmulatorServer) -> APIController:
    """The SDK with a wrong password."""
    return controller(server, "wrong")


def controller(server: EmulatorServer, password: str) -> APIController:
    # Its production environment is fixed; a custom one takes the whole base URL, /v1 included.
    client = BandwidthClient(
        environment=Environment.CUSTOM,
        base_url=server.base_url,
        web_rtc_basic_auth_user_name="user",
        web_rtc_basic_auth_password=password,
    )
    return client.web_rtc_client.client
