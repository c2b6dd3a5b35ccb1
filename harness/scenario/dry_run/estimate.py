"""How far a dry run's estimate was from the run that followed, by the database's own ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg.rows import dict_row

from harness.core.errors import Refused, UsageError
from harness.database import admin

_RUN: Final = """
SELECT id, epoch, plan_hash, state,
  date_part('epoch', completed_at - started_at) AS seconds
FROM migration_control.run WHERE direction = 'forward' ORDER BY id DESC LIMIT 1
"""
_STEPS: Final = """
SELECT step, date_part('epoch', updated_at - started_at) AS seconds
FROM migration_control.step WHERE run_id = %s
"""


@dataclass(frozen=True)
class Estimate:
    """What was expected, what it took, and the error as a share of what it took.

    `verdict` is pass within the allowed error, fail beyond it, unknown with the reason in `why`.
    """

    verdict: str
    estimate_seconds: float | None
    seconds: float | None = None
    error: float | None = None
    why: str = ""
    steps: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """The estimate as JSON has it."""
        return {**vars(self), "steps": list(self.steps)}


def read(path: Path) -> dict[str, Any]:
    """A saved dry run; UsageError names the file, the line and the reason when it is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError:
        raise UsageError("is not valid UTF-8", where=str(path)) from None
    except json.JSONDecodeError as error:
        raise UsageError(f"is no JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    wanted = ("estimate_seconds", "plan", "steps")
    if not isinstance(found, dict) or any(key not in found for key in wanted):
        raise UsageError(
            "is not what `harness dry-run --save` writes", where=f"{path}:1", hint="save it again"
        )
    return found


def estimate_error(dsn: str, saved: dict[str, Any], percent: float = 50.0) -> Estimate:
    """Compare a saved dry run with the last forward run of a database; only reads.

    Passes when the estimate is off by no more than `percent` of what the run took.
    """
    expected = saved["estimate_seconds"]
    if expected is None:
        return Estimate("unknown", None, why="the dry run did not come to its end")
    run, took = _ledger(dsn)
    why = _unlike(run, saved)
    if why:
        return Estimate("unknown", expected, run.get("seconds"), why=why)
    seconds = float(run["seconds"])
    error = abs(expected - seconds) / max(seconds, 0.001)
    steps = tuple(
        {"id": step["id"], "estimate_seconds": step["seconds"], "seconds": took.get(step["id"])}
        for step in saved["steps"]
        if step["direction"] == "forward"
    )
    verdict, why = "pass" if error * 100 <= percent else "fail", ""
    copy = saved.get("copy") or {}
    if verdict == "fail" and copy.get("how") == "elsewhere":
        verdict = "unknown"
        why = f"the dry run was made on a server of our own ({copy.get('server')}), not on this one"
    return Estimate(verdict, expected, round(seconds, 3), round(error, 3), why, steps)


def _ledger(dsn: str) -> tuple[dict[str, Any], dict[str, float]]:
    with admin.connection(dsn) as conn, conn.transaction():
        conn.execute("set transaction read only")
        row: Any = conn.execute(
            "select to_regclass('migration_control.run') is not null"
        ).fetchone()
        if not row[0]:
            raise Refused("the database holds no run", hint="migrate it first")
        with conn.cursor(row_factory=dict_row) as cursor:
            run = cursor.execute(_RUN).fetchone()
            if run is None:
                raise Refused("the database holds no forward run", hint="migrate it first")
            rows = cursor.execute(_STEPS, [run["id"]]).fetchall()
    return run, {row["step"]: round(float(row["seconds"]), 4) for row in rows}


def _unlike(run: dict[str, Any], saved: dict[str, Any]) -> str:
    """Why the run cannot be compared with the dry run; empty when it can."""
    if run["plan_hash"] != saved["plan"]["hash"]:
        return "the run was of another plan than the dry run"
    if run["state"] != "completed" or run["seconds"] is None:
        return "the run is not finished"
    if run["epoch"] != 1:
        return "the run was interrupted and resumed: its length has pauses in it"
    return ""
