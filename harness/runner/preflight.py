"""Whether a plan may start on a database: what must be there, what must not, and the rights."""

from __future__ import annotations

from harness.core.errors import Refused
from harness.plan import Plan
from harness.runner import keys
from harness.runner.baseline_progress import UNFINISHED
from harness.runner.connection import Connection

LOOK = """
SELECT
  (SELECT pg_catalog.array_agg(w.name ORDER BY w.name) FROM pg_catalog.unnest(%(requires)s::text[])
     AS w(name) WHERE NOT EXISTS (SELECT FROM relation AS r WHERE r.name = w.name)),
  (SELECT pg_catalog.array_agg(w.name || '.' || w.col ORDER BY w.name, w.col)
   FROM ROWS FROM (pg_catalog.unnest(%(owners)s::text[]),
     pg_catalog.unnest(%(columns)s::text[])) AS w(name, col)
   JOIN relation AS r ON r.name = w.name
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = r.oid AND a.attname = w.col AND NOT a.attisdropped)),
  (SELECT pg_catalog.array_agg(w.name ORDER BY w.name) FROM pg_catalog.unnest(%(forbids)s::text[])
     AS w(name) WHERE EXISTS (SELECT FROM relation AS r WHERE r.name = w.name)),
  (SELECT pg_catalog.array_agg(r.name ORDER BY r.name) FROM relation AS r
     WHERE r.name = ANY(%(alters)s) AND NOT pg_catalog.pg_has_role(r.owner, 'USAGE')),
  (SELECT pg_catalog.count(*) FROM relation),
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
  pg_catalog.pg_is_in_recovery(),
  current_user::text,
  pg_catalog.to_regclass('migration_baseline.file') IS NOT NULL
"""
RELATIONS = """
WITH relation AS (
  SELECT n.nspname || '.' || c.relname AS name, c.oid, c.relowner AS owner
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN
      ('information_schema', 'migration_maintenance', 'migration_outbox', 'migration_mail')
  UNION ALL
  SELECT n.nspname || '.' || t.typname, NULL, t.typowner
  FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
)
"""


class StartFacts:
    """What one look at the database found."""

    def __init__(self, conn: Connection, plan: Plan) -> None:
        required = plan.preflight.requires
        requires = {_plain(name): columns for name, columns in required.items()}
        pairs = [(name, column) for name, columns in requires.items() for column in columns]
        row = conn.execute(
            (RELATIONS + LOOK).encode(),
            {
                "requires": list(requires),
                "owners": [name for name, _ in pairs],
                "columns": [column for _, column in pairs],
                "forbids": [_plain(name) for name in plan.preflight.forbids],
                "alters": list(plan.alters),
            },
        ).fetchone()
        assert row is not None
        self.missing: list[str] = row[0] or []
        self.missing_columns: list[str] = row[1] or []
        self.forbidden: list[str] = row[2] or []
        self.not_owned: list[str] = row[3] or []
        self.relations: int = row[4]
        self.may_create: bool = row[5]
        self.standby: bool = row[6]
        self.role: str = row[7]
        self.unfinished: bool = row[8]
        self.starts_empty = plan.starts_empty

    def foreign(self) -> str | None:
        """Why the plan does not belong to this database, or None."""
        if self.unfinished:
            return f"{UNFINISHED}: run `harness baseline` again"
        if self.relations == 0 and not self.starts_empty:
            return "the database is empty"
        if self.forbidden:
            return f"no ledger, but these are there already: {_few(self.forbidden)}"
        if self.missing:
            return f"these relations are missing: {_few(self.missing)}"
        if self.missing_columns:
            return f"these columns are missing: {_few(self.missing_columns)}"
        return None


def _plain(name: str) -> str:
    """A qualified name without its quotes, as the catalog query spells it."""
    return name.replace('"', "")


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def refuse_unfit(conn: Connection, plan: Plan) -> None:
    """Refuse, before anything is changed, a database on which the plan could not run through."""
    facts = StartFacts(conn, plan)
    refuse_standby(facts)
    reason = facts.foreign()
    if reason:
        raise Refused(
            f"not a database for plan {plan.name!r}: {reason}",
            hint="run `harness baseline` for an empty one, or name the right database",
        )
    refuse_without_rights(facts)
    keys.refuse_unreachable(conn, plan)


def refuse_standby(facts: StartFacts) -> None:
    """Refuse a server on which nothing can be written."""
    if facts.standby:
        raise Refused("the server is a standby", hint="give the primary's address")


def refuse_without_rights(facts: StartFacts) -> None:
    """Refuse a standby, and a role that may not make the ledger or alter the plan's tables."""
    refuse_standby(facts)
    if not facts.may_create:
        raise Refused(
            f"role {facts.role} may not create schemas in this database",
            hint="run as the owner of the database, or be granted CREATE on it",
        )
    if facts.not_owned:
        raise Refused(
            f"role {facts.role} does not own {_few(facts.not_owned)}",
            hint="run as the owner of the tables",
        )
