"""Every client gets what it always got: the contract through psycopg and SQLAlchemy, and tables
that SQLAlchemy finds by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fixtures import contract as legacy
from harness.check import contract
from harness.check.contract.providers import PROVIDERS
from harness.check.contract.session import engine
from harness.report import evidence
from harness.suite.contract import *  # noqa: F403 - the shipped suite; more below
from harness.suite.contract import written
from harness.suite.support import CloneFactory, TemplateFactory

from .checks import specification

WRITTEN = written(legacy.HERE)
TABLES = [*specification.baseline()["tables"]]


def test_hostile_rows_are_written_as_before(
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    hostile: dict[str, Any] = {"rows": 300, "profile": "hostile"}
    recording = contract.record(
        harness_clone(harness_template(**hostile)), WRITTEN[::-1], PROVIDERS[1]
    )
    assert (
        contract.replay(
            harness_clone(harness_migrated_template(**hostile)), recording, PROVIDERS[1]
        )
        == []
    )


# -- what SQLAlchemy finds by itself


def reflected(made: sa.Engine, name: str) -> sa.Table:
    """A view has no key to be found, so a mapper is told it, as docs/contract.md says."""
    key = sa.Column("id", sa.BigInteger, primary_key=True)
    return sa.Table(name, sa.MetaData(), key, autoload_with=made, schema="public")


@pytest.mark.parametrize("name", TABLES)
def test_a_reflected_table_has_the_columns_and_rows_it_had(
    name: str, harness_source: str, harness_target: str
) -> None:
    def seen(dsn: str) -> tuple[list[tuple[str, str]], list[Any]]:
        with engine(dsn) as made, made.connect() as conn:
            table = reflected(made, name)
            if dsn == harness_target:  # what a table gained is no matter of an old client
                old = specification.old_columns(name)
                columns = [column for column in table.columns if column.name in old]
            else:
                columns = list(table.columns)
            kinds = [(column.name, str(column.type)) for column in columns]
            rows = conn.execute(sa.select(*columns).order_by(table.c.id)).fetchall()
            return kinds, [tuple(map(str, row)) for row in rows]

    assert seen(harness_target) == seen(harness_source)
    evidence.count("contract", "tables found by SQLAlchemy itself", [name], TABLES)


def test_reflected_writes_do_what_they_did(
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    def written(dsn: str) -> list[Any]:
        with engine(dsn) as made, made.begin() as conn:
            conn.execute(sa.text("set local role authenticated"))
            deals, notes = reflected(made, "deals"), reflected(made, "dealNotes")
            row = {"name": "Reflected", "stage": "won", "amount": 2**40, "contact_ids": [1, 2]}
            values = sa.insert(deals).values(row).returning(deals.c.id, deals.c.stage)
            key, stage = conn.execute(values).one()
            added = sa.insert(notes).values(deal_id=key, text="noted").returning(notes.c.id)
            note = conn.execute(added).scalar_one()
            changed = sa.update(deals).where(deals.c.id == key).values(stage="delayed")
            counts = [conn.execute(changed).rowcount]
            counts.append(conn.execute(sa.delete(notes).where(notes.c.id == note)).rowcount)
            left = conn.execute(sa.select(deals.c.name, deals.c.stage, deals.c.contact_ids)).all()
            return [key, stage, note, counts, sorted(map(repr, left))]

    after, before = (
        harness_clone(harness_migrated_template(rows=300)),
        harness_clone(harness_template(rows=300)),
    )
    assert written(after) == written(before)


def test_a_mapped_deal_is_loaded_changed_and_deleted_as_before(
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    from sqlalchemy.orm import Session, registry

    def lived(dsn: str) -> list[Any]:
        with engine(dsn) as made:

            class Deal:
                pass

            registry().map_imperatively(Deal, reflected(made, "deals"))
            with Session(made) as session:
                found = session.execute(sa.select(Deal).order_by(Deal.id).limit(2)).scalars().all()
                first, second = found
                first.name, gone = "Mapped", second.id
                session.delete(second)
                session.flush()
                session.expire_all()
                return [first.id, first.name, first.stage, session.get(Deal, gone)]

    assert lived(harness_clone(harness_migrated_template(rows=300))) == lived(
        harness_clone(harness_template(rows=300))
    )


def test_users_bring_their_own_contract(
    tmp_path: Path, harness_source: str, harness_target: str
) -> None:
    (tmp_path / "read").mkdir()
    report = tmp_path / "read" / "won_by_company.sql"
    report.write_text(
        "-- about: what each company bought\n-- roles: authenticated service_role\n"
        "select c.name, sum(d.amount)::text as total from public.companies c\n"
        "join public.deals d on d.company_id = c.id where d.stage = 'won'\n"
        "group by c.id, c.name order by c.id\n"
    )
    assert contract.reads(harness_source, harness_target, tmp_path) == []
