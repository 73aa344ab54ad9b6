"""The one seam to the HTTP library: pool, limiter, stage of failure, exceptions."""

from webrtc_async.transport.connections import Connections
from webrtc_async.transport.left import LeftExchange, TakeOver
from webrtc_async.transport.library import HttpClient, HttpTransport, LibraryName

__all__ = ["Connections", "HttpClient", "HttpTransport", "LeftExchange", "LibraryName", "TakeOver"]
