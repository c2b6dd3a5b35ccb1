"""Acceptance: users' workflows end as they ended before the migration, for every role.

A workflow is walked through statement by statement. Keys that a step made are compared by their
names: another number for the same row is no difference.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.core.finding import Finding
from harness.core.sqlstate import CONNECTION_FAILURE
from harness.subject.workflow import Workflow, WorkflowStep

DONE: Final = "done"
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class StepAnswer:
    """What a step came to: its rows as text, or the SQLSTATE of its refusal."""

    title: str
    rows: Rows = ()
    sqlstate: str = ""

    def __str__(self) -> str:
        if self.sqlstate:
            return f"refused with {self.sqlstate}"
        return f"{len(self.rows)} rows: {'; '.join(', '.join(row) for row in self.rows)}"[:200]


@dataclass(frozen=True)
class WorkflowWalk:
    """A workflow as a role walked through it, at a moment of the migration."""

    workflow: str
    role: str
    moment: str
    answers: tuple[StepAnswer, ...]
    seconds: float
    ended: bool

    @property
    def end(self) -> str:
        """Done, or the step at which the role was refused."""
        return DONE if self.ended else f"{self.answers[-1].title}: {self.answers[-1].sqlstate}"


def walk_all(dsn: str, workflows: Sequence[Workflow], moment: str) -> list[WorkflowWalk]:
    """Every workflow by each of its roles, in order. What they write stays in the database."""
    return [_walk(dsn, one, role, moment) for one in workflows for role in one.roles]


def _walk(dsn: str, workflow: Workflow, role: str, moment: str) -> WorkflowWalk:
    begun = time.monotonic()
    answers: list[StepAnswer] = []
    with psycopg.connect(dsn, autocommit=True) as conn:
        for name, value in workflow.settings.items():
            told = value.replace("{role}", role)
            conn.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, told))
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        kept: dict[str, Any] = {}
        for step in workflow.steps:
            answers.append(_ask(conn, step, kept))
            if answers[-1].sqlstate:
                break
    ended = len(answers) == len(workflow.steps) and not answers[-1].sqlstate
    seconds = round(time.monotonic() - begun, 3)
    return WorkflowWalk(workflow.name, role, moment, tuple(answers), seconds, ended)


def _ask(conn: psycopg.Connection[Any], step: WorkflowStep, kept: dict[str, Any]) -> StepAnswer:
    try:
        answer = conn.execute(step.sql.encode(), kept)
        rows = answer.fetchall() if answer.description else []
    except psycopg.Error as error:
        return StepAnswer(step.title, sqlstate=error.sqlstate or CONNECTION_FAILURE)
    names = [column.name for column in answer.description or ()]
    if rows:
        kept |= {name: rows[0][names.index(name)] for name in step.keeps if name in names}
    return StepAnswer(step.title, tuple(_told(names, row, kept) for row in rows))


def _told(names: Sequence[str], row: Sequence[Any], kept: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{name} = {f'<{name}>' if name in kept and kept[name] == value else value}"
        for name, value in zip(names, row, strict=True)
    )


def compare_walks(
    before: Sequence[WorkflowWalk], after: Sequence[WorkflowWalk]
) -> Iterator[Finding]:
    """What a workflow came to otherwise than before, at its first step that differs."""
    walked = {(one.workflow, one.role): one for one in after}
    for was in before:
        now = walked[was.workflow, was.role]
        differing = [pair for pair in zip(was.answers, now.answers, strict=False) if _differ(*pair)]
        if differing:
            old, new = differing[0]
            yield Finding(
                f"acceptance.{was.workflow}", "critical",
                f"{was.role}, {now.moment}: {old.title}",
                f"the workflow {was.workflow!r} goes otherwise than before: {new}",
                "keep what the application names until it has changed, with its answers",
                f"before: {old}",
            )  # fmt: skip


def _differ(old: StepAnswer, new: StepAnswer) -> bool:
    return (old.sqlstate, old.rows) != (new.sqlstate, new.rows)


def unwalked(workflows: Sequence[Workflow], before: Sequence[WorkflowWalk]) -> Iterator[Finding]:
    """Workflows that no role could end before the migration: nothing is shown by them."""
    ended = {one.workflow for one in before if one.ended}
    for workflow in workflows:
        if workflow.name not in ended:
            ends = [f"{one.role}: {one.end}" for one in before if one.workflow == workflow.name]
            yield Finding(
                f"acceptance.{workflow.name}", "critical", "before the migration",
                f"no role can end the workflow {workflow.name!r} before the migration",
                "correct its steps, or name the role that does it", "; ".join(ends),
            )  # fmt: skip
