"""Which tables the barrier stands on and whom it stops: looked up, and refused where it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import Refused, UsageError
from harness.database.catalog import OUR_SCHEMAS
from harness.safety.maintenance.request import MaintenanceRequest
from harness.safety.maintenance.statements import Connection, statement

SHOWN = 5


@dataclass(frozen=True)
class GuardedTable:
    """A table of a user. `apart` is why the barrier does not stand on it, None where it does."""

    oid: int
    schema: str
    name: str
    owned: bool = True
    armed: bool = False
    apart: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def read_tables(conn: Connection, schemas: frozenset[str] | None) -> tuple[GuardedTable, ...]:
    """Every table of a user, in order."""
    parameters = {"schemas": None if schemas is None else sorted(schemas)}
    rows = conn.execute(statement("tables"), {**parameters, "ours": list(OUR_SCHEMAS)}).fetchall()
    return tuple(GuardedTable(*row) for row in rows)


def read_armed(conn: Connection) -> tuple[GuardedTable, ...]:
    """The tables that bear the barrier's trigger, whatever they are called by now."""
    rows = conn.execute(statement("armed")).fetchall()
    return tuple(GuardedTable(oid, schema, name, armed=True) for oid, schema, name in rows)


def refuse_roles(conn: Connection, roles: tuple[str, ...]) -> None:
    """Refuse roles that do not exist, and those that maintenance must not stop."""
    if not roles:
        raise UsageError(
            "no application role is named",
            hint="say roles.application in the project file, or [maintenance] roles in plan.toml",
        )
    rows = conn.execute(statement("roles"), {"roles": list(roles)}).fetchall()
    missing = [name for name, there, *_ in rows if not there]
    if missing:
        raise Refused(
            f"the application's role {missing[0]!r} does not exist on this server",
            hint="correct roles.application in the project file, or [maintenance] of plan.toml",
        )
    for name, _, superuser, _, ours in rows:
        if superuser or ours:
            why = "is a superuser" if superuser else "is the role that works here"
            raise Refused(
                f"the application's role {name!r} {why}, which maintenance does not stop",
                hint="let the application work as a role of its own",
            )


def refuse_tables(conn: Connection, request: MaintenanceRequest) -> tuple[GuardedTable, ...]:
    """The tables to guard; Refused when there is none, or one that this role may not guard."""
    tables = tuple(table for table in read_tables(conn, request.schemas) if table.apart is None)
    if not tables:
        where = "" if request.schemas is None else f" in {', '.join(sorted(request.schemas))}"
        raise Refused(
            f"the database has no table{where} to guard",
            hint="name the right database, or make the schema first",
        )
    foreign = [str(table) for table in tables if not table.owned]
    if foreign:
        more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
        raise Refused(
            f"this role does not own {', '.join(foreign[:SHOWN])}{more}",
            hint="run as the owner of the tables",
        )
    return tables


def read_uncovered(conn: Connection, request: MaintenanceRequest) -> tuple[str, ...]:
    """What the barrier does not stop, in words: what it cannot see, then what is there."""
    found = [
        "sequences: nextval and setval",
        "large objects",
        "materialized views: REFRESH",
        "roles other than the application's",
    ]
    heirs = conn.execute(statement("heirs"), {"roles": list(request.roles)}).fetchall()
    found += [f"role {name}, which has an application role's rights" for (name,) in heirs]
    for table in read_tables(conn, request.schemas):
        if table.apart is not None:
            found.append(f"{table.apart}: {table}")
        elif not table.armed:
            found.append(f"table made meanwhile, or not yet guarded: {table}")
    return tuple(found)
