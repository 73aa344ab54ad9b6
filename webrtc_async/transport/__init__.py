"""The one seam to the HTTP library: pool, limiter, stage of failure, exceptions."""

from webrtc_async.transport.connections import LIBRARY, Connections, HttpClient, HttpTransport

__all__ = ["LIBRARY", "Connections", "HttpClient", "HttpTransport"]
