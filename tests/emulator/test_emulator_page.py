"""The page's files and its JSON, as they are served."""

import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http_library import httpx
from support.speaking import Caller, Clock

from webrtc_async.emulator import Emulator, emulator_app
from webrtc_async.emulator.control.own_host import is_own_host
from webrtc_async.emulator.doors.server import EmulatorServer, url_of

pytestmark = pytest.mark.anyio

SHIPPED = [each.name for each in files("webrtc_async.emulator.page").iterdir() if each.is_file()]
SCRIPTS = [name for name in SHIPPED if name.endswith(".js")]
FILES = ["", *(name for name in SHIPPED if not name.endswith((".py", ".html")))]


def reader(emulator: Emulator, host: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client that sends a browser's headers for a host."""
    transport = httpx.ASGITransport(emulator_app(emulator))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}/_emulator/")


@pytest.mark.parametrize("file", [*FILES, "state"])
async def test_everything_is_served_with_headers_that_confine_it(file):
    """The headers forbid inline scripts, other hosts, frames, sniffing and caching."""
    async with reader(Emulator()) as client:
        answer = await client.get(file)
    policy = answer.headers["content-security-policy"].split("; ")
    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not re.search(r"unsafe|https?:|\*", answer.headers["content-security-policy"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_files_name_no_other_host(name):
    """No file contains an address, except the SVG namespace."""
    text = files("webrtc_async.emulator.page").joinpath(name).read_text("utf-8")
    addresses = set(re.findall(r"""(?:https?:)?//[\w.-]+\.[\w/]+""", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_never_parses_markup(name):
    """Hostile tags stay text, because no code parses markup."""
    script = files("webrtc_async.emulator.page").joinpath(name).read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|Function\(|"
        r"srcdoc|setHTML|createContextualFragment",
        script,
    )


async def test_the_address_without_its_slash_leads_to_the_page():
    """A path without the final slash redirects, also under a mount path."""
    async with reader(Emulator()) as client:
        answer = await client.get("http://127.0.0.1/_emulator")
        assert answer.headers["location"] == "_emulator/"
        followed = await client.get("http://127.0.0.1/_emulator", follow_redirects=True)
    assert "<title>" in followed.text


async def test_the_state_is_sent_again_only_when_it_has_changed():
    """The entity tag covers everything except the current time."""
    clock = Clock()
    caller = Caller(Emulator(clock=clock))
    async with reader(caller.emulator) as client:
        first = await client.get("state")
        clock.now += 60
        known = {"if-none-match": first.headers["etag"]}
        unchanged = await client.get("state", headers=known)
        session = caller.session()
        changed = await client.get("state", headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.json()["accounts"][0]["sessions"][0]["id"] == session
    assert changed.json()["now"] == clock.now


async def test_the_page_s_requests_are_not_shown():
    """The page's own requests do not appear on it."""
    emulator = Emulator()
    async with reader(emulator) as client:
        for file in [*FILES, "state"]:
            await client.get(file)
    assert emulator.requests_handled == 0


async def test_only_reading_is_possible():
    """The page accepts no method that changes state."""
    async with reader(Emulator()) as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert (await client.request(method, "state")).status_code == 405


@pytest.mark.parametrize("file", [*FILES, "state", "http://HOST/_emulator"])
async def test_a_foreign_host_is_refused(file):
    """A web site whose name points to this machine cannot read the page."""
    caller = Caller(Emulator())
    caller.session(tag="canary")
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080"):
        async with reader(caller.emulator, host) as client:
            answer = await client.get(file.replace("HOST", host))
        assert answer.status_code == 403
        assert "canary" not in answer.text


async def test_a_foreign_host_may_call_the_service_itself():
    """Only the page checks the host: the API has credentials."""
    async with reader(Emulator(), "emulator") as client:
        answer = await client.post(
            "http://emulator/v1/accounts/9900000/sessions", auth=("user", "password")
        )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "local_address"),
    [
        ("localhost", None),
        ("LocalHost:8080", None),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("127.9.9.9", None),
        ("[::1]:8080", "::1"),
        ("[0:0:0:0:0:0:0:1]", None),
        ("192.0.2.7:80", "192.0.2.7"),
        ("[2001:db8::7]", "2001:db8::7"),
    ],
)
def test_hosts_of_this_machine(host, local_address):
    """localhost, loopback addresses and the connection's own address are accepted."""
    assert is_own_host(host, local_address=local_address)


@pytest.mark.parametrize(
    ("host", "local_address"),
    [
        ("", None),
        ("evil.example", "127.0.0.1"),
        ("evil.example", "evil.example"),
        ("localhost.evil.example", None),
        ("localhost:80@evil.example", None),
        ("127.0.0.1.evil.example", None),
        ("192.0.2.7", "127.0.0.1"),
        ("192.0.2.7", None),
        ("127.1", None),
        ("0x7f000001", None),
        ("2130706433", None),
        ("0.0.0.0", "127.0.0.1"),
        ("::1", None),
        ("[127.0.0.1]", None),
        ("[::ffff:127.0.0.1]", None),
        ("[::1", None),
        ("localhost:80:80", None),
        ("localhost, evil.example", None),
        (" localhost", None),
    ],
)
def test_hosts_that_are_not_this_machines(host, local_address):
    """Other names, other addresses and malformed hosts are refused."""
    assert not is_own_host(host, local_address=local_address)


@given(
    st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?\.[a-z]{2,8}(:[0-9]{1,5})?", fullmatch=True)
)
def test_no_domain_name_is_this_machines(host):
    """No registrable name is accepted, because such names can point anywhere."""
    assert not is_own_host(host, local_address="127.0.0.1")


@given(st.text())
def test_any_host_is_judged_without_an_error(host):
    """Any Host header is checked without an error."""
    assert is_own_host(host, local_address=None) in {True, False}


def test_the_pages_address_can_be_opened_in_a_browser():
    """The page's URL is usable for an emulator that listens on all interfaces, too."""
    with EmulatorServer(Emulator(), host="0.0.0.0") as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{server.url}/_emulator/", trust_env=False).status_code == 200
    assert url_of("::", 1) == url_of("::1", 1) == "http://[::1]:1"
