"""A saved fingerprint comes back whole, and names the rows that changed since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.database import admin, fingerprint
from harness.database.fingerprint import Difference, sketching
from tests.harness.support.people_tables import execute


@pytest.fixture
def twin(people: str) -> Iterator[str]:
    """Another database with the same contents."""
    name = admin.unique_name("harness_twin")
    admin.create(people, name, admin.dbname(people))
    yield admin.with_dbname(people, name)
    admin.drop(people, name)


def names(differences: tuple[Difference, ...]) -> list[tuple[str | None, str]]:
    return [(d.key, d.attribute) for d in differences if d.kind == "data"]


def test_a_saved_fingerprint_comes_back_whole(people: str, tmp_path: Path) -> None:
    taken = fingerprint.take(people, detail=True)
    fingerprint.save(taken, tmp_path / "before.json")
    loaded = fingerprint.load(tmp_path / "before.json")
    assert loaded == taken
    assert loaded.sketches == taken.sketches
    assert fingerprint.compare(loaded, fingerprint.take(people, detail=True)) == ()
    execute(people, "alter table people alter name set not null; update people set age = 0.0")
    after = fingerprint.take(people)
    assert loaded != after
    assert "column public.people.name" in {
        d.object for d in fingerprint.compare(loaded, after) if d.attribute == "not_null"
    }


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"format": 0}', '{"format": 1}', "\x00", '{"format": 1, "a": 2}'],
)
def test_what_is_no_fingerprint_is_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(UsageError, match="file"):
        fingerprint.load(tmp_path / "file")


def test_an_edited_file_and_a_missing_one_are_usage_errors(people: str, tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    fingerprint.save(fingerprint.take(people), file)
    file.write_text(file.read_text().replace('"rows": 5000', '"rows": 4999'))
    with pytest.raises(UsageError, match="was edited"):
        fingerprint.load(file)
    with pytest.raises(UsageError, match="No such file"):
        fingerprint.load(tmp_path / "missing")


# -- rows, named from a file


def test_a_file_names_hundreds_of_changed_rows_and_no_other(people: str, tmp_path: Path) -> None:
    fingerprint.save(fingerprint.take(people, detail=True), tmp_path / "before")
    execute(people, "update people set name = name || '!' where id % 100 = 0")
    after = fingerprint.take(people, detail=True)
    found = names(fingerprint.compare(fingerprint.load(tmp_path / "before"), after))
    keys = {int(key.removeprefix("id=")) for key, _ in found if key}
    assert all(key % 100 == 0 for key in keys)
    assert len(keys) >= 40  # of 50; two of them may share a group
    assert {attribute for key, attribute in found if key} == {"name"}


def test_a_file_says_when_it_cannot_name_rows(people: str) -> None:
    before = fingerprint.take(people, detail=True)
    execute(people, "update people set age = age + 1")
    after = fingerprint.take(people, detail=True)
    notes = [d.note for d in fingerprint.compare(before, after) if d.note]
    assert any("too many to be named" in note and "in age:" in note for note in notes)


def test_an_added_and_a_deleted_row_are_named_by_any_key(people: str) -> None:
    before = fingerprint.take(people, detail=True)
    execute(people, "delete from tags where name = 'tag 7'; insert into tags values ('new', 'x')")
    after = fingerprint.take(people, detail=True)
    assert set(names(fingerprint.compare(before, after))) == {
        ('name="tag 7"', "row"),
        ('name="new"', "row"),
    }


def test_without_detail_the_table_is_named(people: str) -> None:
    before = fingerprint.take(people)
    execute(people, "update people set age = 0 where id = 7")
    (difference,) = fingerprint.compare(before, fingerprint.take(people))
    assert difference.object == "table public.people"
    assert "rows_that_differ" in difference.note


# -- rows, named from two live databases


def test_live_databases_name_rows_columns_and_values(people: str, twin: str) -> None:
    assert fingerprint.compare_databases(people, twin) == ()
    execute(
        twin,
        "update people set name = null, age = 7.0 where id = 7; delete from people where id = 8;"
        " insert into people (id) values (9999); update words set word = 'c' where word = 'b'",
    )
    found = fingerprint.compare_databases(people, twin)
    rows = {
        (d.key, d.attribute, d.before, d.after) for d in found if d.object != "table public.words"
    }
    assert rows == {
        ("id=7", "name", "person 7", None),
        ("id=7", "age", "7", "7.0"),
        ("id=8", "row", "present", "absent"),
        ("id=9999", "row", "absent", "present"),
    }
    words = {(d.key, d.before, d.after) for d in found if d.object == "table public.words"}
    assert words == {("(b)", "1", "0"), ("(c)", "0", "1")}


def test_live_databases_name_as_many_rows_as_asked(people: str, twin: str) -> None:
    execute(twin, "update people set age = age + 1")
    found = fingerprint.rows_that_differ(people, twin, "public.people", limit=10)
    assert len([d for d in found if d.key]) == 10
    assert "there may be more" in found[-1].note


def test_tables_of_different_shape_are_not_compared_by_row(people: str, twin: str) -> None:
    execute(twin, "alter table people rename age to years")
    (difference,) = fingerprint.rows_that_differ(people, twin, "public.people")
    assert "columns differ" in difference.note


def test_a_table_that_is_not_there_is_a_usage_error(people: str, twin: str) -> None:
    with pytest.raises(UsageError, match=r"no table public\.persons"):
        fingerprint.rows_that_differ(people, twin, "public.persons")


def test_parts_of_a_table_add_up_to_its_digest_and_its_sketch(
    people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fingerprint.take(people, detail=True)
    monkeypatch.setattr(sketching, "PART_BLOCKS", 7)
    parted = fingerprint.take(people, detail=True)
    assert parted.relations == whole.relations == fingerprint.take(people).relations
    assert parted.sketches == whole.sketches
    monkeypatch.setattr(sketching, "parts", lambda *_: ["true", "t.ctid < '(7,0)'"])
    assert fingerprint.take(people, detail=True).relations != whole.relations  # read twice


def test_rows_are_not_named_from_sums_of_another_version(people: str, tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    fingerprint.save(fingerprint.take(people, detail=True), file)
    file.write_text(re.sub(r', "version": \d+', "", file.read_text()))  # as it was saved earlier
    execute(people, "update people set age = 1 where id = 7")
    (difference,) = fingerprint.compare(
        fingerprint.load(file), fingerprint.take(people, detail=True)
    )
    assert difference.object == "table public.people"
    assert "another version of the harness" in difference.note
