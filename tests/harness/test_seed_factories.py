"""Factories: good rows for every table, the same by number, and easy to bend."""

from __future__ import annotations

from dataclasses import fields

import psycopg
import pytest
from psycopg import errors
from seed_support import scalar

from fixtures.copytext import field, literal, row
from fixtures.factories import (
    FACTORIES,
    AuthUserFactory,
    CompanyFactory,
    ContactFactory,
    ContactNoteFactory,
    DealFactory,
    SaleFactory,
    TaskFactory,
)
from fixtures.insertion import insert
from fixtures.model import MODELS, values
from fixtures.tables import TABLES


def test_there_is_a_factory_for_every_table():
    assert [model.table for model in FACTORIES] == list(TABLES)


@pytest.mark.parametrize("model", MODELS)
def test_a_models_attributes_are_its_tables_columns(model):
    attributes = [one.name.replace("_", "").lower() for one in fields(model)]
    assert attributes == [column.replace("_", "").lower() for column in model.table.columns]


@pytest.mark.parametrize("model", MODELS)
def test_what_a_factory_builds_can_be_inserted_and_read_back(harness_baseline, model):
    with psycopg.connect(harness_baseline) as conn:
        built = FACTORIES[model].build()
        key = insert(conn, built)
        columns = built.table.column_list
        stored = conn.execute(
            f"SELECT {columns} FROM {built.table.quoted} WHERE id = %s", (key,)
        ).fetchone()
        wanted = [key, *values(built)[1:]]
        assert [
            tuple(v) if isinstance(w, tuple) else v for v, w in zip(stored, wanted, strict=True)
        ] == wanted


def test_the_same_number_builds_the_same_row():
    one, same = (ContactFactory.build(__sequence=7) for _ in range(2))
    assert one == same
    assert one != ContactFactory.build(__sequence=8)
    assert one != ContactFactory.build(__sequence=7, seed=3)


def test_rows_can_be_bent_and_are_not_mended(harness_baseline):
    with psycopg.connect(harness_baseline) as conn, pytest.raises(errors.NotNullViolation):
        insert(conn, CompanyFactory.build(name=None))


def test_a_missing_parent_is_made_and_a_given_one_kept(harness_baseline):
    with psycopg.connect(harness_baseline) as conn:
        insert(conn, TaskFactory.build())
        assert scalar(conn, "SELECT count(*) FROM contacts") == 1
        contact = insert(conn, ContactFactory.build())
        insert(conn, ContactNoteFactory.build(contact_id=contact))
        assert scalar(conn, "SELECT count(*) FROM contacts") == 2


def test_the_first_user_becomes_an_administrator_by_the_trigger(harness_baseline):
    with psycopg.connect(harness_baseline) as conn:
        for number in (1, 2):
            insert(conn, AuthUserFactory.build(__sequence=number))
        made = conn.execute("SELECT administrator FROM sales ORDER BY id").fetchall()
        assert made == [(True,), (False,)]
        insert(conn, SaleFactory.build(__sequence=2, disabled=True))
        assert scalar(conn, "SELECT count(*) FROM sales") == 2
        assert scalar(conn, "SELECT disabled FROM sales ORDER BY id OFFSET 1")


ODD = (
    None,
    "",
    "\\N",
    "\\.",
    "tab\tnew\nline\r\\ \"'",
    "null",
    True,
    -5,
    (1, None, 2),
    (),
    ({"a": 'q"\\'}, None, "1.00"),
    ["x", None],
    {},
)


@pytest.mark.parametrize("value", ODD)
def test_copy_text_means_the_same_as_the_literal(harness_empty_database, value):
    kind = "text"
    if isinstance(value, tuple):
        kind = "jsonb[]" if value and isinstance(value[0], dict) else "bigint[]"
    elif isinstance(value, (list, dict)):
        kind = "jsonb"
    with psycopg.connect(harness_empty_database) as conn:
        conn.execute(f"CREATE TEMP TABLE one (n int, v {kind}, w {kind})")
        with conn.cursor() as cursor, cursor.copy("COPY one FROM STDIN") as copy:
            copy.write(row([1, value, value]))
        assert scalar(conn, f"SELECT v IS NOT DISTINCT FROM %s::{kind} FROM one", literal(value))


def test_an_empty_text_is_not_null():
    assert field("") != field(None)
    assert field("\\N") != field(None)


def test_deals_take_their_company_and_contacts():
    deal = DealFactory.build(company_id=3, contact_ids=(1, 2))
    assert (deal.company_id, deal.contact_ids) == (3, (1, 2))
