"""TCP keep-alive: the kernel finds out that a gateway has dropped a connection without a word."""

import socket
from typing import Final

# After 5 s without a packet the kernel asks every 5 s, and gives up after three questions.
_SECONDS: Final = {
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPALIVE": 5,  # the same on macOS
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
}

TCP_KEEP_ALIVE: Final[list[tuple[int, int, int]]] = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in _SECONDS.items()
        if hasattr(socket, name)
    ),
]
"""Options of a connection's socket, as far as the system has them."""
