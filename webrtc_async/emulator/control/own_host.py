"""A check of the Host header against DNS rebinding."""

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:]+))(?::[0-9]{0,5})?")


def is_own_host(
    host: str, *, local_address: str | None, allowed_hosts: Collection[str] = ()
) -> bool:
    """Return True if a Host header names this machine.

    Accepted are localhost, loopback addresses and the connection's own address. Any other name
    could be a foreign web site whose name was made to point here (DNS rebinding).

    Args:
        host: Value of the header.
        local_address: This machine's address of the connection, if known.
        allowed_hosts: Further names of this machine, in lower case.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name: str = found["six"] or found["name"]
    if name.lower() == "localhost" or name.lower() in allowed_hosts:
        return True
    address = _address(name)
    # Not is_loopback: some versions of Python accept IPv6 forms of IPv4 addresses.
    if address is None or (address.version == 6) != (found["six"] is not None):
        return False
    is_loopback = str(address).startswith("127.") or str(address) == "::1"
    return is_loopback or (local_address is not None and address == _address(local_address))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
