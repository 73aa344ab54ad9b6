"""The page in a real browser, headless Chromium."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import define
from support.speaking import ACCOUNT, Caller

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator import Emulator, EmulatorServer
from webrtc_async.emulator.webhooks.queue import WebhookEvent, Webhooks

pytestmark = pytest.mark.browser

PATIENCE = 20
"""Seconds that a test waits for the page; usually it takes one."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)
HOSTILE = [
    "<script>window.harmed = true</script>",
    "<img src=x onerror='window.harmed = true'>",
    '"><svg onload="window.harmed = true">',
    "javascript:window.harmed = true",
    "\u202egnp.exe",
    "{{7*7}}${7*7}",
]


def program(*names: str) -> str:
    """Return the path of an installed program with one of these names."""
    found = next(filter(None, map(shutil.which, names)), None)
    assert found is not None, f"none of {', '.join(names)} is installed"
    return found


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests, with an empty profile and a log of its requests."""
    from selenium import webdriver  # noqa: PLC0415  # only the browser session installs it
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415

    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
    yield driver
    driver.quit()


@define
class Page:
    """An emulator's page in the browser."""

    driver: Any
    server: EmulatorServer
    caller: Caller

    @property
    def origin(self) -> str:
        return self.server.base_url.removesuffix("/v1")

    def open(self) -> None:
        self.driver.get(f"{self.origin}/_emulator/")
        self.run("window.openedOnce = true")

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, expression: str, expected: object) -> None:
        """Wait until a JavaScript expression has a value."""
        from selenium.common.exceptions import TimeoutException  # noqa: PLC0415
        from selenium.webdriver.support.wait import WebDriverWait  # noqa: PLC0415

        try:
            WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(
                lambda _: self.run(f"return {expression}") == expected
            )
        except TimeoutException:
            assert self.run(f"return {expression}") == expected

    def texts(self, selector: str) -> str:
        """Return an expression for the texts of elements."""
        return f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)"

    def count(self, selector: str) -> str:
        """Return an expression for the number of elements."""
        return f"document.querySelectorAll({json.dumps(selector)}).length"

    def requested(self) -> list[str]:
        """Return the URLs that the browser requested since the last call."""
        events = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        return [
            event["message"]["params"]["request"]["url"]
            for event in events
            if event["message"]["method"] == "Network.requestWillBeSent"
        ]

    def join(self, session: str, tag: str | None = None) -> str:
        fields = {} if tag is None else {"tag": tag}
        participant = self.caller.participant(**fields)
        self.caller.join(session, participant, {"sessionId": session})
        return participant


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def page(chromium: Any, emulator: Emulator) -> Iterator[Page]:
    """The page of a new emulator, not opened yet; the test fails if it reports an error."""
    with EmulatorServer(emulator) as server:
        yield Page(chromium, server, Caller(emulator))
        assert chromium.execute_script("return window.harmed") is None
        chromium.get("about:blank")
    # Network errors of a stopped server are no errors of the page.
    complaints = [each for each in chromium.get_log("browser") if each["source"] != "network"]
    assert complaints == []


def test_three_joins_are_drawn_while_the_page_is_open(page):
    """An open page shows a session and three new participants without a reload."""
    page.open()
    page.wait_for("document.querySelector('#connection-text').textContent", "live")
    page.wait_for("document.querySelector('#no-sessions').hidden", False)
    session = page.caller.session(tag="visit-42")
    page.wait_for(page.texts(".session h3"), ["visit-42"])
    for count, tag in enumerate(("host", "guest-1", "guest-2"), 1):
        page.join(session, tag)
        page.wait_for(page.count(".graph .node"), count)
    page.wait_for(page.texts(".graph .label"), ["host", "guest-1", "guest-2"])
    page.wait_for(page.count(".graph .edge"), 3)
    page.wait_for(page.texts(".participant .subscription"), ["subscribed to everyone"] * 3)
    page.wait_for("document.querySelector('#no-sessions').hidden", True)
    assert page.run("return window.openedOnce") is True


def test_an_arrow_points_to_the_subscriber(page):
    """For a one-way subscription, one arrowhead is drawn, at the subscriber."""
    session = page.caller.session()
    speaker, listener = page.caller.participant(), page.caller.participant()
    page.caller.join(session, speaker)
    page.caller.join(session, listener, {"participants": [{"participantId": speaker}]})
    page.open()
    page.wait_for(page.count(".graph .edge"), 1)
    tip, at_speaker, at_listener = page.run("""
        const [, x, y] = document.querySelector(".graph .head").getAttribute("d")
            .match(/^M(\\S+) (\\S+?)L/);
        const places = [...document.querySelectorAll(".graph .disc")]
            .map((disc) => [disc.getAttribute("cx"), disc.getAttribute("cy")]);
        return [[x, y], ...places].map((pair) => pair.map(Number));
    """)
    assert abs(tip[0] - at_listener[0]) < 20
    assert abs(tip[0] - at_speaker[0]) > 20
    label = page.run("return document.querySelector('.graph').getAttribute('aria-label')")
    assert label == "Subscriptions. 1 subscribed to nobody. 2 subscribed to 1."


def test_every_request_has_a_row_with_its_status_and_time(page):
    """The open page adds a row for each request, the newest on top."""
    page.open()
    page.wait_for("document.querySelector('#no-requests').hidden", False)
    session = page.caller.session()
    page.wait_for(page.texts("#exchanges .operation"), ["createSession"])
    page.caller.send("GET", f"/sessions/{session}")
    page.caller.send("GET", "/sessions/nope")
    page.caller.send("DELETE", "/sessions/<img src=x onerror=window.harmed=1>")
    page.caller.send("DELETE", f"/sessions/{session}")
    page.wait_for(page.texts("#exchanges .status"), ["204", "404", "404", "200", "200"])
    page.wait_for(page.count("#strip rect"), 5)
    # A long name is only wrapped between words.
    begins = (
        "[...document.querySelectorAll('#exchanges .operation wbr')].map(e => e.nextSibling.data)"
    )
    page.wait_for(begins, ["Session"] * 5)
    page.wait_for("document.querySelector('#request-count').textContent", "5")
    shown = page.run(f"return {page.texts('#exchanges .target')}")
    assert shown[1:] == [
        "DELETE /sessions/<img src=x onerror=window.harmed=1>",
        "GET /sessions/nope",
        f"GET /sessions/{session[:8]}…",
        "POST /sessions",
    ]
    times = page.run(f"return {page.texts('#exchanges .at')}")
    taken = page.run(f"return {page.texts('#exchanges .took')}")
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", each) for each in times)
    assert all(re.fullmatch(r"<?\d+(\.\d)? m?s", each) for each in taken)


def test_armed_faults_and_their_effects_are_shown(page):
    """A rule shows its count, and an affected request names the fault."""
    page.open()
    emulator = page.caller.emulator
    fault = emulator.faults.add("createSession", status=503, times=2)
    page.wait_for(page.texts("#faults .fired"), ["fired 0 times"])
    url = f"{page.server.base_url}/accounts/{ACCOUNT}/sessions"
    assert httpx.post(url, auth=("user", "password"), trust_env=False).status_code == 503
    page.wait_for(page.texts("#faults .fired"), ["fired once"])
    page.wait_for(page.texts("#exchanges .status"), ["503"])
    page.wait_for(page.texts("#exchanges .fault"), ["fault: status 503"])
    facts = page.run(f"return {page.texts('#faults .facts span')}")
    assert {"for createSession", "status 503", "times 2", "seen 1"} <= {*facts}
    emulator.faults.remove(fault)
    page.wait_for("document.querySelector('#no-faults').hidden", False)


class Telephonist(Emulator):
    """An emulator whose participants all have a device, and that has sent webhooks."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = Webhooks()

    def overview(self) -> dict[str, object]:
        shown = json.loads(write_json(super().overview()))
        for account in shown["accounts"]:
            for session in account["sessions"]:
                for participant in session["participants"]:
                    participant["deviceId"] = "<b>phone</b>"
        webhooks = [each.as_json() for each in self.sent]
        return {**shown, "webhooks": webhooks[::-1], "switches": {"empty_lists": 204}}


@pytest.mark.parametrize("emulator", [Telephonist()])
def test_devices_webhooks_and_switches_are_shown(page, emulator):
    """Devices, the result of each webhook and the switches are visible."""
    participant = page.join(page.caller.session(), "host")
    page.open()
    page.wait_for(page.count(".graph .disc.connected"), 1)
    page.wait_for(page.texts(".participant .device"), ["device connected"])
    page.wait_for(page.texts("#switches div"), ["empty_lists204"])
    for event, url in (
        (WebhookEvent.CONNECT, "http://127.0.0.1/a"),
        (WebhookEvent.LEAVE, "http://evil.example/<b>"),
    ):
        emulator.sent.queue(event, participant_id=participant, device_id="phone", url=url)
    page.wait_for(page.texts("#webhooks .status"), ["not delivered", "waiting"])
    page.wait_for(page.texts("#webhooks .event"), ["onLeave", "onConnect"])
    page.wait_for(page.texts("#webhooks .url"), ["http://evil.example/<b>", "http://127.0.0.1/a"])
    [first, _] = emulator.sent
    emulator.sent.note_attempt(first, status=500, error="status 500")
    emulator.sent.note_attempt(first, status=502, error="status 502")
    page.wait_for(page.texts("#webhooks .status"), ["not delivered", "502"])
    problems = page.run(f"return {page.texts('#webhooks .problem')}")
    assert problems[1] == "status 502, after 2 attempts"
    emulator.sent.note_attempt(first, status=200)
    page.wait_for(page.texts("#webhooks .status"), ["not delivered", "200"])


def test_hostile_tags_stay_text(page):
    """Any tag is shown as text in the list and the graph, and never runs."""
    session = page.caller.session(tag=HOSTILE[0])
    for tag in HOSTILE:
        page.join(session, tag)
    page.open()
    page.wait_for(page.texts(".session h3"), [HOSTILE[0]])
    page.wait_for(page.texts(".participant .tag"), HOSTILE)
    page.wait_for(page.texts(".graph .node > title"), HOSTILE)
    assert page.run(f"return {page.count('script')}") == 1
    assert page.run(f"return {page.count('img, iframe, [onerror], [onload]')}") == 0
    assert page.run("return window.harmed") is None


def test_the_policy_holds_in_the_browser(page):
    """The browser parses no markup and requests no other host, even if the page tried."""
    page.open()
    assert page.run("try { document.body.innerHTML = '<b>'; } catch (e) { return e.name; }") == (
        "TypeError"
    )
    blocked = page.driver.execute_async_script("""
        const done = arguments[0];
        document.addEventListener("securitypolicyviolation", (e) => done(e.blockedURI));
        new Image().src = "http://127.0.0.2:9/x.png";
    """)
    assert blocked == "http://127.0.0.2:9/x.png"
    # These two messages are the proof.
    assert len(page.driver.get_log("browser")) >= 1


def test_no_other_host_is_requested(page):
    """The browser requests only the page, its files and its state."""
    page.requested()
    page.join(page.caller.session(), "host")
    page.open()
    page.wait_for(page.count(".graph .node"), 1)
    paths = {url.removeprefix(page.origin) for url in page.requested()}
    assert {"/_emulator/", "/_emulator/page.css", "/_emulator/page.js", "/_emulator/state"} <= paths
    assert all(re.fullmatch(r"/_emulator/(\w+\.(css|js|svg)|state)?", path) for path in paths)


def test_a_foreign_host_is_refused(page):
    """A foreign name for this machine shows no page."""
    page.caller.session(tag="canary")
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.get(f"{page.origin.replace('127.0.0.1', 'evil.localhost')}/_emulator/")
    text = page.run("return document.body.textContent")
    assert "Only the hosts localhost" in text
    assert "canary" not in text


def test_the_page_survives_a_restart(page):
    """A restarted emulator at the same address is shown again, with its new state."""
    page.caller.session(tag="before")
    page.open()
    page.wait_for(page.texts(".session h3"), ["before"])
    port = int(page.origin.rpartition(":")[2])
    page.server.__exit__(None, None, None)
    page.wait_for("document.documentElement.dataset.connection", "lost")
    page.wait_for(page.texts(".session h3"), ["before"])
    again = Emulator()
    Caller(again).session(tag="after")
    with EmulatorServer(again, port=port):
        page.wait_for("document.documentElement.dataset.connection", "live")
        page.wait_for(page.texts(".session h3"), ["after"])
        assert page.run("return window.openedOnce") is True
        page.driver.get("about:blank")


def test_focus_and_selection_are_kept(page):
    """A keyboard selection survives changes of the session; Escape ends it."""
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    session = page.caller.session()
    page.join(session, "host")
    guest = page.join(session, "guest")
    page.open()
    page.wait_for(page.count(".graph .node"), 2)
    button = page.driver.find_elements("css selector", ".number")[1]
    button.send_keys(Keys.ENTER)
    page.join(session, "late")
    page.wait_for(page.count(".graph .node"), 3)
    assert page.driver.switch_to.active_element == button
    assert button.get_attribute("aria-pressed") == "true"
    page.wait_for(page.count(".graph.choosing .edge.lit"), 2)
    assert page.run(f"return {page.texts('.node.lit .label')}") == ["guest"]
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_for(page.count(".graph.choosing"), 0)
    page.caller.send("DELETE", f"/participants/{guest}")
    page.wait_for(page.texts(".participant .tag"), ["host", "late"])


def test_a_full_session_is_drawn_at_desktop_and_phone_width(page):
    """Twenty participants have labels on a wide screen, and fit on a narrow one."""
    session = page.caller.session()
    tags = [f"participant-{number}" for number in range(1, 21)]
    for tag in tags:
        page.join(session, tag)
    try:
        for width, labels in ((1440, tags), (375, [])):
            page.driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
            )
            page.open()
            page.wait_for(page.count(".graph .node"), 20)
            page.wait_for(page.count(".graph .edge"), 190)
            page.wait_for(page.texts(".graph .label"), labels)
            assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_everything_that_is_focused_or_drawn_has_a_name(page):
    """Every button, region and drawing has a name for screen readers."""
    page.join(page.caller.session(tag="visit-42"), "host")
    page.open()
    page.wait_for(page.count(".graph .node"), 1)
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    }
    assert ("button", "1: highlight the arrows of host") in named
    assert ("image", "Subscriptions. 1 subscribed to everyone.") in named
    assert {name for role, name in named if role == "heading"} >= {"Sessions", "visit-42"}
    assert not [role for role, name in named if role in {"button", "image", "region"} and not name]


CONTRASTS = """
    const rgba = (text) => {
        const numbers = text.match(/[\\d.]+/g).map(Number);
        const scale = text.startsWith("color(") ? 1 : 255;
        return [...numbers.slice(0, 3).map((each) => each / scale), numbers[3] ?? 1];
    };
    const over = ([r, g, b, a], below) => [r, g, b].map((each, i) => each * a + below[i] * (1 - a));
    const background = (element) => {
        if (element === null) return [1, 1, 1];
        const color = rgba(getComputedStyle(element).backgroundColor);
        return over(color, background(element.parentElement));
    };
    const linear = (each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) =>
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const found = {};
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text !== null; text = walker.nextNode()) {
        const element = text.parentElement;
        if (element.closest("svg") || !element.checkVisibility()) continue;
        if (text.data.trim() === "") continue;
        const below = background(element);
        const [one, other] = [below, over(rgba(getComputedStyle(element).color), below)]
            .map((color) => luminance(color) + 0.05);
        found[text.data.trim()] = Math.max(one, other) / Math.min(one, other);
    }
    return found;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(page, scheme):
    """In light and dark, every text has a contrast of 4.5, as WCAG 2.2 (1.4.3) requires."""
    session = page.caller.session(tag="visit-42")
    page.join(session, "host")
    page.join(session)
    page.caller.participant(tag="waiting")
    page.caller.send("GET", "/sessions/nope")
    page.caller.emulator.faults.add("createSession", lose_answer=True)
    page.caller.emulator.faults.add("getSession", status=503)
    url = f"{page.server.base_url}/accounts/{ACCOUNT}/sessions"
    assert httpx.get(f"{url}/x", auth=("user", "password"), trust_env=False).status_code == 503
    with pytest.raises(httpx.TransportError):
        httpx.post(url, auth=("user", "password"), trust_env=False)
    media = [
        {"name": "prefers-color-scheme", "value": scheme},
        # Text would be measured during its fade-in.
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    try:
        page.open()
        page.wait_for(page.count(".graph .node"), 2)
        contrasts = page.run(CONTRASTS)
        ground = page.run("return getComputedStyle(document.body).backgroundColor")
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert (int(re.findall(r"\d+", ground)[0]) > 128) == (scheme == "light")
    assert {"visit-42", "host", "waiting", "503", "404", "204", "none", "fired once"} <= {
        *contrasts
    }
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}
