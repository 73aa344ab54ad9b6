"""The benchmarks measure what they say, and the README says what they measured."""

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
# Behind everything else, so that the package that is tested is the one that is installed.
sys.path.append(str(ROOT))

from benchmarks.bulk import SCENES  # noqa: E402
from benchmarks.contestants import bare_socket  # noqa: E402
from benchmarks.contestants.long_list import BODIES  # noqa: E402
from benchmarks.contestants.service import Place  # noqa: E402
from benchmarks.contestants.worker import perform  # noqa: E402
from benchmarks.environments import compare  # noqa: E402
from benchmarks.report import quote  # noqa: E402
from benchmarks.servers.answers import NO_CONTENT, UNKNOWN, find_answer  # noqa: E402
from benchmarks.servers.process import serving  # noqa: E402
from benchmarks.servers.request_stream import RequestStream  # noqa: E402
from benchmarks.target import Spread, Target  # noqa: E402
from webrtc_async._codec.model_codec import write_json  # noqa: E402

CREATE = (
    b"POST /v1/accounts/9900000/participants HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}"
)
REMOVE = b"DELETE /v1/accounts/9900000/participants/p HTTP/1.1\r\nHost: x\r\n\r\n"
ODD = b"PUT /v1/x HTTP/1.1\r\nContent-Length:21\r\n\r\nPUT /v1/y HTTP/1.1\r\n\r\n"[:-1]
REQUESTS = {CREATE: b'"token"', REMOVE: b"204 No Content", ODD: b"204 No Content"}


@given(
    st.lists(st.sampled_from(sorted(REQUESTS)), max_size=6),
    st.lists(st.integers(0, 600), max_size=12),
)
def test_requests_are_answered_in_order_however_their_bytes_are_cut(requests, cuts):
    """Pipelined, whole or in pieces, each request gets its own answer, and gets it once."""
    sent = b"".join(requests)
    edges = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    stream = RequestStream()
    answers = [each for a, b in pairwise(edges) for each in stream.feed(sent[a:b])]
    assert len(answers) == len(requests)
    for request, answer in zip(requests, answers, strict=True):
        assert REQUESTS[request] in answer


def test_a_request_is_not_answered_before_its_last_byte():
    """A server that answers early would be measured as fast as it is wrong."""
    stream = RequestStream()
    assert [stream.feed(CREATE[n : n + 1]) for n in range(len(CREATE) - 1)][-1] == []
    assert len(stream.feed(CREATE[-1:])) == 1


def test_an_answer_says_its_length_truly():
    """What the canned server says of a body's length is its length."""
    lines = (CREATE, REMOVE, b"POST /v1/x/sessions HTTP/1.1", b"POST /twirp/x/CreateRoom HTTP/1.1")
    for line in lines:
        answer = find_answer(line.partition(b"\r\n")[0])
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert answer is NO_CONTENT or (length is not None and int(length[1]) == len(body))
        assert answer is not UNKNOWN
    assert find_answer(b"GET / HTTP/1.1") is UNKNOWN


@pytest.mark.parametrize("name", ["own", "plain_httpx", "bare_aiohttp", "bare_socket"])
def test_a_contestant_makes_every_call_and_is_answered_when_it_was_said(name):
    """Each of the five calls succeeds; none of the five in a row is answered before its delay."""
    contestant = importlib.import_module(f"benchmarks.contestants.{name}")
    with serving("canned", delay=0.02) as port:
        place = {"url": f"http://127.0.0.1:{port}", "connections": 2}
        found = perform(contestant, place | {"job": "set_up", "participants": 2})
    assert found["wall"] >= 5 * 0.02


def test_what_the_delays_alone_take_is_what_nobody_gets_below():
    """Two calls of the session's, and as many waves of three calls as there are connections for."""
    scene = SCENES[0]
    with serving("canned", delay=scene.delay) as port:
        for participants, connections, calls in ((4, 2, 6), (2, 4, 3), (3, 2, 5)):
            place = {"url": f"http://127.0.0.1:{port}", "connections": connections}
            found = perform(bare_socket, place | {"job": "set_up", "participants": participants})
            assert scene.delays(participants, connections) == (2 + calls) * scene.delay
            assert found["wall"] >= scene.delays(participants, connections)


def test_the_floor_opens_no_more_connections_than_it_may():
    """It is a floor of the same work: six creates at once on two connections, none of them lost."""

    async def creates(place):
        async with bare_socket.connected(place) as service:
            found = await asyncio.gather(*(service.create_participant() for _ in range(6)))
            return found, len(service.idle)

    with serving("canned", delay=0.01) as port:
        found, connections = asyncio.run(creates(Place(f"http://127.0.0.1:{port}", 2)))
    assert len(found) == 6
    assert connections == 2


def test_as_many_connections_idle_as_were_asked_for():
    """A server that gathers answers nobody until all have asked, and then everybody at once."""
    contestant = importlib.import_module("benchmarks.contestants.own")
    with serving("canned", gather=30) as port:
        place = {"url": f"http://127.0.0.1:{port}", "connections": 30}
        for _ in range(2):  # it gathers again once all have gone
            found = perform(
                contestant, place | {"job": "create", "warm": 30, "calls": 3, "tasks": 1}
            )
            assert found["cpu"] > 0


def test_bytes_pass_the_proxy_both_ways_and_late():
    """What a create takes over it is at least the delay there and the delay back."""
    with serving("canned") as server, serving("delaying_proxy", delay=0.01, to=server) as proxy:
        job = {"job": "latency", "tasks": 2, "calls": 2, "pause": 0.001}
        place = {"url": f"http://127.0.0.1:{proxy}", "connections": 2}
        assert perform(bare_socket, job | place)["median"] >= 0.02


def test_installs_differ_by_what_the_extra_adds_and_by_that_alone():
    """A default install that has the extra's packages, or other versions, is not measured."""
    default, added = {"httpx": "0.28.1"}, {"msgspec": "0.22.0"}
    said = compare(default, default | added, {"msgspec"})
    assert said == "By default httpx 0.28.1; `[fast]` adds msgspec 0.22.0."
    for one, other in (
        (default | added, default | added),
        (default, default),
        (default, {"httpx": "0.28.0"} | added),
        (default, default | added | {"click": "8.2"}),
        (default | {"click": "8.2"}, default | added),
    ):
        with pytest.raises(RuntimeError, match="delete"):
            compare(one, other, {"msgspec"})


def test_an_install_says_what_it_has_loaded():
    """What `[fast]` brings may lie there unused, and then is not what was measured."""
    contestant = importlib.import_module("benchmarks.contestants.own")
    job = {"job": "loaded", "names": ["webrtc_async", "no_such_module"]}
    assert perform(contestant, job) == {"loaded": ["webrtc_async"]}


def test_the_long_list_is_what_the_emulator_would_write():
    """It is compact; the spaced one says the same."""
    compact, spaced = BODIES
    assert write_json(json.loads(compact)) == compact
    assert len(json.loads(compact)) == 10_000
    assert json.loads(spaced) == json.loads(compact)
    assert len(spaced) > len(compact)


@pytest.mark.parametrize(
    ("target", "measured", "verdict"),
    [
        (Target("", "", 0.7), 0.699, "met"),
        (Target("", "", 0.14), 0.1404, "met"),
        (Target("", "", 0.7), 0.77, "short by 10%"),
        (Target("", "", 4.0, is_speed=True), 5.0, "met"),
        (Target("", "", 4.0, is_speed=True), 3.0, "short by 25%"),
        (Target("", "", 0, is_count=True), 1.0, "short by 1.0"),
        (Target("", "", 0, is_count=True), 0.0, "met"),
        (Target("", "", 1.0, why="of this"), 1.5, "short by 50%: of this"),
        (Target("", "", 1.0, why="of this"), 0.5, "met"),
    ],
)
def test_a_verdict_says_whether_a_target_is_met_and_by_how_much_it_is_not(
    target, measured, verdict
):
    """A speed is to be higher, a cost lower; a number is not compared by per cent."""
    assert target.row(Spread.of([measured]))[-1] == verdict


def test_ratios_are_of_the_same_round():
    """A slow round, slow for both, moves no ratio."""
    assert Spread.of_ratios([1, 10, 3], [2, 20, 2]) == Spread(0.5, 0.5, 1.5)


def test_a_quote_is_the_first_table_of_a_report():
    """What stood in the README before is gone, and nothing else is."""
    readme = "a\n<!-- benchmarks/x.md -->\n| old |\n<!-- end of it -->\nb\n"
    report = "# X\n\ntext\n\n| a |\n|---|\n| \\1 |\n\n| b |\n"
    quoted = "a\n<!-- benchmarks/x.md -->\n| a |\n|---|\n| \\1 |\n<!-- end of it -->\nb\n"
    assert quote(readme, "x", report) == quoted


@pytest.mark.parametrize("name", ["call", "bulk", "network", "codec", "imports"])
def test_the_readme_quotes_the_tables(name):
    """No number of the README differs from the report that it is of, or has none."""
    readme = (ROOT / "README.md").read_text("utf-8")
    report = ROOT / "benchmarks" / f"{name}.md"
    begins = f"<!-- benchmarks/{name}.md -->\n"
    if report.exists():
        assert f"{begins}|" in readme
        assert quote(readme, name, report.read_text("utf-8")) == readme
    else:
        assert f"{begins}<!-- end of it -->" in readme
