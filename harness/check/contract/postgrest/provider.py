"""The contract's third client: what it asks goes to the server in the SQL that PostgREST sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg

from harness.check.contract.postgrest.spoken import BODY, JsonBody, Spoken, speak
from harness.check.contract.session import (
    Actor,
    Answer,
    AskFailedError,
    Masking,
    Mode,
    Psycopg,
    PsycopgSession,
    plain,
)

_TYPES = """
select a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
from pg_catalog.pg_attribute a
where a.attrelid = pg_catalog.to_regclass(%s) and a.attnum > 0 and not a.attisdropped
"""


class _Number(str):
    """A number as it is spelled in JSON, which no float would keep."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """A JSON object: names and values in their order, a name that comes twice included."""


class PostgrestSession(Masking):
    """Through psycopg, in PostgREST's SQL; what PostgREST has no request for is asked as it is."""

    def __init__(self, driver: PsycopgSession) -> None:
        super().__init__()
        self.driver = driver

    @contextmanager
    def acting(self, actor: Actor, mode: Mode) -> Iterator[None]:
        """As `ClientSession` promises."""
        with self.driver.acting(actor, mode):
            now: Any = self.driver.conn.execute("select now(), to_json(now()) #>> '{}'").fetchone()
            self.note(plain(now[0]), now[1])
            yield

    def ask(self, statement: str, params: dict[str, Any]) -> Answer:
        """As `ClientSession` promises."""
        spoken = _spoken(statement)
        if spoken is None:
            return self.driver.ask(statement, params)
        try:
            row = self._sent(spoken, params)
        except psycopg.Error as error:
            raise AskFailedError(error) from error
        if not spoken.represented:
            return Answer(count=row[1])
        rows = read_body(row[2])
        found = [tuple(self._spelled(value) for _, value in one) for one in rows]
        if not spoken.reads:
            found.sort(key=repr)  # the order of RETURNING is nobody's promise
        columns = tuple((name, 0) for name, _ in rows[0]) if rows else None
        return Answer(columns, tuple(found), row[1])

    def _sent(self, spoken: Spoken, params: dict[str, Any]) -> Any:
        conn = self.driver.conn
        types = self._types(spoken.body)
        if spoken.body is not None and types is not None:
            made: Any = conn.execute(spoken.body.query.encode(), params).fetchone()
            params = {**params, BODY: made[0]}
        return conn.execute(spoken.wrapped(types).encode(), params).fetchone()

    def _types(self, body: JsonBody | None) -> dict[str, str] | None:
        """The types of the body's columns; None where one is not there, and the server refuses."""
        if body is None:
            return None
        found = column_types(self.driver.conn, body.relation.replace("%%", "%"))
        return found if all(name in found for name in body.columns) else None

    def _spelled(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and not isinstance(value, _Number):
            return self.moments.get(value, spell_value(value))
        return spell_value(value)


def column_types(conn: psycopg.Connection[Any], relation: str) -> dict[str, str]:
    """The types of a relation's columns, by their names; `relation` is spelled as in SQL."""
    return dict(conn.execute(_TYPES, [relation]).fetchall())


def read_body(text: str) -> list[list[tuple[str, Any]]]:
    """The rows of a body, each its names and values in their order."""
    found: list[list[tuple[str, Any]]] = json.loads(
        text, object_pairs_hook=_Pairs, parse_float=_Number, parse_int=_Number
    )
    return found


def spell_value(value: Any) -> str:
    """A value of a body as JSON again, numbers digit for digit."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, _Pairs):
        inner = (f"{json.dumps(name)}: {spell_value(one)}" for name, one in value)
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(spell_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


class Postgrest:
    """The provider of sessions in PostgREST's SQL."""

    name = "postgrest"

    @contextmanager
    def session(self, dsn: str) -> Iterator[PostgrestSession]:
        """Connect."""
        with Psycopg().session(dsn) as driver:
            yield PostgrestSession(driver)


@cache
def _spoken(statement: str) -> Spoken | None:
    return speak(statement)
