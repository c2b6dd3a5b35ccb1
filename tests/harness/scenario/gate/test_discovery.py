"""Which suites a gate runs in a project of another team, and what it says of those it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plan import load
from harness.scenario.gate import discover
from harness.scenario.gate.discovery import Suites, suite_name
from harness.scenario.gate.settings import GateSettings
from harness.subject.project import find_project
from tests.harness.support.people import make_people, stand_in, write

SHIPPED = ["dry_run", "forward", "rollback", "resume", "crash", "live", "benchmark"]
"""Those that apply to a plan that has steps and nothing else."""
CHECK = """-- id: names.blank
-- severity: critical
-- relation: shop.person
-- message: x
select id as key from shop.person where name = ''
"""
LACKING = {
    "validation": "the plan has no checks/validate/*.sql",
    "verify": "the plan has neither checks/verify nor checks/security.toml",
    "security": "the plan has no checks/security.toml",
    "contract": "the project names no contract of old clients",
    "api": "no contract.toml has [api]: the subject names no API of its schema",
    "cleanup": "the plan has no cleanup/*.sql",
    "acceptance": "the project gives no workflows of its users",
    "webhooks": "the project gives no source of webhooks",
    "people": "there is no window.toml beside the plan",
    "maintenance": "neither the project nor the plan names a role of the application",
}
STAR = "from harness.suite.{} import *\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_people(tmp_path)


def found(root: Path, *, full: bool = False) -> Suites:
    return discover(load(root / "sql" / "plan.toml"), root, find_project(root), full=full)


def not_applicable(suites: Suites) -> dict[str, str]:
    return {one.name: one.reason for one in suites.not_applicable}


def test_without_a_directory_the_shipped_suites_run_as_they_are(project: Path) -> None:
    suites = found(project)
    assert [suite.name for suite in suites.shipped] == SHIPPED
    assert list(suites.expected) == SHIPPED
    assert list(suites.evidence) == SHIPPED
    assert suites.own_directory is None
    assert all(path.is_file() for path in suites.paths)


def test_what_the_plan_has_no_part_for_is_not_applicable_and_says_why(project: Path) -> None:
    told = not_applicable(found(project))
    assert {name: told[name] for name in LACKING} == LACKING
    assert {"validation", "verify", "contract"} <= told.keys()


@pytest.mark.parametrize("full", [False, True])
def test_suites_that_only_some_other_project_has_are_not_spoken_of(
    project: Path, full: bool
) -> None:
    suites = found(project, full=full)
    own = {"compatibility", "meanwhile", "sabotage"}
    assert own.isdisjoint({*not_applicable(suites), *suites.expected, *suites.evidence})
    stand_in(project, "meanwhile")
    assert "meanwhile" in found(project).expected  # a project that has it is judged by it


@pytest.mark.parametrize(
    ("file", "text", "suite"),
    [
        ("sql/cleanup/010_nick.sql", "alter table shop.person drop column nick;", "cleanup"),
        ("sql/checks/security.toml", 'format = 1\nroles = ["web"]', "security"),
        ("sql/checks/security.toml", 'format = 1\nroles = ["web"]', "verify"),
        ("sql/contract/read/people.sql", "-- about: x\nselect name from shop.person", "contract"),
        ("sql/window.toml", "format = 1", "people"),
        ("sql/contract/contract.toml", "[api]\nschema = 'shop'", "api"),
        (
            "sql/checks/validate/names.sql",
            CHECK,
            "validation",
        ),
    ],
)
def test_a_part_that_is_there_brings_its_suite(
    project: Path, file: str, text: str, suite: str
) -> None:
    write(project, file, text)
    assert suite in found(project).expected


def test_a_suite_that_runs_owes_its_evidence(project: Path) -> None:
    write(project, "sql/checks/validate/names.sql", CHECK)
    stand_in(project, "compatibility")
    evidence = found(project).evidence
    assert "validate" in evidence  # its suite has another name
    assert "compatibility" in evidence
    assert "contract" not in evidence  # a suite of this name leaves it, and none is here


def test_planted_defects_are_due_in_a_full_gate_alone(project: Path) -> None:
    stand_in(project, "sabotage")
    assert "sabotage" in found(project, full=True).evidence
    plan, of_project = load(project / "sql" / "plan.toml"), find_project(project)
    assert "sabotage" not in discover(plan, project, of_project).evidence


def test_a_first_step_that_is_irreversible_leaves_no_way_back_to_judge(tmp_path: Path) -> None:
    steps = {"_010_nick": ("drop table shop.person;", "-- irreversible: its rows are gone")}
    root = make_people(tmp_path, **steps)
    told = not_applicable(found(root))
    assert "its rows are gone" in told["rollback"]
    assert "its rows are gone" in told["live"]


def test_what_the_database_turned_out_to_lack_is_not_applicable(project: Path) -> None:
    write(project, "tests/migration/test_live.py", STAR.format("live"))
    plan, of_project = load(project / "sql" / "plan.toml"), find_project(project)
    suites = discover(plan, project, of_project, lacking={"live": "it has no table"})
    assert not_applicable(suites)["live"] == "it has no table"
    assert "live" not in {*suites.expected, *suites.evidence}


def test_files_of_the_project_stand_beside_the_shipped_suites_and_in_their_place(
    project: Path,
) -> None:
    stand_in(project, "crash", "own")
    write(project, "tests/migration/more/test_deep.py", "def test_a(): pass")
    write(project, "tests/migration/test_speed.py", "def test_a(): pass")
    suites = found(project)
    assert [suite.name for suite in suites.shipped] == [one for one in SHIPPED if one != "crash"]
    assert {"crash", "own", "more/deep"} <= set(suites.expected)
    assert "speed" not in suites.expected


def test_an_inherited_suite_that_does_not_apply_is_left_alone(project: Path) -> None:
    write(project, "tests/migration/test_cleanup.py", STAR.format("cleanup"))
    assert "cleanup" in not_applicable(found(project))
    write(project, "tests/migration/test_cleanup.py", STAR.format("cleanup") + "def test_a(): 1")
    assert "cleanup" in found(project).expected  # of its own it has a test, which must run


@pytest.mark.parametrize("name", ["rollback", "own", "more/deep"])
def test_a_suite_that_is_asked_for_and_was_deleted_is_absent(project: Path, name: str) -> None:
    write(project, "harness.toml", f'suites = ["{name}"]')
    stand_in(project, name)
    assert found(project).absent == ()
    folder, _, leaf = name.rpartition("/")
    file = f"tests/migration/{folder}/test_{leaf}.py".replace("//", "/")
    (project / file).unlink()
    suites = found(project)
    (finding,) = suites.absent
    assert (finding.id, finding.severity) == (f"absent.{name}", "critical")
    assert finding.where == file
    assert name in suites.expected
    assert name not in [suite.name for suite in suites.shipped]


@pytest.mark.parametrize("name", ["../own", "/etc/own", "a//b"])
def test_a_path_is_not_the_name_of_a_suite(project: Path, name: str) -> None:
    write(project, "harness.toml", f'suites = ["{name}"]')
    with pytest.raises(UsageError, match=r"harness\.toml:1: .* not the name of a suite"):
        found(project)


def test_shipped_suites_may_be_asked_for_where_the_project_has_none(project: Path) -> None:
    write(project, "harness.toml", 'suites = ["rollback", "cleanup", "unheard"]')
    suites = found(project)
    assert [finding.id for finding in suites.absent] == ["absent.unheard"]
    assert "rollback" in suites.expected
    assert "cleanup" in not_applicable(suites)


def test_the_project_file_says_where_the_suites_are(project: Path) -> None:
    write(project, "harness.toml", '[suites]\npath = "checks"')
    write(project, "checks/test_own.py", "def test_a(): pass")
    stand_in(project, "elsewhere")
    suites = found(project)
    assert "own" in suites.expected
    assert "elsewhere" not in suites.expected
    assert suites.home == "checks"
    assert suites.own_directory == project / "checks"


def test_suites_outside_of_the_project_are_refused(tmp_path: Path) -> None:
    root = make_people(tmp_path / "inside")
    write(tmp_path, "outside/test_own.py", "def test_a(): pass")
    write(root, "harness.toml", '[suites]\npath = "../outside"')
    with pytest.raises(UsageError, match=r"harness\.toml:2: the suites are in .* outside"):
        found(root)


def test_every_inherited_test_is_in_the_census(project: Path) -> None:
    write(project, "tests/migration/test_rollback.py", STAR.format("rollback") + "def test_a(): 1")
    there = [test for test in found(project).defined() if "test_rollback.py" in test.path]
    names = {test.name for test in there}
    assert {"test_a", "test_a_second_rollback_does_nothing"} <= names
    assert {test.place for test in there} == {"", "harness/suite/rollback.py"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tests/migration/test_own.py", "own"),
        ("tests/migration/more/test_deep.py", "more/deep"),
        ("harness/suite/crash.py", "crash"),
        ("elsewhere/test_own.py", "own"),
    ],
)
def test_a_suite_has_the_name_of_its_file_below_the_directory(path: str, name: str) -> None:
    assert suite_name(path, "tests/migration") == name


@pytest.mark.parametrize("place", ["plan.toml", "sql/plan.toml"])
def test_the_root_of_a_plan_that_stands_alone_is_where_its_suites_would_be(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_people(tmp_path / "here")
    if place == "plan.toml":
        (tmp_path / "here" / "sql").rename(tmp_path / "here" / "plans")
        (tmp_path / "here" / "plans").rename(tmp_path / "there")
        settings = GateSettings(tmp_path / "there" / place, tmp_path / "build")
        assert settings.root == tmp_path / "there"
    else:
        settings = GateSettings(tmp_path / "here" / place, tmp_path / "build")
        assert settings.root == tmp_path / "here"
