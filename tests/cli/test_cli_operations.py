"""The operations and the doctor on the command line: tables, JSON, exit codes, and no secrets."""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import certifi
import pytest
from click.testing import CliRunner, Result

from webrtc_async import (
    ConfigurationError,
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.cli.doctor import Finding, clock, surroundings, variables
from webrtc_async.cli.failure import failure
from webrtc_async.cli.program import program
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def service() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator()) as server:
        yield server


class Shell:
    """A shell whose environment names the emulator."""

    def __init__(self, url: str) -> None:
        self.environ: dict[str, str | None] = {
            "BW_ACCOUNT_ID": "9900000",
            "BW_USERNAME": "user",
            "BW_PASSWORD": "password",
            "BW_WEBRTC_BASE_URL": url,
            "BW_CLIENT_ID": None,
            "BW_CLIENT_SECRET": None,
            "BW_TOKEN_URL": None,
        }

    def run(self, *arguments: str, **environ: str | None) -> Result:
        return CliRunner().invoke(program, arguments, env={**self.environ, **environ})

    def ask(self, *arguments: str) -> Any:
        """Run a command that succeeds, and return its JSON."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell(service: EmulatorServer) -> Shell:
    service.emulator.reset()
    return Shell(service.base_url)


def test_every_operation_for_programs(shell: Shell) -> None:
    """--json prints the service's response on one line, and null for an empty one."""
    session = shell.ask("session", "create", "--tag", "room")["id"]
    made = shell.ask("participant", "create", "--tag", "ann", "--publish", "audio")
    participant = made["participant"]["id"]
    assert made["participant"]["publishPermissions"] == ["AUDIO"]
    there = ("--session", session)
    assert shell.ask("participant", "add", participant, *there, "--everyone") is None
    assert [each["id"] for each in shell.ask("session", "participants", session)] == [participant]
    assert shell.ask("subscriptions", "get", participant, *there) == {"sessionId": session}
    assert shell.ask("subscriptions", "set", participant, *there, "--only", participant) is None
    assert shell.ask("subscriptions", "get", participant, *there)["participants"] == [
        {"participantId": participant}
    ]
    assert shell.ask("subscriptions", "set", participant, *there, "--nothing") is None
    assert shell.ask("participant", "get", participant)["sessions"] == [session]
    assert shell.ask("session", "get", session) == {"id": session, "tag": "room"}
    assert shell.ask("participant", "remove", participant, *there) is None
    assert shell.ask("participant", "delete", participant) is None
    assert shell.ask("session", "delete", session) is None
    assert shell.run("session", "get", session).exit_code == 4


def test_output_for_people(shell: Shell) -> None:
    """Without --json the output is sentences and tables; hostile text stays text."""
    session = shell.ask("session", "create")["id"]
    participant = shell.ask("participant", "create", "--tag", "[red]\x1b[2Jx")["participant"]["id"]
    joined = shell.run("participant", "add", participant, "--session", session, "--everyone")
    assert joined.stdout == f"Participant {participant} is in session {session}.\n"
    listed = shell.run("session", "participants", session).stdout
    assert participant in listed
    assert "[red]\N{REPLACEMENT CHARACTER}[2Jx" in listed
    assert "everyone" in listed
    shown = shell.run("participant", "get", participant).stdout
    assert f"Participant {participant}" in shown
    assert re.search(rf"in session +{session}", shown)
    received = shell.run("subscriptions", "get", participant, "--session", session).stdout
    assert received == "The participant receives everyone.\n"
    assert "\x1b" not in listed + shown


def test_a_narrow_terminal_cuts_no_id(shell: Shell) -> None:
    """On a narrow terminal each participant of a list is shown like a single one."""
    session = shell.ask("session", "create")["id"]
    participant = shell.ask("participant", "create")["participant"]["id"]
    shell.run("participant", "add", participant, "--session", session)
    listed = shell.run("session", "participants", session, COLUMNS="40").stdout
    assert listed == shell.run("participant", "get", participant).stdout


def test_a_token_is_shown_only_when_asked_for(shell: Shell) -> None:
    """A device token is printed only with --show-token, as text and as JSON."""
    hidden = shell.run("participant", "create")
    assert "eyJ" not in hidden.output
    assert "create participants with --show-token" in hidden.stderr
    assert shell.ask("participant", "create")["token"] == "<hidden>"
    assert shell.ask("participant", "create", "--show-token")["token"].startswith("eyJ")
    assert "\neyJ" in shell.run("participant", "create", "--show-token").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("session", "get", NOWHERE), 4, "getSession: 404 Not Found"),
        (("session", "get", ".."), 2, "SESSION_ID is '..'"),
        (("session", "create", "--tag", "x" * 51), 1, "createSession: 400 Bad Request"),
        (
            ("participant", "add", "p", "--session", "s", "--everyone", "--nothing"),
            2,
            "Choose only one",
        ),
        (("subscriptions", "set", "p", "--session", "s"), 2, "Choose one of"),
        (("subscriptions", "set", "p", "--session", ""), 2, "Choose one of"),
        (("subscriptions", "set", "p", "--session", "", "--everyone"), 2, "needs the id"),
        (("participant", "create", "--publish", "smell"), 2, "'smell' is not one of"),
        (("session", "gett"), 2, "No such command 'gett'"),
        (("completion", "csh"), 2, "'csh' is not one of"),
    ],
)
def test_a_failure_is_a_line_and_a_code(
    shell: Shell, arguments: tuple[str, ...], code: int, line: str
) -> None:
    """The last line says what failed, without a traceback; the exit code says the kind."""
    result = shell.run(*arguments)
    assert result.exit_code == code
    assert line in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), 2),
        (InvalidArgumentError("x"), 2),
        (UnknownOutcomeError("x"), 3),
        (NotFoundError("x"), 4),
        (ConflictError("x"), 1),
    ],
)
def test_exit_codes(error: WebRtcError, code: int) -> None:
    """Every kind of failure has its documented exit code."""
    assert failure(error).exit_code == code


@pytest.mark.parametrize("missing", ["BW_ACCOUNT_ID", "BW_USERNAME"])
def test_a_missing_variable_is_named(shell: Shell, missing: str) -> None:
    """Without a setting nothing is sent, and the line names the variable."""
    result = shell.run("session", "create", **{missing: None})
    assert result.exit_code == 2
    assert missing in result.stderr


def test_the_doctor_of_a_healthy_client(shell: Shell) -> None:
    """The doctor shows the configuration, tries the credentials once, and hides every secret."""
    result = shell.run("doctor")
    assert result.exit_code == 0, result.output
    assert "BW_PASSWORD         set, not shown\n" in result.stdout
    assert "accepts these credentials" in result.stdout
    assert "from the service's." in result.stdout
    assert "!" not in result.stdout


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"BW_PASSWORD": "canary-secret"}, "! service             getSession: 401"),
        ({"BW_ACCOUNT_ID": None}, "! BW_ACCOUNT_ID       missing"),
        ({"BW_ACCOUNT_ID": ""}, "! BW_ACCOUNT_ID       empty"),
        ({"BW_WEBRTC_BASE_URL": ""}, "! configuration       The environment variable BW_WEBRTC_BA"),
        ({"BW_WEBRTC_BASE_URL": "ftp://x"}, "! configuration       BW_WEBRTC_BASE_URL must"),
        ({"BW_WEBRTC_BASE_URL": "http://127.0.0.1:1/v1"}, "! service             getSession: no"),
        (
            {"BW_WEBRTC_BASE_URL": "https://127.0.0.1:1/v1", "SSL_CERT_FILE": "/missing"},
            "! TLS                 the environment variable SSL_CERT_FILE is '/missing'",
        ),
        (
            {"BW_WEBRTC_BASE_URL": "https://x.example/v1", "HTTPS_PROXY": "quic://canary-secret@x"},
            "! to the service      HTTPS_PROXY has a scheme",
        ),
    ],
)
def test_the_doctor_marks_problems(shell: Shell, environ: dict[str, str | None], line: str) -> None:
    """The doctor marks problems of the client, and exits with 1."""
    result = shell.run("doctor", **environ)
    assert result.exit_code == 1
    assert any(each.startswith(line) for each in result.stdout.splitlines()), result.stdout
    assert "canary-secret" not in result.output


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({}, "Basic, which Bandwidth retires on 2 December 2026. Set BW_CLIENT_ID and "),
        (
            {"BW_CLIENT_ID": "client", "BW_CLIENT_SECRET": "secret"},
            "OAuth2 client credentials; BW_USERNAME and BW_PASSWORD are ignored",
        ),
        (
            {"BW_CLIENT_ID": "client", "BW_CLIENT_SECRET": "secret", "BW_USERNAME": None},
            "OAuth2 client credentials",
        ),
    ],
)
def test_the_doctor_says_which_credentials_win(
    shell: Shell, environ: dict[str, str | None], line: str
) -> None:
    """The doctor names the credentials that the client uses, and warns of Basic."""
    shown = shell.run("doctor", **environ).stdout
    assert f"  credentials         {line}" in shown


@pytest.mark.parametrize(
    ("environ", "about", "text"),
    [
        ({}, "to the service", "straight"),
        ({}, "to the tokens", "straight"),
        (
            {"ALL_PROXY": "p.example", "NO_PROXY": "10.0.0.0/8 [fd00::]/8"},
            "no proxy for",
            "localhost, 127.0.0.0/8, [::1], 10.0.0.0/8, [fd00::]/8",
        ),
        (
            {"HTTPS_PROXY": "u:canary@p.example:3128"},
            "to the service",
            "through http://p.example:3128",
        ),
        (
            {"ALL_PROXY": "p.example", "NO_PROXY": ".bandwidth.com"},
            "to the tokens",
            "by the exception .bandwidth.com",
        ),
        (
            {"ALL_PROXY": "p.example", "BW_TOKEN_URL": "http://127.0.0.1/"},
            "to the tokens",
            "by the exception 127.0.0.0/8",
        ),
        ({"HTTPS_PROXY": "quic://canary@x"}, "to the tokens", "HTTPS_PROXY has a scheme"),
        (
            {"SSL_CERT_FILE": certifi.where()},
            "TLS",
            f"certificates of SSL_CERT_FILE={certifi.where()}",
        ),
        (
            {"SSL_CERT_DIR": "/missing"},
            "TLS",
            "SSL_CERT_DIR is '/missing', where no certificates can",
        ),
        ({}, "TLS", "certificates of the HTTP library"),
    ],
)
def test_the_doctor_shows_what_proxies_and_certificates_do(
    environ: dict[str, str], about: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor says how each URL is reached, and which certificates count."""
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "ssl_cert_file",
        "ssl_cert_dir",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {"BW_CLIENT_ID": "client", **environ}.items():
        monkeypatch.setenv(name, value)
    found = {each.about: each for each in surroundings(os.environ)}
    assert text in found[about].text
    assert found[about].is_wrong == (text.startswith(("HTTPS_PROXY", "SSL_CERT_DIR")))
    assert not any("canary" in each.text for each in found.values())


def test_the_doctor_hides_every_secret() -> None:
    """The doctor prints the same for every secret."""
    said = [[*variables({"BW_PASSWORD": each, "BW_CLIENT_SECRET": each})] for each in ("a", "bcd")]
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host:8080/v1", "https://host:8080/v1"),
        ("http://u:canary@host/v1", "http://host/v1"),
        ("http://u:canary@[::1]:80/v1", "http://[::1]:80/v1"),
        ("http://host/v1?key=canary", "http://host/v1"),
        ("http://host/v1#canary", "http://host/v1"),
        ("u:canary@host:3128", "host:3128"),
        ("http://host/\x1b[31m", "http://host/\N{REPLACEMENT CHARACTER}[31m"),
        ("http://[canary", "set, not shown: it is not a URL"),
        ("http://u:12?canary@host", "set, not shown: it is not a URL"),
        ("http://u:12/canary@host", "set, not shown: it is not a URL"),
        ("http://u:canary", "set, not shown: it is not a URL"),
        ("http://u:ca@nary@host/", "set, not shown: it is not a URL"),
        ("http:canary", "set, not shown: it is not a URL"),
    ],
)
def test_the_doctor_shows_no_credentials_in_urls(url: str, shown: str) -> None:
    """A URL is shown without a possible password, or not at all if it cannot be read."""
    found = {each.about: each.text for each in variables({"BW_WEBRTC_BASE_URL": url})}
    assert found["BW_WEBRTC_BASE_URL"] == shown


def test_the_doctor_shows_a_username_whole() -> None:
    """A username may be an e-mail address."""
    assert Finding("BW_USERNAME", "ann@example.com") in variables(
        {"BW_USERNAME": "ann@example.com"}
    )


@pytest.mark.parametrize(
    ("date", "line"),
    [
        ("Wed, 25 Nov 2026 12:00:00 GMT", "+5 s from the service's."),
        ("Wed, 25 Nov 2026 13:00:05 GMT", "-3600 s from the service's. Set this clock"),
        ("", "no valid Date"),
        ("yesterday", "no valid Date"),
    ],
)
def test_the_clocks(date: str, line: str) -> None:
    """The clocks are compared; a large difference adds advice."""
    [finding] = clock({"date": date}, datetime(2026, 11, 25, 12, 0, 5, tzinfo=UTC))
    assert line in finding.text
    assert not finding.is_wrong


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion(shell: Shell, shell_name: str) -> None:
    """Each shell gets a script that completes this command."""
    result = shell.run("completion", shell_name)
    assert result.exit_code == 0
    assert "_WEBRTC_ASYNC_COMPLETE" in result.stdout
    assert "webrtc-async" in result.stdout
