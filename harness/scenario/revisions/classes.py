"""How bad a difference is: eight classes, worst first; the last four alone are no failure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from harness.database.fingerprint.model import Difference

DATA: Final = "data"
PRIVILEGES: Final = "privileges"
OBJECTS: Final = "objects"
CONSTRAINTS: Final = "defaults and constraints"
COLUMN_ORDER: Final = "column order"
FUNCTION_TEXT: Final = "function text"
SEQUENCES_AHEAD: Final = "sequences ahead"
UNSHARED: Final = "unshared values"
CLASSES: Final = (
    DATA, PRIVILEGES, OBJECTS, CONSTRAINTS, COLUMN_ORDER, FUNCTION_TEXT, SEQUENCES_AHEAD, UNSHARED,
)  # fmt: skip
HARMLESS: Final = frozenset({COLUMN_ORDER, FUNCTION_TEXT, SEQUENCES_AHEAD, UNSHARED})
_OF_COLUMNS: Final = frozenset(
    {"default", "not_null", "identity", "generated", "type", "collation"}
)


def class_of(found: Difference, absent: frozenset[str] = frozenset()) -> str:
    """The class of a difference; `absent` are objects whose presence differs, named elsewhere."""
    if found.kind == "data":
        return DATA
    if found.kind == "sequences":
        return SEQUENCES_AHEAD if found.note == "ahead" else DATA
    if found.kind == "security":
        return OBJECTS if found.object in absent else PRIVILEGES
    return _class_of_catalog(found)


def _class_of_catalog(found: Difference) -> str:
    kind = found.object.split(" ", 1)[0]
    if kind == "constraint":
        return CONSTRAINTS
    if kind == "column" and found.attribute in _OF_COLUMNS:
        return CONSTRAINTS
    if kind in ("table", "view", "materialized") and found.attribute == "columns":
        return COLUMN_ORDER if _same_names(found) else OBJECTS
    if kind in ("function", "procedure") and found.attribute in ("body", "sql_body"):
        return FUNCTION_TEXT
    return OBJECTS


def _same_names(found: Difference) -> bool:
    try:
        return sorted(json.loads(found.before or "")) == sorted(json.loads(found.after or ""))
    except ValueError:
        return False


def reordered(differences: Iterable[Difference]) -> frozenset[str]:
    """The tables whose columns came back in another order and are otherwise the same."""
    return frozenset(
        one.object.partition(" ")[2]
        for one in differences
        if one.kind == "catalog" and one.attribute == "columns" and _same_names(one)
    )


def absent_objects(differences: Iterable[Difference]) -> frozenset[str]:
    """Objects of the catalog that one side lacks."""
    return frozenset(
        one.object for one in differences if one.kind == "catalog" and one.attribute == "presence"
    )


def sort_classes(found: Iterable[str]) -> Sequence[str]:
    """The classes, worst first, each once."""
    there = set(found)
    return [one for one in CLASSES if one in there]
