"""The checks of these suites as a judge of mutants: cheapest first, on few rows, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fixtures
from fixtures import contract as legacy
from harness.runner import migrate, rollback
from harness.scenario.bench.judge import judge_costs
from harness.scenario.bench.measure import measure_pair
from harness.scenario.bench.query import read_query
from harness.scenario.mutate.judging import Case
from harness.suite.journey import differences, state
from harness.suite.judge import forward, rehearsed, state_before, verified
from harness.suite.scene import Remark, Scene, heard
from harness.suite.stage_order import Stages
from harness.suite.support import Check, Pair, connected, scalar

from . import checks, cleaning, closing, contract, decorations, dependents, users
from .scene import scene_of
from .support import taken_back

BENCHMARKS = Path(fixtures.__file__).with_name("benchmarks")
OF_FEW_ROWS = ("organizations_of_contact", "write_stages")


def judge(case: Case, only: tuple[str, ...] = ()) -> Iterator[Remark]:
    """Every check of a plan, the likeliest first; or `only` the stages of these names.

    A stage that found something in a neighbour, a defect in the same statement, is asked first; the
    others in the order of their cost.
    """
    yield from STAGES.ask(scene_of(case), only)


def _reading(scene: Scene) -> Iterator[Remark]:
    pair = scene.pair(scene.before(), scene.after())
    for check in (*checks.READING, decorations.check_decorations, decorations.check_names):
        yield heard(check.__name__, partial(check, pair))


def _asking(scene: Scene) -> Iterator[Remark]:
    pair = scene.pair(scene.before(), scene.after())
    for query in legacy.load("read"):
        for role in query.roles:
            yield heard(f"contract {query.name}", partial(_read, pair, query, role))


def _read(pair: Pair, query: legacy.ContractQuery, role: str) -> list[str]:
    return contract.read_differences(pair, query, role)


def _back(scene: Scene, kind: str = "decorated") -> Iterator[Remark]:
    def go() -> list[str]:
        dsn = scene.after(kind)
        outcome = rollback(dsn, scene.case.plan)
        found = differences(state_before(scene, kind), state(dsn))
        with connected(dsn) as conn:
            if scalar(conn, "select to_regnamespace('migration_archive') is not null"):
                found.append("an archive is made for nothing")
        return found + [f"archived {outcome.archived}"] * bool(outcome.archived)

    yield heard(f"rollback {kind}", go)


def _trying(scene: Scene) -> Iterator[Remark]:
    pair = scene.pair(scene.before(), scene.after())

    def attempt(check: Check) -> list[str]:
        with taken_back(pair.target):
            return check(pair)

    for check in checks.TRYING:
        yield heard(check.__name__, partial(attempt, check))


def _writing(scene: Scene) -> Iterator[Remark]:
    pair = scene.pair(scene.before(), scene.after())
    writes = legacy.load("write")
    yield heard("contract writes in a row", partial(_write, pair, writes, "authenticated"))
    for query in writes:
        for role in query.roles:
            yield heard(f"contract {query.name}", partial(_write, pair, (query,), role))


def _write(pair: Pair, queries: tuple[legacy.ContractQuery, ...], role: str) -> list[str]:
    with taken_back(pair.source, pair.target):
        return contract.write_differences(pair, queries, role)


def _benchmarked(scene: Scene) -> Iterator[Remark]:
    """What queries of any catalog cost in counts, and of the project's own those of few rows."""

    def go() -> list[str]:
        queries = [read_query(BENCHMARKS / f"{name}.sql") for name in OF_FEW_ROWS]
        pair = measure_pair(scene.before(), scene.after(), queries)
        found = judge_costs(pair)
        told = [f"{one.id}: {one.message}" for one in found if one.severity == "critical"]
        # decorated.sql's second index of the ids is taken by chance where the key would do as well
        by_chance = "write_stages: can only read all of", "deals_apart_excl"
        return [text for text in told if not all(words in text for words in by_chance)]

    yield heard("benchmark", go)


def _hostile(scene: Scene) -> Iterator[Remark]:
    if scene.case.direction == "forward":
        pair = scene.pair(scene.before("hostile"), scene.after("hostile"))
        for check in checks.ROWS:
            yield heard(f"hostile {check.__name__}", partial(check, pair))
        for query in legacy.load("read"):
            yield heard(f"hostile {query.name}", partial(_read, pair, query, query.roles[0]))
        writes = legacy.load("write")[::-1]
        yield heard("hostile writes", partial(_write, pair, writes, "authenticated"))
    yield from _back(scene, "hostile")


def _odd(scene: Scene) -> Iterator[Remark]:
    for kind in ("owned", "bare"):
        if scene.case.direction == "forward":
            pair = scene.pair(scene.before(kind), scene.after(kind))
            yield heard(f"{kind} decorations", partial(decorations.check_decorations, pair))
            yield heard(f"{kind} names", partial(decorations.check_names, pair))
            for check in checks.SETTINGS:
                yield heard(f"{kind} {check.__name__}", partial(check, pair))
        yield from _back(scene, kind)


def _boundary(scene: Scene) -> Iterator[Remark]:
    """The way back from where the step, and the one behind it, ended."""
    case = scene.case
    ids = [step.id for step in case.plan.steps]
    place = [step.id for step in case.original.steps].index(case.step) if case.step else 0

    def go(until: str) -> list[str]:
        dsn = scene.own(scene.reached())
        migrate(dsn, case.plan, until=until)
        rollback(dsn, case.plan)
        with connected(dsn) as conn:
            left = [name for name, *_ in closing.functions(conn) if name.startswith("migration")]
        return [f"{name} is left" for name in left] + differences(state_before(scene), state(dsn))

    for until in ids[place : place + 2]:
        yield heard(f"rollback from {until}", partial(go, until))


STAGES = Stages(
    forward=(
        forward,
        _reading,
        users.row_locks,
        _back,
        verified,
        _asking,
        _trying,
        _writing,
        users.locks,
        users.kept,
        users.touched,
        users.closed,
        users.worded,
        users.simultaneous,
        users.written,
        _hostile,
        rehearsed,
        users.meanwhile,
        _odd,
        _boundary,
        _benchmarked,
    ),
    last=(cleaning.cleaned,),
    rollback=(
        _back,
        dependents.dependents,
        users.closed,
        users.kept,
        users.worded,
        users.locks,
        users.late,
        users.written,
        rehearsed,
        _odd,
        _hostile,
        users.meanwhile,
        _boundary,
    ),
)
