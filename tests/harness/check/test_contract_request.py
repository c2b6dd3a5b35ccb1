"""Requests in PostgREST's SQL: filters, pages, counts, embeddings, upserts, headers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.check.contract.postgrest.exchange import BAD_HEADERS, ApiSession, read_headers
from harness.check.contract.postgrest.provider import spell_value
from harness.check.contract.postgrest.request import ApiRequest, Embedding, Filter
from harness.check.contract.session import CONNECTED, Actor
from harness.database import admin

NOBODY = Actor(CONNECTED, {"request.jwt.claims": '{"sub": "1"}'})
SCHEMA = """
create table "Odd ""%" (id int primary key, "a b" text);
create table items (id int primary key, odd int references "Odd ""%", made text[]);
insert into "Odd ""%" values (1, 'x'), (2, 'y'), (3, null);
insert into items values (7, 1, '{p}'), (8, 1, null);
create function said() returns void language plpgsql as $$
begin
    perform set_config('response.headers', json_build_array(json_build_object('X-Who',
        concat_ws(' ', current_setting('request.method'), current_setting('request.path'),
            current_setting('request.jwt.claims')::json ->> 'sub')))::text, true);
end $$;
"""
ODD = 'Odd "%'


@pytest.fixture
def session(harness_empty_database: str) -> Iterator[ApiSession]:
    with admin.connection(harness_empty_database) as conn:
        conn.execute(SCHEMA.encode())
        yield ApiSession(conn, "public")


def texts(session: ApiSession, request: ApiRequest) -> list[dict[str, str]]:
    answer = session.send(request, NOBODY)
    assert answer.sqlstate == "", answer.message
    return [{name: spell_value(value) for name, value in row} for row in answer.rows]


def test_page_is_filtered_ordered_and_counted(session: ApiSession) -> None:
    filled = Filter("a b", "not.is", None)
    request = ApiRequest(
        "GET",
        ODD,
        "public",
        select=["a b"],
        filters=[filled],
        order=["id"],
        limit=1,
        offset=1,
        count=True,
    )
    answer = session.send(request, NOBODY)
    assert (answer.page, answer.total, answer.rows) == (1, 2, [[("a b", "y")]])


def test_rows_of_others_are_embedded(session: ApiSession) -> None:
    (item, _) = texts(
        session, ApiRequest("GET", "items", "public", embeddings=[Embedding(ODD, "odd", "id")])
    )
    assert item[ODD] == '{"id": 1, "a b": "x"}'
    many = Embedding("items", "id", "odd", many=True)
    rows = texts(session, ApiRequest("GET", ODD, "public", order=["id"], embeddings=[many]))
    assert rows[0]["items"].count('"odd": 1') == 2
    assert rows[1]["items"] == "[]"


def test_writes_are_answered_and_taken_back(session: ApiSession) -> None:
    body: list[dict[str, Any]] = [{"id": 7, "made": ["q", "r"]}, {"id": 9, "odd": 2}]
    merged = texts(session, ApiRequest("POST", "items", "public", body=body, merge=["id"]))
    assert [row["id"] for row in merged] == ["7", "9"]
    changed = ApiRequest(
        "PATCH", ODD, "public", filters=[Filter("id", "gt", "1")], body=[{"a b": "50%"}]
    )
    assert [row["a b"] for row in texts(session, changed)] == ['"50%"', '"50%"']
    gone = ApiRequest("DELETE", "items", "public", filters=[Filter("made", "is", None)])
    assert [row["id"] for row in texts(session, gone)] == ["8"]
    assert len(texts(session, ApiRequest("GET", "items", "public"))) == 2


@pytest.mark.parametrize(
    ("request_", "state"),
    [
        (ApiRequest("POST", "items", "public", body=[{"id": 7}]), "23505"),
        (ApiRequest("PATCH", "items", "public", body=[{"nothing": 1}]), "42703"),
        (ApiRequest("GET", "nowhere", "public"), "42P01"),
    ],
    ids=str,
)
def test_refusal_is_its_sqlstate(session: ApiSession, request_: ApiRequest, state: str) -> None:
    assert session.send(request_, NOBODY).sqlstate == state


def test_function_before_the_request_sets_headers(session: ApiSession) -> None:
    asked = ApiSession(session.conn, "public", "public.said")
    answer = asked.send(ApiRequest("GET", "items", "public"), NOBODY)
    assert answer.headers == (("X-Who", "GET /items 1"),)
    assert session.send(ApiRequest("GET", "items", "public"), NOBODY).headers == ()


@pytest.mark.parametrize("text", ["no JSON", "{}", '[{"a": 1}]', '[{"a": "b", "c": "d"}]', "[1]"])
def test_headers_of_another_shape_are_refused(session: ApiSession, text: str) -> None:
    with pytest.raises(ValueError, match=r"response\.headers"):
        read_headers(text)
    actor = Actor(CONNECTED, {"response.headers": text})
    assert session.send(ApiRequest("GET", "items", "public"), actor).sqlstate == BAD_HEADERS


def test_session_goes_on_after_a_refusal(session: ApiSession) -> None:
    session.send(ApiRequest("GET", "nowhere", "public"), NOBODY)
    assert isinstance(session.conn, psycopg.Connection)
    assert len(texts(session, ApiRequest("GET", "items", "public"))) == 2
