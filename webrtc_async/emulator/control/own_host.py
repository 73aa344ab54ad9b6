"""Whether a request names this machine as its host, as a page that rebinds its own name cannot."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:]+))(?::[0-9]{0,5})?")


def is_own_host(host: str, *, reached: str | None) -> bool:
    """Whether a Host header is one that a browser on this machine or its network sends.

    That is localhost, a loopback address, or the address that the connection was made to. Any
    other name may be somebody's web site, whose name was made to point here (DNS rebinding).

    Args:
        host: The header's value.
        reached: The address of this machine that the connection came to, if it is known.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name: str = found["six"] or found["name"]
    if name.lower() == "localhost":
        return True
    address = _address(name)
    # Not is_loopback: that takes IPv6 forms of IPv4 addresses in some versions of Python.
    if address is None or (address.version == 6) != (found["six"] is not None):
        return False
    is_loopback = str(address).startswith("127.") or str(address) == "::1"
    return is_loopback or (reached is not None and address == _address(reached))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
