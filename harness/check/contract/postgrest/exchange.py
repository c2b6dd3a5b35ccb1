"""A request sent as a role, in a transaction that is always taken back, and what was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.check.contract.postgrest.provider import column_types, read_body
from harness.check.contract.postgrest.request import ApiRequest, word_request
from harness.check.contract.session import CONNECTED, Actor

Connection = psycopg.Connection[Any]
BAD_HEADERS: Final = "PGRST111"
"""PostgREST's own code for a `response.headers` that is no list of objects with one text each."""


@dataclass(frozen=True)
class ApiResponse:
    """An answer: the rows as names and values, how many, headers; or the error's SQLSTATE."""

    rows: Sequence[Sequence[tuple[str, Any]]] = ()
    page: int = 0
    total: int | None = None
    headers: Sequence[tuple[str, str]] = ()
    sqlstate: str = ""
    message: str = ""

    @property
    def told(self) -> str:
        """In a few words: how many rows, or the error."""
        return f"{self.sqlstate} ({self.message})" if self.sqlstate else f"{self.page} rows"


@dataclass(frozen=True)
class ApiSession:
    """What the API makes of a connection: a pre-request function, in the schema that is shown."""

    conn: Connection
    schema: str
    pre_request: str | None = None
    types: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def send(self, request: ApiRequest, actor: Actor) -> ApiResponse:
        """Send a request; nothing of it stays, sequences aside."""
        types = self._types(request)
        query, params = word_request(request, types)
        try:
            with self.conn.transaction(force_rollback=True):
                self._prepare(request, actor)
                row: Any = self.conn.execute(query.encode(), params).fetchone()
        except psycopg.Error as error:
            said = " ".join(str(error.diag.message_primary or error).split())
            return ApiResponse(sqlstate=error.sqlstate or "?????", message=said)
        total = int(row[0]) if row[0] not in (None, "") else None
        rows = read_body(row[2])
        try:
            headers = read_headers(row[3])
        except ValueError as error:
            return ApiResponse(sqlstate=BAD_HEADERS, message=str(error))
        return ApiResponse(rows, row[1], total, headers)

    def _prepare(self, request: ApiRequest, actor: Actor) -> None:
        settings = {
            "search_path": sql.Identifier(self.schema).as_string(self.conn),
            **({"transaction_read_only": "on"} if request.method == "GET" else {}),
            **actor.claims,
            **({"role": actor.role} if actor.role != CONNECTED else {}),
            "request.method": request.method,
            "request.path": request.path,
            "request.headers": json.dumps({"accept": "application/json"}),
            "request.cookies": "{}",
        }
        calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
        flat = [word for pair in settings.items() for word in pair]
        self.conn.execute(f"select {calls}".encode(), flat)
        if self.pre_request is not None:
            called = sql.Identifier(*self.pre_request.split("."))
            self.conn.execute(sql.SQL("select {}()").format(called))

    def _types(self, request: ApiRequest) -> Mapping[str, str]:
        if not request.body:
            return {}
        if request.relation not in self.types:
            name = sql.Identifier(request.schema, request.relation).as_string(self.conn)
            self.types[request.relation] = column_types(self.conn, name)
        return self.types[request.relation]


def read_headers(text: str | None) -> tuple[tuple[str, str], ...]:
    """The headers of `response.headers`, as PostgREST reads them.

    Raises ValueError for what it refuses: a text that is not a list of objects with one text each.
    """
    if not text:
        return ()
    try:
        told = json.loads(text)
    except ValueError:
        raise ValueError(f"response.headers is not JSON: {text[:80]!r}") from None
    single = isinstance(told, list) and all(
        isinstance(one, dict) and len(one) == 1 and isinstance(next(iter(one.values())), str)
        for one in told
    )
    if not single:
        raise ValueError(f"response.headers is no list of objects with one text: {text[:80]!r}")
    return tuple(next(iter(one.items())) for one in told)
