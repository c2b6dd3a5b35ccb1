"""What a judge looks at: databases before and after a case's plan, cheap copies of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property, partial

from harness.core.errors import InfrastructureError
from harness.database import admin, template
from harness.plan import Plan
from harness.runner import baseline, migrate
from harness.scenario.mutate.judging import Case
from harness.subject.choice import seeder_of

from .support import SMALL, Pair, paired

Remark = tuple[str, list[str]]
Stage = Callable[["Scene"], Iterator[Remark]]
Templates = Callable[[Case, str], str]
"""Gives the template of a seeded database of a kind; the kinds are the project's own."""
REAL = "real"
SEED = 1


def seeded_template(case: Case, kind: str) -> str:
    """The template of a database that the subject's seeder filled by a profile of that name."""

    def build(dsn: str) -> None:
        baseline(dsn, case.original)
        seeder_of(case.original.name)(dsn, rows=SMALL, seed=SEED, profile=kind)

    return template.ensure(case.server_dsn, f"judge-{kind}-{SMALL}-{case.original.hash}", build)


class Scene:
    """The databases of one case: copies of templates that every case shares, dropped at the end.

    `kind` is the kind of rows that is meant where none is named.
    """

    def __init__(self, case: Case, templates: Templates = seeded_template, kind: str = REAL):
        self.case = case
        self.kind = kind
        self._templates = templates
        self._undo = ExitStack()

    def close(self) -> None:
        """Drop what was made."""
        self._undo.close()

    def seeded(self, kind: str | None = None) -> str:
        """The template of a seeded database."""
        return self._templates(self.case, kind or self.kind)

    def before(self, kind: str | None = None) -> str:
        """A database of this case's own, before the migration."""
        return self.own(self.seeded(kind))

    def after(self, kind: str | None = None) -> str:
        """A database of this case's own, after it: migrated by the case's plan."""
        case, kind = self.case, kind or self.kind
        if case.direction == "rollback" or case.plan.phases == case.original.phases:
            base = self.seeded(kind)
            key = f"{base}-migrated-by-{case.original.hash}"
            build = partial(_migrate, plan=case.original)
            return self.own(template.ensure(case.server_dsn, key, build, base=base))
        if kind not in self._migrated:
            dsn = self.own(self.reached() if kind == self.kind else self.seeded(kind))
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


def heard(name: str, check: Callable[[], list[str]]) -> Remark:
    """What a check found; one that breaks on what it met has found that."""
    try:
        return name, check()
    except InfrastructureError:
        raise
    except Exception as error:  # whatever it is, a suite would fail on it
        return name, [f"{type(error).__name__}: {error}".splitlines()[0]]
