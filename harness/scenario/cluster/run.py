"""`harness crash` and `harness mutate` with their tasks on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.core.errors import UsageError
from harness.core.tree_hash import tool_hash
from harness.crash import explore
from harness.crash.model import CoverageRow, Point, Task
from harness.crash.prospect import Prospect, Told
from harness.crash.settings import CrashSettings
from harness.crash.share import cost_of, split_tasks
from harness.document.crash import CrashDocument
from harness.document.mutate import MutateDocument
from harness.plan import Plan
from harness.scenario.cluster.address import Client, check_address, connected
from harness.scenario.cluster.dispatch import Dispatch, Part
from harness.scenario.cluster.order import WorkOrder, sent_path
from harness.scenario.mutate import run as mutate_run
from harness.scenario.mutate.model import Mutant, MutantResult
from harness.scenario.mutate.run import MutateSettings
from harness.server import Server

SHARES = 4  # parts for each worker: the last ones even out what the first ones cost
MUTANTS = 4  # in one part: a mutant is quick, and a part has its way to go
Heard = Callable[[str, Part], None]


def silent(_worker: str, _part: Part) -> None:
    """Nobody listens."""


def crash_on(address: str, settings: CrashSettings, told: Told) -> CrashDocument:
    """Explore with the workers of a scheduler. UsageError for a subject that is no plan."""
    check_address(address)
    if settings.subject is not None:
        raise UsageError(
            "a command is not sent to a scheduler: its workers are told ids, not what to run",
            hint="take shards: --shard 1/3 on each of three machines",
        )
    sent_path(settings.plan)
    with connected(address) as client:

        def struck(
            prospect: Prospect, chosen: Sequence[Task], tell: Callable[[int], None]
        ) -> Iterator[CoverageRow]:
            return strike_on(client, settings, prospect, chosen, tell)

        return explore.run(settings, told, struck)


def strike_on(
    client: Client,
    settings: CrashSettings,
    prospect: Prospect,
    chosen: Sequence[Task],
    tell: Callable[[int], None],
    heard: Heard = silent,
) -> Iterator[CoverageRow]:
    """One row for every point of the tasks, whoever struck it."""
    subject = prospect.ground.subject
    order = WorkOrder(
        "crash",
        sent_path(settings.plan),
        subject.hash,
        tool_hash(),
        settings.seed,
        prospect.server.provider,
        prospect.server.version,
        settings.rows,
        settings.domains,
        settings.directions,
        lean=prospect.ground.lean,
    )
    many = max(1, len(client.nthreads())) * SHARES
    tasks = split_tasks(chosen, many, settings.costs)
    points = {point.id: point for task in tasks for point in task.points}
    parts = [Part([p.id for p in task.points], cost_of(task, settings.costs)) for task in tasks]
    done = 0
    for result in Dispatch(client, order, parts, heard).results():
        rows = [_row(row) for row in result.rows]
        there = {row.point.id for row in rows}
        why = result.why or "the worker gave no row for it"
        rows += [
            CoverageRow(points[name], False, "unknown", reason=why)
            for name in result.part.names
            if name not in there
        ]
        done += len(rows)
        tell(done)
        yield from rows


def _row(told: dict[str, Any]) -> CoverageRow:
    return CoverageRow(**(told | {"point": Point(**told["point"])}))


def mutate_on(address: str, settings: MutateSettings, told: mutate_run.Told) -> MutateDocument:
    """Judge mutants with the workers of a scheduler."""
    sent_path(settings.plan)
    with connected(address) as client:

        def judged(
            chosen: MutateSettings, server: Server, subject: Plan, asked: Sequence[Mutant]
        ) -> Iterator[MutantResult]:
            return judge_on(client, chosen, server, subject, asked)

        return mutate_run.run(settings, told, judged)


def judge_on(
    client: Client,
    settings: MutateSettings,
    server: Server,
    subject: Plan,
    asked: Sequence[Mutant],
) -> Iterator[MutantResult]:
    """What became of each mutant."""
    order = WorkOrder(
        "mutate",
        sent_path(settings.plan),
        subject.hash,
        tool_hash(),
        settings.seed,
        server.provider,
        server.version,
        judge=settings.judge,
    )
    known = {mutant.id: mutant for mutant in asked}
    names = list(known)
    parts = [Part(names[at : at + MUTANTS], 1.0) for at in range(0, len(names), MUTANTS)]
    for result in Dispatch(client, order, parts).results():
        told = {row["id"]: row for row in result.rows}
        for name in result.part.names:
            row = told.get(name, {"outcome": "unknown", "by": "", "reason": result.why})
            yield MutantResult(
                known[name], row["outcome"], row["by"], row["reason"], row.get("seconds", 0.0)
            )
