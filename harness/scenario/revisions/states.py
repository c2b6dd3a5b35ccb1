"""Whether two databases are the same, and if not, in which classes they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.database import fingerprint
from harness.database.fingerprint.comparison import compare
from harness.database.fingerprint.model import Difference, Fingerprint
from harness.scenario.revisions.classes import (
    DATA,
    UNSHARED,
    absent_objects,
    class_of,
    reordered,
    sort_classes,
)
from harness.scenario.revisions.digests import column_digests, differing_columns

_SHOWN: Final = 5


@dataclass(frozen=True)
class DatabaseState:
    """A database at a moment: where it can be asked, and its fingerprint."""

    dsn: str
    found: Fingerprint


@dataclass(frozen=True)
class Unlike:
    """How two states differ: the classes, worst first, and the differences in words."""

    classes: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    by_class: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def listed(self) -> str:
        """The first differences, for a message."""
        more = len(self.differences) - _SHOWN
        return "; ".join(self.differences[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def read_state(dsn: str, without: Sequence[str]) -> DatabaseState:
    """The state of a database, without the tables of the tool's account."""
    return DatabaseState(dsn, fingerprint.take(dsn, workers=1, exclude=without))


def unlike(
    before: DatabaseState, after: DatabaseState, unshared: Mapping[str, frozenset[str]]
) -> Unlike:
    """How the later state differs; `unshared` has the columns that no two runs share, by table.

    Rights that are written out and those that go without saying are the same where they are alike.
    """
    differences = [one for one in compare(before.found, after.found) if one.attribute != "acl"]
    absent = absent_objects(differences)
    rows = _RowDifferences(before, after, reordered(differences), unshared)
    sorted_out: dict[str, list[str]] = {}
    for one in differences:
        if one.kind in ("data", "sequences") and one.attribute == "presence":
            kind, text = rows.of_presence(one)
        elif one.attribute == "contents":
            kind, text = rows.of_contents(one)
        else:
            kind, text = class_of(one, absent), str(one)
        if kind:
            sorted_out.setdefault(kind, []).append(text)
    classes = tuple(sort_classes(sorted_out))
    listed = tuple(text for name in classes for text in sorted_out[name])
    return Unlike(classes, listed, {name: tuple(texts) for name, texts in sorted_out.items()})


@dataclass(frozen=True)
class _RowDifferences:
    """What a difference of rows comes to; a class of nothing is no difference of its own."""

    before: DatabaseState
    after: DatabaseState
    moved: frozenset[str]
    unshared: Mapping[str, frozenset[str]]

    def of_presence(self, one: Difference) -> tuple[str, str]:
        """A table that is gone with its rows; what else is there or not, the catalog names."""
        had = self.before.found.relations.get(one.object.removeprefix("table "))
        lost = had is not None and one.after == "absent" and had["rows"] > 0
        return (
            (DATA, f"data: {one.object}: its {had['rows']} rows are gone")
            if lost and had
            else ("", "")
        )

    def of_contents(self, one: Difference) -> tuple[str, str]:
        """Other values, by column; not where the columns' order alone makes the rows others."""
        table = one.object.removeprefix("table ")
        was = column_digests(self.before.dsn, table)
        is_now = column_digests(self.after.dsn, table)
        own = self.unshared.get(table, frozenset())
        differing = differing_columns(was, is_now) - own
        if differing:
            return DATA, f"data: {one.object}: other values in {', '.join(sorted(differing))}"
        if own:
            return UNSHARED, f"data: {one.object}: no two runs share {', '.join(sorted(own))}"
        if table in self.moved and was.get("*") == is_now.get("*"):
            return "", ""
        return DATA, f"data: {one.object}: the same values in other rows"


def unshared_columns(one: DatabaseState, other: DatabaseState) -> dict[str, frozenset[str]]:
    """Columns whose values two undisturbed runs do not share, by table."""
    tables = one.found.relations.keys() & other.found.relations.keys()
    differing = [
        name for name in tables if one.found.relations[name] != other.found.relations[name]
    ]
    found = {
        name: differing_columns(column_digests(one.dsn, name), column_digests(other.dsn, name))
        for name in sorted(differing)
    }
    return {name: columns for name, columns in found.items() if columns}


def lost_rows(before: DatabaseState, after: DatabaseState) -> dict[str, int]:
    """How many rows each table has fewer than before; all of them where it is gone."""
    lost = {}
    for name, had in before.found.relations.items():
        has = after.found.relations.get(name, {"rows": 0, "digest": ""})
        if has["rows"] < had["rows"]:
            lost[name] = had["rows"] - has["rows"]
    return lost
