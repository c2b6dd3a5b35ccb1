"""The seed: same arguments, same rows; all or nothing; never into a database in use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import errors
from seed_support import digests, in_another_process, scalar

from fixtures import seed
from fixtures.bench_seed import empty
from fixtures.bulk import Counts, Scene, stream
from fixtures.loading import Source, connect, fill
from fixtures.tables import COMPANIES, DEALS, TABLES, Table
from harness.core.errors import InfrastructureError, Refused, UsageError

LOAD = """
import json, sys
from fixtures import seed
report = seed.load(sys.argv[1], rows=2000, seed=int(sys.argv[2]), profile=sys.argv[3])
json.dump(report.tables, sys.stdout)
"""
PEAK = """
import json, sys
from fixtures.bench_seed import peak_bytes
from fixtures.bulk import Scene, stream
from fixtures.tables import TABLES
scene = Scene.of(200_000, 1, "real")
rows = sum(count for table in TABLES for count, _ in stream(scene, table))
json.dump([rows, peak_bytes()], sys.stdout)
"""


def content(*arguments: object) -> str:
    """A hash of everything that rows, seed and profile stand for."""
    rows, number, profile = arguments
    scene = Scene.of(int(str(rows)), int(str(number)), str(profile))
    text = hashlib.sha256()
    for table in TABLES:
        for _, chunk in stream(scene, table):
            text.update(chunk)
    return text.hexdigest()


@pytest.mark.parametrize("profile", ["real", "clean", "hostile"])
def test_the_same_arguments_give_the_same_rows_in_any_process(harness_baseline, profile):
    found = []
    for hash_seed in ("0", "4711"):
        in_another_process(LOAD, harness_baseline, "5", profile, hash_seed=hash_seed)
        found.append(digests(harness_baseline))
        empty(harness_baseline)
    assert found[0] == found[1]
    assert len(set(found[0].values())) == len(TABLES)


def test_other_arguments_give_other_rows():
    plain = content(500, 1, "real")
    assert plain == content(500, 1, "real")
    assert len({plain, content(500, 2, "real"), content(501, 1, "real")}) == 3
    assert plain != content(500, 1, "clean")


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 20, 999, 10_000, 1_000_001])
def test_the_five_kinds_add_up_to_the_rows_asked_for(rows):
    c = Counts.of(rows)
    notes = c.contact_notes + c.deal_notes
    assert c.companies + c.contacts + c.deals + notes + c.tasks == rows


def test_the_ratio_is_15_40_25_15_5():
    c = Counts.of(10_000)
    notes = c.contact_notes + c.deal_notes
    assert (c.companies, c.contacts, c.deals, notes, c.tasks) == (1500, 4000, 2500, 1500, 500)


def test_even_a_handful_of_rows_loads(harness_baseline):
    for rows in (1, 2, 3, 5, 8, 13):
        report = seed.load(harness_baseline, rows=rows, profile="hostile")
        with psycopg.connect(harness_baseline) as conn:
            in_tables = {str(t): scalar(conn, f"SELECT count(*) FROM {t.quoted}") for t in TABLES}
        assert report.tables == in_tables
        empty(harness_baseline)


def test_both_ways_of_loading_leave_the_same_database(harness_baseline):
    seed.load(harness_baseline, rows=2000)
    trusted = digests(harness_baseline)
    empty(harness_baseline)
    with psycopg.connect(harness_baseline, autocommit=True) as conn:
        owner = f"seeder_{scalar(conn, 'SELECT current_database()')}"
        conn.execute(f'CREATE ROLE "{owner}"')
        try:
            conn.execute(f'GRANT USAGE ON SCHEMA auth, public TO "{owner}"')
            for table in TABLES:
                conn.execute(f'ALTER TABLE {table.quoted} OWNER TO "{owner}"')
            separator = "&" if "?" in harness_baseline else "?"
            seed.load(f"{harness_baseline}{separator}options=-crole%3D{owner}", rows=2000)
            assert digests(harness_baseline) == trusted
        finally:
            conn.execute(f'REASSIGN OWNED BY "{owner}" TO CURRENT_USER')
            conn.execute(f'DROP OWNED BY "{owner}"')
            conn.execute(f'DROP ROLE "{owner}"')


def test_sales_rows_belong_to_their_auth_users(harness_baseline):
    seed.load(harness_baseline, rows=2000)
    with psycopg.connect(harness_baseline) as conn:
        pairs = conn.execute(
            "SELECT s.email = u.email AND s.first_name = u.raw_user_meta_data ->> 'first_name'"
            " AND s.last_name = u.raw_user_meta_data ->> 'last_name', s.administrator"
            " FROM sales s FULL JOIN auth.users u ON u.id = s.user_id ORDER BY s.id"
        ).fetchall()
    assert pairs == [(True, True)] + [(True, False)] * (len(pairs) - 1)
    assert len(pairs) == 8


def test_the_next_insert_gets_the_next_id(harness_baseline):
    seed.load(harness_baseline, rows=2000)
    with psycopg.connect(harness_baseline) as conn:
        last = scalar(conn, "SELECT max(id) FROM companies")
        new = scalar(conn, "INSERT INTO companies (name) VALUES ('next') RETURNING id")
        assert new == last + 1
        assert scalar(conn, "SELECT last_value FROM tags_id_seq") == 12


def test_triggers_and_foreign_keys_work_again_after_the_load(harness_baseline):
    seed.load(harness_baseline, rows=100)
    with psycopg.connect(harness_baseline) as conn, pytest.raises(errors.ForeignKeyViolation):
        conn.execute("INSERT INTO deals (name, stage, company_id) VALUES ('x', 'won', 0)")


def test_refuses_a_database_that_has_rows(harness_baseline):
    with psycopg.connect(harness_baseline) as conn:
        conn.execute("INSERT INTO tags (name, color) VALUES ('mine', '#fff')")
    before = digests(harness_baseline)
    with pytest.raises(Refused, match=r"public\.tags already has rows.*harness baseline"):
        seed.load(harness_baseline, rows=100)
    assert digests(harness_baseline) == before


def test_refuses_to_seed_twice(harness_baseline):
    seed.load(harness_baseline, rows=100)
    before = digests(harness_baseline)
    with pytest.raises(Refused, match="already has rows"):
        seed.load(harness_baseline, rows=100)
    assert digests(harness_baseline) == before


def test_refuses_a_database_without_the_baseline(harness_empty_database):
    with pytest.raises(Refused, match=r"no table .*harness baseline"):
        seed.load(harness_empty_database, rows=100)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "ALTER TABLE deals RENAME TO old_deals; CREATE VIEW deals AS TABLE old_deals",
            r"public\.deals is not a table",
        ),
        (
            'ALTER TABLE companies RENAME "stateAbbr" TO state',
            r"public\.companies has no column 'stateAbbr'",
        ),
    ],
)
def test_refuses_a_schema_that_is_not_the_baseline(harness_baseline, change, said):
    with psycopg.connect(harness_baseline) as conn:
        conn.execute(change)
    with pytest.raises(Refused, match=said):
        seed.load(harness_baseline, rows=100)


def test_does_not_wait_for_ever_for_a_table_in_use(harness_baseline, monkeypatch):
    monkeypatch.setattr("fixtures.loading.LOCK_TIMEOUT", "50ms")
    with psycopg.connect(harness_baseline) as other:
        other.execute("LOCK TABLE contacts IN ROW EXCLUSIVE MODE")
        with pytest.raises(Refused, match="in use"):
            seed.load(harness_baseline, rows=100)
    assert seed.load(harness_baseline, rows=100).rows == 100


@dataclass(frozen=True)
class Planted:
    """A source whose first deals are edited on the way."""

    source: Source
    edit: Callable[[bytes], bytes]

    def total(self, table: Table) -> int:
        return self.source.total(table)

    def chunks(self, table: Table) -> Iterator[tuple[int, bytes]]:
        for count, chunk in self.source.chunks(table):
            yield count, self.edit(chunk) if table is DEALS else chunk


def in_company_999(chunk: bytes) -> bytes:
    """The first deal, moved to a company that is not there."""
    number, name, _, rest = chunk.split(b"\t", 3)
    return b"\t".join((number, name, b"999", rest))


def cut_short(chunk: bytes) -> bytes:
    return chunk[:-20]


def unchanged(chunk: bytes) -> bytes:
    return chunk


@pytest.mark.parametrize(
    ("edit", "error"),
    [(in_company_999, errors.ForeignKeyViolation), (cut_short, psycopg.DataError)],
)
def test_a_load_that_fails_leaves_nothing(harness_baseline, edit, error):
    before = digests(harness_baseline)
    source = seed.rows_of(100, 1, "clean")
    with connect(harness_baseline) as conn, pytest.raises(error):
        fill(conn, Planted(source, edit))
    assert digests(harness_baseline) == before
    with connect(harness_baseline) as conn:
        assert fill(conn, Planted(source, unchanged))["deals"] == 25


@pytest.mark.parametrize(("rows", "profile"), [(0, "real"), (-1, "real"), (10, "dirty")])
def test_bad_arguments_are_named(rows, profile):
    with pytest.raises(UsageError, match=r"choose"):
        seed.load("postgresql://127.0.0.1:1/none", rows=rows, profile=profile)


def test_no_server_is_said_so_and_no_password():
    with pytest.raises(InfrastructureError, match="no connection to the database") as caught:
        seed.load("postgresql://me:secret@127.0.0.1:1/none", rows=10)
    assert "secret" not in str(caught.value)


def test_an_unreadable_dsn_is_refused_without_quoting_it():
    with pytest.raises(UsageError, match="the DSN cannot be read") as caught:
        seed.load("password secret", rows=10)
    assert "secret" not in str(caught.value)


def test_progress_is_told_over_all_tables_and_never_goes_back(harness_baseline):
    told: list[tuple[str, int, int]] = []
    seed.load(
        harness_baseline,
        rows=3000,
        progress=lambda *one: told.append(one),
    )
    assert list(dict.fromkeys(table for table, _, _ in told)) == [str(table) for table in TABLES]
    done, total = [one[1] for one in told], {one[2] for one in told}
    assert done == sorted(done)
    assert total == {done[-1]}
    assert sum(table == str(COMPANIES) for table, _, _ in told) > 1


def test_rows_are_made_as_they_are_sent_and_never_all_held():
    rows, peak = in_another_process(PEAK)
    assert rows > 200_000
    assert peak < 150 * 2**20, "the text of these rows alone is 95 MB"
