"""Relations that are left out of a fingerprint by name, with all that belongs to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.database import admin, fingerprint
from tests.harness.support.runner import run_sql

PEOPLE = "create table public.people (id bigint primary key); insert into public.people values (1);"
VERSIONS = """
create schema "Odd.one";
create table {0} (id serial primary key, version text not null unique, at date default '2020-1-1');
insert into {0} (version) values ('a'), ('b');
create index on {0} (at);
create statistics {1}_kinds (dependencies) on id, version from {0};
comment on table {0} is 'versions';
comment on column {0}.version is 'which';
comment on constraint {1}_pkey on {0} is 'key';
alter table {0} enable row level security;
create policy everyone on {0} using (true);
grant select on {0} to public;
grant update (version) on {0} to public;
create rule quiet as on delete to {0} do instead nothing;
create function public.noted() returns trigger language plpgsql as 'begin return new; end';
create trigger noted before insert on {0} for each row execute function public.noted();
create publication everything for table {0};
"""
MADE_BESIDE = """
create schema "Odd.one";
create function public.noted() returns trigger language plpgsql as 'begin return new; end';
create publication everything;
"""


@pytest.fixture
def twin(harness_empty_database: str) -> Iterator[str]:
    name = admin.unique_name("harness_twin")
    admin.create(harness_empty_database, name)
    yield admin.with_dbname(harness_empty_database, name)
    admin.drop(harness_empty_database, name)


@pytest.mark.parametrize(
    ("made", "plain", "excluded"),
    [
        ("public.versions", "versions", "public.versions"),
        ("public.versions", "versions", "versions"),
        ('"Odd.one"."Versions"', "versions", "Odd.one.Versions"),
        ('"Odd.one"."Versions"', "versions", '"Odd.one"."Versions"'),
    ],
)
def test_all_that_belongs_to_a_relation_is_left_out(
    harness_empty_database: str, twin: str, made: str, plain: str, excluded: str
) -> None:
    text = VERSIONS.format(made, plain)
    text = text.replace("versions_pkey", '"Versions_pkey"') if "Odd" in made else text
    run_sql(harness_empty_database, PEOPLE + text)
    run_sql(twin, PEOPLE + MADE_BESIDE)
    one, other = (
        fingerprint.take(dsn, exclude=[excluded]) for dsn in (harness_empty_database, twin)
    )
    assert fingerprint.compare(one, other) == ()
    assert fingerprint.take(harness_empty_database) != fingerprint.take(twin)


def test_nothing_else_is_left_out(harness_empty_database: str) -> None:
    run_sql(harness_empty_database, PEOPLE + "create table public.versions (id int);")
    before = fingerprint.take(
        harness_empty_database, exclude=["versions", "other.people", "ublic.people"]
    )
    run_sql(harness_empty_database, "insert into public.people values (2)")
    after = fingerprint.take(
        harness_empty_database, exclude=["versions", "other.people", "ublic.people"]
    )
    assert [each.object for each in fingerprint.compare(before, after)] == ["table public.people"]


def test_what_a_file_leaves_out_is_in_it(harness_empty_database: str, tmp_path: Path) -> None:
    run_sql(harness_empty_database, PEOPLE)
    saved = fingerprint.take(harness_empty_database, exclude=["public.versions"])
    fingerprint.save(saved, tmp_path / "it")
    loaded = fingerprint.load(tmp_path / "it")
    assert loaded.excluded_relations == ("public.versions",)
    with pytest.raises(UsageError, match=r"public\.versions, none"):
        fingerprint.compare(loaded, fingerprint.take(harness_empty_database))


def test_a_file_that_leaves_out_nothing_is_as_before(
    harness_empty_database: str, tmp_path: Path
) -> None:
    fingerprint.save(fingerprint.take(harness_empty_database), tmp_path / "it")
    assert "excluded_relations" not in json.loads((tmp_path / "it").read_text())
    assert fingerprint.load(tmp_path / "it").excluded_relations == ()
