"""Where a Postgres comes from: container, embedded wheel, system binaries or an existing DSN,
behind one protocol.
"""

from harness.server.choice import attach, choose, close_owned, keep, reap
from harness.server.dsn import Dsn, mask
from harness.server.installation import find_client
from harness.server.protocol import Capabilities, Record, Server, StopMode
from harness.server.resolution import settle
from harness.server.secrets import redact

__all__ = [
    "Capabilities",
    "Dsn",
    "Record",
    "Server",
    "StopMode",
    "attach",
    "choose",
    "close_owned",
    "find_client",
    "keep",
    "mask",
    "reap",
    "redact",
    "settle",
]
