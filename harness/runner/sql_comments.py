"""Comments in the SQL that the runner sends: what a message is for, to whoever reads the wire."""

from __future__ import annotations

from typing import Final

HEARTBEAT: Final = "/* harness: sign of life */"
AT_WORK: Final = "/* harness: at work */"
