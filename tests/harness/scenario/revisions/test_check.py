"""A tree with one planted defect a revision: each is named, with its class, place and fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from harness.document.check import CheckDocument
from tests.harness.support.trees import check_here, dbmate, revision, write_files

if TYPE_CHECKING:
    from harness.server import Server

TABLES = """create table users (id serial primary key, name text not null default 'x',
age int check (age > 0));
create table posts (id bigserial primary key, user_id int, body text);
alter table users enable row level security; alter table posts enable row level security;"""
ALONE = " transaction:false"
PLANTED: Final[Mapping[str, str]] = {
    "01_tables": dbmate(TABLES, "drop table posts; drop table users;"),
    "02_exact": dbmate("alter table users add nick text;", "alter table users drop nick;"),
    "03_open": dbmate("create table bare (id int);", "drop table bare;"),
    "04_constraint": dbmate(
        "alter table users drop constraint users_age_check;", "select 1;"
    ),
    "05_default": dbmate(
        "alter table users alter name set default 'y';",
        "alter table users alter name drop default;",
    ),
    "06_column": dbmate("alter table posts drop body;", "alter table posts add body text;"),
    "07_order": dbmate(
        "alter table users add late int;\nalter table posts drop body;",
        "alter table posts add body text;\nalter table users drop late;",
    ),
    "08_privileges": dbmate("grant select on users to reader;", "select 1;"),
    "09_function": dbmate(
        "create function one() returns int language sql as 'select 1';", "drop function one();"
    ),
    "10_function_text": dbmate(
        "create or replace function one() returns int language sql as 'select 2';",
        "create or replace function one() returns int language sql as 'select  1';",
    ),
    "11_rows": dbmate("delete from posts where id % 2 = 0;", "select 1;"),
    "12_sequence": dbmate("select nextval('posts_id_seq');", "select 1;"),
    "13_unshared": dbmate(
        "alter table posts add at timestamptz;\n"
        "update posts set at = clock_timestamp() where id > 0;",
        "alter table posts drop at;",
    ),
    "14_down_fails": dbmate("create table side (a int);", "drop table nosuch;"),
    "15_up_again": dbmate("create table twice (a int);", "select 1;"),
    "16_up_fails": dbmate("alter table users add z int;\nalter table nosuch add y int;", ""),
    "17_syntax": dbmate("select 1;\ncreate tabel a (b int);", ""),
    "18_forward": dbmate("create table forward (a int);", ""),
    "19_declared": dbmate(
        "-- harness: irreversible the names are merged\n"
        "update users set name = 'same' where id > 0;",
        "select 1;",
    ),
    "20_rewrite": dbmate(
        "alter table posts alter user_id type bigint;", "alter table posts alter user_id type int;"
    ),
    "21_volatile": dbmate(
        "alter table users add token float default random();", "alter table users drop token;"
    ),
    "22_not_null": dbmate(
        "update posts set user_id = 1 where user_id is null;\n"
        "alter table posts alter user_id set not null;",
        "alter table posts alter user_id drop not null;",
    ),
    "23_key": dbmate(
        "delete from posts where user_id > 0;\n"
        "alter table posts add constraint k foreign key (user_id) references users (id);",
        "alter table posts drop constraint k;",
    ),
    "24_index": dbmate("create index i on users (name);", "drop index i;"),
    "25_unique": dbmate("create unique index u on users (id, name);", "drop index u;"),
    "26_two_tables": dbmate(
        "alter table users add p int;\nalter table posts add p int;",
        "alter table posts drop p; alter table users drop p;",
    ),
    "27_rename": dbmate("alter table posts rename to notes;", "alter table notes rename to posts;"),
    "28_all_rows": dbmate(
        "update users set name = name || 'a';", "update users set name = left(name, -1);"
    ),
    "29_exists": dbmate("create table if not exists users (a int);", "select 1;"),
    "30_public": dbmate("grant select on users to public;", "revoke select on users from public;"),
    "31_definer": dbmate(
        "create function owns() returns int security definer language sql as 'select 1';",
        "drop function owns();",
    ),
    "32_concurrent": dbmate(
        "create index concurrently c on users (age);", "drop index concurrently c;", ALONE
    ),
    "33_not_exists": dbmate(
        "create index concurrently if not exists d on users (age);",
        "drop index concurrently d;", ALONE,
    ),
    "34_counter": dbmate(
        "update users set age = age + 1;", "update users set age = age - 1;", ALONE
    ),
    "35_enum": dbmate("create type mood as enum ('a');", "drop type mood;"),
    "36_label": dbmate(
        "alter type mood add value 'b';\ncreate table felt (m mood default 'b');", ""
    ),
    "37_role": dbmate("create role made_here;", "drop role made_here;"),
    "38_role_left": dbmate("create role left_here;", ""),
    "39_lost_table": dbmate("drop table notes;", ""),
    "40_own_key": dbmate(
        "create table own (id int primary key, user_id int);\n"
        "alter table own enable row level security;\n"
        "alter table own add constraint own_key foreign key (user_id) references users (id);",
        "drop table own;",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def checked(harness_server: Server, tmp_path_factory: pytest.TempPathFactory) -> CheckDocument:
    root = tmp_path_factory.mktemp("tree")
    write_files(root, {f"{name}.sql": text for name, text in PLANTED.items()})
    return check_here(harness_server, root)


@pytest.mark.parametrize(
    ("name", "verdict", "classes"),
    [
        ("01_tables", "pass", []),
        ("02_exact", "pass", []),
        ("04_constraint", "fail", ["defaults and constraints"]),
        ("05_default", "fail", ["defaults and constraints"]),
        ("06_column", "fail", ["data"]),
        ("08_privileges", "fail", ["privileges"]),
        ("09_function", "pass", []),
        ("10_function_text", "pass", ["function text"]),
        ("11_rows", "fail", ["data"]),
        ("12_sequence", "pass", ["sequences ahead"]),
        ("13_unshared", "pass", ["unshared values"]),
        ("14_down_fails", "fail", []),
        ("15_up_again", "fail", ["objects"]),
        ("16_up_fails", "fail", []),
        ("17_syntax", "fail", []),
        ("18_forward", "pass", []),
        ("19_declared", "pass", ["data"]),
        ("20_rewrite", "pass", []),
        ("34_counter", "fail", []),
        ("36_label", "fail", []),
        ("37_role", "pass", []),
        ("38_role_left", "pass", []),
    ],
)
def test_a_revision_is_judged_by_what_its_way_back_leaves(
    checked: CheckDocument, name: str, verdict: str, classes: list[str]
) -> None:
    found = revision(checked, name)
    assert (found.verdict, list(found.classes)) == (verdict, classes), found.findings


@pytest.mark.parametrize(
    ("name", "finding", "severity", "where"),
    [
        ("14_down_fails", "revision.down_fails", "critical", "14_down_fails.sql"),
        ("15_up_again", "revision.up_again_fails", "critical", "15_up_again.sql"),
        ("16_up_fails", "revision.up_fails", "critical", "16_up_fails.sql"),
        ("17_syntax", "revision.up_fails", "critical", "17_syntax.sql:3"),
        ("19_declared", "revision.back.data", "info", "19_declared.sql"),
        ("20_rewrite", "revision.rewrites", "warning", "20_rewrite.sql:2"),
        ("21_volatile", "revision.volatile_default", "warning", "21_volatile.sql:2"),
        ("22_not_null", "revision.scans_under_lock", "warning", "22_not_null.sql:3"),
        ("23_key", "revision.foreign_key_validates", "warning", "23_key.sql:3"),
        ("24_index", "revision.index_blocks", "warning", "24_index.sql:2"),
        ("25_unique", "revision.unique_index_blocks", "warning", "25_unique.sql:2"),
        ("26_two_tables", "revision.locks_two_tables", "warning", "26_two_tables.sql:3"),
        ("27_rename", "revision.renames", "warning", "27_rename.sql:2"),
        ("28_all_rows", "revision.unbounded_change", "warning", "28_all_rows.sql:2"),
        ("29_exists", "revision.if_not_exists_skipped", "warning", "29_exists.sql:2"),
        ("03_open", "revision.row_security_missing", "warning", "03_open.sql"),
        ("30_public", "revision.grants_everybody", "warning", "30_public.sql"),
        ("31_definer", "revision.definer_search_path", "warning", "31_definer.sql"),
        ("32_concurrent", "revision.stuck", "warning", "32_concurrent.sql:2"),
        ("33_not_exists", "revision.silently_other", "critical", "33_not_exists.sql:2"),
        ("34_counter", "revision.silently_other", "critical", "34_counter.sql:2"),
        ("36_label", "revision.up_fails", "critical", "36_label.sql:3"),
        ("39_lost_table", "revision.loses_rows", "warning", "39_lost_table.sql"),
    ],
)
def test_a_planted_defect_is_found_at_its_line(
    checked: CheckDocument, name: str, finding: str, severity: str, where: str
) -> None:
    found = {one.id: one for one in revision(checked, name).findings}
    assert finding in found, found
    assert (found[finding].severity, found[finding].where) == (severity, where)


@pytest.mark.parametrize(
    "name", ["01_tables", "02_exact", "09_function", "18_forward", "35_enum", "40_own_key"]
)
def test_a_sound_revision_has_no_finding(checked: CheckDocument, name: str) -> None:
    assert list(revision(checked, name).findings) == []


def test_what_is_taken_for_granted_is_said_first(checked: CheckDocument) -> None:
    assert checked.assumed[0] == "read as dbmate: 01_tables.sql has -- migrate:up"
    assert any(line.endswith("were made, without rights: reader") for line in checked.assumed)


def test_the_worst_revision_decides(checked: CheckDocument) -> None:
    assert checked.verdict == "fail"


def test_a_revision_that_is_one_transaction_with_its_row_needs_no_kill(
    checked: CheckDocument,
) -> None:
    assert revision(checked, "02_exact").resumable.startswith("by construction")
    assert revision(checked, "34_counter").resumable == "other: 1 of 1 kills"


def test_locks_are_told_by_statement(checked: CheckDocument) -> None:
    statements = revision(checked, "26_two_tables").statements
    taken = {lock.relation: lock.mode for one in statements for lock in one.locks}
    assert taken == {"public.users": "AccessExclusiveLock", "public.posts": "AccessExclusiveLock"}


def test_rows_are_counted_that_are_gone(checked: CheckDocument) -> None:
    assert revision(checked, "11_rows").lost_rows == {"public.posts": 20}


def test_column_order_alone_is_no_failure(harness_server: Server, tmp_path: Path) -> None:
    files = {
        "1.sql": dbmate("create table t (a int, b int);", "drop table t;"),
        "2.sql": dbmate("alter table t drop a;", "alter table t add a int;"),
    }
    found = check_here(harness_server, write_files(tmp_path, files), rows=0)
    last = revision(found, "2")
    assert (last.verdict, list(last.classes)) == ("pass", ["column order"])


def test_odd_names_are_compared_too(harness_server: Server, tmp_path: Path) -> None:
    files = {
        "1.sql": dbmate(
            'create table "Odd.Na""me" (a int, "B c" int);', 'drop table "Odd.Na""me";'
        ),
        "2.sql": dbmate(
            'alter table "Odd.Na""me" drop "a";\nalter table "Odd.Na""me" drop "B c";',
            'alter table "Odd.Na""me" add "B c" int;\nalter table "Odd.Na""me" add a int;',
        ),
    }
    found = check_here(harness_server, write_files(tmp_path, files))
    last = revision(found, "2")
    assert (last.verdict, list(last.classes)) == ("fail", ["data", "column order"])
    assert "other values in B c, a" in last.differences[0]
