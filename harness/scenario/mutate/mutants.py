"""Every mutant of a plan, forward and rollback, in the order of its steps; and a plan with one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from pglast import ast, parse_sql

from harness.core.direction import STEP_DIRECTIONS, StepDirection
from harness.plan import Plan, Script, Statement, Step
from harness.plan.check import check, tree
from harness.scenario.mutate import bodies, definitions, expressions, scripts, values
from harness.scenario.mutate.bodies import Changed
from harness.scenario.mutate.edits import NodeEdit, NodePlace, laid_out, places, written
from harness.scenario.mutate.expressions import Labels
from harness.scenario.mutate.model import Mutant


@dataclass(frozen=True)
class Known:
    """The names that a plan gives: a mutant takes one for another."""

    labels: Labels
    roles: tuple[str, ...]


def of_plan(plan: Plan) -> tuple[Mutant, ...]:
    """Every mutant, each once."""
    known = known_names(plan)
    found: dict[str, Mutant] = {}
    for step in plan.steps:
        for direction in STEP_DIRECTIONS:
            whole = step.script(direction)
            for mutant in _of_script(step.id, direction, whole, known):
                found.setdefault(mutant.id, mutant)
            for mutant in _of_whole(step.id, direction, whole):
                found.setdefault(mutant.id, mutant)
    for mutant in _swaps(plan):
        found[mutant.id] = mutant
    for cleaning in plan.cleanup:
        for mutant in _of_script(_cleaner(cleaning), "forward", cleaning, known):
            found.setdefault(mutant.id, mutant)
    return tuple(found.values())


def known_names(plan: Plan) -> Known:
    """The enums that a plan makes, and the roles that it names or, failing that, its baseline."""
    forward = [
        tree(statement, batch=step.forward.kind == "batch")
        for step in plan.steps
        for statement in step.forward.statements
    ]
    baseline = [tree(statement) for script in plan.baseline for statement in script.statements]
    roles = (*definitions.roles_of(forward), *definitions.roles_of(baseline))
    return Known(Labels(definitions.enums_of(forward)), roles)


def applied(plan: Plan, mutant: Mutant) -> Plan:
    """The plan with the mutant in it; UsageError when such a plan is refused.

    Its hashes stay those of the plan: what the plan migrated takes the mutant's rollback.
    """
    if mutant.swap:
        return _swapped(plan, mutant.step, mutant.direction)
    if mutant.cleans:
        cleanup = tuple(
            _changed(one, mutant) if _cleaner(one) == mutant.step else one for one in plan.cleanup
        )
        return replace(plan, cleanup=cleanup)
    phases = tuple(
        replace(phase, steps=tuple(_mutated(step, mutant) for step in phase.steps))
        for phase in plan.phases
    )
    return replace(plan, phases=phases)


def _cleaner(script: Script) -> str:
    """A script of the clean-up by its name, in place of a step."""
    return script.name.removesuffix(".sql")


def _mutated(step: Step, mutant: Mutant) -> Step:
    if step.id != mutant.step:
        return step
    changed = _changed(step.script(mutant.direction), mutant)
    if mutant.direction == "forward":
        return replace(step, forward=changed)
    return replace(step, rollback=changed)


def _changed(whole: Script, mutant: Mutant) -> Script:
    """The script with the mutant in it, checked like one that is read."""
    changed = mutant.script or _with_statement(whole, mutant)
    check(changed)
    return changed


def _with_statement(whole: Script, mutant: Mutant) -> Script:
    assert mutant.statement is not None, "a swap is no change of a script"
    held = whole.statements[mutant.statement]
    rest = list(whole.statements)
    if mutant.text is None:
        del rest[mutant.statement]
    else:
        rest[mutant.statement] = Statement(mutant.text, held.line, held.tag)
    changed = replace(whole, statements=tuple(rest))
    if not rest:  # with nothing left to do the step still has its place
        changed = replace(changed, kind="transaction", table=None, key=None, nothing="a mutant")
    return changed


def _swaps(plan: Plan) -> Iterator[Mutant]:
    """Two neighbours in the other order; those that have nothing to do are no neighbours."""
    for direction in STEP_DIRECTIONS:
        busy = [step for step in plan.steps if step.script(direction).statements]
        for step, following in pairwise(busy):
            before, after = f"{step.id}\n{following.id}", f"{following.id}\n{step.id}"
            yield Mutant(step.id, direction, "swap-steps", 1, before=before, after=after, swap=True)


def _swapped(plan: Plan, step_id: str, direction: StepDirection) -> Plan:
    """The step behind the next one that has something to do in that direction."""
    steps = list(plan.steps)
    place = [step.id for step in steps].index(step_id)
    later = range(place + 1, len(steps))
    other = next(n for n in later if steps[n].script(direction).statements)
    steps[place], steps[other] = steps[other], steps[place]
    rest = iter(steps)
    phases = tuple(
        replace(phase, steps=tuple(next(rest) for _ in phase.steps)) for phase in plan.phases
    )
    return replace(plan, phases=phases)


def _of_script(
    step: str, direction: StepDirection, whole: Script, known: Known
) -> Iterator[Mutant]:
    for number, statement in enumerate(whole.statements):
        batch = whole.kind == "batch"
        root = tree(statement, batch=batch)
        line = statement.line
        yield Mutant(step, direction, "delete-statement", line, number, None, written(root))
        for operator, before, after in _variants(root, known):
            if before == after:  # such as a condition that was `true`
                continue
            said = with_placeholders(after) if batch else after
            yield Mutant(step, direction, operator, line, number, said, before, after)


def _of_whole(step: str, direction: StepDirection, whole: Script) -> Iterator[Mutant]:
    for one in scripts.of(whole):
        yield Mutant(
            step,
            direction,
            one.operator,
            one.line,
            before=one.before,
            after=one.after,
            script=one.script,
        )


def with_placeholders(text: str) -> str:
    """A batch statement as its file writes it: the bounds by name, every % doubled."""
    text = text.replace("%", "%%")
    return re.sub(r"\$([12])\b", lambda m: "%(after)s" if m[1] == "1" else "%(upto)s", text)


def _variants(root: Any, known: Known) -> Iterator[tuple[str, str, str]]:
    """Operator, the statement, and the defect in it; both written alike."""
    before = written(root)
    for edit in _edits(root, known):
        with edit.made():
            yield edit.operator, before, written(root)
    for plain, edit in _embedded(root, known):
        with plain.made():
            alike = written(root)
        with edit.made():
            yield edit.operator, alike, written(root)


def _edits(root: Any, known: Known) -> Iterator[NodeEdit]:
    top = NodePlace(root, None, "")
    for place in (top, *places(root)):
        node = place.node
        kind = type(node).__name__
        if kind in expressions.BY_NODE:
            yield from expressions.BY_NODE[kind](place)
        if kind == "A_Const" and not isinstance(place.parent, ast.VariableSetStmt):
            yield from expressions.constants(place, known.labels, _kind_of(place, root))
        yield from values.of(place)
        yield from definitions.of(place, known.roles)
    if isinstance(root, ast.SelectStmt):
        yield from _calls(root)


def _calls(root: Any) -> Iterator[NodeEdit]:
    """One of several calls, or of the rows they are made for, left out."""
    items = root.targetList or ()
    if len(items) > 1:
        for index in range(len(items)):
            yield NodeEdit(
                "delete-statement", root, "targetList", (*items[:index], *items[index + 1 :])
            )
    for place in places(root):
        rows = getattr(place.node, "valuesLists", None) or ()
        if len(rows) > 1:
            for index in range(len(rows)):
                rest = (*rows[:index], *rows[index + 1 :])
                yield NodeEdit("delete-statement", place.node, "valuesLists", rest)


def _kind_of(place: NodePlace, root: Any) -> str | None:
    """The type that a constant has by its cast, or by its column."""
    name: Any = None
    if isinstance(place.parent, ast.TypeCast):
        name = place.parent.typeName
    else:
        for column in places(root):
            if isinstance(column.node, ast.ColumnDef) and place.parent in (
                column.node.constraints or ()
            ):
                name = column.node.typeName
    return name.names[-1].sval if name is not None else None


def _embedded(root: Any, known: Known) -> Iterator[tuple[NodeEdit, NodeEdit]]:
    """Defects in texts that are SQL: the text laid out, and the defect in it."""

    def vary(text: str) -> Iterator[Changed]:
        inner = parse_sql(text)[0].stmt
        before = laid_out(inner)
        for edit in _edits(inner, known):
            with edit.made():
                yield edit.operator, before, laid_out(inner)
        for plain, edit in _embedded(inner, known):
            with plain.made():
                alike = laid_out(inner)
            with edit.made():
                yield edit.operator, alike, laid_out(inner)

    held = bodies.body_of(root)
    if held is not None:
        holder, body, language = held
        changes = vary(body) if language == "sql" else bodies.in_plpgsql(root, body, vary)
        for operator, before, changed in changes:
            values = (bodies.with_body(holder, text) for text in (before, changed))
            plain, edited = (NodeEdit(operator, holder, "arg", value) for value in values)
            yield plain, edited
    for place, operator, before, changed in bodies.conditions(root, vary):
        texts = (ast.String(sval=text) for text in (before, changed))
        plain, edited = (NodeEdit(operator, place.node, "val", text) for text in texts)
        yield plain, edited
