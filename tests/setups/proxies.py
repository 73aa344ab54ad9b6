"""nginx and HAProxy in front of a service, with TLS, short keep-alive and their own error pages."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from support.tls import authority


class Proxy:
    """A proxy that terminates TLS in front of a service, as gateways do.

    It closes a connection after 20 requests, or after a second without any.

    Attributes:
        program: The program, which Debian has in a package of the same name.
        reload: The signal by which it starts anew, and lets its old process finish its requests.
        port: The port for TLS.
    """

    program: ClassVar[str]
    reload: ClassVar[signal.Signals]
    command: ClassVar[tuple[str, ...]]
    config: ClassVar[str]

    def __init__(self, folder: Path, service_port: int) -> None:
        path = shutil.which(self.program, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        assert path is not None, f"{self.program} is not installed: apt-get install {self.program}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        certificate = folder / "certificate.pem"
        issued = authority().issue_cert("localhost")
        parts = [issued.private_key_pem, *issued.cert_chain_pems]
        certificate.write_bytes(b"".join(part.bytes() for part in parts))
        page = folder / "page.html"
        page.write_text("<html><body><h1>Bad Gateway</h1></body></html>\n")
        response = folder / "response.http"
        response.write_text(
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 47\r\n\r\n"
            + page.read_text()
        )
        values = {"folder": folder, "port": self.port, "service": service_port}
        config = folder / "proxy.conf"
        config.write_text(self.config % values)
        command = [path, *(part % {"config": config} for part in self.command)]
        self._log = (folder / "proxy.log").open("w+")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, cwd=folder)

    @property
    def base_url(self) -> str:
        """The service's URL behind the proxy."""
        return f"https://localhost:{self.port}/v1"

    def wait_until_it_listens(self) -> None:
        """Return when the proxy accepts connections."""
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        self._log.seek(0)
        raise AssertionError(self._log.read())

    def drain(self) -> None:
        """Let a new process take over; the old one finishes its requests and closes."""
        self._process.send_signal(self.reload)

    def stop(self) -> None:
        """Stop the proxy and its processes."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


class Nginx(Proxy):
    """nginx, which compresses and answers with an HTML page if the service is down."""

    program = "nginx"
    reload = signal.SIGHUP
    command = ("-c", "%(config)s", "-p", ".", "-e", "stderr")
    config = """
        daemon off;
        pid %(folder)s/nginx.pid;
        error_log stderr;
        worker_processes 1;
        events { worker_connections 200; }
        http {
            access_log off;
            client_body_temp_path %(folder)s/body;
            proxy_temp_path %(folder)s/proxy;
            fastcgi_temp_path %(folder)s/fastcgi;
            uwsgi_temp_path %(folder)s/uwsgi;
            scgi_temp_path %(folder)s/scgi;
            keepalive_timeout 1s;
            keepalive_requests 20;
            gzip on;
            gzip_types application/json;
            gzip_proxied any;
            gzip_min_length 1;
            server {
                listen 127.0.0.1:%(port)s ssl;
                ssl_certificate %(folder)s/certificate.pem;
                ssl_certificate_key %(folder)s/certificate.pem;
                location / {
                    proxy_pass http://127.0.0.1:%(service)s;
                    proxy_set_header Host $http_host;
                }
            }
        }
    """


class HAProxy(Proxy):
    """HAProxy, which compresses and answers with an HTML page if the service is down."""

    program = "haproxy"
    reload = signal.SIGUSR2
    command = ("-W", "-db", "-f", "%(config)s")
    config = """
global
    hard-stop-after 10s
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 10s
    timeout server 10s
    timeout http-keep-alive 1s
    errorfile 503 %(folder)s/response.http
frontend gateway
    bind 127.0.0.1:%(port)s ssl crt %(folder)s/certificate.pem alpn http/1.1
    compression algo gzip
    compression type application/json
    default_backend service
backend service
    server one 127.0.0.1:%(service)s
"""
