"""Declared equivalents have a reason, are counted apart, and are refuted when a check sees one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.mutate import mutate
from harness.core.errors import UsageError
from harness.plan import Plan
from harness.scenario.mutate import equivalents, mutants
from harness.scenario.mutate.model import Mutant
from harness.scenario.mutate.run import run, words
from tests.harness.support.mutate_plan import JUDGES, settings
from tests.harness.support.runner import SmallPlan


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("[[equivalent]]\nmutants = ['x']\n", "needs a reason", 1),
        ("\n[[equivalent]]\nreason = 'why'\n", "list of ids", 2),
        ("[[equivalent]]\nmutants = ['x']\nreason = 'y'\nwhen = 1\n", "unknown key 'when'", 1),
        ("[equivalent\n", "not valid TOML", 1),
        ("\nother = 1\n", "unknown key 'other'", 1),
    ],
)
def test_malformed_equivalents_are_refused(text: str, said: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "equivalent.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said) as refused:
        equivalents.read(path)
    assert refused.value.where == f"{path}:{line}"


def test_an_equivalent_of_no_mutant_is_refused(small: SmallPlan) -> None:
    known = equivalents.Equivalent(("1.1/020_fill.*:drop-moon:*",), "why", "here:7")
    with pytest.raises(UsageError, match=r"no mutant '1\.1/020_fill") as refused:
        equivalents.refuse_stale((known,), mutants.of_plan(small.load()))
    assert refused.value.where == "here:7"


def test_an_equivalent_covers_by_id_and_by_what_its_diff_changes(small: SmallPlan) -> None:
    made = mutants.of_plan(small.load())
    entry = equivalents.Equivalent(("1.1/*:change-constant:*",), "why", "", diff="id bigint")
    assert not any(entry.covers(m) for m in made)
    entry = equivalents.Equivalent(("1.1/*:drop-part:*",), "why", "", diff="name text")
    assert [m.diff for m in made if entry.covers(m)]


def declared(small: SmallPlan, pattern: str) -> None:
    small.write(
        equivalents.NAME, f"[[equivalent]]\nmutants = ['{pattern}']\nreason = 'nobody looks'\n"
    )


def test_equivalents_are_counted_apart_and_not_run(small: SmallPlan) -> None:
    declared(small, "1.2/*")
    answer = run(settings(small, "sees_nothing", only="1.2/"))
    assert answer.equivalent == answer.mutants > 0
    assert (answer.verdict, answer.score) == ("unknown", None)


def test_a_declared_equivalent_that_a_check_sees_is_refuted(small: SmallPlan) -> None:
    declared(small, "1.1/010_column.forward:*")
    answer = run(settings(small, "sees_rows", declared=True))
    assert answer.verdict == "fail"
    assert answer.survivors  # nobody looks at the primary key
    one = answer.refuted[0]
    assert (one.declared, bool(one.by), bool(one.reason)) == ("nobody looks", True, True)
    shown = words(answer)
    assert f"refuted: {one.id}" in shown
    assert shown[-1].startswith("equivalents: fail; ")


def test_a_declared_equivalent_that_no_check_sees_stands(small: SmallPlan) -> None:
    declared(small, "1.2/*")
    answer = run(settings(small, "sees_nothing", declared=True))
    assert (answer.verdict, answer.refuted) == ("pass", [])
    assert len(answer.survivors) == answer.equivalent == answer.mutants > 0


def test_a_declared_equivalent_that_could_not_be_judged_is_unknown(small: SmallPlan) -> None:
    declared(small, "1.2/*")
    answer = run(settings(small, "breaks", declared=True))
    assert answer.verdict == "unknown"
    assert "KeyError" in words(answer)[0]


def test_where_nothing_is_declared_the_trial_is_unknown(small: SmallPlan) -> None:
    assert run(settings(small, "sees_nothing", declared=True)).verdict == "unknown"


def test_command_fails_when_a_declared_equivalent_is_refuted(small: SmallPlan) -> None:
    declared(small, "1.1/010_column.forward:*")
    arguments = ["--plan", str(small.root / "plan.toml"), "--json", "--workers", "1"]
    arguments += ["--equivalents", "--sample", "4", "--judge", f"{JUDGES}:sees_rows"]
    done = CliRunner().invoke(mutate, arguments)
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert answer["refuted"]
    assert answer["mutants"] == 4  # drawn from the declared ones


def test_declared_equivalents_of_the_reference_plan_are_mutants_of_it(
    harness_plan: Plan, every: tuple[Mutant, ...]
) -> None:
    known = equivalents.read(harness_plan.root / equivalents.NAME)
    assert known
    equivalents.refuse_stale(known, every)  # raises
