"""TLS settings of servers and clients, by one private certificate authority."""

import functools
import ssl

import trustme


@functools.cache
def authority() -> trustme.CA:
    """Return the certificate authority of the test run; making one takes most of a second."""
    return trustme.CA()


def server_side(*names: str) -> ssl.SSLContext:
    """Return the TLS settings of a server with these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    return context


def client_side() -> ssl.SSLContext:
    """Return the TLS settings of a client that trusts the authority."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context
