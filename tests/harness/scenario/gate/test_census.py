"""The census reads what there is to collect from the text of the files, and imports none."""

from __future__ import annotations

from pathlib import Path

from harness.scenario.gate import census
from harness.scenario.gate.shipped import HOME, home

SUITE = """
import pytest


@pytest.fixture
def test_rows():
    pass


@fixture(scope="module")
def test_more():
    pass


@pytest.mark.slow
@pytest.mark.usefixtures("test_rows")
def test_decorated():
    pass


class TestAll:
    async def test_async(self):
        pass

    class TestInner:
        def _test_asleep(self):
            pass

    with nothing:
        def test_within(self):
            pass


match 1:
    case 1:
        def test_of_a_case():
            pass


def no_test_by_name():
    pass


def protest():
    pass
"""


def told(root: Path, **files: str) -> list[tuple[str, int, str]]:
    """Names, lines and defining files of what is found below a directory with these files."""
    for name, text in files.items():
        path = root / "suites" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = census.defined(root / "suites", root)
    return [(one.nodeid, one.line, one.defined_in) for one in found]


def test_every_function_that_is_named_as_a_test_is_found_where_it_begins(tmp_path: Path) -> None:
    name = "suites/test_x.py"
    assert told(tmp_path, test_x=SUITE) == [
        (f"{name}::test_decorated", 15, name),  # with its decorators, as pytest counts
        (f"{name}::TestAll::test_async", 22, name),
        (f"{name}::TestAll::TestInner::_test_asleep", 26, name),
        (f"{name}::TestAll::test_within", 30, name),
        (f"{name}::test_of_a_case", 36, name),
        (f"{name}::no_test_by_name", 40, name),
    ]


def test_of_other_files_only_what_pytest_would_take_is_a_test(tmp_path: Path) -> None:
    helper = (
        "def test_it():\n    pass\n\n\ndef testing():\n    pass\n\n\ndef no_test_a():\n    pass\n"
    )
    assert told(tmp_path, helper=helper) == [("suites/helper.py::test_it", 1, "suites/helper.py")]
    own = census.own_tests(tmp_path / "suites" / "helper.py")
    assert [one.nodeid for one in own] == ["helper.py::test_it"]


def test_a_file_that_cannot_be_read_as_python_has_no_tests_and_stops_nothing(
    tmp_path: Path,
) -> None:
    found = told(tmp_path, test_a="def test_a(:\n", test_b="def test_b(): ...\n", test_c="\0")
    assert [name for name, _, _ in found] == ["suites/test_b.py::test_b"]


def test_bytecode_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "suites" / "__pycache__").mkdir(parents=True)
    (tmp_path / "suites" / "__pycache__" / "test_a.py").write_text("def test_a(): ...\n")
    assert told(tmp_path) == []


def test_a_shipped_suite_is_inherited_by_a_star_alone(tmp_path: Path) -> None:
    whole = "from harness.suite.forward import *\n"
    there = [one.name for one in census.own_tests(home() / "forward.py")]
    for name in ("test_whole", "whole_test"):
        path = tmp_path / f"{name}.py"
        path.write_text(whole)
        inherited = census.of_file(path, tmp_path)
        assert {one.name for one in inherited} >= set(there), name
        assert {one.path for one in inherited} == {path.name}
        assert {one.defined_in for one in inherited} == {f"{HOME}/forward.py"}
    for name, text in {
        "helper": whole,
        "test_part": "from harness.suite.forward import forward\n",
        "test_near": "from .harness.suite.forward import *\n",
        "test_none": "from harness.suite.no_such_suite import *\n",
        "test_other": "from json.decoder import *\nimport harness.suite.forward\n",
        "test_dot": "from . import *\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
        assert census.of_file(tmp_path / f"{name}.py", tmp_path) == [], name
