"""A small plan whose batches two workers share, and what can go wrong with it, as findings."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import runner
from harness.core.errors import AnotherRunnerError, HarnessError
from harness.core.poll import wait_until
from harness.plan import Plan
from harness.runner import batch_crew, ledger_range, ledger_statements, lock
from tests.harness.support.runner import WAIT, SmallPlan, ask, child, open_transaction, run_sql

STEP = "1.1/020_fill"
SHARED = """batch_rows = 60
batch_min_rows = 10
batch_workers = 2
lock_timeout = "30s"
lock_wait = "20s"
"""
TWICE = "SELECT count(*) FROM public.things WHERE upper_name IS DISTINCT FROM upper(name)"
WORKERS_WAIT = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'harness 1.1/020_fill' AND wait_event_type = 'Lock'"
)


def shared_plan(root: Path, **settings: Any) -> Plan:
    """The small plan, with two workers for its thousand rows: sixteen ranges of two batches."""
    small = SmallPlan(root)
    small.replace("plan.toml", "batch_rows = 400", SHARED)
    small.replace("plan.toml", 'lock_timeout = "200ms"\n', "")
    small.replace("phases/1.1_fill/020_fill.forward.sql", "key: id\n", "key: id\n-- batch: 40\n")
    return with_settings(small.load(), **settings)


def explored_plan(root: Path) -> Plan:
    """The same with nineteen rows, in three ranges of two batches, and back as well."""
    small = SmallPlan(root)
    small.replace("plan.toml", "batch_rows = 400", "batch_workers = 2")
    # On a busy machine what rivals hold may be held longer than the plan's short lock timeout.
    small.replace("plan.toml", 'lock_timeout = "200ms"', 'lock_timeout = "5s"')
    small.replace("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(1, 19)")
    fill = "phases/1.1_fill/020_fill.{}.sql"
    small.replace(fill.format("forward"), "key: id\n", "key: id\n-- batch: 5\n")
    small.write(
        fill.format("rollback"),
        "-- kind: batch\n-- table: public.things\n-- key: id\n-- batch: 5\n\n"
        "UPDATE public.things SET upper_name = substr(upper_name, 1 + length(name))\n"
        "WHERE id > %(after)s AND id <= %(upto)s AND upper_name <> '';\n",
    )
    return small.load()


def with_settings(plan: Plan, **settings: Any) -> Plan:
    """The plan with another [runner]."""
    return replace(plan, runner=replace(plan.runner, **settings))


def ready(dsn: str, plan: Plan) -> None:
    """Bring a database to where the step that is shared is next."""
    runner.baseline(dsn, plan)
    runner.migrate(dsn, plan, until="1.1/010_column")


def wrong_rows(dsn: str) -> list[str]:
    """That a row was not done exactly once."""
    number = ask(dsn, TWICE)
    return [f"{number} rows were not done exactly once"] if number else []


def undisturbed(dsn: str, plan: Plan) -> list[str]:
    """What a run that nothing disturbs leaves otherwise than it should."""
    ready(dsn, plan)
    runner.migrate(dsn, plan, until=STEP)
    return wrong_rows(dsn)


def killed_and_resumed(dsn: str, plan: Plan) -> list[str]:
    """The same of a run that is killed midway, and resumed by this process."""
    ready(dsn, plan)
    by_turns = with_settings(plan, batch_turns=True)
    with child("migrate", dsn, by_turns, die_at=60, until=STEP) as dying:
        dying.ended()
    done = ask(dsn, "SELECT sum(batches) FROM migration_control.batch_range")
    assert done, "it was killed before the first commit"
    runner.migrate(dsn, plan, until=STEP)
    return wrong_rows(dsn)


def paused_and_taken_over(dsn: str, plan: Plan) -> list[str]:
    """The same of one that is stopped with both sessions in the midst of a range, and wakes."""
    ready(dsn, plan)
    hasty = with_settings(plan, lock_timeout=0.2, retries=1)
    found: list[str] = []
    with child("migrate", dsn, plan, until=STEP) as paused:
        with open_transaction(dsn, "SELECT FROM public.things WHERE id % 40 = 1 FOR UPDATE"):
            wait_until(lambda: ask(dsn, WORKERS_WAIT) == 2, WAIT, "both workers wait for a row")
            paused.signal(signal.SIGSTOP)
        try:
            runner.migrate(dsn, hasty, until=STEP)
        except HarnessError as error:
            found.append(f"the successor cannot go on: {error}")
        finally:
            paused.signal(signal.SIGCONT)
        ended = paused.outcome()
    if not isinstance(ended, AnotherRunnerError):
        found.append(f"who woke up ended with {ended!r}")
    return found + wrong_rows(dsn)


@dataclass(frozen=True)
class CrewDefect:
    """An engine that is wrong with several workers, and the story that shows it."""

    plant: Callable[[], list[tuple[Any, str, object]]]
    story: Callable[[str, Plan], list[str]]

    def __str__(self) -> str:
        return self.plant.__name__


def one_checkpoint_for_all_ranges() -> list[tuple[Any, str, object]]:
    """Takes how far the farthest range has come for how far every range has come."""
    crew_run = batch_crew.Crew.run

    def run(self: batch_crew.Crew, workers: int) -> None:
        last = max(one.last_key for one in self.ranges.values())
        for number, one in self.ranges.items():
            state = "done" if one.upto_key <= last else one.state
            self.ranges[number] = replace(one, state=state)
        crew_run(self, workers)

    return [(batch_crew.Crew, "run", run)]


def a_range_handed_out_twice() -> list[tuple[Any, str, object]]:
    """Gives a range to two workers, and lets each of them go on beside the other."""
    taken: list[ledger_range.RangeRow] = []
    following = batch_crew.Crew._next

    def twice(self: batch_crew.Crew, work: Any) -> ledger_range.RangeRow | None:
        if taken:
            return taken.pop()
        piece = following(self, work)
        taken.extend([piece] if piece is not None else [])
        return piece

    fence = ledger_statements.fence_sql
    return [
        (batch_crew.Crew, "_next", twice),
        (ledger_statements, "fence_sql", lambda run, epoch, _=None: fence(run, epoch)),
    ]


def only_the_named_session_is_ended() -> list[tuple[Any, str, object]]:
    """Ends the session that the ledger names, and none of those that worked beside it."""
    return [(lock, "at_work", lambda _, last: [last])]


DEFECTS = (
    CrewDefect(one_checkpoint_for_all_ranges, killed_and_resumed),
    CrewDefect(a_range_handed_out_twice, undisturbed),
    CrewDefect(only_the_named_session_is_ended, paused_and_taken_over),
)


def hold_row(dsn: str, key: int) -> Any:
    """A transaction that holds a row for the block."""
    return open_transaction(dsn, f"SELECT FROM public.things WHERE id = {key} FOR UPDATE")


def spoil_row(dsn: str, key: int) -> None:
    """Let the step fail at a row."""
    run_sql(
        dsn,
        "ALTER TABLE public.things ADD CONSTRAINT spoilt"
        f" CHECK (id <> {key} OR upper_name IS NULL)",
    )
