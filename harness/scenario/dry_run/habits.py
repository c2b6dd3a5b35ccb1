"""What a plan's text asks for that no rehearsal on an idle copy can show to hurt.

Nobody waits on a copy: a lock that is waited for an hour is had at once there, and a trigger that
is switched off is missed by no user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from harness.core.finding import Finding
from harness.plan import Plan, Script
from harness.plan.reader import UNITS

PATIENCE: Final = 5
"""A wait for a lock may be this many times [dry_run] max_lock: whoever comes behind waits too."""
_OFF: Final = re.compile(
    r"session_replication_role\W+(?:to\W+)?'?replica\b|\bdisable\s+trigger\b", re.I
)
_LOCK_WAIT: Final = re.compile(r"\block_timeout\b'?\s*(?:=|to|,)\s*'?\s*(\d[\w. ]*)'?", re.I)


def plan_findings(plan: Plan) -> tuple[Finding, ...]:
    """One critical finding for each such habit of a step, forward and back, and of the clean-up."""
    scripts = [script for step in plan.steps for script in (step.forward, step.rollback)]
    scripts += plan.cleanup
    found = [finding for script in scripts for finding in _of_script(script, plan)]
    bound = plan.dry_run.max_lock * PATIENCE
    if plan.runner.lock_timeout > bound:
        found.append(_long_wait(str(plan.path), f"{plan.runner.lock_timeout:g} s", bound))
    return tuple(found)


def _of_script(script: Script, plan: Plan) -> Iterator[Finding]:
    settings = dict(script.settings)
    if settings.get("session_replication_role", "").strip("'\"").lower() == "replica":
        yield _triggers_off(script.at(1))
    for statement in script.statements:
        where = script.at(statement.line)
        if _OFF.search(_without_comments(statement.text)):
            yield _triggers_off(where)
    yield from _waits(script, plan.dry_run.max_lock * PATIENCE)


def _waits(script: Script, bound: float) -> Iterator[Finding]:
    # a concurrent build waits for transactions and stops nobody meanwhile
    if script.kind == "concurrent":
        return
    given = [(script.at(1), script.lock_timeout)] if script.lock_timeout else []
    given += [(script.at(1), value) for name, value in script.settings if name == "lock_timeout"]
    for statement in script.statements:
        for match in _LOCK_WAIT.finditer(_without_comments(statement.text)):
            given.append((script.at(statement.line), match[1].strip()))
    for where, value in given:
        seconds = _seconds(value)
        if seconds is None or seconds > bound or seconds == 0:
            yield _long_wait(where, value, bound)


def _seconds(value: str) -> float | None:
    """A time as Postgres reads it: milliseconds without a unit; None where it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(us|ms|s|min|h)?", value.strip("'\" "))
    return float(found[1]) * UNITS[found[2] or "ms"] if found else None


def _long_wait(where: str, value: str, bound: float) -> Finding:
    return Finding(
        "dry-run.long-wait",
        "critical",
        where,
        f"a lock may be waited for {value}, and whoever comes behind waits as long; at most"
        f" {bound:g} s are allowed",
        f"set lock_timeout to at most {bound:g} s; the runner tries again by itself",
        f"[dry_run] max_lock, times {PATIENCE}",
    )


def _triggers_off(where: str) -> Finding:
    return Finding(
        "dry-run.triggers-off",
        "critical",
        where,
        "triggers and foreign keys are switched off, so that what users write meanwhile is not kept"
        " in step and not checked",
        "leave them on; let the statement write only what no trigger answers to",
        "",
    )


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
