"""A copy on a server of our own, under the database's own name: nothing there is anybody else's."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.core.errors import HarnessError
from harness.database import admin
from harness.database.creation import Making, create, making
from harness.database.surroundings import Surroundings, surround, surroundings
from harness.database.template0 import Furniture, furnish, furniture
from harness.scenario.dry_run import copying
from harness.scenario.dry_run.neighbours import make_neighbours
from harness.server import Server, choose
from harness.server.dsn import fields, replaced

PROVIDERS: Final = ("container", "embedded", "system")
_EXTENSIONS: Final = "SELECT extname FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'"
_MISSING: Final = """
SELECT name FROM unnest(%s::text[]) AS wanted (name)
WHERE name NOT IN (SELECT name FROM pg_catalog.pg_available_extensions) ORDER BY 1
"""


@dataclass(frozen=True)
class Original:
    """What the copy has to be like."""

    name: str
    version: int
    role: str
    made: Making
    around: Surroundings
    has: Furniture
    extensions: tuple[str, ...]


@dataclass(frozen=True)
class Copy:
    """Where the copy is, and what of the original's surroundings it does not have."""

    dsn: str
    server: str
    lacks: tuple[str, ...]
    passed_over: tuple[str, ...]


class NoServerError(Exception):
    """No server of our own can hold a copy; why not, of each."""


def copy_elsewhere(stack: ExitStack, dsn: str, provider: str, text: str) -> Copy:
    """Restore a dump of the named database on a server of our own of the same version.

    With its roles, tablespaces and the databases that `text` names. The first server that has what
    it takes is taken; NoServerError says why there is none.
    """
    original = _original(dsn)
    asked = PROVIDERS if provider in ("auto", "existing") else (provider,)
    reasons: list[str] = []
    for one in asked:
        with ExitStack() as attempt:
            try:
                server = choose(one, version=original.version)
                attempt.callback(server.close)
                server.start()
                lacks = _furnished(server, dsn, original, text)
                copying.copy(dsn, server.dsn(original.name))
            except (HarnessError, psycopg.Error, copying.NotRestoredError) as error:
                if isinstance(error, HarnessError) and "pg_dump" in error.message:
                    raise  # no other server would help
                reasons.append(f"{one}: {' '.join(str(error).split())}")
                continue
            stack.push(attempt.pop_all().__exit__)
            what = f"{server.provider} {server.version}"
            return Copy(_as_role(server, original), what, lacks, tuple(reasons))
    raise NoServerError("; ".join(reasons))


def _original(dsn: str) -> Original:
    with admin.connection(dsn) as conn:
        name = conn.info.dbname
        role: Any = conn.execute("select current_user::text").fetchone()
        return Original(
            name=name,
            version=conn.info.server_version // 10_000,
            role=role[0],
            made=making(conn, name),
            around=surroundings(conn, name),
            has=furniture(conn),
            extensions=tuple(one for (one,) in conn.execute(_EXTENSIONS).fetchall()),
        )


def _furnished(server: Server, dsn: str, original: Original, text: str) -> tuple[str, ...]:
    """Everything but what is in the database; what could not be had of its surroundings."""
    with admin.connection(dsn) as there, admin.connection(_beside(server, original.name)) as here:
        _refuse_missing(here, original)
        make_neighbours(there, here, text)
        _free(here, original.name)
        create(here, original.name, original.made, _tablespace(original))
        lacks = surround(here, original.name, original.around, limits=True)
        if original.role != here.info.user:
            login = sql.SQL("alter role {} login connection limit -1 password {}")
            here.execute(login.format(sql.Identifier(original.role), _password(server)))
    with admin.connection(server.dsn(original.name)) as conn:
        admin.writable(conn)
        furnish(conn, original.has)
    return lacks


def _refuse_missing(here: psycopg.Connection[Any], original: Original) -> None:
    missing = [name for (name,) in here.execute(_MISSING, [list(original.extensions)]).fetchall()]
    if missing:
        raise HarnessError(
            f"it has no extension {', '.join(missing)}", hint="try --server system or container"
        )


def _beside(server: Server, name: str) -> str:
    return server.dsn("template1" if name == "postgres" else "postgres")


def _free(here: psycopg.Connection[Any], name: str) -> None:
    """Our new server may have a database of that name: postgres, template1."""
    if here.execute("select from pg_database where datname = %s", [name]).fetchone():
        database = sql.Identifier(name)
        here.execute(sql.SQL("alter database {} is_template false").format(database))
        here.execute(sql.SQL("drop database {} with (force)").format(database))


def _tablespace(original: Original) -> str | None:
    name = original.around.tablespace
    return None if name.startswith("pg_") else name


def _password(server: Server) -> str:
    return str(fields(server.dsn()).get("password", ""))


def _as_role(server: Server, original: Original) -> str:
    """The copy, as the role that the original was named with: what it may not, fails here too."""
    return replaced(server.dsn(original.name), user=original.role)
