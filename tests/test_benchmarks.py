"""The benchmarks measure the work that they name, and the README quotes their tables."""

import asyncio
import importlib
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent
# Last on the path, so that the tests still import the installed package.
sys.path.append(str(ROOT))

from benchmarks.contestants import bare_socket  # noqa: E402
from benchmarks.contestants.service import ServiceAddress  # noqa: E402
from benchmarks.contestants.worker import perform  # noqa: E402
from benchmarks.report import Spread, Target, quote  # noqa: E402
from benchmarks.servers.canned_responses import LIST, UNKNOWN, find_response  # noqa: E402
from benchmarks.servers.process import serving  # noqa: E402
from benchmarks.servers.request_stream import RequestStream  # noqa: E402
from benchmarks.tls import certificates  # noqa: E402
from webrtc_async import AsyncWebRtcClient  # noqa: E402

CREATE = (
    b"POST /v1/accounts/9900000/participants HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}"
)
READ = b"GET /v1/accounts/9900000/sessions/s/participants HTTP/1.1\r\nHost: x\r\n\r\n"
TRICKY = b"PUT /v1/x HTTP/1.1\r\nContent-Length:21\r\n\r\nPUT /v1/y HTTP/1.1\r\n\r\n"[:-1]
REQUESTS = {CREATE: b'"token"', READ: b'[{"id"', TRICKY: b"404 Not Found"}
CLIENTS = ["webrtc_async_client", "plain_httpx", "bare_aiohttp", "bare_socket"]


@given(
    st.lists(st.sampled_from(sorted(REQUESTS)), max_size=6),
    st.lists(st.integers(0, 600), max_size=12),
)
def test_requests_are_answered_in_order_for_any_split(requests, cuts):
    """Each request gets its own response once: pipelined, whole or in pieces."""
    sent = b"".join(requests)
    edges = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    stream = RequestStream()
    responses = [each for a, b in pairwise(edges) for each in stream.feed(sent[a:b])]
    assert len(responses) == len(requests)
    for request, response in zip(requests, responses, strict=True):
        assert REQUESTS[request] in response


def test_a_response_follows_its_request_s_last_byte():
    """An early response would make every client look faster than it is."""
    stream = RequestStream()
    assert [stream.feed(CREATE[n : n + 1]) for n in range(len(CREATE) - 1)][-1] == []
    assert len(stream.feed(CREATE[-1:])) == 1


def test_a_response_states_its_true_length():
    """The Content-Length of every canned response is the length of its body."""
    lines = (CREATE, READ, b"POST /twirp/x/CreateRoom HTTP/1.1", b"POST /twirp/x/DeleteRoom HTTP/1")
    for line in lines:
        response = find_response(line.partition(b"\r\n")[0])
        head, _, body = response.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None
        assert int(length[1]) == len(body)
        assert response is not UNKNOWN
    assert find_response(b"GET / HTTP/1.1") is UNKNOWN


def test_the_list_has_the_size_of_a_full_session():
    """A session holds at most 20 participants, and its list at most 8 KB."""
    assert len(json.loads(LIST)) == 20
    assert len(LIST) <= 8_192


@pytest.mark.parametrize("operation", ["create_participant", "list_participants"])
@pytest.mark.parametrize("name", CLIENTS)
def test_a_contestant_makes_every_call(name, operation):
    """Each call succeeds, from several tasks, and its CPU time is measured."""
    contestant = importlib.import_module(f"benchmarks.contestants.{name}")
    with serving("canned") as server:
        job = {"job": "calls", "url": f"http://127.0.0.1:{server.port}", "operation": operation}
        assert perform(contestant, job | {"calls": 6, "tasks": 2, "warm": 2})["cpu"] > 0


@pytest.mark.skipif(
    not hasattr(AsyncWebRtcClient, "http_client"), reason="the client shows no http_client"
)
def test_a_hooked_contestant_calls_its_hooks():
    """Each of its calls passes `AsyncClient.send`; otherwise it would measure something else."""
    contestant = importlib.import_module("benchmarks.contestants.hooked_client")
    seen = []

    async def see(request):
        seen.append(request)

    async def creates(address):
        async with contestant.connect(address) as client:
            hooks = client.client.http_client.event_hooks["request"]
            assert hooks == [contestant.see]
            hooks.append(see)
            for _ in range(3):
                await client.create_participant()

    with serving("canned") as server:
        asyncio.run(creates(ServiceAddress(f"http://127.0.0.1:{server.port}", 2)))
    assert len(seen) == 3


@pytest.mark.parametrize("name", ["webrtc_async_client", "plain_httpx"])
def test_a_contestant_runs_conferences_against_the_emulator(name):
    """They are set up and torn down without an error."""
    contestant = importlib.import_module(f"benchmarks.contestants.{name}")
    with serving("emulator") as server:
        job = {"job": "conferences", "url": f"http://127.0.0.1:{server.port}", "connections": 4}
        assert perform(contestant, job | {"count": 3})["wall"] > 0


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("body_delay", [0, 0.002])
def test_a_server_counts_the_connections_that_a_client_opens_over_tls(name, body_delay):
    """Calls one after the other need one connection, however the responses arrive."""
    contestant = importlib.import_module(f"benchmarks.contestants.{name}")
    with (
        certificates() as (certificate, authority),
        serving("canned", certificate=certificate, body_delay=body_delay) as server,
    ):
        job = {"job": "calls", "url": f"https://127.0.0.1:{server.port}", "authority": authority}
        perform(contestant, job | {"calls": 20})
        assert server.connections_opened() == 1


def test_the_floor_opens_no_more_connections_than_it_may():
    """Six creates at once on two connections all succeed."""

    async def creates(address):
        async with bare_socket.connect(address) as client:
            created = await asyncio.gather(*(client.create_participant() for _ in range(6)))
            return created, len(client.idle)

    with serving("canned") as server:
        created, connections = asyncio.run(
            creates(ServiceAddress(f"http://127.0.0.1:{server.port}", 2))
        )
    assert len(created) == 6
    assert connections == 2


def test_a_gathering_server_opens_as_many_connections_as_asked():
    """The server responds once all connections have asked, and gathers anew for the next ones."""
    contestant = importlib.import_module("benchmarks.contestants.webrtc_async_client")
    with serving("canned", gather=30) as server:
        job = {"job": "calls", "url": f"http://127.0.0.1:{server.port}", "connections": 30}
        for run in (1, 2):
            perform(contestant, job | {"calls": 3, "warm": 30})
            assert server.connections_opened() == 30 * run


@pytest.mark.parametrize(
    ("target", "measured", "verdict"),
    [
        (Target("", "", 0.7), 0.699, "met"),
        (Target("", "", 0.14), 0.1404, "met"),
        (Target("", "", 0.7), 0.77, "missed by 10%"),
        (Target("", "", 1), 1.0, "met"),
        (Target("", "", 1.0, why="the reason"), 1.5, "missed by 50%: the reason"),
        (Target("", "", 1.0, why="the reason"), 0.5, "met"),
    ],
)
def test_a_verdict_says_by_how_much_a_target_is_missed(target, measured, verdict):
    """A number that is written like its bound meets it."""
    assert target.verdict(measured) == verdict


def test_ratios_are_of_the_same_round():
    """A round that is slow for both changes no ratio."""
    assert Spread.of_ratios([1, 10, 3], [2, 20, 2]) == Spread(0.5, 0.5, 1.5)


def test_a_quote_is_the_first_table_of_a_report():
    """It replaces the old quote and nothing else."""
    readme = "a\n<!-- benchmarks/x.md -->\n| old |\n<!-- end of it -->\nb\n"
    report = "# X\n\ntext\n\n| a |\n|---|\n| \\1 |\n\n| b |\n"
    quoted = "a\n<!-- benchmarks/x.md -->\n| a |\n|---|\n| \\1 |\n<!-- end of it -->\nb\n"
    assert quote(readme, "x", report) == quoted


def test_the_readme_quotes_the_tables():
    """No number in the README differs from its report."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in re.findall(r"<!-- benchmarks/(\w+)\.md -->", readme):
        report = (ROOT / "benchmarks" / f"{name}.md").read_text("utf-8")
        assert quote(readme, name, report) == readme
