"""Files of rows and of trials are read as they are written, and a mistake has its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check.verify import doubt, samples
from harness.check.verify import file as verify_file
from harness.check.verify.rows import Compared
from harness.core.errors import UsageError
from harness.core.finding import Finding

HEAD = "-- id: verify.x_1\n-- severity: warning\n-- message: first\n-- message: second\n"
ROWS = f"{HEAD}-- relation: public.x\n"
TWO = "select 1;\nselect 2;\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "files"


def written(directory: Path, **files: str) -> Path:
    directory.mkdir()
    for name, text in files.items():
        (directory / f"{name}.sql").write_text(text)
    return directory


def test_a_file_of_rows_says_all_that_its_header_and_its_queries_say(directory: Path) -> None:
    one, other = verify_file.rows(written(directory, b=f"{ROWS}{TWO}", a=f"""{ROWS}-- hint: look
-- samples: no
-- until: cleanup
{TWO}"""))  # fmt: skip
    assert (one.path, other.path) == (directory / "a.sql", directory / "b.sql")
    assert (one.id, one.severity, one.relation) == ("verify.x_1", "warning", "public.x")
    assert (one.message, one.hint, other.hint) == ("first second", "look", "")
    assert (one.expected.text, one.found.text) == ("select 1", "select 2")
    assert (one.samples, one.until_cleanup) == (False, True)
    assert (other.samples, other.until_cleanup) == (True, False)


def test_a_trial_says_all_that_its_header_and_its_statements_say(directory: Path) -> None:
    files = {
        "a": f"{HEAD}-- refused: 23514 42501\n-- hint: look\ndelete from x;\ndelete from y;\n",
        "b": f"{HEAD}-- until: cleanup\n{TWO}",
    }
    refused, asked = verify_file.trials(written(directory, **files))
    assert (refused.refused, asked.refused) == (("23514", "42501"), ())
    assert (refused.hint, asked.hint) == ("look", "")
    assert [one.text for one in refused.statements] == ["delete from x", "delete from y"]
    assert [one.text for one in asked.statements] == ["select 1", "select 2"]
    assert (refused.until_cleanup, asked.until_cleanup) == (False, True)
    assert (refused.id, refused.severity) == ("verify.x_1", "warning")
    assert (refused.path, refused.message) == (directory / "a.sql", "first second")


def test_without_a_directory_there_are_no_files(directory: Path) -> None:
    assert (verify_file.rows(directory), verify_file.trials(directory)) == ((), ())
    directory.write_text("not one")
    assert (verify_file.rows(directory), verify_file.trials(directory)) == ((), ())


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{ROWS}-- no", 1, "holds 0 statements"),
        (f"{ROWS}{TWO}select 3;", 8, "holds 3 statements"),
        (f"{ROWS}delete from x;\nselect 1;", 6, "is not a query"),
        (f"{HEAD}{TWO}", 1, "has no header 'relation'"),
        (f"{ROWS}-- until: dawn\n{TWO}", 1, "until is cleanup, not 'dawn'"),
        (ROWS.replace("warning", "grave") + TWO, 1, "unknown severity 'grave'"),
        (f"{ROWS}-- refused: 23514\n{TWO}", 6, "unknown header 'refused'"),
        (ROWS.replace("verify.x_1", "verify") + TWO, 1, "id is words with dots, not 'verify'"),
        (ROWS.replace("verify.x_1", "verify.X") + TWO, 1, "id is words with dots"),
        (ROWS.replace("-- message: first\n-- message: second\n", "") + TWO, 1, "has no header 'me"),
        (ROWS.replace("-- id: verify.x_1\n", "") + TWO, 1, "has no header 'id'"),
        (ROWS.replace("-- severity: warning\n", "") + TWO, 1, "has no header 'severity'"),
    ],
)
def test_a_mistake_in_a_file_of_rows_has_its_line(
    directory: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        verify_file.rows(written(directory, x=text))
    assert str(caught.value).startswith(f"{directory / 'x.sql'}:{line}: {said}")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{HEAD}-- relation: public.x\n{TWO}", 5, "unknown header 'relation'"),
        (f"{HEAD}-- refused: 2351\nselect 1", 1, "refused is an SQLSTATE such as 23514, not '2351"),
        (f"{HEAD}-- refused: 23514\n", 1, "holds no statement"),
        (f"{HEAD}select 1;\ndelete from x", 6, "is not a query"),
    ],
)
def test_a_mistake_in_a_trial_has_its_line(
    directory: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        verify_file.trials(written(directory, x=text))
    assert str(caught.value).startswith(f"{directory / 'x.sql'}:{line}: {said}")


def test_the_headers_that_are_known_are_told_in_order(directory: Path) -> None:
    with pytest.raises(UsageError) as caught:
        verify_file.rows(written(directory, x=f"{ROWS}-- keys: id\n{TWO}"))
    assert (caught.value.hint or "").startswith("known are hint, id, message, relation, samples")


# -- what a comparison of no rows, or with itself, proves


def doubts(directory: Path, *compared: Compared, source: bool) -> list[tuple[str, str]]:
    return [(one.check, one.reason) for one in doubt.of_rows(compared, source=source)]


def test_a_comparison_that_proves_nothing_is_named(directory: Path) -> None:
    (rows,) = verify_file.rows(written(directory, a=f"{ROWS}{TWO}"))
    looked = Compared(rows, expected=2, found=2)
    assert doubts(directory, looked, source=True) == []
    assert doubts(directory, looked, source=False) == [("verify.x_1", doubt.ITSELF)]
    unmade = Compared(rows, unknown="it cannot be asked")
    for source in (True, False):
        assert doubts(directory, unmade, source=source) == [("verify.x_1", "it cannot be asked")]
    wrong = Compared(rows, expected=1, wrong=1)  # itself or not, that is a finding
    assert doubts(directory, wrong, source=False) == []
    (one,) = doubt.of_rows((looked,), source=False)
    assert (one.where, one.next, one.message) == ("public.x", doubt.GIVE_SOURCE, "first second")


def test_empty_relations_together_are_a_doubt_of_the_whole_database(directory: Path) -> None:
    (rows,) = verify_file.rows(written(directory, a=f"{ROWS}{TWO}"))
    empty = Compared(rows)
    told = doubts(directory, empty, empty, source=True)
    assert told == [("verify.rows", "no row was looked at: all of 2 relations are empty")]
    for other in (Compared(rows, expected=1), Compared(rows, found=1)):
        assert doubts(directory, empty, other, source=True) == []
    assert doubts(directory, source=True) == []


def test_a_part_that_the_plan_lacks_is_unknown_unless_it_says_why() -> None:
    present = {"rows": True, "rules": False, "security": False}
    unknown, declared = doubt.of_parts(present, {"security": "nobody connects", "rows": "x"})
    assert isinstance(unknown, doubt.Unknown)
    assert (unknown.check, unknown.where) == ("verify.rules", "plan")
    assert unknown.next.endswith("[verify.without] rules = 'REASON'")
    assert declared == doubt.NotApplicable("verify.security", "nobody connects")


def test_an_unknown_check_is_a_warning_that_says_what_is_not_proven() -> None:
    plain = doubt.Unknown("verify.x", "plan", "why", "do it")
    assert plain.finding() == Finding("verify.x", "warning", "plan", "why", "do it", "")
    told = doubt.Unknown("verify.x", "plan", "why", "do it", "rows are kept").finding()
    assert (told.message, told.evidence) == ("not proven: rows are kept", "why")


# -- samples


def test_a_sample_holds_each_field_against_what_it_must_be() -> None:
    expected = {"name": "x" * 500, "note": None, "sum": "1.0"}
    found = {"name": "x" * 499 + "y", "note": None, "sum": "1.00", "more": "z"}
    sample = samples.Sample("public.x", "1", samples._fields(expected, found))
    assert [(one.name, one.right) for one in sample.fields] == [
        ("name", False),
        ("note", True),
        ("sum", False),
    ]
    assert (sample.fields[2].before, sample.fields[2].after) == ("1.0", "1.00")
    assert len(sample.fields[0].before or "") < 500  # shown shortened, compared whole
    document = sample.document()
    assert (document.relation, document.key, document.right) == ("public.x", "1", False)
    assert [field.name for field in document.fields] == ["name", "note", "sum"]
    right = samples.Sample("public.x", "1", samples._fields(expected, expected))
    assert (right.right, right.document().right) == (True, True)


def test_a_row_that_is_missing_is_a_wrong_sample() -> None:
    (field,) = samples._fields({"name": "x"}, None)
    assert (field.name, field.before, field.after, field.right) == (
        "(row)",
        "is there",
        "is missing",
        False,
    )
