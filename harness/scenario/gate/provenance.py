"""What a verdict judged: hashes of plan, rows and tool, so that it speaks for nothing else."""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psutil

import harness
from harness import __version__
from harness.core.tree_hash import tree_hash
from harness.plan import Plan
from harness.subject.choice import MadeOf

PROFILES = ("real", "hostile")
"""Directories that are no part of what is hashed."""


class Provided(Protocol):
    """What is said of a server."""

    @property
    def provider(self) -> str:
        """Where it comes from."""
        ...

    @property
    def version(self) -> int:
        """Its major version."""
        ...


@dataclasses.dataclass(frozen=True)
class Amount:
    """How many rows, and what chance began from."""

    rows: int
    seed: int


def judged(
    named: dict[str, str],
    settings: dict[str, Any],
    made: MadeOf,
    amount: Amount,
    suites: Path | None,
    server: Provided,
) -> dict[str, Any]:
    """The part of a verdict that says what it is a verdict on, as it stands now.

    `named` are name, version and hash of the subject, `settings` its own. `seed` has a hash of the
    makers of rows, `tool` one of the harness and of the suites.
    """
    rows, seed = amount.rows, amount.seed
    makers = tree_hash(made.paths, f"{rows} {seed} {' '.join(PROFILES)} {made.overrides}")
    return {
        "judged_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan": named,
        "seed": {"rows": rows, "seed": seed, "profiles": list(PROFILES), "hash": makers},
        "tool": tool() | {"suites_hash": _suites_hash(suites)},
        "settings": settings,
        "environment": {
            "server": server.provider,
            "postgres": server.version,
            "python": sys.version.split()[0],
            "platform": platform.platform(),
            "cores": os.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
        },
    }


def _suites_hash(suites: Path | None) -> str:
    """That of the project's own suites; the shipped ones are part of the tool."""
    return tree_hash([suites], _above(suites)) if suites else tree_hash([])


def _above(suites: Path) -> str:
    """The text of what pytest loads from above the suites."""
    found = [parent / "conftest.py" for parent in suites.parents[:2]]
    return "".join(path.read_text("utf-8") for path in found if path.is_file())


def tool() -> dict[str, str]:
    """This harness: its version, and a hash of all of its files."""
    return {
        "name": "migration-harness",
        "version": __version__,
        "hash": tree_hash([_home(harness)], __version__),
    }


def settings(plan: Plan) -> dict[str, Any]:
    """What plan.toml may change between runs, and what it switched off: a verdict is of these."""
    rules = (("validate", plan.validate.severity), ("verify", plan.verify.severity))
    off = [
        f"{part}.{name}" for part, found in rules for name, word in found.items() if word == "off"
    ]
    return {"runner": dataclasses.asdict(plan.runner), "switched_off": sorted(off)}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What was edited while it was judged: such a run proves nothing of either state."""
    pairs = (("plan", "hash"), ("seed", "hash"), ("tool", "hash"), ("tool", "suites_hash"))
    return [
        f"the {name if key == 'hash' else 'suites'} changed while it was judged"
        for name, key in pairs
        if before[name][key] != after[name][key]
    ]


def _home(package: Any) -> Path:
    return Path(package.__file__).parent
