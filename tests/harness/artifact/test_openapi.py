"""The API's description: valid, in PostgREST's shape, and what a second witness says of it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.artifact.openapi.catalog import read_api
from harness.artifact.openapi.description import describe_api
from harness.artifact.openapi.validity import list_faults
from harness.database import admin

SCHEMA = """
create schema shown;
create type shown.mood as enum ('sad', 'it''s "fine"');
create domain shown.percent as numeric(5, 2) not null default 1 check (value <= 100);
create domain shown.outer_percent as shown.percent;
create table shown."Odd /~%name" (
    id bigint generated always as identity, "a b/~" varchar(7) not null default 'x',
    moods shown.mood[], mood shown.mood, share shown.percent,
    deep shown.outer_percent, grid int[], doc jsonb,
    twice bigint generated always as (1 + 1) stored, primary key (id, "a b/~")
);
create view shown.simple as select * from shown."Odd /~%name";
create view shown.joined as select a.id from shown.simple a, shown.simple b;
create table shown.parts (id int) partition by range (id);
create table shown.part_1 partition of shown.parts for values from (1) to (2);
create function shown.doubled(n int, times int default 2) returns int stable language sql
    return n * times;
create function shown.touched() returns trigger language plpgsql as 'begin return new; end';
comment on table shown.parts is E'In parts\\nand more of it';
comment on column shown.simple.mood is '@notNull';
"""
SHOWN = {"Odd /~%name", "simple", "joined", "parts"}
ROLE = "pg_monitor"


@pytest.fixture
def described(harness_empty_database: str) -> dict[str, Any]:
    with admin.connection(harness_empty_database) as conn:
        conn.execute(SCHEMA.encode())
        conn.execute(f"grant select on all tables in schema shown to {ROLE}".encode())
        conn.execute(f"revoke all on shown.joined from {ROLE}".encode())
        found: dict[str, Any] = {
            role: describe_api(read_api(conn, "shown", role)) for role in (ROLE, "postgres")
        }
        found["witness"] = {
            (relation, column): nullable == "NO"
            for relation, column, nullable in conn.execute(
                "select table_name, column_name, is_nullable from information_schema.columns"
                " where table_schema = 'shown'"
            ).fetchall()
        }
        return found


def test_description_is_valid_and_as_postgrest_writes_it(described: dict[str, Any]) -> None:
    document = described["postgres"]
    assert list_faults(document) == []
    assert set(document["definitions"]) == SHOWN
    odd = document["definitions"]["Odd /~%name"]
    assert odd["required"] == ["id", "a b/~", "share"]
    properties = odd["properties"]
    assert properties["a b/~"]["maxLength"] == 7
    assert properties["mood"]["enum"] == ["sad", 'it\'s "fine"']
    assert properties["mood"]["format"] == "shown.mood"
    assert properties["moods"]["items"] == {"type": "string"}
    assert properties["grid"] == {
        "format": "integer[]",
        "type": "array",
        "items": {"type": "integer"},
    }
    assert "type" not in properties["doc"]
    assert "Primary Key" in properties["id"]["description"]
    paths = document["paths"]
    assert (set(paths["/simple"]), set(paths["/joined"])) == (
        {"get", "post", "patch", "delete"},
        {"get"},
    )
    assert (paths["/parts"]["get"]["summary"], paths["/parts"]["get"]["description"]) == (
        "In parts",
        "and more of it",
    )
    assert [one["name"] for one in paths["/rpc/doubled"]["get"]["parameters"]] == ["n", "times"]
    body = paths["/rpc/doubled"]["post"]["parameters"][0]["schema"]
    assert body["required"] == ["n"]
    assert "/rpc/touched" not in paths


def test_required_is_what_a_second_witness_says_and_what_is_published(
    described: dict[str, Any],
) -> None:
    ours = {
        (relation, name): name in one.get("required", ())
        for relation, one in described["postgres"]["definitions"].items()
        for name in one["properties"]
    }
    published = {("simple", "mood"): True}
    witness = {key: not_null for key, not_null in described["witness"].items() if key[0] in SHOWN}
    assert ours == witness | published


def test_role_sees_what_it_is_granted(described: dict[str, Any]) -> None:
    assert set(described[ROLE]["definitions"]) == SHOWN - {"joined"}


def test_fault_of_a_document_is_told_with_its_place(described: dict[str, Any]) -> None:
    document = described[ROLE]
    document["paths"]["/simple"]["get"].pop("responses")
    document["definitions"]["simple"]["required"] = []
    faults = list_faults(document)
    assert [one for one in faults if "paths//simple/get" in one], faults
    assert [one for one in faults if "definitions/simple/required" in one], faults
