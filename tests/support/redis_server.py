"""A Redis server for one test."""

import shutil
import socket
import subprocess
from pathlib import Path


class RedisServer:
    """A Redis server on a port of its own, which can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        found = shutil.which("redis-server")
        assert found is not None, "redis-server is not installed"
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", "."]
        self.process = subprocess.Popen(
            [found, *where, "--save", ""], stdout=subprocess.PIPE, text=True, cwd=self.folder
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                break

    def stop(self) -> None:
        """Kill the server; its data is lost."""
        self.process.kill()
        self.process.communicate()
