"""Judges for the tests of the mutants' run: one that sees what a small plan makes, and bad ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg

from harness import runner
from harness.database import admin
from harness.scenario.mutate.judging import Case

SHAPE = """
select attname, pg_catalog.format_type(atttypid, atttypmod) from pg_catalog.pg_attribute
where attrelid = to_regclass('public.things') and attnum > 0 and not attisdropped order by attnum
"""


def sees_rows(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Runs the plan and looks at its columns and rows, and at what the way back leaves."""
    name = admin.unique_name("harness_mutant")
    admin.create(case.server_dsn, name)
    dsn = admin.with_dbname(case.server_dsn, name)
    try:
        runner.baseline(dsn, case.original)
        before = _ask(dsn, SHAPE)
        back = case.direction == "rollback"
        yield "forward", _run(lambda: runner.migrate(dsn, case.original if back else case.plan))
        wrong = "select id from public.things where upper_name is distinct from upper(name)"
        yield "rows", [f"row {row[0]}" for row in _ask(dsn, wrong)]
        kinds = _ask(dsn, "select id, name from public.kinds")
        yield "kinds", [] if kinds == [(1, "2030-01-01")] else [f"kinds hold {kinds}"]
        yield "rollback", _run(lambda: runner.rollback(dsn, case.plan))
        yield "shape", [] if _ask(dsn, SHAPE) == before else ["columns of things differ"]
        gone = _ask(dsn, "select to_regclass('public.kinds')")
        yield "kinds gone", [] if gone == [(None,)] else ["kinds is left"]
    finally:
        admin.drop(case.server_dsn, name)


def sees_nothing(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Looks away."""
    yield f"nothing of {case.plan.name}", []


def refuses_all(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Has something against every plan."""
    yield "everything", [f"{case.plan.name} is not liked"]


def tells_who_judges(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Writes down its process, and has nothing against the plan."""
    with Path(os.environ["JUDGED_BY"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    yield f"nothing of {case.plan.name}", []


def does_not_end(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Writes down its process, and waits in the server for much too long if there is a defect."""
    with Path(os.environ["JUDGED_BY"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if case.plan != case.original:
        _ask(case.server_dsn, "set statement_timeout = 0; select pg_sleep(600)")
    yield f"nothing of {case.plan.name}", []


def breaks(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Has a bug that a mutant brings out."""
    if case.plan != case.original:
        raise KeyError(case.plan.name)
    yield "nothing", []


def _run(go: object) -> list[str]:
    try:
        go()  # type: ignore[operator]
    except Exception as error:  # whatever it is, the plan did not run
        return [str(error).splitlines()[0]]
    return []


def _ask(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return conn.execute(query).fetchall()
