"""Protection of the control API, which has no password, from foreign web pages."""

from collections.abc import Collection, Mapping

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.control.own_host import is_own_host


def browser_problem(
    request: WireRequest, *, local_address: str | None, allowed_hosts: Collection[str] = ()
) -> str | None:
    """Return the reason to refuse a request that a foreign web page could have sent, or None.

    Args:
        request: The request.
        local_address: This machine's address of the connection, if known.
        allowed_hosts: Further names of this machine, in lower case.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    host = headers.get("host", "")
    if not is_own_host(host, local_address=local_address, allowed_hosts=allowed_hosts):
        return "Host: only localhost and this machine's addresses are allowed"
    # A typed or bookmarked address sends "none".
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return "Sec-Fetch-Site: pages of other sites are not allowed"
    if headers.get("origin", f"http://{host}") not in {f"http://{host}", f"https://{host}"}:
        return "Origin: pages of other sites are not allowed"
    if request.method not in {"GET", "HEAD"} and not _is_json(headers, request.content):
        # A page can send any other type to any host without a preflight request.
        return "Content-Type: only application/json is allowed"
    return None


def _is_json(headers: Mapping[str, str], content: bytes) -> bool:
    media_type = headers.get("content-type")
    if media_type is None:
        return not content
    return media_type.partition(";")[0].strip().lower() == "application/json"
