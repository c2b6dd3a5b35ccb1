"""TCP ports on loopback: free now, reserved by a record, and out of the range the kernel hands to
clients.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError
from harness.server import registry
from harness.server.protocol import Record

LOWEST: Final = 15_000
HIGHEST: Final = 31_999
_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def reserve(record: Record, avoid: int | None = None) -> Record:
    """The record with a port of its own, saved under the lock, so that no sibling gets the same
    one.
    """
    with registry.lock():
        taken = registry.ports() | ({avoid} if avoid else set())
        reserved = {**record, "port": _free(taken)}
        registry.save(reserved)
    return reserved


def _free(taken: set[int]) -> int:
    lowest, highest = bounds()
    for port in random.sample(range(lowest, highest + 1), 200):
        if port not in taken and is_free(port):
            return port
    raise InfrastructureError(
        f"no free port found between {lowest} and {highest}", hint="stop what listens there"
    )


def bounds() -> tuple[int, int]:
    """The range to choose from: a client's outgoing connection must not take a killed server's
    port.
    """
    try:
        first = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = HIGHEST + 1
    return (LOWEST, min(HIGHEST, first - 1)) if first > LOWEST + 1_000 else (LOWEST, HIGHEST)


def is_free(port: int) -> bool:
    """Whether nobody listens there at this moment; only binding in earnest decides."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
