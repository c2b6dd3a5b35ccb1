"""Stages of the judge: what users do between the steps, after the migration, and two at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from harness.plan import Script, Step
from harness.runner import Event, migrate, rollback
from harness.scenario.mutate.judging import Case
from harness.suite.journey import differences, state

from . import checks, closing, keeping, touching, user_writes, waiting, way_back
from . import row_locks as rows
from . import simultaneous as writers
from .checks import mapping, search, views
from .old_clients import OldClients
from .scene import Remark, Scene, heard
from .support import Check, connected, paired

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


def written(scene: Scene) -> Iterator[Remark]:
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


def meanwhile(scene: Scene) -> Iterator[Remark]:
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


def kept(scene: Scene) -> Iterator[Remark]:
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


def row_locks(scene: Scene) -> Iterator[Remark]:
    """A batch of the case's step holds the rows that it reads, and no other."""
    case = scene.case
    if case.step in rows.HELD:
        yield heard(
            "rows that a batch locks",
            lambda: rows.check_batch_locks(scene.after(), case.plan, (str(case.step),)),
        )


def worded(scene: Scene) -> Iterator[Remark]:
    """Every stage and text on the way back; from right behind the swap, where it is the case's."""
    case = scene.case

    def swapped() -> list[str]:
        dsn = scene.own(scene.reached())
        migrate(dsn, case.plan, until=case.step)
        return way_back.check_words(dsn, case.plan)

    yield heard("every word back", lambda: way_back.check_words(scene.after(), case.plan))
    if case.step == "1.1/210_swap":
        yield heard("every word back from the swap", swapped)


def closed(scene: Scene) -> Iterator[Remark]:
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


def touched(scene: Scene) -> Iterator[Remark]:
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


def simultaneous(scene: Scene) -> Iterator[Remark]:
    """Two users at the same row at the same moment."""
    dsn = scene.after()
    yield heard("buried meanwhile", lambda: writers.buried_meanwhile(dsn))
    yield heard("two writers at once", lambda: writers.lost_updates(dsn))


def locks(scene: Scene) -> Iterator[Remark]:
    """The case's step waits for users and does not keep them waiting."""
    case = scene.case
    steps = {step.id: step for step in case.original.steps}
    step = steps.get(case.step or "")
    tables = waiting.locked(_script(step, case)) if step else []
    for held in tables[:-1]:
        yield heard(f"a user holds {held}", partial(_held, scene, held))


def late(scene: Scene) -> Iterator[Remark]:
    """What a user commits while the way back waits for it is kept, or archived."""
    case = scene.case

    def go(table: str, statement: str) -> list[str]:
        dsn = scene.own(scene.reached())  # the way back begins with the step itself
        migrate(dsn, case.original, until=case.step)
        return waiting.late_write(dsn, lambda dsn: rollback(dsn, case.plan), table, statement)

    for table, statement in waiting.LATE.get(case.step or "", {}).items():
        yield heard(f"a late write of {table} on the way back", partial(go, table, statement))


def _script(step: Step, case: Case) -> Script:
    return step.forward if case.direction == "forward" else step.rollback


def _held(scene: Scene, held: str) -> list[str]:
    case = scene.case
    patient = replace(case.plan, runner=replace(case.plan.runner, lock_timeout=30.0))
    if case.direction == "forward":
        dsn = scene.own(scene.reached())
        return waiting.deadlock(dsn, lambda: migrate(dsn, patient, until=case.step), held)
    dsn = scene.own(scene.reached())
    migrate(dsn, case.original, until=case.step)
    return waiting.deadlock(dsn, lambda: rollback(dsn, patient), held)
