"""Copy a database with pg_dump and pg_restore: for where it cannot be cloned on its server."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.database import admin
from harness.errors import HarnessError, InfrastructureError, Refused
from harness.server import find_client, mask

# What the programs must not meet by chance; a DSN goes through the environment, which others
# cannot read, and not over the command line.
_MAINTENANCE: Final = ("PGSERVICE", "PGOPTIONS", "PGDATABASE", "PGUSER", "PGPASSWORD")
_ROLES: Final = """
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls
FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL (%s)
"""
_MEMBERS: Final = """
SELECT r.rolname, m.rolname FROM pg_catalog.pg_auth_members AS a
JOIN pg_catalog.pg_roles AS r ON r.oid = a.roleid JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
"""


def copy(source: str, target: str) -> None:
    """Dump one database, reading only, and restore it into another, which is empty."""
    with admin.connection(source) as conn:
        version = conn.info.server_version // 10_000
    with tempfile.TemporaryDirectory(prefix="harness-dry-run-") as directory:
        file = Path(directory) / "dump"
        _client("pg_dump", version, source, "--format=custom", "--compress=0",
                "--no-subscriptions", f"--file={file}")  # fmt: skip
        _client("pg_restore", version, target, "--exit-on-error", "--dbname=", str(file))
    with admin.connection(target) as conn:
        conn.execute("vacuum (analyze)")  # a restored table has no statistics


def copy_roles(source: str, target: str) -> None:
    """Make the source server's roles on another server, without their passwords or logins."""
    with admin.connection(source) as there, admin.connection(target) as here:
        have = [name for (name,) in here.execute("select rolname from pg_roles").fetchall()]
        for name, *rights in there.execute(_ROLES, [have]).fetchall():
            words = ("superuser", "inherit", "createrole", "createdb", "bypassrls")
            options = " ".join(
                word if has else f"no{word}" for word, has in zip(words, rights, strict=True)
            )
            here.execute(
                sql.SQL("create role {} nologin {}").format(sql.Identifier(name), sql.SQL(options))
            )
        _memberships(there, here)


def _memberships(there: psycopg.Connection[Any], here: psycopg.Connection[Any]) -> None:
    for role, member in there.execute(_MEMBERS).fetchall():
        if not role.startswith("pg_") or not member.startswith("pg_"):
            here.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(member))
            )


def _client(name: str, version: int, dsn: str, *options: str) -> None:
    program = find_client(name, version)
    fields = psycopg.conninfo.conninfo_to_dict(dsn)
    told = [f"--dbname={_quoted(dsn)}" if one == "--dbname=" else one for one in options]
    if name == "pg_dump":
        told.append(f"--dbname={_quoted(dsn)}")
    env = {key: value for key, value in os.environ.items() if key not in _MAINTENANCE}
    if fields.get("password"):
        env["PGPASSWORD"] = str(fields["password"])
    done = subprocess.run(
        [str(program), "--no-password", *told],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise _failed(name, mask(" ".join(said[:3])))


def _failed(name: str, said: str) -> HarnessError:
    hint = "give --clone template when nobody is connected, or a role that may read and make all"
    if "permission denied" in said or "must be" in said:
        return Refused(f"the database cannot be copied: {name}: {said}", hint=hint)
    return InfrastructureError(f"the database cannot be copied: {name}: {said}", hint=hint)


def _quoted(dsn: str) -> str:
    """The connection string without its password, which goes through the environment."""
    fields = psycopg.conninfo.conninfo_to_dict(dsn)
    fields.pop("password", None)
    return psycopg.conninfo.make_conninfo(**fields)  # type: ignore[arg-type]
