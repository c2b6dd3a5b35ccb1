"""NO-GO is told by cause: one sentence, step, file and row, with everything else beneath it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from harness.cli.report import report
from harness.core.finding import Finding
from harness.document.base import from_builtins
from harness.document.verify import RelationDocument, VerifyDocument
from harness.plan import Plan
from harness.plan.writers import Writers
from harness.report import causes
from harness.report.portable import portable
from tests.harness.support.report import VERIFY, built

FIRST_NAME = "1: first_name is 'BETTY', expected 'Betty'\n2: first_name is 'IDA', expected 'Ida'"
NAMES = "3: contact_names is '{\"BETTY Ray\"}', expected '{\"Betty Ray\"}'"


def critical(name: str, where: str, message: str, evidence: str = "") -> Finding:
    return Finding(name, "critical", where, message, "", evidence)


def of_test(name: str, said: str) -> Finding:
    where = f"tests/migration/test_forward.py::{name}"
    return critical(f"forward.{name}", where, said.splitlines()[0], f"E   {said}")


ROWS = critical("verify.rows.contacts", "public.contacts", "2 of 9 rows differ", FIRST_NAME)
VIEW = critical("verify.rows.deals_summary", "public.deals_summary", "5 of 5 differ", NAMES)
COMPARED = RelationDocument(
    relation=ROWS.where, id=ROWS.id, expected=400, rows=400, wrong=399, verdict="fail"
)


def told(plan: Plan, *findings: Finding) -> list[causes.ReportedCause]:
    compared = msgspec.structs.replace(from_builtins(VERIFY, VerifyDocument), relations=[COMPARED])
    return causes.told(findings, compared, Writers(plan).of)


def test_one_broken_backfill_is_one_cause_with_step_file_and_row(harness_plan: Plan) -> None:
    beneath = (
        of_test("test_a", "assert ['contacts 7: x'] == []"),
        of_test("test_b", "AssertionError: first_name is 'BETTY'"),
        of_test("test_c", "assert 1 == 2"),
        critical("dry-run.way-back", "rollback", "9 things", "public.contacts id=1: search_tsv"),
    )
    search = FIRST_NAME.replace("first_name", "search_tsv")
    (cause,) = told(
        harness_plan, VIEW, *beneath, critical(ROWS.id, ROWS.where, ROWS.message, search)
    )
    assert cause.step == "1.1/080_contacts_backfill"
    assert cause.file.startswith("phases/1.1_foundation/080_contacts_backfill.forward.sql:")
    assert cause.sentence == (
        "step 1.1/080_contacts_backfill leaves public.contacts.search_tsv wrong in 399 of 400 rows"
    )
    assert cause.row == causes.ShownRow("public.contacts", "1", "search_tsv", "Betty", "BETTY")
    assert set(cause.findings) == {ROWS.id, VIEW.id, *(one.id for one in beneath)}
    assert len(cause.tests) == 3


@pytest.mark.parametrize(
    ("evidence", "row"),
    [
        ("7: the row is missing", ("7", "", "one row", "none")),
        ("7: a row that should not be there", ("7", "", "none", "one row")),
        ("7: 2 rows, 1 expected", ("7", "", "1", "2 rows")),
    ],
)
def test_missing_rows_are_a_cause_of_their_own(
    harness_plan: Plan, evidence: str, row: tuple[str, ...]
) -> None:
    lost = critical("verify.rows.activities", "public.activities", "1 differs", evidence)
    (cause,) = told(harness_plan, lost)
    assert cause.sentence == "step 1.4/030_backfill leaves rows of public.activities wrong"
    assert cause.row == causes.ShownRow("public.activities", *row)


def test_two_broken_columns_of_two_steps_are_two_causes(harness_plan: Plan) -> None:
    other = critical(
        "verify.rows.activities", "public.activities", "x", "5: subject is 'Ca', expected 'Call'"
    )
    tests = (
        of_test("test_a", "assert subject is 'Ca' == 'Call'"),
        of_test("test_b", "assert contacts 1 == 2"),
        of_test("test_c", "assert 1 == 2"),
    )
    search = critical(ROWS.id, ROWS.where, "x", FIRST_NAME.replace("first_name", "search_tsv"))
    found = told(harness_plan, search, other, *tests)
    assert [(cause.step, cause.findings[1:]) for cause in found[:2]] == [
        ("1.1/080_contacts_backfill", ("forward.test_b",)),
        ("1.4/030_backfill", ("forward.test_a",)),
    ]
    assert found[2].findings == ("forward.test_c",)  # which of the two it is nobody can say


def test_a_statement_that_fails_in_every_test_is_one_cause(harness_plan: Plan) -> None:
    said = "sql/phases/1.2_contacts/030_backfill.forward.sql:7: relation {} does not exist"
    found = told(harness_plan, *(of_test(f"test_{n}", said.format(n)) for n in range(9)))
    assert [(cause.step, cause.file, len(cause.tests)) for cause in found] == [
        ("1.2/030_backfill", "sql/phases/1.2_contacts/030_backfill.forward.sql:7", 9)
    ]


def test_evidence_says_it_better_than_the_test_that_failed_with_it(harness_plan: Plan) -> None:
    said = "sql/phases/1.2_contacts/030_backfill.forward.sql:7: server closed the connection"
    test = of_test("test_a", f"AssertionError: 1 of 9 failed, {said}")
    (cause,) = told(
        harness_plan, test, critical("crash.wire.blip", "1.2/030_backfill at m01", said)
    )
    assert (cause.sentence, len(cause.findings)) == (said, 2)


def test_an_object_that_one_step_alone_speaks_of_leads_to_its_way_there_or_back(
    harness_plan: Plan,
) -> None:
    writers = Writers(harness_plan)
    index = critical("x", "forward", "index opportunities_stage_idx is absent")
    back = critical("y", "rollback", "index public.opportunities_stage_idx: presence")
    unknown = critical("z", "forward", 'policy "Enable read access for authenticated users"')
    found = causes.told([index, back, unknown], None, writers.of, writers.named)
    file = "phases/1.1_foundation/160_opportunities_stage_index"
    assert [(cause.step, cause.file) for cause in found] == [
        ("1.1/160_opportunities_stage_index", f"{file}.forward.sql:4"),
        ("1.1/160_opportunities_stage_index", f"{file}.rollback.sql:4"),
        ("", ""),  # many steps speak of such a policy
    ]


def test_what_says_the_same_but_for_its_values_has_one_cause(harness_plan: Plan) -> None:
    alike = [of_test(f"test_{n}", f"no connection to port {n}") for n in (1, 22)]
    other = critical("security.gained", "anon", "anon may read", "")
    assert [len(cause.findings) for cause in told(harness_plan, *alike, other)] == [2, 1]


def test_a_warning_has_no_cause(harness_plan: Plan) -> None:
    assert told(harness_plan, Finding("x", "warning", "y", "z")) == []


@pytest.mark.parametrize(
    ("relation", "column", "step"),
    [
        ("public.contacts", "search_tsv", "1.1/080_contacts_backfill"),
        ("public.activities", '"subject"', "1.4/030_backfill"),
        ("public.opportunities", "customer_organization_id", "1.1/090_deals_backfill"),
        ("public.contacts", "no_such", None),
    ],
)
def test_a_column_leads_to_the_step_that_writes_it(
    harness_plan: Plan, relation: str, column: str, step: str | None
) -> None:
    found = Writers(harness_plan).of(relation, column)
    assert (found.step if found else None) == step


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/home/me/x/sql/plan.toml:3: bad", "sql/plan.toml:3: bad"),
        ("in /home/me/x", "in ."),
        ("see /usr/lib/postgresql/15/bin/pg_dump", "see …/bin/pg_dump"),
        ('File "/tmp/a/b/c.py", line 3', 'File "…/b/c.py", line 3'),
        ("https://x.example/tmp/a and a/b/c and </tmp/x>", None),
        ("/nowhere/at/all and 1/2/3", None),
    ],
)
def test_text_is_portable(text: str, said: str | None) -> None:
    assert portable(text, Path("/home/me/x")) == (said or text)


def test_page_and_markdown_tell_the_cause_first(tmp_path: Path) -> None:
    cause = causes.ReportedCause(
        "step 1/010_a leaves t.c <wrong>",
        step="1/010_a",
        file="sql/a.sql:3",
        row=causes.ShownRow("public.t", "7", "c", "old `x`", "new"),
        findings=(ROWS.id,),
        tests=("tests/migration/test_a.py::test_a",),
        replay="python -m pytest tests/migration/test_a.py::test_a --pg-rows 400",
    )
    build = built(tmp_path, findings=[ROWS], causes=[cause])
    page = (build / "report" / "index.html").read_text()
    assert page.index("leaves t.c &lt;wrong&gt;") < page.index("<nav")
    for said in ("sql/a.sql:3", "old `x`", cause.replay, ROWS.message):
        assert said in page
    assert 'id="findings"' not in page  # it lies beneath
    markdown = (build / "report" / "pull-request.md").read_text()
    assert markdown.index("leaves t.c") < markdown.index("critical findings")
    assert f"`{cause.replay}`" in markdown
    assert "### Findings" not in markdown


def test_the_page_of_a_verdict_without_causes_lists_the_findings(tmp_path: Path) -> None:
    build = built(tmp_path, findings=[ROWS])
    verdict = json.loads((build / "verdict.json").read_text())
    del verdict["causes"]
    (build / "verdict.json").write_text(json.dumps(verdict))
    assert CliRunner().invoke(report, ["--build", str(build)]).exit_code == 0
    assert 'id="findings"' in (build / "report" / "index.html").read_text()
