"""The second witness: what pg_dump says of a database, in a form in which two can be compared.

It shares no query with the fingerprint. Its entries are compared as sets, rows of a table too, for
neither the order of equal-ranking objects nor that of rows is part of a database's identity.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from harness.core.errors import InfrastructureError
from harness.database import admin
from harness.database import dump as client
from harness.database.catalog import MAINTENANCE_SCHEMA, OUR_SCHEMAS

Dump: TypeAlias = Mapping[str, str]
"""Entry (type, schema, name) -> its statements or rows."""

_HEADER: Final = re.compile(
    r"^-- (?:Data for )?Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: (?P<schema>[^;]*)"
)
_VOLATILE: Final = re.compile(
    r"^(?:--"  # the frame of a header
    r"|-- (?:Name|Data for Name|TOC entry|Dependencies|Dumped|PostgreSQL database dump).*"
    r"|\\(?:un)?restrict .*"  # a random token
    # said again when the order differs
    r"|SET default_table(?:space = ''|_access_method = heap);)$"
)


def dump(
    dsn: str, *, exclude_schemas: Sequence[str] = OUR_SCHEMAS, pg_dump: Path | None = None
) -> Dump:
    """Everything that pg_dump writes about a database, by entry."""
    with admin.connection(dsn) as conn:
        version = conn.info.server_version // 10_000
    # The same text for the same rows, whatever the database's settings and encoding.
    told = {"PGTZ": "UTC", "PGCLIENTENCODING": "UTF8"}
    asked = client.program("pg_dump", version, dsn, path=pg_dump, **told)
    status, written, said = asked.run(*(f"--exclude-schema={schema}" for schema in exclude_schemas))
    if status != 0:
        raise InfrastructureError(
            f"pg_dump failed: {said}", hint="remove the cause, then compare again"
        )
    return parse(written.decode())


def parse(text: str) -> Dump:
    """Split a plain dump into entries; the lines of a COPY are sorted.

    Maintenance mode's trigger is no part of a database's identity.
    """
    entries: dict[str, list[str]] = {}
    entry = entries.setdefault("(settings)", [])
    for line in _in_order(text.split("\n")):
        header = _HEADER.match(line)
        if header:
            name = f"{header['type']} {header['schema']}.{header['name']}"
            entry = entries.setdefault(name, [])
        elif not _VOLATILE.match(line):
            entry.append(line)
    texts = {name: "\n".join(lines).strip() for name, lines in sorted(entries.items())}
    return {name: text for name, text in texts.items() if text and not _is_passing(name)}


def _is_passing(name: str) -> bool:
    return name.startswith("TRIGGER ") and name.endswith(f" {MAINTENANCE_SCHEMA}")


def differences(before: Dump, after: Dump) -> tuple[str, ...]:
    """One line per entry that differs, with its first differing lines."""
    return tuple(
        f"{name}: {_first_lines(before.get(name, ''), after.get(name, ''))}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def _in_order(lines: Sequence[str]) -> Iterator[str]:
    rows: list[str] | None = None
    for line in lines:
        if rows is None:
            yield line
            if line.startswith("COPY ") and line.endswith(" FROM stdin;"):
                rows = []
        elif line == "\\.":
            yield from sorted(rows)
            yield line
            rows = None
        else:
            rows.append(line)


def _first_lines(before: str, after: str, limit: int = 4) -> str:
    changed = [
        line
        for line in difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    more = f" … {len(changed) - limit} more" if len(changed) > limit else ""
    return " | ".join(changed[:limit]) + more
