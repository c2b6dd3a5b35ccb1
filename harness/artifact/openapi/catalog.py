"""What a schema's catalog says of the API that PostgREST makes of it, for one role."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

_RELATIONS: Final = Path(__file__).with_name("relations.sql").read_text("utf-8")
_FUNCTIONS: Final = Path(__file__).with_name("functions.sql").read_text("utf-8")
NOT_NULL_TAG: Final = re.compile(r"^\s*@notNull\s*$", re.MULTILINE)
"""A line of a column's comment: the column of a view never is null, which the catalog cannot say.

It is the smart tag that PostGraphile reads for the same purpose.
"""


@dataclass(frozen=True)
class ApiColumn:
    """A column as the API shows it."""

    name: str
    type: str
    nullable: bool
    default: str | None = None
    longest: int | None = None
    labels: Sequence[str] = ()
    description: str | None = None
    generated: bool = False

    @property
    def required(self) -> bool:
        """Whether the description calls it required: by the catalog, or by a published tag."""
        return not self.nullable or bool(NOT_NULL_TAG.search(self.description or ""))


@dataclass(frozen=True)
class ApiRelation:
    """A table or view as the API shows it: a path, and a definition."""

    name: str
    description: str | None
    kind: str
    writable: bool
    key: Sequence[str]
    columns: Sequence[ApiColumn]


@dataclass(frozen=True)
class ApiFunction:
    """A function that the API calls: its parameters as (name, type, required)."""

    name: str
    description: str | None
    writes: bool
    parameters: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True)
class ApiSchema:
    """Everything that a role sees of a schema through the API."""

    schema: str
    role: str
    relations: Sequence[ApiRelation]
    functions: Sequence[ApiFunction]


def read_api(conn: psycopg.Connection[Any], schema: str, role: str) -> ApiSchema:
    """What the role sees of the schema; types outside of pg_catalog bear their schema's name."""
    with conn.transaction():
        conn.execute("select pg_catalog.set_config('search_path', '', true)")
        return _read(conn, schema, role)


def _read(conn: psycopg.Connection[Any], schema: str, role: str) -> ApiSchema:
    asked = {"schema": schema, "role": role}
    relations = [
        ApiRelation(
            name, description, kind, writable, tuple(key),
            tuple(ApiColumn(**{**one, "labels": tuple(one["labels"] or ())}) for one in columns),
        )
        for name, description, kind, writable, key, columns in conn.execute(
            _RELATIONS.encode(), asked
        ).fetchall()
    ]  # fmt: skip
    functions: dict[str, ApiFunction] = {}
    for name, description, writes, parameters in conn.execute(_FUNCTIONS.encode(), asked):
        told = tuple((one["name"], one["type"], one["required"]) for one in parameters)
        functions.setdefault(name, ApiFunction(name, description, writes, told))
    return ApiSchema(schema, role, tuple(relations), tuple(functions.values()))
