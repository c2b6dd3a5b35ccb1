"""squawk's opinion of a plan's files, beside what really happened at the same statement."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any, Final

from harness.core.errors import InfrastructureError
from harness.core.extras import install_line
from harness.core.finding import Finding
from harness.database.locks import blocked_by_mode, words_of_mode
from harness.plan import Plan, Script
from harness.scenario.dry_run.model import Lint, StatementSeen, StepSeen

NOTHING: Final = "took no further lock that blocks users, rewrote nothing, scanned no table"
# The runner sees to these itself: every lock has a timeout, and a step is run once, by its ledger.
ANSWERED: Final = ("require-lock-timeout", "require-statement-timeout", "prefer-robust-stmts")


def linted(plan: Plan, steps: Sequence[StepSeen]) -> tuple[StepSeen, ...]:
    """The steps with squawk's findings; batches, whose text is no plain SQL, have none.

    Without squawk no step has any.
    """
    program = find_program()
    if program is None:
        return tuple(steps)
    scripts = {
        script.name: script
        for step in plan.steps
        for script in (step.forward, step.rollback)
        if script.kind != "batch" and script.statements
    }
    wanted = [scripts[step.file] for step in steps if step.file in scripts]
    said: dict[str, list[Lint]] = {}
    for kind, options in (("transaction", ["--assume-in-transaction"]), ("concurrent", [])):
        said |= _ask(program, [script for script in wanted if script.kind == kind], options)
    return tuple(replace(step, squawk=_beside(step, said.get(step.file, []))) for step in steps)


def _ask(program: str, scripts: Sequence[Script], options: Sequence[str]) -> dict[str, list[Lint]]:
    if not scripts:
        return {}
    names = {str(script.path): script.name for script in scripts}
    done = subprocess.run(
        [program, "--reporter", "json", "--exclude", ",".join(ANSWERED), *options, *names],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    except json.JSONDecodeError:
        raise InfrastructureError(
            f"squawk gave no answer: {' '.join(done.stderr.split())[:200]}",
            hint="install squawk-cli again",
        ) from None
    lints: dict[str, list[Lint]] = {}
    for one in found:
        # squawk counts lines from 0
        lint = Lint(one["rule_name"], one["line"] + 1, one["level"].lower(), one["message"])
        lints.setdefault(names[one["file"]], []).append(lint)
    return lints


def find_program() -> str | None:
    """The path of squawk; None where it is not installed."""
    beside = Path(sysconfig.get_path("scripts")) / "squawk"
    return str(beside) if beside.exists() else which("squawk")


def not_linted(plan: Plan) -> Finding:
    """What is said where squawk is not installed: its opinion is beside what really happened."""
    return Finding(
        "dry-run.not-linted",
        "info",
        str(plan.path),
        "squawk is not installed, so its findings are not beside what happened",
        install_line("lint"),
        "",
    )


def _beside(step: StepSeen, lints: Sequence[Lint]) -> tuple[Lint, ...]:
    return tuple(replace(lint, happened=_happened(step, lint.line)) for lint in lints)


def _happened(step: StepSeen, line: int) -> str:
    begun = [one for one in step.statements if one.line <= line]
    if not begun:
        return ""
    return words(step, begun[-1])


def words(step: StepSeen, statement: StatementSeen) -> str:
    """What a statement did to users: locks it took that stop them, what it wrote anew and read."""
    lengths = {(lock.relation, lock.mode): lock.seconds for lock in step.locks}
    own = [*statement.locks]
    if step.kind == "concurrent":
        own = [(lock.relation, lock.mode) for lock in step.locks]
    said = [
        f"{words_of_mode(mode)} on {relation} for {1000 * lengths.get((relation, mode), 0):.1f} ms"
        for relation, mode in own
        if blocked_by_mode(mode)
    ]
    said += [f"{relation} written anew" for relation in statement.rewritten]
    said += [f"{rows:,} rows of {relation} read" for relation, rows in statement.read]
    if statement.seconds is None and step.kind != "concurrent":
        return "not run"
    return "; ".join(said) or NOTHING
