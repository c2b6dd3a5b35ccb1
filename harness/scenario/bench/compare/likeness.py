"""What must be alike before two arms are compared: the machine, the servers, the rows."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from harness.core.errors import UsageError
from harness.scenario.bench.compare.block import ArmFacts
from harness.scenario.bench.compare.decision import RoundResult
from harness.scenario.bench.compare.rule import DecisionRule
from harness.scenario.bench.compare.sample import Arm

LOOP_RULE: Final = DecisionRule(servers=1, band=0.10)
"""A loop in both processes: where one needs a tenth more of a processor, they are unlike."""
SHOWN: Final = 4


@dataclass(frozen=True)
class MachineFacts:
    """The machine at work."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str


def look_at_machine() -> MachineFacts:
    """The machine that this process runs on."""
    return MachineFacts(
        cpu=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_bytes=int(psutil.virtual_memory().total),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def refuse_unlike(facts: Mapping[Arm, ArmFacts]) -> None:
    """Raise UsageError where servers or rows of the arms differ, and name what does."""
    base, head = facts["base"], facts["head"]
    if base.version != head.version:
        raise _unlike("servers", [f"base {base.version}, head {head.version}"], "take one version")
    place = _differing(base.place, head.place)
    if place:
        raise _unlike("places of the arms on this machine", place, "run both in one place")
    settings = _differing(base.settings, head.settings)
    if settings:
        raise _unlike(
            "settings of the servers", settings, "see which ref changes settings of its server"
        )
    rows = _differing(base.rows, head.rows)
    if rows:
        raise _unlike("rows", rows, "compare refs that seed the same rows, or give --rows")


def refuse_unlike_machines(base: Mapping[str, Any], head: Mapping[str, Any]) -> None:
    """Raise UsageError where two runs were made on two machines, and name what differs."""
    differing = _differing(base, head)
    if differing:
        raise _unlike(
            "machines", differing, "make both runs on one machine: bench compare BASE HEAD"
        )


def refuse_unlike_speed(result: RoundResult) -> None:
    """Raise UsageError where a fixed loop takes one arm longer than the other."""
    if result.change in ("faster", "slower"):
        assert result.ratio is not None
        raise UsageError(
            f"the arms do not get the same of the machine: a fixed loop takes head"
            f" {result.ratio:.2f} times the processor time of base",
            hint="see whether one of them runs on another processor or by another Python",
        )


def _differing(base: Mapping[str, Any], head: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: base {base.get(name, 'none')}, head {head.get(name, 'none')}"
        for name in sorted(base.keys() | head.keys())
        if base.get(name) != head.get(name)
    ]


def _unlike(what: str, differing: Sequence[str], hint: str) -> UsageError:
    more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    said = ", ".join(differing[:SHOWN])
    return UsageError(
        f"unlike things are not compared: the {what} differ ({said}{more})", hint=hint
    )
