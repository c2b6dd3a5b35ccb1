"""A plan is read whole or refused with file, line and reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plan import load
from tests.harness.support.runner import TOML, SmallPlan

COLUMN = "phases/1.1_fill/010_column.forward.sql"
COLUMN_BACK = "phases/1.1_fill/010_column.rollback.sql"
FILL = "phases/1.1_fill/020_fill.forward.sql"
INDEX = "phases/1.2_index/010_index.forward.sql"


def line_of(text: str) -> str:
    """Where a text stands in the small plan's plan.toml, whatever is set above it."""
    return f"plan.toml:{TOML[: TOML.index(text)].count(chr(10)) + 1}"


def refusal(small: SmallPlan) -> str:
    with pytest.raises(UsageError) as refused:
        small.load()
    return str(refused.value).replace(f"{small.root}/", "")


def test_steps_come_in_order_with_their_kinds_and_lines(tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path).load()
    assert [step.id for step in plan.steps] == ["1.1/010_column", "1.1/020_fill", "1.2/010_index"]
    assert [step.forward.kind for step in plan.steps] == ["transaction", "batch", "concurrent"]
    assert [statement.line for statement in plan.steps[0].forward.statements] == [2, 3, 4]
    assert plan.steps[1].forward.statements[0].text.endswith("id <= %(upto)s")
    assert plan.steps[1].rollback.nothing == "the column goes"


def test_a_statement_starts_at_its_first_word_not_at_its_comment(tmp_path: Path) -> None:
    small = SmallPlan(tmp_path)
    small.write(COLUMN, "-- summary: é\n\n-- why; not\n/* more;\nlines */ SELECT 'é;';\nSELECT 2;")
    texts = [(s.line, s.text) for s in small.load().steps[0].forward.statements]
    assert texts == [(5, "SELECT 'é;'"), (6, "SELECT 2")]


@pytest.mark.parametrize(
    ("until", "step"),
    [
        ("1.1", "1.1/020_fill"),
        ("fill", "1.1/020_fill"),
        ("1.1_fill", "1.1/020_fill"),
        ("1.1/010_column", "1.1/010_column"),
        ("010_column", "1.1/010_column"),
        ("column", "1.1/010_column"),
    ],
)
def test_until_names_a_phase_or_a_step(tmp_path: Path, until: str, step: str) -> None:
    assert SmallPlan(tmp_path).load().resolve(until).id == step


def test_until_refuses_an_unknown_and_an_ambiguous_name(tmp_path: Path) -> None:
    small = SmallPlan(tmp_path)
    with pytest.raises(UsageError, match=r"no step or phase '9\.9'"):
        small.load().resolve("9.9")
    small.write("phases/1.2_index/020_fill.forward.sql", "SELECT 1;")
    small.write("phases/1.2_index/020_fill.rollback.sql", "-- nothing: none")
    with pytest.raises(UsageError, match=r"more than one step.*1.1/020_fill, 1.2/020_fill"):
        small.load().resolve("020_fill")


def test_the_hash_follows_every_file_but_not_how_fast_it_is_run(tmp_path: Path) -> None:
    small = SmallPlan(tmp_path)
    before = small.load()
    small.replace("plan.toml", "batch_rows = 400", "batch_rows = 500")
    assert small.load().hash == before.hash
    for name in (COLUMN, "baseline/010_things.sql", "cleanup/010_kinds.sql"):
        kept = (tmp_path / name).read_text()
        small.write(name, kept + "-- one more comment\n")
        assert small.load().hash != before.hash, name
        small.write(name, kept)
    small.replace("plan.toml", "2030-01-01", "2031-01-01")
    assert small.load().hash != before.hash
    assert small.load().files["plan.toml"] != before.files["plan.toml"]


def rewritten(name: str, text: str) -> Callable[[SmallPlan], object]:
    return lambda small: small.write(name, text)


def replaced(name: str, old: str, new: str) -> Callable[[SmallPlan], object]:
    return lambda small: small.replace(name, old, new)


def removed(name: str) -> Callable[[SmallPlan], object]:
    return lambda small: (small.root / name).unlink()


PHASES = '[[phase]]\nid = "1.1"\nname = "fill"\n\n[[phase]]\nid = "1.2"'
BATCH = "-- kind: batch\n-- table: public.things\n-- key: id\n"
BOUNDS = "WHERE id > %(after)s AND id <= %(upto)s"
MISTAKES: dict[str, tuple[Callable[[SmallPlan], object], str, str]] = {
    "syntax": (
        rewritten(COLUMN, "SELECT 1;\nSELECT 2;\nCREATE TABEL x (\n  id int);\nSELECT 3;"),
        f"{COLUMN}:3",
        'syntax error at or near "TABEL" (SQLSTATE 42601)',
    ),
    "unfinished": (rewritten(COLUMN, "SELECT 1;\nSELECT\n  (2"), f"{COLUMN}:3", "end of input"),
    "batch syntax": (
        rewritten(FILL, f"{BATCH}UPDATE public.things SET\n nothing {BOUNDS};"),
        f"{FILL}:5",
        "syntax error",
    ),
    "no rollback": (
        removed("phases/1.1_fill/010_column.rollback.sql"),
        COLUMN,
        "has no rollback file 010_column.rollback.sql",
    ),
    "no forward": (
        removed(COLUMN),
        "phases/1.1_fill/010_column.rollback.sql",
        "has no forward file 010_column.forward.sql",
    ),
    "duplicate number": (
        rewritten("phases/1.1_fill/020_other.forward.sql", "SELECT 1;"),
        "phases/1.1_fill/020_other.forward.sql",
        "number 020 is taken by 020_fill.forward.sql",
    ),
    "file name": (
        rewritten("phases/1.1_fill/30_x.sql", "SELECT 1;"),
        "phases/1.1_fill/30_x.sql",
        "is not named like",
    ),
    "unknown header": (
        rewritten(COLUMN, "-- summary: x\n-- knid: batch\nSELECT 1;"),
        f"{COLUMN}:2",
        "unknown header 'knid'",
    ),
    "late header": (
        rewritten(COLUMN, "-- summary: x\n\n-- kind: batch\nSELECT 1;"),
        f"{COLUMN}:3",
        "stands after a blank line",
    ),
    "unknown kind": (
        rewritten(COLUMN, "-- kind: swift\nSELECT 1;"),
        f"{COLUMN}:1",
        "unknown kind 'swift'",
    ),
    "bad timeout": (
        rewritten(COLUMN, "-- lock_timeout: soon\nSELECT 1;"),
        f"{COLUMN}:1",
        "lock_timeout is a time",
    ),
    "empty": (rewritten(COLUMN, "-- summary: x\n"), f"{COLUMN}:1", "holds no statement"),
    "nothing but": (
        rewritten(COLUMN, "-- nothing: x\nSELECT 1;"),
        f"{COLUMN}:2",
        "must hold no statement",
    ),
    "begin": (rewritten(COLUMN, "SELECT 1;\nBEGIN;"), f"{COLUMN}:2", "begins and commits"),
    "commit": (rewritten(COLUMN, "COMMIT;"), f"{COLUMN}:1", "begins and commits"),
    "vacuum": (rewritten(COLUMN, "VACUUM public.things;"), f"{COLUMN}:1", "VACUUM"),
    "concurrently": (
        rewritten(COLUMN, "SELECT 1;\n\nCREATE INDEX CONCURRENTLY i ON public.things (id);"),
        f"{COLUMN}:3",
        "CONCURRENTLY cannot run here",
    ),
    "reindex": (
        rewritten(COLUMN, "REINDEX INDEX CONCURRENTLY public.i;"),
        f"{COLUMN}:1",
        "CONCURRENTLY cannot run here",
    ),
    "set": (rewritten(COLUMN, "SET work_mem = '1MB';"), f"{COLUMN}:1", "SET without LOCAL"),
    "copy": (rewritten(COLUMN, "COPY public.things FROM stdin;"), f"{COLUMN}:1", "COPY"),
    "batch without table": (
        replaced(FILL, "-- table: public.things\n", ""),
        f"{FILL}:1",
        "needs a header 'table'",
    ),
    "batch without key": (
        replaced(FILL, "-- key: id\n", ""),
        f"{FILL}:1",
        "needs a header 'key'",
    ),
    "batch table": (
        replaced(FILL, "public.things\n-- key", "things\n-- key"),
        f"{FILL}:1",
        "not 'things'",
    ),
    "batch bound": (
        replaced(FILL, "%(upto)s", "1000"),
        f"{FILL}:5",
        "does not use %(upto)s",
    ),
    "batch placeholder": (
        replaced(FILL, "%(upto)s", "%(until)s"),
        f"{FILL}:6",
        "unknown placeholder '%(until)s'",
    ),
    "batch ddl": (
        rewritten(FILL, f"{BATCH}DROP TABLE public.things;"),
        f"{FILL}:4",
        "changes rows and nothing else",
    ),
    "two concurrent": (
        replaced(INDEX, "WHERE id > 5;", "WHERE id > 5;\nSELECT 1;"),
        f"{INDEX}:4",
        "exactly one statement, not 2",
    ),
    "if not exists": (
        replaced(INDEX, "CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS"),
        f"{INDEX}:2",
        "takes an invalid index for a finished one",
    ),
    "nameless": (replaced(INDEX, "things_upper ON", "ON"), f"{INDEX}:2", "has no name"),
    "not concurrent": (
        replaced(INDEX, "INDEX CONCURRENTLY", "INDEX"),
        f"{INDEX}:2",
        "a concurrent script is CREATE INDEX CONCURRENTLY",
    ),
    "unknown key": (
        replaced("plan.toml", 'version = "1"', 'version = "1"\nspeed = 3'),
        "plan.toml:5",
        "unknown key 'speed'",
    ),
    "unknown runner key": (
        replaced("plan.toml", "adaptive = false", "adaptiv = false"),
        "plan.toml:11",
        "unknown key 'adaptiv' in [runner]",
    ),
    "wrong type": (
        replaced("plan.toml", "batch_rows = 400", 'batch_rows = "many"'),
        "plan.toml:10",
        "batch_rows is a whole number",
    ),
    "no lock timeout": (
        replaced("plan.toml", 'lock_timeout = "200ms"', "lock_timeout = 0"),
        "plan.toml:14",
        "lock_timeout cannot be 0",
    ),
    "toml": (replaced("plan.toml", 'version = "1"', "version = "), "plan.toml:4", "TOML"),
    "format": (replaced("plan.toml", "format = 1", "format = 9"), "plan.toml:2", "reads format 1"),
    "no directory": (
        replaced("plan.toml", 'name = "index"', 'name = "indices"'),
        line_of('[[phase]]\nid = "1.2"'),
        "has no directory '1.2_indices'",
    ),
    "undeclared": (
        rewritten("phases/1.3_more/010_x.forward.sql", "SELECT 1;"),
        "phases/1.3_more",
        "belongs to no phase",
    ),
    "irreversible forward": (
        rewritten(COLUMN, "-- irreversible: rows are gone\nSELECT 1;"),
        f"{COLUMN}:1",
        "belongs to a rollback file",
    ),
    "irreversible without a reason": (
        rewritten(COLUMN_BACK, "-- summary: back\n-- irreversible:\n"),
        f"{COLUMN_BACK}:2",
        "irreversible needs words",
    ),
    "irreversible and nothing": (
        rewritten(COLUMN_BACK, "-- nothing: none\n-- irreversible: rows are gone\n"),
        f"{COLUMN_BACK}:2",
        "exclude each other",
    ),
    "stays without irreversible": (
        rewritten(COLUMN_BACK, "-- stays: a label\nSELECT 1;"),
        f"{COLUMN_BACK}:1",
        "without a header 'irreversible'",
    ),
    "irreversible batch without a statement": (
        rewritten(COLUMN_BACK, f"{BATCH}-- irreversible: rows are gone\n"),
        f"{COLUMN_BACK}:1",
        "holds no statement",
    ),
    "two brackets": (
        replaced("plan.toml", PHASES, '[phase]\nid = "1.2"'),
        line_of("[[phase]]"),
        "a phase is a table of its own: [[phase]]",
    ),
    "a phase's key": (
        replaced("plan.toml", 'name = "index"', 'nam = "index"'),
        line_of('[[phase]]\nid = "1.2"'),
        "unknown key 'nam' in [[phase]]; did you mean 'name'",
    ),
    "a section's name": (
        replaced("plan.toml", "[runner]", "[runer]"),
        "plan.toml:9",
        "unknown key 'runer'; did you mean 'runner'",
    ),
    "given twice": (
        replaced("plan.toml", 'name = "small"', 'name = "small"\nname = "x"'),
        "plan.toml:4",
        "is not valid TOML: Cannot overwrite a value",
    ),
    "a dotted key": (
        replaced("plan.toml", '[variables]\nsunset = "2030-01-01"', "variables.sunset = 3"),
        "plan.toml:6",
        "variable 'sunset' must be a text",
    ),
    "no format": (replaced("plan.toml", "format = 1\n", ""), "plan.toml:1", "format is missing"),
    "a true format": (replaced("plan.toml", "format = 1", "format = true"), "plan.toml:2", "True"),
    "no number": (
        replaced("plan.toml", "[runner]", "[rollback]\nwindow_hours = nan\n[runner]"),
        "plan.toml:10",
        "window_hours is a number, not nan",
    ),
    "a time that rounds to no limit": (
        replaced("plan.toml", '"200ms"\ntakeover', '"0.1us"\ntakeover'),
        "plan.toml:14",
        "lock_timeout is from 1ms to 24 days, not '0.1us'",
    ),
    "a time that is too long": (
        replaced("plan.toml", '"200ms"\ntakeover', '"9999999h"\ntakeover'),
        "plan.toml:14",
        "lock_timeout is from 1ms to 24 days, not '9999999h'",
    ),
    "a header without a limit": (
        rewritten(COLUMN, "-- lock_timeout: 0\nSELECT 1;"),
        f"{COLUMN}:1",
        "lock_timeout cannot be 0",
    ),
    "a header that rounds to no limit": (
        rewritten(COLUMN, "-- summary: x\n-- lock_timeout: 100us\nSELECT 1;"),
        f"{COLUMN}:2",
        "lock_timeout cannot be 0",
    ),
    "a header that is too long": (
        rewritten(COLUMN, "-- statement_timeout: 9999h\nSELECT 1;"),
        f"{COLUMN}:1",
        "statement_timeout is from 1ms to 24 days",
    ),
    "wanted and not": (
        replaced("plan.toml", 'forbids = ["public.kinds"]', 'forbids = ["public.things"]'),
        line_of("forbids ="),
        "'public.things' is both required and forbidden",
    ),
    "a text with a nul": (
        replaced("plan.toml", 'name = "small"', r'name = "sm\u0000all"'),
        "plan.toml:3",
        "name holds a NUL character",
    ),
    "no directory of files": (
        lambda small: (
            (small.root / "cleanup").rename(small.root / "kept") and small.write("cleanup", "")
        ),
        "cleanup",
        "is not a directory",
    ),
    "nul": (rewritten(COLUMN, "SELECT 1;\0"), COLUMN, "NUL"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_file_line_and_reason(tmp_path: Path, mistake: str) -> None:
    small = SmallPlan(tmp_path)
    make, where, reason = MISTAKES[mistake]
    make(small)
    said = refusal(small)
    assert said.startswith(f"{where}: "), said
    assert reason in said


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    small = SmallPlan(tmp_path)
    (tmp_path / COLUMN).write_bytes(b"SELECT 1;\nSELECT '\xff';")
    assert refusal(small) == f"{COLUMN}:2: is not valid UTF-8"


def test_a_plan_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load(tmp_path / "plan.toml")


def test_analyze_and_set_local_are_allowed_in_a_transaction(tmp_path: Path) -> None:
    small = SmallPlan(tmp_path)
    small.write(COLUMN, "SET LOCAL work_mem = '8MB';\nANALYZE public.things;")
    assert len(small.load().steps[0].forward.statements) == 2


@pytest.mark.parametrize("rest", ["", "ALTER TABLE public.things DROP COLUMN upper_name;\n"])
def test_a_step_is_declared_irreversible_with_what_stays(tmp_path: Path, rest: str) -> None:
    small = SmallPlan(tmp_path)
    assert small.load().irreversible == ()
    small.write(COLUMN_BACK, f"-- irreversible: rows may refer to it\n-- stays: the kinds\n{rest}")
    (step,) = small.load().irreversible
    assert (step.id, step.irreversible) == ("1.1/010_column", "rows may refer to it")
    assert step.rollback.stays == "the kinds"
