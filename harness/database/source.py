"""What a database is before a migration, as far as a verdict speaks of it: its objects and rights,
its encoding and collation, and the server's major version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.database import admin, fingerprint
from harness.database.catalog import OUR_SCHEMAS
from harness.database.fingerprint.model import Objects

PARTS: Final = ("catalog", "security")
OWNER: Final = "(owner)"
_NO_PATH: Final = "set search_path = pg_catalog"
_TABLES: Final = """
select format('%%I.%%I', n.nspname, c.relname), greatest(c.reltuples, 0)::bigint
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema' and not n.nspname = any (%(apart)s)
order by 1
"""
TOGETHER: Final = "all tables together"


@dataclass(frozen=True)
class Source:
    """`objects`: catalog and security, object by object; an owner is (owner), whoever it is."""

    postgres: int
    objects: Mapping[str, Objects]

    def document(self) -> dict[str, Any]:
        """As a verdict carries it."""
        return {
            "postgres": self.postgres,
            "objects": {part: dict(sorted(self.objects[part].items())) for part in PARTS},
        }


def parse(document: Mapping[str, Any]) -> Source:
    """What `document` gave; ValueError when it is something else."""
    try:
        objects = {part: dict(document["objects"][part]) for part in PARTS}
        for listing in objects.values():
            for attributes in listing.values():
                json.loads(attributes)
        return Source(int(document["postgres"]), objects)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it lacks {error}") from None


def take(dsn: str) -> Source:
    """The source behind a DSN, as it stands now; no row is read."""
    found = fingerprint.take(dsn, data=False)
    return Source(found.server_version // 10_000, _named(found.objects))


def crowded(
    dsn: str, limits: Mapping[str, int], limit: int, apart: tuple[str, ...] = OUR_SCHEMAS
) -> dict[str, int]:
    """The tables with more rows than their limit, and how many: at least, or by the statistics.

    A table without a limit of its own, and all tables together, may have `limit` rows.
    """
    with admin.connection(dsn) as conn:
        conn.execute(_NO_PATH)
        tables = conn.execute(_TABLES, {"apart": list(apart)}).fetchall()
        rows, found = 0, {}
        for name, estimate in tables:
            most = limits.get(name, limit)
            here = estimate if estimate > most else _counted(conn, name, most)
            rows += here
            if here > most:
                found[name] = here
    return found or ({TOGETHER: rows} if rows > limit else {})


def _counted(conn: Any, name: str, limit: int) -> int:
    # the name is quoted by the server; no more rows are read than the answer needs
    row = conn.execute(
        f"select count(*) from (select from {name} limit %s) counted",  # noqa: S608
        [limit + 1],
    ).fetchone()
    return int(row[0])


def _named(objects: Mapping[str, Objects]) -> dict[str, dict[str, str]]:
    """Owners become (owner): who owns a database in production is not who judged it."""
    owners = {json.loads(text).get("owner") for text in objects["security"].values()}
    named: dict[str, dict[str, str]] = {"catalog": dict(objects["catalog"]), "security": {}}
    for name, text in objects["security"].items():
        attributes = json.loads(text)
        owner = attributes.get("owner")
        if name.startswith("default privileges of "):
            owner = next((one for one in owners if one and name.startswith(_of(one))), None)
            name = name.replace(_of(owner), _of(OWNER), 1) if owner else name
        named["security"][name] = json.dumps(_impersonal(attributes, owner), sort_keys=True)
    return named


def _of(role: str) -> str:
    return f"default privileges of {role} "


def _impersonal(attributes: dict[str, Any], owner: str | None) -> dict[str, Any]:
    if owner is None:
        return attributes
    rest = {name: value for name, value in attributes.items() if name not in ("owner", "acl")}
    if "privileges" in rest:
        rest["privileges"] = sorted(
            _renamed(granted, owner) for granted in attributes["privileges"]
        )
    return rest


def _renamed(granted: str, owner: str) -> str:
    if granted.startswith(f"{owner}: "):
        granted = OWNER + granted.removeprefix(owner)
    if granted.endswith(f" (by {owner})"):
        granted = granted.removesuffix(f" (by {owner})") + f" (by {OWNER})"
    return granted
