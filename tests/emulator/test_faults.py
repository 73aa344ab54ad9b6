"""The requests that a rule applies to, decided by counting, a clock and a seed."""

import threading

import pytest
from support.speaking import Clock

from webrtc_async._protocol.retry_after import read_retry_after
from webrtc_async.emulator.faults.armed import MAX_RULES, Faults
from webrtc_async.emulator.faults.response import NONSENSE, fault_response
from webrtc_async.route_table import CREATE_SESSION, GET_SESSION

CREATE, GET = CREATE_SESSION.operation, GET_SESSION.operation


@pytest.fixture
def clock() -> Clock:
    return Clock(now=1000.25)


@pytest.fixture
def faults(clock) -> Faults:
    return Faults(clock=clock)


def struck(faults, count, operation=CREATE):
    """Return the numbers, from 1, of the affected requests."""
    return [number for number in range(1, count + 1) if faults.trigger(operation) is not None]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"nth": 2}, [2]),
        ({"nth": 2, "times": 2}, [2, 3]),
        ({"times": 2}, [1, 2]),
        ({"nth": 6}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5]),
        ({"probability": 1, "times": 1}, [1]),
    ],
    ids=str,
)
def test_the_occurrence_decides(faults, fields, expected):
    """nth is the first and times the number of affected requests, both from 1."""
    fault = faults.add(status=500, **fields)
    assert struck(faults, 5) == expected
    assert (fault.seen, fault.fired) == (5, len(expected))


def test_only_requests_of_its_route_are_counted(faults):
    """Requests for other routes pass and do not count."""
    fault = faults.add(CREATE_SESSION, status=500, nth=2)
    assert [faults.trigger(each) is not None for each in (CREATE, GET, None, GET, CREATE)] == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert fault.seen == 2


def test_a_rule_without_a_route_matches_everything(faults):
    """A rule without a route applies to unknown paths, too."""
    fault = faults.add(status=500)
    assert faults.trigger(None) is not None
    assert fault.fired == 1


def test_a_seed_selects_the_same_requests_again(clock):
    """The same seed affects the same requests, and the probability is about right."""

    def run(seed):
        faults = Faults(clock=clock)
        faults.add(status=500, probability=0.3, seed=seed)
        return struck(faults, 1000)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 230 < len(run(1)) < 370


def test_the_first_matching_rule_fires_and_all_count(faults):
    """A later rule counts the request as seen, but not as fired."""
    first, second = faults.add(status=500, nth=1), faults.add(status=501)
    assert [faults.trigger(CREATE).status for _ in range(2)] == [500, 501]
    assert (first.seen, first.fired) == (2, 1)
    assert (second.seen, second.fired) == (2, 1)


def test_a_bucket_limits_the_requests_of_each_window(faults, clock):
    """Requests over the limit get a 429 until the end of the window."""
    fault = faults.add(limit=2, window=10)
    assert struck(faults, 4) == [3, 4]
    clock.now += 9.5
    assert struck(faults, 1) == [1]
    clock.now += 0.5
    assert struck(faults, 3) == [3]
    clock.now -= 100
    assert struck(faults, 3) == [3]
    assert fault.fired == 5


@pytest.mark.parametrize(
    ("said", "header", "wait"),
    [
        (None, "10", 10),
        ("seconds", "10", 10),
        ("date", "Thu, 01 Jan 1970 00:16:51 GMT", None),
        ("nonsense", NONSENSE, None),
    ],
)
def test_a_429_has_a_retry_after(faults, clock, said, header, wait):
    """Retry-After is written in seconds, as a date or as nonsense, and never too early."""
    faults.add(limit=1, window=10, retry_after=said)
    faults.trigger(CREATE)
    clock.now += 0.5
    response = fault_response(faults.trigger(CREATE), "r-1")
    assert response.status == 429
    assert response.headers["retry-after"] == header
    if wait is not None:
        assert read_retry_after(response.headers) == wait


def test_a_storm_lasts_by_the_emulator_s_clock(faults, clock):
    """A storm starts with a request, responds with a gateway's statuses, and ends for good."""
    fault = faults.add(storm=30, nth=2, seed=1)
    assert struck(faults, 1) == []
    clock.now += 1000
    statuses = {faults.trigger(CREATE).status for _ in range(50)}
    assert statuses == {502, 503, 504}
    clock.now += 29.9
    assert struck(faults, 1) == [1]
    clock.now += 0.1
    assert struck(faults, 5) == []
    assert fault.fired == 51


def test_a_storm_may_have_one_status_and_retry_after(faults, clock):
    """A storm can have a fixed status, and Retry-After is its remaining time."""
    faults.add(storm=30, status=504, retry_after="seconds")
    assert fault_response(faults.trigger(CREATE), "r").headers["retry-after"] == "30"
    clock.now += 20
    response = fault_response(faults.trigger(CREATE), "r")
    assert (response.status, response.headers["retry-after"]) == (504, "10")


@pytest.mark.parametrize(
    ("fields", "kind", "content"),
    [
        ({"status": 500}, "application/json", b'{"error":"Internal Server Error","requestId":"r"}'),
        ({"status": 401}, "application/json", b'{"message":"Unauthorized"}'),
        ({"status": 503}, "application/json", b'{"message":"Service Unavailable"}'),
        ({"status": 599, "body": "code"}, "application/json", b'{"code":599,"message":"Unknown"}'),
        ({"status": 404, "body": "message"}, "application/json", b'{"message":"Not Found"}'),
        ({"status": 503, "body": "empty"}, None, b""),
        ({"status": 204}, None, b""),
    ],
    ids=str,
)
def test_a_response_has_the_chosen_body(faults, fields, kind, content):
    """Each error body of the service can be chosen; the default depends on the status."""
    faults.add(**fields)
    response = fault_response(faults.trigger(CREATE), "r")
    assert response.status == fields["status"]
    assert response.headers.get("content-type") == kind
    assert response.content == content


def test_an_html_page_is_no_json(faults):
    """An HTML body looks like a gateway's page."""
    faults.add(status=502, body="html", retry_after=3)
    response = fault_response(faults.trigger(CREATE), "r")
    assert response.headers["content-type"] == "text/html"
    assert response.content.startswith(b"<html>")
    assert b"502 Bad Gateway" in response.content
    assert response.headers["retry-after"] == "3"


def test_rules_can_be_read_and_disarmed(faults):
    """Rules are removed by themselves, by number or all at once; an unarmed one is an error."""
    first = faults.add(CREATE_SESSION, drop=True)
    second = faults.add_from({"route": GET, "delay": 2, "nth": 3})
    third = faults.add(status=500)
    assert [*faults] == [first, second, third]
    assert faults.as_json()[1] == {
        "number": 2,
        "rule": {"route": GET, "delay": 2, "nth": 3},
        "seen": 0,
        "fired": 0,
    }
    faults.remove(first)
    faults.remove(third.number)
    assert [*faults] == [second]
    assert repr(faults) == "<Faults: 1 armed>"
    with pytest.raises(LookupError, match="3"):
        faults.remove(third)
    faults.clear()
    assert len(faults) == 0
    assert faults.add(status=500).number == 1


def test_a_wrong_rule_arms_nothing(faults):
    """An invalid rule is refused by `add`."""
    with pytest.raises(ValueError, match="status"):
        faults.add(status=5)
    with pytest.raises(ValueError, match="colour"):
        faults.add_from({"colour": "red"})
    assert len(faults) == 0


def test_rules_are_bounded(faults):
    """The number of armed rules is limited."""
    for _ in range(MAX_RULES):
        faults.add(GET_SESSION, status=500)
    with pytest.raises(ValueError, match="Remove some"):
        faults.add(status=500)


def test_threads_share_the_counts(faults):
    """Of 4,000 requests in four threads, exactly the first 100 are affected."""
    fault = faults.add(status=500, times=100)

    def meet():
        for _ in range(1000):
            faults.trigger(CREATE)

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (fault.seen, fault.fired) == (4000, 100)
