"""What a backfill's batch has locked before it writes: exactly the rows that it reads.

Without those locks a user's write between the look at a row and the row made of it would be lost,
and one to a row that the batch does not touch must not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from harness.plan import Plan, Step

from .support import Conn, column, connected, set_differences

BOUNDS = """
select percentile_disc(array[{}]) within group (order by id) from {}
"""
WINDOWS = 12  # so many that one of them shows a row too many or too few
IN_RANGE = "id > %(after)s and id <= %(upto)s"
DONE = f"from public.tasks where {IN_RANGE} and done_date is not null"
Held = tuple[tuple[str, str, str], ...]
HELD: dict[str, Held] = {
    "1.2/030_backfill": (
        ("companies", "key share", f"select company_id from public.contacts where {IN_RANGE}"),
        (
            "contacts",
            "no key update",
            f"select id from public.contacts where {IN_RANGE} and company_id is not null",
        ),
    ),
    "1.3/030_backfill": (
        (
            "companies",
            "key share",
            f"select customer_organization_id from public.opportunities where {IN_RANGE}",
        ),
        (
            "opportunities",
            "no key update",
            f"""select id from public.opportunities
            where {IN_RANGE} and customer_organization_id is not null""",
        ),
    ),
    "1.4/030_backfill": (
        (
            "companies",
            "key share",
            f"select company_id from public.contacts where id in (select contact_id {DONE})",
        ),
        ("contacts", "key share", f"select contact_id {DONE}"),
        ("tasks", "no key update", f"select id {DONE}"),
    ),
}
"""By step: a table, how its rows are locked, and which: in the order in which they are."""


def check_batch_locks(dsn: str, plan: Plan, steps: Iterable[str] = HELD) -> list[str]:
    """Run what a batch does before its last statement, in the middle of its table, and look."""
    found: list[str] = []
    with connected(dsn) as runner, connected(dsn) as user:
        for step in plan.steps:
            if step.id in HELD and step.id in steps:
                found += _differences(runner, user, step)
    return found


def _differences(runner: Conn, user: Conn, step: Step) -> list[str]:
    shares = ", ".join(str(n / WINDOWS) for n in range(WINDOWS + 1))
    row = user.execute(BOUNDS.format(shares, step.forward.table).encode()).fetchone()
    assert row is not None
    found: list[str] = []
    for after, upto in pairwise(row[0]):
        found += _of_batch(runner, user, step, {"after": after, "upto": upto})
    return found


def _of_batch(runner: Conn, user: Conn, step: Step, bounds: dict[str, int]) -> list[str]:
    script = step.forward
    expected = {
        table: (strength, set(column(user, query, bounds)) - {None})
        for table, strength, query in HELD[step.id]
    }
    found = []
    with runner.transaction(force_rollback=True):
        for statement in script.statements[:-1]:
            runner.execute(statement.text, bounds)  # type: ignore[arg-type]
        for table, (strength, rows) in expected.items():
            label = f"rows of {table} that a batch of {step.id} locks"
            found += set_differences(label, rows, _locked(user, table, "update"))
            firmly = rows if strength == "no key update" else set[int]()
            found += set_differences(
                f"{label} firmly", firmly, _locked(user, table, "no key update")
            )
    return found


def _locked(user: Conn, table: str, strength: str) -> set[int]:
    """Rows that somebody holds so that they cannot be locked this way now."""
    free = column(user, f"select id from public.{table} for {strength} skip locked")
    return set(column(user, f"select id from public.{table}")) - set(free)
