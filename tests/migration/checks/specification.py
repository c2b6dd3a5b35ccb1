"""The specification as data: `target.toml` and the baseline's catalog file."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BASELINE = HERE.parents[2] / "fixtures" / "baseline_catalog.json"
LONG = {"varchar": "character varying", "timestamptz": "timestamp with time zone"}
NEW_TABLES = (
    "contact_organizations",
    "contact_preferred_principals",
    "opportunity_participants",
    "opportunity_products",
    "activities",
    "interaction_participants",
)


@cache
def target() -> dict[str, Any]:
    """The target as written in target.toml."""
    return tomllib.loads((HERE.parent / "target.toml").read_text("utf-8"))


@cache
def baseline() -> dict[str, Any]:
    """The baseline's catalog file."""
    data: dict[str, Any] = json.loads(BASELINE.read_text("utf-8"))
    return data


def old_columns(relation: str) -> list[str]:
    """Column names of a baseline table or view, in order."""
    data = baseline()
    found = data["tables"].get(relation) or data["views"][relation]
    return [column[0] for column in found["columns"]]


def old_declarations(relation: str) -> dict[str, str]:
    """Columns of a baseline table as declarations."""
    return {
        name: declaration(" ".join(rest).replace("identity by default", "identity"))
        for name, *rest in baseline()["tables"][relation]["columns"]
    }


def new_name(relation: str) -> str:
    """What a baseline relation is called after the migration."""
    return str(target()["renamed"].get(relation, relation))


def declarations() -> dict[str, dict[str, str]]:
    """Every base table of the target with its columns' declarations."""
    spec = target()
    tables = {new_name(name): old_declarations(name) for name in baseline()["tables"]}
    for name, columns in spec["gained"].items():
        tables[name] |= {key: declaration(text) for key, text in columns.items()}
    for name, lost in spec["lost"].items():
        for column in lost:
            del tables[name][column]
    for name in NEW_TABLES:
        columns = {**spec["common"], **spec["new"][name]}
        for column in spec["without"].get(name, []):
            del columns[column]
        tables[name] = {key: declaration(text) for key, text in columns.items()}
    return tables


def declaration(text: str) -> str:
    """A column's declaration in one spelling: long type names, no casts in the default."""
    for short, long in LONG.items():
        text = re.sub(rf"\b{short}\b", long, text)
    return re.sub(r"'::[a-z_][a-z_ ]*(\(\d+\))?", "'", text)
