"""Comments of others are no headers; what was meant as one is never overlooked."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plan import Script
from tests.harness.support.runner import SmallPlan

COLUMN = "phases/1.1_fill/010_column.forward.sql"
BACK = "phases/1.1_fill/010_column.rollback.sql"


def script(root: Path, text: str, name: str = COLUMN) -> Script:
    """A step's script with this text, read with the plan around it."""
    small = SmallPlan(root)
    (small.root / name).write_bytes(text.encode())
    step = small.load().steps[0]
    return step.forward if name == COLUMN else step.rollback


@pytest.mark.parametrize(
    "comments",
    [
        "-- note: this adds a column\n",
        "-- reverse: drop it again\n-- see: the wiki\n-- author: kim\n",
        "-- summary: x\n\n-- table: see the wiki\n",
        "-- summary: x\n\n-- key: value pairs are split\n-- batch: no\n-- kind: of odd\n",
        "-- summary: x\n\n-- set: the flag\n-- lock_timeout: as always\n",
        "-- mind: the gap\n-- test: twice\n-- keys: a, b\n-- tables: two of them\n",
        "-- Copyright: me\n-- https://example.org/x: y\n-- TODO: more\n",
        "/* kind: batch */\n",
        "/*\n-- kind: batch\n*/\n",
        "-- https://example.org\n---- a line ----\n--\n--==--\n",
    ],
)
def test_a_comment_of_others_is_a_comment(tmp_path: Path, comments: str) -> None:
    found = script(tmp_path, f"{comments}SELECT 1;\n-- kind: batch\nSELECT 2;")
    assert (found.kind, len(found.statements), found.settings) == ("transaction", 2, ())


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("-- knid: batch", "kind"),
        ("-- Kind: batch", "kind"),
        ("-- kind = batch", "kind"),
        ("-- kind : concurrent", "kind"),
        ("-- sumary: a table", "summary"),
        ("-- lock_timout: 5s", "lock_timeout"),
        ("-- lock-timeout: 5s", "lock_timeout"),
        ("-- lock timeout: 500ms", "lock_timeout"),
        ("-- statement_timeuot: 5s", "statement_timeout"),
        ("-- SET: work_mem=64MB", "set"),
        ("-- ste: work_mem=64MB", "set"),
        ("-- tabel: public.things", "table"),
        ('-- tables: public."things"', "table"),
        ("-- batches: 100", "batch"),
        ("-- irreversable: rows are gone", "irreversible"),
        ("-- noting: all is done", "nothing"),
    ],
)
def test_what_is_nearly_a_header_is_refused_with_what_was_meant(
    tmp_path: Path, line: str, known: str
) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{known}'") as refused:
        script(tmp_path, f"-- a comment\n{line}\nSELECT 1;")
    assert str(refused.value).startswith(f"{tmp_path}/{COLUMN}:2: unknown header")


@pytest.mark.parametrize(
    "line",
    [
        "-- kind: batch",
        "-- set: work_mem=64MB",
        "-- lock_timeout: 5s",
        "-- table: public.things",
        "-- key: id",
        "-- batch: 100",
        "-- irreversible: rows are gone",
    ],
)
@pytest.mark.parametrize("gap", ["\n", "/* a licence */\n", "/* a\nlicence */\n\n"])
def test_a_header_that_comes_late_is_refused_not_overlooked(
    tmp_path: Path, line: str, gap: str
) -> None:
    with pytest.raises(UsageError, match="stands after a blank line"):
        script(tmp_path, f"-- summary: x\n{gap}{line}\nSELECT 1;")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff-- kind: transaction\n-- lock_timeout: 5s\nSELECT 1;\nSELECT 2;\n",
        "-- kind: transaction\r\n-- lock_timeout: 5s\r\nSELECT 1;\r\nSELECT 2;\r\n",
        "  -- lock_timeout: 5s\n SELECT 1;;\n;SELECT 2;;\n",
        "-- lock_timeout: 5s\n/* a /* b */ ; c */ SELECT 1; /* d /* e */ f */\nSELECT 2 -- ;",
    ],
)
def test_every_way_to_write_a_file_reads_the_same(tmp_path: Path, text: str) -> None:
    found = script(tmp_path, text)
    texts = [one.text.removesuffix(" -- ;") for one in found.statements]
    assert (found.lock_timeout, texts) == ("5s", ["SELECT 1", "SELECT 2"])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT E'it\\'s; x'",
        "SELECT U&'\\0041; x'",
        'SELECT 1 AS U&"\\0041"',
        "SELECT $a$ ; $b$ ; $a$",
    ],
)
def test_a_quoted_semicolon_ends_nothing(tmp_path: Path, text: str) -> None:
    assert [one.text for one in script(tmp_path, f"{text};SELECT 2").statements] == [
        text,
        "SELECT 2",
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "holds no statement"),
        ("-- one\n\n-- two\n", 1, "holds no statement"),
        (";;\n;", 1, "holds no statement"),
        ("SELECT 1;\nSELECT 'abc;\nSELECT 2;\n" + "x" * 300, 2, "unterminated quoted string"),
        ('SELECT 1;\nSELECT "abc;\n', 2, "unterminated quoted identifier"),
        ("SELECT 1;\n\nDO $x$ begin end $y$;\n\n", 3, "unterminated dollar-quoted string"),
        ("SELECT 1;\n/* a /* b */\n", 2, "unterminated /* comment"),
        ("SELECT 1;\nSELECT U&'\\00zz';", 2, "invalid Unicode escape"),
        ("SELECT 1;\nSELECT :x;", 2, "psql's variables are not known here"),
        ("SELECT 1;\nSELECT :'x';", 2, "psql's variables are not known here"),
        ("\\set x 1\nSELECT 1;", 1, "psql's own commands are not known here"),
        ("SELECT 1;\n\\i other.sql\n", 2, "psql's own commands are not known here"),
        ("SELECT 1\nSELECT 2;", 2, "syntax error"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        script(tmp_path, text)
    told = str(refused.value)
    assert told.startswith(f"{tmp_path}/{COLUMN}:{line}: ")
    assert said in told
    assert "\n" not in told
    assert len(told) - len(str(tmp_path)) < 250


def test_lines_are_counted_as_editors_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{COLUMN}:3: unknown header"):
        script(tmp_path, "-- a\x0c\x85b\u2028c\n-- d\n-- knid: batch\nSELECT 1;")


def test_a_gap_before_the_colon_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="written kind: without a gap"):
        script(tmp_path, "-- kind : batch\nSELECT 1;")
