"""The command line in a process of its own."""

import os
import subprocess
import sys

from webrtc_async.emulator.doors.server import EmulatorServer

COMMAND = [sys.executable, "-m", "webrtc_async.cli"]
WITHOUT_SETTINGS = {name: value for name, value in os.environ.items() if name[:3] != "BW_"}


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**WITHOUT_SETTINGS, **environ},
    )


def live(server: EmulatorServer, password: str = "password") -> dict[str, str]:
    """Return the variables that have --live use a server."""
    return {
        "BW_ACCOUNT_ID": "9900000",
        "BW_USERNAME": "user",
        "BW_PASSWORD": password,
        "BW_WEBRTC_BASE_URL": server.base_url,
    }
