"""Which addresses a webhook may be sent to: those of the public internet, and no others.

An endpoint's owner chooses where we connect. What is reachable from here alone must not be
reachable through us, under no name and in no spelling.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Sequence
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_V4 = ipaddress.IPv4Network
_V6 = ipaddress.IPv6Network

LOOPBACK: Final = "loopback"
_METADATA: Final = frozenset(
    ipaddress.ip_address(one)
    for one in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
)
"""Where clouds tell a machine its credentials; one of them is a public address."""
_REFUSED_V4: Final = (
    (_V4("0.0.0.0/8"), "unspecified"),
    (_V4("127.0.0.0/8"), LOOPBACK),
    (_V4("10.0.0.0/8"), "private"),
    (_V4("172.16.0.0/12"), "private"),
    (_V4("192.168.0.0/16"), "private"),
    (_V4("100.64.0.0/10"), "a carrier's"),
    (_V4("169.254.0.0/16"), "link-local"),
    (_V4("192.0.0.0/24"), "reserved"),
    (_V4("192.0.2.0/24"), "for documentation"),
    (_V4("192.88.99.0/24"), "a relay's"),
    (_V4("198.18.0.0/15"), "for benchmarks"),
    (_V4("198.51.100.0/24"), "for documentation"),
    (_V4("203.0.113.0/24"), "for documentation"),
    (_V4("224.0.0.0/4"), "multicast"),
    (_V4("240.0.0.0/4"), "reserved"),
)
_REFUSED_V6: Final = (
    (_V6("::/128"), "unspecified"),
    (_V6("::1/128"), LOOPBACK),
    (_V6("fc00::/7"), "private"),
    (_V6("fe80::/10"), "link-local"),
    (_V6("fec0::/10"), "private"),
    (_V6("ff00::/8"), "multicast"),
    (_V6("::ffff:0:0/96"), "an IPv4 address in another spelling"),
    (_V6("::/96"), "an IPv4 address in another spelling"),
    (_V6("64:ff9b::/96"), "a translator's"),
    (_V6("64:ff9b:1::/48"), "a translator's"),
    (_V6("2001::/23"), "reserved"),  # Teredo among them, which holds an IPv4 address
    (_V6("2001:db8::/32"), "for documentation"),
    (_V6("2002::/16"), "a relay's"),
    (_V6("3fff::/20"), "for documentation"),
)
_GLOBAL_V6: Final = _V6("2000::/3")
_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)


class AddressRefused(Exception):  # noqa: N818 - reads as what happened
    """An address that webhooks are not sent to, and why."""


def refusal(address: Address, *, allow_loopback: bool = False) -> str:
    """Why nothing is sent to an address; empty where it may be."""
    if address in _METADATA:
        return "a cloud's metadata"
    networks = _REFUSED_V4 if address.version == 4 else _REFUSED_V6
    reason = next((why for network, why in networks if address in network), "")
    if reason == LOOPBACK and allow_loopback:
        return ""
    if not reason and address.version == 6 and address not in _GLOBAL_V6:
        return "reserved"
    return reason


def resolve(host: str, port: int, timeout: float, *, allow_loopback: bool = False) -> list[Address]:
    """The addresses of a host, asked for once; whoever connects takes one of these.

    Raises AddressRefused where one of them is, or the host is spelled to be misread; OSError
    where there is none, TimeoutError where nobody says.
    """
    bare = host.strip("[]")
    if _NUMBER.fullmatch(bare) and not _is_plain(bare):
        raise AddressRefused(f"{host} is an address in a spelling that is read in several ways")
    found = _ask(bare, port, timeout)
    for address in found:
        reason = refusal(address, allow_loopback=allow_loopback)
        if reason:
            raise AddressRefused(f"the address of {host}, {address}, is {reason}")
    return found


def _is_plain(host: str) -> bool:
    """Whether it is four decimal numbers without leading zeros."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _ask(host: str, port: int, timeout: float) -> list[Address]:
    """What the resolver says within the time: it knows no limit of its own."""
    told: list[Sequence[tuple[object, ...]] | OSError] = []

    def ask() -> None:
        try:
            told.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            told.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    if not told:
        raise TimeoutError(f"{host} was not resolved in time")
    if isinstance(told[0], OSError):
        raise told[0]
    names = [str(row[4][0]) for row in told[0] if isinstance(row[4], tuple)]
    return [*dict.fromkeys(ipaddress.ip_address(name.partition("%")[0]) for name in names)]
