"""Who may do what after a revision that might not before, and what it left half made."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from harness.core.finding import Finding
from harness.database.fingerprint.model import Fingerprint

ANONYMOUS: Final = ("anon", "anonymous", "web_anon")
"""What the role of those who have not logged in is often called."""
_EVERYONE: Final = "PUBLIC"
_TABLES: Final = ("table ", "view ", "materialized view ", "foreign table ", "sequence ", "schema ")


def find_rights(
    before: Fingerprint, after: Fingerprint, where: str, anonymous: Collection[str]
) -> list[Finding]:
    """The findings of what differs between the catalogs before and after a revision."""
    found = [
        *_unguarded_tables(before, after, where),
        *_granted(before, after, where, {_EVERYONE, *anonymous}),
        *_open_definers(before, after, where),
        *_invalid_indexes(before, after, where),
    ]
    return sorted(found, key=lambda one: (one.id, one.message))


def _unguarded_tables(before: Fingerprint, after: Fingerprint, where: str) -> Iterator[Finding]:
    """New tables without row security in a schema where most tables that were there have it."""
    guarded: dict[str, list[bool]] = {}
    for name, told in _kind(before, "security", "table "):
        guarded.setdefault(_schema(name), []).append(bool(told["row_security"]))
    for name, told in _kind(after, "security", "table "):
        neighbours = guarded.get(_schema(name), [])
        new = f"table {name}" not in before.objects["security"]
        if new and not told["row_security"] and sum(neighbours) * 2 > len(neighbours):
            yield Finding(
                "revision.row_security_missing", "warning", where,
                f"{name} has no row security, and {sum(neighbours)} of {len(neighbours)} tables"
                " beside it have",
                "ALTER TABLE … ENABLE ROW LEVEL SECURITY, with its policies, in the same revision",
            )  # fmt: skip


def _granted(
    before: Fingerprint, after: Fingerprint, where: str, wanted: Collection[str]
) -> Iterator[Finding]:
    old = before.objects["security"]
    for name, text in after.objects["security"].items():
        if not name.startswith(_TABLES):
            continue
        was = json.loads(old[name]).get("privileges") or [] if name in old else []
        now = json.loads(text).get("privileges") or []
        for privilege in sorted(set(now) - set(was)):
            grantee = privilege.partition(":")[0]
            if grantee in wanted:
                who = "everybody" if grantee == _EVERYONE else f"{grantee}, who has not logged in,"
                yield Finding(
                    "revision.grants_everybody", "warning", where,
                    f"{who} gets rights on {name} that were not there before",
                    "grant them to the role that needs them", privilege,
                )  # fmt: skip


def _open_definers(before: Fingerprint, after: Fingerprint, where: str) -> Iterator[Finding]:
    for kind in ("function ", "procedure "):
        for name, told in _kind(after, "security", kind):
            full = f"{kind}{name}"
            if (
                not told.get("security_definer")
                or before.objects["security"].get(full) == after.objects["security"][full]
            ):
                continue
            config = json.loads(after.objects["catalog"].get(full, "{}")).get("config") or []
            if not any(str(one).startswith("search_path=") for one in config):
                yield Finding(
                    "revision.definer_search_path", "warning", where,
                    f"{name} runs with its owner's rights, and finds names as its caller does",
                    "add SET search_path = '' to it, and write every name with its schema",
                )  # fmt: skip


def _invalid_indexes(before: Fingerprint, after: Fingerprint, where: str) -> Iterator[Finding]:
    old = {name for name, told in _kind(before, "catalog", "index ") if not told["valid"]}
    for name, told in _kind(after, "catalog", "index "):
        if not told["valid"] and name not in old and told.get("parent") is None:
            yield Finding(
                "revision.invalid_index", "critical", where, f"leaves the index {name} invalid",
                "drop it and build it again; an invalid index is kept up and never used",
            )  # fmt: skip


def _kind(found: Fingerprint, part: str, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, text in found.objects[part].items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), json.loads(text)


def _schema(name: str) -> str:
    return name.partition(".")[0]
