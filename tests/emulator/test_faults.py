"""Which requests a rule strikes: a pure matter of counting, a clock and a seed."""

import threading

import pytest
from support.speaking import Clock

from webrtc_async._protocol.wire import read_retry_after
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
    """Return the numbers, from 1, of the requests that were struck."""
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
    """nth begins, times ends, and both count from 1."""
    fault = faults.add(status=500, **fields)
    assert struck(faults, 5) == expected
    assert (fault.seen, fault.fired) == (5, len(expected))


def test_only_requests_of_its_route_are_counted(faults):
    """Others pass, and do not move the count."""
    fault = faults.add(CREATE_SESSION, status=500, nth=2)
    assert [faults.trigger(each) is not None for each in (CREATE, GET, None, GET, CREATE)] == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert fault.seen == 2


def test_a_rule_without_a_route_meets_everything(faults):
    """Unknown paths included."""
    fault = faults.add(status=500)
    assert faults.trigger(None) is not None
    assert fault.fired == 1


def test_a_seed_strikes_the_same_requests_again(clock):
    """Chance repeats with its seed, differs with another, and is about as likely as asked."""

    def run(seed):
        faults = Faults(clock=clock)
        faults.add(status=500, probability=0.3, seed=seed)
        return struck(faults, 1000)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 230 < len(run(1)) < 370


def test_the_first_rule_that_strikes_is_felt_and_all_count(faults):
    """A later rule has seen the request and not fired."""
    first, second = faults.add(status=500, nth=1), faults.add(status=501)
    assert [faults.trigger(CREATE).status for _ in range(2)] == [500, 501]
    assert (first.seen, first.fired) == (2, 1)
    assert (second.seen, second.fired) == (2, 1)


def test_a_bucket_lets_so_many_through_in_each_window(faults, clock):
    """The requests over the limit are struck until the window, which the first began, is over."""
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
def test_a_429_says_when_to_come_back(faults, clock, said, header, wait):
    """In seconds, as a date, or in words that mean nothing; never too early."""
    faults.add(limit=1, window=10, retry_after=said)
    faults.trigger(CREATE)
    clock.now += 0.5
    response = fault_response(faults.trigger(CREATE), "r-1")
    assert response.status == 429
    assert response.headers["retry-after"] == header
    if wait is not None:
        assert read_retry_after(response.headers) == wait


def test_a_storm_lasts_by_the_emulator_s_clock(faults, clock):
    """It begins with a request, answers with gateways' statuses, and is over for good."""
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


def test_a_storm_may_have_one_status_and_say_how_long(faults, clock):
    """The status is the rule's, and Retry-After is what is left of the storm."""
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
def test_an_answer_has_the_body_that_was_asked_for(faults, fields, kind, content):
    """Each of the service's error bodies, or none; left out, the one that goes with the status."""
    faults.add(**fields)
    response = fault_response(faults.trigger(CREATE), "r")
    assert response.status == fields["status"]
    assert response.headers.get("content-type") == kind
    assert response.content == content


def test_an_html_page_is_no_json(faults):
    """As a gateway's own page is."""
    faults.add(status=502, body="html", retry_after=3)
    response = fault_response(faults.trigger(CREATE), "r")
    assert response.headers["content-type"] == "text/html"
    assert response.content.startswith(b"<html>")
    assert b"502 Bad Gateway" in response.content
    assert response.headers["retry-after"] == "3"


def test_rules_can_be_looked_at_and_disarmed(faults):
    """By themselves, by number, or all; what is not armed cannot be disarmed."""
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
    """It is refused where it is added."""
    with pytest.raises(ValueError, match="status"):
        faults.add(status=5)
    with pytest.raises(ValueError, match="colour"):
        faults.add_from({"colour": "red"})
    assert len(faults) == 0


def test_rules_are_bounded(faults):
    """A caller in a loop cannot fill the memory."""
    for _ in range(MAX_RULES):
        faults.add(GET_SESSION, status=500)
    with pytest.raises(ValueError, match="remove some"):
        faults.add(status=500)


def test_changes_are_told(clock):
    """Adding, firing, removing and clearing, each once; a miss tells nothing."""
    told = []
    faults = Faults(clock=clock, on_change=lambda: told.append(len(faults)))
    fault = faults.add(GET_SESSION, status=500)
    faults.trigger(CREATE)
    faults.trigger(GET)
    faults.remove(fault)
    faults.clear()
    assert told == [1, 1, 0, 0]


def test_threads_share_the_counts(faults):
    """Of 4,000 requests by four threads, exactly the first 100 are struck."""
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
