"""The command `doctor`: shows the configuration and its sources, and tries the credentials."""

import os
import platform
import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import urlsplit

import anyio
import click
from attrs import field, frozen

from webrtc_async import (
    ApiError,
    AsyncWebRtcClient,
    ConfigurationError,
    NotFoundError,
    RetryPolicy,
    WebRtcError,
    __version__,
)
from webrtc_async._config.environment import PRODUCTION, TOKEN_URL
from webrtc_async._transport.proxies import Proxies
from webrtc_async._transport.tls_settings import TlsSettings, environment_certificates
from webrtc_async.cli.failure import explain
from webrtc_async.cli.printable import printable
from webrtc_async.route_table import GET_SESSION

PACKAGES: Final = ("httpx", "attrs", "cattrs", "anyio", "tenacity")

DEADLINE: Final = 15.0
"""Seconds to wait for the response of the service."""

MAX_CLOCK_SKEW: Final = 60.0
"""Seconds between this clock and the service's from which the doctor gives advice."""

# No session has this id: the service's ids are random UUIDs.
_NO_SESSION: Final = "00000000-0000-0000-0000-000000000000"
_NO_URL: Final = "set, not shown: it is not a URL"
_SECRETS: Final = ("BW_PASSWORD", "BW_CLIENT_SECRET")
_VARIABLES: Final[Mapping[str, str]] = {
    "BW_ACCOUNT_ID": "missing",
    "BW_CLIENT_ID": "not set",
    "BW_CLIENT_SECRET": "not set",
    "BW_USERNAME": "not set",
    "BW_PASSWORD": "not set",
    "BW_WEBRTC_BASE_URL": f"not set: {PRODUCTION}",
    "BW_TOKEN_URL": f"not set: {TOKEN_URL}",
}


@frozen
class Finding:
    """A result of the doctor.

    Attributes:
        about: The setting or the part that was checked.
        text: The value or the problem.
        is_wrong: True if the client cannot work like this.
    """

    about: str
    text: str
    is_wrong: bool = field(default=False, kw_only=True)


@click.command("doctor", short_help="Show the configuration and try it once.")
def doctor() -> None:
    """Show the configuration and its sources, and try the credentials once.

    The doctor asks the service for a session that does not exist, so it changes nothing. It shows
    no secrets. It marks problems with ! and then exits with 1.
    """
    wrong = False
    for finding in (
        *versions(),
        *variables(os.environ),
        *credentials(os.environ),
        *surroundings(os.environ),
        *anyio.run(attempt),
    ):
        mark = click.style("!", fg="red", bold=True) if finding.is_wrong else " "
        click.echo(f"{mark} {finding.about:<19} {finding.text}")
        wrong = wrong or finding.is_wrong
    raise SystemExit(int(wrong))


def versions() -> Iterable[Finding]:
    """Return the versions of this package and its dependencies."""
    yield Finding("webrtc-async", f"{__version__} on Python {platform.python_version()}")
    yield Finding("packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES))


def variables(environ: Mapping[str, str]) -> Iterable[Finding]:
    """Return the BW_ variables; secrets are only said to be set."""
    for name, otherwise in _VARIABLES.items():
        value = environ.get(name, "")
        if not value:
            text = "empty" if name in environ else otherwise
            yield Finding(name, text, is_wrong=otherwise == "missing")
        elif name in _SECRETS:
            yield Finding(name, "set, not shown")
        else:
            yield Finding(name, _of_url(value) if name.endswith("_URL") else printable(value))


def credentials(environ: Mapping[str, str]) -> Iterable[Finding]:
    """Return which credentials the client uses."""
    has_client = environ.get("BW_CLIENT_ID") and environ.get("BW_CLIENT_SECRET")
    has_user = environ.get("BW_USERNAME") and environ.get("BW_PASSWORD")
    if has_client:
        rest = "; BW_USERNAME and BW_PASSWORD are ignored" if has_user else ""
        yield Finding("credentials", f"OAuth2 client credentials{rest}")
    elif has_user:
        yield Finding(
            "credentials",
            "Basic, which Bandwidth retires on 2 December 2026. Set BW_CLIENT_ID and "
            "BW_CLIENT_SECRET instead.",
        )


def surroundings(environ: Mapping[str, str]) -> Iterable[Finding]:
    """Return the proxies and certificates of this machine, and what they do to the requests."""
    proxies = Proxies.of_environment()
    shown = [f"{name} through {_of_url(url)}" for name, url in proxies.by_scheme.items()]
    yield Finding("proxies", ", ".join(shown) or "none in the environment")
    if shown:
        yield Finding("no proxy for", printable(", ".join(proxies.exceptions)))
    urls = {"to the service": environ.get("BW_WEBRTC_BASE_URL") or PRODUCTION}
    if environ.get("BW_CLIENT_ID"):
        urls["to the tokens"] = environ.get("BW_TOKEN_URL") or TOKEN_URL
    for about, url in urls.items():
        yield way(about, url, proxies)
    yield certificates(is_needed=any(url.lower().startswith("https:") for url in urls.values()))


def way(about: str, url: str, proxies: Proxies) -> Finding:
    """Return how requests to a URL are sent."""
    try:
        proxy = proxies.proxy_for(url)
    except ConfigurationError as error:
        return Finding(about, error.message, is_wrong=True)
    if proxy is not None:
        return Finding(about, f"through {_of_url(proxy)}")
    exception = proxies.exception_for(url) if proxies.by_scheme else None
    return Finding(about, "straight" + (f", by the exception {exception}" if exception else ""))


def certificates(*, is_needed: bool) -> Finding:
    """Return the trusted certificates, read as the client reads them."""
    named = environment_certificates()
    try:
        count = TlsSettings().load_now().cert_store_stats()["x509_ca"]
    except ConfigurationError as error:
        return Finding("TLS", error.message, is_wrong=is_needed)
    # OpenSSL reads a directory only when it looks for a certificate.
    found = f"{count} certificates" if count else "certificates"
    source = "the HTTP library" if named is None else f"{named[0]}={printable(named[1])}"
    return Finding("TLS", f"{ssl.OPENSSL_VERSION}, {found} of {source}")


async def attempt() -> list[Finding]:
    """Return the service's response to these credentials, and the time of its clock."""
    try:
        client = AsyncWebRtcClient.from_env(deadline=DEADLINE, retry=RetryPolicy(attempts=1))
    except WebRtcError as error:
        return [Finding("configuration", explain(error), is_wrong=True)]
    async with client:
        started = anyio.current_time()
        try:
            await client.request(GET_SESSION, session_id=_NO_SESSION)
        except NotFoundError as error:
            took = anyio.current_time() - started
            found = [Finding("service", f"accepts these credentials; responded in {took:.2f} s")]
            return [*found, *clock(error.headers, datetime.now(UTC))]
        except ApiError as error:
            return [
                Finding("service", explain(error), is_wrong=True),
                *clock(error.headers, datetime.now(UTC)),
            ]
        except WebRtcError as error:
            return [Finding("service", explain(error), is_wrong=True)]
    return [
        Finding(
            "service",
            "returned a session that does not exist: check BW_WEBRTC_BASE_URL",
            is_wrong=True,
        )
    ]


def clock(headers: Mapping[str, str], now: datetime) -> Iterable[Finding]:
    """Return the difference between this machine's clock and the service's."""
    try:
        there = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        yield Finding("clock", "the service sent no valid Date header")
        return
    seconds = (now - there.replace(tzinfo=there.tzinfo or UTC)).total_seconds()
    # The client measures durations, so this disturbs only readers of logs.
    note = (
        " Set this clock: your logs will not match the service's."
        if abs(seconds) > MAX_CLOCK_SKEW
        else ""
    )
    yield Finding("clock", f"{seconds:+.0f} s from the service's.{note}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _of_url(text: str) -> str:
    """Return a URL without secrets, or a note if it is none; a proxy may have no scheme."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        is_url = bool(parts.port != 0 and parts.hostname)
    except ValueError:
        return _NO_URL
    userinfo, _, host = parts.netloc.rpartition("@")
    # The text after a stray @ may be the end of a password.
    if not is_url or text.count("@") != bool(userinfo):
        return _NO_URL
    shown = parts._replace(netloc=host, query="", fragment="").geturl()
    return printable(shown.removeprefix("//"))
