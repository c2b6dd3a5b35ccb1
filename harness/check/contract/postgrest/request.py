"""A request of a REST client: its SQL as PostgREST sends it, and the answer read back.

The shape is that of PostgREST 12 to 14: `Query/QueryBuilder.hs`, `Query/PreQuery.hs`.
"""

# ruff: noqa: S608 - names are quoted, values are parameters

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from harness.check.contract.postgrest.envelope import json_rows, quote_name, wrap_read, wrap_write

Method = Literal["GET", "POST", "PATCH", "DELETE"]
METHODS: Final[tuple[Method, ...]] = ("GET", "POST", "PATCH", "DELETE")
OPERATORS: Final = {
    "eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=",
    "like": "like", "ilike": "ilike", "is": "IS", "not.is": "IS NOT",
}  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """A condition of the query string, such as `stage=eq.won`; the value None is null."""

    column: str
    operator: str
    value: str | None


@dataclass(frozen=True)
class Embedding:
    """Rows of another relation inside of each row: one of them, or with `many` a list."""

    relation: str
    column: str
    foreign: str
    many: bool = False


@dataclass(frozen=True)
class ApiRequest:
    """A request for a relation. `merge`: columns of on_conflict, whose rows are merged."""

    method: Method
    relation: str
    schema: str
    select: Sequence[str] = ()
    filters: Sequence[Filter] = ()
    body: Sequence[Mapping[str, Any]] = ()
    order: Sequence[str] = ()
    limit: int | None = None
    offset: int = 0
    count: bool = False
    merge: Sequence[str] = ()
    embeddings: Sequence[Embedding] = ()

    @property
    def path(self) -> str:
        """The path of the URL."""
        return f"/{self.relation}"

    def __str__(self) -> str:
        """As a person writes it: method, path, query string, keys of the body."""
        parts = []
        if self.select:
            parts.append(f"select={','.join(self.select)}")
        parts += [f"{one.column}={one.operator}.{one.value}" for one in self.filters]
        if self.merge:
            parts.append(f"on_conflict={','.join(self.merge)}")
        if self.limit is not None:
            parts.append(f"limit={self.limit}")
        query = f"?{'&'.join(parts)}" if parts else ""
        keys = f" {{{', '.join(self.columns)}}}" if self.body else ""
        return f"{self.method} {self.path}{query}{keys}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the body names, each once."""
        return tuple(dict.fromkeys(name for row in self.body for name in row))


@dataclass
class Wording:
    """The SQL of a request in the making: its parameters by name."""

    params: dict[str, Any] = field(default_factory=dict)

    def place(self, value: Any) -> str:
        """A place for a value."""
        name = f"v{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"


def word_request(request: ApiRequest, types: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The main query of a request, and its parameters; `types` are those of the relation's columns.

    A column that is not among them goes as text, and the server says that it is not there.
    """
    wording = Wording()
    if request.method == "GET":
        query = _read(request, wording)
        return wrap_read(query, _counted(request, wording)), wording.params
    written = _written(request, wording, types)
    return wrap_write(written, represented=True), wording.params


def _read(request: ApiRequest, wording: Wording) -> str:
    own = _own(request)
    selected = [f"{own}.{quote_name(name)}" for name in request.select] or [f"{own}.*"]
    joins = []
    for number, one in enumerate(request.embeddings):
        alias = quote_name(f"{request.relation}_{one.relation}_{number}"[:63])
        other = _qualified(request.schema, one.relation)
        inner = (
            f"SELECT {other}.* FROM {other} WHERE {other}.{quote_name(one.foreign)}"
            f" = {own}.{quote_name(one.column)}"
        )
        if one.many:
            inner = f"SELECT json_agg({alias})::jsonb AS {alias} FROM ({inner} ) AS {alias}"
            value = f"COALESCE( {alias}.{alias}, '[]')"
        else:
            value = f"row_to_json({alias}.*)::jsonb"
        selected.append(f"{value} AS {quote_name(one.relation)}")
        joins.append(f" LEFT JOIN LATERAL ( {inner} ) AS {alias} ON TRUE")
    order = ", ".join(f"{own}.{quote_name(name)}" for name in request.order)
    limit = f" LIMIT {wording.place(request.limit)}::bigint" if request.limit is not None else ""
    return (
        f"SELECT {', '.join(selected)} FROM {own}{''.join(joins)}{_where(request, wording)}"
        f"{f' ORDER BY {order}' if order else ''}{limit}"
        f" OFFSET {wording.place(request.offset)}::bigint"
    )


def _counted(request: ApiRequest, wording: Wording) -> str:
    if not request.count:
        return ""
    return f"SELECT 1 FROM {_own(request)}{_where(request, wording)}"


def _written(request: ApiRequest, wording: Wording, types: Mapping[str, str]) -> str:
    own = _own(request)
    returning = f" RETURNING {own}.*"
    if request.method == "DELETE":
        return f"DELETE FROM {own}{_where(request, wording)}{returning}"
    single = len(request.body) == 1
    body = request.body[0] if single else list(request.body)
    place = wording.place(json.dumps(body, ensure_ascii=False))
    typed = {name: types.get(name, "text") for name in request.columns}
    rows = json_rows(typed, place, single=single)
    if request.method == "PATCH":
        values = ", ".join(f"{quote_name(n)} = pgrst_body.{quote_name(n)}" for n in typed)
        return f"UPDATE {own} SET {values} FROM {rows}{_where(request, wording)}{returning}"
    named = ", ".join(map(quote_name, typed))
    given = ", ".join(f"pgrst_body.{quote_name(name)}" for name in typed)
    merged = ""
    if request.merge:
        keys = ", ".join(map(quote_name, request.merge))
        values = ", ".join(f"{quote_name(n)} = EXCLUDED.{quote_name(n)}" for n in typed)
        merged = f" ON CONFLICT({keys}) DO UPDATE SET {values}"
    return f"INSERT INTO {own}({named}) SELECT {given} FROM {rows}{merged}{returning}"


def _where(request: ApiRequest, wording: Wording) -> str:
    own = _own(request)
    terms = []
    for one in request.filters:
        left = f"{own}.{quote_name(one.column)}"
        operator = OPERATORS[one.operator]
        right = "NULL" if operator.startswith("IS") else wording.place(one.value)
        terms.append(f"{left} {operator} {right}")
    return f" WHERE {' AND '.join(terms)}" if terms else ""


def _own(request: ApiRequest) -> str:
    return _qualified(request.schema, request.relation)


def _qualified(schema: str, relation: str) -> str:
    return f"{quote_name(schema)}.{quote_name(relation)}"
