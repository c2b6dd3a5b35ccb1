"""The checks of these suites as a judge of mutants: cheapest first, on few rows, both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from fixtures import contract as legacy
from harness.check.verify.run import verify
from harness.core.errors import Refused, StepFailed, Stopped
from harness.runner import migrate, rollback
from harness.scenario.dry_run import dry_run
from harness.scenario.mutate.judging import Case
from harness.suite.journey import Fingerprint, differences, state

from . import checks, cleaning, closing, contract, decorations, dependents, users
from .scene import Remark, Scene, Stage, heard
from .support import Check, Pair, connected, scalar, taken_back

FEW_ROWS = 30  # what a statement may do to rows of users while they wait, of some hundred
Place = tuple[str | None, str, int]
FOUND: dict[Place, Counter[Stage]] = {}
"""Which stages have found defects in a statement, in this process."""
STATES: dict[str, Fingerprint] = {}


def judge(case: Case, only: tuple[str, ...] = ()) -> Iterator[Remark]:
    """Every check of a plan, the likeliest first; or `only` the stages of these names.

    A stage that found something in a neighbour, a defect in the same statement, is asked first; the
    others in the order of their cost.
    """
    scene = Scene(case)
    place = (case.step, case.direction, case.line)
    try:
        for stage in _stages(case, place):
            if stage in LAST and not only and case.step is not None:
                continue  # a step's defect is seen before the clean-up
            if only and stage.__name__.strip("_") not in only:
                continue
            for name, findings in _remarks(stage, scene):
                if findings:
                    FOUND.setdefault(place, Counter())[stage] += 1
                yield name, findings
    finally:
        scene.close()


def _stages(case: Case, place: Place) -> tuple[Stage, ...]:
    """A defect of the clean-up alone is seen after it, or nowhere."""
    if case.plan.cleanup != case.original.cleanup and case.plan.phases == case.original.phases:
        return LAST
    stages = FORWARD if case.direction == "forward" else ROLLBACK
    return (*_in_turn(stages, place), *LAST)


def _remarks(stage: Stage, scene: Scene) -> Iterator[Remark]:
    try:
        yield from stage(scene)
    except (Refused, StepFailed, Stopped) as error:
        yield stage.__name__.strip("_"), [str(error)]


def _in_turn(stages: Sequence[Stage], place: Place) -> list[Stage]:
    """The stages in the order in which they are asked; all others stand on the first."""
    first, *rest = stages
    found = FOUND.get(place, Counter())
    return [first, *sorted(rest, key=lambda stage: -found[stage])]


def _forward(scene: Scene) -> Iterator[Remark]:
    def go() -> list[str]:
        scene.after()
        return []

    yield heard("forward", go)


def _reading(scene: Scene) -> Iterator[Remark]:
    pair = scene.pair(scene.before(), scene.after())
    for check in (*checks.READING, decorations.check_decorations, decorations.check_names):
        yield heard(check.__name__, partial(check, pair))


def _asking(scene: Scene) -> Iterator[Remark]:
    pair = scene.pair(scene.before(), scene.after())
    for query in legacy.load("read"):
        for role in query.roles:
            yield heard(f"contract {query.name}", partial(_read, pair, query, role))


def _read(pair: Pair, query: legacy.Query, role: str) -> list[str]:
    return contract.read_differences(pair, query, role)


def _back(scene: Scene, kind: str = "decorated") -> Iterator[Remark]:
    def go() -> list[str]:
        dsn = scene.after(kind)
        outcome = rollback(dsn, scene.case.plan)
        found = differences(_state(scene, kind), state(dsn))
        with connected(dsn) as conn:
            if scalar(conn, "select to_regnamespace('migration_archive') is not null"):
                found.append("an archive is made for nothing")
        return found + [f"archived {outcome.archived}"] * bool(outcome.archived)

    yield heard(f"rollback {kind}", go)


def _state(scene: Scene, kind: str) -> Fingerprint:
    """The identity of a seeded template, taken once a process."""
    name = scene.seeded(kind)
    if name not in STATES:
        STATES[name] = state(scene.before(kind))
    return STATES[name]


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


def _write(pair: Pair, queries: tuple[legacy.Query, ...], role: str) -> list[str]:
    with taken_back(pair.source, pair.target):
        return contract.write_differences(pair, queries, role)


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


def _verified(scene: Scene) -> Iterator[Remark]:
    """What the plan brings to be verified with."""

    def go() -> list[str]:
        dsn = scene.after()
        found = verify(dsn, scene.case.plan, state="migrated", source=scene.before(), count=1)
        return [f"{one.id}: {one.message}" for one in found.findings if one.severity != "info"]

    yield heard("verify", go)


def _rehearsed(scene: Scene) -> Iterator[Remark]:
    """What the dry run has against the plan, on rows so few that a few are many."""
    plan = scene.case.plan
    strict = replace(plan, dry_run=replace(plan.dry_run, small_rows=FEW_ROWS))

    def go() -> list[str]:
        found = dry_run(scene.before(), strict).findings
        return [f"{one.id}: {one.message}" for one in found if one.severity == "critical"]

    yield heard("dry run", go)


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
        return [f"{name} is left" for name in left] + differences(
            _state(scene, "decorated"), state(dsn)
        )

    for until in ids[place : place + 2]:
        yield heard(f"rollback from {until}", partial(go, until))


FORWARD: tuple[Stage, ...] = (
    _forward,
    _reading,
    users.row_locks,
    _back,
    _verified,
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
    _rehearsed,
    users.meanwhile,
    _odd,
    _boundary,
)
LAST: tuple[Stage, ...] = (cleaning.cleaned,)
ROLLBACK: tuple[Stage, ...] = (
    _back,
    dependents.dependents,
    users.closed,
    users.kept,
    users.worded,
    users.locks,
    users.late,
    users.written,
    _rehearsed,
    _odd,
    _hostile,
    users.meanwhile,
    _boundary,
)
