"""Keeps web pages from other places off the control API, which asks for no password."""

from collections.abc import Mapping

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.control.own_host import is_own_host


def browser_problem(request: WireRequest, *, reached: str | None) -> str | None:
    """Return why a request is not let in; None if no foreign web page can be behind it.

    Args:
        request: What was received.
        reached: The address of this machine that the connection came to, if it is known.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    host = headers.get("host", "")
    if not is_own_host(host, reached=reached):
        return "Host: this is for localhost and this machine's addresses, not for other names"
    # "none" is what a person typed or bookmarked.
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return "Sec-Fetch-Site: not for pages of other sites"
    if headers.get("origin", f"http://{host}") not in {f"http://{host}", f"https://{host}"}:
        return "Origin: not for pages of other sites"
    if request.method not in {"GET", "HEAD"} and not _is_json(headers, request.content):
        # Anything else, a page may send to any host without asking that host first.
        return "Content-Type: only application/json is taken"
    return None


def _is_json(headers: Mapping[str, str], content: bytes) -> bool:
    media_type = headers.get("content-type")
    if media_type is None:
        return not content
    return media_type.partition(";")[0].strip().lower() == "application/json"
