"""Whether a verdict allows this plan to be run here: GO, of this plan and of a database like it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from harness.check import drift
from harness.check.verdict_file import AGAIN, GateVerdict
from harness.core.errors import Refused
from harness.database.source import Source
from harness.document.verdict import JudgedSettings, JudgedTool

SKEW = timedelta(minutes=5)  # two clocks that agree may still be this far apart
CROWD = 100  # times as many rows as were judged: what was fast then need not be now
NAMED = 20  # differences from the judged source; harness fingerprint names all


@dataclass(frozen=True)
class AtHand:
    """What is to be run, and on what, in the words of a verdict.

    `crowded`: tables with more than a hundred times the judged rows, and how many those are.
    """

    tool: Mapping[str, str]
    settings: Mapping[str, Any]
    source: Source
    crowded: Mapping[str, int] = field(default_factory=dict)


def refuse_unless_go(
    judgement: GateVerdict,
    plan_hash: str,
    *,
    now: datetime,
    max_age_hours: float | None = None,
    here: AtHand | None = None,
) -> None:
    """Raise Refused with every objection: not GO, another plan, too old, or of something else.

    Without `max_age_hours` a verdict of any age will do. Without `here` nothing is asked of the
    database and of the tool: a run that was begun is gone on with.
    """
    found = objections(judgement, plan_hash, now=now, max_age_hours=max_age_hours)
    if here is not None:
        found += differences(judgement, here)
    if found:
        raise Refused("; ".join(found), where=str(judgement.path), hint=AGAIN)


def objections(
    judgement: GateVerdict, plan_hash: str, *, now: datetime, max_age_hours: float | None = None
) -> list[str]:
    """Why this verdict does not allow this plan; empty when it does."""
    found = []
    if judgement.word != "GO":
        why = f" because {judgement.reasons[0]}" if judgement.reasons else ""
        found.append(f"the verdict is {judgement.word}{why}")
    if judgement.document.shard:
        found.append(f"it is shard {judgement.document.shard} of a verdict alone")
    if judgement.plan_hash != plan_hash:
        found.append(
            f"the verdict was given on another plan: it carries hash {judgement.plan_hash[:12]},"
            f" this plan has {plan_hash[:12]}"
        )
    age = now - judgement.judged_at
    if age < -SKEW:
        found.append(f"the verdict is dated in the future, {judgement.judged_at.isoformat()}")
    elif max_age_hours is not None and age > timedelta(hours=max_age_hours):
        hours = age.total_seconds() / 3600
        found.append(f"the verdict is {hours:.1f} h old, the plan allows {max_age_hours:g} h")
    return found


def differences(judgement: GateVerdict, here: AtHand) -> list[str]:
    """What is another than it was judged: tool, settings, rows, database; empty when nothing is."""
    return [
        *_tool(judgement.document.tool, here.tool),
        *_settings(judgement.document.settings, here.settings),
        *_rows(judgement.rows, here.crowded),
        *_source(judgement.source, here.source),
    ]


def _tool(judged: JudgedTool, here: Mapping[str, str]) -> Iterator[str]:
    if (judged.version, judged.hash) != (here["version"], here["hash"]):
        yield (
            f"the verdict was given by harness {judged.version}, hash"
            f" {judged.hash[:12]}; this is {here['version']}, hash {here['hash'][:12]}"
        )


def _settings(judged: JudgedSettings, here: Mapping[str, Any]) -> Iterator[str]:
    old, new = judged.runner, here["runner"]
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"[runner] {name} is {new.get(name)}, it was judged with {old.get(name)}"
    for name in sorted({*here["switched_off"]} - {*judged.switched_off}):
        yield f"the check {name} is switched off, it was not when the plan was judged"


def _rows(judged: int, crowded: Mapping[str, int]) -> Iterator[str]:
    if crowded:
        told = ", ".join(f"{name} has {rows:,}" for name, rows in crowded.items())
        yield (
            f"it was judged on {judged:,} rows, and here {told} and more: over {CROWD} times that"
            " (run the gate with more --rows, or give --accept-rows REASON)"
        )


def _source(judged: Source, here: Source) -> Iterator[str]:
    found = drift.differences(judged, here)
    if found:
        more = [f"and {len(found) - NAMED} more differences"] if len(found) > NAMED else []
        yield "the database is not like the one that was judged: " + ", ".join(
            [*found[:NAMED], *more]
        )
