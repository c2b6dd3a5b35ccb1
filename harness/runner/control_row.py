"""What an operator asks of a run: pause, stop, or other settings; each within bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import Stopped, UsageError
from harness.plan.reader import seconds, suggestion

WORDS = ("pause", "stop")
LARGE = 2**50

TIMES: Mapping[str, tuple[float, float]] = {
    "batch_target": (0.01, 600.0),
    "lock_timeout": (0.01, 600.0),
    "long_use": (0.0, 86_400.0),
    "long_use_wait": (0.001, 86_400.0),
    "max_commit_latency": (0.0, 60.0),
    "max_wait": (0.0, 600.0),
    "throttle_limit": (0.001, 86_400.0),
}
NUMBERS: Mapping[str, tuple[int, int]] = {
    "batch_rows": (1, 1_000_000),
    "max_active_sessions": (0, 100_000),
    "max_archive_backlog": (0, 1_000_000),
    "max_memory_bytes": (0, LARGE),
    "max_replication_lag_bytes": (0, LARGE),
    "max_slot_wal_bytes": (0, LARGE),
    "min_free_disk_bytes": (0, LARGE),
    "max_host_load_percent": (0, 100_000),
    "max_wal_bytes_per_second": (0, LARGE),
}
"""The settings of [runner] that a run at work takes over, and their bounds."""

Setting = int | float


def read_setting(key: str, text: str) -> Setting:
    """The value of one setting, as plan.toml spells it; UsageError when it is out of bounds."""
    if key in TIMES:
        found: Setting = seconds(key, 0 if text == "0" else text, "control")
        least, most = TIMES[key]
        within = f"a time from {least:g} s to {most:g} s"
    elif key in NUMBERS:
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise UsageError(
                f"{key} is a whole number, not {text!r}", hint=f"such as {key}={NUMBERS[key][1]}"
            )
        found, (least, most) = int(text), NUMBERS[key]
        within = f"from {least:,} to {most:,}"
    else:
        hint = suggestion(key, {*TIMES, *NUMBERS})
        raise UsageError(f"{key!r} cannot be set on a run at work", hint=hint)
    if not least <= found <= most:
        raise UsageError(f"{key} is {within}, not {text}", hint="nothing was asked of the run")
    return found


@dataclass(frozen=True)
class Control:
    """What is asked now: by whom it is paused or stopped, and the settings that were changed."""

    paused: str = ""
    stopped: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Control:
        """From the ledger's JSON; a value that is out of bounds is not taken over."""
        asked: dict[str, str] = json.loads(text) if text else {}
        settings: dict[str, Any] = {}
        for key, value in asked.items():
            if key not in WORDS:
                try:
                    settings[key] = read_setting(key, value)
                except UsageError:
                    continue
        return cls(asked.get("pause", ""), asked.get("stop", ""), settings)

    def refuse_stop(self) -> None:
        """Stopped when an operator asks to stop."""
        if self.stopped:
            raise Stopped(
                f"stopped by {self.stopped}, with harness control",
                hint="run the same again to resume",
            )
