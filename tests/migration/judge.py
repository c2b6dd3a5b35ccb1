"""The checks of these suites as a judge of mutants: cheapest first, on few rows, both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial

from fixtures import contract as legacy
from fixtures.seed import load as seed
from harness.database import admin, template
from harness.errors import InfrastructureError, Refused, StepFailed, Stopped
from harness.plan import Plan, Script, Step
from harness.runner import Event, baseline, migrate, rollback
from harness.scenario.mutate.judging import Case

from . import (
    checks,
    closing,
    contract,
    decorations,
    keeping,
    simultaneous,
    touching,
    user_writes,
)
from .checks import mapping, search, views
from .journey import Fingerprint, differences, state
from .old_clients import OldClients
from .support import Check, Pair, connected, paired, taken_back

Remark = tuple[str, list[str]]
ROWS = 300
HOSTILE = 400
SEED = 1
MEANWHILE: tuple[Check, ...] = (
    mapping.check_old_values,
    mapping.check_companies,
    mapping.check_activities,
    mapping.check_interaction_participants,
    search.check_search_words,
    views.check_summaries_answer_as_before,
    views.check_compatibility_views_answer_as_before,
    views.check_new_counts,
    *checks.INVARIANTS,
)
LATER = ("company_id_backup", "actual_close_date")  # what old clients change after the swap


class Scene:
    """The databases of one case: copies of templates that every case shares, dropped at the end."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._undo = ExitStack()

    def close(self) -> None:
        """Drop what was made."""
        self._undo.close()

    def seeded(self, kind: str = "decorated") -> str:
        """The template of a seeded database: decorated, owned, bare or hostile."""
        case = self.case
        hostile = kind == "hostile"

        def build(dsn: str) -> None:
            baseline(dsn, case.original)
            profile = "hostile" if hostile else "real"
            seed(dsn, rows=HOSTILE if hostile else ROWS, seed=SEED, profile=profile)
            if not hostile:
                with connected(dsn) as conn:
                    conn.execute(decorations.SQL[kind].encode())

        key = f"judge-{kind}-{ROWS}-{SEED}-{case.original.hash}-{decorations.HASH}"
        return template.ensure(case.server_dsn, key, build)

    def before(self, kind: str = "decorated") -> str:
        """A database of this case's own, before the migration."""
        return self.own(self.seeded(kind))

    def after(self, kind: str = "decorated") -> str:
        """A database of this case's own, after it: migrated by the case's plan."""
        case = self.case
        if case.direction == "rollback":
            base = self.seeded(kind)
            key = f"{base}-migrated-by-{case.original.hash}"
            build = partial(_migrate, plan=case.original)
            return self.own(template.ensure(case.server_dsn, key, build, base=base))
        if kind not in self._migrated:
            dsn = self.own(self.reached() if kind == "decorated" else self.seeded(kind))
            migrate(dsn, case.plan)
            self._migrated[kind] = admin.dbname(dsn)
        return self.own(self._migrated[kind])

    def reached(self) -> str:
        """The template in which every step before the case's own is done, as the plan has it."""
        case, base = self.case, self.seeded()
        place = [step.id for step in case.original.steps].index(case.step) if case.step else 0
        if not place:
            return base
        until = case.original.steps[place - 1].id
        build = partial(_migrate, plan=case.original, until=until)
        key = f"{base}-until-{until}-{case.original.hash}"
        return template.ensure(case.server_dsn, key, build, base=base)

    @cached_property
    def _migrated(self) -> dict[str, str]:
        return {}

    def own(self, name: str) -> str:
        """A copy of a template or database for this case alone."""
        dsn = template.clone(self.case.server_dsn, name)
        self._undo.callback(admin.drop, self.case.server_dsn, admin.dbname(dsn))
        return dsn

    def pair(self, source: str, target: str) -> Pair:
        """Both databases, connected until the end."""
        return self._undo.enter_context(paired(source, target))


def _migrate(dsn: str, plan: Plan, until: str | None = None) -> None:
    migrate(dsn, plan, until=until)


def judge(case: Case, only: tuple[str, ...] = ()) -> Iterator[Remark]:
    """Every check of a plan, the cheapest first; or `only` the stages of these names."""
    scene = Scene(case)
    try:
        for stage in FORWARD if case.direction == "forward" else ROLLBACK:
            if only and stage.__name__.strip("_") not in only:
                continue
            try:
                yield from stage(scene)
            except (Refused, StepFailed, Stopped) as error:
                yield stage.__name__.strip("_"), [str(error)]
    finally:
        scene.close()


def heard(name: str, check: Callable[[], list[str]]) -> Remark:
    """What a check found; one that breaks on what it met has found that."""
    try:
        return name, check()
    except InfrastructureError:
        raise
    except Exception as error:  # whatever it is, a suite would fail on it
        return name, [f"{type(error).__name__}: {error}".splitlines()[0]]


def _forward(scene: Scene) -> Iterator[Remark]:
    def go() -> list[str]:
        scene.after()
        return []

    yield heard("forward", go)


def _reading(scene: Scene) -> Iterator[Remark]:
    pair = scene.pair(scene.before(), scene.after())
    for check in (*checks.READING, decorations.check_decorations):
        yield heard(check.__name__, lambda check=check: check(pair))  # type: ignore[misc]
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
        return found + [f"archived {outcome.archived}"] * bool(outcome.archived)

    yield heard(f"rollback {kind}", go)


def _again(scene: Scene) -> Iterator[Remark]:
    """After the way back the way there is open again, whatever the first round left."""

    def go() -> list[str]:
        dsn = scene.after()
        rollback(dsn, scene.case.plan)
        migrate(dsn, scene.case.plan)
        return []

    yield heard("migrate again", go)


STATES: dict[str, Fingerprint] = {}


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
        yield from _back(scene, kind)


def _written(scene: Scene) -> Iterator[Remark]:
    """Users write between the migration and its rollback."""
    wishes = user_writes.writes()

    def go() -> list[str]:
        plain, dsn = scene.before(), scene.after()
        with connected(plain) as old, connected(dsn) as new:
            ids = user_writes.draw(old)
            before = user_writes.snapshot(new)
            user_writes.perform(old, wishes, ids, old=True)
            user_writes.perform(new, wishes, ids, old=False)
            written = user_writes.snapshot(new)
        outcome = rollback(dsn, scene.case.plan)
        found = differences(state(plain), state(dsn))
        with connected(dsn) as conn:
            held = user_writes.archive(conn)
        needed = user_writes.required(wishes, ids)
        told = outcome.archived
        return found + user_writes.archive_findings(needed, before, written, held, told)

    yield heard("rollback after users wrote", go)


def _meanwhile(scene: Scene) -> Iterator[Remark]:
    """Old clients write between the steps, on the way there or on the way back."""
    case = scene.case

    def there() -> list[str]:
        dsn = scene.before()
        pair = scene.pair(scene.before(), dsn)
        migrate(dsn, case.plan, on_event=_writing(OldClients(pair), case.plan.steps[-1].id))
        found = [line for check in MEANWHILE for line in check(pair)]
        return found + mapping.check_opportunities(pair, ignoring=LATER)

    def back() -> list[str]:
        plain, dsn = scene.before(), scene.after()
        with paired(plain, dsn) as pair:
            rollback(dsn, case.plan, on_event=_writing(OldClients(pair), ""))
        return differences(state(plain), state(dsn))

    if case.direction == "forward":
        yield heard("old clients meanwhile", there)
    yield heard("old clients on the way back", back)


def _writing(clients: OldClients, last: str) -> Callable[[Event], None]:
    turns = Counter[str | None]()

    def meanwhile(event: Event) -> None:
        if event.kind not in ("batch", "step_done") or event.step == last:
            return
        turns[event.step] += 1
        if turns[event.step] <= 2:  # a turn adds rows: after each batch there would be another
            clients.write()

    return meanwhile


def _kept(scene: Scene) -> Iterator[Remark]:
    """Every new column is written, and what the way back archives is exactly that."""

    def go() -> list[str]:
        dsn = scene.after()
        with connected(dsn) as conn:
            needed = keeping.write(conn)
        rollback(dsn, scene.case.plan)
        with connected(dsn) as conn:
            return keeping.findings(conn, needed)

    yield heard("every new column archived", go)


def _closed(scene: Scene) -> Iterator[Remark]:
    """Between the steps nobody may use what is not filled yet, or archived already."""
    case = scene.case

    def go() -> list[str]:
        back = case.direction == "rollback"
        dsn = scene.after() if back else scene.own(scene.reached())
        opened = set(closing.OPENS) if back else set[str]()
        found: list[str] = []
        with connected(dsn) as conn:

            def meanwhile(event: Event) -> None:
                if event.kind == "step_done" and event.step in closing.OPENS:
                    opened.symmetric_difference_update({event.step})
                if event.kind == "step_done":
                    found.extend(closing.open_too_soon(conn, opened))

            if back:
                rollback(dsn, case.plan, on_event=meanwhile)
            else:
                ids = [step.id for step in case.original.steps]
                place = ids.index(case.step) if case.step else 0
                opened |= {step for step in closing.OPENS if ids.index(step) < place}
                migrate(dsn, case.plan, on_event=meanwhile)
        return found

    yield heard("closed until it is opened", go)


def _touched(scene: Scene) -> Iterator[Remark]:
    """One column of one row each is written, right after what was filled and before the swap."""
    case = scene.case

    def go() -> list[str]:
        dsn = scene.before()
        pair = scene.pair(scene.before(), dsn)

        def meanwhile(event: Event) -> None:
            if event.kind == "step_done" and event.step in touching.MOMENTS:
                touching.touch(pair, event.step)

        migrate(dsn, case.plan, on_event=meanwhile)
        found = [line for check in MEANWHILE for line in check(pair)]
        return found + mapping.check_opportunities(pair, ignoring=touching.LATER)

    yield heard("single columns written meanwhile", go)


def _simultaneous(scene: Scene) -> Iterator[Remark]:
    yield heard("two writers at once", lambda: simultaneous.lost_updates(scene.after()))


def _locks(scene: Scene) -> Iterator[Remark]:
    """The case's step waits for users and does not keep them waiting."""
    case = scene.case
    steps = {step.id: step for step in case.original.steps}
    step = steps.get(case.step or "")
    tables = simultaneous.locked(_script(step, case)) if step else []
    for held in tables[:-1]:
        yield heard(f"a user holds {held}", partial(_held, scene, held))


def _script(step: Step, case: Case) -> Script:
    return step.forward if case.direction == "forward" else step.rollback


def _held(scene: Scene, held: str) -> list[str]:
    case = scene.case
    patient = replace(case.plan, runner=replace(case.plan.runner, lock_timeout=30.0))
    if case.direction == "forward":
        dsn = scene.own(scene.reached())
        return simultaneous.deadlock(dsn, lambda: migrate(dsn, patient, until=case.step), held)
    dsn = scene.before()
    migrate(dsn, case.original, until=case.step)
    return simultaneous.deadlock(dsn, lambda: rollback(dsn, patient), held)


def _boundary(scene: Scene) -> Iterator[Remark]:
    """The way back from where the step, and the one before it, ended."""
    case = scene.case
    ids = [step.id for step in case.plan.steps]
    place = ids.index(case.step) if case.step in ids else 0

    def go(until: str) -> list[str]:
        dsn = scene.before()
        migrate(dsn, case.plan, until=until)
        rollback(dsn, case.plan)
        return differences(_state(scene, "decorated"), state(dsn))

    for until in ids[max(place - 1, 0) : place + 2]:
        yield heard(f"rollback from {until}", partial(go, until))


FORWARD = (
    _forward,
    _reading,
    _back,
    _trying,
    _locks,
    _hostile,
    _touched,
    _closed,
    _written,
    _kept,
    _odd,
    _again,
    _meanwhile,
    _simultaneous,
    _boundary,
)
ROLLBACK = (_back, _closed, _kept, _locks, _written, _odd, _again, _hostile, _meanwhile, _boundary)
