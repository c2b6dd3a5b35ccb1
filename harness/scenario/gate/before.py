"""The database before the migration, as the gate judges it: made from its baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core.errors import HarnessError
from harness.database import admin, source, temporary
from harness.scenario.gate.target import JudgedSubject
from harness.server import Server
from harness.subject.choice import particulars_of
from harness.subject.project import Project
from harness.traffic.catalog_mix import has_usable_table

JUDGED = temporary.Kind(
    "harness_judged", "judged database of the migration harness; may be dropped"
)
NO_TRAFFIC: Final = (
    "the project gives no traffic, and no table of the baseline has a key of one column and a text"
    " column that nothing constrains"
)


@dataclass(frozen=True)
class JudgedSource:
    """The source as the verdict carries it, or doubts that say why there is none.

    `lacking` are suites for which the database has no part, each with the reason.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    doubts: Sequence[str] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)


def judged_source(server: Server, target: JudgedSubject, project: Project | None) -> JudgedSource:
    """The database before, looked at in one of our own."""
    dsn = server.dsn()
    try:
        with temporary.reserved(dsn, JUDGED) as name:
            with admin.connection(dsn) as conn:
                admin.create_on(conn, name, None)
            own = admin.with_dbname(dsn, name)
            target.subject.prepare(own)
            lacking = {} if _has_traffic(own, target, project) else {"live": NO_TRAFFIC}
            return JudgedSource(source.take(own).document(), lacking=lacking)
    except HarnessError as error:
        return JudgedSource(doubts=[f"the database before the migration cannot be made: {error}"])


def _has_traffic(dsn: str, target: JudgedSubject, project: Project | None) -> bool:
    """Whether clients have something to do: what the project says, or tables of the catalog."""
    if target.plan is None or particulars_of(target.plan.name, project).traffic is not None:
        return True
    with admin.connection(dsn) as conn:
        return has_usable_table(conn)
