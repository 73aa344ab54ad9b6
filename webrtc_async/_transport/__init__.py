"""HTTP: the `httpx.AsyncClient`, one exchange over it, and the errors that it ends with."""

from webrtc_async._transport.connections import Connections
from webrtc_async._transport.http_library import HttpClient, HttpTransport, LibraryName
from webrtc_async._transport.http_session import HttpSession
from webrtc_async._transport.orphaned_request import OnCallerCancelled, OrphanedRequest

__all__ = [
    "Connections",
    "HttpClient",
    "HttpSession",
    "HttpTransport",
    "LibraryName",
    "OnCallerCancelled",
    "OrphanedRequest",
]
