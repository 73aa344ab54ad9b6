"""Webhooks: their payload, allowed targets, retries, order and log."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import httpx
import pytest
from attrs import define, field
from support.backends import jumping_backends
from support.receiver import Receiver
from support.scripted import http, serving
from support.speaking import Clock
from support.tls import authority, server_side

from webrtc_async.emulator.webhooks.callback_url import public_url
from webrtc_async.emulator.webhooks.delivery import WebhookSender, delivering
from webrtc_async.emulator.webhooks.queue import Webhook, WebhookEvent, Webhooks

URL = "http://127.0.0.1:9/hook"
PROPERTIES = {"event", "timestamp", "participantId", "deviceId"}
"""The documented properties of every payload; `tag` is added if the participant has one."""


@define
class Waited:
    """A sleep that returns at once and records its duration."""

    seconds: list[float] = field(factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks(clock=Clock(1_700_000_000.25))


def queue_one(
    webhooks: Webhooks,
    event: WebhookEvent = WebhookEvent.CONNECT,
    participant_id: str = "p",
    url: str | None = URL,
    tag: str | None = None,
) -> Webhook | None:
    return webhooks.queue(
        event, participant_id=participant_id, device_id="device-1", url=url, tag=tag
    )


def sender_to(app: object, webhooks: Webhooks, **settings: object) -> WebhookSender:
    """Return a sender for an application in this process."""
    return WebhookSender(
        webhooks, transport=httpx.ASGITransport(app), **{"sleep": Waited(), **settings}
    )


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    return httpx.MockTransport(answer)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("event", "name"),
    [
        (WebhookEvent.CONNECT, "onConnect"),
        (WebhookEvent.DISCONNECT, "onDisconnect"),
        (WebhookEvent.LEAVE, "onLeave"),
    ],
)
async def test_each_event_is_posted_with_the_documented_payload(webhooks, event, name):
    """A webhook is a JSON POST with the documented properties and a timestamp in milliseconds."""
    receiver = Receiver()
    webhook = queue_one(webhooks, event, tag="visit-42")
    await sender_to(receiver, webhooks).deliver()
    ((method, path, headers),) = receiver.requests
    assert (method, path, headers["content-type"]) == ("POST", "/hook", "application/json")
    assert set(receiver.bodies[0]) == PROPERTIES | {"tag"}
    assert receiver.bodies[0] == {
        "event": name,
        "timestamp": "1700000000250",
        "participantId": "p",
        "deviceId": "device-1",
        "tag": "visit-42",
    }
    assert (webhook.delivered, webhook.status, webhook.error, webhook.attempts) == (
        True,
        200,
        None,
        1,
    )


@pytest.mark.anyio
async def test_a_participant_without_a_tag_has_none_in_its_payload(webhooks):
    """Without a tag the property is absent, not null."""
    receiver = Receiver()
    queue_one(webhooks)
    await sender_to(receiver, webhooks).deliver()
    assert set(receiver.bodies[0]) == PROPERTIES


@pytest.mark.anyio
async def test_without_a_callback_url_nothing_is_posted_or_logged(webhooks):
    """A participant without a callback URL causes no webhooks."""
    receiver = Receiver()
    assert queue_one(webhooks, url=None) is None
    await sender_to(receiver, webhooks).deliver()
    assert (list(webhooks), webhooks.count, receiver.requests) == ([], 0, [])


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_a_delivery(webhooks, status):
    """The body of a 2xx is ignored."""
    webhook = queue_one(webhooks)
    await sender_to(Receiver([status]), webhooks).deliver()
    assert (webhook.delivered, webhook.status, webhook.attempts) == (True, status, 1)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
async def test_a_temporary_refusal_is_repeated_up_to_a_limit(webhooks, status):
    """There is one attempt more than there are waits, and each wait is as configured."""
    receiver, waited = Receiver([status] * 9), Waited()
    webhook = queue_one(webhooks)
    await sender_to(receiver, webhooks, waits=(0.5, 2.0), sleep=waited).deliver()
    assert waited.seconds == [0.5, 2.0]
    assert receiver.bodies == [webhook.payload] * 3
    assert (webhook.delivered, webhook.status, webhook.error, webhook.attempts) == (
        False,
        status,
        f"status {status}",
        3,
    )
    assert webhooks.waiting == 0


@pytest.mark.anyio
async def test_a_repeat_can_succeed(webhooks):
    """After a 503 and a 200, the webhook is delivered without an error."""
    webhook = queue_one(webhooks)
    await sender_to(Receiver([503]), webhooks).deliver()
    assert (webhook.delivered, webhook.status, webhook.error, webhook.attempts) == (
        True,
        200,
        None,
        2,
    )


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
async def test_a_permanent_refusal_is_not_repeated(webhooks, status):
    """A receiver that rejects a webhook gets it once."""
    receiver = Receiver([status])
    webhook = queue_one(webhooks)
    await sender_to(receiver, webhooks).deliver()
    assert (len(receiver.requests), webhook.delivered) == (1, False)
    assert webhook.error == f"status {status}"


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(webhooks, status):
    """The target of a redirect gets no request, and the log says so."""
    receiver = Receiver([status] * 9, headers={"location": "http://127.0.0.1:9/elsewhere"})
    webhook = queue_one(webhooks)
    await sender_to(receiver, webhooks).deliver()
    assert [path for _, path, _ in receiver.requests] == ["/hook"]
    assert webhook.error == f"status {status}: redirects are not followed"


@pytest.mark.anyio
async def test_cookies_of_a_receiver_are_not_sent_to_another(webhooks):
    """Cookies of a response do not appear in later posts."""
    receiver = Receiver(headers={"set-cookie": "session=1; Path=/"})
    queue_one(webhooks)
    queue_one(webhooks)
    await sender_to(receiver, webhooks).deliver()
    assert not any("cookie" in headers for _, _, headers in receiver.requests)
    assert len(receiver.requests) == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (httpx.ConnectError("to secret.example"), "no connection"),
        (httpx.ConnectTimeout("secret"), "no response: ConnectTimeout"),
        (httpx.RemoteProtocolError("secret"), "no response: RemoteProtocolError"),
        (ValueError("secret"), "no response: ValueError"),
    ],
)
async def test_a_network_failure_is_logged_and_repeated(webhooks, error, says):
    """Without a response there is no status; the error's type is logged, its text is not."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    webhook = queue_one(webhooks)
    sender = WebhookSender(webhooks, transport=answering(fail), waits=(1, 1), sleep=Waited())
    await sender.deliver()
    assert (webhook.error, webhook.status, webhook.attempts) == (says, None, 3)
    assert not webhook.delivered


@jumping_backends()
@pytest.mark.anyio
async def test_a_silent_receiver_times_out(webhooks):
    """The timeout applies to each attempt, not to the waits in between."""
    started = anyio.current_time()

    async def say_nothing(*_) -> None:
        await anyio.sleep_forever()

    webhook = queue_one(webhooks)
    transport = httpx.ASGITransport(say_nothing)
    await WebhookSender(webhooks, transport=transport, waits=(1, 10), timeout=5).deliver()
    assert (webhook.error, webhook.attempts) == ("no response within 5 s", 3)
    assert anyio.current_time() - started == pytest.approx(3 * 5 + 1 + 10, abs=0.5)


@pytest.mark.anyio
async def test_the_body_of_a_response_is_not_read(webhooks):
    """A receiver's endless body neither blocks the sender nor fills memory; its status counts."""
    read = []

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                read.append(1)
                yield b"x" * 16_384

        async def aclose(self):
            read.append("closed")

    webhook = queue_one(webhooks)
    transport = answering(lambda _: httpx.Response(200, stream=Endless()))
    await WebhookSender(webhooks, transport=transport).deliver()
    assert webhook.delivered
    assert read == ["closed"]


@pytest.mark.anyio
async def test_a_participants_events_arrive_in_order(webhooks):
    """A later event of the same participant waits while an earlier one is retried."""
    receiver = Receiver([503, 503])
    for event in (WebhookEvent.CONNECT, WebhookEvent.DISCONNECT, WebhookEvent.LEAVE):
        queue_one(webhooks, event)
    await sender_to(receiver, webhooks).deliver()
    assert [body["event"] for body in receiver.bodies] == [
        "onConnect",
        "onConnect",
        "onConnect",
        "onDisconnect",
        "onLeave",
    ]
    assert all(each.delivered for each in webhooks)


@jumping_backends()
@pytest.mark.anyio
async def test_a_slow_receiver_delays_no_other_participant(webhooks):
    """A failing receiver of one participant does not delay the others."""
    order = []

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/slow":
            await anyio.sleep(3)
        order.append(request.url.path)
        return httpx.Response(200)

    queue_one(webhooks, participant_id="slow", url="http://localhost/slow")
    queue_one(webhooks, participant_id="quick", url="http://localhost/quick")
    await WebhookSender(webhooks, transport=answering(answer)).deliver()
    assert order == ["/quick", "/slow"]


@jumping_backends()
@pytest.mark.anyio
async def test_concurrent_posts_are_limited(webhooks):
    """Webhooks of 40 participants are posted at most 4 at a time."""
    now = 0
    seen = []

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal now
        now += 1
        seen.append(now)
        await anyio.sleep(1)
        now -= 1
        return httpx.Response(200)

    for each in range(40):
        queue_one(webhooks, participant_id=str(each))
    await WebhookSender(webhooks, transport=answering(answer), concurrency=4).deliver()
    assert (max(seen), len(seen)) == (4, 40)


@pytest.mark.anyio
async def test_an_event_queued_during_delivery_is_delivered_too(webhooks):
    """An event caused by the receiver is posted in the same delivery."""
    bodies = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        if len(bodies) == 1:
            queue_one(webhooks, WebhookEvent.LEAVE)
        return httpx.Response(200)

    queue_one(webhooks)
    await WebhookSender(webhooks, transport=answering(answer)).deliver()
    assert [body["event"] for body in bodies] == ["onConnect", "onLeave"]


@pytest.mark.anyio
async def test_a_cancelled_delivery_is_resumed(webhooks):
    """After a cancellation the interrupted webhook is first again, and the order is kept."""
    queue_one(webhooks, WebhookEvent.CONNECT)
    queue_one(webhooks, WebhookEvent.LEAVE)

    async def cancel_all(_: httpx.Request) -> httpx.Response:
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await WebhookSender(webhooks, transport=answering(cancel_all)).deliver()
    assert scope.cancelled_caught
    assert webhooks.waiting == 2
    receiver = Receiver()
    await sender_to(receiver, webhooks).deliver()
    assert [body["event"] for body in receiver.bodies] == ["onConnect", "onLeave"]
    assert webhooks.waiting == 0


@pytest.mark.anyio
async def test_delivery_continues_in_the_background(webhooks):
    """Webhooks that any thread queues later are posted without a call."""
    arrived, receive = anyio.create_memory_object_stream[str](9)

    async def answer(request: httpx.Request) -> httpx.Response:
        await arrived.send(json.loads(request.content)["event"])
        return httpx.Response(200)

    with arrived, receive, anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(WebhookSender(webhooks, transport=answering(answer)).deliver_forever)
            queue_one(webhooks)
            assert await receive.receive() == "onConnect"
            await anyio.to_thread.run_sync(queue_one, webhooks, WebhookEvent.DISCONNECT)
            assert await receive.receive() == "onDisconnect"
            queue_one(webhooks, WebhookEvent.LEAVE)
            assert await receive.receive() == "onLeave"
            tasks.cancel_scope.cancel()
    # A listener that is gone is not called.
    assert queue_one(webhooks).error is None
    assert webhooks.waiting >= 1


class Requests(queue.Queue[tuple[str, dict[str, str]]]):
    """The requests to a receiver on a port."""


@pytest.fixture
def receiver_on_a_port() -> Iterator[tuple[str, Requests]]:
    """A receiver in a thread: its URL and its requests."""
    requests = Requests()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            requests.put((self.path, json.loads(body)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()
        thread.join()


@pytest.mark.anyio
async def test_a_real_receiver_gets_its_webhooks(webhooks, receiver_on_a_port):
    """Over TCP, with the sender's own transport, in the background."""
    address, requests = receiver_on_a_port
    with anyio.fail_after(20):
        async with delivering(webhooks):
            queue_one(webhooks, url=f"{address}/a?key=1", tag="visit")
            path, body = await anyio.to_thread.run_sync(requests.get)
            queue_one(webhooks, WebhookEvent.LEAVE, url=f"{address}/b")
            second_path, _ = await anyio.to_thread.run_sync(requests.get)
    assert (path, body["event"], body["tag"], second_path) == (
        "/a?key=1",
        "onConnect",
        "visit",
        "/b",
    )


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_receiver_over_tls(webhooks, scheme, tmp_path, monkeypatch):
    """SSL_CERT_FILE is trusted for a receiver; over plain HTTP it may name anything."""
    authority().cert_pem.write_to_path(str(tmp_path / "https.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / f"{scheme}.pem"))
    tls = server_side("127.0.0.1") if scheme == "https" else None
    async with serving(http(200), tls=tls) as server:
        webhook = queue_one(webhooks, url=server.url(scheme))
        await WebhookSender(webhooks, waits=()).deliver()
    assert (webhook.status, webhook.error) == (200, None)


@pytest.mark.anyio
@pytest.mark.usefixtures("receiver_on_a_port")
async def test_a_missing_receiver_is_logged(webhooks):
    """Over TCP, a closed port is "no connection"."""
    with anyio.fail_after(20):
        webhook = queue_one(webhooks, url="http://127.0.0.1:1/")
        await WebhookSender(webhooks, waits=(0,), sleep=Waited()).deliver()
    assert (webhook.error, webhook.attempts) == ("no connection", 2)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "http://127.0.0.1:8000/hook?a=1",
        "https://127.200.3.4/",
        "http://localhost:5000/webhooks/@me",
        "HTTP://LOCALHOST/",
        "http://[::1]:8080/x",
        "http://localhost?key=1",
    ],
)
def test_a_url_of_this_machine_is_used(webhooks, url):
    """Webhooks to loopback addresses and localhost are queued."""
    assert queue_one(webhooks, url=url).error is None
    assert webhooks.waiting == 1


FOREIGN = [
    "http://example.com/hook",
    "https://app.example/cb",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1]/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://128.0.0.1/",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "http://notlocalhost/",
    "http://127.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_another_machine_is_refused_unless_allowed(webhooks, url):
    """Other hosts and disguised loopback addresses need `allow_any_host`."""
    refused = queue_one(webhooks, url=url)
    assert (
        refused.error
        == "not sent: the URL's host is not this machine, and other hosts are not allowed"
    )
    assert webhooks.waiting == 0
    webhooks.allow_any_host = True
    assert queue_one(webhooks, url=url).error is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/hook",
        "//localhost/hook",
        "localhost:80/hook",
        "file:///etc/passwd",
        "ftp://localhost/",
        "gopher://localhost/",
        "javascript:alert(1)",
        "http://",
        "http:///hook",
        "http:/localhost/",
        "http://user:hunter2@localhost/",
        "http://user@localhost/",
        "http://localhost@evil.example/",
        "http://localhost\\@evil.example/",
        "http://localhost#@evil.example/ ",
        "http://local\thost/",
        "http://localhost/\r\nHost: evil",
        " http://localhost/",
        "http://localhost:port/",
        "http://loc%61lhost/",
        "http://löcalhost/",
        "http://localhost/\ud800",
        "http://[::1%25eth0]/",
    ],
)
def test_a_url_of_another_form_is_always_refused(webhooks, url):
    """Other schemes, userinfo and ambiguous URLs are always refused."""
    webhooks.allow_any_host = True
    refused = queue_one(webhooks, url=url)
    assert (
        refused.error == "not sent: the URL is not an absolute http or https URL without userinfo"
    )
    assert (refused.attempts, refused.delivered, webhooks.waiting) == (0, False, 0)
    assert "hunter2" not in repr(refused) + json.dumps(refused.as_json())


def test_a_very_long_url_is_refused_and_not_kept(webhooks):
    """A URL of a megabyte does not stay in memory or in the log."""
    refused = queue_one(webhooks, url="http://localhost/" + "a" * 1_000_000)
    assert refused.error == "not sent: the URL has more than 2048 characters"
    assert len(refused.url) < 3000
    assert len(json.dumps(refused.as_json())) < 3000


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost/a/@b", "http://localhost/a/@b"),
        ("http://localhost/a?key=hunter2", "http://localhost/a?..."),
        ("http://localhost/a#hunter2", "http://localhost/a?..."),
        ("http://localhost?x=@hunter2", "http://localhost?..."),
        ("http://user:hunter2@localhost/", "http://..."),
        ("http://user:hun?ter2@localhost/", "http://..."),
        ("ftp://hunter2@localhost/", "ftp://..."),
        ("hunter2@localhost", "//..."),
        ("http://localhost/<b>\x1b[0m", "http://localhost/<b>\ufffd[0m"),
    ],
)
def test_a_url_is_shown_without_its_secrets(webhooks, url, shown):
    """Query and userinfo are in no repr and no JSON."""
    webhook = queue_one(webhooks, url=url)
    assert (public_url(url), webhook.as_json()["url"]) == (shown, shown)
    assert "hunter2" not in repr(webhook) + repr(webhooks)


def test_the_log_keeps_the_last_and_counts_all():
    """A log of size 3 holds the last 3 of 5 webhooks, oldest first."""
    webhooks = Webhooks(log_size=3)
    for _ in range(5):
        queue_one(webhooks)
    assert [each.number for each in webhooks] == [3, 4, 5]
    assert (len(webhooks), webhooks.count, webhooks.waiting) == (3, 5, 5)


def test_the_queue_is_limited():
    """Webhooks over the limit are logged as not sent."""
    webhooks = Webhooks(max_waiting=2)
    errors = [queue_one(webhooks).error for _ in range(3)]
    assert errors == [None, None, "not sent: 2 others are waiting already"]
    assert webhooks.waiting == 2


def test_the_json_form_of_a_webhook(webhooks):
    """The JSON form has these properties, without payload and query."""
    assert queue_one(webhooks, url="http://localhost/h?s=1", tag="t").as_json() == {
        "number": 1,
        "at": 1_700_000_000.25,
        "event": "onConnect",
        "participantId": "p",
        "url": "http://localhost/h?...",
        "attempts": 0,
        "status": None,
        "error": None,
        "delivered": False,
    }


def test_clearing_forgets_queued_and_running_posts(webhooks):
    """After `clear` numbers start again, and an old post changes nothing."""
    old = queue_one(webhooks)
    queue_one(webhooks, participant_id="other")
    assert webhooks.take() is old
    webhooks.clear()
    assert (len(webhooks), webhooks.waiting, webhooks.take()) == (0, 0, None)
    new = queue_one(webhooks)
    assert new.number == 1
    webhooks.give_back(old)
    webhooks.finish(old)
    assert webhooks.take() is new
    assert webhooks.take() is None


def test_threads_may_queue_at_the_same_time():
    """Numbers are unique and without gaps."""
    webhooks = Webhooks(log_size=1000)
    threads = [
        threading.Thread(target=lambda: [queue_one(webhooks) for _ in range(100)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.number for each in webhooks] == list(range(1, 801))
