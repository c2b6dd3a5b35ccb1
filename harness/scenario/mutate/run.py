"""The whole run: make the mutants, show each to the judge, and count."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from harness import __version__, plan
from harness.core.errors import Refused, UsageError
from harness.core.shard import Shard
from harness.core.tree_hash import tool_hash
from harness.document.base import Word
from harness.document.costs import NO_COSTS, Costs
from harness.document.mutate import UNSET, JudgedMutant, MutateDocument, ShownMutant
from harness.document.shard import ShardDocument
from harness.plan import Plan
from harness.scenario.mutate import declared, equivalents, judging, mutants
from harness.scenario.mutate.model import Mutant, MutantResult
from harness.server import Server, choose
from harness.server.pool import pool
from harness.subject.choice import particulars_of

JUDGE = "harness.suite.judge:judge"
"""The checks of a plan whose project names no judge of its own: what the shipped suites look at."""
LEAST = 98.0
"""The score, in percent, below which the checks are not good enough."""

MUTANT = 1.0
"""Seconds that a mutant takes, about, where none were measured."""

Told = Callable[[MutantResult, int, int], None]
Judged = Callable[["MutateSettings", Server, Plan, Sequence[Mutant]], Iterator[MutantResult]]


@dataclass(frozen=True)
class MutateSettings:
    """What to run. `sample` None is every mutant; `only` a part of the ids.

    Without a `judge` it is the project's, else the default one. `declared` puts the declared
    equivalents before the judge instead of the others. A `shard` is judged alone, cut by the
    measured `costs`, else by how many mutants there are.
    """

    plan: Path
    sample: int | None = None
    seed: int = 1
    only: str = ""
    judge: str = ""
    server: str = "embedded"
    pg_version: int | None = None
    workers: int = 3
    least: float = LEAST
    declared: bool = False
    shard: Shard | None = None
    costs: Costs = NO_COSTS


def judge_of(subject: Plan) -> str:
    """The judge that the plan's project names, else the default one."""
    return particulars_of(subject.name).judge or JUDGE


def silent(_result: MutantResult, _done: int, _total: int) -> None:
    """Nobody listens."""


def run(
    settings: MutateSettings, told: Told = silent, judged: Judged | None = None
) -> MutateDocument:
    """Judge mutants and give the document. Refused when the plan itself does not pass.

    `judged` gives what becomes of each; without it worker processes of this machine do.
    """
    began = time.monotonic()
    subject = plan.load(settings.plan)
    settings = replace(settings, judge=settings.judge or judge_of(subject))
    every = mutants.of_plan(subject)
    if not any(settings.only in mutant.id for mutant in every):
        like = f"an id is like {every[0].id}" if every else "the plan has no mutant"
        raise UsageError(f"no mutant's id holds {settings.only!r}", hint=like)
    judging.named(settings.judge)
    known = equivalents.read(subject.root / equivalents.NAME)
    equivalents.refuse_stale(known, every)
    reasons = {
        mutant.id: why for mutant in every if (why := equivalents.reason(known, mutant)) is not None
    }
    asked_for = [one for one in every if one.id in reasons] if settings.declared else every
    whole = _chosen(asked_for, settings)
    chosen = _share(whole, settings, reasons)
    left = [] if settings.declared else [mutant for mutant in chosen if mutant.id in reasons]
    results = [MutantResult(mutant, "equivalent", reason=reasons[mutant.id]) for mutant in left]
    asked = [mutant for mutant in chosen if settings.declared or mutant.id not in reasons]
    with started(settings) as server:
        version = server.version
        _refuse_unsound(settings, server, subject)
        for result in (judged or _judged)(settings, server, subject, asked):
            results.append(result)
            told(result, len(results), len(chosen))
    answer = document(results, settings, subject, every, time.monotonic() - began)
    answer = _placed(answer, results, whole, settings, version)
    return declared.put_on_trial(answer, results, reasons) if settings.declared else answer


def document(
    results: Sequence[MutantResult],
    settings: MutateSettings,
    subject: Plan,
    every: Sequence[Mutant],
    seconds: float,
) -> MutateDocument:
    """The answer: score in percent of the mutants that are not equivalent, and every survivor."""
    count = Counter(result.outcome for result in results)
    counted = len(results) - count["equivalent"]
    score = score_of(count)
    verdict: Word = "unknown" if score is None or count["unknown"] else "pass"
    if score is not None and score < settings.least:
        verdict = "fail"
    return MutateDocument(
        verdict=verdict,
        score=score,
        least=settings.least,
        mutants=len(results),
        of=len(every),
        killed=count["killed"],
        equivalent=count["equivalent"],
        survivors=[_shown(r) for r in results if r.outcome == "survived"],
        unknowns=[_shown(r) for r in results if r.outcome == "unknown"],
        killed_by=dict(Counter(r.by for r in results if r.outcome == "killed").most_common()),
        seconds=round(seconds, 2),
        seconds_per_mutant=round(sum(r.seconds for r in results) / max(counted, 1), 3),
        plan_hash=subject.hash,
        harness=__version__,
    )


def score_of(count: Mapping[Any, int]) -> float | None:
    """Mutants seen, in percent of those that are not equivalent; None when there are none."""
    counted = sum(count.values()) - count.get("equivalent", 0)
    return round(100 * count.get("killed", 0) / counted, 2) if counted else None


def _placed(
    answer: MutateDocument,
    results: Sequence[MutantResult],
    whole: Sequence[Mutant],
    settings: MutateSettings,
    postgres: int,
) -> MutateDocument:
    """The answer with what each mutant came to, in the plan's order, and what it stands on."""
    ids = [mutant.id for mutant in whole]
    order = {name: number for number, name in enumerate(ids)}
    rows = sorted(results, key=lambda result: order[result.mutant.id])
    shard, costs = settings.shard, settings.costs.digest
    return msgspec.structs.replace(
        answer,
        rows=[
            JudgedMutant(id=row.mutant.id, outcome=row.outcome, by=row.by, seconds=row.seconds)
            for row in rows
        ],
        seed=settings.seed,
        postgres=postgres,
        tool_hash=tool_hash(),
        judge=settings.judge,
        sample=settings.sample,
        shard=ShardDocument(index=shard.index, of=shard.of, whole=ids, costs=costs)
        if shard
        else UNSET,
    )


def words(answer: MutateDocument) -> list[str]:
    """The answer for a person: every survivor with its diff, then the score."""
    if answer.refuted is not UNSET:
        return declared.words(answer)
    lines = []
    for one in answer.survivors:
        lines += [f"survived: {one.id}", *(f"  {line}" for line in one.diff.splitlines()), ""]
    for one in answer.unknowns:
        lines.append(f"unknown: {one.id}: {one.reason}")
    score = "no score" if answer.score is None else f"{answer.score:.2f}%"
    share = f", shard {answer.shard}" if answer.shard else ""
    lines.append(
        f"mutants{share}: {answer.verdict}; {score} of {answer.mutants - answer.equivalent} seen,"
        f" {len(answer.survivors)} survived, {answer.equivalent} equivalent,"
        f" {answer.seconds:.1f} s"
    )
    return lines


def _shown(result: MutantResult) -> ShownMutant:
    mutant = result.mutant
    return ShownMutant(
        id=mutant.id,
        where=f"{mutant.file}.sql:{mutant.line}",
        operator=mutant.operator,
        reason=result.reason,
        diff=mutant.diff,
        seconds=result.seconds,
    )


def _chosen(every: Sequence[Mutant], settings: MutateSettings) -> list[Mutant]:
    fitting = [mutant for mutant in every if settings.only in mutant.id]
    if settings.sample is None or settings.sample >= len(fitting):
        return fitting
    taken = set(random.Random(settings.seed).sample(range(len(fitting)), settings.sample))  # noqa: S311 - a seed is the point
    return [mutant for number, mutant in enumerate(fitting) if number in taken]


def _share(
    whole: Sequence[Mutant], settings: MutateSettings, reasons: Mapping[str, str]
) -> list[Mutant]:
    """The mutants of the shard, all without one. An equivalent that is not judged costs nothing."""
    if settings.shard is None:
        return list(whole)

    def cost(mutant: Mutant) -> float:
        free = mutant.id in reasons and not settings.declared
        return 0.0 if free else settings.costs.of(mutant.id, MUTANT)

    return settings.shard.take(whole, cost, lambda mutant: mutant.id)


@contextmanager
def started(settings: MutateSettings) -> Iterator[Server]:
    """A server for mutants alone, closed at the end."""
    server = choose(
        settings.server, version=settings.pg_version, profile="fast", owner_pid=os.getpid()
    )
    server.start()
    try:
        server.wait_ready(60)
        yield server
    finally:
        server.close()


def _refuse_unsound(settings: MutateSettings, server: Server, subject: Plan) -> None:
    with pool(1) as processes:
        found = processes.submit(_sound, settings.judge, server.dsn(), subject).result()
    if found:
        raise Refused(
            f"the plan without a mutant does not pass: {found[0]}",
            hint="a check that refuses everything proves nothing; run `harness gate` first",
        )


def _judged(
    settings: MutateSettings, server: Server, subject: Plan, chosen: Sequence[Mutant]
) -> Iterator[MutantResult]:
    order = list(chosen)
    random.Random(settings.seed).shuffle(order)  # noqa: S311 - likewise; a run cut short is a sample
    with pool(settings.workers) as processes:
        futures = [
            processes.submit(judge_one, settings.judge, server.dsn(), subject, mutant)
            for mutant in order
        ]
        for future in as_completed(futures):
            yield future.result()


def _sound(judge: str, server_dsn: str, subject: Plan) -> list[str]:
    return judging.sound(judging.named(judge), server_dsn, subject)


def judge_one(judge: str, server_dsn: str, subject: Plan, mutant: Mutant) -> MutantResult:
    """What becomes of a mutant on a server; run in a process that has no threads."""
    return judging.judged(judging.named(judge), server_dsn, subject, mutant)
