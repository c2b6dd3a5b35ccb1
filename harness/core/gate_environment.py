"""What a gate tells the suites that it starts: names of environment variables."""

from __future__ import annotations

from typing import Final

SERVER_RECORD: Final = "HARNESS_SERVER_RECORD"
"""The record of the gate's server, as JSON: the suites share it, and the gate stops it."""

RELAY_DESCRIPTOR: Final = "HARNESS_RELAY_FD"
"""The file descriptor that each test report is written to."""
