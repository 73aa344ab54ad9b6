"""The one seam to the HTTP library: pool, limiter, stage of failure, exceptions."""

from webrtc_async._transport.connections import Connections
from webrtc_async._transport.http_library import HttpClient, HttpTransport, LibraryName
from webrtc_async._transport.orphaned_request import LeftExchange, TakeOver

__all__ = ["Connections", "HttpClient", "HttpTransport", "LeftExchange", "LibraryName", "TakeOver"]
