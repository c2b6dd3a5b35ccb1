"""The checks of these suites as a judge of mutants: cheapest first, on few rows, both ways."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from fixtures import contract as legacy
from fixtures.seed import load as seed
from harness.check.verify import verify
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
    row_locks,
    simultaneous,
    touching,
    user_writes,
    way_back,
)
from .checks import mapping, search, views
from .journey import Fingerprint, differences, state
from .old_clients import OldClients
from .support import Check, Pair, connected, paired, taken_back

Remark = tuple[str, list[str]]
Stage = Callable[["Scene"], Iterator[Remark]]
Place = tuple[str | None, str, int]
ROWS = 300
HOSTILE = 400
SEED = 1
PLENTY = Path(__file__).with_name("plenty.sql")
PLENTY_HASH = hashlib.sha256(PLENTY.read_bytes()).hexdigest()[:12]
FOUND: dict[Place, Counter[Stage]] = {}
"""Which stages have found defects in a statement, in this process."""
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
                    conn.execute(PLENTY.read_bytes())
                    conn.execute(decorations.SQL[kind].encode())

        key = f"judge-{kind}-{ROWS}-{SEED}-{case.original.hash}-{decorations.HASH}-{PLENTY_HASH}"
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
    """Every check of a plan, the likeliest first; or `only` the stages of these names.

    A stage that found something in a neighbour, a defect in the same statement, is asked first; the
    others in the order of their cost.
    """
    scene = Scene(case)
    place = (case.step, case.direction, case.line)
    try:
        for stage in _in_turn(FORWARD if case.direction == "forward" else ROLLBACK, place):
            if only and stage.__name__.strip("_") not in only:
                continue
            for name, findings in _remarks(stage, scene):
                if findings:
                    FOUND.setdefault(place, Counter())[stage] += 1
                yield name, findings
    finally:
        scene.close()


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
        return found + [f"archived {outcome.archived}"] * bool(outcome.archived)

    yield heard(f"rollback {kind}", go)


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
        migrate(dsn, case.plan, on_event=_turns(OldClients(pair), case.plan.steps[-1].id))
        found = [line for check in MEANWHILE for line in check(pair)]
        return found + mapping.check_opportunities(pair, ignoring=LATER)

    def back() -> list[str]:
        plain, dsn = scene.before(), scene.after()
        with paired(plain, dsn) as pair:
            rollback(dsn, case.plan, on_event=_turns(OldClients(pair), ""))
        return differences(state(plain), state(dsn))

    if case.direction == "forward":
        yield heard("old clients meanwhile", there)
    yield heard("old clients on the way back", back)


def _turns(clients: OldClients, last: str) -> Callable[[Event], None]:
    turns = Counter[str | None]()

    def meanwhile(event: Event) -> None:
        if event.kind not in ("batch", "step_done") or event.step == last:
            return
        turns[event.step] += 1
        if turns[event.step] <= 2:  # a turn adds rows: after each batch there would be another
            clients.write()

    return meanwhile


def _kept(scene: Scene) -> Iterator[Remark]:
    """Every new column is written, and what the way back archives is exactly that, twice over."""
    dsn = scene.after()
    plan = scene.case.plan

    def back() -> list[str]:
        with connected(dsn) as conn:
            kept = keeping.write(conn)
        archived = rollback(dsn, plan).archived
        with connected(dsn) as conn:
            return keeping.findings(conn, kept, archived)

    def again() -> list[str]:
        migrate(dsn, plan)
        return back()

    yield heard("every new column archived", back)
    yield heard("migrate again", again)


def _verified(scene: Scene) -> Iterator[Remark]:
    """What the plan brings to be verified with."""

    def go() -> list[str]:
        dsn = scene.after()
        found = verify(dsn, scene.case.plan, state="migrated", source=scene.before(), count=1)
        return [f"{one.id}: {one.message}" for one in found.findings if one.severity != "info"]

    yield heard("verify", go)


def _row_locks(scene: Scene) -> Iterator[Remark]:
    case = scene.case
    if case.step in row_locks.HELD:
        yield heard(
            "rows that a batch locks",
            lambda: row_locks.check_batch_locks(scene.after(), case.plan, (str(case.step),)),
        )


def _worded(scene: Scene) -> Iterator[Remark]:
    """Every stage and text on the way back; from right behind the swap, where it is the case's."""
    case = scene.case

    def swapped() -> list[str]:
        dsn = scene.own(scene.reached())
        migrate(dsn, case.plan, until=case.step)
        return way_back.check_words(dsn, case.plan)

    yield heard("every word back", lambda: way_back.check_words(scene.after(), case.plan))
    if case.step == "1.1/210_swap":
        yield heard("every word back from the swap", swapped)


def _closed(scene: Scene) -> Iterator[Remark]:
    """Between the steps nobody may use what is not filled yet, or archived already."""
    case = scene.case

    ids = [step.id for step in case.original.steps]
    place = ids.index(case.step) if case.step else 0

    def go() -> list[str]:
        back = case.direction == "rollback"
        dsn = scene.after() if back else scene.own(scene.reached())
        opened = set(closing.OPENS if back else closing.OPENS.keys() & set(ids[:place]))
        found: list[str] = []
        with connected(scene.before()) as plain, connected(dsn) as conn:
            known = closing.functions(plain)

            def meanwhile(event: Event) -> None:
                if event.kind != "step_done" or event.step is None:
                    return
                if event.step in closing.OPENS:
                    opened.symmetric_difference_update({event.step})
                    found.extend([] if back else closing.opened_unfilled(conn, event.step))
                found.extend(closing.open_too_soon(conn, opened))
                found.extend(closing.open_functions(conn, known))

            (rollback if back else migrate)(dsn, case.plan, on_event=meanwhile)
        return found

    yield heard("closed until it is opened", go)


def _touched(scene: Scene) -> Iterator[Remark]:
    """One column of one row each is written, right after what was filled and before the swap."""
    case = scene.case

    def go() -> list[str]:
        dsn = scene.before()
        pair = scene.pair(scene.before(), dsn)

        found: list[str] = []

        def meanwhile(event: Event) -> None:
            if event.kind == "step_done" and event.step in touching.MOMENTS:
                touching.touch(pair, event.step)
                if event.step.startswith("1.1/"):
                    found.extend(touching.unbacked(pair))

        migrate(dsn, case.plan, on_event=meanwhile)
        found += [line for check in MEANWHILE for line in check(pair)]
        return found + mapping.check_opportunities(pair, ignoring=touching.LATER)

    yield heard("single columns written meanwhile", go)


def _simultaneous(scene: Scene) -> Iterator[Remark]:
    dsn = scene.after()
    yield heard("buried meanwhile", lambda: simultaneous.buried_meanwhile(dsn))
    yield heard("two writers at once", lambda: simultaneous.lost_updates(dsn))


def _locks(scene: Scene) -> Iterator[Remark]:
    """The case's step waits for users and does not keep them waiting."""
    case = scene.case
    steps = {step.id: step for step in case.original.steps}
    step = steps.get(case.step or "")
    tables = simultaneous.locked(_script(step, case)) if step else []
    for held in tables[:-1]:
        yield heard(f"a user holds {held}", partial(_held, scene, held))


def _late(scene: Scene) -> Iterator[Remark]:
    """What a user commits while the way back waits for it is kept, or archived."""
    case = scene.case
    if case.step in simultaneous.LATE:
        dsn = scene.own(scene.reached())  # the way back begins with the step itself
        migrate(dsn, case.original, until=case.step)
        yield heard(
            "a late write on the way back",
            lambda: simultaneous.late_write(
                dsn, lambda dsn: rollback(dsn, case.plan), str(case.step)
            ),
        )


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
    """The way back from where the step, and the one behind it, ended."""
    case = scene.case
    ids = [step.id for step in case.plan.steps]
    place = [step.id for step in case.original.steps].index(case.step) if case.step else 0

    def go(until: str) -> list[str]:
        dsn = scene.own(scene.reached())
        migrate(dsn, case.plan, until=until)
        rollback(dsn, case.plan)
        return differences(_state(scene, "decorated"), state(dsn))

    for until in ids[place : place + 2]:
        yield heard(f"rollback from {until}", partial(go, until))


FORWARD: tuple[Stage, ...] = (
    _forward,
    _reading,
    _row_locks,
    _back,
    _verified,
    _asking,
    _trying,
    _writing,
    _locks,
    _kept,
    _touched,
    _closed,
    _worded,
    _simultaneous,
    _written,
    _hostile,
    _meanwhile,
    _odd,
    _boundary,
)
ROLLBACK: tuple[Stage, ...] = (
    _back,
    _closed,
    _kept,
    _worded,
    _locks,
    _late,
    _written,
    _odd,
    _hostile,
    _meanwhile,
    _boundary,
)
